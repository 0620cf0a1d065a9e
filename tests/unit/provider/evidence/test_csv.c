/* SPDX-License-Identifier: Apache-2.0 */
/* A table as a file for a spreadsheet. */
#include <stdio.h>
#include <stdlib.h>

#include "check.h"
#include "sample.h"

static struct kw_evidence *e;
static char *written;
static size_t written_len;

static void end(void)
{
    free(written);
    written = NULL;
    kw_evidence_free(e);
    e = NULL;
}

static const char *csv(enum kw_evidence_table table)
{
    free(written);
    FILE *out = open_memstream(&written, &written_len);
    CHECK(out != NULL);
    CHECK(kw_evidence_csv(e, table, out));
    CHECK(fclose(out) == 0);
    return written;
}

TEST(csv__rows__as_rfc_4180_has_them)
{
    e = sample_empty();
    sample_row(e, KW_EVIDENCE_STATED,
               "[\"custodian\", \"Ada, \\\"the\\\" first\", null]");
    sample_row(e, KW_EVIDENCE_STATED, "[\"\", \"a\\nb\", \"00ff\"]");
    CHECK_STR(csv(KW_EVIDENCE_STATED), "what,value,sha256\r\n"
                                       "\"custodian\",\"Ada, \"\"the\"\" first\",\r\n"
                                       "\"\",\"a\\x0ab\",\"00ff\"\r\n");
}

TEST(csv__numbers_and_booleans__bare)
{
    e = sample_empty();
    sample_row(e, KW_EVIDENCE_CALLS,
               "[\"a\", \"encrypt\", \"c\", \"hsm\", 0, \"ok\", null, 12345678901]");
    CHECK_STR(csv(KW_EVIDENCE_CALLS), "node,method,class,source,code,reason,key_id,count"
                                      "\r\n\"a\",\"encrypt\",\"c\",\"hsm\",0,\"ok\",,"
                                      "12345678901\r\n");
    sample_row(e, KW_EVIDENCE_COVERAGE, "[\"a\", \"b\", \"c\", \"signed\", true]");
    sample_row(e, KW_EVIDENCE_COVERAGE, "[\"a\", \"b\", \"c\", \"signed\", false]");
    CHECK_STR(csv(KW_EVIDENCE_COVERAGE), "node,from,to,kind,gap\r\n"
                                         "\"a\",\"b\",\"c\",\"signed\",true\r\n"
                                         "\"a\",\"b\",\"c\",\"signed\",false\r\n");
}

TEST(csv__no_rows__names_alone)
{
    e = sample_empty();
    for (unsigned i = 0; i < KW_EVIDENCE_TABLES; i++) {
        const struct kw_evidence_spec *spec = kw_evidence_spec(i);
        csv(i);
        const char *line_end = strstr(written, "\r\n");
        CHECK(line_end != NULL && line_end[2] == '\0');
        CHECK(strncmp(written, spec->columns[0].name, strlen(spec->columns[0].name)) ==
              0);
    }
}

/* Cells end at a comma outside of quotes, lines at CR LF. */
static void cells_are_harmless(const char *text, size_t columns)
{
    size_t cells = 0, lines = 0;
    while (*text != '\0') {
        const char first = text[*text == '"' ? 1 : 0];
        /* A number may be below 0; a text begins with a quote. */
        CHECK(strchr("=+@\t\r ", first) == NULL || first == '\r' || first == '\0');
        CHECK(*text != '"' || first != '-');
        if (*text == '"') {
            for (text++; text[0] != '"' || text[1] == '"'; text += text[0] == '"' ? 2 : 1)
                CHECK((unsigned char)*text >= ' ' && *text != '\0');
            text++;
        } else {
            while (*text != ',' && *text != '\r')
                text++;
        }
        cells++;
        if (*text == ',') {
            text++;
            continue;
        }
        CHECK(text[0] == '\r' && text[1] == '\n');
        text += 2;
        lines++;
        CHECK(cells == lines * columns);
    }
    CHECK(lines == 3);
}

TEST(csv__hostile_text_in_each_table__no_formula_and_one_line_a_row)
{
    static const char *const hostile[] = {"=HYPERLINK(\"http://x\")",
                                          "+1",
                                          "-1",
                                          "@SUM(A1)",
                                          "\t=1",
                                          "\r=1",
                                          "\n=1",
                                          "a\"\r\n=1,\"",
                                          "\x1b[2J",
                                          "a;=1",
                                          "\xe2\x80\xae=1\xe2\x80\xac",
                                          "\"=1"};
    for (size_t h = 0; h < sizeof hostile / sizeof hostile[0]; h++) {
        end();
        e = sample_of_text(hostile[h]);
        for (unsigned i = 0; i < KW_EVIDENCE_TABLES; i++)
            cells_are_harmless(csv(i), kw_evidence_spec(i)->column_count);
    }
}

TEST(csv__full_disk__said)
{
    e = sample_cluster();
    FILE *full = fopen("/dev/full", "w");
    CHECK(full != NULL);
    CHECK(!kw_evidence_csv(e, KW_EVIDENCE_CHECKS, full));
    (void)fclose(full);
}

TEST(csv__again__the_same_bytes)
{
    e = sample_cluster();
    char *first[KW_EVIDENCE_TABLES];
    for (unsigned i = 0; i < KW_EVIDENCE_TABLES; i++) {
        first[i] = strdup(csv(i));
        CHECK(first[i] != NULL);
    }
    end();
    e = sample_cluster();
    for (unsigned i = 0; i < KW_EVIDENCE_TABLES; i++) {
        CHECK_STR(csv(i), first[i]);
        free(first[i]);
    }
}

KW_SUITE_AROUND("provider/evidence/csv", NULL, end)
