/* SPDX-License-Identifier: Apache-2.0 */
/* Samples: what is read is what was written, and nothing else is read. */
#include "check.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sample.h"

#define KEY_ID "kw1-1-00112233445566778899aabb"
/* tests/vectors/envelope.txt, the first two */
#define CIPHERTEXT                                                                       \
    "01010107736563726574730020a0a1a2a3a4a5a6a7a8a9aaaba6593e6e018e44f82a2ccd984b378e"   \
    "9120fd0b43c6e2143bc4577cdd23f62b5e2a1d69cbac5575c6947920ee442e0413084e18cfa21111"   \
    "7604927f2a3e08926b"
#define WHOLE(domain, key_id, cls, scope, hex)                                           \
    "{\"keyward-sample\": 1, \"domain\": \"" domain "\", \"key-id\": \"" key_id          \
    "\", \"class\": \"" cls "\", \"scope\": \"" scope "\", \"ciphertext\": \"" hex "\"}"
#define GOOD WHOLE("demo", KEY_ID, "secrets", "secrets", CIPHERTEXT)

static struct kw_sample sample;
static struct kw_note note;

static void must_refuse(const char *text, const char *word)
{
    const struct kw_sample before = {.domain = "untouched"};
    sample = before;
    note = (struct kw_note){{0}};
    CHECK_CODE(kw_sample_parse(kw_span_str(text), &sample, &note), KW_CODE_BAD_INPUT);
    CHECK_HAS(note.text, word);
    CHECK_STR(sample.domain, "untouched");
}

TEST(parse__no_json_or_no_object__refused)
{
    must_refuse("", "empty");
    must_refuse("{", "line 1");
    must_refuse("[1]", "object");
    must_refuse(GOOD " x", "line 1");
}

TEST(parse__members_missing_unknown_twice_or_of_another_type__refused)
{
    must_refuse("{}", "keyward-sample");
    must_refuse("{\"keyward-sample\": 2, \"domain\": \"demo\", \"key-id\": \"x\", "
                "\"class\": \"a\", \"scope\": \"a\", \"ciphertext\": \"00\"}",
                "only that format");
    must_refuse("{\"keyward-sample\": \"1\", \"domain\": \"demo\", \"key-id\": \"x\", "
                "\"class\": \"a\", \"scope\": \"a\", \"ciphertext\": \"00\"}",
                "integer");
    must_refuse("{\"keyward-sample\": 1, \"keyward-sample\": 1}", "duplicate");
    char more[sizeof GOOD + 16];
    snprintf(more, sizeof more, "{\"more\": 1, %s", &GOOD[1]);
    must_refuse(more, "left unpacked: more");
}

TEST(parse__values_that_are_none__refused_by_name)
{
    must_refuse(WHOLE("De mo", KEY_ID, "secrets", "secrets", CIPHERTEXT), "domain");
    must_refuse(WHOLE("demo", "kw1-01-00112233445566778899aabb", "secrets", "secrets",
                      CIPHERTEXT),
                "key-id");
    must_refuse(WHOLE("demo", KEY_ID "0", "secrets", "secrets", CIPHERTEXT), "key-id");
    must_refuse(WHOLE("demo", KEY_ID, "se crets", "secrets", CIPHERTEXT), "class");
    must_refuse(WHOLE("demo", KEY_ID, "secrets", "bulk", CIPHERTEXT), "scope");
    must_refuse(WHOLE("demo", KEY_ID, "secrets", "secrets", ""), "ciphertext");
    must_refuse(WHOLE("demo", KEY_ID, "secrets", "secrets", "0"), "hex");
    must_refuse(WHOLE("demo", KEY_ID, "secrets", "secrets", "0G"), "hex");
    must_refuse(WHOLE("demo", KEY_ID, "secrets", "secrets", CIPHERTEXT "00"),
                "ciphertext");
}

/* A check blob is no sample: whoever has the keyring has one of each version. */
TEST(parse__a_check_blob__refused)
{
    must_refuse(
        WHOLE("demo", KEY_ID, "secrets", "check",
              "01020105636865636b0020b0b1b2b3b4b5b6b7b8b9babb"
              "00000000000000000000000000000000000000000000000000000000000000000000000000"
              "000000000000000000000000000000000000000000000000000000"),
        "seals no seed");
}

TEST(parse__what_a_terminal_would_obey__made_plain)
{
    must_refuse("{\"keyward-sample\": 1, \"domain\": \"demo\", \"key-id\": \"k\", "
                "\"class\": \"a\", \"scope\": \"a\", \"ciphertext\": \"00\", "
                "\"\\u001b[2J\\u009b\": 1}",
                "left unpacked: ?[2J?");
}

TEST(text__read_back__the_same)
{
    struct kw_sample back;
    struct kw_blob one = {0}, two = {0};
    CHECK_OK(kw_sample_parse(kw_span_str(GOOD), &sample, &note));
    CHECK_STR(sample.key_id, KEY_ID);
    CHECK(sample.ciphertext_len == 89);
    CHECK_OK(kw_sample_text(&sample, &one, &note));
    CHECK_OK(kw_sample_parse(kw_blob_peek(&one), &back, &note));
    CHECK_OK(kw_sample_text(&back, &two, &note));
    CHECK(kw_span_equal(kw_blob_peek(&one), kw_blob_peek(&two)));
    sample.ciphertext[0] = 9;
    CHECK_CODE(kw_sample_text(&sample, &one, &note), KW_CODE_BAD_INPUT);
    kw_blob_wipe(&one);
    kw_blob_wipe(&two);
}

TEST(save__something_is_there__it_stays)
{
    char dir[] = "/tmp/keyward-sample-XXXXXX", path[64], other[64];
    struct stat st;
    struct kw_blob file = {0};
    CHECK(mkdtemp(dir) != NULL);
    snprintf(path, sizeof path, "%s/sample", dir);
    snprintf(other, sizeof other, "%s/link", dir);
    CHECK_OK(kw_sample_parse(kw_span_str(GOOD), &sample, &note));
    CHECK_OK(kw_sample_save(path, &sample, &note));
    CHECK(stat(path, &st) == 0 && (st.st_mode & 07777) == 0600);
    CHECK_OK(kw_file_replace(path, kw_span_str("mine"), 0600, &note));
    CHECK_CODE(kw_sample_save(path, &sample, &note), KW_CODE_DENIED);
    CHECK_HAS(note.text, path);
    CHECK_OK(kw_file_read(path, 16, &file, &note));
    CHECK(kw_span_equal_str(kw_blob_peek(&file), "mine"));
    kw_blob_wipe(&file);
    CHECK(symlink("nowhere", other) == 0);
    CHECK_CODE(kw_sample_save(other, &sample, &note), KW_CODE_DENIED);
    CHECK(unlink(other) == 0 && unlink(path) == 0 && rmdir(dir) == 0);
    CHECK_CODE(kw_sample_save(path, &sample, &note), KW_CODE_IO);
    CHECK_CODE(kw_sample_load(path, &sample, &note), KW_CODE_MISSING);
}

TEST(load__a_bad_one__the_path_is_named)
{
    char dir[] = "/tmp/keyward-sample-XXXXXX", path[64];
    CHECK(mkdtemp(dir) != NULL);
    snprintf(path, sizeof path, "%s/sample", dir);
    CHECK_OK(kw_file_replace(path, kw_span_str("{}"), 0600, &note));
    CHECK_CODE(kw_sample_load(path, &sample, &note), KW_CODE_BAD_INPUT);
    CHECK_HAS(note.text, path);
    CHECK(unlink(path) == 0 && rmdir(dir) == 0);
}

/* The AAD of the first vector. */
TEST(envelope__aad_of_the_vector)
{
    struct kw_envelope env;
    uint8_t aad[KW_AAD_MAX];
    size_t len = 0;
    char hex[2 * KW_AAD_MAX + 1];
    CHECK_OK(kw_sample_parse(kw_span_str(GOOD), &sample, &note));
    kw_sample_envelope(&sample, &env, aad, &len);
    CHECK(env.seed_len == 32);
    kw_hex(hex, sizeof hex, kw_span_of(aad, len));
    CHECK_STR(hex,
              "6b65797761726401010107736563726574730020a0a1a2a3a4a5a6a7a8a9aaab001e6b7731"
              "2d312d303031313232333334343535363637373838393961616262000464656d6f");
}

KW_CASES("provider/cli/sample", CASE(parse__no_json_or_no_object__refused),
         CASE(parse__members_missing_unknown_twice_or_of_another_type__refused),
         CASE(parse__values_that_are_none__refused_by_name),
         CASE(parse__a_check_blob__refused),
         CASE(parse__what_a_terminal_would_obey__made_plain),
         CASE(text__read_back__the_same), CASE(save__something_is_there__it_stays),
         CASE(load__a_bad_one__the_path_is_named), CASE(envelope__aad_of_the_vector))
