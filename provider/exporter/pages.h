/* SPDX-License-Identifier: Apache-2.0 */
/* pages - what is served: /metrics, /livez, /readyz, /readyz/CLASS
 *
 * livez:    200 while the daemon answers; whether the HSM does is never asked.
 * readyz:   200 while every class (or that one) would answer a Status with ok.  "?verbose"
 *           lists the classes; a failure always does.
 *
 * Threads:   plain values.
 */
#ifndef KEYWARD_EXPORTER_PAGES_H
#define KEYWARD_EXPORTER_PAGES_H

#include <jansson.h>

#include "metrics.h"
#include "request.h"

#define KW_PAGE_TEXT "text/plain; charset=utf-8"
#define KW_PAGE_METRICS "text/plain; version=0.0.4; charset=utf-8"

struct kw_page_answer {
    int status;
    const char *type;
};
/* Does this path want the document? */
bool kw_page_exists(const char *path);
/* Writes the body.  `document` is NULL when the daemon is silent, and `why` says in which way. */
struct kw_page_answer kw_page_write(struct evbuffer *body,
                                    const struct kw_http_request *request,
                                    const json_t *document, const char *why,
                                    const struct kw_metrics_options *options);

#endif
