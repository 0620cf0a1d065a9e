/* SPDX-License-Identifier: Apache-2.0 */
#include "bench_key.h"

#include <inttypes.h>
#include <unistd.h>

const char *const kw_bench_key_names[] = {"token", "session", "copy", NULL};

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

kw_err kw_key_guard_allows(const struct kw_key_guard *g, const char *label,
                           kw_span locator, struct kw_note *note)
{
    for (size_t i = 0; g->ring != NULL && i < g->ring->count; i++) {
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

kw_err kw_key_guard_label(const struct kw_key_guard *g, char ret_label[KW_KEY_ID_MAX + 1],
                          struct kw_note *note)
{
    char label[KW_KEY_ID_MAX + 1];
    kw_token_throwaway_label(label);
    kw_err e = kw_key_guard_allows(g, label, (kw_span){0}, note);
    if (!kw_failed(e))
        (void)kw_copy_str(ret_label, KW_KEY_ID_MAX + 1, kw_span_str(label));
    return e;
}

kw_err kw_bench_token_allowed(const struct kw_token_facts *facts, bool any_token,
                              struct kw_note *note)
{
    if (facts->softhsm || any_token)
        return KW_OK;
    kw_note_set(note,
                "token %s (%s %s) is no SoftHSM, and would be loaded as fast as it goes "
                "or as a limit allows; say --yes when nobody else needs it",
                facts->label, facts->manufacturer, facts->model);
    return kw_err_at(KW_CODE_DENIED, "token");
}
