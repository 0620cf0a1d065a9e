/* SPDX-License-Identifier: Apache-2.0 */
/* A collected node as rows of a bundle: every member of its documents gone, or another. */
#include "check.h"

#include <stdio.h>

#include "sample.h"

static const char node_text[] =
    "{\"collected\": \"keyward-node\", \"format\": 1, \"node\": \"cp-1\","
    " \"time\": \"2026-11-02T08:00:00.000000Z\", \"version\": \"0.1.0\","
    " \"complete\": true, \"not_looked_at\": [],"
    " \"configuration\": {\"sha256\": \"c0\", \"redacted\": [], \"domain\": \"demo\","
    "  \"environment\": \"test\", \"tokens\": [{\"name\": \"t\", \"file\": "
    "\"token-t.json\"}],"
    "  \"classes\": [{\"name\": \"a\", \"scope\": \"secrets\", \"max_outage\": null}],"
    "  \"audit\": {\"on_failure\": \"deny\", \"copies\": 3, \"sync\": false}},"
    " \"keyring\": {\"sha256\": \"5e\", \"serial\": 14, \"baseline\": 1,"
    "  \"active_here\": 1, \"refused_here\": null, \"doubt\": null,"
    "  \"state_unknown\": null},"
    " \"audit\": {\"copied\": true, \"audit_files\": 1, \"operator_files\": 0},"
    " \"files\": []}";

static const char token_text[] =
    "{\"collected\": \"keyward-token\", \"format\": 1, \"name\": \"t\","
    " \"module\": \"/m.so\", \"pin\": \"file\", \"asked\": true, \"error\": null,"
    " \"library\": {\"description\": \"d\", \"manufacturer\": \"m\","
    "  \"version\": \"2.6\", \"cryptoki\": \"2.40\"},"
    " \"token\": {\"label\": \"keyward\", \"serial\": \"0123\", \"manufacturer\": \"m\","
    "  \"model\": \"x\", \"firmware\": \"1.0\", \"hardware\": \"2.0\", \"slot\": 7,"
    "  \"softhsm\": false, \"login_required\": true, \"write_protected\": false},"
    " \"mechanism\": {\"name\": \"aes-256-gcm\", \"pkcs11\": \"CKM_AES_GCM\","
    "  \"iv_source\": \"caller\", \"self_test\": true, \"self_test_error\": null},"
    " \"audit_key\": {\"label\": \"k\", \"good\": true, \"sha256\": null,"
    "  \"configured\": true, \"error\": null},"
    " \"versions\": [{\"n\": 1, \"key_id\": \"kw1-1-00\", \"state\": \"active\","
    "  \"baseline\": true, \"active_here\": true, \"asked\": \"proof\", \"found\": true,"
    "  \"check_blob_opens\": true, \"findings\": [], \"error\": null,"
    "  \"attributes\": {\"CKA_SENSITIVE\": true, \"CKA_VALUE_LEN\": 32,"
    "   \"CKA_LOCAL\": null},"
    "  \"properties\": {\"CKA_LABEL\": \"l\"},"
    "  \"rules\": [{\"attribute\": \"CKA_VALUE_LEN\", \"wants\": \"at least 32\","
    "   \"decisive\": true, \"outcome\": \"pass\"}],"
    "  \"verdict\": \"pass\", \"at_ceremony\": {\"CKA_SENSITIVE\": false}}]}";

/* Those without which a document is none; a dot goes into an object or the first of a list. */
static const char *const node_musts[] = {"collected",
                                         "format",
                                         "time",
                                         "version",
                                         "complete",
                                         "not_looked_at",
                                         "configuration",
                                         "configuration.domain",
                                         "configuration.environment",
                                         "configuration.sha256",
                                         "keyring",
                                         NULL};
static const char *const token_musts[] = {"collected",
                                          "format",
                                          "name",
                                          "asked",
                                          "library.description",
                                          "library.version",
                                          "token.label",
                                          "token.serial",
                                          "token.manufacturer",
                                          "token.model",
                                          "token.firmware",
                                          "token.hardware",
                                          "token.softhsm",
                                          "mechanism.pkcs11",
                                          "mechanism.iv_source",
                                          "mechanism.self_test",
                                          "audit_key.good",
                                          "versions",
                                          "versions.n",
                                          "versions.key_id",
                                          "versions.state",
                                          "versions.baseline",
                                          "versions.active_here",
                                          "versions.asked",
                                          "versions.findings",
                                          "versions.rules.wants",
                                          "versions.rules.decisive",
                                          "versions.rules.outcome",
                                          NULL};

static struct kw_evidence *e;
static struct kw_note note;
static json_t *node, *token; /* the case's own */

static void begin(void)
{
    e = sample_empty();
    note.text[0] = '\0';
    node = json_loads(node_text, JSON_REJECT_DUPLICATES, NULL);
    token = json_loads(token_text, JSON_REJECT_DUPLICATES, NULL);
    CHECK(node != NULL && token != NULL);
}

static void end(void)
{
    kw_evidence_free(e);
    json_decref(node);
    json_decref(token);
}

static void anew(void)
{
    end();
    begin();
}

static kw_err fill(const json_t *stated)
{
    const json_t *const tokens[] = {token};
    const struct kw_evidence_collected collected = {
        .name = "cp-1", .sha256 = "f0", .node = node, .tokens = tokens, .token_count = 1};
    return kw_evidence_fill_node(e, &collected, stated, &note);
}

static size_t rows(enum kw_evidence_table table)
{
    return json_array_size(kw_evidence_rows(e, table));
}

static const char *cell(enum kw_evidence_table table, size_t i, const char *column)
{
    static char text[64];
    const json_t *row = json_array_get(kw_evidence_rows(e, table), i);
    char *dumped = json_dumps(json_object_get(row, column), JSON_ENCODE_ANY);
    snprintf(text, sizeof text, "%s", dumped != NULL ? dumped : "(absent)");
    free(dumped);
    return text;
}

/* ---- every member, by its path ---- */

struct member {
    char path[128];
    const char *name;
    json_t *in;
};

/* The n-th member of all, objects in lists among them; false: there is none. */
static bool member_at(json_t *in, const char *path, size_t *n, struct member *ret)
{
    const char *name;
    json_t *value;
    json_object_foreach(in, name, value)
    {
        char at[128];
        snprintf(at, sizeof at, "%s%s%s", path, path[0] != '\0' ? "." : "", name);
        if ((*n)-- == 0) {
            *ret = (struct member){.name = name, .in = in};
            snprintf(ret->path, sizeof ret->path, "%s", at);
            return true;
        }
        if (member_at(json_is_array(value) ? json_array_get(value, 0) : value, at, n,
                      ret))
            return true;
    }
    return false;
}

static bool is_must(const char *const musts[], const char *path)
{
    for (size_t i = 0; musts[i] != NULL; i++)
        if (strcmp(musts[i], path) == 0)
            return true;
    return false;
}

/* Refused by a note that names it, or taken; taken only when it need not be. */
static void judge_change(const struct member *m, const char *const musts[],
                         const char *to)
{
    const bool is_gone = to == NULL, is_hollow = !is_gone && strchr("[{", to[0]) != NULL;
    const kw_err err = fill(NULL);
    char quoted[80];
    snprintf(quoted, sizeof quoted, "'%s'", m->name);
    if (err.code == KW_CODE_OK) {
        CHECK_OK(kw_evidence_state(e));
        if (is_gone && is_must(musts, m->path))
            fail_msg("taken without %s", m->path);
    } else if (err.code != KW_CODE_BAD_INPUT) {
        fail_msg("%s: %s", m->path, kw_code_name(err.code));
    } else if (strstr(note.text, is_hollow ? "'" : quoted) == NULL &&
               strstr(note.text, "of format 1") == NULL) { /* one in it, if hollow */
        fail_msg("%s: \"%s\"", m->path, note.text);
    } else if (is_gone && !is_must(musts, m->path)) {
        fail_msg("refused without %s, which may be missing", m->path);
    }
}

static void each_member(json_t **document, const char *const musts[])
{
    static const char *const kinds[] = {
        "null", "true",           "7",    "1.5", "\"x\"",        "\"\\u00e4\\n\"",
        "[]",   "[null, 7, [1]]", "[{}]", "{}",  "{\"x\": [7]}", NULL /* gone */};
    size_t members = 0;
    for (bool is_there = true; is_there; members++)
        for (size_t k = 0; is_there && k < sizeof kinds / sizeof kinds[0]; k++) {
            struct member m;
            size_t n = members;
            anew();
            is_there = member_at(*document, "", &n, &m);
            if (is_there && kinds[k] != NULL)
                CHECK(json_object_set_new(m.in, m.name,
                                          json_loads(kinds[k], JSON_DECODE_ANY, NULL)) ==
                      0);
            else if (is_there) {
                char name[64];
                snprintf(name, sizeof name, "%s", m.name);
                CHECK(json_object_del(m.in, name) == 0);
                m.name = name;
                judge_change(&m, musts, NULL);
                continue;
            }
            if (is_there)
                judge_change(&m, musts, kinds[k]);
        }
    CHECK(members > 30);
}

TEST(node_document__each_member_gone_or_another__refused_by_its_name_or_taken)
{
    each_member(&node, node_musts);
}

TEST(token_document__each_member_gone_or_another__refused_by_its_name_or_taken)
{
    each_member(&token, token_musts);
}

TEST(documents_that_are_none__refused)
{
    static const char *const texts[] = {
        "null",
        "[]",
        "7",
        "{}",
        "{\"collected\": \"keyward-node\"}",
        "{\"collected\": \"keyward-bundle\", \"format\": 1}",
        "{\"collected\": \"keyward-token\", \"format\": 2}"};
    for (size_t i = 0; i < 2 * (sizeof texts / sizeof texts[0]); i++) {
        anew();
        json_t **document = i % 2 == 0 ? &node : &token;
        json_decref(*document);
        *document = json_loads(texts[i / 2], JSON_DECODE_ANY, NULL);
        CHECK_CODE(fill(NULL), KW_CODE_BAD_INPUT);
        CHECK_HAS(note.text, "of format 1");
    }
}

/* An outcome that is none would be one of a check. */
TEST(outcome_or_time_of_another_word__refused)
{
    json_t *version = json_array_get(json_object_get(token, "versions"), 0);
    CHECK(json_object_set_new(version, "verdict", json_string("passed")) == 0);
    CHECK_CODE(fill(NULL), KW_CODE_BAD_INPUT);
    CHECK_HAS(note.text, "the token 't': 'verdict' is not what it must be");
    anew();
    CHECK(json_object_set_new(node, "time", json_string("yesterday")) == 0);
    CHECK_CODE(fill(NULL), KW_CODE_BAD_INPUT);
    CHECK_HAS(note.text, "node.json: 'time' is not what it must be");
}

/* ---- what is there ---- */

TEST(nothing_was_collected__a_row_that_says_so_and_no_other)
{
    const struct kw_evidence_collected collected = {.name = "cp-2"};
    CHECK_OK(kw_evidence_fill_node(e, &collected, NULL, &note));
    CHECK(rows(KW_EVIDENCE_NODES) == 1 && rows(KW_EVIDENCE_TOKENS) == 0);
    CHECK(rows(KW_EVIDENCE_CONFIGURATION) == 0);
    CHECK_STR(cell(KW_EVIDENCE_NODES, 0, "collected"), "false");
    CHECK_STR(cell(KW_EVIDENCE_NODES, 0, "complete"), "null");
    CHECK_STR(cell(KW_EVIDENCE_NODES, 0, "not_looked_at"), "null");
    CHECK_STR(cell(KW_EVIDENCE_NODES, 0, "folder_sha256"), "null");
}

TEST(token_was_not_asked__all_of_it_null_and_its_versions_rows)
{
    static const char *const nulls[] = {"library", "token", "mechanism", "audit_key"};
    json_t *version = json_array_get(json_object_get(token, "versions"), 0);
    for (size_t i = 0; i < 4; i++)
        CHECK(json_object_set_new(token, nulls[i], json_null()) == 0);
    CHECK(json_object_set_new(token, "asked", json_false()) == 0);
    CHECK(json_object_set_new(token, "error", json_pack("{ss}", "why", "away")) == 0);
    CHECK(json_object_update_new(version,
                                 json_pack("{ss sn sn sn sn sn sn}", "asked", "nothing",
                                           "found", "check_blob_opens", "attributes",
                                           "properties", "rules", "verdict")) == 0);
    CHECK_OK(fill(NULL));
    CHECK_STR(cell(KW_EVIDENCE_TOKENS, 0, "asked"), "false");
    CHECK_STR(cell(KW_EVIDENCE_TOKENS, 0, "error"), "\"away\"");
    CHECK_STR(cell(KW_EVIDENCE_TOKENS, 0, "self_test"), "null");
    CHECK_STR(cell(KW_EVIDENCE_TOKENS, 0, "softhsm"), "null");
    CHECK_STR(cell(KW_EVIDENCE_KEYS, 0, "verdict"), "null");
    CHECK_STR(cell(KW_EVIDENCE_KEYS, 0, "serial"), "null");
    CHECK(rows(KW_EVIDENCE_ATTRIBUTES) == 0);
}

TEST(versions_of_each_state__each_a_row_with_its_word)
{
    static const char *const states[] = {"created",  "accepted",  "active", "retired",
                                         "disabled", "destroyed", "unknown"};
    json_t *versions = json_object_get(token, "versions");
    for (size_t i = 0; i < 7; i++) {
        json_t *one = json_deep_copy(json_array_get(versions, 0));
        CHECK(json_object_set_new(one, "state", json_string(states[i])) == 0);
        CHECK(json_array_append_new(versions, one) == 0);
    }
    CHECK_OK(fill(NULL));
    CHECK(rows(KW_EVIDENCE_KEYS) == 8);
    for (size_t i = 0; i < 7; i++)
        CHECK(strncmp(cell(KW_EVIDENCE_KEYS, i + 1, "state") + 1, states[i],
                      strlen(states[i])) == 0);
}

TEST(attributes__as_text_with_their_rule_and_null_where_nobody_answered)
{
    CHECK_OK(fill(NULL));
    CHECK(rows(KW_EVIDENCE_ATTRIBUTES) == 4);
    CHECK_STR(cell(KW_EVIDENCE_ATTRIBUTES, 0, "now"), "\"true\"");
    CHECK_STR(cell(KW_EVIDENCE_ATTRIBUTES, 0, "at_ceremony"), "\"false\"");
    CHECK_STR(cell(KW_EVIDENCE_ATTRIBUTES, 0, "outcome"), "null");
    CHECK_STR(cell(KW_EVIDENCE_ATTRIBUTES, 1, "now"), "\"32\"");
    CHECK_STR(cell(KW_EVIDENCE_ATTRIBUTES, 1, "wants"), "\"at least 32\"");
    CHECK_STR(cell(KW_EVIDENCE_ATTRIBUTES, 2, "now"), "null");
    CHECK_STR(cell(KW_EVIDENCE_ATTRIBUTES, 3, "attribute"), "\"CKA_LABEL\"");
}

/* Of this serial number alone, and the first who speaks of it. */
TEST(stated_of_a_token__told_by_its_serial_number)
{
    json_t *stated = json_loads("{\"tokens\": [7, {\"serial\": \"9\", \"level\": \"1\"},"
                                " {\"serial\": \"0123\", \"standard\": \"FIPS 140-3\"}]}",
                                0, NULL);
    CHECK_OK(fill(stated));
    CHECK_STR(cell(KW_EVIDENCE_TOKENS, 0, "standard"), "\"FIPS 140-3\"");
    CHECK_STR(cell(KW_EVIDENCE_TOKENS, 0, "level"), "null");
    json_decref(stated);
}

TEST(members_that_are_not_known__left_alone)
{
    CHECK_OK(fill(NULL));
    const size_t settings = rows(KW_EVIDENCE_CONFIGURATION);
    anew();
    json_t *version = json_array_get(json_object_get(token, "versions"), 0);
    json_t *const in[] = {node, token, version, json_object_get(token, "token")};
    for (size_t i = 0; i < 4; i++)
        CHECK(json_object_set_new(in[i], "later", json_pack("[{sn}]", "x")) == 0);
    CHECK_OK(fill(NULL));
    CHECK(rows(KW_EVIDENCE_CONFIGURATION) == settings && rows(KW_EVIDENCE_KEYS) == 1);
}

/* ---- settings ---- */

TEST(settings__each_leaf_by_its_path_and_empty_for_null)
{
    CHECK_OK(fill(NULL));
    CHECK_STR(cell(KW_EVIDENCE_CONFIGURATION, 1, "setting"),
              "\"configuration.redacted\"");
    CHECK_STR(cell(KW_EVIDENCE_CONFIGURATION, 1, "value"), "\"\"");
    CHECK_STR(cell(KW_EVIDENCE_CONFIGURATION, 7, "setting"),
              "\"configuration.classes[0].scope\"");
    CHECK_STR(cell(KW_EVIDENCE_CONFIGURATION, 8, "value"), "\"\"");
    CHECK_STR(cell(KW_EVIDENCE_CONFIGURATION, 10, "value"), "\"3\"");
    CHECK_STR(cell(KW_EVIDENCE_CONFIGURATION, 11, "value"), "\"false\"");
}

TEST(ten_thousand_settings__each_a_row)
{
    json_t *many = json_array();
    for (int i = 0; i < 10000; i++)
        CHECK(json_array_append_new(many, json_integer(i)) == 0);
    CHECK_OK(fill(NULL));
    const size_t before = rows(KW_EVIDENCE_CONFIGURATION);
    anew();
    CHECK(json_object_set_new(json_object_get(node, "configuration"), "many", many) == 0);
    CHECK_OK(fill(NULL));
    CHECK(rows(KW_EVIDENCE_CONFIGURATION) == before + 10000);
}

TEST(settings_as_deep_as_json_goes__no_failure)
{
    static char text[2 * 2000 + 1];
    memset(text, '[', 2000);
    memset(text + 2000, ']', 2000);
    json_t *deep = json_loads(text, 0, NULL);
    CHECK(deep != NULL);
    CHECK(json_object_set_new(json_object_get(node, "configuration"), "deep", deep) == 0);
    CHECK_OK(fill(NULL));
}

/* A name is cut nowhere: half a character would be none. */
TEST(names_of_settings_that_are_long_and_not_ascii__whole)
{
    char name[301] = "x";
    for (size_t i = 1; i + 2 < sizeof name; i += 2)
        memcpy(name + i, "\xc3\xa4", 3);
    json_t *in = json_object_get(node, "keyring");
    CHECK(json_object_set_new(in, name, json_integer(1)) == 0);
    CHECK_OK(fill(NULL));
    const json_t *all = kw_evidence_rows(e, KW_EVIDENCE_CONFIGURATION);
    const json_t *last = json_array_get(all, json_array_size(all) - 1);
    CHECK_HAS(json_string_value(json_object_get(last, "setting")), name);
}

/* ---- what is stated ---- */

static kw_err say(const char *text)
{
    json_t *stated = json_loads(text, JSON_DECODE_ANY, NULL);
    CHECK(stated != NULL);
    anew();
    const kw_err err = kw_evidence_fill_stated(e, stated, &note);
    json_decref(stated);
    return err;
}

TEST(stated__rows_that_are_none__refused_by_their_names)
{
    static const struct {
        const char *text, *name;
    } bad[] = {
        {"{\"tokens\": {}}", "'tokens'"},
        {"{\"tokens\": [null]}", "'tokens'"},
        {"{\"tokens\": [{\"level\": \"3\"}]}", "'serial'"},
        {"{\"tokens\": [{\"serial\": \"1\", \"level\": 3}]}", "'level'"},
        {"{\"files\": 7}", "'files'"},
        {"{\"files\": [null]}", "'files'"},
        {"{\"files\": [{\"what\": null, \"file\": \"f\", \"sha256\": \"a\"}]}", "'what'"},
        {"{\"files\": [{\"what\": \"w\", \"sha256\": \"a\"}]}", "'file'"},
        {"{\"files\": [{\"what\": \"w\", \"file\": \"f\"}]}", "'sha256'"},
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        CHECK_CODE(say(bad[i].text), KW_CODE_BAD_INPUT);
        CHECK_HAS(note.text, bad[i].name);
    }
}

TEST(stated__each_word_a_row)
{
    CHECK_OK(say("{\"cryptoperiod_days\": 90, \"tokens\": [{\"serial\": \"1\","
                 " \"level\": \"3\", \"location\": \"here\"}], \"files\":"
                 " [{\"what\": \"custodians\", \"file\": \"f\", \"sha256\": \"ab\"}]}"));
    CHECK(rows(KW_EVIDENCE_STATED) == 3);
    CHECK_STR(cell(KW_EVIDENCE_STATED, 0, "what"), "\"token 1: level\"");
    CHECK_STR(cell(KW_EVIDENCE_STATED, 1, "value"), "\"here\"");
    CHECK_STR(cell(KW_EVIDENCE_STATED, 2, "sha256"), "\"ab\"");
    CHECK_OK(say("{}"));
    CHECK(rows(KW_EVIDENCE_STATED) == 0);
}

KW_SUITE_AROUND("provider/evidence/node", begin, end)
