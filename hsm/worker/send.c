/* SPDX-License-Identifier: Apache-2.0 */
/* Messages to the front. */
#include "worker_internal.h"

#include <errno.h>
#include <sys/socket.h>

static void send_message(int socket, kw_err put, const kw_dst *dst)
{
    if (kw_failed(put))
        return;
    while (send(socket, dst->ptr, dst->len, MSG_NOSIGNAL) < 0 && errno == EINTR)
        ;
}

void kw_worker_send_facts(const struct kw_hsm_worker *w)
{
    const struct kw_token_facts *t = kw_token_facts(w->base.token);
    struct kw_wire_facts f = {.softhsm = t->softhsm,
                              .gcm = t->has_gcm,
                              .gcm_key_min = t->gcm_key_min,
                              .gcm_key_max = t->gcm_key_max};
    struct {
        char *dst;
        size_t cap;
        const char *src;
    } rows[] = {
        {f.library, sizeof f.library, t->library},
        {f.library_version, sizeof f.library_version, t->library_version},
        {f.label, sizeof f.label, t->label},
        {f.serial, sizeof f.serial, t->serial},
        {f.manufacturer, sizeof f.manufacturer, t->manufacturer},
        {f.model, sizeof f.model, t->model},
        {f.firmware, sizeof f.firmware, t->firmware},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        kw_copy_printable(rows[i].dst, rows[i].cap, kw_span_str(rows[i].src));
    uint8_t buf[KW_WIRE_MAX];
    kw_dst dst = kw_dst_of(buf, sizeof buf);
    send_message(w->socket, kw_wire_encode_facts(&f, &dst), &dst);
}

void kw_worker_send_pin(const struct kw_hsm_worker *w, const struct kw_pin_facts *facts)
{
    uint8_t buf[KW_WIRE_MAX];
    kw_dst dst = kw_dst_of(buf, sizeof buf);
    struct kw_pin_facts said = *facts;
    kw_copy_printable(said.serial, sizeof said.serial, kw_span_str(facts->serial));
    kw_copy_printable(said.label, sizeof said.label, kw_span_str(facts->label));
    send_message(w->socket, kw_wire_encode_pin(&said, &dst), &dst);
}

void kw_worker_send_login(const struct kw_hsm_worker *w, kw_err e,
                          const struct kw_note *note)
{
    uint8_t buf[KW_WIRE_MAX];
    kw_dst dst = kw_dst_of(buf, sizeof buf);
    struct kw_wire_login l = {.err = e, .was_in = kw_token_was_logged_in(w->base.token)};
    if (kw_failed(e))
        kw_copy_printable(l.note.text, sizeof l.note.text, kw_span_str(note->text));
    send_message(w->socket, kw_wire_encode_login(&l, &dst), &dst);
}

void kw_worker_send_verdict(const struct kw_hsm_worker *w,
                            const struct kw_wire_verdict *v)
{
    uint8_t buf[KW_WIRE_MAX];
    kw_dst dst = kw_dst_of(buf, sizeof buf);
    struct kw_wire_verdict said = *v;
    kw_copy_printable(said.reason, sizeof said.reason, kw_span_str(v->reason));
    send_message(w->socket, kw_wire_encode_verdict(&said, &dst), &dst);
}

void kw_worker_send_ready(const struct kw_hsm_worker *w, uint32_t verdicts)
{
    uint8_t buf[KW_WIRE_MAX];
    kw_dst dst = kw_dst_of(buf, sizeof buf);
    struct kw_wire_ready r = {.verdicts = verdicts,
                              .sessions = (unsigned)w->session_count};
    kw_copy(r.keyring_sha256, sizeof r.keyring_sha256,
            kw_span_of(w->ring->sha256, sizeof w->ring->sha256));
    send_message(w->socket, kw_wire_encode_ready(&r, &dst), &dst);
}

void kw_worker_send_failed(int socket, kw_err e, const struct kw_note *note)
{
    uint8_t buf[KW_WIRE_MAX];
    kw_dst dst = kw_dst_of(buf, sizeof buf);
    struct kw_wire_failed f = {.err = e, .note = *note};
    kw_copy_printable(f.note.text, sizeof f.note.text, kw_span_str(note->text));
    send_message(socket, kw_wire_encode_failed(&f, &dst), &dst);
}
