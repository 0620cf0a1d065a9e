/* SPDX-License-Identifier: Apache-2.0 */
#include "bundle.h"

#include <stdio.h>
#include <string.h>

#include <keyward/alloc.h>
#include <keyward/clock.h>
#include <keyward/file.h>

#include "bundle_etcd.h"
#include "bundle_keys.h"
#include "bundle_log.h"
#include "bundle_manifest.h"
#include "bundle_stated.h"
#include "bundle_stream.h"
#include "interrupt.h"
#include "version.h"

#define CRYPTOPERIOD_DAYS 90u /* KEP-3299: at least that often */
enum { BUNDLE_NODES_MAX = KW_WORDS_MAX };

struct bundle_work {
    const struct kw_bundle_asked *asked;
    struct kw_bundle_node nodes[BUNDLE_NODES_MAX];
    size_t node_count;
    json_t *stated; /* NULL: nothing is */
    struct kw_bundle_keys keys;
    struct kw_bundle_etcd etcd;
    struct kw_evidence *evidence;
    struct kw_evidence_folder folder;
};

/* ---- reading ---- */

static kw_err bundle_read_nodes(struct bundle_work *b, struct kw_note *note)
{
    kw_err e = KW_OK;
    for (size_t i = 0; i < b->asked->nodes.count && !kw_failed(e); i++) {
        struct kw_bundle_node *node = &b->nodes[b->node_count++];
        KW_INVARIANT(kw_bundle_node_named(b->asked->nodes.at[i], node));
        e = kw_bundle_node_read(node, note);
    }
    return e;
}

static kw_err bundle_begin(struct bundle_work *b, struct kw_note *note)
{
    char at[KW_TIME_TEXT], from[KW_TIME_TEXT], to[KW_TIME_TEXT];
    const struct kw_bundle_asked *asked = b->asked;
    struct kw_evidence_head head = {.at = at,
                                    .from = from,
                                    .to = to,
                                    .at_us = asked->at_us,
                                    .from_us = asked->period.from_us,
                                    .to_us = asked->period.to_us,
                                    .cryptoperiod_days = CRYPTOPERIOD_DAYS};
    kw_time_text(at, asked->at_us * 1000);
    kw_time_text(from, asked->period.from_us * 1000);
    kw_time_text(to, asked->period.to_us * 1000);
    kw_err e =
        asked->stated != NULL ? kw_bundle_stated(asked->stated, &b->stated, note) : KW_OK;
    if (!kw_failed(e) && b->stated != NULL)
        head.cryptoperiod_days = kw_bundle_cryptoperiod(b->stated, CRYPTOPERIOD_DAYS);
    return kw_failed(e) ? e : kw_evidence_new(&head, &b->evidence);
}

/* ---- the tables ---- */

/* The text of --anchors of this node, behind its '='; NULL: there is none. */
static const char *bundle_anchors_of(const struct bundle_work *b, const char *name)
{
    const size_t len = strlen(name);
    for (size_t i = 0; i < b->asked->anchors.count; i++) {
        const char *word = b->asked->anchors.at[i];
        if (strncmp(word, name, len) == 0 && word[len] == '=')
            return word + len + 1;
    }
    return NULL;
}

static kw_err bundle_fill_log(struct bundle_work *b, const struct kw_bundle_node *node,
                              struct kw_note *note)
{
    char room[KW_PATH_MAX];
    const json_t *audit = json_object_get(node->node, "audit");
    const struct kw_bundle_log_asked asked = {
        .node = node->name,
        .folder = node->dir,
        .key = kw_bundle_key_of(&b->keys, node, room),
        .anchors = bundle_anchors_of(b, node->name),
        .copied = json_is_true(json_object_get(audit, "copied"))};
    return kw_bundle_log(b->evidence, &asked, note);
}

/* The note names a document: of which folder? */
static kw_err bundle_told(const struct kw_bundle_node *node, kw_err e,
                          struct kw_note *note)
{
    const struct kw_note why = *note;
    if (e.code == KW_CODE_BAD_INPUT)
        kw_note_set(note, "%s: %s", node->dir, why.text);
    return e;
}

static kw_err bundle_fill_node(struct bundle_work *b, const struct kw_bundle_node *node,
                               struct kw_note *note)
{
    const struct kw_evidence_collected collected = {
        .name = node->name,
        .sha256 = node->dir != NULL ? node->sha256 : NULL,
        .node = node->node,
        .tokens = (const json_t *const *)node->tokens,
        .token_count = node->token_count};
    const kw_err e = kw_evidence_fill_node(b->evidence, &collected, b->stated, note);
    return kw_failed(e) || node->dir == NULL ? bundle_told(node, e, note)
                                             : bundle_fill_log(b, node, note);
}

/* Of the first one among equals. */
static const struct kw_keyring *bundle_newest(const struct bundle_work *b)
{
    const struct kw_keyring *newest = NULL;
    for (size_t i = 0; i < b->node_count; i++)
        if (b->nodes[i].ring != NULL &&
            (newest == NULL || b->nodes[i].ring->serial > newest->serial))
            newest = b->nodes[i].ring;
    return newest;
}

/* The keys that were given by another way than the folders. */
static kw_err bundle_fill_keys(struct bundle_work *b, struct kw_note *note)
{
    const kw_err e = kw_bundle_keys_read(&b->asked->keys, &b->keys, note);
    for (size_t i = 0; i < b->keys.count && !kw_failed(e); i++)
        kw_evidence_add(b->evidence, KW_EVIDENCE_STATED,
                        json_pack("{s:s, s:s, s:s}", "what", KW_STATED_AUDIT_KEY, "value",
                                  "it was given", "sha256", b->keys.at[i].sha256));
    return e;
}

static kw_err bundle_fill(struct bundle_work *b, struct kw_note *note)
{
    const struct kw_keyring *newest = bundle_newest(b);
    kw_err e = bundle_fill_keys(b, note);
    for (size_t i = 0; i < b->node_count && !kw_failed(e); i++)
        e = bundle_fill_node(b, &b->nodes[i], note);
    if (!kw_failed(e) && newest != NULL)
        kw_evidence_fill_keyring(b->evidence, newest);
    if (!kw_failed(e) && b->stated != NULL)
        e = kw_evidence_fill_stated(b->evidence, b->stated, note);
    if (!kw_failed(e))
        e = kw_bundle_etcd_fill(&b->etcd, b->evidence, note);
    if (kw_failed(e))
        return e;
    kw_evidence_fill_design(b->evidence);
    kw_evidence_judge(b->evidence);
    return kw_evidence_state(b->evidence);
}

/* ---- the folder ---- */

static kw_err bundle_put_table(struct bundle_work *b, enum kw_evidence_table table,
                               struct kw_note *note)
{
    char name[64];
    struct kw_bundle_stream s;
    snprintf(name, sizeof name, "%s.csv", kw_evidence_spec(table)->name);
    kw_err e = kw_bundle_stream_open(&s);
    if (kw_failed(e))
        return e;
    return kw_bundle_stream_put(&s, kw_evidence_csv(b->evidence, table, s.file),
                                &b->folder, name, note);
}

static kw_err bundle_put_page(struct bundle_work *b, struct kw_note *note)
{
    struct kw_bundle_stream s;
    kw_err e = kw_bundle_stream_open(&s);
    if (kw_failed(e))
        return e;
    return kw_bundle_stream_put(&s, kw_evidence_html(b->evidence, s.file), &b->folder,
                                "index.html", note);
}

static kw_err bundle_put_tables(struct bundle_work *b, struct kw_note *note)
{
    kw_err e = bundle_put_page(b, note);
    for (unsigned t = 0; t < KW_EVIDENCE_TABLES && !kw_failed(e); t++)
        e = bundle_put_table(b, (enum kw_evidence_table)t, note);
    if (!kw_failed(e))
        e = kw_evidence_put_json(&b->folder, "evidence.json",
                                 kw_evidence_json(b->evidence), note);
    return kw_failed(e) ? e
                        : kw_evidence_put_json(&b->folder, "evidence.schema.json",
                                               kw_evidence_schema(), note);
}

/* Each key by which a log was judged, once. */
static size_t bundle_keys(const struct bundle_work *b, const char *dst[BUNDLE_NODES_MAX])
{
    const json_t *row;
    size_t i, count = 0;
    json_array_foreach(kw_evidence_rows(b->evidence, KW_EVIDENCE_LOGS), i, row)
    {
        const char *sha256 = json_string_value(json_object_get(row, "key_sha256"));
        bool is_new = sha256 != NULL;
        for (size_t k = 0; k < count && is_new; k++)
            is_new = strcmp(dst[k], sha256) != 0;
        if (is_new)
            dst[count++] = sha256;
    }
    return count;
}

static kw_err bundle_put_manifest(struct bundle_work *b, struct kw_note *note)
{
    const char *nodes[BUNDLE_NODES_MAX], *keys[BUNDLE_NODES_MAX];
    for (size_t i = 0; i < b->node_count; i++)
        nodes[i] = b->nodes[i].name;
    const struct kw_evidence_head *head = kw_evidence_head(b->evidence);
    const struct kw_bundle_head manifest = {.version = KW_VERSION,
                                            .at = head->at,
                                            .from = head->from,
                                            .to = head->to,
                                            .nodes = nodes,
                                            .node_count = b->node_count,
                                            .audit_keys = keys,
                                            .audit_key_count = bundle_keys(b, keys)};
    return kw_bundle_finish(&b->folder, &manifest, note);
}

static kw_err bundle_put_all(struct bundle_work *b, struct kw_note *note)
{
    kw_err e = KW_OK;
    for (size_t i = 0; i < b->node_count && !kw_failed(e); i++)
        e = kw_bundle_node_copy(&b->nodes[i], &b->folder, note);
    if (!kw_failed(e))
        e = kw_bundle_etcd_put(&b->etcd, &b->folder, note);
    if (!kw_failed(e))
        e = bundle_put_tables(b, note);
    return kw_failed(e) ? e : bundle_put_manifest(b, note);
}

static kw_err bundle_write(struct bundle_work *b, struct kw_note *note)
{
    kw_interrupt_hold();
    kw_err e = kw_evidence_folder_make(b->asked->out, &b->folder, note);
    if (!kw_failed(e)) {
        e = bundle_put_all(b, note);
        if (kw_failed(e))
            kw_evidence_folder_remove(&b->folder);
    }
    kw_interrupt_release();
    return e;
}

/* ---- the whole ---- */

static void bundle_free(struct bundle_work *b)
{
    kw_evidence_folder_close(&b->folder);
    kw_bundle_etcd_free(&b->etcd);
    kw_evidence_free(b->evidence);
    json_decref(b->stated);
    for (size_t i = 0; i < b->node_count; i++)
        kw_bundle_node_free(&b->nodes[i]);
    kw_free(b);
}

kw_err kw_bundle_make(const struct kw_bundle_asked *asked,
                      struct kw_bundle_made *ret_made, struct kw_note *note)
{
    struct bundle_work *b = kw_new(1, sizeof *b);
    if (b == NULL)
        return kw_err_at(KW_CODE_NO_MEMORY, "bundle");
    b->asked = asked;
    b->folder = KW_EVIDENCE_FOLDER_NONE;
    kw_err e = bundle_read_nodes(b, note);
    if (!kw_failed(e))
        e = bundle_begin(b, note);
    if (!kw_failed(e))
        e = kw_bundle_etcd_read(&b->etcd, asked, note);
    if (!kw_failed(e))
        e = bundle_fill(b, note);
    if (!kw_failed(e))
        e = bundle_write(b, note);
    if (!kw_failed(e)) {
        ret_made->files = json_array_size(b->folder.files);
        ret_made->evidence = b->evidence;
        b->evidence = NULL;
    }
    bundle_free(b);
    return e;
}
