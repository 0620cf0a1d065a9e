/* SPDX-License-Identifier: Apache-2.0 */
/* Jobs in, answers out, in order: a batch is read, served one by one, answered in small
 * batches.  Buffers lie in the arena and are wiped after use. */
#include "worker_internal.h"

#include <errno.h>
#include <sys/socket.h>

enum { IN = KW_WIRE_JOBS_MAX, OUT = 8 };

struct buffers {
    struct kw_secret in, out;
    struct mmsghdr in_headers[IN], out_headers[OUT];
    struct iovec in_parts[IN], out_parts[OUT];
    unsigned pending; /* answers not sent yet */
};

static kw_err buffers_init(struct buffers *l)
{
    kw_err e = kw_secret_init(&l->in, (size_t)IN * KW_WIRE_MAX);
    if (!kw_failed(e))
        e = kw_secret_init(&l->out, (size_t)OUT * KW_WIRE_MAX);
    for (size_t i = 0; !kw_failed(e) && i < IN; i++) {
        l->in_parts[i] = (struct iovec){l->in.ptr + i * KW_WIRE_MAX, KW_WIRE_MAX};
        l->in_headers[i].msg_hdr =
            (struct msghdr){.msg_iov = &l->in_parts[i], .msg_iovlen = 1};
    }
    for (size_t i = 0; !kw_failed(e) && i < OUT; i++) {
        l->out_parts[i] = (struct iovec){l->out.ptr + i * KW_WIRE_MAX, 0};
        l->out_headers[i].msg_hdr =
            (struct msghdr){.msg_iov = &l->out_parts[i], .msg_iovlen = 1};
    }
    return e;
}

/* false: the front is gone. */
static bool loop_flush(struct kw_hsm_worker *w, struct buffers *l)
{
    unsigned sent = 0;
    while (sent < l->pending) {
        int n =
            sendmmsg(w->socket, l->out_headers + sent, l->pending - sent, MSG_NOSIGNAL);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            break;
        sent += (unsigned)n;
    }
    bool all = sent == l->pending;
    for (unsigned i = 0; i < l->pending; i++)
        kw_wipe(l->out_parts[i].iov_base, l->out_parts[i].iov_len);
    l->pending = 0;
    return all;
}

static bool loop_answer(struct kw_hsm_worker *w, struct buffers *l,
                        const struct kw_wire_job *job)
{
    struct kw_served served;
    struct iovec *part = &l->out_parts[l->pending];
    kw_dst dst = kw_dst_of(part->iov_base, KW_WIRE_MAX);
    kw_worker_serve(w, job, &served);
    KW_MUST(!kw_failed(kw_wire_encode_answer(&served.answer, &dst)));
    kw_secret_wipe(&served.output);
    part->iov_len = dst.len;
    return ++l->pending < OUT || loop_flush(w, l);
}

/* false: the end, or a message that is no job; then the front replaces us. */
static bool one(struct kw_hsm_worker *w, struct buffers *l, size_t i)
{
    const struct mmsghdr *h = &l->in_headers[i];
    struct kw_wire_job job;
    kw_span message = kw_span_of(l->in_parts[i].iov_base, h->msg_len);
    bool ok = h->msg_len > 0 && (h->msg_hdr.msg_flags & MSG_TRUNC) == 0 &&
              !kw_failed(kw_wire_decode_job(message, &job)) && loop_answer(w, l, &job);
    kw_wipe(l->in_parts[i].iov_base, h->msg_len);
    return ok && !w->at_end;
}

static bool loop_once(struct kw_hsm_worker *w, struct buffers *l)
{
    int n = recvmmsg(w->socket, l->in_headers, IN, MSG_WAITFORONE, NULL);
    if (n < 0)
        return errno == EINTR || errno == ECONNRESET;
    bool go_on = n > 0;
    for (size_t i = 0; i < (size_t)n; i++)
        if (go_on)
            go_on = one(w, l, i);
        else
            kw_wipe(l->in_parts[i].iov_base, l->in_headers[i].msg_len);
    return loop_flush(w, l) && go_on;
}

kw_err kw_worker_loop(struct kw_hsm_worker *w)
{
    static struct buffers buffers;
    kw_err e = buffers_init(&buffers);
    while (!kw_failed(e) && loop_once(w, &buffers))
        ;
    kw_secret_wipe(&buffers.in);
    kw_secret_wipe(&buffers.out);
    return e;
}
