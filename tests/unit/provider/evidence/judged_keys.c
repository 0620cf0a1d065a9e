/* SPDX-License-Identifier: Apache-2.0 */
/* Of keys, their lives and their copies. */
#include "judged.h"

#define NA "not-answered|"
#define KEY(more) "{'node': 'a', 'token': 't', 'key_id': 'k', " more "}"
#define KEYS(more) "{'keys': [" KEY(more) "]}"
#define ATTRIBUTE(name, more)                                                            \
    "{'node': 'a', 'token': 't', 'key_id': 'k', 'attribute': '" name "', " more "}"
#define OF(state, attributes)                                                            \
    "{'keys': [" KEY("'state': '" state "'") "], 'attributes': [" attributes "]}"
#define LOCAL(now) ATTRIBUTE("CKA_LOCAL", "'now': " now)
#define MADE(now) ATTRIBUTE("CKA_KEY_GEN_MECHANISM", "'now': " now)
#define LENGTH(outcome) ATTRIBUTE("CKA_VALUE_LEN", "'now': '32', 'outcome': " outcome)
#define K "a, token t, k|"

#define LIFE(more) "{'rotations': [{'n': 1, 'key_id': 'k', " more "}]}"
#define SINCE "'activated': '2026-09-01T00:00:00Z'"
#define COPY(more) "{'n': 1, 'key_id': 'k', 'state': 'active', " more "}"

/* Of a keyring that was collected after the period. */
#define RING(node, versions, acts)                                                       \
    "{'nodes': [" node "], 'rotations': [" versions "], 'acts': [" acts                  \
    "], 'configuration': [" JUDGED_USE("a", "", "",                                      \
                                       "") "], 'keys': [" JUDGED_WRAPS("a") "]}"
#define USED "{'n': 1, 'key_id': 'kw1-1-00112233445566778899aabb', " SINCE ", "
#define UNUSED "{'n': 1, 'key_id': 'kw1-1-00112233445566778899aabb', "
#define AT "'2026-11-02T00:00:00Z'"
#define ENDED "'state': 'disabled', 'disabled': " AT "}"
#define ACT_AT(time, act, more)                                                          \
    "{'from': 'keyring', 'time': '" time                                                 \
    "', 'key_id': 'kw1-1-00112233445566778899aabb', 'act': '" act "'" more "}"
#define ACT(act, more) ACT_AT("2026-11-02T00:00:00Z", act, more)
#define PROOF(text) ", 'proof': '" text "'"
#define ETCD PROOF("etcd: 1 live, 0 backups")
#define V1 "kw1-1-00112233445566778899aabb|"
#define PRUNED(text) ACT("prune", PROOF("kw1-1-00112233445566778899aabb destroyed " text))
#define V3 "{'n': 3, 'key_id': 'kw1-3-00112233445566778899aabb', 'state': 'accepted'}"

const struct judged_case judged_keys[] = {
    {"key-attributes", KEYS("'state': 'active', 'verdict': 'pass'"), {"pass|" K}},
    {"key-attributes", KEYS("'state': 'retired', 'verdict': 'fail'"), {"fail|" K}},
    {"key-attributes", KEYS("'state': 'accepted', 'verdict': 'not-answered'"), {NA K}},
    {"key-attributes", KEYS("'state': 'active'"), {NA K "not read"}},
    {"key-attributes",
     KEYS("'state': 'unknown', 'verdict': 'pass'"),
     {NA K "a newer keyward"}},
    {"key-attributes",
     KEYS("'state': 'disabled', 'verdict': 'fail'"),
     {NA "all|there is no usable key"}},
    {"key-identity", KEYS("'state': 'active', 'check_blob_opens': true"), {"pass|" K}},
    {"key-identity", KEYS("'state': 'active', 'check_blob_opens': false"), {"fail|" K}},
    {"key-identity",
     KEYS("'state': 'active', 'check_blob_opens': true, 'findings': 'duplicate'"),
     {"fail|" K "found: duplicate"}},
    {"key-identity",
     KEYS("'state': 'active', 'error': 'away'"),
     {NA K "not proven: away"}},
    {"key-identity",
     KEYS("'state': 'sealed', 'check_blob_opens': true"),
     {NA K "a newer keyward"}},

    {"key-generated-in-token",
     OF("active", LOCAL("'true'") "," MADE("'CKM_AES_KEY_GEN'")),
     {"pass|a, token t, k, CKA_LOCAL|", "pass|a, token t, k, CKA_KEY_GEN_MECHANISM|"}},
    {"key-generated-in-token",
     OF("active", LOCAL("'false'") "," MADE("'CKM_0x1'")),
     {"fail|a, token t, k, CKA_LOCAL|it is false",
      "fail|a, token t, k, CKA_KEY_GEN_MECHANISM|it is CKM_0x1"}},
    {"key-generated-in-token",
     OF("active", LOCAL("null")),
     {NA "a, token t, k, CKA_LOCAL|not answered",
      NA "a, token t, k, CKA_KEY_GEN_MECHANISM|not answered"}},
    {"key-generated-in-token",
     OF("active", ""), /* its token was away */
     {NA "a, token t, k, CKA_LOCAL|", NA "a, token t, k, CKA_KEY_GEN_MECHANISM|"}},
    {"key-strength",
     OF("active", LENGTH("'pass'")),
     {"pass|a, token t, k, CKA_VALUE_LEN|32 bytes"}},
    {"key-strength",
     OF("active", LENGTH("'fail'")),
     {"fail|a, token t, k, CKA_VALUE_LEN|"}},
    {"key-strength",
     OF("active", LENGTH("'not-answered'")),
     {NA "a, token t, k, CKA_VALUE_LEN|"}},
    {"key-strength", OF("active", LENGTH("null")), {NA "a, token t, k, CKA_VALUE_LEN|"}},
    {"key-strength", /* one in the other token does not speak for it */
     "{'keys': [{'node': 'a', 'token': 's', 'key_id': 'k', 'state': 'active'}, " KEY(
         "'state': 'active'") "], 'attributes': [" LENGTH("'pass'") "]}",
     {NA "a, token s, k, CKA_VALUE_LEN|", "pass|a, token t, k, CKA_VALUE_LEN|"}},
    {"key-strength", OF("disabled", ""), {NA "all|there is no usable key"}},
    {"key-strength",
     OF("disabled", LENGTH("'fail'")),
     {"fail|a, token t, k, CKA_VALUE_LEN|"}},
    {"key-strength", OF("unknown", ""), {NA "a, token t, k, CKA_VALUE_LEN|"}},

    {"cryptoperiod",
     LIFE("'state': 'active', 'days_left': 0, " SINCE),
     {"pass|k|its cryptoperiod of 90 days"}},
    {"cryptoperiod", LIFE("'state': 'active', 'days_left': -1, " SINCE), {"fail|k|"}},
    {"cryptoperiod", LIFE("'state': 'active'"), {NA "k|nobody wrote down"}},
    {"cryptoperiod", LIFE("'state': 'unknown'"), {NA "k|a newer keyward"}},
    {"cryptoperiod",
     LIFE("'state': 'active', 'days_left': 99, 'activated': "
          "'2026-11-28T00:00:00.000001Z'"),
     {NA "k|later than the bundle"}},
    {"cryptoperiod",
     LIFE("'state': 'retired', 'days_used': 90, 'retired': "
          "'2026-11-02T00:00:00Z', " SINCE),
     {"pass|k|for 90 days"}},
    {"cryptoperiod",
     LIFE("'state': 'retired', 'days_used': 91, 'retired': "
          "'2026-11-02T00:00:00Z', " SINCE),
     {"fail|k|for 91 days"}},
    {"cryptoperiod",
     LIFE("'state': 'disabled', 'days_used': 91, " SINCE),
     {"fail|k|an end that nobody wrote down"}},
    {"cryptoperiod", /* it ended before the period */
     LIFE("'state': 'retired', 'days_used': 91, 'retired': "
          "'2026-11-01T00:00:00Z', " SINCE),
     {NA "all|no version was ever"}},
    {"cryptoperiod", LIFE("'state': 'accepted'"), {NA "all|no version was ever"}},

    {"second-copy",
     "{'copies': [" COPY("'proven': 'x'") "," COPY(
         "'proven': 'x', 'second_copy': 's'") "]}",
     {"pass|k|proven in 2 tokens; it says: s"}},
    {"second-copy",
     "{'copies': [" COPY("'proven': 'x', 'second_copy': 'said'") "]}",
     {"fail|k|proven in 1 tokens"}},
    {"second-copy",
     "{'copies': [" COPY("'proven': 'x'") "," COPY("'proven': 'x', 'gone': 'seen'") "]}",
     {"fail|k|proven in 1 tokens"}},
    {"second-copy",
     "{'copies': [" COPY("'second_copy': null") "]}",
     {"fail|k|proven in 0 tokens; it says: nothing"}},
    {"second-copy",
     "{'copies': [{'n': 1, 'key_id': 'k', 'state': 'unknown'}]}",
     {NA "k|a newer keyward"}},
    {"second-copy",
     "{'copies': [{'n': 1, 'key_id': 'k', 'state': 'destroyed'}]}",
     {NA "all|there is no usable key"}},

    {"key-ended",
     RING(JUDGED_NODE, USED ENDED, ACT("disable", ETCD)),
     {"pass|" V1 "etcd: 1 live"}},
    {"key-ended",
     RING(JUDGED_NODE, USED ENDED, ACT("disable", PROOF("without proof: leaked"))),
     {"fail|" V1 "without proof: leaked"}},
    {"key-ended",
     RING(JUDGED_NODE, USED ENDED, ACT("disable", "")),
     {"fail|" V1 "no proof"}},
    {"key-ended", RING(JUDGED_NODE, USED ENDED, ""), {NA V1 "no line of its end"}},
    {"key-ended", /* the first proof was of another end */
     RING(JUDGED_NODE, USED ENDED,
          ACT("disable", ETCD) "," ACT("enable", "") "," ACT("disable", "")),
     {"fail|" V1 "no proof"}},
    {"key-ended",
     RING(JUDGED_NODE, USED ENDED,
          ACT("disable", ETCD) "," ACT("destroy", PROOF("without proof: x"))),
     {"fail|" V1 "without proof: x"}},
    {"key-ended", /* the other's line */
     RING(
         JUDGED_NODE, USED ENDED,
         "{'from': 'a', 'key_id': 'kw1-1-00112233445566778899aabb', 'act': 'disable'" ETCD
         "}"),
     {NA V1 "no line"}},
    {"key-ended", /* a node may have wrapped with one that was accepted */
     RING(JUDGED_NODE, UNUSED ENDED, ACT("accept", "") "," ACT("disable", "")),
     {"fail|" V1 "no proof"}},
    {"key-ended",
     RING(JUDGED_NODE, UNUSED ENDED, ACT("disable", PROOF("without proof: x"))),
     {"fail|" V1 "without proof: x"}},
    {"key-ended", RING(JUDGED_NODE, UNUSED ENDED, ""), {NA V1 "no line of its end"}},
    {"key-ended",
     RING(JUDGED_NODE, UNUSED ENDED, ACT("disable", "")),
     {"pass|all|no version ended"}},
    {"key-ended",
     RING(JUDGED_NODE, USED "'state': 'active'}", ""),
     {"pass|all|no version ended in the period"}},
    {"key-ended",
     RING(JUDGED_EARLY, USED "'state': 'active'}", ""),
     {NA "a|collected before the period was over"}},
    {"key-ended", /* what another node has of an older one says nothing */
     RING(JUDGED_EARLY ", {'node': 'b', 'collected': true, 'keyring_serial': 6,"
                       " 'time': '2026-11-20T00:00:00Z'}",
          USED "'state': 'active'}", ""),
     {NA "a|collected before the period was over", NA "b|it has no keyring"}},
    {"key-ended", /* of the one that was collected early it is not known */
     RING(JUDGED_EARLY "," JUDGED_NODE, USED "'state': 'active'}", ""),
     {NA "a|collected before the period was over"}},
    {"key-ended", /* whose keyring another one is, or not known, has no answer by this one */
     RING(JUDGED_NODE ", {'node': 'b', 'collected': true, 'keyring_serial': 6,"
                      " 'keyring_sha256': '77', 'time': '2026-11-20T00:00:00Z'}"
                      ", {'node': 'c', 'collected': true, 'keyring_serial': 7,"
                      " 'keyring_sha256': '5e', 'time': '2026-11-20T00:00:00Z'}",
          USED "'state': 'active'}", ""),
     {NA "b|its keyring is not that of a", NA "c|was not asked"}},
    {"key-ended",
     RING(JUDGED_NODE, USED "'state': 'destroyed'}", ""),
     {NA V1 "nobody wrote down since when"}},
    {"key-ended",
     RING(JUDGED_NODE, UNUSED "'state': 'unknown'}", ""),
     {NA V1 "a newer keyward"}},
    {"key-ended",
     RING(JUDGED_NODE, USED "'state': 'disabled', 'disabled': '2026-11-15T00:00:00Z'}",
          ""),
     {"pass|all|no version ended"}},
    {"key-ended",
     RING(JUDGED_NODE, USED "'state': 'disabled', 'disabled': '2026-10-31T23:59:59Z'}",
          ""),
     {"pass|all|no version ended"}},
    {"key-ended",
     RING(JUDGED_NODE, V3, PRUNED("2026-11-01T00:00:00Z, serial 4")),
     {NA V1 "its proofs with it", NA "all|1 versions are not there"}},
    {"key-ended",
     RING(JUDGED_NODE, V3, PRUNED("some time")),
     {NA V1 "its proofs with it", NA "all|1 versions are not there"}},
    {"key-ended", /* of 2 the line is gone, but it was before the period */
     RING(
         JUDGED_NODE, V3,
         ACT_AT("2026-10-31T00:00:00Z", "create", "") "," PRUNED("2026-10-30T00:00:00Z")),
     {"pass|all|no version ended"}},
    {NULL, NULL, {NULL}},
};
