/* SPDX-License-Identifier: Apache-2.0 */
#include "end_gate.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <keyward/alloc.h>
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
static bool gate_is_up_to_date(const json_t *report)
{
    const json_t *trailer =
        json_object_get(json_object_get(report, "database"), "trailer");
    const char *word = json_string_value(trailer);
    return (word != NULL && strcmp(word, "good") == 0) ||
           json_is_object(json_object_get(report, "log"));
}

static bool gate_is_whole(const json_t *report)
{
    const json_t *unread = json_object_get(report, "unread");
    const json_t *inputs = json_object_get(report, "inputs");
    const json_t *database = json_object_get(report, "database");
    const json_t *log = json_object_get(report, "log");
    const char *trailer = json_string_value(json_object_get(database, "trailer"));
    if (!json_is_array(unread) || json_array_size(unread) > 0 || !json_is_array(inputs) ||
        trailer == NULL ||
        (strcmp(trailer, "good") != 0 && strcmp(trailer, "absent") != 0))
        return false;
    if (!json_is_null(log) && !json_is_true(json_object_get(log, "gapless")))
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

static void gate_sum(uint64_t *sum, uint64_t more)
{
    *sum = more > UINT64_MAX - *sum ? UINT64_MAX : *sum + more;
}

/* Of a row: how many objects are current, and how many lie in the other places. */
static bool gate_count_row(const json_t *row, uint64_t *current, uint64_t *elsewhere)
{
    static const char *const places[] = {"current", "historic", "unreachable", "log"};
    uint64_t objects = 0;
    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
        if (!gate_number(json_object_get(row, places[i]), "objects", &objects))
            return false;
        gate_sum(i == 0 ? current : elsewhere, objects);
    }
    return true;
}

/* Only in the log a row has no revision. */
static bool gate_newest(const json_t *row, const char *name, uint64_t *newest)
{
    uint64_t revision = 0;
    if (json_object_get(row, name) != NULL && !gate_number(row, name, &revision))
        return false;
    *newest = revision > *newest ? revision : *newest;
    return true;
}

/* Of the baseline, what the database leads to: pages that nothing leads to may be what
 * somebody wrote into a value, to look like one that is sealed under it.  Of the version
 * every place counts. */
static bool gate_newest_of_baseline(const json_t *row, uint64_t *newest)
{
    uint64_t of_all = 0;
    return gate_newest(row, "newest", &of_all) &&
           gate_newest(row, "newest_reachable", newest);
}

/* false: it is damaged. */
static bool gate_add_row(const json_t *row, const char *key_id, const char *baseline,
                         struct kw_gate_report *r)
{
    const char *stored_as = json_string_value(json_object_get(row, "stored_as"));
    const json_t *of = json_object_get(row, "key_id");
    uint64_t current = 0, elsewhere = 0;
    if (stored_as == NULL || !(json_is_null(of) || json_is_string(of)) ||
        !gate_count_row(row, &current, &elsewhere))
        return false;
    if (strcmp(stored_as, "unknown") == 0) {
        gate_sum(&r->unknown_current, current);
        gate_sum(&r->unknown_elsewhere, elsewhere);
    }
    if (json_is_null(of))
        return true;
    if (strcmp(json_string_value(of), baseline) == 0)
        return gate_newest_of_baseline(row, &r->newest_of_baseline);
    if (strcmp(json_string_value(of), key_id) != 0)
        return true;
    gate_sum(&r->current, current);
    gate_sum(&r->elsewhere, elsewhere);
    return gate_newest(row, "newest", &r->newest);
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
    if (!json_is_array(rows))
        return gate_bad(note, "it has no rows");
    for (size_t i = 0; i < json_array_size(rows); i++)
        if (!gate_add_row(json_array_get(rows, i), key_id, baseline, &r))
            return gate_bad(note, "a row of it is damaged");
    r.is_up_to_date = gate_is_up_to_date(report);
    *ret_report = r;
    return KW_OK;
}

/* ---- all of them ---- */

/* One that was taken. */
struct gate_taken {
    struct gate_taken *next;
    bool is_live;
    uint8_t sha256[KW_SHA256];
    char path[];
};

struct gate {
    const struct kw_cli *cli;
    const struct kw_version *v;
    const char *baseline; /* its key_id; "" when there is none */
    bool is_live;         /* which kind is read now            */
    unsigned live, backups;
    uint8_t digest[KW_SHA256]; /* over the digest before and the report's */
    struct gate_taken *taken;
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
    return kw_refuse(g->cli, "version %u may be needed still: %.400s: %s",
                     (unsigned)g->v->n, path, why);
}

static int gate_judge_live(const struct gate *g, const char *path,
                           const struct kw_gate_report *r)
{
    const bool has_baseline = g->baseline[0] != '\0';
    if (!r->is_up_to_date)
        return gate_refuse(g, path,
                           "it is of a copied database without its log, which may have "
                           "what came later: take a snapshot, or audit the member "
                           "(--member)");
    if (r->current > 0)
        return gate_refuse(g, path,
                           "objects under %s that are current: %" PRIu64
                           "; write them again first, under the new key",
                           g->v->key_id, r->current);
    if (r->unknown_current > 0)
        return gate_refuse(g, path,
                           "current objects encrypted in a way that the audit did not "
                           "know, perhaps under %s: %" PRIu64,
                           g->v->key_id, r->unknown_current);
    if (has_baseline && r->newest_of_baseline <= r->newest)
        return gate_refuse(g, path,
                           "nothing is sealed under the baseline, %s, later than under "
                           "%s: an API server may write under that still",
                           g->baseline, g->v->key_id);
    if (!has_baseline && (r->newest > 0 || r->elsewhere > 0))
        return gate_refuse(g, path,
                           "no version is the baseline, and something is sealed under "
                           "%s: an API server may write under it still",
                           g->v->key_id);
    return -1;
}

static int gate_judge_backup(const struct gate *g, const char *path,
                             const struct kw_gate_report *r)
{
    uint64_t its = r->current, unknown = r->unknown_current;
    gate_sum(&its, r->elsewhere);
    gate_sum(&unknown, r->unknown_elsewhere);
    if (its > 0)
        return gate_refuse(g, path,
                           "objects under %s: %" PRIu64
                           "; without the key this backup does not open: keep the key "
                           "as long as the backup",
                           g->v->key_id, its);
    if (unknown > 0)
        return gate_refuse(g, path,
                           "objects encrypted in a way that the audit did not know, "
                           "perhaps under %s: %" PRIu64,
                           g->v->key_id, unknown);
    return -1;
}

static kw_err gate_digest(struct gate *g, kw_span sha256)
{
    uint8_t both[2 * KW_SHA256];
    kw_copy(both, sizeof both, kw_span_of(g->digest, KW_SHA256));
    kw_copy(both + KW_SHA256, KW_SHA256, sha256);
    return kw_sha256(kw_span_of(both, sizeof both), g->digest);
}

/* Of a member one report, of a backup one: the same bytes a second time are no second
 * member.  A member's report of now may be a backup's, too. */
static kw_err gate_take_once(struct gate *g, const char *path, kw_span sha256,
                             struct kw_note *why)
{
    for (const struct gate_taken *t = g->taken; t != NULL; t = t->next)
        if (t->is_live == g->is_live &&
            kw_span_equal(kw_span_of(t->sha256, KW_SHA256), sha256)) {
            kw_note_set(why,
                        "it has the same bytes as %.300s, and is the same report: leave "
                        "it out; of another member or backup, give the file that is "
                        "audited a name of its own",
                        t->path);
            return kw_err_at(KW_CODE_DENIED, "report");
        }
    const size_t size = strlen(path) + 1;
    struct gate_taken *t = kw_new(sizeof *t + size, 1);
    if (t == NULL)
        return kw_err_at(KW_CODE_NO_MEMORY, "reports");
    t->next = g->taken;
    t->is_live = g->is_live;
    kw_copy(t->sha256, sizeof t->sha256, sha256);
    snprintf(t->path, size, "%s", path);
    g->taken = t;
    return gate_digest(g, sha256);
}

static void gate_forget(struct gate *g)
{
    while (g->taken != NULL) {
        struct gate_taken *t = g->taken;
        g->taken = t->next;
        kw_free(t);
    }
}

static kw_err gate_judge_bytes(struct gate *g, const char *path, kw_span bytes,
                               struct kw_gate_report *ret_report, struct kw_note *why)
{
    uint8_t sha256[KW_SHA256];
    json_error_t at;
    json_t *document =
        json_loadb((const char *)bytes.ptr, bytes.len, JSON_REJECT_DUPLICATES, &at);
    if (document == NULL) {
        kw_note_set(why, "it is no JSON document (line %d)", at.line);
        return kw_err_at(KW_CODE_BAD_INPUT, "report");
    }
    kw_err e = kw_gate_read(document, g->v->key_id, g->baseline, ret_report, why);
    json_decref(document);
    if (!kw_failed(e))
        e = kw_sha256(bytes, sha256);
    return kw_failed(e) ? e
                        : gate_take_once(g, path, kw_span_of(sha256, sizeof sha256), why);
}

static int gate_take_file(struct gate *g, const char *path)
{
    struct kw_blob file = {.ptr = NULL};
    struct kw_note note = {{0}}, why = {{0}};
    struct kw_gate_report report;
    unsigned *count = g->is_live ? &g->live : &g->backups;
    kw_err e = kw_file_read(path, KW_GATE_REPORT_MAX, &file, &note);
    if (kw_failed(e))
        return kw_fail(g->cli, e, &note);
    e = gate_judge_bytes(g, path, kw_blob_peek(&file), &report, &why);
    kw_blob_wipe(&file);
    if (kw_failed(e)) {
        kw_note_set(&note, "%.300s: %s", path, why.text);
        return kw_fail(g->cli, e, &note);
    }
    if (++*count > KW_GATE_REPORTS_MAX)
        return kw_refuse(g->cli, "%.400s: more than %u reports", path,
                         KW_GATE_REPORTS_MAX);
    return g->is_live ? gate_judge_live(g, path, &report)
                      : gate_judge_backup(g, path, &report);
}

typedef char gate_name[NAME_MAX + 1];

static int gate_order(const void *a, const void *b)
{
    return strcmp(a, b);
}

/* A hidden file counts: no report is left out of "all in it". */
static kw_err gate_list(DIR *dir, gate_name *names, size_t *ret_count)
{
    const struct dirent *entry;
    size_t count = 0;
    while (errno = 0, (entry = readdir(dir)) != NULL) {
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        if (count == KW_GATE_REPORTS_MAX)
            return kw_err_at(KW_CODE_BUSY, "reports");
        kw_copy_str(names[count++], sizeof names[0], kw_span_str(entry->d_name));
    }
    if (errno != 0)
        return kw_err_native(KW_CODE_IO, (uint32_t)errno, "readdir");
    qsort(names, count, sizeof names[0], gate_order);
    *ret_count = count;
    return KW_OK;
}

static int gate_take_names(struct gate *g, const char *folder, gate_name *names,
                           size_t count)
{
    char path[PATH_MAX];
    int code = -1;
    for (size_t i = 0; code < 0 && i < count; i++) {
        const int len = snprintf(path, sizeof path, "%s/%s", folder, names[i]);
        code = len > 0 && (size_t)len < sizeof path
                   ? gate_take_file(g, path)
                   : kw_refuse(g->cli, "%.400s: a path in it is too long", folder);
    }
    return code;
}

static int gate_take_folder(struct gate *g, const char *folder, DIR *dir)
{
    struct kw_note note = {{0}};
    size_t count = 0;
    gate_name *names = kw_new(KW_GATE_REPORTS_MAX, sizeof *names);
    kw_err e = names != NULL ? gate_list(dir, names, &count)
                             : kw_err_at(KW_CODE_NO_MEMORY, "reports");
    kw_note_set(&note, "%.300s: %s", folder,
                e.code == KW_CODE_BUSY ? "more reports in it than are looked at"
                                       : "it could not be read to its end");
    int code = kw_failed(e) ? kw_fail(g->cli, e, &note)
               : count == 0
                   ? kw_refuse(g->cli, "%.400s: there is no report in it", folder)
                   : gate_take_names(g, folder, names, count);
    kw_free(names);
    return code;
}

/* A file, or all that a folder has; what cannot be opened as a folder is told as a file. */
static int gate_take(struct gate *g, const char *word)
{
    DIR *dir = opendir(word);
    if (dir == NULL)
        return gate_take_file(g, word);
    int code = gate_take_folder(g, word, dir);
    closedir(dir);
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

bool kw_gate_was_accepted(const struct kw_context *context, const struct kw_version *v)
{
    const struct kw_mark *mark = kw_marks_of(&context->marks, v->n);
    if (mark != NULL && mark->wrapped && strcmp(mark->id.key_id, v->key_id) == 0)
        return true;
    return v->state != KW_KEY_CREATED &&
           strcmp(v->disabled_from, kw_key_state_name(KW_KEY_CREATED)) != 0;
}

static int gate_ask(const struct kw_cli *cli, const struct kw_version *v, const char *act)
{
    struct kw_commands next = {.len = 0};
    char why[256], config[KW_CLI_CONFIG_MAX];
    kw_cli_config(cli, config, sizeof config);
    snprintf(why, sizeof why,
             "what is sealed under version %u cannot be read then any more: show that "
             "nothing is",
             (unsigned)v->n);
    kw_commands_add(&next, "# of every member of etcd, now:");
    kw_commands_add(&next, "etcdctl snapshot save member.db");
    kw_commands_add(&next, "keyward etcd audit member.db --json --out member.report");
    kw_commands_add(&next, "# of every backup that may be restored one day:");
    kw_commands_add(&next, "keyward etcd audit backup.db --json --out backup.report");
    kw_commands_add(&next, "# with --live for each member, and --backup for each backup "
                           "(--no-backups: there are none):");
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
    char hex[2 * KW_SHA256 + 1], backups[16] = "no";
    ret_proof[0] = '\0';
    if (words->without_proof != NULL) {
        snprintf(ret_proof, 128, "without proof: %s", words->without_proof);
        return -1;
    }
    if (words->live.count == 0)
        return kw_gate_was_accepted(context, v) ? gate_ask(cli, v, act) : -1;
    int code = gate_take_all(&g, &words->live, true);
    if (code < 0)
        code = gate_take_all(&g, &words->backups, false);
    gate_forget(&g);
    kw_hex(hex, sizeof hex, kw_span_of(g.digest, sizeof g.digest));
    if (!words->no_backups)
        snprintf(backups, sizeof backups, "%u", g.backups);
    snprintf(ret_proof, 128, "etcd: %u live, %s backups, said to be all, sha256 %s",
             g.live, backups, hex);
    return code;
}
