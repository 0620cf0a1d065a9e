/* SPDX-License-Identifier: Apache-2.0 */
/* The two files of a run, whole or not at all. */
#include "results.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>

#include <keyward/alloc.h>
#include <keyward/bytes.h>
#include <keyward/file.h>

enum { PRECISION = 9, JSON_STYLE = JSON_REAL_PRECISION(PRECISION) };

static kw_err no_memory(const char *what, struct kw_note *note)
{
    kw_note_set(note, "%s: out of memory", what);
    return kw_err_at(KW_CODE_NO_MEMORY, "results");
}

static bool dump(const json_t *value, FILE *out)
{
    return json_dumpf(value, out, JSON_STYLE | JSON_ENCODE_ANY) == 0;
}

/* An array of objects: each has a line. */
static bool dump_lines(const json_t *array, FILE *out)
{
    bool good = fputc('[', out) != EOF;
    size_t i = 0;
    const json_t *one = NULL;
    json_array_foreach(array, i, one) good =
        good && fputs(i == 0 ? "\n" : ",\n", out) != EOF && dump(one, out);
    return good && fputs("\n]", out) != EOF;
}

/* A line a member and a cell: two runs' files can be laid side by side. */
static bool dump_document(json_t *document, FILE *out)
{
    const char *name = NULL, *before = "{\n";
    json_t *value = NULL;
    bool good = document != NULL;
    json_object_foreach(document, name, value)
    {
        good = good && fprintf(out, "%s\"%s\": ", before, name) > 0 &&
               (json_is_object(json_array_get(value, 0)) ? dump_lines(value, out)
                                                         : dump(value, out));
        before = ",\n";
    }
    return good && fputs("\n}\n", out) != EOF;
}

static bool write_json(const struct kw_results *r, FILE *out)
{
    json_t *document = kw_results_document(r);
    bool good = dump_document(document, out);
    json_decref(document);
    return good;
}

/* Names are letters, digits and ._- : nothing wants quotes. */
static void csv_cell(const struct kw_results *r, const struct kw_results_cell *c,
                     FILE *out)
{
    for (size_t n = 0; n < r->rounds; n++)
        for (size_t k = 0; k < r->figure_count; k++)
            if (!isnan(c->figure[k][n]))
                fprintf(out, "%s,%s,%d,%d,%zu,%d,%s,%.*g\n", r->session, c->name,
                        c->primary, c->control, n, r->disturbed[n], r->figure[k],
                        PRECISION, c->figure[k][n]);
}

static bool write_csv(const struct kw_results *r, FILE *out)
{
    fputs("session,cell,primary,control,round,disturbed,figure,value\n", out);
    for (size_t i = 0; i < r->cell_count; i++)
        csv_cell(r, &r->cell[i], out);
    return ferror(out) == 0;
}

/* Made in memory first: what lies on the disk is never half of it. */
static kw_err write_file(const struct kw_results *r, const char *folder, const char *name,
                         bool (*make)(const struct kw_results *, FILE *),
                         struct kw_note *note)
{
    char *text = NULL, *path = kw_format("%s/%s", folder, name);
    size_t len = 0;
    FILE *out = open_memstream(&text, &len);
    bool made = path != NULL && out != NULL && make(r, out);
    made = out != NULL && fclose(out) == 0 && made;
    kw_err e = made ? kw_file_replace(path, kw_span_of(text, len), 0644, note)
                    : no_memory(name, note);
    kw_free(text);
    kw_free(path);
    return e;
}

kw_err kw_results_write(const struct kw_results *r, const char *folder,
                        struct kw_note *note)
{
    kw_err e = write_file(r, folder, "results.json", write_json, note);
    if (kw_failed(e))
        return e;
    return write_file(r, folder, "results.csv", write_csv, note);
}
