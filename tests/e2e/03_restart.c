/* SPDX-License-Identifier: Apache-2.0 */
/* 03: what a restart keeps (the keys, the marks) and what it forgets (the seeds). */
#include "acts.h"

#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include <keyward/state.h>

static struct kw_client_reply sealed, reply;
static const uint8_t seed[32] = "thirty-two bytes of a test seed";

static void opens(struct instance *h)
{
    struct kw_client *c = instance_client(h, h->secrets);
    kw_client_reply_wipe(&reply);
    CHECK_OK(kw_client_decrypt(c, kw_span_of(sealed.ciphertext, sealed.ciphertext_len),
                               kw_span_str(sealed.key_id), "a-uid", 10 * KW_S_NS,
                               &reply));
    assert_int_equal(reply.grpc_status, 0);
    CHECK(kw_span_equal(kw_secret_peek(&reply.plaintext), kw_span_of(seed, 32)));
    kw_client_reply_wipe(&reply);
    kw_client_close(c);
}

TEST(restart__after_sigterm_and_after_sigkill__still_opens)
{
    INSTANCE_AND_ARENA(h, NULL);
    instance_up(&h);
    struct kw_client *c = instance_client(&h, h.secrets);
    instance_encrypt(c, kw_span_of(seed, 32), &sealed);
    kw_client_close(c);
    assert_int_equal(instance_stop(&h), 0);
    instance_up(&h);
    opens(&h);
    instance_signal(&h, SIGKILL); /* the daemon, which never logs in */
    assert_int_equal(instance_wait_end(&h), 128 + SIGKILL);
    instance_up(&h); /* over the stale socket files */
    opens(&h);
    instance_destroy(&h);
}

TEST(restart__one_client_all_along__reconnects_by_itself)
{
    INSTANCE_AND_ARENA(h, NULL);
    instance_up(&h);
    struct kw_client *c = instance_client(&h, h.secrets);
    instance_round_trip(c);
    assert_int_equal(instance_stop(&h), 0);
    instance_up(&h);
    /* gRPC core's client looks at an idle connection only when it is used again, so this
     * call may be the one that finds it closed; from then on it is connected anew. */
    CHECK_OK(kw_client_status(c, 10 * KW_S_NS, &reply));
    CHECK(reply.grpc_status == 0 || reply.grpc_status == 14);
    instance_round_trip(c);
    kw_client_close(c);
    instance_destroy(&h);
}

/* A mark that cannot be written would let an older keyring in after the next restart. */
TEST(state__not_writable__said_and_tried_again)
{
    char out[8192];
    INSTANCE(h, NULL);
    CHECK(chmod(h.state, 0500) == 0);
    size_t mark = instance_mark(&h);
    instance_start(&h, NULL);
    mark = instance_await(&h, mark, NULL, "event=state-not-written", NULL);
    assert_int_equal(instance_tool(&h, out, sizeof out, "status", NULL), 1);
    CHECK_HAS(out, "the state directory does not hold what it should");
    CHECK(chmod(h.state, 0700) == 0);
    instance_await(&h, mark, NULL, "event=keyring-proven", NULL);
    assert_int_equal(instance_tool(&h, out, sizeof out, "status", NULL), 0);
    instance_destroy(&h);
}

static void in_state(const struct instance *h, const char *name, char dst[256])
{
    snprintf(dst, 256, "%s/%s", h->state, name);
}

/* Marks above the last good copy would refuse it at a start without the file. */
TEST(state__copy_not_written__marks_wait_for_it)
{
    char copy[256], marks[256];
    INSTANCE(h, NULL);
    in_state(&h, "keyring.json", copy);
    in_state(&h, "marks.json", marks);
    CHECK(mkdir(copy, 0700) == 0); /* no file can be renamed over it */
    size_t mark = instance_mark(&h);
    instance_start(&h, NULL);
    mark = instance_await(&h, mark, NULL, "event=state-not-written", NULL);
    CHECK(access(marks, F_OK) != 0);
    CHECK(rmdir(copy) == 0);
    instance_await(&h, mark, NULL, "event=keyring-proven", NULL);
    CHECK(access(marks, F_OK) == 0 && access(copy, F_OK) == 0);
    instance_destroy(&h);
}

static void put_back(const struct instance *h, const char *saved)
{
    char beside[256];
    snprintf(beside, sizeof beside, "%s.new", h->keyring);
    CHECK(link(saved, beside) == 0 && rename(beside, h->keyring) == 0);
}

/* What this process has served stays known to it. */
TEST(state__not_writable__an_older_keyring_is_refused_all_the_same)
{
    char saved[256], out[8192];
    const char *line;
    INSTANCE(h, NULL);
    instance_do(&h, "key", "create", NULL);
    instance_do(&h, "key", "accept", "2", NULL);
    snprintf(saved, sizeof saved, "%s.saved", h.keyring);
    CHECK(link(h.keyring, saved) == 0);
    instance_up(&h);
    CHECK(chmod(h.state, 0500) == 0); /* the tool cannot write there either */
    assert_int_equal(instance_tool(&h, out, sizeof out, "key", "activate", "2",
                                   "--only-copy", "--now", "--baseline", NULL),
                     3);
    CHECK_HAS(out, "the baseline is moved");
    size_t mark = instance_mark(&h);
    instance_signal(&h, SIGHUP);
    mark = instance_await(&h, mark, NULL, "event=state-not-written", NULL);
    put_back(&h, saved);
    instance_signal(&h, SIGHUP);
    mark = instance_await(&h, mark, &line, "event=keyring-", NULL);
    CHECK_HAS(line, "event=keyring-rejected");
    CHECK_HAS(line, "an older file was put back");
    CHECK(chmod(h.state, 0700) == 0);
    instance_await(&h, mark, NULL, "event=keyring-proven", "active=2", NULL);
    instance_destroy(&h);
}

/* It wraps with 2 and then with 3, and can write neither down. */
TEST(state__wrapped_while_not_writable__written_when_it_is_again)
{
    struct kw_marks marks;
    struct kw_state_dir *dir = NULL;
    char out[8192];
    INSTANCE(h, NULL);
    for (const char *n = "2"; n[0] <= '3'; n = n[0] == '2' ? "3" : "4") {
        instance_do(&h, "key", "create", NULL);
        instance_do(&h, "key", "accept", n, NULL);
    }
    size_t mark = instance_mark(&h);
    instance_start(&h, NULL);
    mark = instance_await(&h, mark, NULL, "event=keyring-proven", "active=1", NULL);
    CHECK(chmod(h.state, 0500) == 0);
    for (const char *n = "2"; n[0] <= '3'; n = n[0] == '2' ? "3" : "4") {
        assert_int_equal(instance_tool(&h, out, sizeof out, "key", "activate", n,
                                       "--only-copy", "--now", "--baseline", NULL),
                         3);
        instance_signal(&h, SIGHUP);
        snprintf(out, sizeof out, "active=%s", n);
        mark = instance_await(&h, mark, NULL, "event=keyring-in-use", out, NULL);
        mark = instance_await(&h, mark, NULL, "event=state-not-written", NULL);
    }
    CHECK(chmod(h.state, 0700) == 0);
    instance_await(&h, mark, NULL, "event=keyring-proven", "active=3", NULL);
    CHECK_OK(kw_state_open(h.state, &dir, NULL));
    CHECK_OK(kw_state_marks(dir, &marks, NULL));
    kw_state_close(dir);
    for (uint32_t n = 1; n <= 3; n++)
        CHECK(kw_marks_of(&marks, n)->wrapped);
    instance_destroy(&h);
}

static void keyring_away(const struct instance *h)
{
    char away[160];
    snprintf(away, sizeof away, "%s/away.json", h->dir);
    CHECK(rename(h->keyring, away) == 0);
}

static void keyring_back(const struct instance *h)
{
    char away[160];
    snprintf(away, sizeof away, "%s/away.json", h->dir);
    CHECK(rename(away, h->keyring) == 0);
}

TEST(start__no_keyring__looked_for_until_it_comes_and_no_login_before)
{
    const char *line;
    INSTANCE_AND_ARENA(h, NULL);
    instance_fault_between(&h);
    keyring_away(&h);
    size_t begin = instance_mark(&h);
    instance_start(&h, NULL);
    size_t mark = instance_await(&h, begin, &line, "event=keyring-rejected",
                                 "is not there", "copy it here", NULL);
    CHECK_HAS(line, "keyward key create says what else can be done");
    CHECK(strstr(line, "last good one") == NULL); /* there is none */
    mark = instance_await(&h, mark, NULL, "event=keyring-sought", NULL);
    mark = instance_await(&h, mark, NULL, "event=keyring-sought", NULL);
    CHECK_HAS(instance_read_status(&h, 1), "no keyring is in use");
    assert_int_equal(instance_count(&h, begin, "event=keyring-rejected"), 1);
    assert_int_equal(instance_count(&h, begin, "event=worker-started"), 0);
    assert_int_equal(instance_fault_count(&h, "C_Login"), 0);
    keyring_back(&h);
    instance_await(&h, mark, NULL, "event=hsm-state", "to=up", NULL);
    struct kw_client *c = instance_client(&h, h.secrets);
    instance_round_trip(c);
    kw_client_close(c);
    instance_await(&h, mark, NULL, "event=keyring-proven", NULL);
    instance_read_status(&h, 0);
    instance_destroy(&h);
}

TEST(start__no_keyring__last_good_serves_and_the_file_needs_no_new_workers)
{
    INSTANCE(h, NULL);
    size_t mark = instance_mark(&h);
    instance_start(&h, NULL);
    instance_await(&h, mark, NULL, "event=keyring-proven", NULL);
    assert_int_equal(instance_stop(&h), 0);
    keyring_away(&h);
    instance_up(&h);
    instance_await_workers(&h, 2);
    mark = instance_mark(&h);
    CHECK_HAS(instance_read_status(&h, 1), "the keyring before it serves");
    CHECK_HAS(instance_read_status(&h, 1), "or put back this node's last good one");
    keyring_back(&h);
    instance_await(&h, mark, NULL, "event=keyring-loaded", "looked for again", NULL);
    instance_read_status(&h, 0);
    assert_int_equal(instance_count(&h, mark, "event=worker-started"), 0);
    instance_destroy(&h);
}

/* What is wrong may be a folder's mode: then the file itself does not change. */
TEST(start__keyring_that_others_can_change__taken_when_cured)
{
    INSTANCE(h, NULL);
    CHECK(chmod(h.keyring, 0666) == 0);
    size_t mark = instance_mark(&h);
    instance_start(&h, NULL);
    mark = instance_await(&h, mark, NULL, "event=keyring-rejected", "mode 0666", NULL);
    CHECK(chmod(h.keyring, 0644) == 0 && chmod(h.dir, 0777) == 0);
    mark = instance_await(&h, mark, NULL, "event=keyring-rejected", "mode 0777", NULL);
    CHECK(chmod(h.dir, 0755) == 0);
    instance_await(&h, mark, NULL, "event=hsm-state", "to=up", NULL);
    instance_destroy(&h);
}

TEST(start__last_good_refused_too__both_reasons_said)
{
    char copy[256];
    INSTANCE(h, NULL);
    size_t mark = instance_mark(&h);
    instance_start(&h, NULL);
    instance_await(&h, mark, NULL, "event=keyring-proven", NULL);
    assert_int_equal(instance_stop(&h), 0);
    in_state(&h, "keyring.json", copy);
    instance_write(copy, "{\"keyring\": 1");
    keyring_away(&h);
    mark = instance_mark(&h);
    instance_start(&h, NULL);
    mark = instance_await(&h, mark, NULL, "event=last-good-refused", "keyring.json",
                          "line 1", NULL);
    CHECK_HAS(instance_read_status(&h, 1), "its last good copy is refused too");
    keyring_back(&h);
    instance_await(&h, mark, NULL, "event=keyring-proven", NULL);
    instance_read_status(&h, 0);
    instance_destroy(&h);
}

KW_CASES("03-restart", CASE(restart__after_sigterm_and_after_sigkill__still_opens),
         CASE(restart__one_client_all_along__reconnects_by_itself),
         CASE(state__not_writable__said_and_tried_again),
         CASE(state__copy_not_written__marks_wait_for_it),
         CASE(state__wrapped_while_not_writable__written_when_it_is_again),
         CASE(state__not_writable__an_older_keyring_is_refused_all_the_same),
         CASE(start__no_keyring__looked_for_until_it_comes_and_no_login_before),
         CASE(start__no_keyring__last_good_serves_and_the_file_needs_no_new_workers),
         CASE(start__keyring_that_others_can_change__taken_when_cured),
         CASE(start__last_good_refused_too__both_reasons_said))
