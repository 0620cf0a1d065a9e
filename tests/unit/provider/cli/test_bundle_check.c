/* SPDX-License-Identifier: Apache-2.0 */
/* Is a bundle what its manifest says? */
#include "bundle_check.h"

#include "check.h"

#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

static char base[64], out[96];
static struct kw_evidence_folder folder;
static struct kw_bundle bundle;
static struct kw_note note;

static const char *in_out(const char *name)
{
    static char paths[4][160];
    static unsigned turn;
    char *path = paths[turn++ % 4];
    snprintf(path, sizeof paths[0], "%s/%s", out, name);
    return path;
}

static void begin(void)
{
    static const char *const nodes[] = {"cp-1"};
    static const char *const keys[] = {
        "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"};
    const struct kw_bundle_head head = {.version = "0.1.0",
                                        .at = "2026-07-01T12:00:00Z",
                                        .from = "2026-04-01T00:00:00Z",
                                        .to = "2026-07-01T00:00:00Z",
                                        .nodes = nodes,
                                        .node_count = 1,
                                        .audit_keys = keys,
                                        .audit_key_count = 1};
    note = (struct kw_note){{0}};
    snprintf(base, sizeof base, "/tmp/keyward-bundle-XXXXXX");
    CHECK(mkdtemp(base) != NULL);
    snprintf(out, sizeof out, "%s/out", base);
    CHECK_OK(kw_evidence_folder_make(out, &folder, &note));
    CHECK_OK(kw_evidence_put(&folder, "nodes/cp-1/node.json", kw_span_str("{}"), &note));
    CHECK_OK(kw_evidence_put(&folder, "nodes/cp-1/empty", kw_span_str(""), &note));
    CHECK_OK(kw_evidence_put(&folder, "index.html", kw_span_str("<p>"), &note));
    CHECK_OK(kw_bundle_finish(&folder, &head, &note));
}

static void end(void)
{
    kw_evidence_folder_remove(&folder);
    CHECK(rmdir(base) == 0);
}

static void put(const char *name, const char *text)
{
    CHECK_OK(kw_file_replace(in_out(name), kw_span_str(text), 0600, NULL));
}

static void all_well(const char *dir)
{
    struct kw_blob lies = {NULL, 0};
    CHECK_OK(kw_bundle_check(dir, &bundle, &note));
    CHECK(bundle.files == 4);
    CHECK_OK(kw_file_read(in_out("manifest.json"), 1 << 20, &lies, NULL));
    CHECK(kw_span_equal(kw_blob_peek(&lies), kw_blob_peek(&bundle.manifest)));
    kw_blob_wipe(&lies);
    kw_blob_wipe(&bundle.manifest);
}

#define REFUSED(code, why)                                                               \
    do {                                                                                 \
        CHECK_CODE(kw_bundle_check(out, &bundle, &note), code);                          \
        CHECK_HAS(note.text, why);                                                       \
    } while (0)

TEST(check__as_it_was_written__good_with_a_signature_and_by_any_name)
{
    char link[128];
    begin();
    all_well(out);
    all_well(in_out(""));
    snprintf(link, sizeof link, "%s/link", base);
    CHECK(symlink("out", link) == 0);
    all_well(link);
    put("manifest.sig", "any");
    all_well(out);
    CHECK(unlink(in_out("manifest.sig")) == 0 && unlink(link) == 0);
    end();
}

TEST(check__file_changed__bad_input)
{
    begin();
    put("nodes/cp-1/node.json", "[]");
    REFUSED(KW_CODE_BAD_INPUT, "nodes/cp-1/node.json: it has another SHA-256 than");
    put("nodes/cp-1/node.json", "{} ");
    REFUSED(KW_CODE_BAD_INPUT, "nodes/cp-1/node.json: it has another size than");
    put("nodes/cp-1/node.json", "{}");
    all_well(out);
    end();
}

TEST(check__file_gone_or_more__bad_input)
{
    begin();
    CHECK(rename(in_out("index.html"), in_out("nodes/index.html")) == 0);
    REFUSED(KW_CODE_BAD_INPUT, "nodes/index.html: it is not listed");
    CHECK(unlink(in_out("nodes/index.html")) == 0);
    REFUSED(KW_CODE_BAD_INPUT, "index.html: it is listed and not there");
    put("index.html", "<p>");
    put("nodes/manifest.sig", "any");
    REFUSED(KW_CODE_BAD_INPUT, "nodes/manifest.sig: it is not listed");
    CHECK(unlink(in_out("nodes/manifest.sig")) == 0);
    all_well(out);
    end();
}

TEST(check__link_pipe_or_folder_in_the_place_of_a_file__bad_input)
{
    begin();
    CHECK(rename(in_out("index.html"), in_out("../index.html")) == 0);
    CHECK(symlink("../index.html", in_out("index.html")) == 0);
    REFUSED(KW_CODE_BAD_INPUT, "index.html: it is no regular file");
    CHECK(unlink(in_out("index.html")) == 0 && mkfifo(in_out("index.html"), 0600) == 0);
    REFUSED(KW_CODE_BAD_INPUT, "index.html: it is no regular file");
    CHECK(unlink(in_out("index.html")) == 0 && mkdir(in_out("index.html"), 0700) == 0);
    REFUSED(KW_CODE_BAD_INPUT, "index.html: it is listed and not there");
    CHECK(rmdir(in_out("index.html")) == 0);
    CHECK(rename(in_out("../index.html"), in_out("index.html")) == 0);
    CHECK(rename(in_out("manifest.json"), in_out("../manifest.json")) == 0);
    CHECK(symlink("../manifest.json", in_out("manifest.json")) == 0);
    REFUSED(KW_CODE_BAD_INPUT, "manifest.json: it is no regular file");
    CHECK(rename(in_out("../manifest.json"), in_out("manifest.json")) == 0);
    all_well(out);
    end();
}

TEST(check__no_folder_or_no_manifest__missing)
{
    begin();
    CHECK_CODE(kw_bundle_check(in_out("none"), &bundle, &note), KW_CODE_MISSING);
    CHECK_CODE(kw_bundle_check(in_out("nodes"), &bundle, &note), KW_CODE_MISSING);
    CHECK_HAS(note.text, "nodes/manifest.json");
    end();
}

/* ---- the manifest ---- */

/* Writes it with `to` in the place of `from`. */
static void respell(const struct kw_blob *was, const char *from, const char *to)
{
    static char text[4096];
    const char *at = memmem(was->ptr, was->len, from, strlen(from));
    CHECK(at != NULL && was->len < sizeof text / 2);
    const size_t before = (size_t)(at - (const char *)was->ptr),
                 after = before + strlen(from);
    const int n =
        snprintf(text, sizeof text, "%.*s%s%.*s", (int)before, (const char *)was->ptr, to,
                 (int)(was->len - after), (const char *)was->ptr + after);
    CHECK(n > 0 && (size_t)n < sizeof text);
    put("manifest.json", text);
}

TEST(check__manifest_in_another_spelling__bad_input)
{
    static const char *const changes[][3] = {
        {"keyward-evidence-1", "keyward-evidence-2", "does not begin as the manifest"},
        {"{\n", "{", "does not begin as the manifest"},
        {"{\n", " {\n", "does not begin as the manifest"},
        {"\"size\": 2", "\"size\":  2", "is not spelt as keyward writes it"},
        {"\"size\": 2", "\"size\": 2, \"more\": 1", "is not spelt as keyward writes it"},
        {"  ]\n}\n", "  ]\n}\n ", "is not spelt as keyward writes it"},
        {"  ]\n}\n", "  ]\n}", "is not spelt as keyward writes it"},
        {"  ]\n}\n", "  ]\n", "it is no JSON"},
        {"\"at\"", "\"more\": 1,\n  \"at\"", "is not spelt as keyward writes it"},
        {"\"at\"", "\"when\"", "cannot be a text in a manifest"},
        {"[\"cp-1\"]", "[1]", "cannot be a node's name in a manifest"},
        {"[\"cp-1\"]", "null", "is not spelt as keyward writes it"},
        {"index.html", "../x", "cannot be a file's name in a manifest"},
        {"index.html", "nodes/cp-1/empty", "cannot be listed twice in a manifest"},
        {"\"files\": [", "\"files\": [1,", "cannot be a file's name in a manifest"}};
    struct kw_blob was = {NULL, 0};
    begin();
    CHECK_OK(kw_file_read(in_out("manifest.json"), 1 << 20, &was, NULL));
    for (size_t i = 0; i < sizeof changes / sizeof changes[0]; i++) {
        respell(&was, changes[i][0], changes[i][1]);
        REFUSED(KW_CODE_BAD_INPUT, changes[i][2]);
    }
    respell(&was, "\"at\"", "\"at\"");
    all_well(out);
    kw_blob_wipe(&was);
    end();
}

KW_SUITE("provider/cli/bundle_check")
