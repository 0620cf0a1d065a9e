/* SPDX-License-Identifier: Apache-2.0 */
/* The one login of a worker: read the PIN, ask the front, wait for its permit, and only
 * then C_Login; say at once how that ended.
 *
 * The wait is no part of LOGIN: a worker that waits may be killed, and leaves when the
 * front is gone. */
#include "worker_internal.h"

#include <errno.h>
#include <sys/socket.h>

#include <keyward/pin_latch.h>

/* The PIN, and what stands for it. */
static kw_err read_pin(struct kw_hsm_worker *w, struct kw_secret *ret_pin,
                       struct kw_pin_facts *ret, struct kw_note *note)
{
    kw_err e = kw_token_pin(w->base.token, ret_pin, ret, note);
    if (kw_failed(e))
        return e;
    e = kw_pin_mark_make(w->brief.pin_key, ret->serial, kw_secret_peek(ret_pin),
                         &ret->mark);
    if (kw_failed(e))
        kw_note_set(note, "no room in locked memory for the PIN's mark");
    return e;
}

/* CANCELLED: there is no front any more, or it wants us to leave. */
static kw_err await_permit(struct kw_hsm_worker *w, struct kw_wire_permit *ret)
{
    uint8_t buf[KW_WIRE_MAX];
    ssize_t n;
    do
        n = recv(w->socket, buf, sizeof buf, MSG_TRUNC);
    while (n < 0 && errno == EINTR);
    if (n <= 0 || (size_t)n > sizeof buf)
        return kw_err_at(KW_CODE_CANCELLED, "socket");
    return kw_wire_decode_permit(kw_span_of(buf, (size_t)n), ret);
}

static kw_err log_in_ask(struct kw_hsm_worker *w, const struct kw_pin_facts *facts,
                         struct kw_note *note)
{
    struct kw_wire_permit permit;
    kw_worker_send_pin(w, facts);
    kw_err e = await_permit(w, &permit);
    if (!kw_failed(e) && kw_failed(permit.err)) {
        *note = permit.note;
        e = permit.err;
    }
    return e;
}

kw_err kw_worker_log_in(struct kw_hsm_worker *w, struct kw_note *note)
{
    KW_AUTO_SECRET(pin);
    struct kw_pin_facts facts;
    bool tried = false;
    kw_err e = read_pin(w, &pin, &facts, note);
    if (!kw_failed(e))
        e = log_in_ask(w, &facts, note);
    if (!kw_failed(e))
        e = kw_token_login_with(w->base.token, &pin, &tried, note);
    if (tried)
        kw_worker_send_login(w, e, note);
    return e;
}
