/* SPDX-License-Identifier: Apache-2.0 */
/* target: kw_metrics_write, of a document that jansson took.
 * Input: what the status socket said; attacker: whoever listens there.
 * Useful maximum: 64 KiB.
 * Claim: each line is a comment of ours, or a name of ours with labels, one blank and a
 * number; of printable text alone; nothing of the document begins a line. */
#include <ctype.h>
#include <string.h>

#include <event2/buffer.h>

#include <keyward/bytes.h>

#include "metrics.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void check_line(const char *line, size_t len)
{
    KW_INVARIANT(kw_is_printable_text(kw_span_of(line, len)));
    if (len > 2 && line[0] == '#')
        return;
    KW_INVARIANT(len > 9 && strncmp(line, "keyward_", 8) == 0);
    size_t at = len;
    while (at > 0 && (isdigit((unsigned char)line[at - 1]) || line[at - 1] == '.'))
        at--;
    KW_INVARIANT(at < len && at > 0 && line[at - 1] == ' ');
}

static void check_text(struct evbuffer *out)
{
    const size_t len = evbuffer_get_length(out);
    const char *text = (const char *)evbuffer_pullup(out, -1);
    for (size_t at = 0; at < len;) {
        const char *end = memchr(text + at, '\n', len - at);
        KW_INVARIANT(end != NULL);
        check_line(text + at, (size_t)(end - text) - at);
        at = (size_t)(end - text) + 1;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    static const struct kw_metrics_options options = {.cryptoperiod_us = 1};
    json_t *document = json_loadb((const char *)data, len, JSON_REJECT_DUPLICATES, NULL);
    struct evbuffer *out = evbuffer_new();
    if (document != NULL && out != NULL && kw_metrics_write(out, document, &options))
        check_text(out);
    if (out != NULL)
        evbuffer_free(out);
    json_decref(document);
    return 0;
}
