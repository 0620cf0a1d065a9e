/* SPDX-License-Identifier: Apache-2.0 */
/* PCI DSS: what it asks of stored account data, keys and logs. */
#include "controls.h"

#define PCI "PCI DSS 4.0.1"

static const struct kw_control pci_controls[] = {
    {PCI, "3.5.1", "Stored account numbers cannot be read.",
     "etcd-encrypted etcd-no-leftovers algorithms key-strength",
     "Where account numbers are, that those resources must be encrypted, and that their "
     "provider is keyward's; every store that is not etcd, and each member and backup of "
     "etcd that was not given."},
    {PCI, "3.5.1.2",
     "Encryption of a whole disk does not count by itself, but for removable media.",
     "etcd-encrypted etcd-no-leftovers",
     "Every other place where account numbers are stored."},
    {PCI, "3.6.1",
     "Keys are kept from disclosure and misuse: few custodians, a key that wraps others "
     "is "
     "as strong as they are and lies apart from them, few places.",
     "nodes-complete tokens-asked hardware-token key-attributes key-strength "
     "custody-stated",
     "The procedures in writing; who can log in to the HSM, and that those are the "
     "fewest."},
    {PCI, "3.6.1.1",
     "A service provider describes its cryptography: algorithms, keys with strength, use "
     "and end, each HSM with type and place; no key serves both production and tests.",
     "nodes-complete tokens-asked hsm-certificate algorithms key-strength cryptoperiod",
     "The places of the HSMs, and that no key of production is in a test; every protocol "
     "and key that is not keyward's."},
    {PCI, "3.6.1.2",
     "Stored secret keys lie under a key as strong and kept apart, in a secure "
     "cryptographic device, or in shares.",
     "nodes-complete tokens-asked hardware-token hsm-certificate key-attributes "
     "key-strength",
     "That the HSM and its firmware are those of the certificate, and that it is run as "
     "its security policy wants; the HSM's own backups."},
    {PCI, "3.6.1.3", "The fewest custodians reach key material in clear.",
     "key-generated-in-token key-attributes custody-stated",
     "Who holds the HSM's PINs, cards and shares of its backups."},
    {PCI, "3.6.1.4", "Keys are stored in the fewest places.", "",
     "That they are the fewest: the tokens that were asked, and the second copies that "
     "the keyring knows, are listed; backups of the HSM are not."},
    {PCI, "3.7.1", "Keys are generated strong.",
     "hardware-token hsm-certificate key-generated-in-token key-strength algorithms",
     "The procedure in writing; that the HSM's generator is the one of the certificate."},
    {PCI, "3.7.2", "Keys are distributed securely.",
     "key-generated-in-token key-attributes",
     "How the HSM carries a key into a second token, and the procedure in writing."},
    {PCI, "3.7.3", "Keys are stored securely.",
     "nodes-complete tokens-asked hardware-token key-attributes",
     "The HSM's backups; the files with PINs on the control planes."},
    {PCI, "3.7.4", "A key is changed at the end of its cryptoperiod.", "cryptoperiod",
     "How long that is, and why; that what is stored was written again after each "
     "change."},
    {PCI, "3.7.5",
     "A key is retired, replaced or destroyed when its time is over, when it is "
     "weakened, "
     "or when it may be known to others.",
     "key-ended operator-log-sound",
     "To notice that a key is weakened or known; the removal of the object from the HSM "
     "and its backups; that the reports were of all members and backups."},
    {PCI, "3.7.6",
     "Where people handle keys in clear, it takes several of them, and none knows all.",
     "",
     "Whether the HSM has such an operation (backups in shares, say); keyward has none."},
    {PCI, "3.7.7", "Nobody can put another key in a key's place.",
     "nodes-complete nodes-agree tokens-asked key-identity",
     "Who may write the keyring, which nothing signs, and who may log in to the HSM."},
    {PCI, "3.7.8", "Custodians say in writing that they accept their duty.",
     "custody-stated",
     "What they signed, and that they are all: here is a digest of a file."},

    {PCI, "10.2.1", "Audit logs are on for all components and data.",
     "nodes-complete audit-fail-closed log-sound log-covers-period operator-log-sound",
     "Every other component: kube-apiserver, etcd, the HSM, the hosts."},
    {PCI, "10.2.1.1", "Each person's access to account data is logged.", "",
     "kube-apiserver's audit log: keyward never learns who reads which Secret."},
    {PCI, "10.2.1.2", "What each administrator does is logged.",
     "nodes-complete operator-log-sound",
     "Acts that pass keyward by: of root on the host, by the HSM's own tools, by "
     "kubectl."},
    {PCI, "10.2.1.3", "Access to audit logs is logged.", "",
     "A watch on the log's folder (auditd, say), and the logs of where copies go."},
    {PCI, "10.2.1.4", "Access that was refused is logged.",
     "nodes-complete audit-fail-closed log-sound log-covers-period",
     "Refusals of other components and of the HSM; a flood of refusals is counted, not "
     "listed."},
    {PCI, "10.2.1.5", "Changes of accounts and credentials are logged.", "",
     "The HSM's own log for its users and PINs, the host's for its accounts."},
    {PCI, "10.2.1.6", "The start, stop and pause of audit logs are logged.",
     "nodes-complete log-sound log-covers-period",
     "All other logs; that a stretch in which keywardd was stopped was meant."},
    {PCI, "10.2.1.7", "The creation and deletion of system-level objects is logged.", "",
     "The host's audit log; of keys, the operators' acts are here."},
    {PCI, "10.2.2",
     "A record says who, what, when, with which result, from where, and on which object.",
     "nodes-complete log-sound operator-log-sound clock-synchronised",
     "The person behind a call: a record has the process that asked, and the request's "
     "id, "
     "by which kube-apiserver's own logs go on."},
    {PCI, "10.3.1", "Only who needs to can read audit logs.", "",
     "Who is in the group of the daemon's user, and who reads the copies."},
    {PCI, "10.3.2", "Nobody can change audit logs.",
     "nodes-complete log-sound log-signed log-anchored",
     "That who can become root on a node has no hand on the place where anchors lie."},
    {PCI, "10.3.3", "Audit logs are copied promptly to a place that is hard to change.",
     "nodes-complete log-sound log-anchored",
     "That the lines lie there too, and promptly: an anchor is a hash of them."},
    {PCI, "10.3.4", "A change of existing log data raises an alarm.",
     "nodes-complete log-sound log-anchored",
     "A timer that verifies the logs against the anchors, and the alarm when it fails."},
    {PCI, "10.4.1", "Logs are reviewed every day.", "", "The review, and its record."},
    {PCI, "10.4.1.1", "Programs do that review.", "",
     "The rules in your log system for keyward's events."},
    {PCI, "10.4.3", "What the review finds is followed up.", "", "The record of that."},
    {PCI, "10.5.1", "Logs are kept for 12 months, the last three at hand.", "",
     "To keep them: keyward removes none, and a bundle shows its own period alone."},
    {PCI, "10.6.1", "Clocks are synchronised.", "nodes-complete clock-synchronised",
     "Every other machine; here the kernel says it of its own clock."},
    {PCI, "10.6.2", "Time comes from chosen sources.", "",
     "The configuration of the time service."},
    {PCI, "10.6.3", "Who may change time is limited, and changes are logged.", "",
     "Rights on the hosts, and their audit log."},
    {PCI, "10.7.2",
     "A failure of a critical control, audit logging among them, is noticed, told and "
     "mended.",
     "nodes-complete audit-fail-closed",
     "Alarm and answer: that an API server gets an error when nothing can be put on "
     "record "
     "is set here; that somebody is told is not."},
    {PCI, "12.3.3",
     "Algorithms and protocols in use are listed, reviewed each year, and can be "
     "replaced.",
     "nodes-complete tokens-asked algorithms",
     "The review and the plan; all that is not keyward's, the way to the HSM among it."},
};

const struct kw_control_list kw_controls_pci = {pci_controls, sizeof pci_controls /
                                                                  sizeof pci_controls[0]};
