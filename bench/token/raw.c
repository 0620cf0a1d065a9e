/* SPDX-License-Identifier: Apache-2.0 */
#include "raw.h"

#include <time.h>

#include <keyward/clock.h>

#include "tool.h"

enum {
    TEXTS = 1000,
    INNER = 48, /* what keyward wraps: a seed of 32 bytes and its inner digest */
    AAD = 96,   /* about what it authenticates */
    IV = 12,
    SEALED = INNER + 16,
    ARENA = 256 * 1024,
};

struct raw {
    const struct kw_raw_options *o;
    struct kw_token *token;
    struct kw_token_key *key;
    uint8_t aad[AAD], inner[TEXTS][INNER], iv[TEXTS][IV], sealed[TEXTS][SEALED];
    uint64_t ivs;
};

static kw_err wrap_one(struct raw *r, size_t i)
{
    kw_dst dst = kw_dst_of(r->sealed[i], SEALED);
    kw_dst count = kw_dst_of(r->iv[i] + 4, 8); /* random and counted: never twice */
    if (!kw_dst_put_u64(&count, r->ivs++))
        return kw_err_at(KW_CODE_BUG, "iv");
    return kw_token_wrap(r->token, r->key, KW_MECH_AES_256_GCM, kw_span_of(r->iv[i], IV),
                         kw_span_of(r->aad, AAD), kw_span_of(r->inner[i], INNER), &dst);
}

static kw_err unwrap_one(struct raw *r, size_t i, uint64_t *wrong)
{
    KW_AUTO_SECRET(inner);
    kw_err e = kw_token_unwrap(r->token, r->key, KW_MECH_AES_256_GCM,
                               kw_span_of(r->iv[i], IV), kw_span_of(r->aad, AAD),
                               kw_span_of(r->sealed[i], SEALED), &inner);
    if (!kw_failed(e) &&
        !kw_span_equal(kw_secret_peek(&inner), kw_span_of(r->inner[i], INNER)))
        (*wrong)++;
    return e;
}

static kw_err one(struct raw *r, size_t i, uint64_t *wrong)
{
    return r->o->wrap ? wrap_one(r, i) : unwrap_one(r, i, wrong);
}

static uint64_t own_cpu_ns(void)
{
    struct timespec t = {0};
    (void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (uint64_t)t.tv_sec * (uint64_t)KW_S_NS + (uint64_t)t.tv_nsec;
}

static kw_err loop(struct raw *r, int64_t for_ns, struct kw_raw_result *out)
{
    const int64_t from = kw_mono_ns(&kw_clock_system);
    const uint64_t cpu = own_cpu_ns();
    int64_t now = from;
    for (size_t i = 0; now - from < for_ns && !kw_stop_asked(); i++) {
        kw_err e = one(r, i % TEXTS, &out->wrong);
        if (kw_failed(e))
            return e;
        int64_t after = kw_mono_ns(&kw_clock_system);
        kw_histogram_add(&out->latency, (uint64_t)(after - now));
        now = after;
    }
    out->elapsed_ns = now - from;
    out->cpu_ns = own_cpu_ns() - cpu;
    return KW_OK;
}

static kw_err measure(struct raw *r, struct kw_raw_result *out)
{
    kw_err e = KW_OK;
    kw_random(r->aad, sizeof r->aad);
    kw_random(r->inner, sizeof r->inner);
    kw_random(r->iv, sizeof r->iv);
    for (size_t i = 0; i < TEXTS && !kw_failed(e); i++)
        e = wrap_one(r, i);
    if (!kw_failed(e))
        e = loop(r, r->o->warmup_ns, out);
    kw_histogram_clear(&out->latency);
    if (!kw_failed(e))
        e = loop(r, r->o->seconds_ns, out);
    out->partial = kw_stop_asked();
    return e;
}

static kw_err check_token(const struct raw *r, struct kw_note *note)
{
    const struct kw_token_facts *facts = kw_token_facts(r->token);
    if (facts->softhsm || r->o->any_token)
        return KW_OK;
    kw_note_set(note,
                "token %s (%s %s) is no SoftHSM: this loads it as fast as it goes; say "
                "--yes when nobody else needs it",
                facts->label, facts->manufacturer, facts->model);
    return kw_err_at(KW_CODE_DENIED, "token");
}

static kw_err with_key(struct raw *r, struct kw_raw_result *out, struct kw_note *note)
{
    char label[KW_KEY_ID_MAX + 1];
    kw_token_throwaway_label(label);
    kw_err e = kw_token_make_throwaway(r->token, label, r->o->on_token, &r->key, note);
    if (kw_failed(e))
        return e;
    e = measure(r, out);
    if (kw_failed(e))
        kw_note_set(note, "the token failed while it was measured: %s at %s (0x%x)",
                    kw_code_name(e.code), e.where, e.native);
    kw_err gone = kw_token_destroy_throwaway(r->token, r->key);
    if (kw_failed(gone) && !kw_failed(e)) {
        kw_note_set(note, "the key that was measured with could not be destroyed: look "
                          "for a label that begins with kw-bench-");
        e = gone;
    }
    return e;
}

kw_err kw_raw_run(const struct kw_raw_options *o, struct kw_raw_result *ret_result,
                  struct kw_note *note)
{
    static struct raw r; /* large, once a process */
    const struct kw_token_options options = {
        .module = o->module, .uri = o->uri, .pin = o->pin, .read_write = o->on_token};
    r.o = o;
    kw_err e = kw_arena_open(ARENA, KW_ARENA_AUTO, note);
    if (!kw_failed(e))
        e = kw_token_open(&options, &r.token, note);
    if (!kw_failed(e)) {
        ret_result->facts = *kw_token_facts(r.token);
        e = check_token(&r, note);
    }
    if (!kw_failed(e))
        e = kw_token_login(r.token, note);
    if (!kw_failed(e))
        e = with_key(&r, ret_result, note);
    kw_token_close(r.token);
    return e;
}
