/* SPDX-License-Identifier: Apache-2.0 */
/* gate_site - a node with the golden keyring, and reports on files of etcd's that keyward
 * itself has made
 *
 * Of the keyring (tests/vectors): 1 retired, 3 disabled, 4 the baseline, 5 accepted,
 * 6 created, 7 destroyed.  member.db has objects under 4, and an old revision under 1;
 * backup.db one under 4.  member.report and backup.report are keyward's own words on
 * them. */
#ifndef KEYWARD_TESTS_GATE_SITE_H
#define KEYWARD_TESTS_GATE_SITE_H

#include <keyward/keyring.h>

#include "check.h"
#include "run.h"

#define KEY_1 "kw1-1-00112233445566778899aabb"
#define KEY_4 "kw1-4-333435363738393a3b3c3d3e"

struct gate_site {
    char dir[64], keyring[96];
    struct kw_run run; /* of the last line */
};
extern struct gate_site gate;

void gate_begin(void);
void gate_end(void);

/* A line of a shell in the folder that finds this build's keyward; gives its status. */
int gate_line(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/* "keyward key " and the line, with this node's configuration. */
int gate_key(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
#define KEY_MUST(want, ...)                                                              \
    do {                                                                                 \
        const int key_status = gate_key(__VA_ARGS__);                                    \
        if (key_status != (want))                                                        \
            fail_msg("exit status %d, not %d\n%s%s", key_status, (want), gate.run.out,   \
                     gate.run.err);                                                      \
    } while (0)

/* A snapshot of etcd's with these puts; of no key_id: `value` as it is. */
struct gate_put {
    uint64_t revision;
    const char *key, *key_id, *value;
};
void gate_db(const char *name, const struct gate_put *puts, uint16_t count);
/* keyward's report on it. */
void gate_audit(const char *db, const char *report);

void gate_write(const char *name, const char *text);
/* The caller frees it. */
char *gate_read(const char *name);
/* `to` in the place of `from`, which the report must have, as another file. */
void gate_change(const char *name, const char *from, const char *to, const char *as);

/* The last line of the keyring's history; of the state of a version. */
struct kw_history gate_history(void);
enum kw_key_state gate_state(uint32_t n);

#endif
