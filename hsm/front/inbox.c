/* SPDX-License-Identifier: Apache-2.0 */
/* The front's end of the workers' sockets: news in. */
#include "lane.h"

#include <errno.h>

kw_err kw_inbox_init(struct kw_inbox *inbox)
{
    *inbox = (struct kw_inbox){0};
    kw_err e = kw_secret_init(&inbox->buf, (size_t)KW_INBOX_MAX * KW_WIRE_MAX);
    for (size_t i = 0; !kw_failed(e) && i < KW_INBOX_MAX; i++) {
        inbox->parts[i] =
            (struct iovec){inbox->buf.ptr + i * (size_t)KW_WIRE_MAX, KW_WIRE_MAX};
        inbox->headers[i].msg_hdr.msg_iov = &inbox->parts[i];
        inbox->headers[i].msg_hdr.msg_iovlen = 1;
    }
    return e;
}

void kw_inbox_wipe(struct kw_inbox *inbox)
{
    kw_secret_wipe(&inbox->buf);
    inbox->count = 0;
}

static int receive(struct kw_inbox *inbox, int fd)
{
    int n;
    do
        n = recvmmsg(fd, inbox->headers, KW_INBOX_MAX, MSG_DONTWAIT, NULL);
    while (n < 0 && (errno == EINTR || errno == ECONNRESET));
    /* After ECONNRESET (said once) answers may still lie there, then comes the end. */
    return n;
}

enum kw_read kw_inbox_read(struct kw_inbox *inbox, int fd)
{
    int n = receive(inbox, fd);
    inbox->count = 0;
    if (n < 0)
        return errno == EAGAIN ? KW_READ_EMPTY : KW_READ_BROKEN;
    for (int i = 0; i < n; i++) {
        size_t len = inbox->headers[i].msg_len;
        bool cut = (inbox->headers[i].msg_hdr.msg_flags & MSG_TRUNC) != 0;
        if (cut) {
            kw_inbox_clear(inbox);
            return KW_READ_BROKEN;
        }
        if (len == 0) /* the end; what came before it counts */
            break;
        inbox->messages[inbox->count++] = kw_span_of(inbox->parts[i].iov_base, len);
    }
    return inbox->count > 0 ? KW_READ_SOME : KW_READ_END;
}

void kw_inbox_clear(struct kw_inbox *inbox)
{
    for (size_t i = 0; i < inbox->count; i++)
        kw_wipe(inbox->parts[i].iov_base, inbox->messages[i].len);
    inbox->count = 0;
}
