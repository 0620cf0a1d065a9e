/* SPDX-License-Identifier: Apache-2.0 */
/* Bytes that came from etcd, made harmless. */
#include "foreign.h"

#include <jansson.h>
#include <stdio.h>
#include <unistd.h>

#include <keyward/file.h>

#include "check.h"

static char text[KW_FOREIGN_MAX], other[KW_FOREIGN_MAX];
static char *written;
static size_t written_len;
static struct kw_redaction r, s;
static char path[64];

static void begin(void)
{
    kw_test_arena(1 << 14);
    snprintf(path, sizeof path, "/tmp/keyward-foreign-XXXXXX");
    const int fd = mkstemp(path);
    CHECK(fd >= 0 && close(fd) == 0);
}

static void end(void)
{
    kw_redaction_end(&r);
    kw_redaction_end(&s);
    free(written);
    written = NULL;
    CHECK(unlink(path) == 0);
}

static const char *plain(kw_span bytes)
{
    kw_foreign_text(NULL, KW_FOREIGN_NAME, bytes, text);
    return text;
}

static const char *by(void (*write)(FILE *, const char *), const char *what)
{
    free(written);
    FILE *out = open_memstream(&written, &written_len);
    CHECK(out != NULL);
    write(out, what);
    CHECK(fclose(out) == 0);
    return written;
}

static void key(const char *bytes)
{
    CHECK_OK(kw_file_replace(path, kw_span_str(bytes), 0600, NULL));
}

TEST(redaction__key_of_a_wrong_size__refused_and_off)
{
    static char long_key[KW_REDACT_KEY_MAX + 3];
    struct kw_note note = {{0}};
    key("0123456789abcdef0123456789abcde");
    CHECK_CODE(kw_redaction_begin(&r, path, &note), KW_CODE_BAD_INPUT);
    CHECK_HAS(note.text, "at least 32 bytes");
    CHECK(!r.on);
    memset(long_key, 'x', sizeof long_key - 1);
    key(long_key);
    CHECK(kw_failed(kw_redaction_begin(&r, path, &note)) && !r.on);
    key("");
    CHECK(kw_failed(kw_redaction_begin(&r, path, &note)) && !r.on);
    CHECK_CODE(kw_redaction_begin(&r, "/tmp/keyward-none", &note), KW_CODE_MISSING);
    CHECK(!r.on);
}

TEST(redaction__ended_twice__once)
{
    CHECK_OK(kw_redaction_begin(&r, NULL, NULL));
    kw_redaction_end(&r);
    kw_redaction_end(&r);
    CHECK(!r.on);
}

TEST(redaction__own_keys__differ)
{
    CHECK_OK(kw_redaction_begin(&r, NULL, NULL));
    CHECK_OK(kw_redaction_begin(&s, NULL, NULL));
    kw_foreign_text(&r, KW_FOREIGN_NAME, kw_span_str("name"), text);
    kw_foreign_text(&s, KW_FOREIGN_NAME, kw_span_str("name"), other);
    CHECK(strcmp(text, other) != 0);
}

TEST(redaction__a_key_s__the_same_again_and_another_for_each_kind)
{
    static const char *const known = "h:6844c65f37acb7c6";
    char seen[KW_FOREIGN_KEY_ID][KW_FOREIGN_MAX];
    key("0123456789abcdef0123456789abcdef");
    CHECK_OK(kw_redaction_begin(&r, path, NULL));
    CHECK_OK(kw_redaction_begin(&s, path, NULL));
    for (unsigned what = 0; what < KW_FOREIGN_KEY_ID; what++) {
        kw_foreign_text(&r, what, kw_span_str("name"), seen[what]);
        kw_foreign_text(&s, what, kw_span_str("name"), other);
        CHECK_STR(seen[what], other);
        CHECK(strlen(other) == 18 && strncmp(other, "h:", 2) == 0);
        for (unsigned before = 0; before < what; before++)
            CHECK(strcmp(seen[before], other) != 0);
    }
    CHECK_STR(seen[KW_FOREIGN_NAME], known);
    kw_foreign_text(&r, KW_FOREIGN_KEY_ID, kw_span_str("k1"), text);
    CHECK_STR(text, "k1");
    kw_foreign_text(&r, KW_FOREIGN_NAME, kw_span_str(""), text);
    CHECK_STR(text, "");
}

TEST(text__every_byte__printable_and_its_own)
{
    static char all[256][KW_FOREIGN_MAX];
    for (unsigned i = 0; i < 256; i++) {
        const uint8_t byte = (uint8_t)i;
        kw_foreign_text(NULL, KW_FOREIGN_NAME, kw_span_of(&byte, 1), all[i]);
        for (const char *c = all[i]; *c != '\0'; c++)
            CHECK(*c >= ' ' && *c <= '~');
        for (unsigned before = 0; before < i; before++)
            CHECK(strcmp(all[before], all[i]) != 0);
    }
    CHECK_STR(all['a'], "a");
    CHECK_STR(all['\n'], "\\x0a");
    CHECK_STR(plain(kw_span_str("\xe2\x80\xae\\x0a\xe2\x80\xac")),
              "\\xe2\\x80\\xae\\\\x0a\\xe2\\x80\\xac");
}

TEST(text__longer_than_is_shown__cut_and_its_length_said)
{
    static uint8_t bytes[KW_FOREIGN_BYTES + 1];
    memset(bytes, 0xff, sizeof bytes);
    CHECK(strlen(plain(kw_span_of(bytes, KW_FOREIGN_BYTES))) ==
          (size_t)4 * KW_FOREIGN_BYTES);
    plain(kw_span_of(bytes, sizeof bytes));
    CHECK_STR(text + (size_t)4 * KW_FOREIGN_BYTES, "\\... (513 bytes)");
    /* Only the length counts of what is not shown. */
    kw_foreign_text(NULL, KW_FOREIGN_NAME,
                    (kw_span){.ptr = bytes, .len = KW_FOREIGN_BYTES + 1}, text);
    CHECK(strlen(text) < KW_FOREIGN_MAX);
}

TEST(json__every_byte__reads_back_as_the_text)
{
    uint8_t bytes[256];
    for (unsigned i = 0; i < 256; i++)
        bytes[i] = (uint8_t)i;
    by(kw_foreign_json, plain(kw_span_of(bytes, sizeof bytes)));
    json_t *value = json_loads(written, JSON_DECODE_ANY, NULL);
    CHECK(value != NULL);
    CHECK_STR(json_string_value(value), text);
    json_decref(value);
    CHECK_STR(by(kw_foreign_json, ""), "\"\"");
}

KW_SUITE_AROUND("provider/cli/foreign", begin, end)
