/* SPDX-License-Identifier: Apache-2.0 */
/* keyward audit key create, as an operator runs it. */
#include "site.h"

#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include <keyward/checkpoint.h>
#include <keyward/file.h>

static struct site s;

static const char *pem_path(void)
{
    static char path[160];
    snprintf(path, sizeof path, "%s", s.keyring);
    char *slash = strrchr(path, '/');
    CHECK(slash != NULL);
    snprintf(slash, sizeof path - (size_t)(slash - path), "/audit.pem");
    return path;
}

static void write_file(const char *path, const char *text)
{
    FILE *out = fopen(path, "we");
    CHECK(out != NULL && fputs(text, out) >= 0 && fclose(out) == 0);
}

static bool file_is(const char *path, const char *text)
{
    struct kw_blob blob = {0};
    struct kw_note note;
    CHECK_OK(kw_file_read(path, 4096, &blob, &note));
    const bool same = kw_span_equal_str(kw_blob_peek(&blob), text);
    kw_blob_wipe(&blob);
    return same;
}

#define CREATE(want, ...) KEYWARD_MUST(&s, want, "audit", "key", "create", __VA_ARGS__)

/* The DER of what lies there (RFC 7468), as `openssl` and `base64 -d` would have it. */
static void read_spki(uint8_t ret_spki[KW_SPKI])
{
    static const char alphabet[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    struct kw_blob blob = {0};
    struct kw_note note;
    size_t bits = 0, len = 0;
    unsigned value = 0;
    CHECK_OK(kw_file_read(pem_path(), 4096, &blob, &note));
    CHECK(blob.len == KW_SPKI_PEM);
    for (size_t i = strlen("-----BEGIN PUBLIC KEY-----"); len < KW_SPKI; i++) {
        const char *at = strchr(alphabet, blob.ptr[i]);
        if (at == NULL)
            continue;
        value = (value << 6 | (unsigned)(at - alphabet)) & 0xffff;
        bits += 6;
        if (bits >= 8)
            ret_spki[len++] = (uint8_t)(value >> (bits -= 8));
    }
    kw_blob_wipe(&blob);
}

TEST(create__a_pair_a_file_and_the_hash_of_it)
{
    uint8_t spki[KW_SPKI], sha256[KW_SHA256];
    char hex[2 * KW_SHA256 + 1], member[128];
    site_make(&s);
    CREATE(0, "--json");
    read_spki(spki);
    CHECK_OK(kw_sha256(kw_span_of(spki, sizeof spki), sha256));
    kw_hex(hex, sizeof hex, kw_span_of(sha256, sizeof sha256));
    snprintf(member, sizeof member, "\"sha256\": \"%s\"", hex);
    CHECK_HAS(s.run.out, member);
    CHECK_HAS(s.run.out, "\"label\": \"keyward-audit\"");
    CHECK_HAS(s.run.out, "\"pem\": \"-----BEGIN PUBLIC KEY-----");
    CHECK_HAS(s.run.out, pem_path());
    CHECK(site_mode(pem_path()) == 0644);
    CHECK(site_is_sealed(s.tokens));
    KEYWARD_MUST(&s, 0, "key", "list"); /* it is no version of a KEK */
    CHECK(strstr(s.run.out, "keyward-audit") == NULL);
    site_remove(&s);
}

TEST(create__words__the_block_of_the_configuration)
{
    site_make(&s);
    CREATE(0, "--label", "audit-of.cp_01");
    CHECK_HAS(s.run.out, "audit:\n  key: {label: audit-of.cp_01, sha256: ");
    CHECK_HAS(s.run.out, "attributes read back and judged good");
    CHECK_HAS(s.run.out, pem_path());
    site_remove(&s);
}

TEST(create__a_file_is_there__kept_and_no_key_made)
{
    site_make_fault(&s);
    site_forget_calls(&s);
    write_file(pem_path(), "mine");
    CREATE(1, "--json");
    CHECK_HAS(s.run.out, "is there already; no key was made");
    CHECK(file_is(pem_path(), "mine"));
    CHECK(!site_was_called(&s));
    CHECK(unlink(pem_path()) == 0 && symlink("/nonexistent", pem_path()) == 0);
    CREATE(1, "--json");
    CHECK_HAS(s.run.out, "is there already; no key was made");
    CHECK(!site_was_called(&s));
    site_remove(&s);
}

TEST(create__label_taken__refused_and_no_file)
{
    site_make(&s);
    CREATE(0, "--json");
    CHECK(unlink(pem_path()) == 0);
    CREATE(1, "--json");
    CHECK_HAS(s.run.out, "already on token");
    CHECK(strstr(s.run.out, "lies in the token now") == NULL);
    CHECK(access(pem_path(), F_OK) != 0);
    CREATE(0, "--label", "another");
    site_remove(&s);
}

/* The reply was lost: what lies there is said. */
TEST(create__token_fails_after_it_was_made__said)
{
    site_make_fault(&s);
    site_tell(&s, "C_GenerateKeyPair rv=0x30 after\n");
    CREATE(3, "--json");
    CHECK_HAS(s.run.out, "a pair keyward-audit lies in the token now");
    CHECK(access(pem_path(), F_OK) != 0);
    site_tell(&s, "C_GenerateKeyPair rv=0x30\n");
    CREATE(3, "--label", "another");
    CHECK(strstr(s.run.err, "lies in the token now") == NULL);
    site_remove(&s);
}

TEST(create__it_may_leave_the_token__refused_and_said)
{
    site_make_fault(&s);
    site_tell(&s, "fake=0x162:1\n");
    CREATE(1, "--json");
    CHECK_HAS(s.run.out, "CKA_EXTRACTABLE of the audit log's key is true");
    CHECK_HAS(s.run.out, "a pair keyward-audit lies in the token now");
    CHECK(access(pem_path(), F_OK) != 0);
    site_remove(&s);
}

TEST(create__words_that_are_none__two)
{
    site_make(&s);
    CREATE(2, "--label", "");
    CREATE(2, "--label", "kw1-1-000102030405060708090a0b");
    CREATE(2, "--label", "two words");
    CREATE(2, "--label", "a-label-of-forty-bytes-is-the-longest-one");
    CREATE(3, "--token", "nobody");
    CHECK_HAS(s.run.err, "no token 'nobody'");
    site_remove(&s);
}

/* ---- looked at by keyward check ---- */

/* In the place of the one that was named before. */
static void name_key(const char *label, const char *sha256)
{
    static char named[256];
    char was[256];
    snprintf(was, sizeof was, "audit:\n%s", named);
    snprintf(named, sizeof named, "  key: {label: %s, sha256: %s}\n", label, sha256);
    char now[sizeof named + 16];
    snprintf(now, sizeof now, "audit:\n%s", named);
    site_edit(&s, was, now);
}

TEST(check__the_key_that_is_meant__another__none)
{
    uint8_t spki[KW_SPKI], sha256[KW_SHA256];
    char hex[2 * KW_SHA256 + 1];
    site_make(&s);
    CREATE(0, "--json");
    read_spki(spki);
    CHECK_OK(kw_sha256(kw_span_of(spki, sizeof spki), sha256));
    kw_hex(hex, sizeof hex, kw_span_of(sha256, sizeof sha256));
    name_key("keyward-audit", hex);
    KEYWARD_DO(&s, "check");
    CHECK_HAS(s.run.out, "keyward-audit signs checkpoints");
    hex[0] = hex[0] == '0' ? '1' : '0';
    name_key("keyward-audit", hex);
    KEYWARD_MUST(&s, 1, "check");
    CHECK_HAS(s.run.out, "the key keyward-audit is another one than audit.key means");
    name_key("none", hex);
    KEYWARD_MUST(&s, 1, "check");
    CHECK_HAS(s.run.out, "no private key has the label none");
    site_remove(&s);
}

KW_SUITE("audit_key")
