/* SPDX-License-Identifier: Apache-2.0 */
/* Which KEK version a ciphertext names: by key_id, as a Decrypt does, and by number. */
#include <keyward/keyring.h>

#include <stdio.h>

#include <keyward/alloc.h>

#include "micro.h"

static struct kw_keyring *ring;

static kw_err ring_add(uint32_t n)
{
    struct kw_version *v = kw_new(1, sizeof *v); /* large */
    if (v == NULL)
        return kw_err_at(KW_CODE_NO_MEMORY, "version");
    v->n = n;
    v->state = KW_KEY_RETIRED;
    snprintf(v->key_id, sizeof v->key_id, "kw1-%u-%024x", n, n);
    kw_err e = kw_keyring_add(ring, v);
    kw_free(v);
    return e;
}

static void keyring_teardown(void)
{
    kw_keyring_give(ring);
    ring = NULL;
}

static bool keyring_setup(struct kw_micro *m)
{
    kw_err e = kw_keyring_new("cluster.example", &ring);
    for (uint32_t n = 1; !kw_failed(e) && n <= (uint32_t)kw_micro_argument(m); n++)
        e = ring_add(n);
    if (!kw_micro_failed(m, e))
        return true;
    keyring_teardown();
    return false;
}

/* Every version in turn: on average half of the others are passed over. */
static const struct kw_version *next_version(size_t *at)
{
    return &ring->versions[(*at)++ % ring->count];
}

static void by_key_id(struct kw_micro *m)
{
    size_t at = 0, missed = 0;
    while (kw_micro_next(m)) {
        const struct kw_version *v = next_version(&at);
        missed += kw_keyring_by_key_id(ring, kw_span_str(v->key_id)) != v;
    }
    if (missed > 0)
        kw_micro_fail(m, "another version was found");
}

static void by_n(struct kw_micro *m)
{
    size_t at = 0, missed = 0;
    while (kw_micro_next(m)) {
        const struct kw_version *v = next_version(&at);
        missed += kw_keyring_by_n(ring, v->n) != v;
    }
    if (missed > 0)
        kw_micro_fail(m, "another version was found");
}

static void keyring_unknown(struct kw_micro *m)
{
    const kw_span nobodys = kw_span_str("kw1-7-0123456789abcdef01234567");
    size_t found = 0;
    while (kw_micro_next(m))
        found += kw_keyring_by_key_id(ring, nobodys) != NULL;
    if (found > 0)
        kw_micro_fail(m, "a version was found that is not there");
}

static const int64_t versions[] = {1, 16, KW_VERSIONS_MAX};
#define VERSIONS "versions", versions, 3
const struct kw_micro_case kw_micro_keyring[] = {
    {"keyring/by_key_id", keyring_setup, by_key_id, keyring_teardown, false, VERSIONS},
    {"keyring/by_n", keyring_setup, by_n, keyring_teardown, false, VERSIONS},
    {"keyring/unknown", keyring_setup, keyring_unknown, keyring_teardown, false,
     VERSIONS},
    {.name = NULL},
};
