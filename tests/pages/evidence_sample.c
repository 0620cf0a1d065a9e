/* SPDX-License-Identifier: Apache-2.0 */
/* evidence_sample NAME FOLDER - writes a sample's page, document and tables into the folder
 *
 * NAME is cluster, empty, or long: more rows than a page shows.  Or it is anything else: the
 * text of each cell. */
#include <stdio.h>
#include <string.h>

#include "sample.h"

static struct kw_evidence *sample_long(void)
{
    struct kw_evidence *e = sample_cluster();
    char values[128];
    for (unsigned i = 0; i < 1200; i++) {
        snprintf(values, sizeof values, "[\"cp-%u\", \"classes/c%u/name\", \"c%u\"]",
                 i % 3 + 1, i, i);
        sample_row(e, KW_EVIDENCE_CONFIGURATION, values);
    }
    return e;
}

static struct kw_evidence *sample_named(const char *name)
{
    if (strcmp(name, "cluster") == 0)
        return sample_cluster();
    if (strcmp(name, "empty") == 0)
        return sample_empty();
    return strcmp(name, "long") == 0 ? sample_long() : sample_of_text(name);
}

static FILE *opened(const char *folder, const char *name, const char *end)
{
    char path[512];
    snprintf(path, sizeof path, "%s/%s%s", folder, name, end);
    FILE *f = fopen(path, "w");
    if (f == NULL)
        perror(path);
    return f;
}

static bool written(const struct kw_evidence *e, const char *folder)
{
    FILE *page = opened(folder, "index", ".html");
    bool good = page != NULL && kw_evidence_html(e, page) && fclose(page) == 0;
    FILE *document = opened(folder, "evidence", ".json");
    json_t *json = kw_evidence_json(e);
    good = document != NULL && json_dumpf(json, document, JSON_INDENT(2)) == 0 &&
           fclose(document) == 0 && good;
    json_decref(json);
    for (unsigned i = 0; i < KW_EVIDENCE_TABLES; i++) {
        FILE *table = opened(folder, kw_evidence_spec(i)->name, ".csv");
        good =
            table != NULL && kw_evidence_csv(e, i, table) && fclose(table) == 0 && good;
    }
    return good;
}

int main(int argc, char **argv)
{
    if (argc != 3) {
        fputs("evidence_sample NAME FOLDER\n", stderr);
        return 2;
    }
    struct kw_evidence *e = sample_named(argv[1]);
    const bool good = written(e, argv[2]);
    kw_evidence_free(e);
    return good ? 0 : 1;
}
