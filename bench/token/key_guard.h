/* SPDX-License-Identifier: Apache-2.0 */
/* key_guard - keys that a measurement must not touch, and when it must end by itself
 *
 * The keys are those of a keyring: their labels (key_ids) and locators (CKA_ID).  A key
 * of another label and locator is not known here, and is no less safe for it: nothing is
 * looked for but the label that this run made up.
 *
 * Threads:   one; read-only after open, so that forked processes have it too.
 * Blocking:  open, on the disk.
 */
#ifndef KEYWARD_BENCH_KEY_GUARD_H
#define KEYWARD_BENCH_KEY_GUARD_H

#include <keyward/keyring.h>

struct kw_key_guard {
    const char *path; /* NULL: no keyring was there to be read */
    struct kw_keyring *ring;
};

/* Reads the keyring at `path`; with NULL the one at `standard`, when there is one and
 * this user may read it.  A keyring that cannot be understood is refused in both cases:
 * MISSING, BAD_INPUT, IO as kw_keyring_load. */
KW_MUST_USE kw_err kw_key_guard_open(const char *path, const char *standard,
                                     struct kw_key_guard *ret_guard,
                                     struct kw_note *note);
void kw_key_guard_close(struct kw_key_guard *g);
size_t kw_key_guard_count(const struct kw_key_guard *g);
/* DENIED  a key of the keyring has this label, or this locator (unless that is empty);
 *         the note names the version */
KW_MUST_USE kw_err kw_key_guard_allows(const struct kw_key_guard *g, const char *label,
                                       kw_span locator, struct kw_note *note);

/* What all threads have done since the run began. */
struct kw_operations {
    uint64_t done, slow;    /* slow: of those done, longer than the limit     */
    int64_t longest_now_ns; /* the operation under way that began first; or 0 */
};

/* Judges --stop-p99 in windows of at least KW_P99_OPERATIONS: a percentile of fewer would
 * stop a run for one unlucky operation. */
enum {
    KW_P99_OPERATIONS = 100,
    KW_HUNG_TIMES = 10,
    KW_HUNG_LEAST_S = 1, /* a busy machine holds a process back for much of a second */
};
struct kw_p99_watch {
    int64_t limit_ns; /* 0: never stops */
    struct kw_operations before;
};
/* true when the run must stop: more than 1 % of a window's operations were slow, or one
 * has not come back for KW_HUNG_TIMES the limit and KW_HUNG_LEAST_S.  The note says
 * which. */
bool kw_p99_over(struct kw_p99_watch *w, const struct kw_operations *now,
                 struct kw_note *note);

#endif
