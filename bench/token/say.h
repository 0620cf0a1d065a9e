/* SPDX-License-Identifier: Apache-2.0 */
/* say - a result in words, and as a document
 *
 * Threads:   one.
 */
#ifndef KEYWARD_BENCH_TOKEN_SAY_H
#define KEYWARD_BENCH_TOKEN_SAY_H

#include "broom.h"
#include "sum.h"

/* On standard output. */
void kw_token_table(const struct kw_token_plan *p, const struct kw_guard *g,
                    const struct kw_token_result *r);
void kw_token_intent(const struct kw_token_plan *p, const struct kw_guard *g);
void kw_sweep_list(const struct kw_sweep *s);
void kw_sweep_table(const struct kw_sweep *s);

/* NULL: out of memory. */
json_t *kw_token_document(const struct kw_token_plan *p, const struct kw_guard *g,
                          const struct kw_token_result *r);
json_t *kw_intent_document(const struct kw_token_plan *p, const struct kw_guard *g);
json_t *kw_sweep_document(const struct kw_token_plan *p, const struct kw_sweep *s,
                          const char *fault);

/* What the mechanism and the IV are, as far as this operation looked: "CKM_AES_GCM" and
 * "caller", or "" and "not looked at". */
const char *kw_mechanism_of(enum kw_op op);
const char *kw_iv_of(enum kw_op op);
/* Workers' logins and the keeper's; the widest point of a curve. */
uint64_t kw_logins_of(const struct kw_token_plan *p);
uint64_t kw_sessions_of(const struct kw_token_plan *p);

#endif
