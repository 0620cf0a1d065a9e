/* SPDX-License-Identifier: Apache-2.0 */
/* Jobs in, answers out.  A session among several takes one job at a time; one that is
 * alone takes a batch, as its token is fast: it serves them one by one and answers in
 * small batches.  An answer that took long leaves before the next job is begun.  Buffers
 * lie in the arena and are wiped after use. */
#include "worker_internal.h"

#include <errno.h>
#include <stdio.h>

/* After an operation of that length a call to send one answer is nothing. */
#define SLOW_NS KW_MS_NS

static void buffers_point(struct mmsghdr *headers, struct iovec *parts,
                          const struct kw_secret *bytes, unsigned count)
{
    for (size_t i = 0; i < count; i++) {
        parts[i] = (struct iovec){bytes->ptr + i * KW_WIRE_MAX, KW_WIRE_MAX};
        headers[i].msg_hdr = (struct msghdr){.msg_iov = &parts[i], .msg_iovlen = 1};
    }
}

kw_err kw_session_buffers_init(struct kw_session_buffers *b, unsigned batch)
{
    const unsigned answers = batch < KW_SESSION_OUT ? batch : KW_SESSION_OUT;
    *b = (struct kw_session_buffers){.batch = batch};
    kw_err e = kw_secret_init(&b->in, (size_t)batch * KW_WIRE_MAX);
    if (!kw_failed(e))
        e = kw_secret_init(&b->out, (size_t)answers * KW_WIRE_MAX);
    if (kw_failed(e)) {
        kw_session_buffers_wipe(b);
        return e;
    }
    buffers_point(b->in_headers, b->in_parts, &b->in, batch);
    buffers_point(b->out_headers, b->out_parts, &b->out, answers);
    return KW_OK;
}

void kw_session_buffers_wipe(struct kw_session_buffers *b)
{
    kw_secret_wipe(&b->in);
    kw_secret_wipe(&b->out);
}

/* false: the front is gone. */
static bool loop_flush(struct kw_hsm_session *s)
{
    struct kw_session_buffers *b = &s->buffers;
    unsigned sent = 0;
    while (sent < b->pending) {
        int n = sendmmsg(s->worker->socket, b->out_headers + sent, b->pending - sent,
                         MSG_NOSIGNAL);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            break;
        sent += (unsigned)n;
    }
    bool all = sent == b->pending;
    for (unsigned i = 0; i < b->pending; i++)
        kw_wipe(b->out_parts[i].iov_base, b->out_parts[i].iov_len);
    b->pending = 0;
    return all;
}

static bool loop_answer(struct kw_hsm_session *s, const struct kw_wire_job *job)
{
    struct kw_session_buffers *b = &s->buffers;
    struct kw_served served;
    struct iovec *part = &b->out_parts[b->pending];
    kw_dst dst = kw_dst_of(part->iov_base, KW_WIRE_MAX);
    kw_worker_serve(s, job, &served);
    KW_MUST(!kw_failed(kw_wire_encode_answer(&served.answer, &dst)));
    kw_secret_wipe(&served.output);
    part->iov_len = dst.len;
    b->pending++;
    bool now = b->pending >= KW_SESSION_OUT || b->pending >= b->batch ||
               served.answer.hsm_ns > SLOW_NS;
    return !now || loop_flush(s);
}

/* false: the end, or a message that is no job; then the front replaces us. */
static bool one(struct kw_hsm_session *s, size_t i)
{
    const struct mmsghdr *h = &s->buffers.in_headers[i];
    struct kw_wire_job job;
    kw_span message = kw_span_of(s->buffers.in_parts[i].iov_base, h->msg_len);
    bool ok = h->msg_len > 0 && (h->msg_hdr.msg_flags & MSG_TRUNC) == 0 &&
              !s->worker->at_end && !kw_failed(kw_wire_decode_job(message, &job)) &&
              loop_answer(s, &job);
    kw_wipe(s->buffers.in_parts[i].iov_base, h->msg_len);
    return ok && !s->worker->at_end;
}

static bool loop_once(struct kw_hsm_session *s)
{
    int n = recvmmsg(s->worker->socket, s->buffers.in_headers, s->buffers.batch,
                     MSG_WAITFORONE, NULL);
    if (n < 0)
        return errno == EINTR || errno == ECONNRESET;
    bool go_on = n > 0;
    for (size_t i = 0; i < (size_t)n; i++)
        if (go_on)
            go_on = one(s, i);
        else
            kw_wipe(s->buffers.in_parts[i].iov_base, s->buffers.in_headers[i].msg_len);
    return loop_flush(s) && go_on;
}

/* The first thing that a session of its own does is to open the active version's check
 * blob: whether the token lets it work is known before it takes a job. */
static void prove_itself(struct kw_hsm_session *s)
{
    struct kw_worker_result ignored;
    const struct kw_version *v =
        kw_keyring_by_n(s->worker->ring, s->worker->brief.active_n);
    if (s == &s->worker->base || v == NULL)
        return;
    kw_err e =
        kw_worker_prove(s, (size_t)(v - s->worker->ring->versions), false, &ignored);
    if (e.code == KW_CODE_HSM_DOWN)
        s->worker->at_end = true;
}

/* Who ends, ends the reading of all: what lies in the socket is not begun any more, or is
 * answered by those that are not at their end. */
static void *run(void *ctx)
{
    struct kw_hsm_session *s = ctx;
    prove_itself(s);
    while (!s->worker->at_end && loop_once(s))
        ;
    shutdown(s->worker->socket, SHUT_RD);
    return NULL;
}

/* READY is out, so this is no failed start: it comes to the log as vendor-output, of which 64
 * bytes are shown. */
static void loop_say_missing(size_t session)
{
    fprintf(stderr, "no thread for session %zu: raise LimitNPROC= or TasksMax=\n",
            session);
}

void kw_worker_loop(struct kw_hsm_worker *w)
{
    size_t begun = 1;
    char name[16];
    while (begun < w->session_count && pthread_create(&w->sessions[begun].thread, NULL,
                                                      run, &w->sessions[begun]) == 0) {
        snprintf(name, sizeof name, "kw-session-%zu", begun);
        (void)pthread_setname_np(w->sessions[begun].thread, name);
        begun++;
    }
    if (begun < w->session_count) {
        w->at_end = true; /* fewer than the front was told */
        loop_say_missing(begun);
    }
    (void)run(&w->sessions[0]);
    for (size_t i = 1; i < begun; i++)
        KW_MUST(pthread_join(w->sessions[i].thread, NULL) == 0);
}
