/* SPDX-License-Identifier: Apache-2.0 */
/* life - what a worker is, and what may happen to it
 *
 * Two things end, one after the other or at once: the channel (its socket: what may be
 * said, and what will still be heard) and the process.  One table says what may happen
 * when; docs/ARCHITECTURE.md shows it as a test prints it.
 *
 * Pure. */
#ifndef KEYWARD_FRONT_LIFE_H
#define KEYWARD_FRONT_LIFE_H

#include <stdbool.h>

enum kw_worker_channel {
    KW_WORKER_STARTING, /* it talks of its start; it gets no jobs              */
    KW_WORKER_READY,
    KW_WORKER_STUCK,    /* no session moves: no new jobs                       */
    KW_WORKER_DRAINING, /* no new jobs, leaves when it has answered the rest   */
    KW_WORKER_ENDED,    /* nothing is heard any more; somebody may be sending  */
    KW_WORKER_CLOSED,
    KW_WORKER_CHANNELS
};
enum kw_worker_process {
    KW_PROCESS_RUNNING,
    KW_PROCESS_KILLED, /* its end is on its way */
    KW_PROCESS_GONE,   /* ended, and not reaped */
    KW_WORKER_PROCESSES
};
struct kw_life {
    enum kw_worker_channel channel;
    enum kw_worker_process process;
};

enum kw_life_event {
    KW_LIFE_READY, /* the worker: it may serve                          */
    KW_LIFE_STUCK, /* the clock: no session moves                       */
    KW_LIFE_DRAIN, /* we: it is to leave                                */
    KW_LIFE_END,   /* its socket's end; or we hear it no more           */
    KW_LIFE_CLOSE, /* we: nobody sends any more                         */
    KW_LIFE_KILL,  /* we                                                */
    KW_LIFE_EXIT,  /* the kernel: the process ended                     */
    KW_LIFE_EVENTS
};

/* false: the worker may not do that now, and *life stays.  What only we do, and may not
 * now, aborts. */
bool kw_life_happens(struct kw_life *life, enum kw_life_event event);

/* "ready", and so on: of a killed one "killed", and "draining" once its socket ended. */
const char *kw_life_name(const struct kw_life *life);

/* The table, for the manual: what becomes of the channel, of the process; "-" nothing,
 * "worker" the worker broke the protocol, "never" it does not happen. */
const char *kw_life_channel_after(enum kw_worker_channel at, enum kw_life_event event);
const char *kw_life_process_after(enum kw_worker_process at, enum kw_life_event event);
const char *kw_life_event_name(enum kw_life_event event);
const char *kw_life_channel_name(enum kw_worker_channel at);
const char *kw_life_process_name(enum kw_worker_process at);

#endif
