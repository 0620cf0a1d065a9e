/* SPDX-License-Identifier: Apache-2.0 */
/* version - how a KEK version is shown: a line, a page, a JSON object */
#ifndef KEYWARD_CLI_VERSION_H
#define KEYWARD_CLI_VERSION_H

#include <jansson.h>

#include "context.h"

/* Since when it is in its state. */
const char *kw_version_since(const struct kw_version *v);

/* "5m", "3h", "12d" from an RFC 3339 time to now; "-" for a text that is none. */
void kw_age_text(char dst[16], const char *since, int64_t wall_now_ns);
/* false when it is not the RFC 3339 that kw_time_text writes. */
bool kw_time_parse(const char *text, int64_t *ret_wall_ns);

/* Its key was adopted on somebody's word. */
bool kw_version_unproven(const struct kw_version *v);

/* "sha256:" and the SHA-256 of its key_id in hex: all that kube-apiserver says of it in its
 * metrics (key_id_hash).  Source: k8s.io/apiserver v0.36.3,
 * storage/value/encrypt/envelope/metrics/metrics.go.  "" when memory is out. */
#define KW_KEY_ID_HASH (sizeof "sha256:" + 64)
void kw_version_hash(const struct kw_version *v, char dst[KW_KEY_ID_HASH]);

/* NULL when memory is out. */
json_t *kw_version_json(const struct kw_context *context, const struct kw_version *v);
/* "Not answered" is null: it is not false.  NULL when memory is out. */
json_t *kw_attributes_json(const struct kw_key_attributes *attributes);

#endif
