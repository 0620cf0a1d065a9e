/* SPDX-License-Identifier: Apache-2.0 */
/* What the service manager hears, at a socket of our own. */
#include "check.h"

#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "daemon_fakes.h"

static uint64_t beats;

uint64_t kw_rpc_beats(const struct kw_rpc *rpc)
{
    (void)rpc;
    return beats;
}

struct manager {
    struct kw_daemon d;
    struct kw_config config;
    char folder[32], socket[64]; /* as NOTIFY_SOCKET has it */
    int fd;
};

static void set(const char *name, const char *value)
{
    CHECK((value == NULL ? unsetenv(name) : setenv(name, value, 1)) == 0);
}

static void manager_begin(struct manager *m)
{
    *m = (struct manager){.folder = "/tmp/keyward-notify-XXXXXX", .fd = -1};
    CHECK(mkdtemp(m->folder) != NULL);
    snprintf(m->socket, sizeof m->socket, "%s/s", m->folder);
    daemon_begin(&m->d, &m->config);
    set("NOTIFY_SOCKET", NULL);
    set("WATCHDOG_USEC", NULL);
    set("WATCHDOG_PID", NULL);
}

static void manager_end(struct manager *m)
{
    daemon_end(&m->d);
    if (m->fd >= 0)
        close(m->fd);
    unlink(m->socket);
    CHECK(rmdir(m->folder) == 0);
}

/* Binds m->socket, and says so in the environment. */
static void manager_listen(struct manager *m)
{
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    size_t len = strlen(m->socket);
    CHECK(len < sizeof at.sun_path);
    kw_copy(at.sun_path, sizeof at.sun_path, kw_span_str(m->socket));
    if (at.sun_path[0] == '@')
        at.sun_path[0] = '\0';
    m->fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    CHECK(m->fd >= 0);
    CHECK(bind(m->fd, (const struct sockaddr *)&at,
               (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len)) == 0);
    set("NOTIFY_SOCKET", m->socket);
}

/* The next datagram; "" when there is none.  A datagram is there once it is sent. */
static const char *heard(const struct manager *m)
{
    static char text[128];
    ssize_t n = recv(m->fd, text, sizeof text - 1, MSG_DONTWAIT);
    text[n > 0 ? n : 0] = '\0';
    return text;
}

TEST(open__no_socket_named__nothing_happens)
{
    struct manager m;
    manager_begin(&m);
    kw_notify_open(&m.d);
    kw_notify(&m.d, "READY=1");
    CHECK(m.d.notify_fd == -1);
    CHECK_STR(daemon_log_look(), "");
    manager_end(&m);
}

TEST(open__name_of_no_socket__not_taken)
{
    struct manager m;
    char longer[200];
    manager_begin(&m);
    memset(longer, 'a', sizeof longer - 1);
    longer[0] = '/';
    longer[sizeof longer - 1] = '\0';
    const char *const rows[] = {"relative", "vsock:2:1234", longer};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        set("NOTIFY_SOCKET", rows[i]);
        kw_notify_open(&m.d);
        CHECK(m.d.notify_fd == -1);
        CHECK_HAS(daemon_log_look(), "event=notify-unreachable");
    }
    manager_end(&m);
}

TEST(open__nobody_listens__said_and_not_taken)
{
    struct manager m;
    manager_begin(&m);
    set("NOTIFY_SOCKET", m.socket);
    kw_notify_open(&m.d);
    CHECK(m.d.notify_fd == -1);
    const char *log = daemon_log_look();
    CHECK_HAS(log, "level=warn event=notify-unreachable");
    CHECK_HAS(log, m.socket);
    manager_end(&m);
}

TEST(notify__the_listener_is_gone__said_and_no_signal)
{
    struct manager m;
    manager_begin(&m);
    manager_listen(&m);
    kw_notify_open(&m.d);
    CHECK(m.d.notify_fd >= 0);
    close(m.fd);
    m.fd = -1;
    kw_notify(&m.d, "READY=1");
    CHECK_HAS(daemon_log_look(), "event=notify-failed");
    manager_end(&m);
}

TEST(notify__path__heard_word_by_word)
{
    struct manager m;
    manager_begin(&m);
    manager_listen(&m);
    kw_notify_open(&m.d);
    kw_notify(&m.d, "READY=1\nSTATUS=up");
    kw_notify(&m.d, "STOPPING=1");
    CHECK_STR(heard(&m), "READY=1\nSTATUS=up");
    CHECK_STR(heard(&m), "STOPPING=1");
    CHECK_STR(heard(&m), "");
    CHECK_STR(daemon_log_look(), "");
    manager_end(&m);
}

TEST(notify__abstract_name__heard)
{
    struct manager m;
    manager_begin(&m);
    snprintf(m.socket, sizeof m.socket, "@%s", m.folder);
    manager_listen(&m);
    kw_notify_open(&m.d);
    kw_notify(&m.d, "READY=1");
    CHECK_STR(heard(&m), "READY=1");
    manager_end(&m);
}

TEST(watchdog__not_asked_for_or_nobody_to_tell__none)
{
    struct manager m;
    manager_begin(&m);
    set("WATCHDOG_USEC", "30000000");
    kw_notify_watchdog(&m.d); /* without a socket */
    CHECK(m.d.watchdog == NULL);
    set("WATCHDOG_USEC", NULL);
    manager_listen(&m);
    kw_notify_open(&m.d);
    kw_notify_watchdog(&m.d);
    CHECK(m.d.watchdog == NULL);
    CHECK_STR(daemon_log_look(), "");
    manager_end(&m);
}

TEST(watchdog__meant_for_another_process__none)
{
    struct manager m;
    char pid[32];
    manager_begin(&m);
    manager_listen(&m);
    kw_notify_open(&m.d);
    set("WATCHDOG_USEC", "30000000");
    for (int i = 0; i < 2; i++) {
        snprintf(pid, sizeof pid, i == 0 ? "%d" : "%dx", (int)getpid() + (i == 0));
        set("WATCHDOG_PID", pid);
        kw_notify_watchdog(&m.d);
        CHECK(m.d.watchdog == NULL);
    }
    manager_end(&m);
}

TEST(watchdog__too_short_or_no_number__ignored_and_said)
{
    static const char *const rows[] = {"2999999", "0",   "-30000000", "30s",
                                       "x",       "3e7", " "};
    struct manager m;
    manager_begin(&m);
    manager_listen(&m);
    kw_notify_open(&m.d);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        set("WATCHDOG_USEC", rows[i]);
        kw_notify_watchdog(&m.d);
        CHECK(m.d.watchdog == NULL);
        CHECK_HAS(daemon_log_look(), "event=watchdog-ignored");
    }
    manager_end(&m);
}

TEST(watchdog__three_seconds__every_one_and_a_half)
{
    struct manager m;
    char pid[32];
    manager_begin(&m);
    manager_listen(&m);
    kw_notify_open(&m.d);
    set("WATCHDOG_USEC", "3000000");
    snprintf(pid, sizeof pid, "%d", (int)getpid());
    set("WATCHDOG_PID", pid);
    kw_notify_watchdog(&m.d);
    CHECK(m.d.watchdog != NULL);
    assert_int_equal(timer_set.tv_sec, 1);
    assert_int_equal(timer_set.tv_usec, 500000);
    manager_end(&m);
}

TEST(watchdog__rpc_thread_silent__not_fed_until_it_beats)
{
    struct manager m;
    manager_begin(&m);
    manager_listen(&m);
    kw_notify_open(&m.d);
    set("WATCHDOG_USEC", "30000000");
    kw_notify_watchdog(&m.d);
    beats = 7;
    timer_run(&m.d, m.d.watchdog);
    CHECK_STR(heard(&m), "WATCHDOG=1");
    timer_run(&m.d, m.d.watchdog);
    CHECK_STR(heard(&m), "");
    CHECK_HAS(daemon_log_look(), "level=error event=rpc-thread-silent");
    beats = 8;
    timer_run(&m.d, m.d.watchdog);
    CHECK_STR(heard(&m), "WATCHDOG=1");
    CHECK_STR(daemon_log_look(), "");
    manager_end(&m);
}

KW_CASES("provider/daemon/notify", CASE(open__no_socket_named__nothing_happens),
         CASE(open__name_of_no_socket__not_taken),
         CASE(open__nobody_listens__said_and_not_taken),
         CASE(notify__the_listener_is_gone__said_and_no_signal),
         CASE(notify__path__heard_word_by_word), CASE(notify__abstract_name__heard),
         CASE(watchdog__not_asked_for_or_nobody_to_tell__none),
         CASE(watchdog__meant_for_another_process__none),
         CASE(watchdog__too_short_or_no_number__ignored_and_said),
         CASE(watchdog__three_seconds__every_one_and_a_half),
         CASE(watchdog__rpc_thread_silent__not_fed_until_it_beats))
