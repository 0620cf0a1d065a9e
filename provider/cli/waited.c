/* SPDX-License-Identifier: Apache-2.0 */
#include "waited.h"

#define RELOAD "reload it (systemctl reload keywardd)"

/* The clock of today says since when, whatever the one of then did. */
static int too_short(const struct kw_cli *cli, uint32_t n, const struct kw_wait *wait,
                     int64_t since_wall_ns, bool went_back)
{
    char since[KW_TIME_TEXT];
    kw_time_text(since, since_wall_ns > 0 ? since_wall_ns : 0);
    return kw_refuse(
        cli,
        "version %u is seen as %s on this node only since %s%s; wait %s%s, or say --now",
        (unsigned)n, wait->state, since,
        went_back ? " (the clock was set back since then)" : "", wait->how_long,
        wait->why);
}

int kw_waited(const struct kw_cli *cli, const struct kw_context *context, uint32_t n,
              const struct kw_wait *wait)
{
    bool went_back;
    const struct kw_moment since = kw_context_since(context, n);
    const struct kw_moment now = kw_moment_now(&kw_clock_system);
    if (since.wall_ns == 0)
        return kw_refuse(cli,
                         "this node's daemon has not yet seen version %u as %s; " RELOAD
                         " and wait %s, or say --now",
                         (unsigned)n, wait->state, wait->how_long);
    const int64_t age = kw_moment_age(&since, &now, &went_back);
    if (age >= wait->ns)
        return -1;
    if (age > 0 || !went_back)
        return too_short(cli, n, wait, now.wall_ns - age, went_back);
    return kw_refuse(cli,
                     "the clock was set back since this node's daemon saw version %u as "
                     "%s, and how long ago that was is not known; " RELOAD
                     ", which counts anew, and wait %s, or say --now",
                     (unsigned)n, wait->state, wait->how_long);
}
