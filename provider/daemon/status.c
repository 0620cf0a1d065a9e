/* SPDX-License-Identifier: Apache-2.0 */
/* The status socket: whoever may connect receives one JSON document; nothing is read. */
#include "daemon_internal.h"

#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <keyward/alloc.h>
#include <keyward/log.h>

#include "status_document.h"

/* A document is a few KiB and the socket is fresh: it fits its buffer. */
static bool send_document(const struct kw_daemon *d, int fd)
{
    char *text = kw_status_document(d);
    size_t len = text == NULL ? 0 : strlen(text);
    bool sent = text != NULL && send(fd, text, len, MSG_NOSIGNAL) == (ssize_t)len;
    kw_free(text);
    return sent;
}

static void on_accept(evutil_socket_t listener, short what, void *ctx)
{
    struct kw_daemon *d = ctx;
    (void)what;
    int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (fd < 0)
        return;
    if (!send_document(d, fd))
        kw_log_bare(KW_LOG_WARN, "status-not-sent");
    close(fd);
}

kw_err kw_status_open(struct kw_daemon *d, struct kw_note *note)
{
    kw_err e = kw_bind(d->config->status, 0660, &d->status, note);
    if (kw_failed(e))
        return e;
    d->status_accept =
        event_new(d->loop, d->status.fd, EV_READ | EV_PERSIST, on_accept, d);
    if (d->status_accept != NULL && event_add(d->status_accept, NULL) == 0)
        return KW_OK;
    kw_note_set(note, "%s: cannot watch it", d->config->status);
    return kw_err_at(KW_CODE_NO_MEMORY, "event_new");
}

void kw_status_close(struct kw_daemon *d)
{
    if (d->status_accept != NULL)
        event_free(d->status_accept);
    d->status_accept = NULL;
    if (d->status.fd >= 0)
        kw_unbind(d->config->status, &d->status);
}

void kw_status_notify(struct kw_daemon *d)
{
    struct kw_front_status s;
    char text[256];
    kw_front_status(d->front, &s);
    if (s.health.state == d->told && strcmp(s.reason, d->told_reason) == 0)
        return;
    d->told = s.health.state;
    kw_copy_str(d->told_reason, sizeof d->told_reason, kw_span_str(s.reason));
    snprintf(text, sizeof text, "STATUS=hsm %s%s%s", kw_hsm_state_name(d->told),
             s.reason[0] ? ": " : "", s.reason);
    kw_notify(d, text);
}
