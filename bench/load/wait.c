/* SPDX-License-Identifier: Apache-2.0 */
/* Waiting for replies: one system call when there is one connection, ppoll otherwise. */
#include "calls.h"

#include <poll.h>

static bool is_timed(const struct kw_calls *k)
{
    return k->schedule != NULL || k->pace.gap_ns > 0;
}

/* With many calls under way a reply that waits a little costs nobody anything, and being
 * woken for each one would cost this side, and the server that wakes it, more than the
 * call itself.  What is under way keeps the server busy meanwhile. */
static void gather(const struct kw_calls *k)
{
    const struct timespec nap = {.tv_nsec = KW_GATHER_NS};
    if (k->gathers && !is_timed(k) && k->under_way >= KW_GATHER_FROM)
        (void)ppoll(NULL, 0, &nap, NULL);
}

/* The next call has a time of its own, and may go out before any reply comes. */
static int64_t until_next(const struct kw_calls *k)
{
    int64_t next = 0;
    if (k->pace.gap_ns > 0)
        next = k->pace.next_ns;
    if (k->schedule != NULL && kw_schedule_next_ns(k->schedule) > next)
        next = kw_schedule_next_ns(k->schedule);
    int64_t left = next - k->now_ns;
    /* Late already: every stream is taken, and a reply will wake us. */
    int64_t ns = is_timed(k) && left > 0 ? left : INT64_MAX;
    if (k->reconnect.socket != NULL && ns > KW_RECONNECT_MS * KW_MS_NS)
        ns = KW_RECONNECT_MS * KW_MS_NS;
    return ns;
}

void kw_calls_wait(struct kw_calls *k, kw_h2_ended *ended)
{
    struct kw_h2 *c = k->connection;
    gather(k);
    if (k->connection_count > 1 || is_timed(k) || k->reconnect.socket != NULL ||
        kw_h2_unwritten(c)) {
        kw_h2_wait(c, k->connection_count, until_next(k), ended, k, &k->now_ns);
        return;
    }
    bool came = !c->over && kw_h2_read(c, true);
    k->now_ns = kw_mono_ns(&kw_clock_system);
    if (came)
        kw_h2_digest(c, ended, k);
    k->now_ns = kw_mono_ns(&kw_clock_system);
}
