/* SPDX-License-Identifier: Apache-2.0 */
/* 27: keywardd is replaced while its clients go on.  The case plays the service manager: it
 * keeps the listening sockets, and each keywardd gets them (sd_listen_fds(3)). */
#include "acts.h"
#include "load.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <keyward/env.h>

enum { FIRST_FD = 3, HIGH_FD = 200, SOCKETS = 2, RESTARTS = 5, THREADS = 32 };

static int kept[SOCKETS];

static int listening(const char *path)
{
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    kw_copy_str(at.sun_path, sizeof at.sun_path, kw_span_str(path));
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    CHECK(fd >= 0 && bind(fd, (const struct sockaddr *)&at, sizeof at) == 0 &&
          chmod(path, 0660) == 0 && listen(fd, 128) == 0);
    return fd;
}

/* In the child that becomes the daemon. */
static void pass_on(void *ctx)
{
    char pid[16];
    (void)ctx;
    snprintf(pid, sizeof pid, "%ld", (long)getpid());
    for (int i = 0; i < SOCKETS; i++)
        if (fcntl(kept[i], F_DUPFD, HIGH_FD + i) != HIGH_FD + i)
            _exit(125);
    for (int i = 0; i < SOCKETS; i++)
        if (dup2(HIGH_FD + i, FIRST_FD + i) < 0 || close(HIGH_FD + i) != 0)
            _exit(125);
    if (!kw_env_give("LISTEN_PID", pid))
        _exit(125);
}

static void keep_sockets(struct instance *h)
{
    kept[0] = listening(h->secrets);
    kept[1] = listening(h->bulk);
    CHECK(kw_env_give("LISTEN_FDS", "2") &&
          kw_env_give("LISTEN_FDNAMES", "secrets:bulk"));
    h->in_child = pass_on;
}

static void restart(struct instance *h)
{
    assert_int_equal(instance_stop(h), 0);
    instance_up(h);
}

/* On a machine that has no time for the clients within the daemon's two seconds calls may
 * fail, and the daemon says that it left some behind. */
static void all_good(const struct load_counts *counts, const char *name, bool left_behind)
{
    const unsigned cut = LOAD_MAY(GRPC_CANCELLED) | LOAD_MAY(GRPC_UNAVAILABLE);
    print_message(
        "%s: %d restarts under %d callers: %llu calls sealed or opened, %llu "
        "failed, %llu never sent by the client's library\n",
        name, RESTARTS, THREADS, (unsigned long long)counts->encrypts + counts->decrypts,
        (unsigned long long)load_failed(counts), (unsigned long long)counts->unsent);
    load_judge(counts, left_behind ? cut : 0);
}

/* 64 callers, none of which ever pauses. */
TEST(restart__64_in_flight__no_call_fails)
{
    struct load_counts secrets, bulk;
    INSTANCE_AND_ARENA(h, NULL);
    keep_sockets(&h);
    instance_edit(&h, "{level: debug}", "{level: info}");
    instance_up(&h);
    struct load *on_secrets = load_start(h.secrets, THREADS),
                *on_bulk = load_start(h.bulk, THREADS);
    for (int i = 0; i < RESTARTS; i++) {
        load_await(on_secrets, 50);
        load_await(on_bulk, 50);
        restart(&h);
    }
    load_await(on_secrets, 50);
    load_await(on_bulk, 50);
    load_stop(on_secrets, &secrets);
    load_stop(on_bulk, &bulk);
    const bool left_behind = instance_count(&h, 0, "event=clients-not-gone") > 0;
    all_good(&secrets, "secrets", left_behind);
    all_good(&bulk, "bulk", left_behind);
    instance_destroy(&h);
    close(kept[0]);
    close(kept[1]);
}

KW_CASES("27-restart-without-gap", CASE(restart__64_in_flight__no_call_fails))
