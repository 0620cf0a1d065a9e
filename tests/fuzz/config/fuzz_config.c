/* SPDX-License-Identifier: Apache-2.0 */
/* target: kw_config_parse.  Input: the configuration file; attacker: nobody (the file is
 * the operator's), but whoever makes a mistake in it must be told where.  Useful maximum:
 * 4096 bytes.
 * Claim: refuses with a note that begins with file:line:column, or what it accepted
 * prints and parses back to the same printed text, but for the marks of defaults. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <keyward/config.h>

/* An accepted value is at most twice as long when it is printed; all else is short. */
#define TEXT_MAX (4u * KW_CONFIG_MAX)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void require(bool held)
{
    if (!held)
        abort();
}

/* "c.yaml:<line>:<column>: " with numbers from 1 on. */
static void require_place(const char *note)
{
    unsigned line = 0, column = 0;
    int end = 0;
    require(sscanf(note, "c.yaml:%u:%u: %n", &line, &column, &end) == 2);
    require(end > 0 && line >= 1 && column >= 1 && note[end] != '\0');
}

static size_t print(const struct kw_config *config, char *dst)
{
    FILE *out = fmemopen(dst, TEXT_MAX, "w");
    require(out != NULL);
    kw_config_print(config, out);
    long n = ftell(out);
    require(n > 0 && n < (long)TEXT_MAX - 1 && fclose(out) == 0);
    return (size_t)n;
}

/* Takes "  # default" off the ends of lines. */
static size_t without_marks(char *text, size_t len)
{
    static const char mark[] = "  # default\n";
    size_t n = 0, m = strlen(mark);
    for (size_t i = 0; i < len; i++)
        if (len - i >= m && memcmp(text + i, mark, m) == 0) {
            text[n++] = '\n';
            i += m - 1;
        } else
            text[n++] = text[i];
    return n;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    static char first[TEXT_MAX], second[TEXT_MAX];
    struct kw_config *config = NULL, *again = NULL;
    struct kw_note note = {{0}};
    kw_err e = kw_config_parse(kw_span_of(data, len), "c.yaml", SIZE_MAX, &config, &note);
    if (kw_failed(e)) {
        require(e.code == KW_CODE_BAD_INPUT && config == NULL);
        require_place(note.text);
        return 0;
    }
    size_t n = print(config, first);
    e = kw_config_parse(kw_span_of(first, n), "p.yaml", SIZE_MAX, &again, &note);
    require(!kw_failed(e));
    n = without_marks(first, n);
    require(print(again, second) == n && memcmp(first, second, n) == 0);
    kw_config_free(config);
    kw_config_free(again);
    return 0;
}
