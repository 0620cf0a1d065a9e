/* SPDX-License-Identifier: Apache-2.0 */
/* HIPAA's Security Rule, publications of NIST, the CIS benchmark for Kubernetes. */
#include "controls.h"

#define HIPAA "HIPAA 45 CFR 164"
#define SP_57 "NIST SP 800-57 part 1 rev. 5"
#define SP_38D "NIST SP 800-38D"
#define SP_131A "NIST SP 800-131A"
#define CIS "CIS Kubernetes Benchmark"

static const struct kw_control hipaa_controls[] = {
    {HIPAA, "164.308(a)(7)", "Data comes back after a disaster: backups, a plan, tests.",
     "backup-restorable second-copy",
     "The plan and its tests; that backups are made, of everything that a restore "
     "needs."},
    {HIPAA, "164.312(a)(1)",
     "Only people and programs with a right to it reach the data.", "",
     "RBAC of Kubernetes, accounts of the hosts, rights in the HSM."},
    {HIPAA, "164.312(a)(2)(iv)", "Stored data is encrypted (addressable).",
     "etcd-encrypted etcd-no-leftovers algorithms key-strength key-attributes",
     "Where such data is, and that its provider is keyward's: etcd's files that were "
     "given "
     "are looked at, and no other store."},
    {HIPAA, "164.312(b)", "What happens in the systems is recorded and examined.",
     "nodes-complete audit-fail-closed log-sound log-covers-period log-anchored "
     "operator-log-sound",
     "To examine it; who read which Secret, which is kube-apiserver's audit log."},
    {HIPAA, "164.312(c)(1)", "Data is protected from improper change and destruction.",
     "",
     "Rights on etcd and on its backups: who can write it can remove an object, or put "
     "an "
     "older value of the same object back."},
    {HIPAA, "164.312(c)(2)",
     "There is a means to see that data was not changed without a right (addressable).",
     "etcd-encrypted algorithms",
     "That no such data is stored by a provider without a tag (aescbc); the objects say "
     "by "
     "which it is. Of a removal or an older value no tag tells."},
    {HIPAA, "164.312(d)", "Who asks for data is who they claim to be.", "",
     "Authentication by kube-apiserver and the HSM; keyward knows the uid of a process."},
    {HIPAA, "164.312(e)(2)(ii)", "Data is encrypted on its way (addressable).", "",
     "TLS of kube-apiserver, etcd and kubelets, and the link to the HSM; keyward's own "
     "way "
     "is a socket within the machine."},
};
const struct kw_control_list kw_controls_hipaa = {
    hipaa_controls, sizeof hipaa_controls / sizeof hipaa_controls[0]};

static const struct kw_control nist_controls[] = {
    {SP_57, "key states",
     "It is known in which state each key is, and a key does what its state allows "
     "alone.",
     "nodes-complete nodes-agree key-ended",
     "To declare a key compromised: disable it, or destroy it."},
    {SP_57, "cryptoperiods", "Each key has a cryptoperiod, and is used no longer.",
     "cryptoperiod",
     "How long it is, and why; how long old backups are still read with a retired key."},
    {SP_57, "inventory", "All keys are known, with their places and attributes.",
     "nodes-complete nodes-agree tokens-asked key-identity key-attributes",
     "Keys that are not keyward's; backups of the HSM."},
    {SP_57, "accountability", "It is known who did what with a key, and on whose word.",
     "nodes-complete operator-log-sound operator-tickets custody-stated",
     "What the tickets say; which person was behind a login."},
    {SP_57, "backup", "A key whose loss means loss of data has a second copy.",
     "second-copy", "That the copy lies elsewhere; a test of coming back by it."},
    {SP_38D, "invocations", "With random 96-bit IVs one key encrypts 2^32 times at most.",
     "nodes-complete log-sound log-covers-period invocations",
     "What the key encrypted before the period, and what any other program encrypts with "
     "it."},
    {SP_38D, "IV",
     "No IV comes twice under one key: it is made by an approved generator.", "iv-source",
     "Whether your rules let the caller make it; what the HSM's security policy says of "
     "it."},
    {SP_131A, "algorithms and lengths",
     "Only approved algorithms, with lengths that count.",
     "tokens-asked algorithms key-strength",
     "The HSM's approved mode, and all that is not keyward's."},
};
const struct kw_control_list kw_controls_nist = {
    nist_controls, sizeof nist_controls / sizeof nist_controls[0]};

static const struct kw_control cis_controls[] = {
    {CIS, "1.2.27", "kube-apiserver is started with an encryption configuration.", "",
     "The flag on each control plane: keyward does not read kube-apiserver's arguments."},
    {CIS, "1.2.28", "The first provider of that configuration encrypts.",
     "etcd-encrypted",
     "The file itself on each control plane; here is what etcd has, which is more."},
};
const struct kw_control_list kw_controls_cis = {cis_controls, sizeof cis_controls /
                                                                  sizeof cis_controls[0]};
