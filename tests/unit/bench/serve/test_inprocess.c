/* SPDX-License-Identifier: Apache-2.0 */
/* Jobs as kms submits them, and a cipher that counts. */
#include "check.h"

#include <event2/event.h>

#include "inprocess.h"

static struct kw_lock lock = {KW_MUTEX_INIT};
static struct event_base *loop;
static struct kw_cipher software;
static struct kw_inprocess *hsm;
static struct kw_hsm_door door;
static struct kw_note note;
static unsigned unwraps;

static kw_err counting_run(void *ctx, enum kw_hsm_op op, kw_span iv, kw_span aad,
                           kw_span input, struct kw_secret *ret_output)
{
    unwraps += op == KW_HSM_UNWRAP;
    return software.run(ctx, op, iv, aad, input, ret_output);
}

static void begin_with(bool no_verify)
{
    static struct kw_cipher counting;
    kw_test_arena(KW_INPROCESS_ARENA);
    loop = event_base_new();
    CHECK(loop != NULL);
    CHECK_OK(kw_software_open(&software));
    counting = software;
    counting.key_id = "kw1-1-here";
    counting.run = counting_run;
    const struct kw_inprocess_options options = {
        .cipher = &counting, .no_verify = no_verify, .lock = &lock, .loop = loop};
    CHECK_OK(kw_inprocess_new(&options, &hsm));
    door = kw_inprocess_door(hsm);
    unwraps = 0;
}

static void end(void)
{
    struct kw_arena_info arena;
    kw_inprocess_free(hsm);
    CHECK_OK(software.close(software.ctx, &note));
    event_base_free(loop);
    kw_arena_info(&arena);
    CHECK(arena.used == 0);
    kw_arena_close();
}

static void begin(void)
{
    begin_with(false);
}

static uint8_t inner[48] = {5, 4, 3, 2, 1, 42, 255}, out[KW_SEALED_MAX];
static uint8_t iv[12] = {7}, aad[60] = {9};

struct answer {
    unsigned times;
    kw_err err;
    size_t len;
    struct answer *proof; /* of an unwrap from inside done; NULL: there is none */
    struct answer *other; /* of the same with another iv */
};

static void on_done(void *ctx, struct kw_hsm_answer *a);

static kw_err submit(enum kw_hsm_op op, size_t len, struct answer *to,
                     kw_hsm_ticket *ret_ticket)
{
    const struct kw_hsm_job job = {.op = op,
                                   .key_id = "kw1-1-here",
                                   .iv = kw_span_of(iv, sizeof iv),
                                   .aad = kw_span_of(aad, sizeof aad),
                                   .input = op == KW_HSM_WRAP ? kw_span_of(inner, len)
                                                              : kw_span_of(out, len),
                                   .done = on_done,
                                   .ctx = to};
    kw_lock_take(&lock);
    kw_err e = door.ops->submit(door.hsm, &job, ret_ticket);
    kw_lock_give(&lock);
    door.ops->flush(door.hsm);
    return e;
}

static void on_done(void *ctx, struct kw_hsm_answer *a)
{
    struct answer *to = ctx;
    kw_hsm_ticket ticket;
    to->times++;
    to->err = a->err;
    to->len = a->output->len;
    if (!kw_failed(a->err))
        kw_copy(out, sizeof out, kw_secret_peek(a->output));
    if (to->proof == NULL)
        return;
    CHECK_OK(submit(KW_HSM_UNWRAP, to->len, to->proof, &ticket));
    iv[1] ^= 1;
    CHECK_OK(submit(KW_HSM_UNWRAP, to->len, to->other, &ticket));
    iv[1] ^= 1;
}

static struct answer ask(enum kw_hsm_op op, size_t len)
{
    struct answer a = {0};
    kw_hsm_ticket ticket = 0;
    CHECK_OK(submit(op, len, &a, &ticket));
    CHECK(ticket != 0 && a.times == 0); /* never from inside submit */
    CHECK(event_base_loop(loop, EVLOOP_ONCE) == 0);
    CHECK(a.times == 1);
    return a;
}

TEST(unwrap__any_byte_or_the_key_changed__forged)
{
    struct answer sealed = ask(KW_HSM_WRAP, sizeof inner);
    CHECK(sealed.len == sizeof inner + KW_GCM_TAG);
    for (size_t i = 0; i < sealed.len; i++) {
        out[i] ^= 1;
        CHECK_CODE(ask(KW_HSM_UNWRAP, sealed.len).err, KW_CODE_FORGED);
        out[i] ^= 1;
    }
    aad[0] ^= 1;
    CHECK_CODE(ask(KW_HSM_UNWRAP, sealed.len).err, KW_CODE_FORGED);
    aad[0] ^= 1;
    CHECK_CODE(ask(KW_HSM_UNWRAP, KW_GCM_TAG).err, KW_CODE_BAD_INPUT);
    end();
    begin(); /* another start has another key */
    CHECK_CODE(ask(KW_HSM_UNWRAP, sealed.len).err, KW_CODE_FORGED);
}

static bool cancelled(kw_hsm_ticket ticket)
{
    kw_lock_take(&lock);
    bool known = door.ops->cancel(door.hsm, ticket);
    kw_lock_give(&lock);
    return known;
}

TEST(more_than_it_takes_or_cancelled__never_answered)
{
    struct answer a = {0}, last = {0};
    kw_hsm_ticket first, ticket;
    CHECK_OK(submit(KW_HSM_WRAP, sizeof inner, &a, &first));
    for (unsigned i = 1; i < KW_INPROCESS_JOBS; i++)
        CHECK_OK(submit(KW_HSM_WRAP, sizeof inner, &last, &ticket));
    CHECK_CODE(submit(KW_HSM_WRAP, sizeof inner, &a, &first), KW_CODE_BUSY);
    CHECK(cancelled(first) && !cancelled(first));
    CHECK(event_base_loop(loop, EVLOOP_ONCE) == 0);
    CHECK(a.times == 0 && last.times == KW_INPROCESS_JOBS - 1 && !cancelled(ticket));
}

TEST(another_key__unknown)
{
    struct kw_hsm_version version = {.n = 77};
    struct kw_hsm_health health;
    CHECK_CODE(door.ops->version(door.hsm, kw_span_str("kw1-1-her"), &version),
               KW_CODE_UNKNOWN_KEY);
    CHECK(version.n == 77);
    CHECK_OK(door.ops->version(door.hsm, kw_span_str("kw1-1-here"), &version));
    door.ops->health(door.hsm, &health);
    CHECK(health.state == KW_HSM_UP && !kw_failed(health.active_err));
    CHECK_STR(health.active_key_id, version.key_id);
}

/* What kms does in an Encrypt: unwraps at once what was wrapped. */
TEST(no_verify__cipher_not_asked_for_the_proof_alone)
{
    for (unsigned no_verify = 0; no_verify < 2; no_verify++) {
        struct answer proof = {0}, other = {0}, wrap = {.proof = &proof, .other = &other};
        kw_hsm_ticket ticket;
        end();
        begin_with(no_verify);
        CHECK_OK(submit(KW_HSM_WRAP, sizeof inner, &wrap, &ticket));
        CHECK(event_base_loop(loop, EVLOOP_ONCE) == 0);
        CHECK(wrap.times == 1 && proof.times == 1 && !kw_failed(proof.err));
        CHECK(kw_span_equal(kw_span_of(out, proof.len), kw_span_of(inner, sizeof inner)));
        CHECK_CODE(other.err, KW_CODE_FORGED);
        CHECK(unwraps == 2 - no_verify);
    }
}

KW_SUITE_AROUND("bench/serve/inprocess", begin, end)
