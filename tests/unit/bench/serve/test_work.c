/* SPDX-License-Identifier: Apache-2.0 */
/* Calls as rpc makes them, and a cipher that does as it is told. */
#include "check.h"

#include <keyward/envelope.h>

#include "work.h"

static struct kw_work work;
static unsigned done;

static void on_done(struct kw_request *call)
{
    (void)call;
    done++;
}

static void begin(enum kw_work_kind kind)
{
    struct kw_note note = {{0}};
    const struct kw_work_options options = {.kind = kind};
    static bool has_arena;
    if (!has_arena)
        kw_test_arena(KW_WORK_ARENA);
    has_arena = true;
    CHECK_OK(kw_work_open(&options, &work, &note));
    done = 0;
}

static void end(void)
{
    struct kw_note note = {{0}};
    struct kw_arena_info arena;
    CHECK_OK(kw_work_close(&work, &note));
    kw_arena_info(&arena);
    CHECK(arena.used == 0);
}

static const uint8_t seed[32] = {5, 4, 3, 2, 1, 42, 255};
static struct kw_request sealed, opened;

static void encrypt(void)
{
    sealed = (struct kw_request){.method = KW_METHOD_ENCRYPT, .done = on_done};
    CHECK_OK(kw_secret_copy(&sealed.seed, kw_span_of(seed, sizeof seed)));
    kw_kms_begin(&work.kms, &sealed);
    CHECK(sealed.seed.len == 0);
}

static void decrypt(void)
{
    opened = (struct kw_request){
        .method = KW_METHOD_DECRYPT,
        .key_id = kw_span_str(work.kms.key_id),
        .ciphertext = kw_span_of(sealed.out_ciphertext, sealed.out_ciphertext_len),
        .done = on_done};
    kw_kms_begin(&work.kms, &opened);
}

static void software__any_byte_changed__refused(void **state)
{
    (void)state;
    begin(KW_WORK_SOFTWARE);
    encrypt();
    CHECK_OK(sealed.err);
    for (size_t i = 0; i < sealed.out_ciphertext_len; i++) {
        sealed.out_ciphertext[i] ^= 1;
        decrypt();
        CHECK(kw_failed(opened.err) && opened.seed.len == 0);
        sealed.out_ciphertext[i] ^= 1;
    }
    decrypt();
    CHECK_OK(opened.err);
    kw_secret_wipe(&opened.seed);
    end();
}

static void software__cut_empty_or_foreign__refused(void **state)
{
    (void)state;
    begin(KW_WORK_SOFTWARE);
    encrypt();
    const size_t whole = sealed.out_ciphertext_len;
    for (size_t len = 0; len < whole; len++) {
        sealed.out_ciphertext_len = len;
        decrypt();
        CHECK_CODE(opened.err, KW_CODE_BAD_INPUT);
    }
    sealed.out_ciphertext_len = whole;
    work.kms.key_id = "kw1-9-another";
    decrypt();
    CHECK_CODE(opened.err, KW_CODE_FORGED); /* it is part of what was authenticated */
    opened.key_id = kw_span_str("kw1-0-software-protects-little");
    kw_kms_begin(&work.kms, &opened);
    CHECK_CODE(opened.err, KW_CODE_UNKNOWN_KEY);
    end();
}

static void software__another_start__cannot_open_it(void **state)
{
    (void)state;
    begin(KW_WORK_SOFTWARE);
    encrypt();
    end();
    begin(KW_WORK_SOFTWARE);
    decrypt();
    CHECK_CODE(opened.err, KW_CODE_FORGED);
    end();
}

static void software__seed_of_no_size_it_takes__refused(void **state)
{
    (void)state;
    begin(KW_WORK_SOFTWARE);
    sealed = (struct kw_request){.method = KW_METHOD_ENCRYPT, .done = on_done};
    kw_kms_begin(&work.kms, &sealed);
    CHECK_CODE(sealed.err, KW_CODE_BAD_INPUT);
    CHECK_OK(kw_secret_init(&sealed.seed, KW_SEED_MAX + 1));
    kw_kms_begin(&work.kms, &sealed);
    CHECK_CODE(sealed.err, KW_CODE_BAD_INPUT);
    CHECK(done == 2 && sealed.seed.len == 0 && sealed.out_ciphertext_len == 0);
    end();
}

/* ---- a cipher that gives back something else --------------------------------------- */

static unsigned unwraps;

static kw_err false_unwrap(void *ctx, kw_span iv, kw_span aad, kw_span bytes,
                           struct kw_secret *ret_inner)
{
    unwraps++;
    kw_err e = kw_software_cipher.unwrap(ctx, iv, aad, bytes, ret_inner);
    if (!kw_failed(e))
        ret_inner->ptr[0] ^= 1;
    return e;
}

static const struct kw_cipher false_cipher = {.unwrap = false_unwrap};

static void verify__unwraps_to_something_else__nothing_given_out(void **state)
{
    struct kw_cipher cipher = false_cipher;
    (void)state;
    begin(KW_WORK_SOFTWARE);
    cipher.wrap = kw_software_cipher.wrap;
    work.kms.cipher = &cipher;
    unwraps = 0;
    encrypt();
    CHECK_CODE(sealed.err, KW_CODE_WRONG_ANSWER);
    CHECK(unwraps == 1 && sealed.out_ciphertext_len == 0);
    end();
}

static void no_verify__cipher_never_asked_to_unwrap(void **state)
{
    struct kw_cipher cipher = false_cipher;
    (void)state;
    begin(KW_WORK_SOFTWARE);
    cipher.wrap = kw_software_cipher.wrap;
    work.kms.cipher = &cipher;
    work.kms.no_verify = true;
    unwraps = 0;
    encrypt();
    CHECK_OK(sealed.err);
    CHECK(unwraps == 0);
    end();
}

/* ---- good ones --------------------------------------------------------------------- */

static void round_trip(enum kw_work_kind kind)
{
    begin(kind);
    encrypt();
    CHECK_OK(sealed.err);
    CHECK_STR(sealed.out_key_id, work.kms.key_id);
    decrypt();
    CHECK_OK(opened.err);
    CHECK(kw_span_equal(kw_secret_peek(&opened.seed), kw_span_of(seed, sizeof seed)));
    kw_secret_wipe(&opened.seed);
    CHECK(done == 2);
    end();
}

static void echo_and_software__round_trip__the_seed(void **state)
{
    (void)state;
    round_trip(KW_WORK_ECHO);
    round_trip(KW_WORK_SOFTWARE);
}

static void software__same_seed_twice__two_ciphertexts_and_a_true_envelope(void **state)
{
    struct kw_envelope env;
    (void)state;
    begin(KW_WORK_SOFTWARE);
    encrypt();
    struct kw_request first = sealed;
    encrypt();
    CHECK(first.out_ciphertext_len == sealed.out_ciphertext_len);
    CHECK(memcmp(first.out_ciphertext, sealed.out_ciphertext, first.out_ciphertext_len) !=
          0);
    CHECK_OK(kw_envelope_parse(
        kw_span_of(sealed.out_ciphertext, sealed.out_ciphertext_len), &env));
    CHECK(env.seed_len == sizeof seed && env.purpose == KW_PURPOSE_SEED);
    end();
}

static void status__key_id_and_nothing_else(void **state)
{
    struct kw_request call = {.method = KW_METHOD_STATUS, .done = on_done};
    (void)state;
    begin(KW_WORK_SOFTWARE);
    kw_kms_begin(&work.kms, &call);
    CHECK_OK(call.err);
    CHECK_STR(call.out_key_id, "kw1-0-software-protects-little");
    CHECK(done == 1 && call.out_ciphertext_len == 0);
    end();
}

KW_CASES("bench/serve/work", CASE(software__any_byte_changed__refused),
         CASE(software__cut_empty_or_foreign__refused),
         CASE(software__another_start__cannot_open_it),
         CASE(software__seed_of_no_size_it_takes__refused),
         CASE(verify__unwraps_to_something_else__nothing_given_out),
         CASE(no_verify__cipher_never_asked_to_unwrap),
         CASE(echo_and_software__round_trip__the_seed),
         CASE(software__same_seed_twice__two_ciphertexts_and_a_true_envelope),
         CASE(status__key_id_and_nothing_else))
