/* SPDX-License-Identifier: Apache-2.0 */
/* A connection: its life, its socket and the calls on it.  What nghttp2 calls back for is
 * in h2_session.c. */
#include "h2.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include <keyward/alloc.h>
#include <keyward/clock.h>

#include "h2_session.h"

void kw_h2_end(struct kw_h2 *c, const char *why)
{
    if (!c->over && c->fault[0] == '\0')
        snprintf(c->fault, sizeof c->fault, "%s", why);
    c->over = true;
}

static void h2_broke(struct kw_h2 *c, int error)
{
    kw_h2_end(c, error == EPIPE || error == ECONNRESET
                     ? "the server closed the connection"
                     : strerror(error));
}

/* ---- opening ------------------------------------------------------------------------
 */

static kw_err h2_dial(const char *path, int *ret_fd, struct kw_note *note)
{
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    const struct timeval tick = {.tv_usec = 100000};
    if (!kw_copy_str(at.sun_path, sizeof at.sun_path, kw_span_str(path))) {
        kw_note_set(note, "%s: too long for a socket", path);
        return kw_err_at(KW_CODE_BAD_INPUT, "socket");
    }
    *ret_fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (*ret_fd < 0 || connect(*ret_fd, (const struct sockaddr *)&at, sizeof at) != 0 ||
        setsockopt(*ret_fd, SOL_SOCKET, SO_RCVTIMEO, &tick, sizeof tick) != 0) {
        int saved = errno;
        kw_note_set(note, "%s: %s; does a KMS plugin listen there?", path,
                    strerror(saved));
        return kw_err_native(KW_CODE_IO, (uint32_t)saved, "connect");
    }
    return KW_OK;
}

static kw_err h2_greet(struct kw_h2 *c, const char *path, struct kw_note *note)
{
    const kw_deadline until = kw_deadline_in(&kw_clock_system, 5 * KW_S_NS);
    kw_h2_flush(c);
    while (!c->has_settings && !c->over &&
           !kw_deadline_over(until, kw_mono_ns(&kw_clock_system)))
        if (kw_h2_read(c, true)) {
            kw_h2_digest(c, NULL, NULL);
            kw_h2_flush(c);
        }
    if (c->has_settings && !c->over)
        return KW_OK;
    /* Nothing at all: a plugin that does not want us, as keywardd with a foreign uid. */
    if (c->over && !c->heard)
        kw_note_set(note,
                    "%s: whoever listens there closed the connection without a word; may "
                    "this user (uid %u) call it, and is it a KMS plugin?",
                    path, (unsigned)geteuid());
    else
        kw_note_set(note, "%s: whoever listens there speaks no HTTP/2%s%s", path,
                    c->fault[0] != '\0' ? ": " : "", c->fault);
    return kw_err_at(KW_CODE_BAD_INPUT, "SETTINGS");
}

kw_err kw_h2_begin(struct kw_h2 *c, int fd, unsigned calls, const char *timeout)
{
    KW_INVARIANT(calls > 0 && calls <= KW_H2_CALLS_MAX);
    *c = (struct kw_h2){.fd = fd, .timeout = timeout, .call_max = calls};
    c->out = kw_new(1, KW_H2_OUT_BYTES);
    c->in = kw_new(1, KW_H2_IN_BYTES);
    c->calls = kw_new(calls, sizeof c->calls[0]);
    if (c->out == NULL || c->in == NULL || c->calls == NULL)
        return kw_err_at(KW_CODE_NO_MEMORY, "connection");
    for (unsigned i = 0; i < calls; i++)
        c->free[c->free_count++] = (uint16_t)(calls - 1 - i);
    return kw_h2_session_new(c);
}

kw_err kw_h2_open(struct kw_h2 *c, const char *path, unsigned calls, const char *timeout,
                  struct kw_note *note)
{
    int fd = -1;
    kw_err e = h2_dial(path, &fd, note);
    kw_err begun = kw_h2_begin(c, fd, calls, timeout);
    if (kw_failed(e) || kw_failed(begun))
        return kw_failed(e) ? e : begun;
    return h2_greet(c, path, note);
}

void kw_h2_close(struct kw_h2 *c)
{
    if (c->call_max > 0 && c->fd >= 0)
        close(c->fd);
    nghttp2_session_del(c->session);
    kw_free(c->out);
    kw_free(c->in);
    kw_free(c->calls);
    *c = (struct kw_h2){.fd = -1};
}

int32_t kw_h2_peer(const struct kw_h2 *c)
{
    struct ucred who = {0};
    socklen_t len = sizeof who;
    return getsockopt(c->fd, SOL_SOCKET, SO_PEERCRED, &who, &len) == 0 ? who.pid : 0;
}

/* ---- calls --------------------------------------------------------------------------
 */

static bool h2_may_submit(const struct kw_h2 *c)
{
    return !c->over && !c->draining && c->free_count > 0 &&
           (c->queues || c->call_max - c->free_count <
                             nghttp2_session_get_remote_settings(
                                 c->session, NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS));
}

struct kw_h2_call *kw_h2_submit(struct kw_h2 *c, enum kw_method method, kw_span message)
{
    if (!h2_may_submit(c))
        return NULL;
    struct kw_h2_call *call = &c->calls[c->free[c->free_count - 1]];
    kw_copy(call->body, sizeof call->body, message);
    call->request_len = (uint32_t)message.len;
    call->request_at = call->len = 0;
    call->status = -1;
    call->overlong = false;
    call->method = method;
    call->id = kw_h2_session_request(c, call);
    if (call->id < 0) {
        kw_h2_end(c, nghttp2_strerror(call->id));
        call->id = 0;
        return NULL;
    }
    c->free_count--;
    return call;
}

void kw_h2_free_call(struct kw_h2 *c, struct kw_h2_call *call)
{
    call->id = 0;
    c->free[c->free_count++] = (uint16_t)(call - c->calls);
}

void kw_h2_cancel(struct kw_h2 *c, struct kw_h2_call *call)
{
    if (!c->over)
        kw_h2_session_cancel(c, call->id);
    kw_h2_free_call(c, call);
}

/* ---- bytes --------------------------------------------------------------------------
 */

/* What nghttp2 has to say, as much as the buffer takes: few large writes cost less. */
static void h2_gather(struct kw_h2 *c)
{
    const uint8_t *bytes = NULL;
    ssize_t n = 0;
    c->out_at = c->out_len = 0;
    while (KW_H2_OUT_BYTES - c->out_len >= KW_H2_FRAME_MAX &&
           (n = nghttp2_session_mem_send(c->session, &bytes)) > 0) {
        kw_copy(c->out + c->out_len, KW_H2_OUT_BYTES - c->out_len,
                kw_span_of(bytes, (size_t)n));
        c->out_len += (size_t)n;
    }
    if (n < 0)
        kw_h2_end(c, nghttp2_strerror((int)n));
}

void kw_h2_flush(struct kw_h2 *c)
{
    while (!c->over) {
        if (!kw_h2_unwritten(c))
            h2_gather(c);
        if (!kw_h2_unwritten(c))
            break;
        ssize_t n = send(c->fd, c->out + c->out_at, c->out_len - c->out_at,
                         MSG_DONTWAIT | MSG_NOSIGNAL);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 && errno != EAGAIN)
            h2_broke(c, errno);
        if (n < 0)
            return;
        c->out_at += (size_t)n;
    }
    if (!c->over && !c->draining && !nghttp2_session_want_read(c->session))
        kw_h2_end(c, "what the server says is no HTTP/2");
}

bool kw_h2_read(struct kw_h2 *c, bool wait)
{
    ssize_t n = recv(c->fd, c->in, KW_H2_IN_BYTES, wait ? 0 : MSG_DONTWAIT);
    if (n > 0) {
        c->in_len = (size_t)n;
        c->heard = true;
        return true;
    }
    if (n == 0)
        h2_broke(c, ECONNRESET);
    else if (errno != EAGAIN && errno != EINTR)
        h2_broke(c, errno);
    return false;
}

void kw_h2_digest(struct kw_h2 *c, kw_h2_ended *ended, void *ctx)
{
    c->ended = ended;
    c->ctx = ctx;
    ssize_t n = nghttp2_session_mem_recv(c->session, c->in, c->in_len);
    if (n < 0)
        kw_h2_end(c, nghttp2_strerror((int)n));
    c->in_len = 0;
}
