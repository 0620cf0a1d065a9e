/* SPDX-License-Identifier: Apache-2.0 */
#include <keyward/csv.h>

static bool csv_computes(kw_span text)
{
    size_t at = 0;
    while (at < text.len && text.ptr[at] == ' ')
        at++;
    const uint8_t first = at < text.len ? text.ptr[at] : 0;
    return first == '=' || first == '+' || first == '-' || first == '@';
}

void kw_csv_cell(FILE *out, kw_span text)
{
    putc('"', out);
    if (csv_computes(text))
        putc('\'', out);
    while (text.len > 0) {
        char shown[KW_SHOWN_MAX];
        const size_t n = kw_text_shown(text, shown);
        if (text.ptr[0] == ';')
            fputs("\\x3b", out);
        else if (text.ptr[0] == '"')
            fputs("\"\"", out);
        else
            fputs(shown, out);
        text = kw_span_of(text.ptr + n, text.len - n);
    }
    putc('"', out);
}
