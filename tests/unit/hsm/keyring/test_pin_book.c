/* SPDX-License-Identifier: Apache-2.0 */
/* The PIN latch on disk: what daemon and tool call. */
#include "booked.h"

#include <errno.h>
#include <grp.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <keyward/file.h>

enum { NOBODY = 65534 };

/* ---- failures ---------------------------------------------------------------------- */

static const char five_refused[] =
    "{\"pin-latch\":1,\"tokens\":[{\"serial\":\"1\",\"label\":\"tok\",\"change\":1,"
    "\"latched\":false,\"proven\":true,\"retry\":false,\"key\":null,\"digest\":null,"
    "\"refused\":[{},{},{},{},{}],\"unclear\":null,\"ended\":null,"
    "\"tried\":null,\"reason\":null,\"at\":null}]}";

TEST(spoilt_file__error_never_nothing)
{
    static const char *const wrong[] = {
        "", "{}", "{\"pin-latch\":1,\"tokens\":[{}]}", "{\"pin-latch\":1,\"tokens\":{}}",
        "{\"pin-latch\":2,\"tokens\":[]}", five_refused,
        /* as builds before the first release wrote it */
        "{\"pin-latch\":1,\"tokens\":[{\"token\":\"t\",\"latched\":false}]}"};
    struct kw_pin_facts f = facts("1", "tok", 'a');
    struct kw_pin_verdict v = {.word = KW_PIN_STOP};
    struct kw_pin_record r;
    struct kw_pin_lift lifts[KW_PIN_RECORDS_MAX];
    size_t n;
    booked_begin();
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        CHECK_OK(kw_file_replace(in_folder("state/pin-latch.json"), kw_span_str(wrong[i]),
                                 0600, NULL));
        CHECK_CODE(kw_pin_ask(&book, &f, &me, &v, &note), KW_CODE_BAD_INPUT);
        CHECK_HAS(note.text, "pin-latch.json");
        CHECK_CODE(kw_pin_settled(&book, &f, &me, KW_PIN_WORKED, "", &note),
                   KW_CODE_BAD_INPUT);
        CHECK_CODE(kw_pin_look(&book, "1", "tok", &r, &note), KW_CODE_BAD_INPUT);
        CHECK_CODE(kw_pin_retry(&book, NULL, lifts, &n, &note), KW_CODE_BAD_INPUT);
    }
    CHECK(v.word == KW_PIN_STOP);
    booked_end();
}

TEST(file_of_a_pre_release_build__refused_and_said)
{
    struct kw_pin_facts f = facts("1", "tok", 'a');
    struct kw_pin_verdict v;
    booked_begin();
    const char *old = "{\"pin-latch\":1,\"tokens\":[{\"serial\":\"1\",\"label\":\"tok\","
                      "\"change\":2,\"latched\":true,\"proven\":false,\"retry\":false,"
                      "\"key\":null,\"digest\":null,\"unclear\":null,\"ended\":null,"
                      "\"tried\":null,\"reason\":null,\"at\":null}]}";
    CHECK_OK(
        kw_file_replace(in_folder("state/pin-latch.json"), kw_span_str(old), 0600, NULL));
    CHECK_CODE(kw_pin_ask(&book, &f, &me, &v, &note), KW_CODE_BAD_INPUT);
    CHECK_HAS(note.text, "refused: missing: only files of pre-release builds lack it");
    CHECK_HAS(note.text, "remove it");
    booked_end();
}

TEST(locked_by_somebody__busy_and_nothing_counted)
{
    struct kw_state_dir *other = NULL;
    struct kw_pin_facts f = facts("1", "tok", 'a');
    struct kw_pin_verdict v;
    booked_begin();
    CHECK_OK(kw_state_open(in_folder("state"), &other, NULL));
    CHECK_OK(kw_state_lock(other, NULL));
    CHECK_CODE(kw_pin_ask(&book, &f, &me, &v, &note), KW_CODE_BUSY);
    CHECK_HAS(note.text, "try again");
    CHECK_CODE(kw_pin_settled(&book, &f, &me, KW_PIN_WORKED, "", &note), KW_CODE_BUSY);
    kw_state_close(other);
    CHECK(look(&f).change == 0);
    CHECK(ask(&f) == KW_PIN_GO);
    booked_end();
}

/* Without a /proc nobody can tell later whether its login still goes on, or that there
 * was one. */
TEST(asker_that_cannot_be_named__no_login_and_said)
{
    struct kw_pin_facts f = facts("1", "tok", 'a');
    struct kw_pin_owner nobody = {.pid = 0};
    struct kw_pin_verdict v;
    booked_begin();
    CHECK_CODE(kw_pin_ask(&book, &f, &nobody, &v, &note), KW_CODE_IO);
    CHECK_HAS(note.text, "/proc");
    CHECK(look(&f).change == 0);
    booked_end();
}

/* ---- a state directory that cannot be written -------------------------------------- */

/* Runs `fn` as a user who cannot write to the state directory, nor, when it is closed
 * too, to the runtime directory; root would write anyway. */
static int as_user(int (*fn)(void), bool runtime_too)
{
    static const char *const names[] = {"state",      "state/pin-latch.json",
                                        "state/lock", "run",
                                        "run/lock",   "run/pin-latch.json"};
    int status = 0;
    char closed[256];
    snprintf(closed, sizeof closed, "%s", in_folder("state"));
    for (size_t i = 0; geteuid() == 0 && i < sizeof names / sizeof names[0]; i++)
        (void)!chown(in_folder(names[i]), NOBODY, NOBODY);
    CHECK(geteuid() != 0 || chown(folder(), NOBODY, NOBODY) == 0);
    CHECK(chmod(closed, 0500) == 0);
    CHECK(!runtime_too || chmod(runtime, 0500) == 0);
    pid_t pid = fork();
    CHECK(pid >= 0);
    if (pid == 0) {
        if (geteuid() == 0 &&
            (setgroups(0, NULL) != 0 || setgid(NOBODY) != 0 || setuid(NOBODY) != 0))
            _exit(99);
        kw_state_close(book.state);
        if (kw_failed(kw_state_open(in_folder("state"), &book.state, &note)))
            _exit(98);
        _exit(fn());
    }
    CHECK(waitpid(pid, &status, 0) == pid && WIFEXITED(status));
    CHECK(chmod(closed, 0700) == 0 && chmod(runtime, 0700) == 0);
    return WEXITSTATUS(status);
}

/* 0: refused, with the words and no trace. */
static int never_proven_is_refused(void)
{
    struct kw_pin_facts f = facts("1", "tok", 'a');
    struct kw_pin_verdict v;
    struct kw_pin_record r;
    for (int i = 0; i < 10; i++) {
        kw_err e = kw_pin_ask(&book, &f, &me, &v, &note);
        if (e.code != KW_CODE_IO || e.native != EACCES)
            return 1;
        if (strstr(note.text, "no login is tried") == NULL ||
            strstr(note.text, "writable") == NULL)
            return 2;
    }
    if (kw_failed(kw_pin_look(&book, "1", "tok", &r, NULL)) || r.change != 0)
        return 3;
    return 0;
}

TEST(not_writable__pin_never_proven__no_login_and_said)
{
    booked_begin();
    assert_int_equal(as_user(never_proven_is_refused, false), 0);
    booked_end();
}

/* 0: ten logins, each with its marker in the runtime directory, then a refusal. */
static int proven_goes_by_the_runtime_directory(void)
{
    struct kw_pin_facts f = facts("1", "tok", 'a');
    struct kw_pin_verdict v;
    struct kw_pin_record r;
    for (int i = 0; i < 10; i++) {
        if (kw_failed(kw_pin_ask(&book, &f, &me, &v, &note)) || v.word != KW_PIN_GO ||
            v.unwritten.text[0] == '\0')
            return 1;
        if (kw_failed(kw_pin_look(&book, "1", "tok", &r, NULL)) || r.tried.pid != me.pid)
            return 2;
        if (kw_failed(kw_pin_settled(
                &book, &f, &me, i < 9 ? KW_PIN_WORKED : KW_PIN_REFUSED, "CKR_SO", &note)))
            return 3;
    }
    if (kw_failed(kw_pin_ask(&book, &f, &me, &v, &note)) || v.word != KW_PIN_STOP)
        return 4;
    return 0;
}

TEST(not_writable__proven__marker_in_the_runtime_directory)
{
    struct kw_pin_facts f = facts("1", "tok", 'a');
    booked_begin();
    CHECK(ask(&f) == KW_PIN_GO);
    settled(&f, KW_PIN_WORKED);
    assert_int_equal(as_user(proven_goes_by_the_runtime_directory, false), 0);
    CHECK(look(&f).latched); /* the newer one counts, also when it can be written again */
    CHECK(ask(&f) == KW_PIN_STOP);
    struct kw_pin_lift lifts[KW_PIN_RECORDS_MAX];
    size_t n = 0;
    CHECK_OK(kw_pin_retry(&book, NULL, lifts, &n, &note));
    CHECK(n == 1 && lifts[0].lifted && !look(&f).latched);
    booked_end();
}

static int proven_is_refused_too(void)
{
    struct kw_pin_facts f = facts("1", "tok", 'a');
    struct kw_pin_verdict v;
    kw_err e = kw_pin_ask(&book, &f, &me, &v, &note);
    return e.code == KW_CODE_IO && strstr(note.text, "no login is tried") ? 0 : 1;
}

TEST(neither_writable__proven__no_login_either)
{
    struct kw_pin_facts f = facts("1", "tok", 'a');
    booked_begin();
    CHECK(ask(&f) == KW_PIN_GO);
    settled(&f, KW_PIN_WORKED);
    assert_int_equal(as_user(proven_is_refused_too, true), 0);
    CHECK(ask(&f) == KW_PIN_GO); /* nothing was counted */
    booked_end();
}

TEST(no_runtime_directory__state_alone)
{
    struct kw_pin_facts f = facts("1", "tok", 'a');
    booked_begin();
    book.runtime = "";
    CHECK(ask(&f) == KW_PIN_GO);
    settled(&f, KW_PIN_REFUSED);
    book.runtime = "/nonexistent";
    CHECK(ask(&f) == KW_PIN_STOP);
    booked_end();
}

/* ---- asking ------------------------------------------------------------------------ */

TEST(go__durable_who_tries_before_the_answer)
{
    struct kw_blob text = {0};
    struct kw_pin_facts f = facts("00cafe", "tok", 'a');
    char want[64];
    booked_begin();
    CHECK(ask(&f) == KW_PIN_GO);
    CHECK_OK(kw_file_read(in_folder("state/pin-latch.json"), 4096, &text, NULL));
    char *s = calloc(1, text.len + 1);
    CHECK(s != NULL);
    kw_copy(s, text.len, kw_blob_peek(&text));
    snprintf(want, sizeof want, "\"pid\": %ld,", (long)getpid());
    CHECK_HAS(s, want);
    CHECK_HAS(s, me.boot);
    CHECK_HAS(s, "\"serial\": \"00cafe\"");
    CHECK_HAS(s, "\"at-ns\": 1000000000");
    free(s);
    kw_blob_wipe(&text);
    booked_end();
}

TEST(all_that_is_remembered__reads_back)
{
    struct kw_pin_facts f = facts("00cafe", "tok", 'a');
    booked_begin();
    CHECK(ask(&f) == KW_PIN_GO);
    settled(&f, KW_PIN_WORKED);
    time_now.now_ns = 5 * KW_S_NS;
    CHECK(ask(&f) == KW_PIN_GO);
    settled(&f, KW_PIN_UNCLEAR);
    struct kw_pin_record r = look(&f);
    CHECK(r.proven && !r.latched && !r.retry && r.unclear == 1 && r.change == 4);
    CHECK(r.ended_ns == 5 * KW_S_NS && r.tried.pid == 0 && r.tried_ns == 0);
    CHECK_STR(r.ended_boot, me.boot);
    CHECK_STR(r.serial, "00cafe");
    CHECK_STR(r.label, "tok");
    CHECK_STR(r.reason, "CKR_SO");
    CHECK_HAS(r.at, "2026-01-01T00:00:05");
    CHECK(r.mark.key_len == 8 && r.mark.digest_len == 16 && r.mark.digest[15] == 'a');
    CHECK(ask(&f) == KW_PIN_LATER);
    time_now.now_ns = 15 * KW_S_NS;
    CHECK(ask(&f) == KW_PIN_GO);
    booked_end();
}

TEST(serial__is_what_it_belongs_to__not_the_label)
{
    struct kw_pin_facts f = facts("1", "tok", 'a'), renamed = facts("1", "new", 'a'),
                        other = facts("2", "tok", 'a'), none = facts("", "tok", 'a'),
                        none_other = facts("", "toc", 'a');
    booked_begin();
    CHECK(ask(&f) == KW_PIN_GO);
    settled(&f, KW_PIN_REFUSED);
    CHECK(ask(&renamed) == KW_PIN_STOP);
    CHECK(ask(&other) == KW_PIN_GO);
    CHECK(ask(&none) == KW_PIN_GO);
    settled(&none, KW_PIN_REFUSED);
    CHECK(ask(&none) == KW_PIN_STOP);
    CHECK(ask(&none_other) == KW_PIN_GO);
    booked_end();
}

TEST(another_login_under_way__wait_and_its_orphan_is_stopped)
{
    struct kw_pin_facts f = facts("1", "tok", 'a');
    struct kw_pin_owner mine = me;
    int gate[2], status = 0;
    char byte;
    booked_begin();
    CHECK(pipe(gate) == 0);
    pid_t pid = fork();
    if (pid == 0) {
        close(gate[1]);
        _exit(read(gate[0], &byte, 1) == 0 ? 0 : 1);
    }
    close(gate[0]);
    mine = me;
    CHECK(kw_pin_owner_of(pid, &me));
    CHECK(ask(&f) == KW_PIN_GO);
    struct kw_pin_owner theirs = me;
    me = mine;
    CHECK(ask(&f) == KW_PIN_WAIT);
    settled(&f, KW_PIN_NOT_BEGUN); /* not ours: nothing is touched */
    CHECK(look(&f).tried.pid == theirs.pid);
    close(gate[1]);
    CHECK(waitpid(pid, &status, 0) == pid);
    CHECK(ask(&f) == KW_PIN_STOP);
    CHECK(look(&f).latched && look(&f).tried.pid == 0);
    me = theirs; /* the word comes late, and is the better one */
    settled(&f, KW_PIN_UNCLEAR);
    CHECK(look(&f).latched);
    settled(&f, KW_PIN_WORKED);
    CHECK(!look(&f).latched && look(&f).proven);
    booked_end();
}

/* A sandbox that shows processes and nothing else: the boot has no name there. */
TEST(another_login_in_a_boot_without_a_name__wait)
{
    struct kw_pin_facts f = facts("1", "tok", 'a');
    booked_begin();
    struct kw_pin_owner mine = me;
    kw_copy_str(me.boot, sizeof me.boot, kw_span_str(KW_BOOT_UNKNOWN));
    CHECK(kw_pin_owner_lives(&me));
    CHECK(ask(&f) == KW_PIN_GO); /* by one in the sandbox */
    me = mine;
    CHECK(ask(&f) == KW_PIN_WAIT);
    me.start++;
    kw_copy_str(me.boot, sizeof me.boot, kw_span_str(KW_BOOT_UNKNOWN));
    CHECK(!kw_pin_owner_lives(&me)); /* number and start have to do */
    me = mine;
    booked_end();
}

TEST(vendors_bytes_in_a_reason__written_all_the_same)
{
    struct kw_pin_facts f = facts("1", "tok", 'a');
    booked_begin();
    CHECK(ask(&f) == KW_PIN_GO);
    CHECK_OK(kw_pin_settled(&book, &f, &me, KW_PIN_REFUSED, "a\nb\x1b\xff", &note));
    CHECK_STR(look(&f).reason, "a?b??");
    booked_end();
}

TEST(more_tokens_than_fit__the_oldest_that_is_not_stopped_makes_room)
{
    char serial[17];
    struct kw_pin_verdict v;
    booked_begin();
    for (unsigned i = 0; i < KW_PIN_RECORDS_MAX; i++) {
        snprintf(serial, sizeof serial, "%u", i);
        struct kw_pin_facts f = facts(serial, "tok", 'a');
        CHECK(ask(&f) == KW_PIN_GO);
        settled(&f, i == 1 ? KW_PIN_WORKED : KW_PIN_REFUSED);
        f.mark.digest[0] = 'b'; /* what it refused is remembered all the same */
        if (i == 2 && ask(&f) == KW_PIN_GO)
            settled(&f, KW_PIN_WORKED);
    }
    struct kw_pin_facts one = facts("1", "tok", 'a'), more = facts("more", "tok", 'a'),
                        last = facts("last", "tok", 'a');
    CHECK(ask(&more) == KW_PIN_GO);
    settled(&more, KW_PIN_REFUSED);
    CHECK(!look(&one).proven && look(&more).latched);
    CHECK_CODE(kw_pin_ask(&book, &last, &me, &v, &note), KW_CODE_IO);
    CHECK_HAS(note.text, "full");
    booked_end();
}

/* ---- retry, and who looks ---------------------------------------------------------- */

TEST(retry__by_label_or_serial_or_all__one_try)
{
    struct kw_pin_facts a = facts("1", "one", 'a'), b = facts("2", "two", 'a');
    struct kw_pin_lift lifts[KW_PIN_RECORDS_MAX];
    size_t n = 9;
    booked_begin();
    CHECK_OK(kw_pin_retry(&book, NULL, lifts, &n, &note));
    CHECK(n == 0);
    CHECK(ask(&a) == KW_PIN_GO && ask(&b) == KW_PIN_GO);
    settled(&a, KW_PIN_REFUSED);
    settled(&b, KW_PIN_REFUSED);
    CHECK_OK(kw_pin_retry(&book, "three", lifts, &n, &note));
    CHECK(n == 0);
    CHECK_OK(kw_pin_retry(&book, "one", lifts, &n, &note));
    CHECK(n == 1 && lifts[0].lifted);
    CHECK_STR(lifts[0].serial, "1");
    CHECK_STR(lifts[0].reason, "CKR_SO");
    CHECK(ask(&b) == KW_PIN_STOP && ask(&a) == KW_PIN_GO);
    settled(&a, KW_PIN_REFUSED);
    CHECK(ask(&a) == KW_PIN_STOP);
    CHECK_OK(kw_pin_retry(&book, "2", lifts, &n, &note));
    CHECK(n == 1 && lifts[0].lifted);
    CHECK_OK(kw_pin_retry(&book, NULL, lifts, &n, &note));
    CHECK(n == 2 && lifts[0].lifted && !lifts[1].lifted);
    booked_end();
}

TEST(retry__login_that_nobody_settled__lifted_too)
{
    struct kw_pin_facts f = facts("1", "one", 'a');
    struct kw_pin_lift lifts[KW_PIN_RECORDS_MAX];
    size_t n = 0;
    booked_begin();
    me.start++; /* there is no such process any more */
    CHECK(ask(&f) == KW_PIN_GO);
    me.start--;
    CHECK_OK(kw_pin_retry(&book, NULL, lifts, &n, &note));
    CHECK(n == 1 && lifts[0].lifted);
    CHECK_HAS(lifts[0].reason, "began a login");
    CHECK(ask(&f) == KW_PIN_GO);
    booked_end();
}

TEST(changed__seen_once_and_again_after_the_next_write)
{
    struct kw_pin_stamp seen = {.state = {.dev = 0}};
    struct kw_pin_facts f = facts("1", "one", 'a');
    booked_begin();
    CHECK(!kw_pin_changed(&book, &seen));
    CHECK(ask(&f) == KW_PIN_GO);
    CHECK(kw_pin_changed(&book, &seen) && !kw_pin_changed(&book, &seen));
    settled(&f, KW_PIN_WORKED);
    CHECK(kw_pin_changed(&book, &seen) && !kw_pin_changed(&book, &seen));
    booked_end();
}

KW_CASES("hsm/keyring/pin_book", CASE(spoilt_file__error_never_nothing),
         CASE(file_of_a_pre_release_build__refused_and_said),
         CASE(locked_by_somebody__busy_and_nothing_counted),
         CASE(asker_that_cannot_be_named__no_login_and_said),
         CASE(not_writable__pin_never_proven__no_login_and_said),
         CASE(not_writable__proven__marker_in_the_runtime_directory),
         CASE(neither_writable__proven__no_login_either),
         CASE(no_runtime_directory__state_alone),
         CASE(go__durable_who_tries_before_the_answer),
         CASE(all_that_is_remembered__reads_back),
         CASE(serial__is_what_it_belongs_to__not_the_label),
         CASE(another_login_under_way__wait_and_its_orphan_is_stopped),
         CASE(another_login_in_a_boot_without_a_name__wait),
         CASE(vendors_bytes_in_a_reason__written_all_the_same),
         CASE(more_tokens_than_fit__the_oldest_that_is_not_stopped_makes_room),
         CASE(retry__by_label_or_serial_or_all__one_try),
         CASE(retry__login_that_nobody_settled__lifted_too),
         CASE(changed__seen_once_and_again_after_the_next_write))
