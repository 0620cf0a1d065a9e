/* SPDX-License-Identifier: Apache-2.0 */
#include "progress.h"

#include <inttypes.h>
#include <string.h>

static void progress_say(struct kw_progress *p, int64_t took_ns, uint64_t done,
                         uint64_t total)
{
    char left[48] = "";
    const double share = total > 0 ? (double)done / (double)total : 1;
    if (done > 0 && took_ns > 0) {
        const double left_s = (double)took_ns / 1e9 * (1 - share) / share;
        uint64_t s = left_s < 1e9 ? (uint64_t)(left_s + 0.5) : 1000000000u;
        if (s < 60)
            snprintf(left, sizeof left, ", %" PRIu64 " s left", s);
        else
            snprintf(left, sizeof left, ", %" PRIu64 " min %02" PRIu64 " s left", s / 60,
                     s % 60);
    }
    if (p->terminal)
        fprintf(p->out, "\r%s: %.0f %%%s\033[K", p->what, 100 * share, left);
    else
        fprintf(p->out, "keyward-bench %s: %s: %.0f %%%s\n", p->verb, p->what,
                100 * share, left);
    fflush(p->out);
    p->drawn = p->terminal;
}

void kw_progress_tell(struct kw_progress *p, const char *what, uint64_t done,
                      uint64_t total)
{
    if (p->out == NULL)
        return;
    const int64_t pause_ms = p->terminal ? KW_PROGRESS_DRAW_MS : KW_PROGRESS_LINE_MS;
    int64_t now_ns = kw_mono_ns(p->clock);
    if (p->what == NULL)
        p->told_ns = now_ns; /* what is over at once needs no word */
    if (p->what == NULL || strcmp(p->what, what) != 0) {
        p->what = what;
        p->began_ns = now_ns;
    }
    if (now_ns - p->told_ns < pause_ms * KW_MS_NS)
        return;
    p->told_ns = now_ns;
    progress_say(p, now_ns - p->began_ns, done < total ? done : total, total);
}

void kw_progress_end(struct kw_progress *p)
{
    if (!p->drawn)
        return;
    fputs("\r\033[K", p->out);
    fflush(p->out);
    p->drawn = false;
}
