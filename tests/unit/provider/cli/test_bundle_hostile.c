/* SPDX-License-Identifier: Apache-2.0 */
/* Inputs of a bundle that somebody made to deceive. */
#include "bundle_check.h"
#include "bundle_node.h"
#include "bundle_stated.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <keyward/file.h>

#include "check.h"

static char dir[64];
static struct kw_note note;

static const char *at(const char *name)
{
    static char path[256];
    snprintf(path, sizeof path, "%s/%s", dir, name);
    return path;
}

static void put(const char *name, const char *text)
{
    CHECK_OK(kw_file_replace(at(name), kw_span_str(text), 0600, NULL));
}

static void begin(void)
{
    snprintf(dir, sizeof dir, "/tmp/keyward-hostile-XXXXXX");
    CHECK(mkdtemp(dir) != NULL);
    note = (struct kw_note){{0}};
}

static void end(const char *const names[])
{
    for (size_t i = 0; names[i] != NULL; i++)
        CHECK(unlink(at(names[i])) == 0);
    CHECK(rmdir(dir) == 0);
}
#define END(...) end((const char *const[]){__VA_ARGS__, NULL})

/* ---- what a list says ---- */

#define EMPTY "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

static void list_is_refused(const char *list, const char *why)
{
    static const char *const but[] = {NULL};
    json_t *files = json_loads(list, 0, NULL);
    CHECK(files != NULL);
    const kw_err e = kw_bundle_files(dir, files, but, &note);
    CHECK(e.code == KW_CODE_BAD_INPUT);
    CHECK_HAS(note.text, why);
    json_decref(files);
}

TEST(list__row_without_a_part__refused)
{
    static const char *const bad[] = {
        "[{\"name\": \"x\", \"size\": 0}]",
        "[{\"name\": \"x\", \"size\": 0, \"sha256\": 5}]",
        "[{\"name\": \"x\", \"size\": 0, \"sha256\": \"e3b0\"}]",
        "[{\"name\": \"x\", \"sha256\": \"" EMPTY "\"}]",
        "[{\"size\": 0, \"sha256\": \"" EMPTY "\"}]",
        "[5]"};
    begin();
    put("x", "");
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        list_is_refused(bad[i], "lacks name, size or SHA-256");
    END("x");
}

TEST(list__name_twice__refused)
{
    begin();
    put("x", "");
    list_is_refused("[{\"name\": \"x\", \"size\": 0, \"sha256\": \"" EMPTY "\"},"
                    " {\"name\": \"x\", \"size\": 0, \"sha256\": \"" EMPTY "\"}]",
                    "x: it is listed twice");
    END("x");
}

/* ---- what was collected ---- */

struct made {
    const char *token; /* its document */
    const char *tokens, *keyring;
};
#define TOKEN "{\"name\": \"a\", \"versions\": []}"
#define TOKENS "[{\"name\": \"a\", \"file\": \"token-a.json\"}]"
#define NO_KEYRING "{\"sha256\": null, \"serial\": null}"

static void make_node(const struct made *made)
{
    uint8_t sha256[KW_SHA256];
    char hex[2 * KW_SHA256 + 1], text[1024];
    CHECK_OK(kw_sha256(kw_span_str(made->token), sha256));
    kw_hex(hex, sizeof hex, kw_span_of(sha256, sizeof sha256));
    snprintf(text, sizeof text,
             "{\"collected\": \"keyward-node\", \"format\": 1, \"node\": \"cp-1\","
             " \"configuration\": {\"tokens\": %s}, \"keyring\": %s, \"files\":"
             " [{\"name\": \"token-a.json\", \"size\": %zu, \"sha256\": \"%s\"}]}",
             made->tokens, made->keyring, strlen(made->token), hex);
    put("token-a.json", made->token);
    put("node.json", text);
}

static kw_err read_node(struct kw_bundle_node *node)
{
    static char word[80]; /* borrowed by the node */
    snprintf(word, sizeof word, "cp-1=%s", dir);
    CHECK(kw_bundle_node_named(word, node));
    return kw_bundle_node_read(node, &note);
}

TEST(folder__documents_that_do_not_fit__refused)
{
    static const struct {
        struct made made;
        const char *why;
    } bad[] = {
        {{TOKEN, "[]", NO_KEYRING}, "it names no token"},
        {{TOKEN, "[{\"name\": \"b\", \"file\": \"token-a.json\"}]", NO_KEYRING},
         "it is of another token"},
        {{TOKEN, TOKENS, "{\"sha256\": \"" EMPTY "\", \"serial\": 9}"},
         "it is of another keyring"},
        {{"{\"name\": \"a\", \"versions\": [{}]}", TOKENS, NO_KEYRING},
         "versions are not those of the keyring"},
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct kw_bundle_node node;
        begin();
        make_node(&bad[i].made);
        CHECK(read_node(&node).code == KW_CODE_BAD_INPUT);
        CHECK_HAS(note.text, bad[i].why);
        kw_bundle_node_free(&node);
        END("token-a.json", "node.json");
    }
}

TEST(folder__changed_behind_the_look__not_copied)
{
    static const char *const names[] = {"token-a.json", "node.json"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        struct kw_bundle_node node;
        struct kw_evidence_folder folder = KW_EVIDENCE_FOLDER_NONE;
        begin();
        make_node(&(struct made){TOKEN, TOKENS, NO_KEYRING});
        CHECK_OK(read_node(&node));
        CHECK_OK(kw_evidence_folder_make(at("out"), &folder, &note));
        put(names[i], "{}");
        CHECK(kw_bundle_node_copy(&node, &folder, &note).code == KW_CODE_BAD_INPUT);
        CHECK_HAS(note.text, "somebody changed it meanwhile");
        kw_evidence_folder_remove(&folder);
        kw_bundle_node_free(&node);
        END("token-a.json", "node.json");
    }
}

/* ---- what is stated ---- */

static void stated_is_refused(const char *text, const char *why)
{
    json_t *stated = NULL;
    put("stated.json", text);
    const kw_err e = kw_bundle_stated(at("stated.json"), &stated, &note);
    CHECK(e.code == KW_CODE_BAD_INPUT && stated == NULL);
    CHECK_HAS(note.text, why);
}

TEST(stated__file_without_a_byte__refused)
{
    begin();
    put("custodians.pdf", "");
    stated_is_refused(
        "{\"files\": [{\"what\": \"custodians\", \"file\": \"custodians.pdf\"}]}",
        "custodians.pdf: it is empty");
    END("custodians.pdf", "stated.json");
}

TEST(stated__token_twice__refused)
{
    begin();
    stated_is_refused(
        "{\"tokens\": [{\"serial\": \"1\", \"standard\": \"FIPS 140-3\"}, "
        "{\"serial\": \"2\"}, {\"serial\": \"1\", \"standard\": \"none\"}]}",
        "1: a token is stated once");
    END("stated.json");
}

KW_SUITE("provider/cli/bundle_hostile")
