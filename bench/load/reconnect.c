/* SPDX-License-Identifier: Apache-2.0 */
/* Going on when the plugin is restarted: what a client misses meanwhile. */
#include "calls.h"

#include <stdio.h>

void kw_outage_failed(struct kw_calls *k, bool is_call, const char *kind,
                      const char *said)
{
    struct kw_reconnect *r = &k->reconnect;
    if (r->socket == NULL)
        return;
    if (!r->is_open) {
        r->is_open = true;
        r->now = (struct kw_outage){.at_ns = k->tally.last_good_ns};
        snprintf(r->now.first_error, sizeof r->now.first_error, "%s%s%s", kind,
                 kind[0] != '\0' ? ": " : "", said);
    }
    r->now.failed += is_call;
}

void kw_outage_end(struct kw_calls *k)
{
    struct kw_reconnect *r = &k->reconnect;
    if (!r->is_open)
        return;
    r->is_open = false;
    r->now.ns = k->now_ns - r->now.at_ns;
    if (r->count < KW_OUTAGES_MAX)
        r->outage[r->count++] = r->now;
}

/* Nothing will come on it any more, and nobody waits: its calls have been counted. */
static bool is_lost(const struct kw_h2 *c)
{
    return c->over || (c->draining && !kw_h2_busy(c));
}

void kw_calls_reconnect(struct kw_calls *k)
{
    struct kw_reconnect *r = &k->reconnect;
    if (r->socket == NULL || k->now_ns < r->next_ns)
        return;
    for (size_t i = 0; i < k->connection_count; i++) {
        struct kw_h2 *c = &k->connection[i];
        if (!is_lost(c))
            continue;
        kw_outage_failed(k, false, "", c->fault);
        kw_h2_close(c);
        if (kw_failed(kw_h2_open(c, r->socket, r->streams[i], r->timeout, NULL)))
            kw_h2_end(c, "the server cannot be reached");
        k->now_ns = kw_mono_ns(&kw_clock_system);
        r->next_ns = k->now_ns + KW_RECONNECT_MS * KW_MS_NS;
    }
}
