/* SPDX-License-Identifier: Apache-2.0 */
/* channel - the front's end of one worker's socket
 *
 * A worker answers in the order of its jobs, so the channel is a ring: an answer must
 * carry the id of the oldest entry, anything else is a violation.  What a job was is
 * remembered here, for a caller's deadline frees the job while its message is still on
 * its way.
 *
 *   load (locked) ... send (not locked, one sender at a time) ... unload what did not go
 *   receive (main thread) ... match (locked)
 *
 * Secrets: messages lie in the arena and are wiped after they were sent or read. */
#ifndef KEYWARD_FRONT_CHANNEL_H
#define KEYWARD_FRONT_CHANNEL_H

#include <sys/socket.h>

#include <keyward/mutex.h>
#include <keyward/secret.h>
#include <keyward/wire.h>

#include "quarantine.h"

/* Client jobs are at most KW_WIRE_JOBS_MAX; a few more are for canaries. */
#define KW_CHANNEL_MAX (KW_WIRE_JOBS_MAX + 4u)

struct kw_channel_entry {
    uint64_t wire_id;
    enum kw_wire_op op;
    uint32_t n;        /* the version            */
    size_t want_len;   /* of the output, when OK */
    size_t sample_len; /* for the quarantine     */
    uint8_t sample[KW_SAMPLE_MAX];
};
struct kw_channel {
    int fd;
    size_t head, count; /* entries in the socket, and loaded ones */
    size_t loaded;      /* of them, not sent yet                  */
    size_t canaries;
    uint64_t answered; /* so the oldest entry is the worker's operation answered + 1 */
    struct kw_secret out;
    size_t lens[KW_CHANNEL_MAX];
    struct kw_channel_entry entries[KW_CHANNEL_MAX];
};
/* Takes the descriptor over, also when it fails.  NO_MEMORY. */
KW_MUST_USE kw_err kw_channel_init(struct kw_channel *channel, int fd);
void kw_channel_wipe(
    struct kw_channel *channel); /* closes; a channel of zeros does nothing */

/* false when the channel is full: canaries may use all of it, client jobs `limit`
 * entries. */
bool kw_channel_load(struct kw_channel *channel, const struct kw_wire_job *job,
                     size_t want_len, size_t limit) KW_LOCKED;
/* Sends what is loaded; returns how many messages the kernel took.  Never blocks. */
size_t kw_channel_send(struct kw_channel *channel) KW_FREE;
/* Ends a send: `sent` messages went.  Calls `back` for each other one, newest first. */
void kw_channel_settle(struct kw_channel *channel, size_t sent,
                       void (*back)(void *ctx, const struct kw_channel_entry *entry),
                       void *ctx) KW_LOCKED;

/* The oldest entry, if it has this id.  kw_channel_drop takes it out. */
const struct kw_channel_entry *kw_channel_oldest(const struct kw_channel *channel,
                                                 uint64_t wire_id) KW_LOCKED;
void kw_channel_drop(struct kw_channel *channel) KW_LOCKED;
/* Entry i from the oldest; NULL behind the end. */
const struct kw_channel_entry *kw_channel_at(const struct kw_channel *channel,
                                             size_t i) KW_LOCKED;
/* The entry that the worker is executing by its page; NULL when it is between two. */
const struct kw_channel_entry *kw_channel_executing(
    const struct kw_channel *channel, const struct kw_page_view *page) KW_LOCKED;

/* ---- reading ----------------------------------------------------------------------- */

#define KW_RECEIVE_MAX 32u
struct kw_receiver {
    struct kw_secret buf;
    size_t count;
    kw_span messages[KW_RECEIVE_MAX];
    struct mmsghdr headers[KW_RECEIVE_MAX];
    struct iovec parts[KW_RECEIVE_MAX];
};
KW_MUST_USE kw_err kw_receiver_init(struct kw_receiver *receiver);
void kw_receiver_wipe(struct kw_receiver *receiver);

enum kw_read { KW_READ_SOME, KW_READ_EMPTY, KW_READ_END, KW_READ_BROKEN };
/* One batch, never blocking.  SOME: `messages` until kw_receiver_clear.  BROKEN: a
 * message was cut, or the socket failed. */
enum kw_read kw_receiver_read(struct kw_receiver *receiver, int fd);
void kw_receiver_clear(struct kw_receiver *receiver); /* wipes what was read */

#endif
