/* SPDX-License-Identifier: Apache-2.0 */
/* serve - who asks over HTTP gets a page; or a file gets the metrics, once
 *
 * Threads:   one.
 */
#ifndef KEYWARD_EXPORTER_SERVE_H
#define KEYWARD_EXPORTER_SERVE_H

#include <openssl/types.h>

#include "metrics.h"

#include <keyward/err.h>

struct kw_serve_options {
    const char *socket; /* the daemon's status socket */
    struct kw_metrics_options metrics;
    int listening;
    SSL_CTX *tls; /* NULL: plain */
};
/* Until SIGTERM or SIGINT, which the caller has blocked in no thread. */
KW_MUST_USE kw_err kw_serve(const struct kw_serve_options *options, struct kw_note *note);
/* For node_exporter's textfile collector: the file is whole at every moment, and has
 * keyward_up 0 when the daemon is silent. */
KW_MUST_USE kw_err kw_serve_file(const struct kw_serve_options *options, const char *path,
                                 struct kw_note *note);

#endif
