/* SPDX-License-Identifier: Apache-2.0 */
/* What a vendor library prints ends up in our log, line by line, labelled. */
#include "front_internal.h"

#include <unistd.h>

#include <keyward/log.h>

static void line(struct kw_worker *w)
{
    if (w->line_len > 0)
        kw_log(KW_LOG_WARN, "vendor-output", KW_STR("token", w->front->token.name),
               KW_INT("pid", w->pid), KW_PEER("text", kw_span_of(w->line, w->line_len)));
    w->line_len = 0;
}

static void feed(struct kw_worker *w, const char *text, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        if (text[i] == '\n' || w->line_len == sizeof w->line)
            line(w);
        if (text[i] != '\n' && w->line_len < sizeof w->line)
            w->line[w->line_len++] = text[i];
    }
}

bool kw_output_read(struct kw_worker *w)
{
    enum { READS = 8 }; /* then somebody else's turn */
    char text[1024];
    ssize_t n = 1;
    for (int i = 0; i < READS && n > 0; i++) {
        n = read(w->output, text, sizeof text);
        if (n > 0)
            feed(w, text, (size_t)n);
    }
    kw_wipe(text, sizeof text);
    if (n == 0 || w->gone)
        line(w);
    return n != 0;
}
