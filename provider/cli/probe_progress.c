/* SPDX-License-Identifier: Apache-2.0 */
#include "probe_progress.h"

#include <inttypes.h>

#include <keyward/clock.h>

enum { WIDTH = 64 };

void kw_probe_progress_begin(struct kw_probe_progress *p, FILE *out,
                             const struct kw_clock *clock)
{
    const int64_t now = kw_mono_ns(clock);
    *p = (struct kw_probe_progress){
        .out = out, .clock = clock, .since_ns = now, .due_ns = now + KW_S_NS};
}

/* As wide as the longest so far: nothing of an older one stays. */
static void probe_progress_draw(struct kw_probe_progress *p, int64_t now)
{
    char line[WIDTH], count[32] = "";
    if (p->of > 1)
        snprintf(count, sizeof count, " %zu of %zu", p->at, p->of);
    const int n = snprintf(line, sizeof line, "%s%s, %" PRId64 " s", p->what, count,
                           (now - p->since_ns) / KW_S_NS);
    if (n > p->width)
        p->width = n < WIDTH ? n : WIDTH - 1;
    fprintf(p->out, "\r%-*s", p->width, line);
    fflush(p->out);
    p->due_ns = now + KW_S_NS;
}

void kw_probe_progress_tick(void *progress)
{
    struct kw_probe_progress *p = progress;
    if (p->out == NULL || p->what == NULL)
        return;
    const int64_t now = kw_mono_ns(p->clock);
    if (now >= p->due_ns)
        probe_progress_draw(p, now);
}

void kw_probe_progress_step(struct kw_probe_progress *p, const char *what, size_t at,
                            size_t of)
{
    if (p->what != what || at == 1)
        p->since_ns = kw_mono_ns(p->clock);
    p->what = what;
    p->at = at;
    p->of = of;
    kw_probe_progress_tick(p);
}

void kw_probe_progress_clear(struct kw_probe_progress *p)
{
    if (p->out == NULL || p->width == 0)
        return;
    fprintf(p->out, "\r%*s\r", p->width, "");
    fflush(p->out);
    p->width = 0;
}
