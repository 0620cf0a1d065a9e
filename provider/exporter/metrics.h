/* SPDX-License-Identifier: Apache-2.0 */
/* metrics - which metrics there are, and how the status document becomes them
 *
 * One table gives the text for Prometheus (exposition format 0.0.4) and docs/METRICS.md.
 * Labels come from keyward's own configuration, keyring, tokens and code, and never from
 * who calls it.  What the document does not have, or has of another type, is no sample.
 *
 * Threads:   plain values.
 */
#ifndef KEYWARD_EXPORTER_METRICS_H
#define KEYWARD_EXPORTER_METRICS_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include <jansson.h>

struct evbuffer; /* libevent */

enum kw_metric_type { KW_METRIC_GAUGE, KW_METRIC_COUNTER, KW_METRIC_HISTOGRAM };

/* How a member becomes a number. */
enum kw_metric_value {
    KW_VALUE_NUMBER,
    KW_VALUE_MS,      /* milliseconds as seconds                                        */
    KW_VALUE_TIME,    /* RFC 3339 as seconds since 1970                                 */
    KW_VALUE_END,     /* the same, and the cryptoperiod later                           */
    KW_VALUE_TRUE,    /* true: 1                                                        */
    KW_VALUE_OK,      /* "ok": 1                                                        */
    KW_VALUE_SAID,    /* a text: 1, null: 0                                             */
    KW_VALUE_MANY,    /* how many items the list has                                    */
    KW_VALUE_STATE,   /* of each of `states` a sample, 1 for the one that it is         */
    KW_VALUE_ONE,     /* 1: what there is to say is in the labels                       */
    KW_VALUE_LATENCY, /* "counts" and "sum_us" of an item: a histogram                  */
};

/* Where something stands: "0:" in the document, "1:" in an item of `outer`, "2:" in one of
 * `inner`, and then member names with dots between; "=text" is the text itself. */
struct kw_metric_label {
    const char *name, *from;
};
#define KW_METRIC_LABELS_MAX 6u
struct kw_metric {
    const char *name;
    enum kw_metric_type type;
    const char *outer,
        *inner; /* lists, the second within an item of the first; or NULL */
    struct kw_metric_label labels[KW_METRIC_LABELS_MAX];
    enum kw_metric_value kind;
    const char *value;
    const char *states; /* "a|b|c", for KW_VALUE_STATE: the label "state" */
    const char *help;   /* NULL: this row goes on with the metric of the one before it */
};
extern const struct kw_metric kw_metrics[];
extern const size_t kw_metrics_count;

/* Samples of one row, and bytes of all of them: more are left out. */
#define KW_METRIC_SAMPLES_MAX 2048u
#define KW_METRICS_MAX (4u * 1024 * 1024)

struct kw_metrics_options {
    int64_t cryptoperiod_us;
};

/* NULL: the daemon is silent, and keyward_up is 0.  false: no memory, or too long. */
bool kw_metrics_write(struct evbuffer *out, const json_t *document,
                      const struct kw_metrics_options *options);

/* The table of docs/METRICS.md. */
void kw_metrics_describe(FILE *out);

#endif
