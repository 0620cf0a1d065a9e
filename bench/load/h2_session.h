/* SPDX-License-Identifier: Apache-2.0 */
/* h2_session - what nghttp2 wants to know, and what it tells; for h2.c only
 *
 * Threads:   one.
 */
#ifndef KEYWARD_BENCH_H2_SESSION_H
#define KEYWARD_BENCH_H2_SESSION_H

#include "h2.h"

enum { KW_H2_FRAME_MAX = 9 + 16384 };

/* With preface, SETTINGS and WINDOW_UPDATE queued.  NO_MEMORY */
KW_MUST_USE kw_err kw_h2_session_new(struct kw_h2 *c);
/* Queues the call's request; the number of its stream, or nghttp2's error. */
int32_t kw_h2_session_request(struct kw_h2 *c, struct kw_h2_call *call);
/* Nobody waits for this stream any more. */
void kw_h2_session_cancel(struct kw_h2 *c, int32_t id);
/* h2.c */
void kw_h2_free_call(struct kw_h2 *c, struct kw_h2_call *call);

#endif
