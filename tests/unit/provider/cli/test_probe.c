/* SPDX-License-Identifier: Apache-2.0 */
/* The probe against a server that breaks the rules: it must say which. */
#include <pthread.h>

#include "rig.h"
#include "run.h"

static struct kw_run r;

static int probe(struct rig *rig, const char *rounds)
{
    kw_run(&r,
           (const char *const[]){KEYWARD, "probe", rig->path, "--rounds", rounds, NULL});
    return r.status;
}

/* The fake opens everything to one and the same seed. */
static void decrypt_gives_other_bytes_and_opens_forgeries__fails_on_both(void **state)
{
    struct rig *rig = rig_new();
    (void)state;
    CHECK(probe(rig, "0") == 1);
    CHECK_HAS(r.out, "ok    Status");
    CHECK_HAS(r.out, "ok    same key_id");
    CHECK_HAS(r.out, "FAIL  round trip");
    CHECK_HAS(r.out, "FAIL  tampered");
    rig_free(rig);
}

static void encrypt_is_refused__fails_with_the_servers_word(void **state)
{
    struct rig *rig = rig_new();
    (void)state;
    rig->kms.answer = kw_err_at(KW_CODE_HSM_DOWN, "test");
    CHECK(probe(rig, "0") == 1);
    CHECK_HAS(r.out, "ok    Status");
    CHECK_HAS(r.out, "FAIL  Encrypt");
    CHECK_HAS(r.out, "UNAVAILABLE");
    CHECK(strstr(r.out, "Decrypt") == NULL);
    rig_free(rig);
}

static void ciphertext_is_the_plaintext__fails(void **state)
{
    struct rig *rig = rig_new_echo();
    (void)state;
    CHECK(probe(rig, "0") == 1);
    CHECK_HAS(r.out, "FAIL  ciphertext");
    rig_free(rig);
}

static void key_id_that_steers_the_terminal__shown_without_it(void **state)
{
    struct rig *rig = rig_new_echo();
    (void)state;
    rig->kms.key_id = "kw1\xc2\x9b"
                      "2J\x1b[1A\xe2\x80\x8f";
    CHECK(probe(rig, "0") == 1);
    CHECK_HAS(r.out, "same key_id        kw1?2J?[1A?\n");
    for (char *end = r.out; (end = strchr(end, '\n')) != NULL;)
        *end = ' ';
    CHECK(kw_is_printable_text(kw_span_str(r.out)));
    rig_free(rig);
}

static void rounds__as_many_calls_of_each_kind(void **state)
{
    struct rig *rig = rig_new();
    (void)state;
    CHECK(probe(rig, "5") == 1);
    CHECK_HAS(r.out, "Status x 5");
    CHECK_HAS(r.out, "Encrypt x 5");
    CHECK_HAS(r.out, "Decrypt x 5");
    CHECK_HAS(r.out, "0 failed");
    kms_await_begun(rig, 4 + 3 * 5); /* Status, Encrypt, Decrypt, tampered; the rounds */
    rig_free(rig);
}

KW_CASES("provider/cli/probe",
         CASE(decrypt_gives_other_bytes_and_opens_forgeries__fails_on_both),
         CASE(encrypt_is_refused__fails_with_the_servers_word),
         CASE(ciphertext_is_the_plaintext__fails),
         CASE(key_id_that_steers_the_terminal__shown_without_it),
         CASE(rounds__as_many_calls_of_each_kind))
