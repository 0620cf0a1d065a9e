/* SPDX-License-Identifier: Apache-2.0 */
/* Of both logs of a control plane, acts and calls. */
#include "judged.h"

#define NA "not-answered|"
#define AUDIT(more) "{'logs': [{'node': 'a', 'log': 'audit', " more "}]}"
#define AUDIT_OF(node, log, other)                                                       \
    "{'nodes': [" node "], 'logs': [{'node': 'a', 'log': 'audit', " log "}], " other "}"
#define KNOWN_KEY "'stated': [{'what': 'audit key', 'value': 'f', 'sha256': 'ab'}]"
#define OTHER_KEY "'stated': [{'what': 'audit key', 'value': 'f', 'sha256': 'cd'}]"
#define TOLD(kind, gap)                                                                  \
    "'coverage': [{'node': 'a', 'from': '2026-11-02T00:00:00Z', 'kind': '" kind          \
    "', 'gap': " gap "}]"
#define OPERATOR(more) "{'logs': [{'node': 'a', 'log': 'operator', " more "}]}"
#define SOUND "'verdict': 'sound'"
#define BY_AB SOUND ", 'key_sha256': 'ab', 'signed_to': 4"
#define BROKEN "'verdict': 'broken', 'why': 'line 3'"
#define NONE "'verdict': 'none'"
#define ACTS(node, log, acts)                                                            \
    "{'nodes': [" node "], 'logs': [{'node': 'a', 'log': 'operator', " log               \
    "}], 'acts': [" acts "]}"
#define ACT(in_period, ticket)                                                           \
    "{'from': 'a', 'in_period': " in_period ", 'ticket': " ticket "}"
#define CALLS(calls, logs) "{'calls': [" calls "], 'logs': [" logs "]}"
#define CALL(node, method, key_id, count)                                                \
    "{'node': '" node "', 'method': '" method "', 'key_id': " key_id ", 'count': " count \
    "}"

const struct judged_case judged_logs[] = {
    {"log-sound", AUDIT(SOUND ", 'records': 5"), {"pass|a|5 records follow"}},
    {"log-sound", AUDIT("'verdict': 'incomplete', 'records': 5"), {"pass|a|"}},
    {"log-sound",
     AUDIT("'verdict': 'incomplete', 'records': 5, 'marks': 2"),
     {"fail|a|2 of them say"}},
    {"log-sound", AUDIT(BROKEN), {"fail|a|broken: line 3"}},
    {"log-sound", AUDIT(NONE), {NA "a|there is none"}},
    {"log-sound", OPERATOR(SOUND), {NA "all|there is no log"}},
    {"log-covers-period",
     AUDIT_OF(JUDGED_NODE, SOUND ", 'covered': true", "'coverage': []"),
     {"pass|a|the whole period"}},
    {"log-covers-period",
     AUDIT_OF(JUDGED_EARLY, SOUND ", 'covered': true", "'coverage': []"),
     {NA "a|before the period was over"}},
    {"log-covers-period", AUDIT(SOUND ", 'covered': true"), {NA "a|nobody knows when"}},
    {"log-covers-period",
     AUDIT(SOUND ", 'covered': false, 'gaps': 2, 'gap_seconds': 9"),
     {"fail|a|2 gaps of 9 seconds"}},
    {"log-covers-period", AUDIT(SOUND), {NA "a|nothing is known"}},
    {"log-covers-period", AUDIT(NONE ", 'covered': true"), {NA "a|there is none"}},
    {"log-covers-period", AUDIT(BROKEN ", 'covered': true"), {"fail|a|broken"}},
    {"log-signed",
     AUDIT_OF(JUDGED_NODE, BY_AB, KNOWN_KEY ", " TOLD("signed", "false")),
     {"pass|a|by the key ab"}},
    {"log-signed",
     AUDIT_OF(JUDGED_NODE, BY_AB ", 'end_signed': false, 'unsigned_stretches': 1",
              KNOWN_KEY ", " TOLD("anchored", "false")),
     {"pass|a|by the key ab"}},
    {"log-signed", AUDIT_OF(JUDGED_NODE, BY_AB, KNOWN_KEY), {NA "a|tells nothing"}},
    {"log-signed",
     AUDIT_OF(JUDGED_NODE, BY_AB, OTHER_KEY ", " TOLD("signed", "false")),
     {NA "a|which came with the log"}},
    {"log-signed",
     AUDIT_OF(JUDGED_NODE, BY_AB, TOLD("signed", "false")),
     {NA "a|which came with the log"}},
    {"log-signed",
     AUDIT_OF(JUDGED_NODE, BY_AB, KNOWN_KEY ", " TOLD("unsigned", "true")),
     {"fail|a|what is from 2026-11-02T00:00:00Z on is not signed"}},
    {"log-signed",
     AUDIT_OF(JUDGED_NODE, SOUND ", 'key_sha256': 'ab'",
              KNOWN_KEY ", " TOLD("anchored", "false")),
     {"fail|a|nothing is signed"}},
    {"log-signed", AUDIT(SOUND ", 'signed_to': 4"), {NA "a|there is no key"}},
    {"log-signed", AUDIT(NONE ", 'key_sha256': 'ab'"), {NA "a|"}},
    {"log-anchored",
     AUDIT_OF(JUDGED_NODE, SOUND ", 'anchored_to': 0", TOLD("anchored", "false")),
     {"pass|a|up to record 0"}},
    {"log-anchored",
     AUDIT_OF(JUDGED_NODE, SOUND ", 'anchored_to': 0", TOLD("signed", "true")),
     {NA "a|no anchor proves what is from 2026-11-02"}},
    {"log-anchored",
     AUDIT(SOUND ", 'anchored_to': 0"),
     {NA "a|no anchor proves what is from 2026-11-01"}},
    {"log-anchored", AUDIT(SOUND), {NA "a|no anchor"}},
    {"log-anchored", AUDIT(BROKEN ", 'anchored_to': 7"), {"fail|a|broken"}},
    {"clock-synchronised", AUDIT(SOUND ", 'checkpoints': 4"), {"pass|a|0 of 4"}},
    {"clock-synchronised",
     AUDIT(SOUND ", 'checkpoints': 4, 'unsynchronised': 1"),
     {"fail|a|1 of 4"}},
    {"clock-synchronised", AUDIT(SOUND), {NA "a|there is no checkpoint"}},

    {"operator-log-sound", OPERATOR(SOUND ", 'records': 2"), {"pass|a|2 records"}},
    {"operator-log-sound", OPERATOR(SOUND ", 'records': 2, 'marks': 1"), {"fail|a|1 of"}},
    {"operator-log-sound", OPERATOR(BROKEN), {"fail|a|line 3"}},
    {"operator-log-sound", OPERATOR(NONE), {NA "a|there is none"}},
    {"operator-log-sound", /* another one is in its place, of which each record is good */
     OPERATOR("'verdict': 'incomplete', 'why': '2 anchors are of another log'"),
     {"fail|a|incomplete: 2 anchors are of another log"}},

    {"operator-tickets",
     ACTS(JUDGED_NODE, SOUND, ACT("true", "'T-1'")),
     {"pass|a|0 of 1 acts"}},
    {"operator-tickets",
     ACTS(JUDGED_NODE, SOUND, ACT("true", "'T'") "," ACT("true", "null")),
     {"fail|a|1 of 2 acts"}},
    {"operator-tickets", ACTS(JUDGED_NODE, SOUND, ACT("true", "''")), {"fail|a|1 of 1"}},
    {"operator-tickets",
     ACTS(JUDGED_NODE, SOUND, ACT("false", "null")),
     {"pass|a|0 of 0 acts"}},
    {"operator-tickets", ACTS(JUDGED_NODE, SOUND, ""), {"pass|a|0 of 0 acts"}},
    {"operator-tickets",
     ACTS(JUDGED_EARLY, SOUND, ACT("true", "'T-1'")),
     {NA "a|before the period was over"}},
    {"operator-tickets", ACTS(JUDGED_EARLY, SOUND, ACT("true", "null")), {"fail|a|"}},
    {"operator-tickets", OPERATOR(SOUND), {NA "a|nobody knows when"}},
    {"operator-tickets",
     ACTS(JUDGED_NODE, "'verdict': 'incomplete', 'why': 'x'", ""),
     {NA "a|incomplete: x"}},
    {"operator-tickets",
     ACTS(JUDGED_NODE, BROKEN, ACT("true", "'T'")),
     {"fail|a|broken"}},
    {"operator-tickets", ACTS(JUDGED_NODE, NONE, ""), {NA "a|there is none"}},

    {"invocations",
     CALLS(CALL("a", "encrypt", "'k'", "4294967294") "," CALL("b", "encrypt", "'k'", "1"),
           ""),
     {"pass|k|4294967295 Encrypts"}},
    {"invocations",
     CALLS(CALL("a", "encrypt", "'k'", "4294967295") "," CALL("b", "encrypt", "'k'", "1"),
           ""),
     {"fail|k|4294967296 Encrypts"}},
    {"invocations",
     CALLS(CALL("a", "decrypt", "'k'", "9") "," CALL("a", "encrypt", "null", "9"), ""),
     {NA "all|no log has a call"}},
    {"invocations",
     CALLS(CALL("a", "encrypt", "'k'", "1"), "{'node': 'b', 'log': 'audit', " NONE "}"),
     {"pass|k|1 Encrypts", NA "b|its log is none"}},
    {"invocations",
     CALLS(CALL("a", "encrypt", "'k'", "1"), "{'node': 'a', 'log': 'audit', " BROKEN "}"),
     {"pass|k|1 Encrypts", NA "a|its log is broken: line 3"}},
    {NULL, NULL, {NULL}},
};
