/* SPDX-License-Identifier: Apache-2.0 */
#include "progress.h"

#include <inttypes.h>
#include <string.h>

enum { BAR = 20 };

void kw_progress_begin(struct kw_progress *p, const struct kw_clock *clock, FILE *out,
                       bool terminal, const char *verb)
{
    *p = (struct kw_progress){
        .clock = clock, .out = out, .terminal = terminal, .verb = verb};
}

/* ", 1 min 05 s left"; nothing before there is a pace to judge by. */
static void progress_left_text(char *dst, size_t cap, int64_t took_ns, uint64_t done,
                               uint64_t total)
{
    dst[0] = '\0';
    if (done == 0 || took_ns <= 0)
        return;
    double left = (double)took_ns / 1e9 * (double)(total - done) / (double)done;
    uint64_t s = left < 1e9 ? (uint64_t)(left + 0.5) : 1000000000u;
    if (s < 60)
        snprintf(dst, cap, ", %" PRIu64 " s left", s);
    else if (s < 3600)
        snprintf(dst, cap, ", %" PRIu64 " min %02" PRIu64 " s left", s / 60, s % 60);
    else
        snprintf(dst, cap, ", %" PRIu64 " h %02" PRIu64 " min left", s / 3600,
                 s % 3600 / 60);
}

/* "50 %, 3 s left"; the bare number when nobody knows of how many. */
static void progress_amount_text(char *dst, size_t cap, int64_t took_ns, uint64_t done,
                                 uint64_t total)
{
    char left[48];
    if (total == 0) {
        snprintf(dst, cap, "%" PRIu64, done);
        return;
    }
    progress_left_text(left, sizeof left, took_ns, done, total);
    snprintf(dst, cap, "%.0f %%%s", 100.0 * (double)done / (double)total, left);
}

static void progress_bar_text(char dst[BAR + 4], uint64_t done, uint64_t total)
{
    size_t filled = total > 0 ? (size_t)((double)done / (double)total * BAR) : 0;
    char *at = dst;
    if (total > 0) {
        *at++ = '[';
        for (size_t i = 0; i < BAR; i++)
            *at++ = i < filled ? '#' : '.';
        *at++ = ']';
        *at++ = ' ';
    }
    *at = '\0';
}

static void progress_say(struct kw_progress *p, int64_t now_ns, uint64_t done,
                         uint64_t total)
{
    char amount[80], bar[BAR + 4];
    progress_amount_text(amount, sizeof amount, now_ns - p->began_ns, done, total);
    progress_bar_text(bar, done, total);
    if (p->terminal)
        fprintf(p->out, "\r%s: %s%s\033[K", p->what, bar, amount);
    else
        fprintf(p->out, "keyward-bench %s: %s: %s\n", p->verb, p->what, amount);
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
    progress_say(p, now_ns, total > 0 && done > total ? total : done, total);
}

void kw_progress_end(struct kw_progress *p)
{
    if (!p->drawn)
        return;
    fputs("\r\033[K", p->out);
    fflush(p->out);
    p->drawn = false;
}
