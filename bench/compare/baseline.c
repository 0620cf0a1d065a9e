/* SPDX-License-Identifier: Apache-2.0 */
/* A baseline: {"tool", "schema", "version", "name", "machine", "fingerprint", "commit",
 * "began", "layout", "base", "rounds", "cells": [{"name", "primary", "axes", "cpu_us":
 * {"base": {"ratio", "error", "freedom"}, "reference": …}}]}; "error" is that of the
 * ratio's logarithm, "freedom" its degrees of freedom (centre.h). */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include <keyward/alloc.h>
#include <keyward/bytes.h>
#include <keyward/file.h>

#include "member.h"
#include "profile.h"

#define TOOL "keyward-bench compare --write-baseline"

enum { SCHEMA = 1, FILE_MAX = 1 << 20 };

/* ---- writing --------------------------------------------------------------------------
 */

static json_t *centre_document(const struct kw_centre *c)
{
    return json_pack("{s:f, s:f, s:f}", "ratio", exp(c->mean), "error", c->error,
                     "freedom", c->freedom);
}

static json_t *cell_document(const struct kw_profile_cell *c)
{
    json_t *cpu = json_object();
    for (size_t y = 0; y < KW_YARDSTICKS; y++)
        if (c->known[KW_WEIGHED_CPU][y])
            json_object_set_new(cpu, kw_yardstick_names[y],
                                centre_document(&c->to[KW_WEIGHED_CPU][y]));
    return json_pack("{s:s, s:b, s:{s:s, s:s, s:f, s:f, s:f}, s:o}", "name", c->name,
                     "primary", c->primary, "axes", "subject", c->axes.subject, "method",
                     c->axes.method, "in_flight", c->axes.in_flight, "rate", c->axes.rate,
                     "token_delay_us", c->axes.token_delay_us, "cpu_us", cpu);
}

static json_t *document(const struct kw_profile *p, const char *name)
{
    json_t *cells = json_array();
    for (size_t i = 0; i < p->cell_count; i++)
        if (p->cell[i].known[KW_WEIGHED_CPU][KW_YARDSTICK_BASE])
            json_array_append_new(cells, cell_document(&p->cell[i]));
    return json_pack("{s:s, s:i, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:I, s:o}",
                     "tool", TOOL, "schema", SCHEMA, "version", KW_VERSION, "name", name,
                     "machine", p->machine, "fingerprint", p->fingerprint, "commit",
                     p->commit, "began", p->began, "layout", p->layout, "base", p->base,
                     "rounds", (json_int_t)p->rounds, "cells", cells);
}

/* A yardstick wants to be a good one. */
static kw_err worth_keeping(const struct kw_profile *p, struct kw_note *note)
{
    const struct kw_results *r = p->results;
    size_t known = 0;
    for (size_t i = 0; i < p->cell_count; i++)
        known += p->cell[i].known[KW_WEIGHED_CPU][KW_YARDSTICK_BASE];
    if (known > 0 && r != NULL && !r->partial && strcmp(r->quiet, "unusable") != 0)
        return KW_OK;
    if (known == 0)
        kw_note_set(note, "%s: no cell's cpu_us is known beside the base's in %d rounds",
                    p->name, KW_CENTRE_LEAST);
    else
        kw_note_set(note,
                    "%s: %s; a baseline is a whole run on a machine that was quiet "
                    "enough: measure anew",
                    p->name,
                    r == NULL    ? "is a baseline itself"
                    : r->partial ? "is partial"
                                 : r->quiet_words);
    return kw_err_at(KW_CODE_BAD_INPUT, "baseline");
}

/* "bench/baseline/debian-12.json" is called debian-12. */
static void name_of(const char *path, char *dst, size_t cap)
{
    const char *slash = strrchr(path, '/'), *from = slash != NULL ? slash + 1 : path;
    size_t len = strlen(from);
    if (len > 5 && strcmp(from + len - 5, ".json") == 0)
        len -= 5;
    (void)kw_copy_str(dst, cap, kw_span_of(from, len));
}

kw_err kw_baseline_write(const struct kw_profile *p, const char *path,
                         struct kw_note *note)
{
    char name[KW_RESULTS_NAME];
    kw_err e = worth_keeping(p, note);
    if (kw_failed(e))
        return e;
    name_of(path, name, sizeof name);
    json_t *root = document(p, name);
    char *text =
        root != NULL ? json_dumps(root, JSON_INDENT(2) | JSON_REAL_PRECISION(8)) : NULL;
    json_decref(root);
    char *whole = text != NULL ? kw_format("%s\n", text) : NULL;
    if (whole == NULL)
        e = kw_err_at(KW_CODE_NO_MEMORY, "baseline");
    else
        e = kw_file_replace(path, kw_span_str(whole), 0644, note);
    kw_free(whole);
    free(text); /* jansson's, from malloc */
    return e;
}

/* ---- reading --------------------------------------------------------------------------
 */

static void read_axes(struct kw_members *m, const json_t *cell, struct kw_results_axes *a)
{
    const json_t *o = kw_member_object(m, cell, "axes");
    kw_member_text(m, o, "subject", a->subject, sizeof a->subject);
    kw_member_text(m, o, "method", a->method, sizeof a->method);
    a->in_flight = kw_member_number(m, o, "in_flight");
    a->rate = kw_member_number(m, o, "rate");
    a->token_delay_us = kw_member_number(m, o, "token_delay_us");
}

static void read_centre(struct kw_members *m, const json_t *o, struct kw_centre *c)
{
    double ratio = kw_member_number(m, o, "ratio");
    c->error = kw_member_number(m, o, "error");
    c->freedom = kw_member_number(m, o, "freedom");
    c->mean = ratio > 0 ? log(ratio) : 0;
    /* Bounds that no run comes near; what lies within can be reckoned with. */
    if (!(ratio > 1e-9 && ratio < 1e9 && c->error >= 0 && c->error < 10 &&
          c->freedom >= 1 && c->freedom <= KW_ROUNDS_MAX))
        kw_member_bad(m, "cpu_us",
                      "a ratio above 0, an error from 0 and a freedom from 1 to 64");
}

static void read_cell(struct kw_members *m, const json_t *o, struct kw_profile *p)
{
    struct kw_profile_cell *c = &p->cell[p->cell_count++];
    snprintf(m->where, sizeof m->where, "cells[%zu].", p->cell_count - 1);
    kw_member_text(m, o, "name", c->name, sizeof c->name);
    if (kw_profile_cell(p, c->name) != c)
        kw_member_bad(m, "name", "a name that is not taken");
    c->primary = kw_member_flag(m, o, "primary");
    read_axes(m, o, &c->axes);
    const json_t *cpu = kw_member_object(m, o, "cpu_us");
    for (size_t y = 0; y < KW_YARDSTICKS; y++) {
        const json_t *to = json_object_get(cpu, kw_yardstick_names[y]);
        c->known[KW_WEIGHED_CPU][y] = to != NULL;
        if (to != NULL)
            read_centre(m, to, &c->to[KW_WEIGHED_CPU][y]);
    }
    m->where[0] = '\0';
}

static void read_root(struct kw_members *m, const json_t *root, struct kw_profile *p)
{
    char tool[64];
    kw_member_text(m, root, "tool", tool, sizeof tool);
    if (!m->bad && strcmp(tool, TOOL) != 0)
        kw_member_bad(m, "tool", "a baseline, as " TOOL " writes it,");
    if (!m->bad && kw_member_count(m, root, "schema", UINT32_MAX) != SCHEMA)
        kw_member_bad(m, "schema", "1 (write the baseline again with this version)");
    kw_member_text(m, root, "name", p->name, sizeof p->name);
    kw_member_text(m, root, "machine", p->machine, sizeof p->machine);
    kw_member_text(m, root, "fingerprint", p->fingerprint, sizeof p->fingerprint);
    kw_member_text(m, root, "commit", p->commit, sizeof p->commit);
    kw_member_text(m, root, "began", p->began, sizeof p->began);
    kw_member_text(m, root, "layout", p->layout, sizeof p->layout);
    kw_member_text(m, root, "base", p->base, sizeof p->base);
    p->rounds = kw_member_count(m, root, "rounds", KW_ROUNDS_MAX);
    const json_t *cells = kw_member_array(m, root, "cells");
    if (json_array_size(cells) == 0 || json_array_size(cells) > KW_RESULTS_CELLS)
        kw_member_bad(m, "cells", "an array of 1 to 129 cells");
    for (size_t i = 0; !m->bad && i < json_array_size(cells); i++)
        read_cell(m, json_array_get(cells, i), p);
}

kw_err kw_baseline_parse(kw_span text, const char *path, struct kw_profile **ret_profile,
                         struct kw_note *note)
{
    struct kw_members m = {.path = path, .note = note};
    json_error_t why;
    json_t *root =
        json_loadb((const char *)text.ptr, text.len, JSON_REJECT_DUPLICATES, &why);
    if (root == NULL) {
        kw_note_set(note, "%s: line %d: no JSON: %s", path, why.line, why.text);
        return kw_err_at(KW_CODE_BAD_INPUT, "JSON");
    }
    struct kw_profile *p = kw_new(1, sizeof *p);
    if (p != NULL)
        read_root(&m, root, p);
    json_decref(root);
    if (p == NULL || m.bad) {
        kw_profile_free(p);
        return kw_err_at(p == NULL ? KW_CODE_NO_MEMORY : KW_CODE_BAD_INPUT, "baseline");
    }
    *ret_profile = p;
    return KW_OK;
}

kw_err kw_baseline_read(const char *path, struct kw_profile **ret_profile,
                        struct kw_note *note)
{
    struct kw_blob blob = {0};
    kw_err e = kw_file_read(path, FILE_MAX, &blob, note);
    if (!kw_failed(e))
        e = kw_baseline_parse(kw_blob_peek(&blob), path, ret_profile, note);
    kw_blob_wipe(&blob);
    return e;
}
