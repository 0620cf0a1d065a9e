/* SPDX-License-Identifier: Apache-2.0 */
/* keyward evidence collect, as an operator runs it. */
#include "site.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <keyward/file.h>
#include <keyward/sha256.h>

#include "said_at.h"

static struct site s;
static char out[96];

static void make_one(void)
{
    site_make(&s);
    KEYWARD_MUST(&s, 0, "key", "create");
    snprintf(out, sizeof out, "%s/evidence", s.dir);
}

static void make_one_fault(void)
{
    site_make_fault(&s);
    KEYWARD_MUST(&s, 0, "key", "create");
    snprintf(out, sizeof out, "%s/evidence", s.dir);
}

#define COLLECT_WITH(want, option)                                                       \
    KEYWARD_MUST(&s, want, "evidence", "collect", "--out", out, "--name", "cp-1", option)
#define COLLECT(want) COLLECT_WITH(want, NULL)

static const char *in_out(const char *name)
{
    static char path[256];
    snprintf(path, sizeof path, "%s/%s", out, name);
    return path;
}

static void read_out(const char *name, struct kw_blob *ret)
{
    struct kw_note note = {{0}};
    if (kw_failed(kw_file_read(in_out(name), 16 << 20, ret, &note)))
        fail_msg("%s", note.text);
}

static json_t *document(const char *name)
{
    struct kw_blob text = {0};
    read_out(name, &text);
    json_t *root =
        json_loadb((const char *)text.ptr, text.len, JSON_REJECT_DUPLICATES, NULL);
    kw_blob_wipe(&text);
    CHECK(root != NULL);
    return root;
}

/* Pairs of a path and the value there. */
static void says(const char *name, const char *const claims[])
{
    json_t *root = document(name);
    for (size_t i = 0; claims[i] != NULL; i += 2)
        CHECK_SAID(root, claims[i], claims[i + 1]);
    json_decref(root);
}
#define SAYS(name, ...) says(name, (const char *const[]){__VA_ARGS__, NULL})
#define TOKEN "token-keyward.json"

/* The value at the path has this part. */
static void mentions(const char *name, const char *path, const char *part)
{
    json_t *root = document(name);
    CHECK_HAS(said_at(root, path), part);
    json_decref(root);
}

static bool is_gone(void)
{
    struct stat st;
    return lstat(out, &st) != 0;
}

static bool is_there(const char *name)
{
    return access(in_out(name), F_OK) == 0;
}

static bool is_same(const char *name, const char *path)
{
    struct kw_blob a = {0}, b = {0};
    read_out(name, &a);
    CHECK_OK(kw_file_read(path, 16 << 20, &b, NULL));
    const bool same = kw_span_equal(kw_blob_peek(&a), kw_blob_peek(&b));
    kw_blob_wipe(&a);
    kw_blob_wipe(&b);
    return same;
}

/* No file of the folder has these bytes. */
static void has_nowhere(const char *needle)
{
    json_t *root = document("node.json");
    const json_t *files = json_object_get(root, "files");
    for (size_t i = 0; i <= json_array_size(files); i++) {
        struct kw_blob text = {0};
        const json_t *row = json_array_get(files, i);
        read_out(row != NULL ? json_string_value(json_object_get(row, "name"))
                             : "node.json",
                 &text);
        if (memmem(text.ptr, text.len, needle, strlen(needle)) != NULL)
            fail_msg("%s is in file %zu", needle, i);
        kw_blob_wipe(&text);
    }
    json_decref(root);
}

/* ---- nothing is made ---- */

TEST(words_that_are_none__two_and_no_folder)
{
    make_one();
    KEYWARD_MUST(&s, 2, "evidence", "collect");
    CHECK_HAS(s.run.err, "--out DIR");
    KEYWARD_MUST(&s, 2, "evidence", "collect", "--out", out, "--name", "A B");
    KEYWARD_MUST(&s, 2, "evidence", "collect", "--out", out, "--name", "");
    KEYWARD_MUST(&s, 2, "evidence", "collect", "--out", out, "more");
    CHECK(is_gone());
    site_remove(&s);
}

TEST(folder_is_there_or_none_above__refused_untouched_and_no_login)
{
    make_one_fault();
    site_forget_calls(&s);
    CHECK(mkdir(out, 0755) == 0);
    COLLECT(1);
    CHECK_HAS(s.run.err, "is there already: evidence goes into a new folder");
    CHECK(site_mode(out) == 0755 && site_names(out) == 1);
    CHECK(rmdir(out) == 0 && symlink("/nonexistent", out) == 0);
    COLLECT_WITH(1, "--json");
    CHECK_HAS(s.run.out, "\"code\": \"denied\"");
    snprintf(out, sizeof out, "%s/none/evidence", s.dir);
    COLLECT(3);
    CHECK_HAS(s.run.err, "No such file or directory");
    CHECK(!site_was_called(&s));
    site_remove(&s);
}

TEST(others_may_change_the_configuration__refused_and_nothing_loaded)
{
    make_one_fault();
    site_forget_calls(&s);
    CHECK(chmod(s.config, 0666) == 0);
    COLLECT(1);
    CHECK_HAS(s.run.err, "lets others change it");
    CHECK(is_gone() && !site_was_called(&s));
    site_remove(&s);
}

TEST(ordinary_user__told_who_may_look)
{
    char copy[96];
    struct kw_blob program = {0};
    kw_test_as_root();
    make_one();
    snprintf(copy, sizeof copy, "%s/keyward", s.dir);
    CHECK_OK(kw_file_read(KEYWARD, 256u << 20, &program, NULL));
    CHECK_OK(kw_file_replace(copy, kw_blob_peek(&program), 0755, NULL));
    kw_blob_wipe(&program);
    kw_run(&s.run,
           (const char *const[]){"/usr/bin/setpriv", "--reuid=1", "--regid=1",
                                 "--clear-groups", copy, "evidence", "collect", "--out",
                                 out, "--name", "x", "--config", s.config, NULL});
    CHECK(s.run.status == 1 && is_gone());
    CHECK_HAS(s.run.err, "run keyward as root");
    site_remove(&s);
}

static void write_audit(const char *name, const char *text, size_t times)
{
    char path[192];
    snprintf(path, sizeof path, "%s/audit/%s", s.base, name);
    FILE *file = fopen(path, "we");
    CHECK(file != NULL);
    for (size_t i = 0; i < times; i++)
        CHECK(fputs(text, file) >= 0);
    CHECK(fclose(file) == 0);
    CHECK(geteuid() != 0 || chown(path, NOBODY, -1u) == 0);
}

/* A disk that takes no more than so much of a file. */
TEST(disk_is_full__nothing_is_left)
{
    struct rlimit old;
    make_one();
    write_audit("audit.jsonl", "{\"a\":\"line of the log\"}\n", 64 * 1024);
    CHECK(getrlimit(RLIMIT_FSIZE, &old) == 0);
    const struct rlimit little = {512 * 1024, old.rlim_max};
    CHECK(signal(SIGXFSZ, SIG_IGN) != SIG_ERR);
    CHECK(setrlimit(RLIMIT_FSIZE, &little) == 0);
    const int status =
        KEYWARD_DO(&s, "evidence", "collect", "--out", out, "--name", "cp-1");
    CHECK(setrlimit(RLIMIT_FSIZE, &old) == 0);
    if (status != 3)
        fail_msg("exit status %d\n%s", status, s.run.err);
    CHECK_HAS(s.run.err, "audit/audit.jsonl: not written: File too large");
    CHECK(is_gone());
    COLLECT(0);
    site_remove(&s);
}

TEST(terminated_at_a_token__nothing_is_left)
{
    make_one_fault();
    site_watch_calls(&s);
    site_tell(&s, "C_EncryptInit hang\n");
    pid_t pid = SITE_START(&s, "evidence", "collect", "--out", out, "--name", "cp-1");
    site_await_call(&s, "C_EncryptInit", 1);
    CHECK(kill(pid, SIGTERM) == 0);
    CHECK(site_end(&s, pid) == 3);
    CHECK(is_gone());
    CHECK_HAS(s.run.err, "interrupted");
    site_remove(&s);
}

/* ---- what could not be looked at is said ---- */

static void write_pin(const char *pin)
{
    FILE *file = fopen(s.pin, "we");
    CHECK(file != NULL && fputs(pin, file) >= 0 && fclose(file) == 0);
}

static size_t logins(void)
{
    struct kw_blob text = {0};
    size_t n = 0;
    CHECK_OK(kw_file_read(s.calls, 16 << 20, &text, NULL));
    for (size_t i = 0; i + 9 < text.len; i++)
        n += memcmp(text.ptr + i, "> C_Login", 9) == 0;
    kw_blob_wipe(&text);
    return n;
}

TEST(wrong_pin__said_and_not_tried_again)
{
    make_one_fault();
    site_forget_calls(&s);
    write_pin("certainly-not-the-pin");
    COLLECT(3);
    CHECK_HAS(s.run.err, "not looked at: token keyward: ");
    SAYS(TOKEN, "asked", "false", "error/code", "\"pin-stop\"", "error/native",
         "\"CKR_PIN_INCORRECT\"", "token", "null", "versions/0/found", "null",
         "versions/0/verdict", "null");
    SAYS("node.json", "complete", "false");
    mentions("node.json", "not_looked_at/0", "token keyward: ");
    CHECK(is_there("keyring.json") && is_there("audit/operator.jsonl"));
    CHECK(logins() == 1);
    has_nowhere("certainly-not-the-pin");
    snprintf(out, sizeof out, "%s/again", s.dir);
    COLLECT_WITH(3, "--json");
    CHECK_HAS(s.run.out, "\"ok\": false");
    mentions(TOKEN, "error/why", "no login is tried since");
    CHECK(logins() == 1);
    site_remove(&s);
}

TEST(token_is_away__said_and_the_rest_is_there)
{
    char aside[160];
    make_one();
    snprintf(aside, sizeof aside, "%s.aside", s.tokens);
    CHECK(rename(s.tokens, aside) == 0);
    COLLECT(3);
    SAYS(TOKEN, "asked", "false", "library", "null", "versions/0/asked", "\"nothing\"");
    CHECK(is_same("keyring.json", s.keyring) && is_same("keyward.yaml", s.config));
    CHECK(rename(aside, s.tokens) == 0);
    site_remove(&s);
}

/* The other one is asked all the same. */
TEST(one_of_two_tokens_is_away__said_of_that_one)
{
    char more[512];
    make_one();
    snprintf(more, sizeof more,
             "    - uri: \"pkcs11:token=other\"\n      module: " SOFTHSM
             "\n      pin: file:%s\n      env: {SOFTHSM2_CONF: %s/none.conf}\naudit:\n",
             s.pin, s.base);
    site_edit(&s, "audit:\n", more);
    COLLECT(3);
    SAYS(TOKEN, "asked", "true", "versions/0/verdict", "\"pass\"");
    SAYS("token-other.json", "asked", "false", "name", "\"other\"", "versions/0/found",
         "null");
    SAYS("node.json", "complete", "false", "not_looked_at/1", "(absent)",
         "configuration/tokens/1/file", "\"token-other.json\"");
    mentions("node.json", "not_looked_at/0", "token other: ");
    site_remove(&s);
}

TEST(module_dies_half_way__nothing_is_claimed)
{
    make_one_fault();
    site_tell(&s, "C_GetAttributeValue crash\n");
    COLLECT(3);
    SAYS(TOKEN, "asked", "false", "token", "null", "versions/0/found", "null",
         "versions/0/check_blob_opens", "null", "versions/0/attributes", "null");
    site_remove(&s);
}

TEST(token_fails_at_one_key__that_one_is_not_known)
{
    make_one_fault();
    site_tell(&s, "C_FindObjects rv=0x30\n"); /* CKR_DEVICE_ERROR */
    COLLECT(3);
    SAYS(TOKEN, "asked", "true", "versions/0/found", "null", "versions/0/verdict",
         "null");
    mentions("node.json", "not_looked_at/0", "token keyward: version 1: ");
    site_remove(&s);
}

/* What is none could be any file of this machine. */
TEST(keyring_damaged_or_gone__not_copied_and_said)
{
    make_one();
    CHECK_OK(kw_file_replace(s.keyring, kw_span_str("{ not a keyring"), 0644, NULL));
    COLLECT(3);
    CHECK(!is_there("keyring.json"));
    has_nowhere("{ not a keyring");
    SAYS(TOKEN, "asked", "true", "versions", "[]");
    mentions("node.json", "not_looked_at/0", "keyring: ");
    SAYS("node.json", "keyring/serial", "null");
    CHECK(unlink(s.keyring) == 0);
    snprintf(out, sizeof out, "%s/again", s.dir);
    COLLECT(3);
    CHECK(!is_there("keyring.json"));
    mentions("node.json", "not_looked_at/0", "there is none");
    SAYS("node.json", "keyring/sha256", "null");
    site_remove(&s);
}

TEST(log_is_a_link_of_the_daemons_user__not_followed_and_said)
{
    char path[192];
    make_one();
    snprintf(path, sizeof path, "%s/audit/audit.jsonl", s.base);
    CHECK(symlink(s.pin, path) == 0);
    COLLECT(3);
    mentions("node.json", "not_looked_at/0", "audit.jsonl: a symbolic link");
    CHECK(!is_there("audit/audit.jsonl") && is_there("audit/operator.jsonl"));
    site_remove(&s);
}

/* ---- what fails is evidence ---- */

TEST(key_is_not_in_the_token__looked_at_and_said)
{
    char aside[160];
    struct site other;
    make_one();
    snprintf(aside, sizeof aside, "%s.aside", s.tokens);
    site_make(&other);
    CHECK(chmod(s.tokens, 0700) == 0 && chmod(other.tokens, 0700) == 0);
    CHECK(rename(s.tokens, aside) == 0 && rename(other.tokens, s.tokens) == 0);
    CHECK(rename(other.pin, s.pin) == 0);
    COLLECT(0);
    SAYS(TOKEN, "versions/0/found", "false", "versions/0/check_blob_opens", "null",
         "versions/0/rules", "null", "versions/0/error/code", "\"missing\"",
         "versions/0/at_ceremony/CKA_EXTRACTABLE", "false");
    site_remove(&other);
    site_remove(&s);
}

TEST(key_may_leave_the_token__its_attributes_and_the_rule_that_fails)
{
    make_one_fault();
    site_tell(&s, "fake=0x162:1\n"); /* CKA_EXTRACTABLE */
    COLLECT(0);
    SAYS(TOKEN, "versions/0/found", "true", "versions/0/check_blob_opens", "true",
         "versions/0/findings", "[\"exposed\"]", "versions/0/attributes/CKA_EXTRACTABLE",
         "true", "versions/0/at_ceremony/CKA_EXTRACTABLE", "false", "versions/0/verdict",
         "\"fail\"", "versions/0/rules/3/attribute", "\"CKA_EXTRACTABLE\"",
         "versions/0/rules/3/outcome", "\"fail\"");
    site_remove(&s);
}

TEST(token_does_not_answer__never_a_pass)
{
    make_one_fault();
    site_tell(&s, "noread=0x164\nnoread=0x163\n"); /* CKA_NEVER_EXTRACTABLE, CKA_LOCAL */
    COLLECT(0);
    SAYS(TOKEN, "versions/0/attributes/CKA_NEVER_EXTRACTABLE", "null",
         "versions/0/verdict", "\"not-answered\"", "versions/0/rules/4/outcome",
         "\"not-answered\"", "versions/0/rules/6/attribute", "\"CKA_LOCAL\"",
         "versions/0/rules/6/outcome", "\"not-answered\"");
    site_remove(&s);
}

TEST(another_key_has_the_label__found_and_its_check_blob_does_not_open)
{
    char control[160];
    make_one_fault();
    KEYWARD_MUST(&s, 0, "key", "create");
    struct kw_keyring *ring = site_ring(&s);
    snprintf(control, sizeof control, "swap=%s:%s\n", ring->versions[0].key_id,
             ring->versions[1].key_id);
    kw_keyring_give(ring);
    site_tell(&s, control);
    COLLECT(0);
    SAYS(TOKEN, "versions/0/found", "true", "versions/0/check_blob_opens", "false",
         "versions/0/findings", "[\"replaced\"]", "versions/1/check_blob_opens", "true");
    site_remove(&s);
}

TEST(version_that_nobody_may_use__looked_for_and_not_used)
{
    make_one_fault();
    KEYWARD_MUST(&s, 0, "key", "disable", "1");
    COLLECT(0);
    SAYS(TOKEN, "versions/0/state", "\"disabled\"", "versions/0/asked", "\"presence\"",
         "versions/0/found", "true", "versions/0/check_blob_opens", "null",
         "versions/0/verdict", "\"pass\"");
    site_remove(&s);
}

TEST(others_may_change_the_keyring__collected_and_said)
{
    make_one();
    CHECK(chmod(s.keyring, 0664) == 0);
    COLLECT(0);
    mentions("node.json", "keyring/doubt", "lets others change it");
    site_remove(&s);
}

/* ---- all is well ---- */

static void check_listed(void)
{
    json_t *root = document("node.json");
    const json_t *files = json_object_get(root, "files");
    for (size_t i = 0; i < json_array_size(files); i++) {
        uint8_t sha256[KW_SHA256];
        char hex[2 * KW_SHA256 + 1];
        struct kw_blob text = {0};
        const json_t *row = json_array_get(files, i);
        const char *name = json_string_value(json_object_get(row, "name"));
        read_out(name, &text);
        CHECK(json_integer_value(json_object_get(row, "size")) == (json_int_t)text.len);
        CHECK_OK(kw_sha256(kw_blob_peek(&text), sha256));
        kw_hex(hex, sizeof hex, kw_span_of(sha256, sizeof sha256));
        CHECK_STR(json_string_value(json_object_get(row, "sha256")), hex);
        CHECK(site_mode(in_out(name)) == 0600 && site_owner(in_out(name)) == geteuid());
        kw_blob_wipe(&text);
    }
    /* They, node.json and two folders. */
    CHECK(json_array_size(files) + 3 == site_names(out));
    json_decref(root);
}

TEST(all_well__each_file_listed_and_as_it_was_read)
{
    make_one();
    write_audit("audit.jsonl", "{\"seq\":0}\n", 3);
    KEYWARD_MUST(&s, 0, "key", "accept", "1");
    KEYWARD_MUST(&s, 0, "key", "activate", "1", "--only-copy");
    COLLECT(0);
    CHECK_HAS(s.run.out, "collected 6 files of node cp-1 in ");
    CHECK(site_mode(out) == 0700 && site_mode(in_out("audit")) == 0700);
    check_listed();
    CHECK(is_same("keyring.json", s.keyring) && is_same("keyward.yaml", s.config));
    SAYS("node.json", "collected", "\"keyward-node\"", "format", "1", "node", "\"cp-1\"",
         "complete", "true", "not_looked_at", "[]", "configuration/redacted", "[]",
         "configuration/domain", "\"demo\"", "configuration/environment", "\"test\"",
         "configuration/tokens/0/pin", "\"file\"", "configuration/classes/0/scope",
         "\"secrets\"", "configuration/classes/0/on_hsm_loss", "\"fail-closed\"",
         "configuration/classes/0/max_outage", "null",
         "configuration/classes/0/cache/entries", "1024",
         "configuration/classes/1/max_outage", "\"15m\"",
         "configuration/audit/on_failure", "\"deny\"", "keyring/active_here", "1",
         "keyring/baseline", "1", "audit/audit_files", "1", "audit/operator_files", "1");
    SAYS(TOKEN, "asked", "true", "error", "null", "token/label", "\"keyward\"",
         "mechanism/name", "\"aes-256-gcm\"", "mechanism/self_test", "true",
         "versions/0/found", "true", "versions/0/check_blob_opens", "true",
         "versions/0/verdict", "\"pass\"", "versions/0/attributes/CKA_VALUE_LEN", "32",
         "versions/0/properties/CKA_KEY_GEN_MECHANISM", "\"CKM_AES_KEY_GEN\"");
    CHECK(site_is_sealed(s.tokens));
    kw_run_line(&s.run, 0, KEYWARD, "audit verify %s", in_out("audit/operator.jsonl"));
    site_remove(&s);
}

/* But for the time in node.json. */
TEST(twice__the_same_bytes)
{
    static const char *const names[] = {"keyring.json", "keyward.yaml", TOKEN,
                                        "audit/operator.jsonl"};
    char first[96], path[192];
    make_one();
    COLLECT(0);
    memcpy(first, out, sizeof first);
    snprintf(out, sizeof out, "%s/again", s.dir);
    COLLECT(0);
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        snprintf(path, sizeof path, "%s/%s", first, names[i]);
        CHECK(is_same(names[i], path));
    }
    json_t *b = document("node.json");
    memcpy(out, first, sizeof out);
    json_t *a = document("node.json");
    CHECK(json_object_del(a, "time") == 0 && json_object_del(b, "time") == 0);
    CHECK(json_equal(a, b));
    json_decref(a);
    json_decref(b);
    site_remove(&s);
}

TEST(log_is_being_written__whole_records_alone__or_no_audit__none)
{
    make_one();
    write_audit("audit-000000000000-000000000001.jsonl", "{}\n", 2);
    write_audit("audit.jsonl", "{\"seq\":2}\n{\"se", 1);
    COLLECT(0);
    struct kw_blob text = {0};
    read_out("audit/audit.jsonl", &text);
    CHECK(kw_span_equal_str(kw_blob_peek(&text), "{\"seq\":2}\n"));
    kw_blob_wipe(&text);
    SAYS("node.json", "audit/audit_files", "2");
    snprintf(out, sizeof out, "%s/again", s.dir);
    COLLECT_WITH(0, "--no-audit");
    SAYS("node.json", "audit/copied", "false", "audit/audit_files", "0");
    CHECK(!is_there("audit"));
    site_remove(&s);
}

/* ---- secrets ---- */

TEST(pins_and_a_tokens_variables__in_no_file)
{
    static const char secret[] = "swordfish-of-the-vendor";
    char pin[64] = {0};
    make_one();
    FILE *file = fopen(s.pin, "re");
    CHECK(file != NULL && fread(pin, 1, sizeof pin - 1, file) == 24);
    CHECK(fclose(file) == 0);
    COLLECT(0);
    has_nowhere(pin);
    SAYS("node.json", "configuration/redacted", "[]");
    site_edit(&s, "env: {", "env: {VENDOR_PASS: swordfish-of-the-vendor, ");
    site_edit(&s, "domain: demo", "domain: demo # swordfish-of-the-vendor");
    snprintf(out, sizeof out, "%s/again", s.dir);
    COLLECT(0);
    has_nowhere(pin);
    has_nowhere(secret);
    SAYS("node.json", "configuration/redacted", "[\"hsm.tokens[0].env.VENDOR_PASS\"]");
    check_listed();
    /* What is left loads, and says all else. */
    kw_run_line(&s.run, 0, KEYWARD, "key list --config %s", in_out("keyward.yaml"));
    struct kw_blob text = {0};
    read_out("keyward.yaml", &text);
    CHECK(memmem(text.ptr, text.len, "VENDOR_PASS", 11) != NULL);
    CHECK(memmem(text.ptr, text.len, "softhsm2.conf", 13) != NULL);
    kw_blob_wipe(&text);
    site_remove(&s);
}

/* ---- the audit log's key ---- */

TEST(audit_key__its_public_half_if_it_is_the_one_that_is_meant)
{
    char pem[160], line[256];
    make_one();
    KEYWARD_MUST(&s, 0, "audit", "key", "create", "--json");
    const char *at = strstr(s.run.out, "\"sha256\": \"");
    CHECK(at != NULL);
    snprintf(line, sizeof line, "audit:\n  key: {label: keyward-audit, sha256: %.64s}\n",
             at + strlen("\"sha256\": \""));
    site_edit(&s, "audit:\n", line);
    COLLECT(0);
    snprintf(pem, sizeof pem, "%s/audit.pem", s.base);
    CHECK(is_same("audit.pem", pem));
    SAYS(TOKEN, "audit_key/good", "true", "audit_key/configured", "true");
    SAYS("node.json", "configuration/audit/key/label", "\"keyward-audit\"");
    check_listed();
    site_edit(&s, "label: keyward-audit", "label: none");
    snprintf(out, sizeof out, "%s/again", s.dir);
    COLLECT(0);
    CHECK(!is_there("audit.pem"));
    SAYS(TOKEN, "audit_key/good", "false", "audit_key/error/code", "\"missing\"");
    site_remove(&s);
}

KW_SUITE("evidence")
