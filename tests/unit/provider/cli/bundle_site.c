/* SPDX-License-Identifier: Apache-2.0 */
#include "bundle_site.h"

#include <fts.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include <keyward/file.h>

#include "audit_period.h"
#include "check.h"
#include "document.h"

void site_anew(struct bundle_site *s, const char *period)
{
    struct kw_period p;
    CHECK(kw_period_read(period, &p));
    kw_evidence_free(s->e);
    const struct kw_evidence_head head = {
        .at = "", .from = "", .to = "", .from_us = p.from_us, .to_us = p.to_us};
    CHECK_OK(kw_evidence_new(&head, &s->e));
}

void site_begin(struct bundle_site *s, const char *period)
{
    *s = (struct bundle_site){.root = "/tmp/keyward-bundle-XXXXXX"};
    CHECK(mkdtemp(s->root) != NULL);
    snprintf(s->folder, sizeof s->folder, "%s/cp-1", s->root);
    CHECK(mkdir(s->folder, 0700) == 0);
    s->asked =
        (struct kw_bundle_log_asked){.node = "cp-1", .folder = s->folder, .copied = true};
    site_anew(s, period);
}

void site_end(struct bundle_site *s)
{
    char *const roots[] = {s->root, NULL};
    kw_evidence_free(s->e);
    FTS *tree = fts_open(roots, FTS_PHYSICAL | FTS_NOCHDIR, NULL);
    CHECK(tree != NULL);
    for (FTSENT *entry = fts_read(tree); entry != NULL; entry = fts_read(tree))
        if (entry->fts_info != FTS_D)
            CHECK(remove(entry->fts_path) == 0);
    fts_close(tree);
}

/* ---- files ---- */

const char *site_path(const struct bundle_site *s, const char *name)
{
    static char path[192];
    snprintf(path, sizeof path, "%s/%s", s->root, name);
    return path;
}

void site_put(const struct bundle_site *s, const char *name, kw_span bytes)
{
    CHECK_OK(kw_file_replace(site_path(s, name), bytes, 0600, NULL));
}

static void site_copy(const struct bundle_site *s, const char *name, kw_span bytes)
{
    char path[96];
    (void)mkdir(site_path(s, "cp-1/audit"), 0700);
    snprintf(path, sizeof path, "cp-1/audit/%s", name);
    site_put(s, path, bytes);
}

void site_log(const struct bundle_site *s, const char *name, const struct log_sample *log)
{
    site_copy(s, name, kw_span_of(log->bytes, log->len));
}

void site_vector(const struct bundle_site *s, const char *name, const char *vector)
{
    struct kw_blob all = {0};
    char path[256];
    snprintf(path, sizeof path, "%s/%s", KW_VECTORS, vector);
    CHECK_OK(kw_file_read(path, 1 << 16, &all, NULL));
    site_copy(s, name, kw_blob_peek(&all));
    kw_blob_wipe(&all);
}

/* ---- rows ---- */

void site_run(struct bundle_site *s)
{
    struct kw_note note = {{0}};
    CHECK_OK(kw_bundle_log(s->e, &s->asked, &note));
    CHECK_STR(note.text, "");
}

void site_row(const struct bundle_site *s, enum kw_evidence_table table, size_t i,
              const char *claims)
{
    kw_holds(json_incref(json_array_get(kw_evidence_rows(s->e, table), i)), claims);
}

const char *site_why(const struct bundle_site *s, size_t i)
{
    const json_t *row = json_array_get(kw_evidence_rows(s->e, KW_EVIDENCE_LOGS), i);
    const char *why = json_string_value(json_object_get(row, "why"));
    return why != NULL ? why : "";
}

size_t site_rows(const struct bundle_site *s, enum kw_evidence_table table)
{
    return json_array_size(kw_evidence_rows(s->e, table));
}

char *site_text(const struct bundle_site *s)
{
    json_t *all = json_array();
    for (unsigned i = 0; i < KW_EVIDENCE_TABLES; i++)
        CHECK(json_array_append_new(all, json_deep_copy(kw_evidence_rows(
                                             s->e, (enum kw_evidence_table)i))) == 0);
    char *text = json_dumps(all, 0);
    CHECK(text != NULL);
    json_decref(all);
    return text;
}
