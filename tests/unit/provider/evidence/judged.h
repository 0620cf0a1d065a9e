/* SPDX-License-Identifier: Apache-2.0 */
/* judged - rows of a bundle in, what a check says of them out
 *
 * Rows are JSON with ' for ", {'tokens': [{'node': 'a', 'asked': true}]}; a column that is not
 * named is null, or empty, 0, false.  The period is November 1 to 15 of 2026, it is made on the
 * 28th, and a cryptoperiod has 90 days.  Any failure here fails the case. */
#ifndef KEYWARD_TESTS_UNIT_EVIDENCE_JUDGED_H
#define KEYWARD_TESTS_UNIT_EVIDENCE_JUDGED_H

#include <keyward/evidence.h>

/* A control plane that was collected when the period was over, and one of which nothing was. */
#define JUDGED_NODE                                                                      \
    "{'node': 'a', 'collected': true, 'time': '2026-11-20T00:00:00Z', 'complete': true," \
    " 'not_looked_at': '', 'keyring_sha256': '5e', 'keyring_serial': 7}"
#define JUDGED_SETTING(node, setting, value)                                             \
    "{'node': '" node "', 'setting': '" setting "', 'value': '" value "'}"
/* What it says of its keyring. */
#define JUDGED_USE(node, refused, doubt, unknown)                                        \
    JUDGED_SETTING(node, "keyring.refused_here", refused)                                \
    "," JUDGED_SETTING(node, "keyring.doubt",                                            \
                       doubt) "," JUDGED_SETTING(node, "keyring.state_unknown", unknown)
#define JUDGED_WRAPS(node)                                                               \
    "{'node': '" node "', 'state': 'active', 'baseline': true, 'active_here': true}"
#define JUDGED_EARLY                                                                     \
    "{'node': 'a', 'collected': true, 'time': '2026-11-14T23:59:59.999999Z',"            \
    " 'keyring_sha256': '5e', 'keyring_serial': 7}"
#define JUDGED_MISSING "{'node': 'zz', 'collected': false}"

struct judged_case {
    const char *check, *rows;
    const char *want[4]; /* "outcome|subject|part of the why", all rows of the check */
};

/* Owned; kw_evidence_free.  `more` may be NULL. */
struct kw_evidence *judged_of(const char *rows, const char *more);
/* The i-th row of this check; NULL: there are not so many. */
const json_t *judged_row(const struct kw_evidence *e, const char *check, size_t i);
void judged_is(const struct judged_case *c);

/* Of judged_nodes.c, judged_keys.c and judged_logs.c; each ended by a check of NULL. */
extern const struct judged_case judged_nodes[], judged_keys[], judged_logs[];

#endif
