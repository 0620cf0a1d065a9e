/* SPDX-License-Identifier: Apache-2.0 */
/* The front's end of the workers' sockets: messages in. */
#include "channel.h"

#include <errno.h>

kw_err kw_receiver_init(struct kw_receiver *receiver)
{
    *receiver = (struct kw_receiver){0};
    kw_err e = kw_secret_init(&receiver->buf, (size_t)KW_RECEIVE_MAX * KW_WIRE_MAX);
    for (size_t i = 0; !kw_failed(e) && i < KW_RECEIVE_MAX; i++) {
        receiver->parts[i] =
            (struct iovec){receiver->buf.ptr + i * (size_t)KW_WIRE_MAX, KW_WIRE_MAX};
        receiver->headers[i].msg_hdr.msg_iov = &receiver->parts[i];
        receiver->headers[i].msg_hdr.msg_iovlen = 1;
    }
    return e;
}

void kw_receiver_wipe(struct kw_receiver *receiver)
{
    kw_secret_wipe(&receiver->buf);
    receiver->count = 0;
}

static int receive(struct kw_receiver *receiver, int fd)
{
    int n;
    do
        n = recvmmsg(fd, receiver->headers, KW_RECEIVE_MAX, MSG_DONTWAIT, NULL);
    while (n < 0 && (errno == EINTR || errno == ECONNRESET));
    /* After ECONNRESET (said once) answers may still lie there, then comes the end. */
    return n;
}

enum kw_read kw_receiver_read(struct kw_receiver *receiver, int fd)
{
    int n = receive(receiver, fd);
    receiver->count = 0;
    if (n < 0)
        return errno == EAGAIN ? KW_READ_EMPTY : KW_READ_BROKEN;
    bool cut = false;
    size_t before_end = (size_t)n; /* what came before it counts */
    while (receiver->count < (size_t)n) {
        const struct mmsghdr *h = &receiver->headers[receiver->count];
        bool none = h->msg_len == 0, ended = before_end < receiver->count;
        cut = cut || (h->msg_hdr.msg_flags & MSG_TRUNC) != 0 || (ended && !none);
        if (none && !ended)
            before_end = receiver->count;
        receiver->messages[receiver->count] =
            kw_span_of(receiver->parts[receiver->count].iov_base, h->msg_len);
        receiver->count++;
    }
    if (cut)
        kw_receiver_clear(receiver);
    else
        receiver->count = before_end;
    return cut ? KW_READ_BROKEN : before_end > 0 ? KW_READ_SOME : KW_READ_END;
}

void kw_receiver_clear(struct kw_receiver *receiver)
{
    for (size_t i = 0; i < receiver->count; i++)
        kw_wipe(receiver->parts[i].iov_base, receiver->messages[i].len);
    receiver->count = 0;
}
