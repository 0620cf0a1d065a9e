/* SPDX-License-Identifier: Apache-2.0 */
/* What a measurement's document says. */
#include <string.h>

#include <keyward/bytes.h>

#include "rounds.h"

static kw_err bad(struct kw_note *note, const char *what)
{
    kw_note_set(note, "%s", what);
    return kw_err_at(KW_CODE_BAD_INPUT, "reading");
}

static kw_err read_figures(const json_t *figures, struct kw_reading *reading,
                           struct kw_note *note)
{
    const char *name = NULL;
    json_t *value = NULL;
    if (json_object_size(figures) == 0)
        return bad(note, "its document has no figures");
    if (json_object_size(figures) > KW_RESULTS_FIGURES)
        return bad(note, "its document has more than 32 figures");
    json_object_foreach((json_t *)(uintptr_t)figures, name, value)
    {
        const size_t at = reading->count++;
        if (!json_is_number(value) || !kw_results_is_name(name))
            return bad(note,
                       "a figure of its document is no number, or its name is not of "
                       "letters, digits and ._-");
        (void)kw_copy_str(reading->figure[at].name, sizeof reading->figure[at].name,
                          kw_span_str(name));
        reading->figure[at].value = json_number_value(value);
    }
    return KW_OK;
}

kw_err kw_reading_of(const json_t *document, struct kw_reading *ret_reading,
                     struct kw_note *note)
{
    struct kw_reading reading = {.count = 0};
    const char *tool = json_string_value(json_object_get(document, "tool"));
    const json_t *histogram = json_object_get(document, "histogram");
    if (tool == NULL ||
        !kw_copy_str(reading.tool, sizeof reading.tool, kw_span_str(tool)))
        return bad(note, "its document does not name its tool");
    kw_err e = read_figures(json_object_get(document, "figures"), &reading, note);
    if (kw_failed(e))
        return e;
    if (histogram != NULL)
        e = kw_counts_read(histogram, &reading.histogram);
    if (kw_failed(e))
        return bad(note, "the histogram of its document is not [[upper_ns, count], …]");
    *ret_reading = reading;
    return KW_OK;
}
