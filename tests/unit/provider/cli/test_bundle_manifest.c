/* SPDX-License-Identifier: Apache-2.0 */
/* The bytes of a bundle's manifest. */
#include "bundle_manifest.h"

#include "check.h"

#include <keyward/alloc.h>

#define ABC "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
#define NIL "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

static const char *const nodes[] = {"cp-1", "cp-2"};
static const char *const keys[] = {ABC};
static struct kw_note note;
static struct kw_blob made;

static struct kw_bundle_head head_of_two(void)
{
    return (struct kw_bundle_head){.version = "0.1.0",
                                   .at = "2026-07-01T12:00:00Z",
                                   .from = "2026-04-01T00:00:00Z",
                                   .to = "2026-07-01T00:00:00Z",
                                   .nodes = nodes,
                                   .node_count = 2,
                                   .audit_keys = keys,
                                   .audit_key_count = 1};
}

/* Rows of these names; the caller gives them back. */
static json_t *rows(const char *const names[])
{
    json_t *files = json_array();
    for (size_t i = 0; names[i] != NULL; i++)
        CHECK(json_array_append_new(files, json_pack("{s:s, s:i, s:s}", "name", names[i],
                                                     "size", 3, "sha256", ABC)) == 0);
    return files;
}

static kw_err make_with(const struct kw_bundle_head *head, json_t *files)
{
    note = (struct kw_note){{0}};
    made = (struct kw_blob){NULL, 0};
    const kw_err e = kw_bundle_manifest(head, files, &made, &note);
    json_decref(files);
    return e;
}

static kw_err make(const char *const names[])
{
    const struct kw_bundle_head head = head_of_two();
    return make_with(&head, rows(names));
}
#define MAKE(...) make((const char *const[]){__VA_ARGS__, NULL})

/* ---- the bytes ---- */

TEST(manifest__two_nodes__these_bytes)
{
    const struct kw_bundle_head head = head_of_two();
    CHECK_OK(make_with(
        &head, json_pack("[{s:s, s:i, s:s}, {s:s, s:I, s:s}, {s:s, s:i, s:s}]", "name",
                         "nodes/cp-1/node.json", "size", 3, "sha256", ABC, "name",
                         "index.html", "size", (json_int_t)5000000000, "sha256", ABC,
                         "name", "VERIFY.txt", "size", 0, "sha256", NIL)));
    CHECK(kw_span_equal_str(
        kw_blob_peek(&made),
        "{\n"
        "  \"bundle\": \"keyward-evidence-1\",\n"
        "  \"version\": \"0.1.0\",\n"
        "  \"at\": \"2026-07-01T12:00:00Z\",\n"
        "  \"from\": \"2026-04-01T00:00:00Z\",\n"
        "  \"to\": \"2026-07-01T00:00:00Z\",\n"
        "  \"nodes\": [\"cp-1\", \"cp-2\"],\n"
        "  \"audit_keys\": [\"" ABC "\"],\n"
        "  \"files\": [\n"
        "    {\"sha256\": \"" NIL "\", \"size\": 0, \"name\": \"VERIFY.txt\"},\n"
        "    {\"sha256\": \"" ABC "\", \"size\": 5000000000, \"name\": \"index.html\"},\n"
        "    {\"sha256\": \"" ABC "\", \"size\": 3, \"name\": \"nodes/cp-1/node.json\"}\n"
        "  ]\n"
        "}\n"));
    CHECK(kw_bundle_is_manifest(kw_blob_peek(&made)));
    kw_blob_wipe(&made);
}

TEST(manifest__nothing_in_it__json_all_the_same)
{
    struct kw_bundle_head head = head_of_two();
    head.node_count = head.audit_key_count = 0;
    CHECK_OK(make_with(&head, json_array()));
    json_t *root =
        json_loadb((const char *)made.ptr, made.len, JSON_REJECT_DUPLICATES, NULL);
    CHECK(json_array_size(json_object_get(root, "files")) == 0);
    CHECK(json_is_array(json_object_get(root, "nodes")));
    json_decref(root);
    kw_blob_wipe(&made);
}

/* Of bytes, and not of folders or letters: '-' '.' '/' '0' 'A' '_' 'a'. */
TEST(manifest__any_order_given__byte_order)
{
    static const char *const want[] = {"a-b", "a.b", "a/A", "a/b", "a0",
                                       "aA",  "a_b", "ab",  "b"};
    CHECK_OK(MAKE("b", "ab", "a_b", "aA", "a0", "a/b", "a/A", "a.b", "a-b"));
    json_t *root = json_loadb((const char *)made.ptr, made.len, 0, NULL);
    const json_t *files = json_object_get(root, "files");
    CHECK(json_array_size(files) == 9);
    for (size_t i = 0; i < 9; i++)
        CHECK_STR(json_string_value(json_object_get(json_array_get(files, i), "name")),
                  want[i]);
    json_decref(root);
    struct kw_blob first = made;
    CHECK_OK(MAKE("a/A", "a/b", "b", "ab", "a-b", "a.b", "a0", "aA", "a_b"));
    CHECK(kw_span_equal(kw_blob_peek(&first), kw_blob_peek(&made)));
    kw_blob_wipe(&first);
    kw_blob_wipe(&made);
}

TEST(manifest__longest_names_and_texts__fit)
{
    static const char *many[1000];
    char name[KW_BUNDLE_NAME_MAX + 1], text[256];
    memset(name, 'n', sizeof name - 1);
    name[sizeof name - 1] = '\0';
    memset(text, 't', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    for (size_t i = 0; i < 1000; i++)
        many[i] = text;
    const struct kw_bundle_head head = {.version = text,
                                        .at = text,
                                        .from = text,
                                        .to = text,
                                        .nodes = many,
                                        .node_count = 1000};
    CHECK_OK(make_with(&head, json_pack("[{s:s, s:I, s:s}]", "name", name, "size",
                                        (json_int_t)INT64_MAX, "sha256", ABC)));
    CHECK(made.len > 259000);
    kw_blob_wipe(&made);
}

/* ---- what is refused ---- */

TEST(manifest__names_that_are_none__bad_input_and_said)
{
    static const char *const bad[] = {"",
                                      "/a",
                                      "a/",
                                      "a//b",
                                      ".",
                                      "..",
                                      "../a",
                                      "a/..",
                                      "a/./b",
                                      "a b",
                                      "a\nb",
                                      "a\"b",
                                      "a\\b",
                                      "-a",
                                      "-/a",
                                      "a\tb",
                                      "\xc3\xa4",
                                      "a:b",
                                      "manifest.json",
                                      "manifest.sig",
                                      "a*"};
    char longer[KW_BUNDLE_NAME_MAX + 2];
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        CHECK(!kw_bundle_is_name(bad[i]));
        CHECK_CODE(MAKE("a", bad[i]), KW_CODE_BAD_INPUT);
        CHECK_HAS(note.text, "cannot be a file's name in a manifest");
    }
    memset(longer, 'n', sizeof longer - 1);
    longer[sizeof longer - 1] = '\0';
    CHECK(!kw_bundle_is_name(longer) && kw_bundle_is_name(longer + 1));
    CHECK(kw_bundle_is_name("nodes/cp-1/audit/audit-0-1.jsonl") &&
          kw_bundle_is_name("a/-b") && kw_bundle_is_name("a/manifest.sig") &&
          kw_bundle_is_name(".a") && kw_bundle_is_name("a..b"));
}

TEST(manifest__name_twice__bad_input)
{
    CHECK_CODE(MAKE("a", "b", "a"), KW_CODE_BAD_INPUT);
    CHECK_HAS(note.text, "'a' cannot be listed twice");
}

TEST(manifest__row_without_size_or_hash__bad_input)
{
    const struct kw_bundle_head head = head_of_two();
    CHECK_CODE(make_with(&head, json_pack("[{s:s, s:s}]", "name", "a", "sha256", ABC)),
               KW_CODE_BAD_INPUT);
    CHECK_CODE(make_with(&head, json_pack("[{s:s, s:i}]", "name", "a", "size", 1)),
               KW_CODE_BAD_INPUT);
    CHECK_CODE(make_with(&head, json_pack("[{s:s, s:i, s:s}]", "name", "a", "size", -1,
                                          "sha256", ABC)),
               KW_CODE_BAD_INPUT);
    CHECK_CODE(make_with(&head, json_pack("[{s:s, s:i, s:s}]", "name", "a", "size", 1,
                                          "sha256", "BA78")),
               KW_CODE_BAD_INPUT);
    CHECK_CODE(make_with(&head, json_pack("[{s:i}]", "name", 1)), KW_CODE_BAD_INPUT);
}

TEST(manifest__texts_that_want_an_escape_or_none__bad_input)
{
    static const char *const bad[] = {NULL, "", "a\"b", "a\\b", "a\nb", "\xc3\xa4"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        const char *const one[] = {bad[i]};
        struct kw_bundle_head heads[] = {head_of_two(), head_of_two(), head_of_two(),
                                         head_of_two(), head_of_two(), head_of_two()};
        heads[0].version = bad[i];
        heads[1].at = bad[i];
        heads[2].from = bad[i];
        heads[3].to = bad[i];
        heads[4].nodes = one;
        heads[4].node_count = 1;
        heads[5].audit_keys = one;
        for (size_t k = 0; k < sizeof heads / sizeof heads[0]; k++)
            CHECK_CODE(make_with(&heads[k], json_array()), KW_CODE_BAD_INPUT);
    }
}

TEST(manifest__no_memory__said_so)
{
    for (long n = 0; n < 2; n++) {
        kw_alloc_fail_once(n);
        CHECK_CODE(MAKE("a"), KW_CODE_NO_MEMORY);
        kw_alloc_fail_once(-1);
    }
}

KW_SUITE("provider/cli/bundle_manifest")
