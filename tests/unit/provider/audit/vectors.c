/* SPDX-License-Identifier: Apache-2.0 */
#include "vectors.h"

#include <stdio.h>

#include "check.h"

static char text[VECTORS][KW_AUDIT_LINE_MAX + 1];
static kw_span lines[VECTORS];

static size_t vectors_read(const char *path, size_t at)
{
    FILE *file = fopen(path, "re");
    CHECK(file != NULL);
    for (; at < VECTORS && fgets(text[at], sizeof text[at], file) != NULL; at++)
        lines[at] = kw_span_of(text[at], strcspn(text[at], "\n"));
    CHECK(fgetc(file) == EOF);
    fclose(file);
    return at;
}

const kw_span *vectors(void)
{
    assert_int_equal(vectors_read(KW_VECTORS "/audit-genesis.jsonl", 0), VECTORS_FIRST);
    assert_int_equal(vectors_read(KW_VECTORS "/audit-later.jsonl", VECTORS_FIRST),
                     VECTORS);
    return lines;
}
