/* SPDX-License-Identifier: Apache-2.0 */
#include "listen_rig.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

const char rig_preface[] = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

static bool adopt(void *ctx, int fd, const struct kw_peer *peer)
{
    struct rig *r = ctx;
    if (r->adopts_none) {
        close(fd);
        return false;
    }
    KW_INVARIANT(r->adopted_count < 16);
    r->peers[r->adopted_count] = *peer;
    r->adopted[r->adopted_count++] = fd;
    return true;
}

static int64_t answered(void *ctx, int fd)
{
    const struct rig *r = ctx;
    for (size_t i = r->adopted_count; i > 0; i--)
        if (r->adopted[i - 1] == fd)
            return r->answered[i - 1];
    return 0;
}

void rig_init(struct rig *r)
{
    *r = (struct rig){.loop = event_base_new()};
    snprintf(r->dir, sizeof r->dir, "/tmp/kw-listen-XXXXXX");
    CHECK(mkdtemp(r->dir) != NULL);
    snprintf(r->path, sizeof r->path, "%s/s", r->dir);
    r->uids[0] = geteuid();
    r->options = (struct kw_listen_options){.name = "secrets",
                                            .path = r->path,
                                            .mode = 0600,
                                            .uids = r->uids,
                                            .gids = r->gids,
                                            .uid_count = 1,
                                            .inherited_fd = -1,
                                            .loop = r->loop,
                                            .adopt = adopt,
                                            .answered = answered,
                                            .ctx = r};
}

void rig_open(struct rig *r)
{
    struct kw_note note = {{0}};
    kw_err e = kw_listener_open(&r->options, &r->listener, &note);
    if (kw_failed(e))
        fail_msg("%s: %s", kw_code_name(e.code), note.text);
}

void rig_wipe(struct rig *r)
{
    char lock[112];
    kw_listener_close(r->listener);
    for (size_t i = 0; i < r->adopted_count; i++)
        close(r->adopted[i]);
    event_base_free(r->loop);
    snprintf(lock, sizeof lock, "%s.lock", r->path);
    unlink(lock);
    unlink(r->path);
    CHECK(rmdir(r->dir) == 0); /* nothing else was left behind */
}

struct kw_listen_stats rig_stats(const struct rig *r)
{
    struct kw_listen_stats s;
    kw_listener_stats(r->listener, &s);
    return s;
}

int rig_socket(const char *path, int type, bool listens)
{
    struct sockaddr_un a = {.sun_family = AF_UNIX};
    kw_copy_str(a.sun_path, sizeof a.sun_path, kw_span_str(path));
    int fd = socket(AF_UNIX, type, 0);
    CHECK(fd >= 0 && bind(fd, (struct sockaddr *)&a, sizeof a) == 0);
    CHECK(!listens || (chmod(path, 0600) == 0 && listen(fd, 4) == 0));
    return fd;
}

int rig_connect(const struct rig *r)
{
    struct sockaddr_un a = {.sun_family = AF_UNIX};
    kw_copy_str(a.sun_path, sizeof a.sun_path, kw_span_str(r->path));
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    CHECK(fd >= 0 && connect(fd, (struct sockaddr *)&a, sizeof a) == 0);
    return fd;
}

void rig_say(int fd, const char *text)
{
    size_t len = kw_span_str(text).len;
    CHECK(send(fd, text, len, MSG_NOSIGNAL) == (ssize_t)len);
}

bool rig_is_closed(int fd)
{
    char c;
    return recv(fd, &c, 1, 0) <= 0;
}

bool rig_exists(const char *path)
{
    struct stat st;
    return lstat(path, &st) == 0;
}
