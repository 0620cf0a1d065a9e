/* SPDX-License-Identifier: Apache-2.0 */
/* results.json, read back: each member is looked at before it is believed. */
#include "results.h"

#include <string.h>

#include <keyward/file.h>

#include "member.h"

enum { FILE_MAX = 64 << 20 };

#define TEXT(m, of, name, dst) kw_member_text(m, of, name, dst, sizeof(dst))

/* The tool first, then its schema, and only then what is inside. */
static void read_kind(struct kw_members *m, const json_t *root)
{
    const char *tool = json_string_value(json_object_get(root, "tool"));
    const json_t *schema = json_object_get(root, "schema");
    char version[32];
    if (tool == NULL || strcmp(tool, "keyward-bench rounds") != 0) {
        kw_note_set(m->note,
                    "%s: this is no results.json of keyward-bench rounds (its \"tool\" "
                    "says %s)",
                    m->path, tool != NULL ? tool : "nothing");
        m->bad = true;
        return;
    }
    TEXT(m, root, "version", version);
    if (json_is_integer(schema) && json_integer_value(schema) == KW_RESULTS_SCHEMA)
        return;
    if (!m->bad)
        kw_note_set(
            m->note,
            "%s: written in schema %lld by keyward-bench %s; this is keyward-bench "
            "%s, which reads schema %d: read it with the other, or measure anew",
            m->path, (long long)json_integer_value(schema), version, KW_VERSION,
            KW_RESULTS_SCHEMA);
    m->bad = true;
}

static size_t read_notes(struct kw_members *m, const json_t *of, const char *name,
                         struct kw_results_note notes[KW_RESULTS_NOTES])
{
    const json_t *o = kw_member_object(m, of, name);
    size_t count = 0;
    const char *key = NULL;
    json_t *value = NULL;
    json_object_foreach((json_t *)(uintptr_t)o, key, value)
    {
        if (count == KW_RESULTS_NOTES ||
            !kw_copy_str(notes[count].key, sizeof notes[count].key, kw_span_str(key))) {
            kw_member_bad(m, name, "at most 16 entries with names below 48 bytes");
            return count;
        }
        TEXT(m, o, key, notes[count].value);
        count++;
    }
    return count;
}

static void read_environment(struct kw_members *m, const json_t *root,
                             struct kw_environment *e)
{
    const json_t *o = kw_member_object(m, root, "environment");
    (void)kw_copy_str(m->where, sizeof m->where, kw_span_str("environment."));
    TEXT(m, o, "cpu", e->cpu);
    TEXT(m, o, "kernel", e->kernel);
    TEXT(m, o, "governor", e->governor);
    TEXT(m, o, "virtualisation", e->virtualisation);
    TEXT(m, o, "distribution", e->distribution);
    TEXT(m, o, "commit", e->commit);
    TEXT(m, o, "build", e->build);
    e->cpus = (unsigned)kw_member_count(m, o, "cpus", UINT16_MAX);
    e->memory_kib = kw_member_count(m, o, "memory_kib", UINT64_C(1) << 50);
    e->load_1m = kw_member_number(m, o, "load_1m");
    e->library_count = read_notes(m, o, "libraries", e->library);
    e->note_count = read_notes(m, o, "notes", e->note);
    m->where[0] = '\0';
}

static void read_layout(struct kw_members *m, const json_t *root,
                        struct kw_results_layout *l)
{
    const json_t *o = kw_member_object(m, root, "layout");
    (void)kw_copy_str(m->where, sizeof m->where, kw_span_str("layout."));
    TEXT(m, o, "name", l->name);
    TEXT(m, o, "client", l->client);
    TEXT(m, o, "server", l->server);
    TEXT(m, o, "words", l->words);
    m->where[0] = '\0';
}

static void read_axes(struct kw_members *m, const json_t *cell, struct kw_results_axes *a)
{
    const json_t *o = kw_member_object(m, cell, "axes");
    TEXT(m, o, "subject", a->subject);
    TEXT(m, o, "method", a->method);
    a->in_flight = kw_member_number(m, o, "in_flight");
    a->rate = kw_member_number(m, o, "rate");
    a->token_delay_us = kw_member_number(m, o, "token_delay_us");
}

static void read_figures(struct kw_members *m, const json_t *cell, struct kw_results *r,
                         struct kw_results_cell *c)
{
    const json_t *o = kw_member_object(m, cell, "figures");
    const char *name = NULL;
    json_t *value = NULL;
    json_object_foreach((json_t *)(uintptr_t)o, name, value)
    {
        size_t at = kw_results_figure_add(r, name);
        if (at < KW_RESULTS_FIGURES)
            kw_member_numbers(m, value, name, c->figure[at], r->rounds);
        else
            kw_member_bad(m, "figures", "at most 32 names of letters, digits and ._-");
    }
}

static void read_name(struct kw_members *m, const json_t *o, struct kw_results *r,
                      struct kw_results_cell *c)
{
    TEXT(m, o, "name", c->name);
    if (!kw_results_is_name(c->name) || kw_results_cell(r, c->name) != c)
        kw_member_bad(m, "name", "a name of letters, digits and ._- that is not taken");
}

static void read_cell(struct kw_members *m, const json_t *o, struct kw_results *r,
                      size_t at)
{
    struct kw_results_cell *c = &r->cell[at];
    snprintf(m->where, sizeof m->where, "cells[%zu].", at);
    read_name(m, o, r, c);
    TEXT(m, o, "tool", c->tool);
    c->primary = kw_member_flag(m, o, "primary");
    c->control = kw_member_flag(m, o, "control");
    c->command = kw_member_dup(m, o, "command");
    c->failures = kw_member_count(m, o, "failures", KW_ROUNDS_MAX);
    TEXT(m, o, "failure", c->failure);
    read_axes(m, o, &c->axes);
    read_figures(m, o, r, c);
    const json_t *histogram =
        json_object_get(o, "histogram"); /* not every tool has one */
    if (histogram != NULL && kw_failed(kw_counts_read(histogram, &c->histogram)))
        kw_member_bad(m, "histogram", "an array of [upper_ns, count], rising,");
    m->where[0] = '\0';
}

static void read_cells(struct kw_members *m, const json_t *root, struct kw_results *r)
{
    const json_t *all = kw_member_array(m, root, "cells");
    if (json_array_size(all) == 0 || json_array_size(all) > KW_RESULTS_CELLS)
        kw_member_bad(m, "cells", "an array of 1 to 129 cells");
    for (size_t i = 0; !m->bad && i < json_array_size(all); i++) {
        r->cell_count = i + 1;
        read_cell(m, json_array_get(all, i), r, i);
    }
    if (!m->bad && kw_results_cell(r, r->base) == NULL)
        kw_member_bad(m, "base", "the name of a cell");
}

static void read_pulse(struct kw_members *m, const json_t *root, struct kw_results *r)
{
    const json_t *pulse = kw_member_object(m, root, "pulse"),
                 *rounds = kw_member_array(m, pulse, "rounds");
    if (json_object_get(pulse, "rule") != NULL)
        TEXT(m, pulse, "rule", r->pulse_rule);
    if (!m->bad && json_array_size(rounds) != r->rounds)
        kw_member_bad(m, "pulse.rounds", "one array a round");
    for (size_t n = 0; !m->bad && n < r->rounds; n++)
        kw_member_numbers(m, json_array_get(rounds, n), "pulse.rounds", r->pulse_ns[n],
                          r->cell_count);
}

static void read_disturbed(struct kw_members *m, const json_t *root, struct kw_results *r)
{
    const json_t *all = kw_member_array(m, root, "disturbed");
    for (size_t i = 0; !m->bad && i < json_array_size(all); i++) {
        const json_t *one = json_array_get(all, i);
        snprintf(m->where, sizeof m->where, "disturbed[%zu].", i);
        size_t n = kw_member_count(m, one, "round", KW_ROUNDS_MAX - 1);
        if (n >= r->rounds)
            kw_member_bad(m, "round", "the number of a round that is there");
        TEXT(m, one, "why", r->why[n]);
        r->disturbed[n] = true;
    }
    m->where[0] = '\0';
}

static void read_noise(struct kw_members *m, const json_t *root, struct kw_results *r)
{
    const char *name = NULL;
    json_t *value = NULL;
    json_object_foreach((json_t *)(uintptr_t)kw_member_object(m, root, "noise"), name,
                        value)
    {
        size_t at = kw_results_figure_add(r, name);
        snprintf(m->where, sizeof m->where, "noise.%.48s.", name);
        if (at == KW_RESULTS_FIGURES)
            kw_member_bad(m, "", "one of at most 32 names of letters, digits and ._-");
        else
            r->noise[at] = (struct kw_ratio){kw_member_number(m, value, "mid"),
                                             kw_member_number(m, value, "low"),
                                             kw_member_number(m, value, "high")};
    }
    m->where[0] = '\0';
}

static void read_root(struct kw_members *m, const json_t *root, struct kw_results *r)
{
    TEXT(m, root, "version", r->version);
    TEXT(m, root, "session", r->session);
    TEXT(m, root, "fingerprint", r->fingerprint);
    TEXT(m, root, "fault", r->fault);
    TEXT(m, root, "began", r->began);
    TEXT(m, root, "base", r->base);
    TEXT(m, root, "control", r->control);
    r->partial = kw_member_flag(m, root, "partial");
    r->elapsed_s = kw_member_number(m, root, "elapsed_s");
    r->command = kw_member_dup(m, root, "command");
    r->rounds = kw_member_count(m, root, "rounds", KW_ROUNDS_MAX);
    read_environment(m, root, &r->environment);
    read_layout(m, root, &r->layout);
    const json_t *quiet = kw_member_object(m, root, "quiet");
    TEXT(m, quiet, "verdict", r->quiet);
    TEXT(m, quiet, "words", r->quiet_words);
    if (!m->bad)
        read_cells(m, root, r);
    read_pulse(m, root, r);
    read_disturbed(m, root, r);
    read_noise(m, root, r);
}

static kw_err read_document(const char *path, const json_t *root,
                            struct kw_results **ret_results, struct kw_note *note)
{
    struct kw_members m = {.path = path, .note = note};
    struct kw_results *r = kw_results_new();
    if (r == NULL) {
        kw_note_set(note, "%s: out of memory", path);
        return kw_err_at(KW_CODE_NO_MEMORY, "results");
    }
    read_kind(&m, root);
    if (!m.bad)
        read_root(&m, root, r);
    if (m.bad) {
        kw_results_free(r);
        return kw_err_at(KW_CODE_BAD_INPUT, "results");
    }
    *ret_results = r;
    return KW_OK;
}

kw_err kw_results_parse(kw_span text, const char *path, struct kw_results **ret_results,
                        struct kw_note *note)
{
    json_error_t why;
    json_t *root =
        json_loadb((const char *)text.ptr, text.len, JSON_REJECT_DUPLICATES, &why);
    if (root == NULL) {
        kw_note_set(note, "%s: line %d: no JSON: %s", path, why.line, why.text);
        return kw_err_at(KW_CODE_BAD_INPUT, "JSON");
    }
    kw_err e = read_document(path, root, ret_results, note);
    json_decref(root);
    return e;
}

kw_err kw_results_read(const char *path, struct kw_results **ret_results,
                       struct kw_note *note)
{
    struct kw_blob blob = {0};
    kw_err e = kw_file_read(path, FILE_MAX, &blob, note);
    if (!kw_failed(e))
        e = kw_results_parse(kw_blob_peek(&blob), path, ret_results, note);
    kw_blob_wipe(&blob);
    return e;
}
