/* SPDX-License-Identifier: Apache-2.0 */
/* Of control planes, their configuration and their tokens. */
#include "judged.h"

#define NA "not-answered|"
#define TOKEN(more) "{'tokens': [{'node': 'a', 'token': 't', " more "}]}"
#define SETTING(setting, value) JUDGED_SETTING("a", setting, value)
#define USE_OF(settings, keys)                                                           \
    "{'nodes': [" JUDGED_NODE "], 'configuration': [" settings "], 'keys': [" keys "]}"
#define USE(refused, doubt, unknown, keys)                                               \
    USE_OF(JUDGED_USE("a", refused, doubt, unknown), keys)
#define BOTH JUDGED_WRAPS("a")
#define CLASS(policy)                                                                    \
    "{'nodes': [" JUDGED_NODE "], 'configuration': [" SETTING(                           \
        "configuration.classes[0].scope",                                                \
        "other") "," SETTING("configuration.classes[0].on_hsm_loss",                     \
                             "x") "," SETTING("configuration.classes[1].scope",          \
                                              "secrets") policy "]}"
#define POLICY(value) "," SETTING("configuration.classes[1].on_hsm_loss", value)
#define AUDIT(on_failure, durability)                                                    \
    "{'nodes': [" JUDGED_NODE "], 'configuration': [" SETTING(                           \
        "configuration.audit.on_failure",                                                \
        on_failure) "," SETTING("configuration.audit.durability", durability) "]}"

#define REPORT(report, objects) "{'etcd': [{" report "}], 'objects': [" objects "]}"
#define OURS "{'report': 'r', 'stored_as': 'kms-v2', 'key_id': 'k', 'current': 1}"

const struct judged_case judged_nodes[] = {
    {"nodes-complete", "{'nodes': [" JUDGED_NODE "]}", {"pass|a|collected 2026-11-20"}},
    {"nodes-complete",
     "{'nodes': [{'node': 'a', 'collected': true, 'complete': false,"
     " 'time': '2026-11-20T00:00:00Z', 'not_looked_at': 'x'}]}",
     {NA "a|not looked at: x"}},
    {"nodes-complete",
     "{'nodes': [{'node': 'a', 'collected': true, 'complete': true}]}",
     {NA "a|nobody knows when"}},
    {"nodes-complete",
     "{'nodes': [" JUDGED_EARLY "]}",
     {NA "a|before the period was over"}},
    {"nodes-complete",
     "{'nodes': [{'node': 'a', 'collected': true, 'complete': true,"
     " 'time': '2026-11-28T00:00:00.000001Z'}]}",
     {NA "a|later than the bundle"}},
    {"nodes-complete",
     "{'nodes': [" JUDGED_NODE "], 'logs': [{'node': 'zz', 'log': 'audit', 'log_id': 'i'}"
     ", {'node': 'a', 'log': 'audit', 'log_id': 'i'}]}",
     {"fail|a|its log is that of zz"}},
    {"nodes-complete",
     "{'nodes': [" JUDGED_MISSING "]}",
     {NA "zz|nothing was collected"}},

    {"nodes-agree", USE("", "", "", BOTH), {"pass|a|keyring 5e"}},
    {"nodes-agree", USE("", "", "", ""), {NA "a|no baseline"}},
    {"nodes-agree", USE("", "", "", "{'node': 'a'}"), {NA "a|no baseline"}},
    {"nodes-agree",
     USE("", "", "", "{'node': 'b', 'baseline': true, 'active_here': true}"),
     {NA "a|no baseline"}},
    {"nodes-agree",
     USE("", "", "", BOTH ", {'node': 'a', 'baseline': true}"),
     {"fail|a|does not wrap with"}},
    {"nodes-agree",
     USE("", "", "", BOTH ", {'node': 'a', 'active_here': true}"),
     {"fail|a|does not wrap with"}},
    {"nodes-agree",
     USE("older", "", "", BOTH),
     {"fail|a|does not take its keyring: older"}},
    {"nodes-agree",
     USE("", "", "torn", "{'node': 'a', 'baseline': true}"),
     {NA "a|is not known: torn"}},
    {"nodes-agree", USE("", "open", "", BOTH), {"fail|a|of its keyring it says: open"}},
    {"nodes-agree", USE_OF("", BOTH), {NA "a|was not asked"}},
    {"nodes-agree",
     USE_OF(SETTING("keyring.refused_here", "") "," SETTING("keyring.doubt", ""), BOTH),
     {NA "a|was not asked"}},
    {"nodes-agree", /* the newest is the one that counts, wherever it stands */
     "{'nodes': [{'node': 'a', 'collected': true, 'keyring_sha256': '77',"
     " 'keyring_serial': 6}, {'node': 'b', 'collected': true, 'keyring_sha256': '5e',"
     " 'keyring_serial': 7}], 'keys': [" JUDGED_WRAPS(
         "b") "], 'configuration': [" JUDGED_USE("b", "", "", "") "]}",
     {"fail|a|its keyring is not that of b", "pass|b|keyring 5e"}},
    {"nodes-agree",
     "{'nodes': [{'node': 'a', 'collected': true, 'keyring_sha256': '77'},"
     " {'node': 'b', 'collected': true, 'keyring_sha256': '5e'}]}",
     {NA "a|not understood", "fail|b|not that of a"}},
    {"nodes-agree", /* both have the same file, which is no keyring */
     "{'nodes': [{'node': 'a', 'collected': true, 'keyring_sha256': '5e'},"
     " {'node': 'b', 'collected': true, 'keyring_sha256': '5e'}]}",
     {NA "a|not understood", NA "b|not understood"}},
    {"nodes-agree",
     "{'nodes': [{'node': 'a', 'collected': true}]}",
     {"fail|a|it has no keyring"}},
    {"nodes-agree",
     "{'nodes': [" JUDGED_MISSING "," JUDGED_NODE
     ", {'node': 'b', 'collected': true, 'keyring_sha256': '77'}]}",
     {NA "a|was not asked", "fail|b|its keyring is not that of a",
      NA "zz|nothing was collected"}},

    {"tokens-asked", TOKEN("'asked': true"), {"pass|a, token t|asked is true"}},
    {"tokens-asked", TOKEN("'asked': false"), {"fail|a, token t|asked is false"}},
    {"tokens-asked", "{}", {NA "all|there is no token"}},
    {"hardware-token", TOKEN("'softhsm': false"), {"pass|a, token t|"}},
    {"hardware-token", TOKEN("'softhsm': true"), {"fail|a, token t|softhsm is true"}},
    {"hardware-token",
     TOKEN("'softhsm': null"),
     {NA "a, token t|softhsm is not answered"}},
    {"hsm-certificate",
     TOKEN("'standard': 'FIPS 140-3', 'certificate': '4703'"),
     {"pass|a, token t|FIPS 140-3, certificate 4703, as is stated"}},
    {"hsm-certificate",
     TOKEN("'standard': 'FIPS 140-2', 'certificate': '1'"),
     {"fail|a, token t|historical"}},
    {"hsm-certificate",
     TOKEN("'standard': 'FIPS 140-3'"),
     {NA "a, token t|nobody states"}},
    {"hsm-certificate", TOKEN("'certificate': '1'"), {NA "a, token t|nobody states"}},
    {"algorithms", TOKEN("'self_test': true"), {"pass|a, token t|"}},
    {"algorithms", TOKEN("'self_test': false"), {"fail|a, token t|self_test is false"}},
    {"algorithms", TOKEN("'asked': true"), {NA "a, token t|self_test is not answered"}},
    {"iv-source", TOKEN("'iv_source': 'token'"), {"pass|a, token t|"}},
    {"iv-source",
     TOKEN("'iv_source': 'caller'"),
     {"fail|a, token t|iv_source is caller"}},
    {"iv-source", TOKEN("'iv_source': null"), {NA "a, token t|"}},

    {"fail-closed",
     CLASS(POLICY("fail-closed")),
     {"pass|a, classes[1]|on-hsm-loss: fail-closed"}},
    {"fail-closed",
     CLASS(POLICY("serve-from-cache")),
     {"fail|a, classes[1]|on-hsm-loss: serve-from-cache"}},
    {"fail-closed", CLASS(POLICY("")), {"fail|a, classes[1]|"}},
    {"fail-closed", CLASS(""), {NA "a, classes[1]|not answered"}},
    {"fail-closed", /* one that has it does not speak for the other */
     "{'nodes': [{'node': 'b', 'collected': true}, " JUDGED_NODE
     "], 'configuration': [" SETTING(
         "configuration.classes[0].scope",
         "secrets") "," SETTING("configuration.classes[0].on_hsm_loss",
                                "fail-closed") "]}",
     {NA "b|no class has the scope secrets", "pass|a, classes[0]|"}},
    {"audit-fail-closed", AUDIT("deny", "sync"), {"pass|a|deny, durability: sync"}},
    {"audit-fail-closed", AUDIT("deny", "async"), {"fail|a|durability: async"}},
    {"audit-fail-closed", AUDIT("allow", "sync"), {"fail|a|on-failure: allow"}},
    {"audit-fail-closed",
     "{'nodes': [" JUDGED_NODE "]}",
     {"fail|a|there is no audit log"}},
    {"audit-fail-closed", "{}", {NA "all|there is no configuration"}},

    {"hsm-certificate",
     TOKEN("'standard': 'none', 'certificate': '1'"),
     {NA "a, token t|nobody states"}},

    {"etcd-encrypted", REPORT("'report': 'r'", OURS), {"pass|r|0 objects"}},
    {"etcd-encrypted", REPORT("'report': 'r'", ""), {NA "r|no object in it"}},
    {"etcd-encrypted",
     REPORT("'report': 'r'", OURS ", {'report': 'r', 'resource': 'secrets',"
                                  " 'stored_as': 'plain-json', 'current': 1}"),
     {"fail|r|Secrets lie in clear"}},
    {"etcd-encrypted",
     "{'etcd': [{'report': 'r', 'violations': 1, 'unread': 1}]}",
     {"fail|r|1 objects in what a read gives"}},
    {"etcd-encrypted",
     "{'etcd': [{'report': 'r', 'unread': 2, 'leftovers': 1}]}",
     {NA "r|2 things could not be read"}},
    {"etcd-no-leftovers", REPORT("'report': 'r', 'violations': 1", OURS), {"pass|r|"}},
    {"etcd-no-leftovers", REPORT("'report': 'r'", ""), {NA "r|no object in it"}},
    {"etcd-no-leftovers",
     "{'etcd': [{'report': 'r', 'leftovers': 3}]}",
     {"fail|r|3 objects in old revisions"}},
    {"etcd-no-leftovers", "{'etcd': [{'report': 'r', 'unread': 1}]}", {NA "r|"}},
    {"backup-restorable",
     REPORT("'report': 'r', 'restorable': 'restorable'", OURS),
     {"pass|r|restorable"}},
    {"backup-restorable",
     REPORT("'report': 'r', 'restorable': 'restorable'", ""),
     {NA "r|no object in it"}},
    {"backup-restorable",
     "{'etcd': [{'report': 'r', 'restorable': 'not restorable'}]}",
     {"fail|r|not restorable"}},
    {"backup-restorable",
     "{'etcd': [{'report': 'r', 'restorable': 'not asked'}]}",
     {NA "r|not asked"}},
    {"backup-restorable", "{'etcd': [{'report': 'r'}]}", {NA "all|--restorable"}},
    {"custody-stated",
     "{'stated': [{'what': 'custodians', 'value': 'c.pdf', 'sha256': 'ab'}]}",
     {"pass|c.pdf|SHA-256 ab"}},
    {"custody-stated",
     "{'stated': [{'what': 'attestation', 'value': 'a'}]}",
     {NA "all|no file of the custodians"}},
    {NULL, NULL, {NULL}},
};
