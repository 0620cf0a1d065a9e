/* SPDX-License-Identifier: Apache-2.0 */
/* What a vendor library prints ends up in our log, line by line, labelled. */
#include "front_internal.h"

#include <unistd.h>

#include <keyward/log.h>

static void line(struct kw_worker *w)
{
    if (w->process.line_len > 0)
        kw_log(KW_LOG_WARN, "vendor-output", KW_STR("token", w->token->o.name),
               KW_INT("pid", w->process.pid),
               KW_PEER("text", kw_span_of(w->process.line, w->process.line_len)));
    w->process.line_len = 0;
}

static void feed(struct kw_worker *w, const char *text, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        if (text[i] == '\n' || w->process.line_len == sizeof w->process.line)
            line(w);
        if (text[i] != '\n' && w->process.line_len < sizeof w->process.line)
            w->process.line[w->process.line_len++] = text[i];
    }
}

bool kw_output_read(struct kw_worker *w)
{
    enum { READS = 8 }; /* then somebody else's turn */
    char text[1024];
    ssize_t n = 1;
    for (int i = 0; i < READS && n > 0; i++) {
        n = read(w->process.output, text, sizeof text);
        if (n > 0)
            feed(w, text, (size_t)n);
    }
    kw_wipe(text, sizeof text);
    if (n == 0 || kw_worker_process_by_main(w) == KW_PROCESS_GONE)
        line(w);
    return n != 0;
}
