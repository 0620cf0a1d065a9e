/* SPDX-License-Identifier: Apache-2.0 */
/* What no bundle shows. */
#include "limit_list.h"

static const char *const limit_texts[] = {
    /* of a bundle */
    "keyward is no assessor. What a control asks is said here in other words than its "
    "own, "
    "of PCI DSS by secondary sources: compare it with your copy.",
    "Satisfied says that the checks that are named passed, and no more: what the "
    "operator shows "
    "is "
    "a part of the control.",
    "A bundle is of the folders, reports and files that were given to it, and of no "
    "other "
    "control plane, token, member of etcd, backup or day.",
    "Keys, tokens and configuration are as they were when each node was collected; the "
    "whole period is told by the logs, the keyring's history and the operators' acts "
    "alone.",
    "Manifest and signature say that a bundle is as it was when it was signed, not that "
    "what was collected is true: root on a node can have any folder made.",
    "What the operator states is repeated and not checked; of a file that is named there "
    "is "
    "a digest and nothing else.",
    "Nothing here says that logs, reports or bundles are kept for as long as they must "
    "be: "
    "keyward removes none, and keeps none elsewhere.",
    "The change of HIPAA's Security Rule of January 2025 was a proposal when this was "
    "written, and no row speaks of it.",
    /* of tokens and keys */
    "What a token says of itself and of its keys is said by the vendor's library in the "
    "process that asks; nobody attests it.",
    "Certificate, standard, level and place of an HSM are the operator's words; PKCS#11 "
    "knows none of them, and keyward looked up none.",
    "keyward is software, and neither validated nor certified by anybody, nor is the way "
    "in "
    "which it uses an HSM.",
    "Each IV of AES-GCM comes from the caller: keyward makes it, not the token. An HSM "
    "may "
    "call that use not approved.",
    "Encrypts are counted in the logs of the period: what a key wrapped before, in "
    "keyward's own canaries, or for another program is not in the count.",
    "Destroyed is a word in the keyring: keyward deletes no object, and nothing is known "
    "of "
    "the HSM's backups of it.",
    "That the reports before the end of a key were of all members and all backups is the "
    "word of whoever gave them.",
    "Nothing signs the keyring: root and the daemon's user can write another one that "
    "follows from it.",
    /* of logs */
    "KMS v2 names no user and no object, and an API server asks for a seed about once a "
    "day: the log says which API server got it, never who read which Secret. That is in "
    "kube-apiserver's audit log.",
    "An API server that was given a seed reads and serves Secrets with it for a day and "
    "longer, whatever keyward does.",
    "Without anchors that were kept elsewhere nothing says that root did not write a "
    "whole "
    "other log: PCI DSS 10.3.2, 10.3.3 and 10.3.4 are not shown then. A signature alone "
    "says "
    "that somebody with use of the token made it.",
    "An anchor proves what came before it, and by the time at which it came to where it "
    "lies: that place, and who can write there, nobody looked at.",
    "Times are those of each machine's clock, and synchronised is the word of its "
    "kernel.",
    "Of what was done with a token by another program, or while keywardd was stopped, "
    "only "
    "the HSM's own log tells.",
    /* of etcd */
    "Of etcd the given files were read: no volume, no kubelet, no other store, and "
    "nothing "
    "that a disk keeps of blocks that were given back. Names of objects are never "
    "encrypted.",
    "A report on etcd's files has no time, only a revision: that it is of the period, of "
    "every "
    "member, and of no member twice is the word of whoever gave it.",
    "Encrypted in etcd's files can be by another provider, whose key lies in a file: the "
    "objects say by which.",
    "Whoever can write etcd can remove an object, or put an older value of the same "
    "object "
    "back: encryption does not tell.",
    "A backup that is restorable opens with the keyring and the token that were asked, "
    "at "
    "that time; a restore needs more than that.",
};

const char *kw_evidence_limit(size_t i)
{
    return i < sizeof limit_texts / sizeof limit_texts[0] ? limit_texts[i] : NULL;
}

void kw_evidence_limits(struct kw_evidence *e)
{
    const char *text;
    for (size_t i = 0; (text = kw_evidence_limit(i)) != NULL; i++)
        kw_evidence_add(e, KW_EVIDENCE_LIMITS, json_pack("{ss}", "limit", text));
}
