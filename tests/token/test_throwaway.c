/* SPDX-License-Identifier: Apache-2.0 */
/* Keys for a measurement, and further sessions of one login. */
#include <pthread.h>

#include <keyward/alloc.h>

#include "token_fixture.h"

struct bench {
    struct fixture f;
    char label[KW_KEY_ID_MAX + 1], other[KW_KEY_ID_MAX + 1];
    struct kw_token_key *key; /* label, on the token */
};

/* A KEK and a throw-away key, in a read-write session behind the fault module. */
static void begin(struct bench *b, const char *control)
{
    *b = (struct bench){0};
    fixture_begin(&b->f, "");
    kw_token_close(b->f.token);
    b->f.token = kw_softhsm_open(&b->f.hsm, KW_SOFTHSM_READ_WRITE);
    kw_token_throwaway_label(b->label);
    kw_token_throwaway_label(b->other);
    CHECK(strcmp(b->label, b->other) != 0);
    CHECK_OK(kw_token_make_throwaway(b->f.token, b->label, true, &b->key, &b->f.note));
    CHECK_OK(kw_token_find(b->f.token, KEK, text_span(LOCATOR), &b->f.key, &b->f.note));
    kw_fault_set(&b->f.hsm, control);
}

static size_t left(struct bench *b)
{
    struct kw_listed_key all[4];
    size_t count = 0;
    CHECK_OK(kw_token_leftovers(b->f.token, all, 4, &count, &b->f.note));
    return count;
}

TEST(make__read_only__bug)
{
    struct bench b;
    begin(&b, "");
    kw_token_close(b.f.token);
    b.f.token = kw_softhsm_open(&b.f.hsm, KW_SOFTHSM_READ_ONLY);
    CHECK_CODE(kw_token_make_throwaway(b.f.token, b.other, true, &b.f.key, &b.f.note),
               KW_CODE_BUG);
    CHECK(left(&b) == 1);
    fixture_end(&b.f);
}

/* As if the token had given the handle to another object meanwhile. */
TEST(destroy__handle_of_another_key__stays)
{
    struct bench b;
    begin(&b, "");
    b.key->handle = b.f.key->handle;
    CHECK_CODE(kw_token_destroy_throwaway(b.f.token, b.key), KW_CODE_WRONG_ANSWER);
    CHECK(kw_fault_count(&b.f.hsm, "C_DestroyObject") == 0);
    works(&b.f);
    fixture_end(&b.f);
}

TEST(destroy__refused__told)
{
    struct bench b;
    begin(&b, "C_DestroyObject rv=0x6\n");
    CHECK_CODE(kw_token_destroy_throwaway(b.f.token, b.key), KW_CODE_HSM_BUSY);
    CHECK(left(&b) == 1);
    fixture_end(&b.f);
}

TEST(destroy__ours__gone_and_no_other)
{
    struct bench b;
    begin(&b, "");
    CHECK_OK(kw_token_destroy_throwaway(b.f.token, b.key));
    CHECK(left(&b) == 0);
    works(&b.f);
    fixture_end(&b.f);
}

TEST(copy__refused__says_what_else)
{
    struct bench b;
    struct kw_token_key *copy = NULL;
    begin(&b, "C_CopyObject rv=0x13\n");
    CHECK(kw_failed(
        kw_token_copy_throwaway(b.f.token, b.label, b.other, &copy, &b.f.note)));
    CHECK_HAS(b.f.note.text, "--key session");
    CHECK(copy == NULL);
    fixture_end(&b.f);
}

/* What one seals the other opens; the copy is of the session and is no leftover. */
TEST(copy__of_the_token_key__the_same_key)
{
    struct bench b;
    struct sealed s;
    KW_AUTO_SECRET(back);
    begin(&b, "");
    b.f.key = b.key;
    CHECK_OK(seal_some(&b.f, &s));
    CHECK_OK(kw_token_copy_throwaway(b.f.token, b.label, b.other, &b.f.key, &b.f.note));
    CHECK(b.f.key != b.key);
    CHECK_OK(open_sealed(&b.f, &s, &back));
    CHECK(left(&b) == 1);
    fixture_end(&b.f);
}

TEST(leftovers__more_than_fit__busy_with_the_first)
{
    struct bench b;
    struct kw_listed_key one[1];
    struct kw_token_key *key = NULL;
    size_t count = 0;
    begin(&b, "");
    CHECK_OK(kw_token_make_throwaway(b.f.token, b.other, true, &key, &b.f.note));
    CHECK_CODE(kw_token_leftovers(b.f.token, one, 1, &count, &b.f.note), KW_CODE_BUSY);
    CHECK(count == 1);
    CHECK(left(&b) == 2);
    fixture_end(&b.f);
}

TEST(leftovers__labels_of_all_kinds__ours_alone)
{
    struct bench b;
    struct kw_listed_key all[4];
    size_t count = 0;
    begin(&b, "");
    (void)raw_key(b.f.token, "kw-bench", "1", false);
    (void)raw_key(b.f.token, "", "2", false);
    (void)raw_key(b.f.token, "kw-bench-this label is longer than any of ours is", "3",
                  false);
    (void)raw_key(b.f.token, "kw-bench-x", "an id", false);
    CHECK_OK(kw_token_leftovers(b.f.token, all, 4, &count, &b.f.note));
    CHECK(count == 2);
    size_t x = strcmp(all[0].label, "kw-bench-x") == 0 ? 0 : 1;
    CHECK_STR(all[x].label, "kw-bench-x");
    CHECK(kw_span_equal_str(kw_span_of(all[x].locator, all[x].locator_len), "an id"));
    CHECK_STR(all[1 - x].label, b.label);
    CHECK(all[1 - x].locator_len == 0);
    fixture_end(&b.f);
}

TEST(leftovers__token_in_trouble__told)
{
    struct bench b;
    struct kw_listed_key all[4];
    size_t count = 7;
    begin(&b, "C_FindObjects rv=0x6\n");
    CHECK_CODE(kw_token_leftovers(b.f.token, all, 4, &count, &b.f.note),
               KW_CODE_HSM_BUSY);
    CHECK(count == 7);
    CHECK_HAS(b.f.note.text, "CKR_FUNCTION_FAILED");
    fixture_end(&b.f);
}

TEST(branch__no_session_or_memory__told)
{
    struct bench b;
    struct kw_token *branch = NULL;
    begin(&b, "C_OpenSession rv=0xb1\n");
    CHECK(kw_failed(kw_token_branch(b.f.token, &branch, &b.f.note)));
    CHECK_HAS(b.f.note.text, "CKR_SESSION_COUNT");
    kw_alloc_fail_from(0);
    CHECK_CODE(kw_token_branch(b.f.token, &branch, &b.f.note), KW_CODE_NO_MEMORY);
    kw_alloc_fail_from(-1);
    CHECK(branch == NULL);
    kw_token_branch_close(branch);
    fixture_end(&b.f);
}

struct lane {
    struct fixture f;
    kw_err e;
};

static void *lane_main(void *arg)
{
    struct lane *l = arg;
    struct sealed s;
    for (int i = 0; i < 50 && !kw_failed(l->e); i++) {
        KW_AUTO_SECRET(back);
        l->e = seal_some(&l->f, &s);
        if (!kw_failed(l->e))
            l->e = open_sealed(&l->f, &s, &back);
    }
    return NULL;
}

TEST(branch__two_threads__each_its_session_and_one_login)
{
    struct bench b;
    struct lane lane[2] = {0};
    pthread_t thread[2];
    begin(&b, "");
    unsigned sessions = kw_fault_count(&b.f.hsm, "C_OpenSession");
    unsigned logins = kw_fault_count(&b.f.hsm, "C_Login");
    for (int i = 0; i < 2; i++) {
        struct fixture *f = &lane[i].f;
        CHECK_OK(kw_token_branch(b.f.token, &f->token, &f->note));
        CHECK_OK(kw_token_find(f->token, b.label, (kw_span){0}, &f->key, &f->note));
    }
    for (int i = 0; i < 2; i++)
        CHECK(pthread_create(&thread[i], NULL, lane_main, &lane[i]) == 0);
    for (int i = 0; i < 2; i++) {
        CHECK(pthread_join(thread[i], NULL) == 0);
        CHECK_OK(lane[i].e);
        kw_token_branch_close(lane[i].f.token);
    }
    CHECK(kw_fault_count(&b.f.hsm, "C_OpenSession") == sessions + 2);
    CHECK(kw_fault_count(&b.f.hsm, "C_Login") == logins);
    works(&b.f); /* the token it came from is as it was */
    fixture_end(&b.f);
}

TEST(probes__session_random_logout__done_at_the_module)
{
    struct bench b;
    uint8_t a[16] = {0}, c[16] = {0};
    begin(&b, "");
    unsigned closed = kw_fault_count(&b.f.hsm, "C_CloseSession");
    CHECK_OK(kw_token_try_session(b.f.token));
    CHECK(kw_fault_count(&b.f.hsm, "C_CloseSession") == closed + 1);
    CHECK_OK(kw_token_random(b.f.token, a, sizeof a));
    CHECK_OK(kw_token_random(b.f.token, c, sizeof c));
    CHECK(!kw_span_equal(kw_span_of(a, sizeof a), kw_span_of(c, sizeof c)));
    CHECK_OK(kw_token_logout(b.f.token));
    CHECK_OK(kw_token_login(b.f.token, &b.f.note));
    works(&b.f); /* handles died, and are found again */
    fixture_end(&b.f);
}

TEST(probes__refused__told)
{
    struct bench b;
    uint8_t a[16];
    begin(&b, "C_GenerateRandom rv=0x6\nC_CloseSession rv=0x6\nC_Logout rv=0x6\n");
    CHECK_CODE(kw_token_random(b.f.token, a, sizeof a), KW_CODE_HSM_BUSY);
    CHECK_CODE(kw_token_try_session(b.f.token), KW_CODE_HSM_BUSY);
    CHECK_CODE(kw_token_logout(b.f.token), KW_CODE_HSM_BUSY);
    CHECK_CODE(kw_token_login(b.f.token, &b.f.note), KW_CODE_BUG); /* it still is */
    fixture_end(&b.f);
}

KW_CASES("throwaway", CASE(make__read_only__bug),
         CASE(destroy__handle_of_another_key__stays), CASE(destroy__refused__told),
         CASE(destroy__ours__gone_and_no_other), CASE(copy__refused__says_what_else),
         CASE(copy__of_the_token_key__the_same_key),
         CASE(leftovers__more_than_fit__busy_with_the_first),
         CASE(leftovers__labels_of_all_kinds__ours_alone),
         CASE(leftovers__token_in_trouble__told),
         CASE(branch__no_session_or_memory__told),
         CASE(branch__two_threads__each_its_session_and_one_login),
         CASE(probes__session_random_logout__done_at_the_module),
         CASE(probes__refused__told))
