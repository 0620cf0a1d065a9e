/* SPDX-License-Identifier: Apache-2.0 */
/* A results folder: results.json, and the documents beside it by what they say they are.
 */
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <keyward/alloc.h>
#include <keyward/file.h>

#include "report.h"

enum { DOCUMENT_MAX = 64 << 20, SCHEMA = 1 };

static const char own_file[] = "results.json";

static bool is_document(const struct dirent *entry)
{
    size_t len = strlen(entry->d_name);
    return len > 5 && strcmp(entry->d_name + len - 5, ".json") == 0 &&
           strcmp(entry->d_name, own_file) != 0 && entry->d_name[0] != '.';
}

/* What only says what would be measured is no measurement. */
static enum kw_document_kind kind_of(const json_t *json)
{
    static const struct {
        const char *tool;
        enum kw_document_kind kind;
    } known[] = {{"keyward-bench storm", KW_DOCUMENT_STORM},
                 {"keyward-bench plan", KW_DOCUMENT_PLAN},
                 {"keyward-bench token", KW_DOCUMENT_TOKEN}};
    const char *tool = kw_json_text(json, "tool");
    if (json_is_true(json_object_get(json, "dry_run")))
        return KW_DOCUMENT_UNKNOWN;
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
        if (strcmp(tool, known[i].tool) == 0)
            return known[i].kind;
    return json_is_array(json_object_get(json, "benchmarks")) &&
                   json_is_object(json_object_get(json, "context"))
               ? KW_DOCUMENT_MICRO
               : KW_DOCUMENT_UNKNOWN;
}

/* Google Benchmark's format has no number of ours. */
static kw_err check_schema(const char *path, const struct kw_report_document *d,
                           struct kw_note *note)
{
    const json_t *schema = json_object_get(d->json, "schema");
    if (d->kind == KW_DOCUMENT_MICRO || d->kind == KW_DOCUMENT_UNKNOWN)
        return KW_OK;
    if (json_is_integer(schema) && json_integer_value(schema) == SCHEMA)
        return KW_OK;
    kw_note_set(note,
                "%s: written in schema %lld by %s %.32s; this is keyward-bench %s, which "
                "reads schema %d: read it with the other, or measure anew",
                path, (long long)json_integer_value(schema),
                kw_json_text(d->json, "tool"), kw_json_text(d->json, "version"),
                KW_VERSION, SCHEMA);
    return kw_err_at(KW_CODE_BAD_INPUT, "schema");
}

static kw_err read_document(const char *path, struct kw_report_document *d,
                            struct kw_note *note)
{
    struct kw_blob blob = {0};
    json_error_t why;
    kw_err e = kw_file_read(path, DOCUMENT_MAX, &blob, note);
    if (kw_failed(e))
        return e;
    d->json = json_loadb((const char *)blob.ptr, blob.len, JSON_REJECT_DUPLICATES, &why);
    kw_blob_wipe(&blob);
    if (!json_is_object(d->json)) {
        if (d->json == NULL)
            kw_note_set(note,
                        "%s: line %d: no JSON: %s; take the file away or measure anew",
                        path, why.line, why.text);
        else
            kw_note_set(note, "%s: no JSON object: take the file away or measure anew",
                        path);
        return kw_err_at(KW_CODE_BAD_INPUT, "JSON");
    }
    d->kind = kind_of(d->json);
    return check_schema(path, d, note);
}

static kw_err add(struct kw_report *r, const char *folder, const char *name,
                  struct kw_note *note)
{
    char path[PATH_MAX];
    if (r->document_count >= KW_DOCUMENTS_MAX) {
        kw_note_set(note, "%s: more than %d documents: a results folder is one run",
                    folder, KW_DOCUMENTS_MAX);
        return kw_err_at(KW_CODE_BAD_INPUT, "folder");
    }
    struct kw_report_document *d = &r->document[r->document_count];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    (void)kw_copy_str(d->name, sizeof d->name, kw_span_of(name, strlen(name) - 5));
    r->document_count++; /* even if bad: what is in it is freed then */
    return read_document(path, d, note);
}

static int by_name(const void *a, const void *b)
{
    return strcmp(((const struct kw_report_document *)a)->name,
                  ((const struct kw_report_document *)b)->name);
}

static kw_err read_documents(struct kw_report *r, const char *folder,
                             struct kw_note *note)
{
    DIR *dir = opendir(folder);
    if (dir == NULL) {
        kw_err e = kw_err_native(errno == ENOENT ? KW_CODE_MISSING : KW_CODE_IO,
                                 (uint32_t)errno, "opendir");
        kw_note_set(note,
                    "%s: %s; it wants a folder that keyward-bench rounds --out made",
                    folder, strerror((int)e.native));
        return e;
    }
    kw_err e = KW_OK;
    for (const struct dirent *entry = readdir(dir); entry != NULL && !kw_failed(e);
         entry = readdir(dir))
        if (is_document(entry))
            e = add(r, folder, entry->d_name, note);
    closedir(dir);
    qsort(r->document, r->document_count, sizeof r->document[0], by_name);
    return e;
}

static kw_err read_results(struct kw_report *r, const char *folder, struct kw_note *note)
{
    char path[PATH_MAX];
    snprintf(path, sizeof path, "%s/%s", folder, own_file);
    kw_err e = kw_results_read(path, &r->results, note);
    if (e.code == KW_CODE_MISSING)
        kw_note_set(note, "%s: not there; keyward-bench rounds --out %s … makes it", path,
                    folder);
    return e;
}

/* Its last part, also when it is called "." */
static void name_of(struct kw_report *r, const char *folder)
{
    char path[PATH_MAX];
    const char *whole = realpath(folder, path), *last = NULL;
    if (whole != NULL)
        last = strrchr(whole, '/');
    (void)kw_copy_str(r->name, sizeof r->name,
                      kw_span_str(last != NULL ? last + 1 : folder));
}

kw_err kw_report_open(const char *folder, struct kw_report **ret_report,
                      struct kw_note *note)
{
    struct kw_report *r = kw_new(1, sizeof *r);
    struct kw_plot *plot = kw_new(1, sizeof *plot);
    if (r == NULL || plot == NULL) {
        kw_free(r);
        kw_free(plot);
        return kw_err_at(KW_CODE_NO_MEMORY, "report");
    }
    r->plot = plot;
    name_of(r, folder);
    kw_err e = read_documents(r, folder, note);
    if (!kw_failed(e))
        e = read_results(r, folder, note);
    if (kw_failed(e)) {
        kw_report_close(r);
        return e;
    }
    *ret_report = r;
    return KW_OK;
}

void kw_report_close(struct kw_report *r)
{
    if (r == NULL)
        return;
    for (size_t i = 0; i < r->document_count; i++)
        json_decref(r->document[i].json);
    kw_results_free(r->results);
    kw_html_wipe(&r->page);
    kw_free(r->plot);
    kw_free(r);
}
