/* SPDX-License-Identifier: Apache-2.0 */
/* A daemon of the test's own listens, and is well, silent, cut short or another program. */
#include "check.h"

#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <event2/event.h>

#include <keyward/alloc.h>
#include <keyward/limits.h>

#include "status_look.h"

struct looking {
    struct event_base *loop;
    struct kw_fake_clock fake;
    struct kw_clock clock;
    struct kw_status_look *look;
    char dir[64], path[96];
    int listening;
    unsigned told, good;
    char why[256];
};

static void was_told(void *ctx, const json_t *document, const char *why)
{
    struct looking *l = ctx;
    l->told++;
    l->good += document != NULL;
    snprintf(l->why, sizeof l->why, "%s", why);
}

static void looking_begin(struct looking *l)
{
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    *l = (struct looking){.loop = event_base_new(), .fake.now_ns = KW_S_NS};
    l->clock = kw_fake_clock(&l->fake);
    snprintf(l->dir, sizeof l->dir, "/tmp/kw-look-XXXXXX");
    CHECK(mkdtemp(l->dir) != NULL);
    snprintf(l->path, sizeof l->path, "%s/s", l->dir);
    CHECK(kw_copy_str(at.sun_path, sizeof at.sun_path, kw_span_str(l->path)));
    l->listening = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    CHECK(bind(l->listening, (const struct sockaddr *)&at, sizeof at) == 0);
    CHECK(listen(l->listening, 8) == 0);
    CHECK_OK(kw_status_look_new(l->loop, &l->clock, l->path, &l->look));
}

static void looking_end(struct looking *l)
{
    kw_status_look_free(l->look);
    event_base_free(l->loop);
    close(l->listening);
    unlink(l->path);
    rmdir(l->dir);
}

static void turn(struct looking *l)
{
    while (l->told == 0)
        CHECK(event_base_loop(l->loop, EVLOOP_ONCE) >= 0);
}

/* The daemon says this and closes. */
static void daemon_says(const struct looking *l, const char *text)
{
    int fd = accept(l->listening, NULL, NULL);
    CHECK(fd >= 0);
    CHECK(send(fd, text, strlen(text), MSG_NOSIGNAL) == (ssize_t)strlen(text));
    close(fd);
}

#define DOCUMENT "{\"version\":\"1\",\"classes\":[]}"

TEST(ask__nobody_listens__silent_at_once_and_why)
{
    struct looking l;
    looking_begin(&l);
    CHECK(unlink(l.path) == 0);
    CHECK_OK(kw_status_look_ask(l.look, was_told, &l));
    CHECK(l.told == 1 && l.good == 0);
    CHECK_STR(l.why, "No such file or directory");
    looking_end(&l);
}

TEST(ask__what_is_no_whole_document__silent)
{
    static const char *const rows[] = {
        "",
        "{",
        "[]",
        "{\"version\":\"1\"}",
        "{\"version\":1,\"classes\":[]}",
        "{\"version\":\"1\",\"version\":\"1\",\"classes\":[]}",
        "{\"version\":\"1\",\"classes\":[]}x",
        "SSH-2.0-OpenSSH\r\n"};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct looking l;
        looking_begin(&l);
        CHECK_OK(kw_status_look_ask(l.look, was_told, &l));
        daemon_says(&l, rows[i]);
        turn(&l);
        CHECK(l.told == 1 && l.good == 0);
        CHECK(l.why[0] != '\0');
        looking_end(&l);
    }
}

TEST(ask__more_than_a_document_may_be__silent)
{
    struct looking l;
    looking_begin(&l);
    CHECK_OK(kw_status_look_ask(l.look, was_told, &l));
    int fd = accept(l.listening, NULL, NULL);
    static char blanks[4096];
    memset(blanks, ' ', sizeof blanks);
    while (l.told == 0) {
        (void)send(fd, blanks, sizeof blanks, MSG_NOSIGNAL | MSG_DONTWAIT);
        CHECK(event_base_loop(l.loop, EVLOOP_NONBLOCK) >= 0);
    }
    CHECK_STR(l.why, "the answer is too long");
    close(fd);
    looking_end(&l);
}

TEST(ask__it_trickles__silent_when_the_time_for_all_of_it_is_over)
{
    struct looking l;
    looking_begin(&l);
    CHECK_OK(kw_status_look_ask(l.look, was_told, &l));
    int fd = accept(l.listening, NULL, NULL);
    CHECK(send(fd, "{", 1, MSG_NOSIGNAL) == 1);
    l.fake.now_ns += KW_LOOK_TIME_NS;
    turn(&l);
    CHECK(l.good == 0);
    CHECK_STR(l.why, "no answer came in time: the daemon hangs");
    close(fd);
    looking_end(&l);
}

TEST(ask__good_document__told_to_all_who_wait_with_one_look)
{
    struct looking l;
    looking_begin(&l);
    CHECK_OK(kw_status_look_ask(l.look, was_told, &l));
    CHECK_OK(kw_status_look_ask(l.look, was_told, &l));
    daemon_says(&l, DOCUMENT);
    turn(&l);
    CHECK(l.told == 2 && l.good == 2);
    looking_end(&l);
}

TEST(ask__again_within_a_second__the_same_and_later_a_new_one)
{
    struct looking l;
    looking_begin(&l);
    CHECK_OK(kw_status_look_ask(l.look, was_told, &l));
    daemon_says(&l, DOCUMENT);
    turn(&l);
    l.fake.now_ns += KW_LOOK_EVERY_NS - 1;
    CHECK_OK(kw_status_look_ask(l.look, was_told, &l));
    CHECK(l.told == 2 && l.good == 2);
    l.fake.now_ns++;
    l.told = 0;
    CHECK_OK(kw_status_look_ask(l.look, was_told, &l));
    CHECK(l.told == 0);
    daemon_says(&l, "");
    turn(&l);
    CHECK(l.told == 1 && l.good == 2);
    looking_end(&l);
}

TEST(ask__one_more_than_may_wait__busy_until_one_is_forgotten)
{
    struct looking l;
    looking_begin(&l);
    for (unsigned i = 0; i < KW_LOOK_WAITING_MAX; i++)
        CHECK_OK(kw_status_look_ask(l.look, was_told, &l));
    CHECK_CODE(kw_status_look_ask(l.look, was_told, &l), KW_CODE_BUSY);
    kw_status_look_forget(l.look, &l);
    CHECK_OK(kw_status_look_ask(l.look, was_told, &l));
    daemon_says(&l, DOCUMENT);
    turn(&l);
    CHECK(l.told == 1);
    looking_end(&l);
}

KW_SUITE("provider/exporter/status-look")
