/* SPDX-License-Identifier: Apache-2.0 */
/* A report on etcd's files: what it says of all, and of each kind of stored object.
 *
 * Nothing of it is added before all of it was read. */
#include <string.h>

#include "source.h"

struct etcd_report {
    struct kw_source source;
    const char *name, *sha256; /* of its file */
    const json_t *document;
    json_t *objects; /* rows of that table; owned */
    json_int_t violations, leftovers, unread;
};

static void etcd_refuse(struct etcd_report *r, const char *why)
{
    if (kw_failed(r->source.err))
        return;
    kw_note_set(r->source.note, "%s: %s", r->name, why);
    r->source.err = kw_err_at(KW_CODE_BAD_INPUT, "evidence");
}

static bool etcd_is_report(const json_t *document)
{
    const char *what = json_string_value(json_object_get(document, "report"));
    return what != NULL && strcmp(what, "keyward-etcd-audit") == 0 &&
           json_integer_value(json_object_get(document, "format")) == 1;
}

/* ---- numbers ---- */

static json_int_t etcd_number(struct etcd_report *r, const json_t *in, const char *name)
{
    const json_int_t n = json_integer_value(kw_source_get(&r->source, in, name, "i"));
    if (n >= 0)
        return n;
    etcd_refuse(r, "a number in it is less than 0");
    return 0;
}

/* Sums end at the greatest number; none is less than 0. */
static void etcd_sum(json_int_t *sum, json_int_t more)
{
    *sum = more > INT64_MAX - *sum ? INT64_MAX : *sum + more;
}

/* ---- how objects are stored ---- */

static void etcd_take_row(struct etcd_report *r, const json_t *row)
{
    static const char *const places[] = {"current", "historic", "unreachable", "log"};
    json_int_t n[4] = {0};
    if (!json_is_object(row))
        etcd_refuse(r, "a row of it is none");
    const json_t *why = kw_source_get(&r->source, row, "why", "s?");
    for (size_t i = 0; i < 4; i++) {
        n[i] = etcd_number(r, kw_source_get(&r->source, row, places[i], "o"), "objects");
        if (!json_is_null(why) && !kw_failed(r->source.err))
            etcd_sum(i == 0 ? &r->violations : &r->leftovers, n[i]);
    }
#define OF(name, kind) kw_source_get(&r->source, row, name, kind)
    json_t *object = json_pack(
        "{s:s, s:O, s:O, s:O, s:O, s:O, s:I, s:I, s:I, s:I}", "report", r->name,
        "resource", OF("resource", "s?"), "stored_as", OF("stored_as", "s"), "provider",
        OF("provider", "s?"), "key_id", OF("key_id", "s?"), "why", why, "current", n[0],
        "historic", n[1], "unreachable", n[2], "log", n[3]);
#undef OF
    if (json_array_append_new(r->objects, object) != 0 && !kw_failed(r->source.err))
        r->source.err = kw_err_at(KW_CODE_NO_MEMORY, "evidence");
}

static void etcd_take_rows(struct etcd_report *r)
{
    const json_t *rows = kw_source_get(&r->source, r->document, "rows", "a"), *row;
    size_t i;
    json_array_foreach(rows, i, row)
    {
        if (kw_failed(r->source.err))
            return;
        etcd_take_row(r, row);
    }
}

/* ---- what could not be read ---- */

static bool etcd_is_unread(const json_t *input)
{
    return !json_is_null(json_object_get(input, "unread"));
}

/* A member's file, a place in one, a digest that differs, a gap in the log: each is one. */
static void etcd_count_unread(struct etcd_report *r)
{
    struct kw_source *s = &r->source;
    const json_t *database = kw_source_get(s, r->document, "database", "o?");
    const json_t *log = kw_source_get(s, r->document, "log", "o?"), *one;
    const char *trailer = kw_source_text(s, database, "trailer", "s");
    size_t i;
    json_array_foreach(kw_source_get(s, r->document, "unread", "a"), i, one)
        etcd_sum(&r->unread, etcd_number(r, one, "things"));
    json_array_foreach(kw_source_get(s, r->document, "inputs", "a"), i, one)
        etcd_sum(&r->unread, etcd_is_unread(one));
    etcd_sum(&r->unread, trailer != NULL && strcmp(trailer, "good") != 0 &&
                             strcmp(trailer, "absent") != 0);
    etcd_sum(&r->unread, json_is_false(kw_source_get(s, log, "gapless", "b")));
}

/* Of a log alone nothing is known that a read gives: no answer, and no pass. */
static void etcd_count_no_database(struct etcd_report *r)
{
    if (json_is_null(kw_source_get(&r->source, r->document, "database", "o?")) &&
        r->unread == 0)
        r->unread = 1;
}

/* Whether something opens has words of its own, which are told where nothing is violated. */
static bool etcd_is_of_restore(struct etcd_report *r, const char *verdict)
{
    const json_t *restore = kw_source_get(&r->source, r->document, "restore", "o?");
    const char *says = kw_source_text(&r->source, restore, "verdict", "s");
    return says != NULL && strcmp(says, verdict) == 0 && r->violations == 0;
}

/* Its verdict must follow from what it lists: else a list of it was cut, or tells of
 * something that is not known here. */
static void etcd_judge_verdict(struct etcd_report *r)
{
    const char *verdict = kw_source_text(&r->source, r->document, "verdict", "s");
    const char *follows = r->violations > 0  ? "violated"
                          : r->unread > 0    ? "unread"
                          : r->leftovers > 0 ? "leftovers"
                                             : "clean";
    if (verdict != NULL && strcmp(verdict, follows) != 0 &&
        !etcd_is_of_restore(r, verdict))
        etcd_refuse(r, "its verdict does not follow from what it lists");
}

/* ---- the report ---- */

/* A new value; NULL is out of memory. */
static json_t *etcd_paths(struct etcd_report *r)
{
    const json_t *inputs = kw_source_get(&r->source, r->document, "inputs", "a"), *one;
    json_t *paths = json_array();
    size_t i;
    json_array_foreach(inputs, i, one)
        json_array_append(paths, kw_source_get(&r->source, one, "path", "s"));
    json_t *text = kw_source_joined(paths, ", ");
    json_decref(paths);
    return text;
}

static json_t *etcd_row(struct etcd_report *r)
{
    const json_t *d = r->document;
#define OF(of, name, kind) kw_source_get(&r->source, of, name, kind)
    const json_t *database = OF(d, "database", "o?"), *restore = OF(d, "restore", "o?");
    return json_pack("{s:s, s:s, s:o, s:O, s:I, s:O, s:O, s:I, s:I, s:I, s:O, s:O, s:O}",
                     "report", r->name, "sha256", r->sha256, "inputs", etcd_paths(r),
                     "verdict", OF(d, "verdict", "s"), "exit", etcd_number(r, d, "exit"),
                     "revision", OF(database, "revision", "i"), "must_be_encrypted",
                     OF(d, "must_be_encrypted", "s"), "violations", r->violations,
                     "leftovers", r->leftovers, "unread", r->unread, "restorable",
                     OF(restore, "verdict", "s"), "restore_serial",
                     OF(restore, "serial", "s?"), "redacted", OF(d, "redacted", "b"));
#undef OF
}

static void etcd_add(struct kw_evidence *e, const struct etcd_report *r, json_t *row)
{
    json_t *object;
    size_t i;
    kw_evidence_add(e, KW_EVIDENCE_ETCD, row);
    json_array_foreach(r->objects, i, object)
        kw_evidence_add(e, KW_EVIDENCE_OBJECTS, json_incref(object));
}

kw_err kw_evidence_fill_etcd(struct kw_evidence *e, const char *name, const char *sha256,
                             const json_t *report, struct kw_note *note)
{
    struct etcd_report r = {.source = {.name = name, .note = note},
                            .name = name,
                            .sha256 = sha256,
                            .document = report,
                            .objects = json_array()};
    if (r.objects == NULL)
        return kw_err_at(KW_CODE_NO_MEMORY, "evidence");
    if (!etcd_is_report(report))
        etcd_refuse(&r, "it is no report of keyward etcd audit --json, format 1");
    if (!kw_failed(r.source.err))
        etcd_take_rows(&r);
    if (!kw_failed(r.source.err))
        etcd_count_unread(&r);
    if (!kw_failed(r.source.err)) {
        etcd_judge_verdict(&r);
        etcd_count_no_database(&r);
    }
    json_t *row = kw_failed(r.source.err) ? NULL : etcd_row(&r);
    if (!kw_failed(r.source.err))
        etcd_add(e, &r, row);
    else
        json_decref(row);
    json_decref(r.objects);
    return r.source.err;
}
