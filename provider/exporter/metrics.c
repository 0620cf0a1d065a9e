/* SPDX-License-Identifier: Apache-2.0 */
#include "metrics.h"

#include <inttypes.h>
#include <string.h>

#include <event2/buffer.h>

#include <keyward/alloc.h>
#include <keyward/clock.h>
#include <keyward/latency.h>

enum { LABELS_MAX = 2048, VALUE_MAX = 256, LEVELS = 3 };

/* Where in the document a row is: the document, an item of its list, an item within it. */
struct metric_place {
    const json_t *at[LEVELS];
};

struct metric_labels {
    char text[LABELS_MAX]; /* `a="b",c="d"` */
};

struct metrics_writer {
    struct evbuffer *out;
    const struct kw_metrics_options *options;
    struct metric_labels *seen; /* of this row's samples */
    size_t seen_count;
    bool failed;
};

/* ---- looking things up ------------------------------------------------------------- */

static const json_t *metric_member(const json_t *o, const char *path)
{
    while (o != NULL && path[0] != '\0') {
        const size_t len = strcspn(path, ".");
        char name[64];
        if (!kw_copy_str(name, sizeof name, kw_span_of(path, len)))
            return NULL;
        o = json_object_get(o, name);
        path += len + (path[len] == '.');
    }
    return o;
}

static const json_t *metric_find(const struct metric_place *p, const char *from)
{
    return metric_member(p->at[from[0] - '0'], from + 2);
}

/* ---- labels ------------------------------------------------------------------------ */

static bool label_add(struct metric_labels *l, const char *name, const char *value)
{
    size_t at = strlen(l->text);
    const int n =
        snprintf(l->text + at, sizeof l->text - at, "%s%s=\"", at > 0 ? "," : "", name);
    if (n < 0 || (size_t)n >= sizeof l->text - at)
        return false;
    for (at += (size_t)n; value[0] != '\0' && at + 4 < sizeof l->text; value++) {
        if (value[0] == '\\' || value[0] == '"' || value[0] == '\n')
            l->text[at++] = '\\';
        l->text[at++] = value[0] == '\n' ? 'n' : value[0];
    }
    l->text[at++] = '"';
    l->text[at] = '\0';
    return value[0] == '\0';
}

static bool label_value(const struct metric_place *p, const char *from,
                        char dst[VALUE_MAX])
{
    if (from[0] == '=')
        return kw_copy_str(dst, VALUE_MAX, kw_span_str(from + 1));
    const json_t *o = metric_find(p, from);
    if (json_is_integer(o))
        return snprintf(dst, VALUE_MAX, "%" JSON_INTEGER_FORMAT, json_integer_value(o)) >
               0;
    if (!json_is_string(o))
        return false;
    (void)kw_copy_printable(dst, VALUE_MAX, kw_span_str(json_string_value(o)));
    return true;
}

/* false: one of them is not there. */
static bool labels_of(const struct kw_metric *m, const struct metric_place *p,
                      struct metric_labels *ret_labels)
{
    char value[VALUE_MAX];
    ret_labels->text[0] = '\0';
    for (size_t i = 0; i < KW_METRIC_LABELS_MAX && m->labels[i].name != NULL; i++)
        if (!label_value(p, m->labels[i].from, value) ||
            !label_add(ret_labels, m->labels[i].name, value))
            return false;
    return true;
}

/* ---- samples ----------------------------------------------------------------------- */

static void metric_put(struct metrics_writer *w, const char *name, const char *suffix,
                       const struct metric_labels *l, const char *value)
{
    const bool bare = l->text[0] == '\0';
    if (evbuffer_get_length(w->out) > KW_METRICS_MAX ||
        evbuffer_add_printf(w->out, "%s%s%s%s%s %s\n", name, suffix, bare ? "" : "{",
                            l->text, bare ? "" : "}", value) < 0)
        w->failed = true;
}

static void metric_put_number(struct metrics_writer *w, const char *name,
                              const char *suffix, const struct metric_labels *l,
                              json_int_t n)
{
    char value[32];
    snprintf(value, sizeof value, "%" JSON_INTEGER_FORMAT, n);
    metric_put(w, name, suffix, l, value);
}

/* Millionths as a decimal, exactly. */
static void put_micro(struct metrics_writer *w, const char *name, const char *suffix,
                      const struct metric_labels *l, int64_t us)
{
    char value[48];
    snprintf(value, sizeof value, "%" PRId64 ".%06" PRId64, us / 1000000, us % 1000000);
    metric_put(w, name, suffix, l, value);
}

/* A series that was written already is not written again, whatever the document says. */
static bool is_new(struct metrics_writer *w, const struct metric_labels *l)
{
    for (size_t i = 0; i < w->seen_count; i++)
        if (strcmp(w->seen[i].text, l->text) == 0)
            return false;
    if (w->seen_count == KW_METRIC_SAMPLES_MAX)
        return false;
    w->seen[w->seen_count++] = *l;
    return true;
}

/* false: it is no histogram. */
static bool latency_read(const json_t *item, uint64_t ret_count[KW_LATENCY_BOUNDS + 1],
                         json_int_t *ret_sum_us)
{
    const json_t *counts = json_object_get(item, "counts");
    const json_t *sum = json_object_get(item, "sum_us");
    *ret_sum_us = json_integer_value(sum);
    if (json_array_size(counts) != KW_LATENCY_BOUNDS + 1 || !json_is_integer(sum) ||
        *ret_sum_us < 0)
        return false;
    for (size_t i = 0; i <= KW_LATENCY_BOUNDS; i++) {
        const json_t *n = json_array_get(counts, i);
        if (!json_is_integer(n) || json_integer_value(n) < 0)
            return false;
        ret_count[i] = (uint64_t)json_integer_value(n) + (i > 0 ? ret_count[i - 1] : 0);
    }
    return true;
}

static void put_latency(struct metrics_writer *w, const struct kw_metric *m,
                        const struct metric_labels *l, const json_t *item)
{
    uint64_t upto[KW_LATENCY_BOUNDS + 1];
    json_int_t sum_us;
    if (!latency_read(item, upto, &sum_us))
        return;
    for (size_t i = 0; i <= KW_LATENCY_BOUNDS; i++) {
        char le[32] = "+Inf";
        struct metric_labels bucket = *l;
        if (i < KW_LATENCY_BOUNDS)
            snprintf(le, sizeof le, "%.10g",
                     (double)(KW_LATENCY_FIRST_NS << i) / (double)KW_S_NS);
        if (!label_add(&bucket, "le", le))
            w->failed = true;
        metric_put_number(w, m->name, "_bucket", &bucket, (json_int_t)upto[i]);
    }
    put_micro(w, m->name, "_sum", l, sum_us);
    metric_put_number(w, m->name, "_count", l, (json_int_t)upto[KW_LATENCY_BOUNDS]);
}

static void put_states(struct metrics_writer *w, const struct kw_metric *m,
                       const struct metric_labels *l, const json_t *value)
{
    const char *is = json_string_value(value);
    for (const char *s = m->states; is != NULL && s[0] != '\0';) {
        const size_t len = strcspn(s, "|");
        char state[VALUE_MAX];
        struct metric_labels one = *l;
        (void)kw_copy_str(state, sizeof state, kw_span_of(s, len));
        if (label_add(&one, "state", state))
            metric_put_number(w, m->name, "", &one, strcmp(is, state) == 0);
        s += len + (s[len] == '|');
    }
}

static void put_time(struct metrics_writer *w, const struct kw_metric *m,
                     const struct metric_labels *l, const json_t *value)
{
    const kw_span text =
        kw_span_str(json_is_string(value) ? json_string_value(value) : "");
    const int64_t later = m->kind == KW_VALUE_END ? w->options->cryptoperiod_us : 0;
    if (kw_is_time(text) && kw_time_us(text) >= 0)
        put_micro(w, m->name, "", l, kw_time_us(text) + later);
}

static void metric_put_value(struct metrics_writer *w, const struct kw_metric *m,
                             const struct metric_labels *l, const json_t *value)
{
    const json_int_t n = json_integer_value(value);
    switch (m->kind) {
    case KW_VALUE_NUMBER:
        if (json_is_integer(value) && n >= 0)
            metric_put_number(w, m->name, "", l, n);
        break;
    case KW_VALUE_MS:
        if (json_is_integer(value) && n >= 0 && n < INT64_MAX / 1000)
            put_micro(w, m->name, "", l, n * 1000);
        break;
    case KW_VALUE_TRUE:
        if (json_is_boolean(value))
            metric_put_number(w, m->name, "", l, json_is_true(value));
        break;
    case KW_VALUE_OK:
        if (json_is_string(value))
            metric_put_number(w, m->name, "", l,
                              strcmp(json_string_value(value), "ok") == 0);
        break;
    case KW_VALUE_SAID:
        if (json_is_string(value) || json_is_null(value))
            metric_put_number(w, m->name, "", l, json_is_string(value));
        break;
    case KW_VALUE_MANY:
        if (json_is_array(value))
            metric_put_number(w, m->name, "", l, (json_int_t)json_array_size(value));
        break;
    case KW_VALUE_ONE: metric_put_number(w, m->name, "", l, 1); break;
    case KW_VALUE_TIME:
    case KW_VALUE_END: put_time(w, m, l, value); break;
    case KW_VALUE_STATE: put_states(w, m, l, value); break;
    case KW_VALUE_LATENCY: put_latency(w, m, l, value); break;
    }
}

static void metric_sample(struct metrics_writer *w, const struct kw_metric *m,
                          const struct metric_place *p)
{
    struct metric_labels labels;
    if (labels_of(m, p, &labels) && is_new(w, &labels))
        metric_put_value(w, m, &labels, metric_find(p, m->value));
}

/* ---- rows -------------------------------------------------------------------------- */

static void metric_within(struct metrics_writer *w, const struct kw_metric *m,
                          struct metric_place *p)
{
    if (m->inner == NULL) {
        metric_sample(w, m, p);
        return;
    }
    const json_t *list = metric_member(p->at[1], m->inner);
    for (size_t i = 0; i < json_array_size(list); i++) {
        p->at[2] = json_array_get(list, i);
        metric_sample(w, m, p);
    }
}

static void metric_row(struct metrics_writer *w, const struct kw_metric *m,
                       const json_t *document)
{
    struct metric_place p = {{document, NULL, NULL}};
    w->seen_count = 0; /* rows of one metric differ by a label of their own */
    if (m->outer == NULL) {
        metric_sample(w, m, &p);
        return;
    }
    const json_t *list = metric_member(document, m->outer);
    for (size_t i = 0; i < json_array_size(list); i++) {
        p.at[1] = json_array_get(list, i);
        metric_within(w, m, &p);
    }
}

static const char *metric_type_name(enum kw_metric_type type)
{
    static const char *const names[] = {"gauge", "counter", "histogram"};
    return names[type];
}

static void metric_head(struct metrics_writer *w, const char *name,
                        enum kw_metric_type type, const char *help)
{
    if (evbuffer_add_printf(w->out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name,
                            metric_type_name(type)) < 0)
        w->failed = true;
}

#define UP_NAME "keyward_up"
#define UP_HELP "1: the daemon answered; 0: it is silent, and nothing else is here."

bool kw_metrics_write(struct evbuffer *out, const json_t *document,
                      const struct kw_metrics_options *options)
{
    const struct metric_labels none = {""};
    struct metrics_writer w = {
        .out = out,
        .options = options,
        .seen = kw_new(KW_METRIC_SAMPLES_MAX, sizeof(struct metric_labels))};
    if (w.seen == NULL)
        return false;
    metric_head(&w, UP_NAME, KW_METRIC_GAUGE, UP_HELP);
    metric_put_number(&w, UP_NAME, "", &none, document != NULL);
    for (size_t i = 0; i < kw_metrics_count && document != NULL; i++) {
        const struct kw_metric *m = &kw_metrics[i];
        if (m->help != NULL)
            metric_head(&w, m->name, m->type, m->help);
        metric_row(&w, m, document);
    }
    kw_free(w.seen);
    return !w.failed;
}

/* ---- the page ---------------------------------------------------------------------- */

static void describe_labels(const struct kw_metric *m, FILE *out)
{
    const char *comma = "";
    for (size_t i = 0; i < KW_METRIC_LABELS_MAX && m->labels[i].name != NULL; i++) {
        fprintf(out, "%s`%s`", comma, m->labels[i].name);
        comma = ", ";
    }
    if (m->states != NULL)
        fprintf(out, "%s`state`", comma);
}

static void describe_source(const struct kw_metric *m, FILE *out)
{
    const char *dot = m->value[2] != '\0' ? "." : "";
    if (m->outer != NULL)
        fprintf(out, "`%s[]%s%s%s%s%s`", m->outer, m->inner != NULL ? "." : "",
                m->inner != NULL ? m->inner : "", m->inner != NULL ? "[]" : "", dot,
                m->value + 2);
    else if (m->value[2] != '\0')
        fprintf(out, "`%s`", m->value + 2);
    else
        fprintf(out, "`%s`", m->labels[0].from + 2);
}

void kw_metrics_describe(FILE *out)
{
    fprintf(out,
            "| metric | type | labels | from (status document) | |\n"
            "| --- | --- | --- | --- | --- |\n"
            "| `%s` | gauge | | | %s |\n",
            UP_NAME, UP_HELP);
    for (size_t i = 0; i < kw_metrics_count; i++) {
        const struct kw_metric *m = &kw_metrics[i];
        if (m->help == NULL)
            continue;
        fprintf(out, "| `%s` | %s | ", m->name, metric_type_name(m->type));
        describe_labels(m, out);
        fprintf(out, "%s| ", m->labels[0].name != NULL || m->states != NULL ? " " : "");
        describe_source(m, out);
        fprintf(out, " | %s |\n", m->help);
    }
}
