/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"

#include "percentile.h"
#include "rules.h"

static struct kw_client_reply reply;

static struct kw_client_reply *with_key_id(const char *key_id)
{
    reply = (struct kw_client_reply){0};
    kw_copy_str(reply.key_id, sizeof reply.key_id, kw_span_str(key_id));
    return &reply;
}

TEST(version_and_healthz__only_the_exact_words)
{
    reply = (struct kw_client_reply){.version = "v1", .healthz = "OK"};
    CHECK(kw_rule_version(&reply) != NULL);
    CHECK(kw_rule_healthz(&reply) != NULL);
    reply = (struct kw_client_reply){.version = "v2", .healthz = "ok"};
    CHECK(kw_rule_version(&reply) == NULL);
    CHECK(kw_rule_healthz(&reply) == NULL);
    reply = (struct kw_client_reply){.version = "v2beta1", .healthz = "ok "};
    CHECK(kw_rule_version(&reply) == NULL);
    CHECK(kw_rule_healthz(&reply) != NULL);
}

TEST(key_id_empty__breaks_the_rule)
{
    CHECK(kw_rule_key_id(with_key_id("")) != NULL);
    CHECK(kw_rule_key_id(with_key_id("kw1-1-x")) == NULL);
}

TEST(key_id_of_encrypt_differs__breaks_the_rule)
{
    static struct kw_client_reply other;
    other = *with_key_id("kw1-2-x");
    CHECK(kw_rule_same_key_id(&other, with_key_id("kw1-1-x")) != NULL);
    CHECK(kw_rule_same_key_id(&other, with_key_id("kw1-2-x")) == NULL);
}

TEST(ciphertext_empty_too_long_or_the_plaintext__breaks_the_rule)
{
    uint8_t seed[32];
    memset(seed, 7, sizeof seed);
    reply = (struct kw_client_reply){0};
    CHECK(kw_rule_ciphertext(&reply, kw_span_of(seed, 32)) != NULL);
    reply.ciphertext_len = KW_CIPHERTEXT_MAX + 1;
    CHECK(kw_rule_ciphertext(&reply, kw_span_of(seed, 32)) != NULL);
    reply.ciphertext_len = KW_CIPHERTEXT_MAX;
    CHECK(kw_rule_ciphertext(&reply, kw_span_of(seed, 32)) == NULL);
    memset(reply.ciphertext, 7, 32);
    reply.ciphertext_len = 32;
    CHECK(kw_rule_ciphertext(&reply, kw_span_of(seed, 32)) != NULL);
}

TEST(annotations__none_of_ours)
{
    reply = (struct kw_client_reply){.annotation_count = 1};
    CHECK(kw_rule_annotations(&reply) != NULL);
    reply.annotation_count = 0;
    CHECK(kw_rule_annotations(&reply) == NULL);
}

TEST(percentile__nearest_rank)
{
    int64_t ns[] = {50, 10, 40, 20, 30};
    CHECK(kw_percentile(ns, 0, 50) == 0);
    CHECK(kw_percentile(ns, 5, 50) == 30);
    CHECK(kw_percentile(ns, 5, 99) == 50);
    CHECK(kw_percentile(ns, 5, 1) == 10);
    CHECK(kw_percentile(ns, 1, 99) == 10);
}

KW_CASES("provider/cli/rules", CASE(version_and_healthz__only_the_exact_words),
         CASE(key_id_empty__breaks_the_rule),
         CASE(key_id_of_encrypt_differs__breaks_the_rule),
         CASE(ciphertext_empty_too_long_or_the_plaintext__breaks_the_rule),
         CASE(annotations__none_of_ours), CASE(percentile__nearest_rank))
