/* SPDX-License-Identifier: Apache-2.0 */
/* The status socket: whoever may connect receives one JSON document; nothing is read. */
#include "daemon_internal.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <keyward/log.h>

#include "status_document.h"
#include "status_send.h"

static void on_accepted(void *ctx, int fd)
{
    const struct kw_daemon *d = ctx;
    char *text = kw_status_document(d);
    if (text != NULL) {
        kw_status_send(d->status_sender, fd, text, strlen(text));
        return;
    }
    kw_log_bare(KW_LOG_WARN, "status-not-sent");
    close(fd);
}

kw_err kw_status_open(struct kw_daemon *d, struct kw_note *note)
{
    kw_err e = kw_bind(d->config->status, 0660, &d->status, note);
    if (kw_failed(e))
        return e;
    d->started_wall_ns = kw_wall_ns(d->clock);
    e = kw_status_sender_new(d->loop, d->clock, KW_STATUS_TIME_NS, &d->status_sender);
    const struct kw_acceptor_options options = {.name = "status",
                                                .listening = d->status.fd,
                                                .loop = d->loop,
                                                .accepted = on_accepted,
                                                .ctx = d};
    if (!kw_failed(e))
        e = kw_acceptor_new(&options, &d->status_acceptor);
    if (kw_failed(e))
        kw_note_set(note, "%s: cannot watch it", d->config->status);
    return e;
}

void kw_status_close(struct kw_daemon *d)
{
    kw_acceptor_free(d->status_acceptor);
    d->status_acceptor = NULL;
    kw_status_sender_free(d->status_sender);
    d->status_sender = NULL;
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
