/* SPDX-License-Identifier: Apache-2.0 */
/* A folder of a control plane: as it was collected, or not taken. */
#include "bundle_node.h"

#include "check.h"

#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "collected.h"

static struct kw_bundle_node node;
static struct kw_note note;

static void begin(void)
{
    collected_begin();
    collected_node("cp-1");
    note.text[0] = '\0';
    node = (struct kw_bundle_node){.name = ""};
}

static void end(void)
{
    kw_bundle_node_free(&node);
    collected_end();
}

static kw_err read_as(const char *name)
{
    static char word[320]; /* the node borrows it */
    kw_bundle_node_free(&node);
    note.text[0] = '\0';
    snprintf(word, sizeof word, "%s=%s", name, collected_at("cp-1"));
    CHECK(kw_bundle_node_named(word, &node));
    return kw_bundle_node_read(&node, &note);
}

static void refused(const char *why)
{
    CHECK_CODE(read_as("cp-1"), KW_CODE_BAD_INPUT);
    CHECK_HAS(note.text, why);
    CHECK_HAS(note.text, collected_at("cp-1"));
}

/* ---- words ---- */

TEST(words_that_name_no_node__refused)
{
    static const char *const bad[] = {"", "=d", "cp-1=", "CP=d", "a b", "a/b=c", "a_b"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        CHECK(!kw_bundle_node_named(bad[i], &node));
    CHECK(kw_bundle_node_named("cp-1=d=e", &node));
    CHECK_STR(node.name, "cp-1");
    CHECK_STR(node.dir, "d=e");
    CHECK(kw_bundle_node_named("cp-1", &node) && node.dir == NULL);
    CHECK_OK(kw_bundle_node_read(&node, &note));
    CHECK(node.node == NULL && node.ring == NULL && node.token_count == 0);
}

/* ---- the folder is another ---- */

TEST(as_it_was_collected__taken)
{
    if (kw_failed(read_as("cp-1")))
        fail_msg("%s", note.text);
    CHECK(node.token_count == 1 && node.ring != NULL && node.ring->serial == 70);
    CHECK(strlen(node.sha256) == 64 && kw_bundle_node_has(&node, "audit.pem"));
    CHECK(!kw_bundle_node_has(&node, "node.json"));
}

TEST(no_folder_or_no_node_json__missing)
{
    CHECK(unlink(collected_at("cp-1/node.json")) == 0);
    CHECK_CODE(read_as("cp-1"), KW_CODE_MISSING);
    CHECK_HAS(note.text, "cp-1/node.json");
    CHECK(kw_bundle_node_named("x=/nonexistent", &node));
    CHECK_CODE(kw_bundle_node_read(&node, &note), KW_CODE_MISSING);
}

TEST(of_another_node__refused)
{
    CHECK_CODE(read_as("cp-2"), KW_CODE_BAD_INPUT);
    CHECK_HAS(note.text, "is of the node 'cp-1', and not of 'cp-2'");
}

static const char *const files[] = {"keyward.yaml", "keyring.json", "token-t@0.json",
                                    "audit.pem", "audit/audit.jsonl"};

TEST(each_file__changed_longer_gone_or_a_link__refused_by_its_name)
{
    static const struct {
        const char *line, *why;
    } changes[] = {
        {"printf Z | dd of=$F conv=notrunc status=none", "it has another SHA-256"},
        {"printf Z >>$F", "it has another size"},
        {"rm $F", "it is listed and not there"},
        {"mv $F ../aside; ln -s $PWD/../aside $F", "it is no regular file"},
        {"rm $F; mkfifo $F", "it is no regular file"},
    };
    for (size_t i = 0; i < 5; i++)
        for (size_t k = 0; k < 5; k++) {
            char name[64];
            end();
            begin();
            CHECK(collected_line("cd cp-1; F=%s; %s", files[i], changes[k].line) == 0);
            refused(changes[k].why);
            snprintf(name, sizeof name, "cp-1/%s: ", files[i]);
            CHECK_HAS(note.text, name);
        }
}

TEST(file_that_is_not_listed__refused_wherever_it_lies)
{
    static const char *const more[] = {"more", ".hidden", "audit/more", "sub/more"};
    CHECK(collected_line("mkdir cp-1/sub") == 0);
    for (size_t i = 0; i < 4; i++) {
        CHECK(collected_line(": >cp-1/%s", more[i]) == 0);
        refused("it is not listed");
        CHECK(collected_line("rm cp-1/%s", more[i]) == 0);
    }
    CHECK_OK(read_as("cp-1"));
}

/* ---- node.json is another ---- */

#define OF_FORMAT_2                                                                      \
    ("{\"collected\": \"keyward-node\", \"format\": 2, \"node\": \"cp-1\", \"files\": "  \
     "[]}")

TEST(document_that_is_none__refused)
{
    static const char *const texts[] = {
        "",
        "no",
        "[]",
        "null",
        "{}",
        "{\"a\": 1, \"a\": 2}",
        "{\"collected\": \"keyward-node\", \"format\": 1, \"node\": \"cp-1\"}",
        OF_FORMAT_2};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        collected_put("cp-1/node.json", texts[i]);
        refused("cp-1/node.json: it is no");
    }
}

#define SHA "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"

TEST(list_that_names_something_else__refused)
{
    static const struct {
        const char *rows, *why;
    } lists[] = {
        {"[{\"name\": \"../x\", \"size\": 0, \"sha256\": \"" SHA "\"}]",
         "it is not listed"},
        {"[{\"name\": \"/etc/passwd\", \"size\": 0, \"sha256\": \"" SHA "\"}]",
         "it is not listed"},
        {"[{\"name\": \"a//b\", \"size\": 0, \"sha256\": \"" SHA "\"}]",
         "it is not listed"},
        {"[{\"name\": \"\", \"size\": 0, \"sha256\": \"" SHA "\"}]", "it is not listed"},
        {"[{\"size\": 0, \"sha256\": \"" SHA "\"}]",
         "a file in it lacks name, size or SHA-256"},
        {"[{\"name\": 7, \"size\": 0, \"sha256\": \"" SHA "\"}]",
         "a file in it lacks name, size or SHA-256"},
        {"[null]", "a file in it lacks name, size or SHA-256"},
        {"[{\"name\": \"audit.pem\", \"size\": 178}]", "a file in it lacks name"},
        {"[{\"name\": \"audit.pem\", \"size\": 178, \"sha256\": \"ab\"}]",
         "a file in it lacks name"},
        {"[{\"name\": \"audit.pem\", \"size\": \"178\", \"sha256\": \"" SHA "\"}]",
         "a file in it lacks name"},
        {"[{\"name\": \"x\", \"size\": 0, \"sha256\": \"" SHA "\"},"
         " {\"name\": \"x\", \"size\": 0, \"sha256\": \"" SHA "\"}]",
         "listed twice"},
        {"[]", "it is not listed"},
    };
    for (size_t i = 0; i < sizeof lists / sizeof lists[0]; i++) {
        json_t *list = json_loads(lists[i].rows, 0, NULL);
        CHECK(list != NULL);
        collected_seal("cp-1", json_pack("{so}", "files", list));
        refused(lists[i].why);
    }
}

static void with_tokens(const char *tokens)
{
    json_t *list = json_loads(tokens, 0, NULL);
    CHECK(list != NULL);
    collected_seal("cp-1", json_pack("{s{so}}", "configuration", "tokens", list));
}

TEST(tokens_of_the_configuration__each_has_its_own_document_and_no_other_is_there)
{
    static const struct {
        const char *tokens, *why;
    } cases[] = {
        {"[]", "it names no token"},
        {"[{\"name\": \"t\"}]", "a token has no document"},
        {"[{\"name\": \"t\", \"file\": null}]", "a token has no document"},
        {"[{\"name\": \"t\", \"file\": \"../token-t@0.json\"}]", "has no document"},
        {"[{\"name\": \"t\", \"file\": \"node.json\"}]", "has no document"},
        {"[{\"name\": \"u\", \"file\": \"token-t@0.json\"}]", "it is of another token"},
        {"[{\"name\": \"t\", \"file\": \"keyward.yaml\"}]",
         "keyward.yaml: it is no JSON"},
        {"[{\"name\": \"t\", \"file\": \"token-t@0.json\"},"
         " {\"name\": \"u\", \"file\": \"token-t@0.json\"}]",
         "it is of another token"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        with_tokens(cases[i].tokens);
        refused(cases[i].why);
    }
    collected_seal("cp-1", json_pack("{sn}", "configuration"));
    refused("it names no token");
    CHECK(collected_line("cp cp-1/token-t@0.json cp-1/token-u.json") == 0);
    collected_seal("cp-1", NULL);
    refused("token-u.json: no token of the configuration has it");
}

TEST(keyring_that_is_none_or_not_there__refused_where_a_token_speaks_of_it)
{
    collected_put("cp-1/keyring.json", "{}");
    collected_seal("cp-1", NULL);
    CHECK_CODE(read_as("cp-1"), KW_CODE_BAD_INPUT);
    CHECK_HAS(note.text, "keyring");
    CHECK(unlink(collected_at("cp-1/keyring.json")) == 0);
    collected_seal("cp-1", NULL);
    CHECK_CODE(read_as("cp-1"), KW_CODE_BAD_INPUT);
    CHECK_HAS(note.text, "versions are not those of the keyring");
}

/* ---- the copy ---- */

TEST(copy__all_but_the_audit_log_and_nothing_that_was_changed_meanwhile)
{
    struct kw_evidence_folder out;
    CHECK_OK(kw_evidence_folder_make(collected_at("out"), &out, &note));
    CHECK_OK(read_as("cp-1"));
    CHECK_OK(kw_bundle_node_copy(&node, &out, &note));
    CHECK(json_array_size(out.files) == 5);
    CHECK(access(collected_at("out/nodes/cp-1/token-t@0.json"), F_OK) == 0);
    CHECK(access(collected_at("out/nodes/cp-1/audit"), F_OK) != 0);
    kw_evidence_folder_remove(&out);
    static const char *const changed[] = {"cp-1/node.json", "cp-1/keyward.yaml"};
    for (size_t i = 0; i < 2; i++) {
        collected_seal("cp-1", NULL);
        collected_put("cp-1/keyward.yaml", "domain: demo\n");
        CHECK_OK(read_as("cp-1"));
        collected_put(changed[i], "{\"other\": 1}\n");
        CHECK_OK(kw_evidence_folder_make(collected_at("out"), &out, &note));
        const kw_err err = kw_bundle_node_copy(&node, &out, &note);
        if (err.code != KW_CODE_BAD_INPUT)
            fail_msg("%s: %s", kw_code_name(err.code), note.text);
        CHECK_HAS(note.text, changed[i]);
        CHECK_HAS(note.text, "somebody changed it meanwhile");
        kw_evidence_folder_remove(&out);
        CHECK(access(collected_at("out"), F_OK) != 0);
    }
}

KW_SUITE_AROUND("provider/cli/bundle_node", begin, end)
