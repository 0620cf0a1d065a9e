/* SPDX-License-Identifier: Apache-2.0 */
/* What could be taken for a pass, and is none: tables of a bundle in which one thing is bad,
 * or is not there. */
#include <stdio.h>
#include <string.h>

#include "check.h"

#include "sample.h"

#define SHA_A "8f434346648f6b96df89dda901c5176b10a6d83961dd3c1ac88b59b2dc327aa4"
#define SHA_B "1b4f0e9851971998e732078544c96b36c3d01cedf7caa332359d6f1d83567014"
#define KEY_1 "kw1-1-9d1f3a5c7e0b2d4f6a8c0e12"

static struct kw_evidence *e;

static void begin(void)
{
    e = sample_empty(); /* of 2026-04-01 to 2026-07-01, made six hours later */
}

/* A row by a format. */
__attribute__((format(printf, 2, 3))) static void add(enum kw_evidence_table table,
                                                      const char *format, ...)
{
    char values[1024];
    va_list args;
    va_start(args, format);
    CHECK(vsnprintf(values, sizeof values, format, args) < (int)sizeof values);
    va_end(args);
    sample_row(e, table, values);
}

/* What is said of it; the worst, where that is several things. */
static const char *said(const char *check, const char *subject)
{
    const json_t *row;
    const char *worst = "nothing";
    size_t i;
    json_array_foreach(kw_evidence_rows(e, KW_EVIDENCE_CHECKS), i, row)
    {
        const char *outcome = json_string_value(json_object_get(row, "outcome"));
        if (strcmp(json_string_value(json_object_get(row, "check")), check) != 0 ||
            strstr(json_string_value(json_object_get(row, "subject")), subject) == NULL ||
            strcmp(worst, KW_OUTCOME_FAIL) == 0)
            continue;
        if (strcmp(outcome, KW_OUTCOME_PASS) != 0 || strcmp(worst, "nothing") == 0)
            worst = outcome;
    }
    return worst;
}

/* The last words of a case. */
static void says(const char *check, const char *subject, const char *outcome)
{
    kw_evidence_judge(e);
    CHECK_OK(kw_evidence_state(e));
    CHECK_STR(said(check, subject), outcome);
    kw_evidence_free(e);
}

/* ---- rows ---- */

#define AFTER "2026-07-01T05:00:00.000000Z" /* the period's end, before the bundle */

/* Collected then; with this keyring. */
static void node_of(const char *name, const char *time, const char *sha256, int serial)
{
    add(KW_EVIDENCE_NODES,
        "[\"%s\", true, \"%s\", \"0.1.0\", true, \"\", \"demo\", \"production\", "
        "\"" SHA_A "\", \"%s\", %d, \"" SHA_B "\"]",
        name, time, sha256, serial);
}

/* It takes its keyring, and wraps with the baseline. */
static void use_of(const char *name)
{
    static const char *const settings[] = {"refused_here", "doubt", "state_unknown"};
    for (size_t i = 0; i < sizeof settings / sizeof settings[0]; i++)
        add(KW_EVIDENCE_CONFIGURATION, "[\"%s\", \"keyring.%s\", \"\"]", name,
            settings[i]);
    add(KW_EVIDENCE_KEYS,
        "[\"%s\", \"a\", \"1\", 1, \"" KEY_1
        "\", \"active\", true, true, \"proof\", true, "
        "true, \"\", \"pass\", null]",
        name);
}

static void node(const char *name)
{
    node_of(name, AFTER, SHA_A, 7);
}

static void log_of(const char *name, const char *log, const char *verdict,
                   const char *log_id, const char *more)
{
    add(KW_EVIDENCE_LOGS,
        "[\"%s\", \"%s\", 1, \"%s\", null, 9, \"2026-03-01T00:00:00Z\", "
        "\"2026-07-01T01:00:00Z\", \"%s\", \"" SHA_B "\", true, %s]",
        name, log, verdict, log_id, more);
}
#define PLAIN "null, null, false, 0, null, 0, 0, 0, true, 0, 0"
#define OPERATORS "null, null, false, 0, null, 0, 0, 0, null, null, null"

static void token_of(const char *name, const char *token)
{
    add(KW_EVIDENCE_TOKENS,
        "[\"%s\", \"%s\", true, null, \"kw\", \"1\", \"m\", \"m\", \"1\", \"1\", \"l\", "
        "\"1\", "
        "false, \"CKM_AES_GCM\", \"caller\", true, true, null, null, null, null, null]",
        name, token);
}

static void key_of(const char *token, const char *state, const char *verdict)
{
    add(KW_EVIDENCE_KEYS,
        "[\"cp-1\", \"%s\", \"1\", 1, \"" KEY_1
        "\", \"%s\", true, true, \"proof\", true, "
        "true, \"\", %s, null]",
        token, state, verdict);
}

static void attribute_of(const char *token, const char *name, const char *now)
{
    add(KW_EVIDENCE_ATTRIBUTES,
        "[\"cp-1\", \"%s\", \"1\", 1, \"" KEY_1 "\", \"%s\", null, \"%s\", null, null, "
        "\"pass\"]",
        token, name, now);
}

/* ---- keys ---- */

static void two_tokens_of_which_one_was_read(const char *state)
{
    begin();
    node("cp-1");
    key_of("a", state, "\"pass\"");
    attribute_of("a", "CKA_LOCAL", "true");
    attribute_of("a", "CKA_VALUE_LEN", "32");
    attribute_of("a", "CKA_KEY_GEN_MECHANISM", "CKM_AES_KEY_GEN");
    key_of("b", state, "null");
}

TEST(attributes__not_read_in_one_token__no_pass_by_the_other)
{
    two_tokens_of_which_one_was_read("active");
    says("key-generated-in-token", "token b", KW_OUTCOME_NOT_ANSWERED);
    two_tokens_of_which_one_was_read("active");
    says("key-strength", "token b", KW_OUTCOME_NOT_ANSWERED);
    two_tokens_of_which_one_was_read("active");
    says("key-strength", "token a", KW_OUTCOME_PASS);
}

TEST(attributes__not_read_of_what_nobody_uses__nothing_is_said)
{
    two_tokens_of_which_one_was_read("destroyed");
    says("key-strength", "token b", "nothing");
}

TEST(token__without_a_usable_key__no_pass_by_the_other)
{
    static const char *const checks[] = {"key-attributes", "key-identity", "key-strength",
                                         "key-generated-in-token"};
    for (size_t i = 0; i < sizeof checks / sizeof checks[0]; i++) {
        begin();
        node("cp-1");
        token_of("cp-1", "a");
        token_of("cp-1", "b");
        key_of("a", "active", "\"pass\"");
        key_of("b", "created", "\"pass\"");
        says(checks[i], "token b", KW_OUTCOME_NOT_ANSWERED);
    }
}

TEST(key__state_that_is_not_known__not_answered)
{
    begin();
    node("cp-1");
    key_of("a", "unknown", "\"pass\"");
    says("key-attributes", "token a", KW_OUTCOME_NOT_ANSWERED);
}

TEST(key__verdict_that_is_no_outcome__not_answered)
{
    begin();
    node("cp-1");
    key_of("a", "active", "\"PASS\"");
    says("key-attributes", "token a", KW_OUTCOME_NOT_ANSWERED);
}

/* ---- certificates ---- */

static void certified(const char *standard, const char *certificate, const char *outcome)
{
    begin();
    node("cp-1");
    add(KW_EVIDENCE_TOKENS,
        "[\"cp-1\", \"a\", true, null, \"kw\", \"1\", \"m\", \"m\", \"1\", \"1\", \"l\", "
        "\"1\", "
        "false, \"CKM_AES_GCM\", \"caller\", true, true, null, \"%s\", \"%s\", null, "
        "null]",
        standard, certificate);
    says("hsm-certificate", "token a", outcome);
}

TEST(certificate__words_that_name_none__not_answered)
{
    certified("none", "none", KW_OUTCOME_NOT_ANSWERED);
    certified("FIPS 140-3", "pending", KW_OUTCOME_NOT_ANSWERED);
    certified("FIPS", "4703", KW_OUTCOME_NOT_ANSWERED);
    certified("FIPS 140-3", "4703", KW_OUTCOME_PASS);
    certified("EN 419221-5", "NSCIB-CC-2300127-01", KW_OUTCOME_NOT_ANSWERED);
}

TEST(certificate__historical_however_it_is_spelt__fail)
{
    static const char *const old[] = {
        "FIPS 140-2",   "FIPS 140\342\200\2232" /* another dash */,
        "fips 140 - 2", "FIPS 140-3, 140-2",
        "FIPS1402",     "FIPS 140-2/140-3"};
    for (size_t i = 0; i < sizeof old / sizeof old[0]; i++)
        certified(old[i], "3000", KW_OUTCOME_FAIL);
    certified("FIPS 140-3 of 2019", "3000", KW_OUTCOME_PASS);
}

/* ---- keyrings ---- */

static void rotation_since(const char *activated)
{
    add(KW_EVIDENCE_ROTATIONS,
        "[1, \"" KEY_1 "\", \"active\", \"made\", null, \"%s\", null, null, null, 9, "
        "\"2027-01-01T00:00:00Z\", 99]",
        activated);
}
#define IN_MAY "2026-05-01T00:00:00.000000Z"

static void copies(void)
{
    for (int i = 0; i < 2; i++)
        add(KW_EVIDENCE_COPIES,
            "[1, \"" KEY_1
            "\", \"active\", \"kw\", \"%d\", \"2026-05-01T00:00:00Z\", null, "
            "null]",
            i);
}

static const char *const by_keyring[] = {"cryptoperiod", "key-ended", "second-copy"};
enum { BY_KEYRING = sizeof by_keyring / sizeof by_keyring[0] };

TEST(keyring__of_another_domain__answers_nothing_for_this_one)
{
    for (size_t i = 0; i < BY_KEYRING; i++) {
        begin();
        node_of("cp-1", AFTER, SHA_B, 7);
        node_of("stranger", AFTER, SHA_A, 99);
        rotation_since(IN_MAY);
        copies();
        says(by_keyring[i], "cp-1", KW_OUTCOME_NOT_ANSWERED);
    }
}

TEST(keyring__the_same__pass)
{
    static const char *const of[] = {KEY_1, "all", KEY_1};
    for (size_t i = 0; i < BY_KEYRING; i++) {
        begin();
        node("cp-1");
        node("cp-2");
        use_of("cp-1");
        use_of("cp-2");
        rotation_since(IN_MAY);
        copies();
        says(by_keyring[i], of[i], KW_OUTCOME_PASS);
    }
}

TEST(keyring__a_node_says_something_against_it__no_pass)
{
    begin();
    node("cp-1");
    add(KW_EVIDENCE_CONFIGURATION,
        "[\"cp-1\", \"keyring.doubt\", \"others can change it\"]");
    says("nodes-agree", "cp-1", KW_OUTCOME_FAIL);
}

TEST(keyring__a_node_wraps_with_another_version__its_cryptoperiod_is_not_answered)
{
    begin();
    node("cp-1");
    rotation_since(IN_MAY);
    add(KW_EVIDENCE_KEYS, "[\"cp-1\", \"a\", \"1\", 2, \"k2\", \"retired\", false, true, "
                          "\"proof\", true, true, \"\", \"pass\", null]");
    says("cryptoperiod", "cp-1", KW_OUTCOME_NOT_ANSWERED);
}

/* ---- times ---- */

#define BEFORE "2026-06-30T23:59:59.000000Z"
#define LATER "2026-07-01T06:30:01.000000Z"

TEST(folder__collected_in_the_period__says_nothing_of_its_end)
{
    static const char *const bad[] = {BEFORE, LATER, "yesterday", ""};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        begin();
        node_of("cp-1", bad[i], SHA_A, 7);
        says("nodes-complete", "cp-1", KW_OUTCOME_NOT_ANSWERED);
        begin();
        node_of("cp-1", bad[i], SHA_A, 7);
        rotation_since(IN_MAY);
        says("cryptoperiod", "cp-1", KW_OUTCOME_NOT_ANSWERED);
        begin();
        node_of("cp-1", bad[i], SHA_A, 7);
        log_of("cp-1", "audit", "sound", SHA_A, PLAIN);
        says("log-covers-period", "cp-1", KW_OUTCOME_NOT_ANSWERED);
    }
}

TEST(folder__collected_at_the_end_or_when_the_bundle_is_made__pass)
{
    static const char *const good[] = {"2026-07-01T00:00:00Z", AFTER,
                                       "2026-07-01T06:30:00Z"};
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        begin();
        node_of("cp-1", good[i], SHA_A, 7);
        log_of("cp-1", "audit", "sound", SHA_A, PLAIN);
        kw_evidence_judge(e);
        CHECK_STR(said("nodes-complete", "cp-1"), KW_OUTCOME_PASS);
        CHECK_STR(said("log-covers-period", "cp-1"), KW_OUTCOME_PASS);
        kw_evidence_free(e);
    }
}

TEST(baseline__younger_than_the_bundle_or_of_no_age__not_answered)
{
    begin();
    node("cp-1");
    rotation_since("2026-07-02T00:00:00.000000Z");
    says("cryptoperiod", KEY_1, KW_OUTCOME_NOT_ANSWERED);
    begin();
    node("cp-1");
    add(KW_EVIDENCE_ROTATIONS,
        "[1, \"" KEY_1 "\", \"active\", \"made\", null, null, null, "
        "null, null, null, null, null]");
    says("cryptoperiod", KEY_1, KW_OUTCOME_NOT_ANSWERED);
}

/* ---- logs ---- */

TEST(log__of_two_control_planes__one_under_two_names)
{
    begin();
    node("cp-1");
    node("cp-2");
    log_of("cp-1", "audit", "sound", SHA_A, PLAIN);
    log_of("cp-1", "operator", "sound", SHA_B, OPERATORS);
    log_of("cp-2", "audit", "none", SHA_B, PLAIN);
    log_of("cp-2", "operator", "sound", SHA_B, OPERATORS);
    kw_evidence_judge(e);
    CHECK_STR(said("nodes-complete", "cp-1"), KW_OUTCOME_PASS);
    CHECK_STR(said("nodes-complete", "cp-2"), KW_OUTCOME_FAIL);
    kw_evidence_free(e);
}

#define SIGNED "null, 8, true, 0, \"" SHA_A "\", 0, 0, 0, true, 0, 0"

TEST(log__signed_by_a_key_that_came_with_it__not_answered)
{
    begin();
    node("cp-1");
    log_of("cp-1", "audit", "sound", SHA_A, SIGNED);
    says("log-signed", "cp-1", KW_OUTCOME_NOT_ANSWERED);
    begin();
    node("cp-1");
    log_of("cp-1", "audit", "sound", SHA_A, SIGNED);
    add(KW_EVIDENCE_STATED, "[\"audit key\", \"--key\", \"" SHA_B "\"]");
    says("log-signed", "cp-1", KW_OUTCOME_NOT_ANSWERED);
}

TEST(log__signed_by_the_key_that_was_given__pass)
{
    begin();
    node("cp-1");
    log_of("cp-1", "audit", "sound", SHA_A, SIGNED);
    add(KW_EVIDENCE_STATED, "[\"audit key\", \"--key\", \"" SHA_A "\"]");
    add(KW_EVIDENCE_COVERAGE, "[\"cp-1\", \"2026-04-01T00:00:00Z\", "
                              "\"2026-07-01T00:00:00Z\", \"signed\", false]");
    says("log-signed", "cp-1", KW_OUTCOME_PASS);
}

#define ANCHORED "3, null, false, 0, null, 0, 0, 0, true, 0, 0"

static void anchored_with(const char *kind, const char *gap, const char *outcome)
{
    begin();
    node("cp-1");
    log_of("cp-1", "audit", "incomplete", SHA_A, ANCHORED);
    add(KW_EVIDENCE_COVERAGE,
        "[\"cp-1\", \"2026-04-01T00:00:00Z\", \"2026-05-01T00:00:00Z\", \"%s\", %s]",
        kind, gap);
    says("log-anchored", "cp-1", outcome);
}

TEST(log__anchored_before_the_period_or_in_it__not_answered_for_the_rest)
{
    anchored_with("running", "true", KW_OUTCOME_NOT_ANSWERED);
    anchored_with("signed", "true", KW_OUTCOME_NOT_ANSWERED);
    anchored_with("stopped", "true", KW_OUTCOME_NOT_ANSWERED);
    anchored_with("absent", "true", KW_OUTCOME_NOT_ANSWERED);
    anchored_with("anchored", "false", KW_OUTCOME_PASS);
}

TEST(operator_log__incomplete__no_pass_though_nothing_in_it_says_so)
{
    begin();
    node("cp-1");
    log_of("cp-1", "operator", "incomplete", SHA_A, OPERATORS);
    says("operator-log-sound", "cp-1", KW_OUTCOME_FAIL);
}

TEST(operator_log__sound__pass)
{
    begin();
    node("cp-1");
    log_of("cp-1", "operator", "sound", SHA_A, OPERATORS);
    says("operator-log-sound", "cp-1", KW_OUTCOME_PASS);
}

/* ---- etcd ---- */

static void report(const char *restorable)
{
    add(KW_EVIDENCE_ETCD,
        "[\"r1\", \"" SHA_A "\", \"snap.db\", \"clean\", 0, 9, \"secrets\", 0, 0, 0, %s, "
        "null, false]",
        restorable);
}

static void object(const char *stored_as, const char *key_id, int current, int historic)
{
    add(KW_EVIDENCE_OBJECTS,
        "[\"r1\", \"secrets\", \"%s\", null, %s, null, %d, %d, 0, 0]", stored_as, key_id,
        current, historic);
}

static const char *const of_etcd[] = {"etcd-encrypted", "etcd-no-leftovers",
                                      "backup-restorable"};

static void each_of_etcd(void (*objects)(void), const char *outcome)
{
    for (size_t i = 0; i < sizeof of_etcd / sizeof of_etcd[0]; i++) {
        begin();
        rotation_since(IN_MAY);
        report("\"restorable\"");
        objects();
        says(of_etcd[i], "r1", outcome);
    }
}

static void nothing_at_all(void)
{
}

static void of_another_cluster(void)
{
    object("kms-v2", "\"kw1-1-ffffffffffffffffffffffff\"", 9, 0);
}

static void by_another_provider(void)
{
    object("aescbc", "null", 9, 0);
}

static void of_old_alone(void)
{
    object("kms-v2", "\"" KEY_1 "\"", 0, 9);
}

static void of_ours(void)
{
    object("kms-v2", "\"" KEY_1 "\"", 9, 0);
}

TEST(report__of_nothing_or_of_others__not_answered)
{
    each_of_etcd(nothing_at_all, KW_OUTCOME_NOT_ANSWERED);
    each_of_etcd(of_another_cluster, KW_OUTCOME_NOT_ANSWERED);
    each_of_etcd(by_another_provider, KW_OUTCOME_NOT_ANSWERED);
    each_of_etcd(of_old_alone, KW_OUTCOME_NOT_ANSWERED);
    each_of_etcd(of_ours, KW_OUTCOME_PASS);
}

TEST(report__secrets_in_clear_that_its_configuration_allows__fail)
{
    begin();
    rotation_since(IN_MAY);
    report("null");
    of_ours();
    object("plain-protobuf", "null", 3, 0);
    says("etcd-encrypted", "r1", KW_OUTCOME_FAIL);
    begin();
    rotation_since(IN_MAY);
    report("null");
    of_ours();
    object("plain-json", "null", 0, 1);
    says("etcd-no-leftovers", "r1", KW_OUTCOME_FAIL);
}

/* ---- nodes ---- */

TEST(node__complete_with_something_not_looked_at__not_answered)
{
    begin();
    add(KW_EVIDENCE_NODES,
        "[\"cp-1\", true, \"" AFTER "\", \"0.1.0\", true, \"token hsm: away\", \"demo\", "
        "\"production\", \"" SHA_A "\", \"" SHA_A "\", 7, \"" SHA_B "\"]");
    says("nodes-complete", "cp-1", KW_OUTCOME_NOT_ANSWERED);
}

static void setting(const char *name, const char *setting, const char *value)
{
    add(KW_EVIDENCE_CONFIGURATION, "[\"%s\", \"configuration.%s\", \"%s\"]", name,
        setting, value);
}

TEST(class__that_accepts_secrets_and_serves_them_from_memory__fail)
{
    begin();
    node("cp-1");
    setting("cp-1", "classes[0].scope", "bulk");
    setting("cp-1", "classes[0].accept_scopes[0]", "old");
    setting("cp-1", "classes[0].accept_scopes[1]", "secrets");
    setting("cp-1", "classes[0].on_hsm_loss", "serve-cached");
    says("fail-closed", "cp-1", KW_OUTCOME_FAIL);
}

TEST(class__none_of_secrets_on_one_node__not_answered_there)
{
    begin();
    node("cp-1");
    node("cp-2");
    setting("cp-1", "classes[0].scope", "secrets");
    setting("cp-1", "classes[0].on_hsm_loss", "fail-closed");
    setting("cp-2", "classes[0].scope", "tokens");
    setting("cp-2", "classes[0].on_hsm_loss", "serve-cached");
    kw_evidence_judge(e);
    CHECK_STR(said("fail-closed", "cp-1"), KW_OUTCOME_PASS);
    CHECK_STR(said("fail-closed", "cp-2"), KW_OUTCOME_NOT_ANSWERED);
    kw_evidence_free(e);
}

TEST(calls__of_a_node_whose_log_is_broken__not_in_the_count)
{
    begin();
    node("cp-1");
    node("cp-2");
    log_of("cp-1", "audit", "sound", SHA_A, PLAIN);
    log_of("cp-2", "audit", "broken", SHA_B, PLAIN);
    add(KW_EVIDENCE_CALLS,
        "[\"cp-1\", \"encrypt\", \"secrets\", \"hsm\", 0, \"ok\", \"" KEY_1 "\", 5]");
    kw_evidence_judge(e);
    CHECK_STR(said("invocations", KEY_1), KW_OUTCOME_PASS);
    CHECK_STR(said("invocations", "cp-2"), KW_OUTCOME_NOT_ANSWERED);
    kw_evidence_free(e);
}

KW_SUITE("provider/evidence/assurance")
