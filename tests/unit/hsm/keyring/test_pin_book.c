/* SPDX-License-Identifier: Apache-2.0 */
/* The PIN latch on disk: what daemon and tool call. */
#include "ring.h"

#include <errno.h>
#include <grp.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <keyward/file.h>
#include <keyward/pin_latch.h>

enum { NOBODY = 65534 };

static struct kw_fake_clock time_now;
static struct kw_clock fake;
static struct kw_pin_book book;
static struct kw_pin_owner me;
static struct kw_note note;
static char runtime[256];

static void begin(void)
{
    time_now.now_ns = KW_S_NS;
    fake = kw_fake_clock(&time_now);
    note.text[0] = '\0';
    snprintf(runtime, sizeof runtime, "%s", in_folder("run"));
    CHECK(mkdir(in_folder("state"), 0700) == 0 && mkdir(runtime, 0700) == 0);
    book = (struct kw_pin_book){.runtime = runtime, .clock = &fake};
    CHECK_OK(kw_state_open(in_folder("state"), &book.state, NULL));
    CHECK(kw_pin_owner_of(getpid(), &me));
}

static void remove_files(const char *folder_name)
{
    static const char *const names[] = {"pin-latch.json", "lock"};
    char path[320];
    for (size_t i = 0; i < 2; i++) {
        snprintf(path, sizeof path, "%s/%s", folder_name, names[i]);
        (void)unlink(path);
    }
    CHECK(rmdir(folder_name) == 0); /* nothing else lies there */
}

static void end(void)
{
    kw_state_close(book.state);
    remove_files(in_folder("state"));
    remove_files(runtime);
    folder_gone();
}

static struct kw_pin_facts facts(const char *serial, const char *label, char pin)
{
    struct kw_pin_facts f = {.mark = {.key_len = 8, .digest_len = 16}};
    kw_copy_str(f.serial, sizeof f.serial, kw_span_str(serial));
    kw_copy_str(f.label, sizeof f.label, kw_span_str(label));
    memset(f.mark.key, 'K', sizeof f.mark.key);
    memset(f.mark.digest, pin, sizeof f.mark.digest);
    return f;
}

static enum kw_pin_word ask(const struct kw_pin_facts *f)
{
    struct kw_pin_verdict v;
    CHECK_OK(kw_pin_ask(&book, f, &me, &v, &note));
    return v.word;
}

static void settled(const struct kw_pin_facts *f, enum kw_pin_end how)
{
    CHECK_OK(kw_pin_settled(&book, f, &me, how, "CKR_SO", &note));
}

static struct kw_pin_record look(const struct kw_pin_facts *f)
{
    struct kw_pin_record r;
    CHECK_OK(kw_pin_look(&book, f->serial, f->label, &r, &note));
    return r;
}

/* ---- failures ------------------------------------------------------------------------
 */

static void spoilt_file__error_never_nothing(void **state)
{
    (void)state;
    static const char *const wrong[] = {
        "", "{}", "{\"pin-latch\":1,\"tokens\":[{}]}", "{\"pin-latch\":1,\"tokens\":{}}",
        "{\"pin-latch\":2,\"tokens\":[]}",
        "{\"pin-latch\":1,\"tokens\":[{\"serial\":\"1\",\"label\":\"tok\",\"change\":1,"
        "\"latched\":false,\"proven\":true,\"retry\":false,\"key\":null,\"digest\":null,"
        "\"refused\":[{},{},{},{},{}],\"unclear\":null,\"ended\":null,"
        "\"tried\":null,\"reason\":null,\"at\":null}]}",
        /* as builds before the first release wrote it */
        "{\"pin-latch\":1,\"tokens\":[{\"token\":\"t\",\"latched\":false}]}"};
    struct kw_pin_facts f = facts("1", "tok", 'a');
    struct kw_pin_verdict v = {.word = KW_PIN_STOP};
    struct kw_pin_record r;
    struct kw_pin_lift lifts[KW_PIN_RECORDS_MAX];
    size_t n;
    begin();
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
    end();
}

static void file_of_a_pre_release_build__refused_and_said(void **state)
{
    (void)state;
    struct kw_pin_facts f = facts("1", "tok", 'a');
    struct kw_pin_verdict v;
    begin();
    const char *old = "{\"pin-latch\":1,\"tokens\":[{\"serial\":\"1\",\"label\":\"tok\","
                      "\"change\":2,\"latched\":true,\"proven\":false,\"retry\":false,"
                      "\"key\":null,\"digest\":null,\"unclear\":null,\"ended\":null,"
                      "\"tried\":null,\"reason\":null,\"at\":null}]}";
    CHECK_OK(
        kw_file_replace(in_folder("state/pin-latch.json"), kw_span_str(old), 0600, NULL));
    CHECK_CODE(kw_pin_ask(&book, &f, &me, &v, &note), KW_CODE_BAD_INPUT);
    CHECK_HAS(note.text, "refused: missing: only files of pre-release builds lack it");
    CHECK_HAS(note.text, "remove it");
    end();
}

static void locked_by_somebody__busy_and_nothing_counted(void **state)
{
    (void)state;
    struct kw_state_dir *other = NULL;
    struct kw_pin_facts f = facts("1", "tok", 'a');
    struct kw_pin_verdict v;
    begin();
    CHECK_OK(kw_state_open(in_folder("state"), &other, NULL));
    CHECK_OK(kw_state_lock(other, NULL));
    CHECK_CODE(kw_pin_ask(&book, &f, &me, &v, &note), KW_CODE_BUSY);
    CHECK_HAS(note.text, "try again");
    CHECK_CODE(kw_pin_settled(&book, &f, &me, KW_PIN_WORKED, "", &note), KW_CODE_BUSY);
    kw_state_close(other);
    CHECK(look(&f).change == 0);
    CHECK(ask(&f) == KW_PIN_GO);
    end();
}

/* Without a /proc nobody can tell later whether its login still goes on, or that there
 * was one. */
static void asker_that_cannot_be_named__no_login_and_said(void **state)
{
    (void)state;
    struct kw_pin_facts f = facts("1", "tok", 'a');
    struct kw_pin_owner nobody = {.pid = 0};
    struct kw_pin_verdict v;
    begin();
    CHECK_CODE(kw_pin_ask(&book, &f, &nobody, &v, &note), KW_CODE_IO);
    CHECK_HAS(note.text, "/proc");
    CHECK(look(&f).change == 0);
    end();
}

/* ---- a state directory that cannot be written ----------------------------------------
 */

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

static void not_writable__pin_never_proven__no_login_and_said(void **state)
{
    (void)state;
    begin();
    assert_int_equal(as_user(never_proven_is_refused, false), 0);
    end();
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

static void not_writable__proven__marker_in_the_runtime_directory(void **state)
{
    (void)state;
    struct kw_pin_facts f = facts("1", "tok", 'a');
    begin();
    CHECK(ask(&f) == KW_PIN_GO);
    settled(&f, KW_PIN_WORKED);
    assert_int_equal(as_user(proven_goes_by_the_runtime_directory, false), 0);
    CHECK(look(&f).latched); /* the newer one counts, also when it can be written again */
    CHECK(ask(&f) == KW_PIN_STOP);
    struct kw_pin_lift lifts[KW_PIN_RECORDS_MAX];
    size_t n = 0;
    CHECK_OK(kw_pin_retry(&book, NULL, lifts, &n, &note));
    CHECK(n == 1 && lifts[0].lifted && !look(&f).latched);
    end();
}

static int proven_is_refused_too(void)
{
    struct kw_pin_facts f = facts("1", "tok", 'a');
    struct kw_pin_verdict v;
    kw_err e = kw_pin_ask(&book, &f, &me, &v, &note);
    return e.code == KW_CODE_IO && strstr(note.text, "no login is tried") ? 0 : 1;
}

static void neither_writable__proven__no_login_either(void **state)
{
    (void)state;
    struct kw_pin_facts f = facts("1", "tok", 'a');
    begin();
    CHECK(ask(&f) == KW_PIN_GO);
    settled(&f, KW_PIN_WORKED);
    assert_int_equal(as_user(proven_is_refused_too, true), 0);
    CHECK(ask(&f) == KW_PIN_GO); /* nothing was counted */
    end();
}

static void no_runtime_directory__state_alone(void **state)
{
    (void)state;
    struct kw_pin_facts f = facts("1", "tok", 'a');
    begin();
    book.runtime = "";
    CHECK(ask(&f) == KW_PIN_GO);
    settled(&f, KW_PIN_REFUSED);
    book.runtime = "/nonexistent";
    CHECK(ask(&f) == KW_PIN_STOP);
    end();
}

/* ---- asking --------------------------------------------------------------------------
 */

static void go__durable_who_tries_before_the_answer(void **state)
{
    (void)state;
    struct kw_blob text = {0};
    struct kw_pin_facts f = facts("00cafe", "tok", 'a');
    char want[64];
    begin();
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
    end();
}

static void all_that_is_remembered__reads_back(void **state)
{
    (void)state;
    struct kw_pin_facts f = facts("00cafe", "tok", 'a');
    begin();
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
    end();
}

static void serial__is_what_it_belongs_to__not_the_label(void **state)
{
    (void)state;
    struct kw_pin_facts f = facts("1", "tok", 'a'), renamed = facts("1", "new", 'a'),
                        other = facts("2", "tok", 'a'), none = facts("", "tok", 'a'),
                        none_other = facts("", "toc", 'a');
    begin();
    CHECK(ask(&f) == KW_PIN_GO);
    settled(&f, KW_PIN_REFUSED);
    CHECK(ask(&renamed) == KW_PIN_STOP);
    CHECK(ask(&other) == KW_PIN_GO);
    CHECK(ask(&none) == KW_PIN_GO);
    settled(&none, KW_PIN_REFUSED);
    CHECK(ask(&none) == KW_PIN_STOP);
    CHECK(ask(&none_other) == KW_PIN_GO);
    end();
}

/* An agent that flaps between two files. */
static void two_wrong_pins_by_turns__one_login_each_and_again_after_retry(void **state)
{
    (void)state;
    struct kw_pin_facts pins[] = {facts("1", "tok", 'a'), facts("1", "tok", 'b')};
    struct kw_pin_lift lifts[KW_PIN_RECORDS_MAX];
    size_t n = 0;
    begin();
    for (unsigned said = 0; said < 3; said++) {
        unsigned logins = 0;
        for (unsigned i = 0; i < 6; i++)
            if (ask(&pins[i % 2]) == KW_PIN_GO) {
                settled(&pins[i % 2], KW_PIN_REFUSED);
                logins++;
            }
        assert_int_equal(logins, 2);
        struct kw_pin_record r = look(&pins[0]);
        CHECK(r.latched && r.refused_count == 2);
        CHECK_STR(r.refused[0].label, "tok");
        CHECK(r.refused[1].mark.digest_len == 16 && r.refused[1].mark.digest[0] == 'b');
        CHECK_OK(kw_pin_retry(&book, NULL, lifts, &n, &note));
        CHECK(n == 1 && lifts[0].lifted && lifts[0].forgotten == 2);
    }
    end();
}

static void retry__nothing_is_stopped__forgets_what_was_refused(void **state)
{
    (void)state;
    struct kw_pin_facts wrong = facts("1", "tok", 'a'), right = facts("1", "tok", 'b');
    struct kw_pin_lift lifts[KW_PIN_RECORDS_MAX];
    size_t n = 0;
    begin();
    CHECK(ask(&wrong) == KW_PIN_GO);
    settled(&wrong, KW_PIN_REFUSED);
    CHECK(ask(&right) == KW_PIN_GO);
    settled(&right, KW_PIN_WORKED);
    CHECK_OK(kw_pin_retry(&book, NULL, lifts, &n, &note));
    CHECK(n == 1 && !lifts[0].lifted && lifts[0].forgotten == 1);
    CHECK(look(&right).proven && !look(&right).retry);
    CHECK_OK(kw_pin_retry(&book, NULL, lifts, &n, &note));
    CHECK(n == 1 && !lifts[0].lifted && lifts[0].forgotten == 0);
    CHECK(ask(&wrong) == KW_PIN_GO);
    end();
}

/* Its process is gone, another PIN was asked for, and only then the word comes. */
static void refused__told_after_another_pin_was_asked_for__remembered(void **state)
{
    (void)state;
    struct kw_pin_facts first = facts("1", "tok", 'a'), second = facts("1", "tok", 'b');
    begin();
    CHECK(ask(&first) == KW_PIN_GO);
    settled(&first, KW_PIN_WORKED);
    struct kw_pin_owner mine = me;
    me.start++; /* there is no such process any more */
    struct kw_pin_owner gone = me;
    CHECK(ask(&first) == KW_PIN_GO);
    me = mine;
    CHECK(ask(&second) == KW_PIN_GO);
    me = gone;
    settled(&first, KW_PIN_REFUSED);
    CHECK(look(&second).tried.pid == mine.pid && !look(&second).latched);
    me = mine;
    settled(&second, KW_PIN_WORKED);
    CHECK(look(&second).proven);
    CHECK(ask(&first) == KW_PIN_STOP);
    end();
}

/* 32 tokens, four refused PINs each, every text at its longest. */
static void everything_at_its_longest__written_and_read_again(void **state)
{
    (void)state;
    char serial[17], reason[200];
    begin();
    memset(reason, '"', sizeof reason - 1);
    reason[sizeof reason - 1] = '\0';
    for (unsigned i = 0; i < KW_PIN_RECORDS_MAX; i++) {
        snprintf(serial, sizeof serial, "%016u", i);
        for (char pin = 'a'; pin < 'e'; pin++) {
            struct kw_pin_facts f = facts(
                serial,
                "\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"", pin);
            CHECK(ask(&f) == KW_PIN_GO);
            CHECK_OK(kw_pin_settled(&book, &f, &me, KW_PIN_REFUSED, reason, &note));
        }
    }
    struct kw_pin_facts last = facts(serial, "other", 'z');
    CHECK(look(&last).refused_count == KW_PIN_REFUSED_MAX);
    CHECK(ask(&last) == KW_PIN_STOP);
    end();
}

static void another_login_under_way__wait_and_its_orphan_is_stopped(void **state)
{
    (void)state;
    struct kw_pin_facts f = facts("1", "tok", 'a');
    struct kw_pin_owner mine = me;
    int gate[2], status = 0;
    char byte;
    begin();
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
    end();
}

/* A sandbox that shows processes and nothing else: the boot has no name there. */
static void another_login_in_a_boot_without_a_name__wait(void **state)
{
    (void)state;
    struct kw_pin_facts f = facts("1", "tok", 'a');
    begin();
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
    end();
}

static void vendors_bytes_in_a_reason__written_all_the_same(void **state)
{
    (void)state;
    struct kw_pin_facts f = facts("1", "tok", 'a');
    begin();
    CHECK(ask(&f) == KW_PIN_GO);
    CHECK_OK(kw_pin_settled(&book, &f, &me, KW_PIN_REFUSED, "a\nb\x1b\xff", &note));
    CHECK_STR(look(&f).reason, "a?b??");
    end();
}

static void more_tokens_than_fit__the_oldest_that_is_not_stopped_makes_room(void **state)
{
    (void)state;
    char serial[17];
    struct kw_pin_verdict v;
    begin();
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
    end();
}

/* ---- retry, and who looks ------------------------------------------------------------
 */

static void retry__by_label_or_serial_or_all__one_try(void **state)
{
    (void)state;
    struct kw_pin_facts a = facts("1", "one", 'a'), b = facts("2", "two", 'a');
    struct kw_pin_lift lifts[KW_PIN_RECORDS_MAX];
    size_t n = 9;
    begin();
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
    end();
}

static void retry__login_that_nobody_settled__lifted_too(void **state)
{
    (void)state;
    struct kw_pin_facts f = facts("1", "one", 'a');
    struct kw_pin_lift lifts[KW_PIN_RECORDS_MAX];
    size_t n = 0;
    begin();
    me.start++; /* there is no such process any more */
    CHECK(ask(&f) == KW_PIN_GO);
    me.start--;
    CHECK_OK(kw_pin_retry(&book, NULL, lifts, &n, &note));
    CHECK(n == 1 && lifts[0].lifted);
    CHECK_HAS(lifts[0].reason, "began a login");
    CHECK(ask(&f) == KW_PIN_GO);
    end();
}

static void changed__seen_once_and_again_after_the_next_write(void **state)
{
    (void)state;
    struct kw_pin_stamp seen = {.state = {.dev = 0}};
    struct kw_pin_facts f = facts("1", "one", 'a');
    begin();
    CHECK(!kw_pin_changed(&book, &seen));
    CHECK(ask(&f) == KW_PIN_GO);
    CHECK(kw_pin_changed(&book, &seen) && !kw_pin_changed(&book, &seen));
    settled(&f, KW_PIN_WORKED);
    CHECK(kw_pin_changed(&book, &seen) && !kw_pin_changed(&book, &seen));
    end();
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
         CASE(two_wrong_pins_by_turns__one_login_each_and_again_after_retry),
         CASE(retry__nothing_is_stopped__forgets_what_was_refused),
         CASE(refused__told_after_another_pin_was_asked_for__remembered),
         CASE(everything_at_its_longest__written_and_read_again),
         CASE(another_login_under_way__wait_and_its_orphan_is_stopped),
         CASE(another_login_in_a_boot_without_a_name__wait),
         CASE(vendors_bytes_in_a_reason__written_all_the_same),
         CASE(more_tokens_than_fit__the_oldest_that_is_not_stopped_makes_room),
         CASE(retry__by_label_or_serial_or_all__one_try),
         CASE(retry__login_that_nobody_settled__lifted_too),
         CASE(changed__seen_once_and_again_after_the_next_write))
