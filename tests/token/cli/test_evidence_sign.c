/* SPDX-License-Identifier: Apache-2.0 */
/* keyward evidence sign, as an operator runs it, and then an auditor, who has openssl. */
#include "site.h"
#include "words.h"

#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include <keyward/checkpoint.h>
#include <keyward/file.h>

#include "bundle_manifest.h"

static struct site s;
static char out[96], sha256[2 * KW_SHA256 + 1];

static const char *in_out(const char *name)
{
    static char paths[4][256];
    static unsigned turn;
    char *path = paths[turn++ % 4];
    snprintf(path, sizeof paths[0], "%s/%s", out, name);
    return path;
}

static void put(const char *name, const char *text)
{
    CHECK_OK(kw_file_replace(in_out(name), kw_span_str(text), 0600, NULL));
}

static bool is_signed(void)
{
    struct stat st;
    return lstat(in_out("manifest.sig"), &st) == 0;
}

static void make_bundle(void)
{
    static const char *const nodes[] = {"cp-1"};
    const char *const keys[] = {sha256};
    struct kw_evidence_folder folder = KW_EVIDENCE_FOLDER_NONE;
    struct kw_note note = {{0}};
    const struct kw_bundle_head head = {.version = KW_VERSION,
                                        .at = "2026-07-01T12:00:00Z",
                                        .from = "2026-04-01T00:00:00Z",
                                        .to = "2026-07-01T00:00:00Z",
                                        .nodes = nodes,
                                        .node_count = 1,
                                        .audit_keys = keys,
                                        .audit_key_count = 1};
    snprintf(out, sizeof out, "%s/bundle", s.dir);
    CHECK_OK(kw_evidence_folder_make(out, &folder, &note));
    CHECK_OK(kw_evidence_put(&folder, "nodes/cp-1/node.json", kw_span_str("{}"), &note));
    CHECK_OK(kw_evidence_put(&folder, "index.html", kw_span_str("<p>"), &note));
    CHECK_OK(kw_bundle_finish(&folder, &head, &note));
    kw_evidence_folder_close(&folder);
}

/* The pair, named in the configuration as the tool says, and a bundle. */
static void make_key_and_bundle(void)
{
    char line[256];
    KEYWARD_MUST(&s, 0, "audit", "key", "create", "--json");
    const char *at = strstr(s.run.out, "\"sha256\": \"");
    CHECK(at != NULL);
    snprintf(sha256, sizeof sha256, "%.64s", at + strlen("\"sha256\": \""));
    snprintf(line, sizeof line, "audit:\n  key: {label: keyward-audit, sha256: %s}\n",
             sha256);
    site_edit(&s, "audit:\n", line);
    make_bundle();
}

static void make(void)
{
    site_make(&s);
    make_key_and_bundle();
}

static void make_fault(void)
{
    site_make_fault(&s);
    make_key_and_bundle();
    site_forget_calls(&s);
}

#define SIGN_WITH(want, option) KEYWARD_MUST(&s, want, "evidence", "sign", out, option)
#define SIGN(want) SIGN_WITH(want, NULL)

/* Refused with this text before the token was asked; nothing is written. */
#define REFUSED(why)                                                                     \
    do {                                                                                 \
        SIGN(1);                                                                         \
        CHECK_HAS(s.run.err, why);                                                       \
        CHECK(!is_signed() && !site_was_called(&s));                                     \
    } while (0)

static size_t calls(const char *function)
{
    struct kw_blob text = {0};
    char line[64];
    size_t n = 0;
    const int len = snprintf(line, sizeof line, "> %s ", function);
    CHECK_OK(kw_file_read(s.calls, 16 << 20, &text, NULL));
    for (size_t i = 0; i + (size_t)len < text.len; i++)
        n += memcmp(text.ptr + i, line, (size_t)len) == 0;
    kw_blob_wipe(&text);
    return n;
}

/* ---- with VERIFY.txt alone ---- */

enum { KEY, SIGNATURE, AS_LISTED, NONE_MORE };

/* Runs the n-th command of the VERIFY.txt that lies there, in its folder. */
static int follow(size_t n)
{
    struct kw_blob text = {0};
    static char lines[16384];
    char command[2048], line[2300];
    CHECK_OK(kw_file_read(in_out("VERIFY.txt"), sizeof lines - 1, &text, NULL));
    snprintf(lines, sizeof lines, "%.*s", (int)text.len, (const char *)text.ptr);
    kw_blob_wipe(&text);
    printed_command(lines, NULL, n, command);
    snprintf(line, sizeof line, "cd %s && %s", out, command);
    kw_run(&s.run, (const char *const[]){"/bin/sh", "-c", line, NULL});
    return s.run.status;
}

/* The auditor's copy of the key lies beside the bundle. */
static void give_key(void)
{
    char pem[160];
    struct kw_blob bytes = {0};
    snprintf(pem, sizeof pem, "%s/audit.pem", s.base);
    CHECK_OK(kw_file_read(pem, 4096, &bytes, NULL));
    CHECK_OK(kw_file_replace(in_out("../audit.pem"), kw_blob_peek(&bytes), 0644, NULL));
    kw_blob_wipe(&bytes);
}

static void files_are_as_listed(void)
{
    CHECK(follow(AS_LISTED) == 0 && s.run.out[0] == '\0' && s.run.err[0] == '\0');
    CHECK(follow(NONE_MORE) == 0 && s.run.out[0] == '\0' && s.run.err[0] == '\0');
}

TEST(sign__bundle_as_listed__verified_with_openssl_and_coreutils)
{
    make();
    SIGN(0);
    CHECK_HAS(s.run.out, "proven    the signature verifies");
    CHECK_HAS(s.run.out, "manifest.json, which lists 3 files; SHA-256 ");
    CHECK_HAS(s.run.out, sha256);
    CHECK(site_mode(in_out("manifest.sig")) == 0600 && site_names(out) == 8);
    CHECK(site_is_sealed(s.tokens));
    give_key();
    CHECK(follow(KEY) == 0);
    CHECK_HAS(s.run.out, sha256);
    CHECK(follow(SIGNATURE) == 0);
    CHECK_HAS(s.run.out, "Verified OK");
    files_are_as_listed();
    site_remove(&s);
}

/* As an operator would, from the folder that has his copy of the key. */
TEST(sign__command_that_is_printed__verifies)
{
    char command[2048], line[2300];
    make();
    SIGN(0);
    printed_command(s.run.out, "your own copy of the public key", 0, command);
    snprintf(line, sizeof line, "cd %s && %s", s.base, command);
    CHECK(words_run(&s, line) == 0);
    CHECK_HAS(s.run.out, "Verified OK");
    site_remove(&s);
}

TEST(sign__changed_after__each_is_found_by_a_command)
{
    struct kw_blob was = {0};
    make();
    give_key();
    SIGN(0);
    put("index.html", "<b>");
    CHECK(follow(AS_LISTED) == 1);
    CHECK_HAS(s.run.out, "index.html: FAILED");
    CHECK(unlink(in_out("index.html")) == 0);
    CHECK(follow(AS_LISTED) == 1);
    CHECK(follow(NONE_MORE) == 0);
    CHECK_HAS(s.run.out, "1 index.html");
    put("index.html", "<p>");
    put("nodes/cp-1/more", "");
    CHECK(follow(AS_LISTED) == 0 && follow(NONE_MORE) == 0);
    CHECK_HAS(s.run.out, "1 nodes/cp-1/more");
    CHECK(unlink(in_out("nodes/cp-1/more")) == 0);
    files_are_as_listed();
    CHECK_OK(kw_file_read(in_out("manifest.json"), 1 << 20, &was, NULL));
    was.ptr[was.len - 1] = ' ';
    CHECK_OK(kw_file_replace(in_out("manifest.json"), kw_blob_peek(&was), 0600, NULL));
    CHECK(follow(SIGNATURE) == 1);
    was.ptr[was.len - 1] = '\n';
    CHECK_OK(kw_file_replace(in_out("manifest.json"), kw_blob_peek(&was), 0600, NULL));
    CHECK(follow(SIGNATURE) == 0);
    kw_blob_wipe(&was);
    site_remove(&s);
}

/* ---- what is not signed ---- */

TEST(sign__bundle_that_is_not_as_listed__refused_and_no_login)
{
    make_fault();
    put("index.html", "<b>");
    REFUSED("index.html: it has another SHA-256 than is listed");
    CHECK(unlink(in_out("index.html")) == 0);
    REFUSED("index.html: it is listed and not there");
    put("index.html", "<p>");
    put("nodes/more", "");
    REFUSED("nodes/more: it is not listed");
    CHECK(unlink(in_out("nodes/more")) == 0);
    SIGN(0);
    CHECK(calls("C_Login") == 1 && calls("C_Sign") == 1);
    site_remove(&s);
}

TEST(sign__manifest_of_something_else_or_none__refused_and_no_login)
{
    make_fault();
    put("manifest.json", "keyward-checkpoint-1");
    REFUSED("manifest.json: it does not begin as the manifest of a bundle does");
    put("manifest.json", KW_BUNDLE_DOMAIN "  \"files\": []\n}\n");
    REFUSED("manifest.json: '' cannot be a text in a manifest");
    CHECK(unlink(in_out("manifest.json")) == 0);
    SIGN(3);
    CHECK_HAS(s.run.err, "manifest.json");
    CHECK(!is_signed() && !site_was_called(&s));
    site_remove(&s);
}

TEST(sign__signed_already__refused_untouched_and_no_login)
{
    struct kw_blob was = {0}, lies = {0};
    make_fault();
    SIGN(0);
    site_forget_calls(&s);
    CHECK_OK(kw_file_read(in_out("manifest.sig"), 4096, &was, NULL));
    SIGN_WITH(1, "--json");
    CHECK_HAS(s.run.out, "manifest.sig is there already: this bundle was signed");
    CHECK_HAS(s.run.out, "\"code\": \"denied\"");
    CHECK_OK(kw_file_read(in_out("manifest.sig"), 4096, &lies, NULL));
    CHECK(kw_span_equal(kw_blob_peek(&was), kw_blob_peek(&lies)));
    CHECK(!site_was_called(&s));
    kw_blob_wipe(&was);
    kw_blob_wipe(&lies);
    site_remove(&s);
}

/* ---- the key ---- */

TEST(sign__configuration_names_no_key__refused_and_no_login)
{
    char line[256];
    make_fault();
    snprintf(line, sizeof line, "  key: {label: keyward-audit, sha256: %s}\n", sha256);
    site_edit(&s, line, "");
    REFUSED("names no audit.key, which would sign");
    site_remove(&s);
}

TEST(sign__token_has_no_such_key_or_another__nothing_is_signed)
{
    char other[sizeof sha256];
    make_fault();
    site_edit(&s, "label: keyward-audit", "label: none");
    SIGN(3);
    CHECK_HAS(s.run.err, "no private key has the label none");
    site_edit(&s, "label: none", "label: keyward-audit");
    memcpy(other, sha256, sizeof other);
    other[0] = other[0] == '0' ? '1' : '0';
    site_edit(&s, sha256, other);
    SIGN(1);
    CHECK_HAS(s.run.err, "another one than the configuration means");
    CHECK(!is_signed() && calls("C_Login") == 2 && calls("C_SignInit") == 0);
    site_remove(&s);
}

TEST(sign__token_gives_what_does_not_verify__nothing_is_written)
{
    make_fault();
    site_tell(&s, "C_Sign flip\n");
    SIGN(1);
    CHECK_HAS(s.run.err, "is no signature of the manifest by the audit log's key");
    CHECK(!is_signed() && calls("C_Sign") == 1);
    site_remove(&s);
}

TEST(sign__wrong_pin__one_login_and_not_tried_again)
{
    make_fault();
    FILE *file = fopen(s.pin, "we");
    CHECK(file != NULL && fputs("certainly-not-the-pin", file) >= 0 && fclose(file) == 0);
    SIGN_WITH(1, "--json");
    CHECK_HAS(s.run.out, "\"code\": \"pin-stop\"");
    CHECK(calls("C_Login") == 1 && !is_signed());
    SIGN(1);
    CHECK_HAS(s.run.err, "no login is tried since");
    CHECK(calls("C_Login") == 1 && !is_signed());
    site_remove(&s);
}

/* ---- the act ---- */

static size_t on_record(const char *text)
{
    char log[160];
    struct kw_blob bytes = {0};
    size_t n = 0;
    snprintf(log, sizeof log, "%s/audit/operator.jsonl", s.base);
    CHECK_OK(kw_file_read(log, 1 << 20, &bytes, NULL));
    const size_t len = strlen(text);
    for (size_t i = 0; i + len <= bytes.len; i++)
        n += memcmp(bytes.ptr + i, text, len) == 0;
    kw_blob_wipe(&bytes);
    return n;
}

#define ACT "\"act\":\"evidence-sign\""

TEST(sign__on_record__begun_and_done_with_its_ticket)
{
    make();
    KEYWARD_MUST(&s, 0, "evidence", "sign", out, "--ticket", "CHG-4711", "--json");
    CHECK_HAS(s.run.out, "\"files\": 3");
    CHECK_HAS(s.run.out, "\"manifest_sha256\": \"");
    CHECK_HAS(s.run.out, "openssl dgst -sha256 -verify audit.pem -signature ");
    CHECK(on_record(ACT) == 2 && on_record("\"ticket\":\"CHG-4711\"") == 2);
    KEYWARD_MUST(&s, 2, "evidence", "sign", out, "--ticket", "a\"b");
    SIGN(1); /* it is signed: no act began */
    CHECK(on_record(ACT) == 2);
    site_remove(&s);
}

TEST(sign__token_fails__on_record_as_failed)
{
    make_fault();
    site_tell(&s, "C_Sign rv=0x30\n"); /* CKR_DEVICE_ERROR */
    SIGN(3);
    CHECK(on_record(ACT) == 2 && on_record("\"outcome\":\"failed\"") == 1);
    site_remove(&s);
}

TEST(sign__cannot_be_put_on_record__nothing_is_signed)
{
    char log[160];
    make_fault();
    snprintf(log, sizeof log, "%s/audit/operator.jsonl", s.base);
    CHECK_OK(kw_file_replace(log, kw_span_str("no record\n"), 0640, NULL));
    CHECK(KEYWARD_DO(&s, "evidence", "sign", out) != 0);
    CHECK_HAS(s.run.err, "the act cannot be put on record, so nothing was done");
    CHECK(!is_signed() && !site_was_called(&s));
    site_remove(&s);
}

TEST(sign__words_that_are_none__two)
{
    make();
    KEYWARD_MUST(&s, 2, "evidence", "sign");
    KEYWARD_MUST(&s, 2, "evidence", "sign", out, out);
    KEYWARD_MUST(&s, 2, "evidence", "sign", "");
    KEYWARD_MUST(&s, 3, "evidence", "sign", out, "--token", "nobody");
    CHECK_HAS(s.run.err, "no token 'nobody'");
    CHECK(!is_signed());
    site_remove(&s);
}

KW_SUITE("evidence_sign")
