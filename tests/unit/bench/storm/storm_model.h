/* SPDX-License-Identifier: Apache-2.0 */
/* storm_model - a plugin of our imagination, on a clock of our own, that a storm can hit
 *
 * It answers Status at once; Encrypt and Decrypt wait in one queue for one of `sessions`
 * sessions, each of which takes exactly service_ns for a call.
 */
#ifndef KEYWARD_TESTS_STORM_MODEL_H
#define KEYWARD_TESTS_STORM_MODEL_H

#include "storm.h"

enum { MODEL_QUEUE = 1024, MODEL_SESSIONS = 16 };

struct model {
    unsigned sessions;
    int64_t service_ns;
    int64_t away_until_ns; /* until then every call fails with UNAVAILABLE, at once     */
    int64_t key_changes_ns; /* from then on Status says another key_id; 0: never        */
    bool odd_encrypt;       /* Encrypt's key_id is not that of Status                   */
    size_t wrong_seed;      /* its plaintext is wrong, from 1; 0: none                  */
    /* what it did */
    uint64_t operations;
    /* its own */
    struct kw_storm_call asked[MODEL_QUEUE], queue[MODEL_QUEUE];
    size_t asked_count, queued; /* not heard yet; oldest first */
    struct session {
        bool busy, dropped;
        struct kw_storm_call call;
        int64_t done_ns;
    } session[MODEL_SESSIONS];
};

/* Makes a storm of these options that asks this plugin; it is the caller's to free. */
struct kw_storm *model_storm(struct model *m, const struct kw_storm_options *o);
/* Runs it from 0 to its end, or until nothing can happen any more, or until_ns. */
void model_meets(struct model *m, struct kw_storm *s, int64_t until_ns);

#endif
