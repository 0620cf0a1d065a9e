/* SPDX-License-Identifier: Apache-2.0 */
/* What a storm counts, and its time line. */
#include "parts.h"

static struct kw_storm_hour *hour_of(struct kw_storm *s, int64_t wanted_ns)
{
    /* In steps of a 24th, so that the product cannot run over. */
    int64_t each = s->o.day_ns / KW_STORM_HOURS;
    int64_t hour = each > 0 ? (wanted_ns - s->began_ns) / each : 0;
    return &s->tally.hour[hour < KW_STORM_HOURS ? hour : KW_STORM_HOURS - 1];
}

static uint16_t *flying_of(struct kw_storm *s, uint32_t server, size_t seed)
{
    return &s->flying[server % s->o.sockets * s->o.seeds + seed];
}

void kw_storm_count_wanted(struct kw_storm *s, uint32_t server,
                           const struct kw_storm_asker *a)
{
    s->server[server].busy++;
    s->tally.calls[a->method]++;
    hour_of(s, a->wanted_ns)->calls[a->method]++;
    if (a->method == KW_DECRYPT && (*flying_of(s, server, a->seed))++ > 0)
        s->tally.duplicates++;
}

static void count_code(struct kw_storm_tally *t, unsigned code)
{
    enum { UNKNOWN = 2, DEADLINE_EXCEEDED = 4 };
    t->by_code[code > 0 && code < KW_STORM_CODES ? code : UNKNOWN]++;
    t->deadline_misses += code == DEADLINE_EXCEEDED;
}

void kw_storm_count_ended(struct kw_storm *s, uint32_t server,
                          const struct kw_storm_asker *a,
                          const struct kw_storm_reply *reply)
{
    struct kw_storm_tally *t = &s->tally;
    s->server[server].busy--;
    if (a->method == KW_DECRYPT)
        (*flying_of(s, server, a->seed))--;
    if (reply->outcome == KW_STORM_GOOD) {
        t->good[a->method]++;
        if (a->method == KW_DECRYPT)
            kw_histogram_add(&t->latency, (uint64_t)(s->now_ns - a->wanted_ns));
        return;
    }
    hour_of(s, a->wanted_ns)->failed[a->method]++;
    if (reply->outcome == KW_STORM_WRONG)
        t->wrong++;
    else
        count_code(t, reply->code);
}

uint64_t kw_storm_unwrapped(const struct kw_storm *s)
{
    uint64_t sum = 0;
    for (uint64_t i = 0; i < s->o.servers; i++)
        sum += s->server[i].has_count;
    return sum;
}

static struct kw_storm_point point_at(const struct kw_storm *s, int64_t t_ns)
{
    struct kw_storm_point p = {
        .t_ns = t_ns, .unwrapped = kw_storm_unwrapped(s), .failed = s->tally.wrong};
    for (uint64_t i = 0; i < s->o.servers; i++)
        p.in_flight += s->server[i].busy;
    for (unsigned i = 0; i < KW_STORM_CODES; i++)
        p.failed += s->tally.by_code[i];
    return p;
}

/* Every second point goes, and twice as long lies between those that come. */
static void thin_out(struct kw_storm_timeline *line)
{
    line->count = (line->count + 1) / 2;
    for (size_t i = 1; i < line->count; i++)
        line->point[i] = line->point[2 * i];
    line->step_ns *= 2;
    line->next_ns = (int64_t)line->count * line->step_ns;
}

void kw_storm_sample(struct kw_storm *s, int64_t now_ns)
{
    struct kw_storm_timeline *line = &s->timeline;
    while (line->next_ns <= now_ns - s->began_ns) {
        line->point[line->count++] = point_at(s, line->next_ns);
        line->next_ns += line->step_ns;
        if (line->count == KW_STORM_POINTS - 1) /* the last one is for the end */
            thin_out(line);
    }
}

size_t kw_storm_timeline(const struct kw_storm *s, struct kw_storm_point *ret_points)
{
    const struct kw_storm_timeline *line = &s->timeline;
    for (size_t i = 0; i < line->count; i++)
        ret_points[i] = line->point[i];
    ret_points[line->count] = point_at(s, s->now_ns - s->began_ns);
    return line->count + 1;
}
