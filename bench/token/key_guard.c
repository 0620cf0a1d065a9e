/* SPDX-License-Identifier: Apache-2.0 */
#include "token_bench.h"

#include <inttypes.h>
#include <unistd.h>

kw_err kw_key_guard_open(const char *path, const char *standard,
                         struct kw_key_guard *ret_guard, struct kw_note *note)
{
    struct kw_key_guard g = {path != NULL ? path : standard, NULL};
    if (path == NULL && access(standard, R_OK) != 0) {
        *ret_guard = (struct kw_key_guard){NULL, NULL};
        return KW_OK;
    }
    kw_err e = kw_keyring_load(g.path, &g.ring, NULL, note);
    if (!kw_failed(e))
        *ret_guard = g;
    return e;
}

void kw_key_guard_close(struct kw_key_guard *g)
{
    kw_keyring_give(g->ring);
    *g = (struct kw_key_guard){NULL, NULL};
}

size_t kw_key_guard_count(const struct kw_key_guard *g)
{
    return g->ring != NULL ? g->ring->count : 0;
}

kw_err kw_key_guard_allows(const struct kw_key_guard *g, const char *label,
                           kw_span locator, struct kw_note *note)
{
    for (size_t i = 0; i < kw_key_guard_count(g); i++) {
        const struct kw_version *v = &g->ring->versions[i];
        const struct kw_object *o = &v->objects[0];
        bool same_label = kw_span_equal_str(kw_span_str(label), v->key_id) ||
                          kw_span_equal_str(kw_span_str(label), o->label);
        bool same_locator =
            locator.len > 0 &&
            kw_span_equal(locator, kw_span_of(o->locator, o->locator_len));
        if (!same_label && !same_locator)
            continue;
        kw_note_set(note,
                    "the key %s has the %s of version %" PRIu32
                    " in the keyring %s: it is not touched",
                    label, same_label ? "label" : "locator", v->n, g->path);
        return kw_err_at(KW_CODE_DENIED, "keyring");
    }
    return KW_OK;
}

bool kw_p99_over(struct kw_p99_watch *w, const struct kw_operations *now,
                 struct kw_note *note)
{
    char limit[32];
    if (w->limit_ns == 0)
        return false;
    kw_duration_text(limit, sizeof limit, w->limit_ns);
    if (now->longest_now_ns / KW_HUNG_TIMES > w->limit_ns &&
        now->longest_now_ns > KW_HUNG_LEAST_S * KW_S_NS) {
        kw_note_set(note, "stopped: an operation has not come back for %d times %s",
                    KW_HUNG_TIMES, limit);
        return true;
    }
    uint64_t done = now->done - w->before.done, slow = now->slow - w->before.slow;
    if (done < KW_P99_OPERATIONS)
        return false;
    w->before = *now;
    if (slow * 100 <= done)
        return false;
    kw_note_set(note,
                "stopped: %" PRIu64 " of the last %" PRIu64
                " operations took longer than %s",
                slow, done, limit);
    return true;
}
