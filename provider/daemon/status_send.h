/* SPDX-License-Identifier: Apache-2.0 */
/* status_send - the status document, to readers that may be slow
 *
 * What does not fit into the socket at once is kept until its reader took it, or its time is
 * over: then the connection is closed, and what came so far is no whole document.  Few readers
 * at most have one kept; one more takes the place of the one that has had the longest.
 *
 * Threads:   main.
 * Blocking:  never.
 */
#ifndef KEYWARD_DAEMON_STATUS_SEND_H
#define KEYWARD_DAEMON_STATUS_SEND_H

#include <stddef.h>

#include <keyward/clock.h>
#include <keyward/err.h>

struct event_base;

#define KW_STATUS_READERS_MAX 8u /* that a document is kept for: KW_STATUS_MAX each */
#define KW_STATUS_TIME_NS                                                                \
    (5 * KW_S_NS) /* in which a document must be taken               */

struct kw_status_sender;

/* `time_ns` is what each reader has.  NO_MEMORY */
KW_MUST_USE kw_err kw_status_sender_new(struct event_base *loop,
                                        const struct kw_clock *clock, int64_t time_ns,
                                        struct kw_status_sender **ret_sender);
/* Ends what is under way.  NULL does nothing. */
void kw_status_sender_free(struct kw_status_sender *sender);

/* Sends `text` (kw_new) and closes; both it and `fd`, a non-blocking stream socket, are the
 * sender's from here on.  What could not be sent is logged. */
void kw_status_send(struct kw_status_sender *sender, int fd, char *text, size_t len);

#endif
