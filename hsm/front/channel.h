/* SPDX-License-Identifier: Apache-2.0 */
/* channel - the front's end of one worker's socket
 *
 * A worker's sessions answer in any order: an answer must carry the id of an entry,
 * anything else is a violation.  What a job was is remembered here, for a caller's
 * deadline frees the job while its message is still on its way.
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

/* Jobs in one worker's socket and in its sessions' hands: a quarter more than it has
 * sessions, and a few places for canaries alone. */
#define KW_CHANNEL_MAX (KW_SESSIONS_MAX + KW_SESSIONS_MAX / 4u + 4u)
/* Of them, loaded and not sent yet. */
#define KW_CHANNEL_LOAD KW_WIRE_JOBS_MAX

struct kw_channel_entry {
    uint64_t wire_id;
    enum kw_wire_op op;
    enum kw_checkpoint_count counts_as;
    bool is_told;      /* kw_channel_tell      */
    uint32_t n;        /* the version            */
    size_t want_len;   /* of the output, when OK */
    size_t sample_len; /* for the quarantine     */
    uint8_t sample[KW_SAMPLE_MAX];
};
struct kw_channel {
    int fd;
    size_t count;  /* entries in the socket, and loaded ones     */
    size_t loaded; /* messages that are to be sent, or being sent */
    size_t canaries;
    struct kw_secret out;
    size_t lens[KW_CHANNEL_LOAD];
    uint64_t ids[KW_CHANNEL_LOAD];
    uint8_t order[KW_CHANNEL_MAX]; /* places of the entries, the oldest first; behind them
                                      the free ones */
    struct kw_channel_entry entries[KW_CHANNEL_MAX];
};
/* Takes the descriptor over, also when it fails.  NO_MEMORY. */
KW_MUST_USE kw_err kw_channel_init(struct kw_channel *channel, int fd);
void kw_channel_wipe(
    struct kw_channel *channel); /* closes; a channel of zeros does nothing */

/* false when it is full: canaries may use all of it, client jobs `limit` entries; or when
 * as much is loaded as is sent at once. */
bool kw_channel_load(struct kw_channel *channel, const struct kw_wire_job *job,
                     enum kw_checkpoint_count counts_as, size_t want_len,
                     size_t limit) KW_LOCKED;
/* Sends what is loaded; returns how many messages the kernel took.  Never blocks. */
size_t kw_channel_send(struct kw_channel *channel) KW_FREE;
/* Ends a send: `sent` messages went.  Calls `back` for each other one, newest first. */
void kw_channel_settle(struct kw_channel *channel, size_t sent,
                       void (*back)(void *ctx, const struct kw_channel_entry *entry),
                       void *ctx) KW_LOCKED;

/* The entry with this id, NULL: none.  kw_channel_drop takes it out. */
const struct kw_channel_entry *kw_channel_find(const struct kw_channel *channel,
                                               uint64_t wire_id) KW_LOCKED;
void kw_channel_drop(struct kw_channel *channel,
                     const struct kw_channel_entry *entry) KW_LOCKED;
/* true: for the first time of this one. */
bool kw_channel_tell(struct kw_channel *channel,
                     const struct kw_channel_entry *entry) KW_LOCKED;
/* Entry i from the oldest; NULL behind the end. */
const struct kw_channel_entry *kw_channel_at(const struct kw_channel *channel,
                                             size_t i) KW_LOCKED;

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
 * message was cut, an empty one came before others, or the socket failed. */
enum kw_read kw_receiver_read(struct kw_receiver *receiver, int fd);
void kw_receiver_clear(struct kw_receiver *receiver); /* wipes what was read */

#endif
