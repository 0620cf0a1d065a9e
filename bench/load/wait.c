/* SPDX-License-Identifier: Apache-2.0 */
/* Waiting for replies: one system call when there is one connection, ppoll otherwise. */
#include "calls.h"

#include <poll.h>

static void take(struct kw_calls *k, struct kw_h2 *c, bool wait, kw_call_ended *ended)
{
    if (c->over || !kw_h2_read(c, wait))
        return;
    k->now_ns = kw_mono_ns(&kw_clock_system);
    kw_h2_digest(c, ended, k);
}

static bool is_timed(const struct kw_calls *k)
{
    return k->schedule != NULL || k->pace.rate > 0;
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
static struct timespec until_next(const struct kw_calls *k)
{
    int64_t ns = 100 * KW_MS_NS, next = 0;
    if (k->pace.rate > 0)
        next = k->pace.next_ns;
    if (k->schedule != NULL && kw_schedule_next_ns(k->schedule) > next)
        next = kw_schedule_next_ns(k->schedule);
    int64_t left = next - k->now_ns;
    /* Late already: every stream is taken, and a reply will wake us. */
    if (is_timed(k) && left > 0 && left < ns)
        ns = left;
    if (k->reconnect.socket != NULL && ns > KW_RECONNECT_MS * KW_MS_NS)
        ns = KW_RECONNECT_MS * KW_MS_NS;
    return (struct timespec){.tv_nsec = (long)ns};
}

void kw_calls_wait(struct kw_calls *k, kw_call_ended *ended)
{
    struct pollfd polled[KW_CONNECTIONS_MAX];
    struct timespec left = until_next(k);
    gather(k);
    if (k->connection_count == 1 && !is_timed(k) && k->reconnect.socket == NULL &&
        !kw_h2_unwritten(k->connection)) {
        take(k, k->connection, true, ended);
        k->now_ns = kw_mono_ns(&kw_clock_system);
        return;
    }
    for (size_t i = 0; i < k->connection_count; i++) {
        struct kw_h2 *c = &k->connection[i];
        short want = kw_h2_unwritten(c) ? POLLIN | POLLOUT : POLLIN;
        polled[i] = (struct pollfd){c->over ? -1 : c->fd, want, 0};
    }
    (void)ppoll(polled, k->connection_count, &left, NULL);
    for (size_t i = 0; i < k->connection_count; i++)
        if (polled[i].revents != 0)
            take(k, &k->connection[i], false, ended);
    k->now_ns = kw_mono_ns(&kw_clock_system);
}
