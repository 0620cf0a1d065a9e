/* SPDX-License-Identifier: Apache-2.0 */
/* When the keyring file is read again without being asked for. */
#include "check.h"

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "daemon_fakes.h"

static int reloads;

void kw_reload_again(struct kw_daemon *d)
{
    (void)d;
    reloads++;
}

struct seeker {
    struct kw_daemon d;
    struct kw_config config;
    char folder[32], path[64], next[64];
};

static void seeker_begin(struct seeker *s)
{
    *s = (struct seeker){.folder = "/tmp/keyward-seek-XXXXXX"};
    CHECK(mkdtemp(s->folder) != NULL);
    snprintf(s->path, sizeof s->path, "%s/keyring.json", s->folder);
    snprintf(s->next, sizeof s->next, "%s/next", s->folder);
    s->config.keyring = s->path;
    daemon_begin(&s->d, &s->config);
    reloads = 0;
    kw_seek_begin(&s->d);
}

static void seeker_end(struct seeker *s)
{
    kw_seek_end(&s->d);
    daemon_end(&s->d);
    unlink(s->path);
    CHECK(rmdir(s->folder) == 0);
}

/* One look; true when the file was read again. */
static bool looks(struct seeker *s)
{
    int before = reloads;
    timer_run(&s->d, s->d.seek);
    return reloads != before;
}

/* Another file in its place, as install and mv make one. */
static void put(struct seeker *s, const char *text)
{
    int fd = open(s->next, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    CHECK(fd >= 0);
    CHECK(write(fd, text, strlen(text)) == (ssize_t)strlen(text));
    close(fd);
    CHECK(rename(s->next, s->path) == 0);
}

/* The last good copy serves: never looked into. */
static void serve(struct seeker *s)
{
    static struct kw_keyring *ring; /* an address that is not NULL */
    s->d.ring = (struct kw_keyring *)(void *)&ring;
}

TEST(look__nothing_serves__read_each_time)
{
    struct seeker s;
    seeker_begin(&s);
    for (int i = 0; i < 3; i++)
        CHECK(looks(&s));
    CHECK_HAS(daemon_log_look(), "event=keyring-sought errno=2");
    put(&s, "a");
    for (int i = 0; i < 3; i++)
        CHECK(looks(&s));
    seeker_end(&s);
}

TEST(look__last_good_serves_and_the_same_file__not_read)
{
    struct seeker s;
    seeker_begin(&s);
    serve(&s);
    CHECK(looks(&s));  /* the first one is news */
    CHECK(!looks(&s)); /* still missing */
    put(&s, "a");
    CHECK(looks(&s));
    CHECK(!looks(&s));
    seeker_end(&s);
}

TEST(look__last_good_serves_and_another_file__read)
{
    struct seeker s;
    seeker_begin(&s);
    put(&s, "a");
    serve(&s);
    CHECK(looks(&s));
    put(&s, "b"); /* as long as the other */
    CHECK(looks(&s));
    CHECK(truncate(s.path, 7) == 0);
    CHECK(looks(&s));
    CHECK(unlink(s.path) == 0);
    CHECK(looks(&s));
    CHECK(!looks(&s));
    seeker_end(&s);
}

TEST(look__stopping__not_read)
{
    struct seeker s;
    seeker_begin(&s);
    s.d.stopping = true;
    CHECK(!looks(&s));
    put(&s, "a");
    CHECK(!looks(&s));
    seeker_end(&s);
}

TEST(begin__every_two_seconds)
{
    struct seeker s;
    seeker_begin(&s);
    assert_int_equal(timer_set.tv_sec, 2);
    assert_int_equal(timer_set.tv_usec, 0);
    CHECK(event_get_events(s.d.seek) & EV_PERSIST);
    seeker_end(&s);
}

TEST(end__twice_or_never_begun__nothing)
{
    struct seeker s;
    seeker_begin(&s);
    kw_seek_end(&s.d);
    CHECK(s.d.seek == NULL);
    kw_seek_end(&s.d);
    seeker_end(&s);
}

KW_CASES("provider/daemon/seek", CASE(look__nothing_serves__read_each_time),
         CASE(look__last_good_serves_and_the_same_file__not_read),
         CASE(look__last_good_serves_and_another_file__read),
         CASE(look__stopping__not_read), CASE(begin__every_two_seconds),
         CASE(end__twice_or_never_begun__nothing))
