/* SPDX-License-Identifier: Apache-2.0 */
/* The front's end of one worker's socket: jobs out. */
#include "channel.h"

#include <errno.h>
#include <unistd.h>

#include <keyward/alloc.h>
#include <keyward/keyring.h>

kw_err kw_channel_init(struct kw_channel *channel, int fd)
{
    *channel = (struct kw_channel){.fd = fd};
    for (size_t i = 0; i < KW_CHANNEL_MAX; i++)
        channel->order[i] = (uint8_t)i;
    kw_err e = kw_secret_init(&channel->out, (size_t)KW_CHANNEL_LOAD * KW_WIRE_MAX);
    if (kw_failed(e)) {
        close(fd);
        channel->fd = -1;
    }
    return e;
}

void kw_channel_wipe(struct kw_channel *channel)
{
    if (channel->out.ptr != NULL)
        close(channel->fd);
    kw_secret_wipe(&channel->out);
    channel->fd = -1;
    channel->count = channel->loaded = channel->canaries = 0;
}

const struct kw_channel_entry *kw_channel_at(const struct kw_channel *channel, size_t i)
{
    return i < channel->count ? &channel->entries[channel->order[i]] : NULL;
}

bool kw_channel_load(struct kw_channel *channel, const struct kw_wire_job *job,
                     enum kw_checkpoint_count counts_as, size_t want_len, size_t limit)
{
    bool canary = job->op == KW_WIRE_CANARY;
    if (channel->count >= KW_CHANNEL_MAX || channel->loaded >= KW_CHANNEL_LOAD ||
        (!canary && channel->count - channel->canaries >= limit))
        return false;
    kw_dst dst =
        kw_dst_of(channel->out.ptr + channel->loaded * (size_t)KW_WIRE_MAX, KW_WIRE_MAX);
    KW_MUST(!kw_failed(kw_wire_encode_job(job, &dst)));
    struct kw_channel_entry *e = &channel->entries[channel->order[channel->count]];
    e->wire_id = job->id;
    e->op = job->op;
    e->counts_as = counts_as;
    e->is_told = false;
    e->n = job->n;
    if (!canary)
        kw_key_id_parse(job->key_id, &e->n);
    e->want_len = want_len;
    e->sample_len = kw_sample_of(job, e->sample);
    channel->ids[channel->loaded] = job->id;
    channel->lens[channel->loaded++] = dst.len;
    channel->count++;
    channel->canaries += canary;
    return true;
}

size_t kw_channel_send(struct kw_channel *channel)
{
    struct mmsghdr headers[KW_CHANNEL_LOAD];
    struct iovec parts[KW_CHANNEL_LOAD];
    size_t sent = 0;
    for (size_t i = 0; i < channel->loaded; i++) {
        parts[i] =
            (struct iovec){channel->out.ptr + i * (size_t)KW_WIRE_MAX, channel->lens[i]};
        headers[i] = (struct mmsghdr){.msg_hdr = {.msg_iov = &parts[i], .msg_iovlen = 1}};
    }
    while (sent < channel->loaded) {
        int n = sendmmsg(channel->fd, headers + sent, (unsigned)(channel->loaded - sent),
                         MSG_DONTWAIT | MSG_NOSIGNAL);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            break;
        sent += (size_t)n;
    }
    for (size_t i = 0; i < channel->loaded; i++)
        kw_wipe(parts[i].iov_base, channel->lens[i]);
    return sent;
}

void kw_channel_settle(struct kw_channel *channel, size_t sent,
                       void (*back)(void *ctx, const struct kw_channel_entry *entry),
                       void *ctx)
{
    for (size_t i = channel->loaded; i > sent; i--) {
        const struct kw_channel_entry *e = kw_channel_find(channel, channel->ids[i - 1]);
        if (e == NULL)
            continue; /* a worker that lies answered what it was not sent */
        kw_channel_drop(channel, e);
        back(ctx, e);
    }
    channel->loaded = 0;
}

/* With one session it is the first one that is looked at.  What is being sent may be
 * answered before the sender is back. */
const struct kw_channel_entry *kw_channel_find(const struct kw_channel *channel,
                                               uint64_t wire_id)
{
    for (size_t i = 0; i < channel->count; i++)
        if (kw_channel_at(channel, i)->wire_id == wire_id)
            return kw_channel_at(channel, i);
    return NULL;
}

bool kw_channel_tell(struct kw_channel *channel, const struct kw_channel_entry *entry)
{
    struct kw_channel_entry *e = &channel->entries[entry - channel->entries];
    const bool is_first = !e->is_told;
    e->is_told = true;
    return is_first;
}

void kw_channel_drop(struct kw_channel *channel, const struct kw_channel_entry *entry)
{
    const uint8_t place = (uint8_t)(entry - channel->entries);
    size_t i = 0;
    while (channel->order[i] != place)
        i++;
    KW_INVARIANT(i < channel->count);
    channel->canaries -= entry->op == KW_WIRE_CANARY;
    channel->count--;
    for (; i < channel->count; i++)
        channel->order[i] = channel->order[i + 1];
    channel->order[channel->count] = place;
}
