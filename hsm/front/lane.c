/* SPDX-License-Identifier: Apache-2.0 */
/* The front's end of one worker's socket: jobs out. */
#include "lane.h"

#include <errno.h>
#include <unistd.h>

#include <keyward/alloc.h>
#include <keyward/keyring.h>

kw_err kw_lane_init(struct kw_lane *lane, int fd)
{
    *lane = (struct kw_lane){.fd = fd};
    return kw_secret_init(&lane->out, (size_t)KW_LANE_MAX * KW_WIRE_MAX);
}

void kw_lane_wipe(struct kw_lane *lane)
{
    if (lane->out.ptr != NULL)
        close(lane->fd);
    kw_secret_wipe(&lane->out);
    lane->fd = -1;
    lane->count = lane->loaded = lane->canaries = 0;
}

static struct kw_lane_entry *entry_at(struct kw_lane *lane, size_t i)
{
    return &lane->entries[(lane->head + i) % KW_LANE_MAX];
}

const struct kw_lane_entry *kw_lane_at(const struct kw_lane *lane, size_t i)
{
    return i < lane->count ? &lane->entries[(lane->head + i) % KW_LANE_MAX] : NULL;
}

bool kw_lane_load(struct kw_lane *lane, const struct kw_wire_job *job, size_t want_len,
                  size_t limit)
{
    bool canary = job->op == KW_WIRE_CANARY;
    if (lane->count >= KW_LANE_MAX || (!canary && lane->count - lane->canaries >= limit))
        return false;
    kw_dst dst =
        kw_dst_of(lane->out.ptr + lane->loaded * (size_t)KW_WIRE_MAX, KW_WIRE_MAX);
    KW_INVARIANT(!kw_failed(kw_wire_put_job(job, &dst)));
    struct kw_lane_entry *e = entry_at(lane, lane->count);
    e->wire_id = job->id;
    e->op = job->op;
    e->n = job->n;
    if (!canary)
        kw_key_id_parse(job->key_id, &e->n);
    e->want_len = want_len;
    e->sample_len = kw_sample_of(job, e->sample);
    lane->lens[lane->loaded++] = dst.len;
    lane->count++;
    lane->canaries += canary;
    return true;
}

size_t kw_lane_send(struct kw_lane *lane)
{
    struct mmsghdr headers[KW_LANE_MAX];
    struct iovec parts[KW_LANE_MAX];
    size_t sent = 0;
    for (size_t i = 0; i < lane->loaded; i++) {
        parts[i] = (struct iovec){lane->out.ptr + i * (size_t)KW_WIRE_MAX, lane->lens[i]};
        headers[i] = (struct mmsghdr){.msg_hdr = {.msg_iov = &parts[i], .msg_iovlen = 1}};
    }
    while (sent < lane->loaded) {
        int n = sendmmsg(lane->fd, headers + sent, (unsigned)(lane->loaded - sent),
                         MSG_DONTWAIT | MSG_NOSIGNAL);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            break;
        sent += (size_t)n;
    }
    for (size_t i = 0; i < lane->loaded; i++)
        kw_wipe(parts[i].iov_base, lane->lens[i]);
    return sent;
}

void kw_lane_settle(struct kw_lane *lane, size_t sent,
                    void (*back)(void *ctx, const struct kw_lane_entry *entry), void *ctx)
{
    for (size_t i = lane->loaded; i > sent; i--) {
        const struct kw_lane_entry *e = entry_at(lane, --lane->count);
        lane->canaries -= e->op == KW_WIRE_CANARY;
        back(ctx, e);
    }
    lane->loaded = 0;
}

const struct kw_lane_entry *kw_lane_oldest(const struct kw_lane *lane, uint64_t wire_id)
{
    const struct kw_lane_entry *e = kw_lane_at(lane, 0);
    return e != NULL && e->wire_id == wire_id ? e : NULL;
}

void kw_lane_drop(struct kw_lane *lane)
{
    KW_INVARIANT(lane->count > 0);
    lane->canaries -= entry_at(lane, 0)->op == KW_WIRE_CANARY;
    lane->head = (lane->head + 1) % KW_LANE_MAX;
    lane->count--;
    lane->answered++;
}

const struct kw_lane_entry *kw_lane_executing(const struct kw_lane *lane,
                                              const struct kw_page_view *page)
{
    if (page->phase != KW_PAGE_OP || page->op <= lane->answered)
        return NULL;
    return kw_lane_at(lane, page->op - lane->answered - 1);
}
