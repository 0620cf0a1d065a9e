/* SPDX-License-Identifier: Apache-2.0 */
/* Lines of the audit log to the machine's system log. */
#include <keyward/audit_copies.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <syslog.h>
#include <unistd.h>

#include <keyward/audit.h>
#include <keyward/clock.h>
#include <keyward/limits.h>

#define TELL_FIRST_NS (60 * KW_S_NS)
#define TELL_LAST_NS (3600 * KW_S_NS)

void kw_audit_copies_open(struct kw_audit_copies *c, enum kw_audit_copied what,
                          const char *path)
{
    const kw_span name = kw_span_str(path);
    *c = (struct kw_audit_copies){.what = what, .fd = -1, .at.sun_family = AF_UNIX};
    KW_INVARIANT(name.len <= KW_SOCKET_PATH_MAX);
    kw_copy(c->at.sun_path, sizeof c->at.sun_path, name);
    snprintf(c->head, sizeof c->head,
             "<%d>keywardd-audit[%d]: ", (int)(LOG_AUTHPRIV | LOG_INFO), (int)getpid());
    if (what == KW_AUDIT_COPY_NONE)
        return;
    c->fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (c->fd < 0)
        c->no_socket = errno;
}

void kw_audit_copies_close(struct kw_audit_copies *c)
{
    if (c->fd >= 0)
        close(c->fd);
    c->fd = -1;
}

/* No text in a record has quotes in it, so this is its kind. */
static bool copies_is_of(kw_span line, const char *kind)
{
    return memmem(line.ptr, line.len, kind, strlen(kind)) != NULL;
}

static bool copies_wants(const struct kw_audit_copies *c, kw_span line)
{
    return c->what == KW_AUDIT_COPY_ALL ||
           (c->what == KW_AUDIT_COPY_CHECKPOINTS &&
            (copies_is_of(line, ",\"kind\":\"checkpoint\",") ||
             copies_is_of(line, ",\"kind\":\"signature\",")));
}

/* 0, or errno.  A datagram goes as a whole or not at all. */
static int copies_send_one(const struct kw_audit_copies *c, kw_span line)
{
    uint8_t room[sizeof c->head + KW_AUDIT_LINE_MAX];
    kw_dst text = kw_dst_of(room, sizeof room);
    KW_MUST(kw_dst_put(&text, kw_span_str(c->head)) && kw_dst_put(&text, line));
    if (c->fd < 0)
        return c->no_socket;
    ssize_t n;
    do
        n = sendto(c->fd, text.ptr, text.len, MSG_NOSIGNAL,
                   (const struct sockaddr *)&c->at, sizeof c->at);
    while (n < 0 && errno == EINTR);
    return n < 0 ? errno : 0;
}

void kw_audit_copies_send(struct kw_audit_copies *c, kw_span lines)
{
    while (lines.len > 0) {
        const uint8_t *end = memchr(lines.ptr, '\n', lines.len);
        KW_INVARIANT(end != NULL);
        const kw_span line = kw_span_of(lines.ptr, (size_t)(end - lines.ptr));
        const int error = copies_wants(c, line) ? copies_send_one(c, line) : 0;
        if (error != 0) {
            atomic_store(&c->why, error);
            atomic_fetch_add(&c->dropped, 1);
        }
        lines = kw_span_of(end + 1, lines.len - line.len - 1);
    }
}

uint64_t kw_audit_copies_dropped(const struct kw_audit_copies *c)
{
    return atomic_load(&c->dropped);
}

uint64_t kw_audit_copies_due(struct kw_audit_copies *c, int64_t now_ns, bool at_the_end,
                             int *ret_why)
{
    const uint64_t fresh = kw_audit_copies_dropped(c) - c->told;
    const int64_t age_ns = now_ns - c->told_ns;
    if (fresh == 0 && age_ns >= 2 * c->every_ns)
        c->every_ns = 0;
    if (fresh == 0 || (age_ns < c->every_ns && !at_the_end))
        return 0;
    c->told += fresh;
    c->told_ns = now_ns;
    c->every_ns = c->every_ns == 0 ? TELL_FIRST_NS : 2 * c->every_ns;
    if (c->every_ns > TELL_LAST_NS)
        c->every_ns = TELL_LAST_NS;
    *ret_why = atomic_load(&c->why);
    return fresh;
}
