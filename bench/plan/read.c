/* SPDX-License-Identifier: Apache-2.0 */
/* A curve from the document of a measurement. */
#include "curve.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include <keyward/file.h>

static kw_err refuse(struct kw_note *note, const char *path, const char *why)
{
    kw_note_set(note, "%s: %s", path, why);
    return kw_err_at(KW_CODE_BAD_INPUT, "curve");
}

static double number(const json_t *object, const char *name)
{
    return json_number_value(json_object_get(object, name));
}

static bool is_possible(const struct kw_curve_point *p)
{
    return isfinite(p->sessions) && p->sessions >= 1 && isfinite(p->ops_per_s) &&
           p->ops_per_s > 0 && p->p50_us >= 0 && p->p99_us >= p->p50_us;
}

static int by_sessions(const void *a, const void *b)
{
    const struct kw_curve_point *x = a, *y = b;
    return (x->sessions > y->sessions) - (x->sessions < y->sessions);
}

/* Percentiles that a run was too short to know are simply not there. */
static struct kw_curve_point point_of(const json_t *object)
{
    struct kw_curve_point p = {number(object, "sessions"), number(object, "ops_per_s"),
                               number(object, "p50_us"), number(object, "p99_us")};
    if (json_object_get(object, "p99_us") == NULL)
        p.p50_us = 0;
    return p;
}

static const char *read_points(const json_t *points, struct kw_curve *c)
{
    size_t count = json_array_size(points);
    if (count == 0)
        return "it has no \"curve\"; measure one with keyward-bench token --curve "
               "1,2,4,8 --json";
    if (count > KW_CURVE_MAX)
        return "its \"curve\" has over 64 points";
    for (size_t i = 0; i < count; i++) {
        c->point[i] = point_of(json_array_get(points, i));
        if (!is_possible(&c->point[i]))
            return "a point of its \"curve\" wants sessions >= 1, ops_per_s > 0, and "
                   "p99_us not below p50_us";
    }
    qsort(c->point, count, sizeof c->point[0], by_sessions);
    for (size_t i = 1; i < count; i++)
        if (c->point[i].sessions <= c->point[i - 1].sessions)
            return "its \"curve\" has one number of sessions twice";
    c->count = count;
    return NULL;
}

static bool is_one_of(const char *text, const char *a, const char *b)
{
    return text != NULL && (strcmp(text, a) == 0 || strcmp(text, b) == 0);
}

static const char *read_token(const json_t *document, struct kw_curve *c)
{
    const json_t *options = json_object_get(document, "options");
    const json_t *operation = json_object_get(options, "operation");
    if (operation != NULL && !is_one_of(json_string_value(operation), "unwrap", "wrap"))
        return "its operation was neither unwrap nor wrap, which is what keyward does";
    return read_points(json_object_get(document, "curve"), c);
}

/* One point.  An Encrypt is two operations of the token; a Status is none. */
static const char *read_load(const json_t *document, struct kw_curve *c)
{
    const json_t *options = json_object_get(document, "options");
    const json_t *figures = json_object_get(document, "figures");
    const char *mix = json_string_value(json_object_get(options, "mix"));
    if (!is_one_of(mix, "decrypt", "encrypt"))
        return "its calls were not all Decrypts or all Encrypts, so they say nothing of "
               "a "
               "token";
    if (number(options, "rate") > 0)
        return "its rate was given, so it does not say what the most is; measure without "
               "--rate";
    double ops = strcmp(mix, "encrypt") == 0 ? 2 : 1;
    c->point[0] = (struct kw_curve_point){
        number(options, "in_flight"), ops * number(figures, "calls_per_s"),
        number(figures, "p50_us") / ops, number(figures, "p99_us") / ops};
    if (json_object_get(figures, "p99_us") == NULL)
        c->point[0].p50_us = 0;
    if (!is_possible(&c->point[0]))
        return "it wants options.in_flight >= 1 and figures.calls_per_s > 0";
    c->count = 1;
    return NULL;
}

/* Wrong and failed operations, wherever a document counts them. */
static bool went_well(const json_t *document)
{
    const json_t *failures = json_object_get(document, "failures");
    json_t *methods = json_object_get(document, "by_method"), *method;
    const char *name;
    bool well = number(document, "wrong") <= 0 && number(document, "failed") <= 0 &&
                json_object_size(failures) == 0;
    json_object_foreach(methods, name, method) well =
        well && number(method, "wrong") <= 0 && number(method, "failed") <= 0;
    return well;
}

static const char *read_document(const json_t *document, struct kw_curve *c,
                                 const char **ret_kind)
{
    const json_t *options = json_object_get(document, "options");
    const char *tool = json_string_value(json_object_get(document, "tool"));
    if (!is_one_of(tool, "keyward-bench token", "keyward-bench load"))
        return "it is no document of keyward-bench token --curve or keyward-bench load";
    if (json_integer_value(json_object_get(document, "schema")) != 1)
        return "its \"schema\" is not 1, the only one that this version reads";
    if (json_is_true(json_object_get(document, "partial")))
        return "its run was cut short; measure again";
    if (!went_well(document))
        return "its run had wrong or failed operations; cure that and measure again";
    if (number(options, "max_rate") > 0)
        return "its rate was held down, so it does not say what the most is; measure "
               "without --max-rate";
    bool token = strcmp(tool, "keyward-bench token") == 0;
    *ret_kind = token ? "operations without a server before them"
                      : "calls through a server, one point; right only when every "
                        "ciphertext missed its cache, and their time outside the token "
                        "counts as the token's";
    return token ? read_token(document, c) : read_load(document, c);
}

kw_err kw_curve_read(const char *path, struct kw_curve *ret_curve, struct kw_note *note)
{
    struct kw_blob blob = {0};
    struct kw_curve c = {.count = 0};
    json_error_t error;
    const char *kind = NULL;
    kw_err e = kw_file_read(path, KW_CURVE_FILE_MAX, &blob, note);
    if (kw_failed(e))
        return e;
    json_t *document = json_loadb((const char *)blob.ptr, blob.len, 0, &error);
    kw_blob_wipe(&blob);
    const char *why = json_is_object(document) ? read_document(document, &c, &kind)
                                               : "it is no JSON object";
    json_decref(document);
    if (why != NULL)
        return refuse(note, path, why);
    bool sayable = strlen(path) <= 120 && kw_is_text(kw_span_str(path));
    snprintf(c.words, sizeof c.words, "%s [measured: %s]", kind,
             sayable ? path : "the file");
    *ret_curve = c;
    return KW_OK;
}
