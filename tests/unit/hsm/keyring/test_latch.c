/* SPDX-License-Identifier: Apache-2.0 */
/* The PIN latch on disk. */
#include "ring.h"

#include <stdio.h>

#include <keyward/state.h>

static struct kw_pin_latch good_latch(const char *token)
{
    struct kw_pin_latch l;
    memset(&l, 0, sizeof l);
    l.latched = true;
    l.source =
        (struct kw_pin_source){.dev = 1, .ino = UINT64_MAX, .ctime_ns = -5, .size = 9};
    CHECK(kw_copy_str(l.token, sizeof l.token, kw_span_str(token)));
    CHECK(kw_copy_str(l.reason, sizeof l.reason, kw_span_str("CKR_PIN_INCORRECT")));
    CHECK(kw_copy_str(l.at, sizeof l.at, kw_span_str("2026-01-31T12:00:00Z")));
    return l;
}

static struct kw_state_dir *opened(void)
{
    struct kw_state_dir *dir = NULL;
    CHECK_OK(kw_state_open(folder(), &dir, NULL));
    return dir;
}

static void latch__spoilt_file__error_never_unlatched(void **state)
{
    (void)state;
    static const char *const wrong[] = {"", "{}", "{\"pin-latch\":1,\"tokens\":[{}]}",
                                        "{\"pin-latch\":1,\"tokens\":{}}"};
    struct kw_pin_latch latch = good_latch("other");
    struct kw_state_dir *dir = opened();
    for (size_t i = 0; i < 4; i++) {
        struct kw_note note = {{0}};
        CHECK_OK(kw_file_replace(in_folder("pin-latch.json"), kw_span_str(wrong[i]), 0600,
                                 NULL));
        CHECK_CODE(kw_state_pin_latch(dir, "keyward", &latch, &note), KW_CODE_BAD_INPUT);
        CHECK_HAS(note.text, "pin-latch.json");
        CHECK_CODE(kw_state_set_pin_latch(dir, &latch, &note), KW_CODE_BAD_INPUT);
    }
    CHECK_STR(latch.token, "other");
    kw_state_close(dir);
    folder_gone();
}

static void latch__unknown_token__not_latched_not_proven(void **state)
{
    (void)state;
    struct kw_pin_latch latch = good_latch("other");
    struct kw_state_dir *dir = opened();
    CHECK_OK(kw_state_set_pin_latch(dir, &latch, NULL));
    CHECK_OK(kw_state_pin_latch(dir, "keyward", &latch, NULL));
    CHECK(!latch.latched && !latch.proven && latch.source.ino == 0);
    CHECK_STR(latch.token, "keyward");
    kw_state_close(dir);
    folder_gone();
}

static void latch__two_tokens__each_its_own(void **state)
{
    (void)state;
    struct kw_pin_latch one = good_latch("one");
    struct kw_pin_latch two = good_latch("two");
    struct kw_pin_latch back;
    struct kw_state_dir *dir = opened();
    memset(&back, 0, sizeof back);
    CHECK_OK(kw_state_set_pin_latch(dir, &one, NULL));
    two.latched = false;
    two.proven = true;
    CHECK_OK(kw_state_set_pin_latch(dir, &two, NULL));
    CHECK_OK(kw_state_pin_latch(dir, "one", &back, NULL));
    CHECK(back.latched && !back.proven && back.source.ino == UINT64_MAX);
    CHECK(back.source.dev == 1 && back.source.ctime_ns == -5 && back.source.size == 9);
    CHECK_STR(back.reason, "CKR_PIN_INCORRECT");
    CHECK_STR(back.at, "2026-01-31T12:00:00Z");
    one.latched = false;
    CHECK_OK(kw_state_set_pin_latch(dir, &one, NULL));
    CHECK_OK(kw_state_pin_latch(dir, "one", &back, NULL));
    CHECK(!back.latched);
    CHECK_OK(kw_state_pin_latch(dir, "two", &back, NULL));
    CHECK(back.proven);
    kw_state_close(dir);
    folder_gone();
}

static void latch__reason_with_a_vendors_bytes__written_all_the_same(void **state)
{
    (void)state;
    struct kw_pin_latch latch = good_latch("keyward");
    struct kw_state_dir *dir = opened();
    CHECK(kw_copy_str(latch.reason, sizeof latch.reason,
                      kw_span_str("a\nb\x1b\xff\xc2\x9b")));
    CHECK_OK(kw_state_set_pin_latch(dir, &latch, NULL));
    CHECK_OK(kw_state_pin_latch(dir, "keyward", &latch, NULL));
    CHECK(latch.latched);
    CHECK_STR(latch.reason, "a?b???");
    kw_state_close(dir);
    folder_gone();
}

static void latch__more_tokens_than_fit__busy_and_the_rest_stays(void **state)
{
    (void)state;
    struct kw_note note = {{0}};
    struct kw_pin_latch latch;
    struct kw_state_dir *dir = opened();
    for (unsigned i = 0; i < 33; i++) {
        char name[16];
        snprintf(name, sizeof name, "token %u", i);
        latch = good_latch(name);
        CHECK_CODE(kw_state_set_pin_latch(dir, &latch, &note),
                   i < 32 ? KW_CODE_OK : KW_CODE_BUSY);
    }
    CHECK_OK(kw_state_pin_latch(dir, "token 31", &latch, NULL));
    CHECK(latch.latched);
    kw_state_close(dir);
    folder_gone();
}

KW_CASES("hsm/keyring/latch", CASE(latch__spoilt_file__error_never_unlatched),
         CASE(latch__unknown_token__not_latched_not_proven),
         CASE(latch__two_tokens__each_its_own),
         CASE(latch__reason_with_a_vendors_bytes__written_all_the_same),
         CASE(latch__more_tokens_than_fit__busy_and_the_rest_stays))
