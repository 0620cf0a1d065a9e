/* SPDX-License-Identifier: Apache-2.0 */
/* status_look - the running daemon's status document, as often as it is good for the daemon
 *
 * One look is under way at a time, and whoever asks meanwhile gets its outcome; who asks
 * within KW_LOOK_EVERY_NS after it gets that one too, since a document costs the daemon's main
 * thread some milliseconds, and everybody on this machine may ask the exporter.
 *
 * Threads:   one, on its libevent loop.
 * Blocking:  never.
 */
#ifndef KEYWARD_EXPORTER_STATUS_LOOK_H
#define KEYWARD_EXPORTER_STATUS_LOOK_H

#include <jansson.h>

#include <keyward/clock.h>
#include <keyward/err.h>

struct event_base;

#define KW_LOOK_TIME_NS (3 * KW_S_NS) /* then the daemon is silent */
#define KW_LOOK_EVERY_NS KW_S_NS

/* NULL: the daemon is silent, and `why` says in which way.  Both are the look's. */
typedef void kw_looked(void *ctx, const json_t *document, const char *why);

struct kw_status_look;
/* NO_MEMORY */
KW_MUST_USE kw_err kw_status_look_new(struct event_base *loop,
                                      const struct kw_clock *clock, const char *socket,
                                      struct kw_status_look **ret_look);
void kw_status_look_free(
    struct kw_status_look *look); /* NULL does nothing; nobody is told any more */

#define KW_LOOK_WAITING_MAX 64u
/* `looked` is called once, maybe before this returns.  BUSY: so many wait already. */
KW_MUST_USE kw_err kw_status_look_ask(struct kw_status_look *look, kw_looked *looked,
                                      void *ctx);
/* Is called for it no more. */
void kw_status_look_forget(struct kw_status_look *look, const void *ctx);

#endif
