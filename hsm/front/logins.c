/* SPDX-License-Identifier: Apache-2.0 */
/* May a worker log in, and what became of it?
 *
 * An answer that has to wait (somebody else logs in to the token, or is at the files) is
 * given by the tick, and in the end by a no: then another worker asks later.  How a login
 * ended is told by the worker; one that dies without a word has an unclear end when its
 * page says that it was in C_Login, and did not begin when it does not.  That is looked
 * at when the process is gone, not before: until then it may still begin. */
#include "front_internal.h"

#include <assert.h>
#include <sys/socket.h>

#include <keyward/log.h>

/* Each has one login, and none begins while the end of another one is owed. */
static_assert(KW_LATCH_DEBTS == KW_FRONT_TOKEN_WORKERS, "an end for each worker");

#define PERMIT_WITHIN_NS (2 * KW_S_NS)

static void send_permit(struct kw_worker *w, kw_err e, const struct kw_note *note)
{
    uint8_t buf[KW_WIRE_MAX];
    kw_dst dst = kw_dst_of(buf, sizeof buf);
    struct kw_wire_permit word = {.err = e};
    if (kw_failed(e))
        word.note = *note;
    KW_MUST(!kw_failed(kw_wire_encode_permit(&word, &dst)));
    /* Nothing else is in that socket: it has room, or the worker is gone. */
    if (send(kw_worker_socket_by_main(w), dst.ptr, dst.len, MSG_DONTWAIT | MSG_NOSIGNAL) <
        0)
        kw_log(KW_LOG_WARN, "worker-not-told", KW_INT("pid", w->process.pid));
    w->login.state = kw_failed(e) ? KW_LOGIN_DENIED : KW_LOGIN_GOING;
    w->front->numbers.logins += !kw_failed(e);
    w->token->counts.numbers.logins += !kw_failed(e);
}

static bool who_is(struct kw_worker *w)
{
    return w->front->seams.owner(w->process.pid, &w->login.owner);
}

void kw_login_decide(struct kw_worker *w)
{
    struct kw_latch *latch = &w->token->latch;
    struct kw_note why = {{0}};
    if (w->login.state != KW_LOGIN_ASKED || kw_worker_ended_by_main(w) ||
        kw_worker_state_by_main(w) != KW_WORKER_STARTING)
        return;
    kw_note_set(&why, "the worker is not to be seen in /proc, so that nobody could tell "
                      "whether its login still goes on");
    kw_err e = who_is(w) ? kw_latch_ask(latch, &w->login.pin, &w->login.owner, &why)
                         : kw_err_at(KW_CODE_IO, "worker");
    if (e.code == KW_CODE_BUSY &&
        kw_front_now(w->front) - w->login.asked_ns < PERMIT_WITHIN_NS)
        return;
    send_permit(w, e, &why);
    kw_front_token_lost_if_latched(w->token);
}

bool kw_login_asked(struct kw_worker *w, kw_span message)
{
    if (w->login.state != KW_LOGIN_NONE ||
        kw_failed(kw_wire_decode_pin(message, &w->login.pin)))
        return false;
    w->login.state = KW_LOGIN_ASKED;
    w->login.asked_ns = kw_front_now(w->front);
    kw_login_decide(w);
    return true;
}

static void ended(struct kw_worker *w, enum kw_pin_end end, const char *reason) KW_FREE
{
    w->login.state = KW_LOGIN_ENDED;
    kw_latch_ended(&w->token->latch, &w->login.pin, &w->login.owner, end, reason);
    kw_front_token_lost_if_latched(w->token);
}

bool kw_login_told(struct kw_worker *w, kw_span message)
{
    struct kw_wire_login l;
    if (w->login.state != KW_LOGIN_GOING || kw_failed(kw_wire_decode_login(message, &l)))
        return false;
    kw_numbers_error(&w->token->counts.numbers, l.err);
    ended(w, kw_pin_end_of(l.err, l.was_in), l.note.text);
    if (w->front->stopping) /* it was let finish that, and nothing more is wanted */
        kw_front_worker_end_of_socket(w);
    return true;
}

void kw_login_gone(struct kw_worker *w)
{
    if (w->login.state != KW_LOGIN_GOING)
        return;
    if (kw_page_logins(w->process.page) == 0)
        ended(w, KW_PIN_NOT_BEGUN, "");
    else
        ended(w, KW_PIN_UNCLEAR, "the process ended within C_Login");
}
