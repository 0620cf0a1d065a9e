/* SPDX-License-Identifier: Apache-2.0 */
/* rules - what kube-apiserver wants of an answer before it uses it
 *
 * Pure.  Each gives NULL when the answer is good, else the rule that it breaks.
 * Source: k8s.io/apiserver v0.36.3, server/options/encryptionconfig/config.go (Status)
 * and storage/value/encrypt/envelope/kmsv2/envelope.go (Encrypt, Decrypt).
 */
#ifndef KEYWARD_CLI_RULES_H
#define KEYWARD_CLI_RULES_H

#include <keyward/client.h>

const char *kw_rule_version(const struct kw_client_reply *status);
const char *kw_rule_healthz(const struct kw_client_reply *status);
const char *kw_rule_key_id(const struct kw_client_reply *reply);
const char *kw_rule_same_key_id(const struct kw_client_reply *status,
                                const struct kw_client_reply *encrypt);
const char *kw_rule_ciphertext(const struct kw_client_reply *encrypt, kw_span plaintext);
const char *kw_rule_annotations(const struct kw_client_reply *encrypt);
const char *kw_rule_plaintext(const struct kw_client_reply *decrypt, kw_span plaintext);

#endif
