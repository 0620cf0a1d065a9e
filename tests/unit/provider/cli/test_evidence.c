/* SPDX-License-Identifier: Apache-2.0 */
/* What is said of a node and its tokens, as far as it is pure. */
#include "evidence_node.h"
#include "evidence_token.h"

#include "check.h"

#include "said_at.h"

/* ---- names ---- */

TEST(node_name__none__refused)
{
    char longest[65] = "";
    static const char *const bad[] = {"",    "A", "a b", "a/b", "n\xc3\xa4me",
                                      "a_b", ".", ".."};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        CHECK(!kw_evidence_is_node_name(bad[i]));
    memset(longest, 'a', 64);
    CHECK(!kw_evidence_is_node_name(longest));
    longest[63] = '\0';
    CHECK(kw_evidence_is_node_name(longest) && kw_evidence_is_node_name("cp-1.z"));
}

TEST(token_name__hostile__in_the_folder_and_each_its_own)
{
    struct kw_config config = {.token_count = 4};
    static const char *const names[] = {"../../etc/x", ".._.._etc_x", "HSM A", "HSM/A"};
    static const char *const want[] = {"token-.._.._etc_x@0.json",
                                       "token-.._.._etc_x.json", "token-HSM_A@2.json",
                                       "token-HSM_A@3.json"};
    char name[KW_EVIDENCE_TOKEN_NAME];
    for (size_t i = 0; i < 4; i++)
        kw_copy_str(config.tokens[i].name, sizeof config.tokens[i].name,
                    kw_span_str(names[i]));
    for (size_t i = 0; i < 4; i++) {
        kw_evidence_token_name(&config, i, name);
        CHECK_STR(name, want[i]);
    }
}

TEST(pin_kind__place__only_its_kind)
{
    static char file[] = "file:/etc/keyward/pin", credential[] = "credential:pin";
    struct kw_config_token token = {.pin = file};
    char kind[16];
    kw_evidence_pin_kind(&token, kind);
    CHECK_STR(kind, "file");
    token.pin = credential;
    kw_evidence_pin_kind(&token, kind);
    CHECK_STR(kind, "credential");
}

/* ---- the copy of the configuration ---- */

#define YAML                                                                             \
    "domain: demo\nenvironment: test\nkeyring: /k\nstate: /s\nhsm:\n  tokens:\n"         \
    "    - {uri: 'pkcs11:token=A', module: /m, pin: 'file:/p', env: {%s}}\n"             \
    "classes:\n  - {name: a, scope: a, socket: /s}\n"

static struct kw_config *config_with(const char *env)
{
    struct kw_config *config = NULL;
    struct kw_note note = {{0}};
    char text[1024];
    snprintf(text, sizeof text, YAML, env);
    if (kw_failed(kw_config_parse(kw_span_str(text), "x", SIZE_MAX, &config, &note)))
        fail_msg("%s", note.text);
    return config;
}

TEST(redact__value_that_is_no_place__taken_out_and_named)
{
    json_t *redacted = json_array();
    struct kw_config *config =
        config_with("PASS: 'secret-1234', GONE: /nonexistent/pass, CONF: /etc/passwd");
    CHECK_OK(kw_evidence_redact(config, redacted));
    for (size_t i = 0; i < 3; i++) {
        const struct kw_config_var *var = &config->tokens[0].env[i];
        CHECK_STR(var->value,
                  strcmp(var->name, "CONF") == 0 ? "/etc/passwd" : "redacted");
    }
    CHECK(json_array_size(redacted) == 2);
    CHECK_STR(json_string_value(json_array_get(redacted, 0)), "hsm.tokens[0].env.PASS");
    kw_config_free(config);
    json_decref(redacted);
}

TEST(redact__places_alone__nothing_taken_out)
{
    json_t *redacted = json_array();
    struct kw_config *config = config_with("CONF: /etc/passwd");
    CHECK_OK(kw_evidence_redact(config, redacted));
    CHECK(json_array_size(redacted) == 0);
    kw_config_free(config);
    json_decref(redacted);
}

/* ---- a token ---- */

static struct kw_config *config;
static struct kw_keyring *ring;
static struct kw_context context;
static struct kw_evidence_token t;

static void begin(void)
{
    struct kw_blob bytes = {0};
    config = config_with("CONF: /etc/passwd");
    CHECK_OK(kw_keyring_load(KW_VECTORS "/keyring.json", &ring, &bytes, NULL));
    kw_blob_wipe(&bytes);
    context = (struct kw_context){.config = config, .ring = ring};
    t = (struct kw_evidence_token){.is_asked = true, .context = &context};
    for (size_t i = 0; i < ring->count; i++)
        t.versions[i] = (struct kw_evidence_version){
            .asked = KW_ASKED_PROOF,
            .found = KW_ANSWER_TRUE,
            .opens = KW_ANSWER_TRUE,
            .has_attributes = true,
            .attributes = kw_version_kek(&ring->versions[i])->attributes};
}

static void end(void)
{
    kw_keyring_give(ring);
    kw_config_free(config);
}

/* Pairs of a path and the value there; NULL ends them. */
static void token_says(const char *const claims[])
{
    json_t *document = kw_evidence_token_json(&context, &config->tokens[0], &t);
    for (size_t i = 0; claims[i] != NULL; i += 2)
        CHECK_SAID(document, claims[i], claims[i + 1]);
    json_decref(document);
}
#define TOKEN_SAYS(...) token_says((const char *const[]){__VA_ARGS__, NULL})

TEST(asked__state__no_use_of_a_key_that_nobody_may_use)
{
    CHECK(kw_evidence_asked_of(KW_KEY_UNKNOWN) == KW_ASKED_NOTHING);
    CHECK(kw_evidence_asked_of(KW_KEY_DISABLED) == KW_ASKED_PRESENCE);
    CHECK(kw_evidence_asked_of(KW_KEY_DESTROYED) == KW_ASKED_PRESENCE);
    CHECK(kw_evidence_asked_of(KW_KEY_CREATED) == KW_ASKED_PROOF);
    CHECK(kw_evidence_asked_of(KW_KEY_RETIRED) == KW_ASKED_PROOF);
}

TEST(token__not_asked__nothing_is_claimed)
{
    struct kw_note why = {{0}};
    begin();
    t = (struct kw_evidence_token){.err = kw_err_at(KW_CODE_PIN_STOP, "C_Login"),
                                   .note = {"CKR_PIN_INCORRECT"}};
    for (size_t i = 0; i < ring->count; i++)
        t.versions[i].found = t.versions[i].opens = KW_ANSWER_NONE;
    CHECK(!kw_evidence_token_is_whole(&context, &t, &why));
    CHECK_STR(why.text, "CKR_PIN_INCORRECT");
    TOKEN_SAYS("asked", "false", "error/code", "\"pin-stop\"", "library", "null", "token",
               "null", "mechanism", "null", "versions/0/asked", "\"nothing\"",
               "versions/0/found", "null", "versions/0/attributes", "null",
               "versions/0/rules", "null", "versions/0/verdict", "null");
    end();
}

TEST(token__attribute_not_answered__null_and_never_a_pass)
{
    struct kw_note why = {{0}};
    begin();
    t.versions[0].attributes.never_extractable = KW_ANSWER_NONE;
    t.versions[0].err = kw_err_at(KW_CODE_KEY_BAD, "key attributes");
    TOKEN_SAYS("versions/0/attributes/CKA_NEVER_EXTRACTABLE", "null",
               "versions/0/rules/4/attribute", "\"CKA_NEVER_EXTRACTABLE\"",
               "versions/0/rules/4/outcome", "\"not-answered\"", "versions/0/verdict",
               "\"not-answered\"");
    t.versions[0].attributes.extractable = KW_ANSWER_TRUE;
    TOKEN_SAYS("versions/0/verdict", "\"fail\"");
    CHECK(kw_evidence_token_is_whole(&context, &t, &why)); /* it was looked at */
    end();
}

TEST(token__key_not_there__looked_at__not_known__not)
{
    struct kw_note why = {{0}};
    begin();
    t.versions[0].has_attributes = false;
    t.versions[0].found = KW_ANSWER_FALSE;
    t.versions[0].opens = KW_ANSWER_NONE;
    CHECK(kw_evidence_token_is_whole(&context, &t, &why));
    t.versions[0].found = KW_ANSWER_NONE;
    kw_note_set(&t.versions[0].note, "C_FindObjects: CKR_DEVICE_ERROR");
    CHECK(!kw_evidence_token_is_whole(&context, &t, &why));
    CHECK_STR(why.text, "version 1: C_FindObjects: CKR_DEVICE_ERROR");
    t.versions[0].found = KW_ANSWER_TRUE;
    CHECK(!kw_evidence_token_is_whole(&context, &t, &why)); /* no attributes */
    end();
}

TEST(token__what_the_ceremony_recorded__beside_what_is_now)
{
    begin();
    t.versions[0].attributes.copyable = KW_ANSWER_TRUE;
    t.versions[0].findings = KW_FINDING_COPYABLE | KW_FINDING_DUPLICATE;
    TOKEN_SAYS("format", "1", "collected", "\"keyward-token\"", "pin", "\"file\"",
               "versions/0/n", "1", "versions/0/attributes/CKA_COPYABLE", "true",
               "versions/0/at_ceremony/CKA_COPYABLE", "false", "versions/0/findings/0",
               "\"copyable\"", "versions/0/findings/1", "\"duplicate\"",
               "versions/0/verdict", "\"pass\"");
    end();
}

KW_SUITE("provider/cli/evidence")
