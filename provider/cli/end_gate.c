/* SPDX-License-Identifier: Apache-2.0 */
#include "end_gate.h"

#include <dirent.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <keyward/file.h>
#include <keyward/sha256.h>

#include "commands.h"

/* ---- one report ---- */

static kw_err gate_bad(struct kw_note *note, const char *why)
{
    kw_note_set(note, "%s", why);
    return kw_err_at(KW_CODE_BAD_INPUT, "report");
}

static bool gate_is_report(const json_t *report)
{
    const char *what = json_string_value(json_object_get(report, "report"));
    return json_integer_value(json_object_get(report, "format")) == 1 && what != NULL &&
           strcmp(what, "keyward-etcd-audit") == 0;
}

/* Whatever could not be read may be under the version. */
static bool gate_is_whole(const json_t *report)
{
    const json_t *unread = json_object_get(report, "unread");
    const json_t *inputs = json_object_get(report, "inputs");
    const json_t *database = json_object_get(report, "database");
    const char *trailer = json_string_value(json_object_get(database, "trailer"));
    if (!json_is_array(unread) || json_array_size(unread) > 0 || !json_is_array(inputs) ||
        trailer == NULL || strcmp(trailer, "wrong") == 0)
        return false;
    for (size_t i = 0; i < json_array_size(inputs); i++)
        if (!json_is_null(json_object_get(json_array_get(inputs, i), "unread")))
            return false;
    return true;
}

static bool gate_number(const json_t *in, const char *name, uint64_t *ret_number)
{
    const json_t *number = json_object_get(in, name);
    if (!json_is_integer(number) || json_integer_value(number) < 0)
        return false;
    *ret_number = (uint64_t)json_integer_value(number);
    return true;
}

/* One row of objects under the version, or under the baseline. */
static bool gate_add_row(const json_t *row, bool is_baseline, struct kw_gate_report *r)
{
    static const char *const places[] = {"current", "historic", "unreachable", "log"};
    uint64_t objects = 0, newest = 0;
    const bool has_newest = json_object_get(row, "newest") != NULL;
    if (has_newest && !gate_number(row, "newest", &newest))
        return false;
    uint64_t *of = is_baseline ? &r->newest_of_baseline : &r->newest;
    *of = newest > *of ? newest : *of;
    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
        if (!gate_number(json_object_get(row, places[i]), "objects", &objects))
            return false;
        if (!is_baseline && i == 0)
            r->current += objects;
        else if (!is_baseline)
            r->elsewhere += objects;
    }
    return true;
}

kw_err kw_gate_read(const json_t *report, const char *key_id, const char *baseline,
                    struct kw_gate_report *ret_report, struct kw_note *note)
{
    struct kw_gate_report r = {.current = 0};
    const json_t *rows = json_object_get(report, "rows");
    if (!gate_is_report(report))
        return gate_bad(note, "it is no report of keyward etcd audit --json, format 1");
    if (!gate_is_whole(report))
        return gate_bad(note, "it could not read everything, and what it could not read "
                              "may need the key");
    for (size_t i = 0; i < json_array_size(rows); i++) {
        const json_t *row = json_array_get(rows, i);
        const char *of = json_string_value(json_object_get(row, "key_id"));
        const bool is_its = of != NULL && strcmp(of, key_id) == 0;
        const bool is_baseline = of != NULL && strcmp(of, baseline) == 0;
        if ((is_its || is_baseline) && !gate_add_row(row, !is_its, &r))
            return gate_bad(note, "a row of it is damaged");
    }
    if (!json_is_array(rows))
        return gate_bad(note, "it has no rows");
    *ret_report = r;
    return KW_OK;
}

/* ---- all of them ---- */

struct gate {
    const struct kw_cli *cli;
    const struct kw_version *v;
    const char *baseline;
    bool is_live; /* which kind is read now */
    unsigned live, backups;
    uint8_t digest[KW_SHA256]; /* over the digest before and the report's */
};

static int gate_refuse(const struct gate *g, const char *path, const char *fmt, ...)
    KW_PRINTF(3, 4);
static int gate_refuse(const struct gate *g, const char *path, const char *fmt, ...)
{
    char why[512];
    va_list args;
    va_start(args, fmt);
    vsnprintf(why, sizeof why, fmt, args);
    va_end(args);
    return kw_refuse(g->cli, "version %u is needed still: %s: %s", (unsigned)g->v->n,
                     path, why);
}

static int gate_judge(const struct gate *g, const char *path,
                      const struct kw_gate_report *r)
{
    if (g->is_live && r->current > 0)
        return gate_refuse(g, path,
                           "%llu objects under %s are current: write them again "
                           "first, under the new key",
                           (unsigned long long)r->current, g->v->key_id);
    if (g->is_live && r->newest_of_baseline <= r->newest)
        return gate_refuse(g, path,
                           "nothing is sealed under the baseline later than under %s: an "
                           "API server may write under it still",
                           g->v->key_id);
    if (!g->is_live && r->current + r->elsewhere > 0)
        return gate_refuse(g, path,
                           "%llu objects under %s: without the key this backup "
                           "does not open; keep the key as long as the backup",
                           (unsigned long long)(r->current + r->elsewhere), g->v->key_id);
    return -1;
}

static kw_err gate_digest(struct gate *g, kw_span bytes)
{
    uint8_t both[2 * KW_SHA256];
    memcpy(both, g->digest, KW_SHA256);
    kw_err e = kw_sha256(bytes, both + KW_SHA256);
    return kw_failed(e) ? e : kw_sha256(kw_span_of(both, sizeof both), g->digest);
}

static int gate_take_file(struct gate *g, const char *path)
{
    struct kw_blob file = {.ptr = NULL};
    struct kw_note note = {{0}}, why = {{0}};
    struct kw_gate_report report;
    kw_err e = kw_file_read(path, KW_GATE_REPORT_MAX, &file, &note);
    if (kw_failed(e))
        return kw_fail(g->cli, e, &note);
    json_t *document =
        json_loadb((const char *)file.ptr, file.len, JSON_REJECT_DUPLICATES, NULL);
    e = document != NULL
            ? kw_gate_read(document, g->v->key_id, g->baseline, &report, &why)
            : gate_bad(&why, "it is no JSON document");
    json_decref(document);
    if (!kw_failed(e))
        e = gate_digest(g, kw_blob_peek(&file));
    kw_blob_wipe(&file);
    if (kw_failed(e)) {
        kw_note_set(&note, "%s: %s", path, why.text);
        return kw_fail(g->cli, e, &note);
    }
    *(g->is_live ? &g->live : &g->backups) += 1;
    return gate_judge(g, path, &report);
}

static int gate_is_no_dot(const struct dirent *d)
{
    return d->d_name[0] != '.';
}

/* A file, or all that a folder has. */
static int gate_take(struct gate *g, const char *word)
{
    struct dirent **names;
    char path[PATH_MAX];
    int code = -1;
    const int count = scandir(word, &names, gate_is_no_dot, alphasort);
    if (count < 0)
        return gate_take_file(g, word);
    for (int i = 0; i < count; i++) {
        const int len = snprintf(path, sizeof path, "%s/%s", word, names[i]->d_name);
        if (code < 0)
            code = len > 0 && (size_t)len < sizeof path
                       ? gate_take_file(g, path)
                       : kw_refuse(g->cli, "%s: a path in it is too long", word);
        free(names[i]); /* scandir(3) made it */
    }
    free((void *)names);
    return code;
}

static int gate_take_all(struct gate *g, const struct kw_words *words, bool is_live)
{
    int code = -1;
    g->is_live = is_live;
    for (size_t i = 0; code < 0 && i < words->count; i++)
        code = gate_take(g, words->at[i]);
    return code;
}

/* ---- the gate ---- */

static int gate_ask(const struct kw_cli *cli, const struct kw_version *v, const char *act)
{
    struct kw_commands next = {.len = 0};
    char why[256], config[KW_CLI_CONFIG_MAX];
    kw_cli_config(cli, config, sizeof config);
    snprintf(
        why, sizeof why,
        "what is sealed under version %u can be read no more then: show that nothing "
        "is",
        (unsigned)v->n);
    kw_commands_add(&next, "# of every member of etcd, now, and of every backup that may "
                           "be restored one day:");
    kw_commands_add(&next, "etcdctl snapshot save member.db");
    kw_commands_add(&next, "keyward etcd audit member.db --json --out member.report");
    kw_commands_add(&next, "keyward etcd audit backup.db --json --out backup.report");
    kw_commands_add(&next,
                    "keyward key %s %u --live member.report --backup backup.report%s",
                    act, (unsigned)v->n, config);
    kw_commands_add(&next, "# or, when it cannot wait (the key is in wrong hands):");
    kw_commands_add(&next, "keyward key %s %u --without-proof WHY%s", act, (unsigned)v->n,
                    config);
    return kw_refuse_next(cli, why, next.text);
}

int kw_gate_usage(const char *verb, const struct kw_gate_words *words)
{
    const bool has_reports =
        words->live.count > 0 || words->backups.count > 0 || words->no_backups;
    if (words->without_proof != NULL && has_reports)
        return kw_usage_error(verb, "--without-proof goes with no report");
    if (words->without_proof != NULL &&
        (strlen(words->without_proof) > 100 ||
         !kw_is_printable_text(kw_span_str(words->without_proof))))
        return kw_usage_error(verb, "--without-proof: 1 to 100 bytes of printable text");
    if (words->no_backups && words->backups.count > 0)
        return kw_usage_error(verb, "--no-backups and --backup exclude each other");
    if (has_reports &&
        (words->live.count == 0 || (words->backups.count == 0 && !words->no_backups)))
        return kw_usage_error(verb, "it wants --live for each member, and --backup for "
                                    "each backup or --no-backups");
    return -1;
}

static const char *gate_baseline(const struct kw_keyring *ring)
{
    const struct kw_version *active = kw_keyring_by_n(ring, ring->active);
    return active != NULL ? active->key_id : "";
}

int kw_gate_pass(const struct kw_cli *cli, const struct kw_context *context,
                 const struct kw_version *v, const char *act,
                 const struct kw_gate_words *words, char ret_proof[128])
{
    struct gate g = {.cli = cli, .v = v, .baseline = gate_baseline(context->ring)};
    char hex[2 * KW_SHA256 + 1];
    if (words->without_proof != NULL) {
        snprintf(ret_proof, 128, "without proof: %s", words->without_proof);
        return -1;
    }
    if (words->live.count == 0)
        return gate_ask(cli, v, act);
    int code = gate_take_all(&g, &words->live, true);
    if (code < 0)
        code = gate_take_all(&g, &words->backups, false);
    kw_hex(hex, sizeof hex, kw_span_of(g.digest, sizeof g.digest));
    snprintf(ret_proof, 128, "etcd: %u live, %u backups, all he says, sha256 %s", g.live,
             g.backups, hex);
    return code;
}
