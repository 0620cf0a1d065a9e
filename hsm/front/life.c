/* SPDX-License-Identifier: Apache-2.0 */
/* What a worker is, and what may happen to it: the table. */
#include "life.h"

#include <stdint.h>

#include <keyward/mutex.h>

/* Beside the states: it stays; the worker may not; it cannot be, unless we are wrong. */
enum { STAYS = 100, WORKER, NEVER };

enum {
    STARTING = KW_WORKER_STARTING,
    READY = KW_WORKER_READY,
    STUCK = KW_WORKER_STUCK,
    DRAINING = KW_WORKER_DRAINING,
    ENDED = KW_WORKER_ENDED,
    CLOSED = KW_WORKER_CLOSED,
    RUNNING = KW_PROCESS_RUNNING,
    KILLED = KW_PROCESS_KILLED,
    GONE = KW_PROCESS_GONE
};

/* What is said by one that was told to leave meanwhile is heard and means nothing. */
static const uint8_t channels[KW_WORKER_CHANNELS][KW_LIFE_EVENTS] = {
    /*             ready   stuck  drain     end    close   kill      exit */
    [STARTING] = {READY, NEVER, DRAINING, ENDED, NEVER, DRAINING, STAYS},
    [READY] = {WORKER, STUCK, DRAINING, ENDED, NEVER, DRAINING, STAYS},
    [STUCK] = {WORKER, NEVER, DRAINING, ENDED, NEVER, DRAINING, STAYS},
    [DRAINING] = {STAYS, NEVER, STAYS, ENDED, NEVER, STAYS, STAYS},
    [ENDED] = {NEVER, NEVER, NEVER, NEVER, CLOSED, STAYS, STAYS},
    [CLOSED] = {NEVER, NEVER, NEVER, NEVER, NEVER, STAYS, STAYS},
};
static const uint8_t processes[KW_WORKER_PROCESSES][KW_LIFE_EVENTS] = {
    /*            ready  stuck  drain  end    close  kill    exit */
    [RUNNING] = {STAYS, STAYS, STAYS, STAYS, STAYS, KILLED, GONE},
    [KILLED] = {STAYS, NEVER, STAYS, STAYS, STAYS, NEVER, GONE},
    [GONE] = {STAYS, NEVER, STAYS, STAYS, STAYS, NEVER, NEVER},
};

bool kw_life_happens(struct kw_life *life, enum kw_life_event event)
{
    unsigned channel = channels[life->channel][event];
    unsigned process = processes[life->process][event];
    if (channel == WORKER)
        return false;
    KW_INVARIANT(channel != NEVER && process != NEVER);
    if (channel != STAYS)
        life->channel = (enum kw_worker_channel)channel;
    if (process != STAYS)
        life->process = (enum kw_worker_process)process;
    return true;
}

/* ---- names ------------------------------------------------------------------------- */

const char *kw_life_channel_name(enum kw_worker_channel at)
{
    static const char *const names[KW_WORKER_CHANNELS] = {"starting", "ready", "stuck",
                                                          "draining", "ended", "closed"};
    return names[at];
}

const char *kw_life_process_name(enum kw_worker_process at)
{
    static const char *const names[KW_WORKER_PROCESSES] = {"running", "killed", "gone"};
    return names[at];
}

const char *kw_life_event_name(enum kw_life_event event)
{
    static const char *const names[KW_LIFE_EVENTS] = {"ready", "stuck", "drain", "end",
                                                      "close", "kill",  "exit"};
    return names[event];
}

const char *kw_life_name(const struct kw_life *life)
{
    if (life->process == KW_PROCESS_KILLED)
        return kw_life_process_name(life->process);
    return kw_life_channel_name(life->channel < KW_WORKER_ENDED ? life->channel
                                                                : KW_WORKER_DRAINING);
}

static const char *life_no_state(unsigned after)
{
    return after == STAYS    ? "-"
           : after == WORKER ? "worker"
           : after == NEVER  ? "never"
                             : 0;
}

const char *kw_life_channel_after(enum kw_worker_channel at, enum kw_life_event event)
{
    unsigned after = channels[at][event];
    const char *name = life_no_state(after);
    return name != 0 ? name : kw_life_channel_name((enum kw_worker_channel)after);
}

const char *kw_life_process_after(enum kw_worker_process at, enum kw_life_event event)
{
    unsigned after = processes[at][event];
    const char *name = life_no_state(after);
    return name != 0 ? name : kw_life_process_name((enum kw_worker_process)after);
}
