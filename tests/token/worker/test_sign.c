/* SPDX-License-Identifier: Apache-2.0 */
/* A checkpoint through the door, the wall and a real token. */
#include "world.h"

#include <keyward/token.h>

static struct world w;
static struct signing {
    bool told;
    kw_err err;
    uint8_t der[KW_SIGNATURE_DER_MAX], spki[KW_SPKI];
    size_t len;
} s;

static bool one_ready(struct world *world)
{
    return ready_count(world) == 1 && is_up(world);
}

static bool is_told(struct world *world)
{
    (void)world;
    return s.told;
}

static void make_pair(const char *label, uint8_t ret_spki[KW_SPKI])
{
    char dropped[128];
    struct kw_note note;
    struct kw_token *token = kw_softhsm_open(&w.hsm, KW_SOFTHSM_READ_WRITE);
    CHECK_OK(kw_token_create_audit_key(token, label, ret_spki, dropped, &note));
    kw_token_close(token);
}

/* One worker, so that it is the same one each time. */
static void begin(const char *label)
{
    s = (struct signing){.told = false};
    world_make_patient(&w);
    make_pair("keyward-audit", s.spki);
    w.token.workers = 1;
    w.options.audit.label = label;
    CHECK_OK(kw_sha256(kw_span_of(s.spki, KW_SPKI), w.options.audit.sha256));
}

static void on_signed(void *ctx, const struct kw_hsm_signature *signature)
{
    struct signing *of = ctx;
    of->told = true;
    of->err = signature->err;
    of->len = signature->der.len;
    kw_copy(of->der, sizeof of->der, signature->der);
}

static enum kw_code sign(const struct kw_checkpoint *c)
{
    const struct kw_hsm_sign job = {.checkpoint = c,
                                    .until =
                                        kw_deadline_in(&kw_clock_system, 60 * KW_S_NS),
                                    .done = on_signed,
                                    .ctx = &s};
    s.told = false;
    kw_lock_take(&w.lock);
    kw_err e = w.door.ops->sign(w.door.hsm, &job);
    kw_lock_give(&w.lock);
    CHECK_OK(e);
    w.door.ops->flush(w.door.hsm);
    world_until(&w, is_told);
    return s.err.code;
}

static kw_err verify(const struct kw_checkpoint *c)
{
    return kw_checkpoint_verify(c, kw_span_of(s.spki, KW_SPKI), kw_span_of(s.der, s.len));
}

TEST(sign__a_real_token__verifies_and_never_goes_back)
{
    struct kw_checkpoint c = {.log = {1}, .node = "cp-01", .covered = 17, .time_us = 1};
    struct parcel p;
    begin("keyward-audit");
    const unsigned before = world_logins(&w);
    world_start(&w);
    world_until(&w, one_ready);
    CHECK(sign(&c) == KW_CODE_OK);
    CHECK_OK(verify(&c));
    c.covered = 16;
    CHECK_CODE(verify(&c), KW_CODE_FORGED);
    CHECK(sign(&c) == KW_CODE_DENIED && s.len == 0);
    c.covered = 18;
    CHECK(sign(&c) == KW_CODE_OK);
    CHECK_OK(verify(&c));
    CHECK_OK(world_wrap(&w, 2, &p)); /* and it serves */
    CHECK_OK(world_unwrap(&w, &p));
    CHECK(world_logins(&w) == before + 1);
    world_end(&w);
}

TEST(sign__pair_that_is_not_the_pinned_one__refused_and_calls_go_on)
{
    const struct kw_checkpoint c = {.log = {1}, .covered = 17};
    struct parcel p;
    uint8_t other[KW_SPKI];
    begin("another");
    make_pair("another", other);
    world_start(&w);
    world_until(&w, one_ready);
    CHECK(sign(&c) == KW_CODE_KEY_BAD && s.len == 0);
    CHECK_OK(world_wrap(&w, 2, &p));
    CHECK(is_up(&w) && ready_count(&w) == 1);
    world_end(&w);
}

TEST(sign__no_such_pair__missing_and_calls_go_on)
{
    const struct kw_checkpoint c = {.log = {1}, .covered = 17};
    struct parcel p;
    begin("nobody");
    world_start(&w);
    world_until(&w, one_ready);
    CHECK(sign(&c) == KW_CODE_MISSING);
    CHECK_OK(world_wrap(&w, 2, &p));
    CHECK(is_up(&w) && ready_count(&w) == 1);
    world_end(&w);
}

KW_SUITE("worker/sign")
