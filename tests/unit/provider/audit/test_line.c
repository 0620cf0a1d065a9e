/* SPDX-License-Identifier: Apache-2.0 */
/* One spelling of everything: what is read is written back identically, and what is spelled
 * otherwise is neither read nor written. */
#include "vectors.h"

#include <stdio.h>

#include "check.h"

static const uint8_t previous[KW_SHA256] = {1, 2, 3};

/* A record that may be written; a case spoils one value of it. */
static struct kw_audit_record a_call(void)
{
    struct kw_audit_record r = {.seq = 7,
                                .time = kw_span_str("2026-11-28T12:00:00.000001Z"),
                                .mono_us = 8,
                                .kind = KW_AUDIT_CALL};
    for (size_t i = 0; i < KW_AUDIT_CALL_VALUES; i++)
        r.value[i] = KW_AUDIT_NULL;
    r.value[KW_AUDIT_CALL_METHOD] = kw_audit_text("decrypt");
    r.value[KW_AUDIT_CALL_CLASS] = kw_audit_text("secrets");
    r.value[KW_AUDIT_CALL_REQUEST] =
        kw_audit_text("6b770000-0000-4000-8000-00000000000a");
    r.value[KW_AUDIT_CALL_SOURCE] = kw_audit_text("cache");
    r.value[KW_AUDIT_CALL_CODE] = kw_audit_number(0);
    r.value[KW_AUDIT_CALL_REASON] = kw_audit_text("ok");
    r.value[KW_AUDIT_CALL_TOOK_US] = kw_audit_number(9);
    return r;
}

static kw_err write_it(const struct kw_audit_record *r, char line[KW_AUDIT_LINE_MAX])
{
    uint8_t hash[KW_SHA256];
    kw_dst dst = kw_dst_of(line, KW_AUDIT_LINE_MAX);
    kw_err e = kw_audit_write(r, previous, &dst, hash);
    CHECK(kw_failed(e) == (dst.len == 0));
    line[dst.len > 0 ? dst.len - 1 : 0] = '\0';
    return e;
}

static bool reads(kw_span line)
{
    struct kw_audit_record r;
    struct kw_note note = {{0}};
    uint8_t hash[KW_SHA256];
    kw_err e = kw_audit_read(line, &r, hash, &note);
    CHECK(kw_failed(e) == (note.text[0] != '\0'));
    return !kw_failed(e);
}

/* Not written with this value, and not read with it in the place of the right one. */
static void is_refused(size_t value, const char *text, const char *instead_of)
{
    char line[KW_AUDIT_LINE_MAX], wrong[2 * KW_AUDIT_LINE_MAX];
    struct kw_audit_record r = a_call();
    CHECK_OK(write_it(&r, line));
    CHECK(reads(kw_span_str(line)));
    const char *at = strstr(line, instead_of);
    CHECK(at != NULL);
    snprintf(wrong, sizeof wrong, "%.*s%s%s", (int)(at - line), line, text,
             at + strlen(instead_of));
    if (reads(kw_span_str(wrong)))
        fail_msg("%s", wrong);
    r.value[value] = kw_audit_text(text);
    kw_err e = write_it(&r, line);
    CHECK_CODE(e, KW_CODE_BAD_INPUT);
    assert_string_equal(e.where, kw_audit_shape(r.kind)->member[value].name);
}

TEST(word__of_other_letters_or_too_long__refused)
{
    static const char *const wrong[] = {"",         "Secrets", "sec rets", "a_b", "a.b",
                                        "\xc3\xa4", "a\"b",    "a\\b",     "a\nb"};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        is_refused(KW_AUDIT_CALL_CLASS, wrong[i], "secrets");
    is_refused(KW_AUDIT_CALL_CLASS, "123456789012345678901234567890123", "secrets");
}

TEST(request__neither_a_uuid_nor_foreign__refused)
{
    static const char *const wrong[] = {"6B770000-0000-4000-8000-00000000000a",
                                        "6b770000-0000-4000-8000-00000000000",
                                        "6b770000-0000-4000-8000-00000000000ab",
                                        "6b7700000000-4000-8000-00000000000a-",
                                        "other:1:0123456789abcde",
                                        "other:1:0123456789abcdef0",
                                        "other:01:0123456789abcdef",
                                        "other::0123456789abcdef",
                                        "other:9223372036854775808:0123456789abcdef",
                                        "a name of my own"};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        is_refused(KW_AUDIT_CALL_REQUEST, wrong[i],
                   "6b770000-0000-4000-8000-00000000000a");
}

static void key_id(const char *text, bool good)
{
    char line[KW_AUDIT_LINE_MAX];
    struct kw_audit_record r = a_call();
    r.value[KW_AUDIT_CALL_KEY_ID] = kw_audit_text(text);
    CHECK(kw_failed(write_it(&r, line)) == !good);
    CHECK(!good || reads(kw_span_str(line)));
}

TEST(key_id__ours_or_foreign__else_refused)
{
    key_id("kw1-1-00112233445566778899aabb", true);
    key_id("kw1-4294967295-00112233445566778899aabb", true);
    key_id("other:0:e3b0c44298fc1c14", true);
    key_id("kw1-4294967296-00112233445566778899aabb", false);
    key_id("kw1-01-00112233445566778899aabb", false);
    key_id("kw1-1-00112233445566778899aab", false);
    key_id("kw1-1-00112233445566778899aabbc", false);
    key_id("kw2-1-00112233445566778899aabb", false);
    key_id("", false);
}

TEST(null__where_there_must_be_a_value__refused)
{
    static const bool may[KW_AUDIT_CALL_VALUES] = {
        [KW_AUDIT_CALL_KEY_ID] = true,     [KW_AUDIT_CALL_PEER_UID] = true,
        [KW_AUDIT_CALL_PEER_GID] = true,   [KW_AUDIT_CALL_PEER_PID] = true,
        [KW_AUDIT_CALL_PEER_START] = true, [KW_AUDIT_CALL_TOKEN] = true,
        [KW_AUDIT_CALL_CKR] = true,        [KW_AUDIT_CALL_CIPHERTEXT] = true};
    char line[KW_AUDIT_LINE_MAX];
    for (size_t i = 0; i < KW_AUDIT_CALL_VALUES; i++) {
        struct kw_audit_record r = a_call();
        r.value[i] = KW_AUDIT_NULL;
        CHECK(kw_failed(write_it(&r, line)) == !may[i]);
        CHECK(!may[i] || reads(kw_span_str(line)));
    }
}

TEST(number__above_63_bits__refused)
{
    char line[KW_AUDIT_LINE_MAX];
    struct kw_audit_record r = a_call();
    r.value[KW_AUDIT_CALL_TOOK_US] = kw_audit_number(INT64_MAX);
    CHECK_OK(write_it(&r, line));
    CHECK(reads(kw_span_str(line)));
    r.value[KW_AUDIT_CALL_TOOK_US] = kw_audit_number((uint64_t)INT64_MAX + 1);
    CHECK_CODE(write_it(&r, line), KW_CODE_BAD_INPUT);
    r = a_call();
    r.seq = UINT64_MAX;
    CHECK_CODE(write_it(&r, line), KW_CODE_BAD_INPUT);
}

TEST(time__that_is_none__refused)
{
    static const char *const wrong[] = {
        "2026-13-28T12:00:00.000001Z", "2026-00-28T12:00:00.000001Z",
        "2026-11-32T12:00:00.000001Z", "2026-11-28T24:00:00.000001Z",
        "2026-11-28T12:60:00.000001Z", "2026-11-28T12:00:61.000001Z",
        "2026-11-28T12:00:00.00001Z",  "2026-11-28 12:00:00.000001Z",
        "2026-11-28T12:00:00.000001",  "2026-11-28T12:00:00.0000010Z"};
    char line[KW_AUDIT_LINE_MAX];
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        struct kw_audit_record r = a_call();
        r.time = kw_span_str(wrong[i]);
        CHECK_CODE(write_it(&r, line), KW_CODE_BAD_INPUT);
    }
}

/* The golden log was written by another program in another language. */
TEST(vectors__each__read_and_written_back_identically)
{
    const kw_span *lines = vectors();
    uint8_t head[KW_SHA256], said[KW_SHA256], hash[KW_SHA256];
    for (size_t i = 0; i < KW_SHA256; i++)
        head[i] = (uint8_t)i; /* the log's id */
    for (size_t i = 0; i < VECTORS; i++) {
        struct kw_audit_record r;
        struct kw_note note = {{0}};
        char line[KW_AUDIT_LINE_MAX];
        kw_dst dst = kw_dst_of(line, sizeof line);
        if (kw_failed(kw_audit_read(lines[i], &r, said, &note)))
            fail_msg("line %zu: %s", i, note.text);
        assert_int_equal(r.seq, i);
        CHECK_OK(kw_audit_write(&r, head, &dst, hash));
        assert_int_equal(dst.len, lines[i].len + 1);
        assert_memory_equal(line, lines[i].ptr, lines[i].len);
        assert_memory_equal(hash, said, sizeof said);
        memcpy(head, hash, sizeof head);
    }
}

/* Whatever stands in one place: the line is refused, or says another thing in the one
 * spelling which that has. */
TEST(vectors__each_byte_another_one__refused_or_another_record)
{
    const kw_span *lines = vectors();
    for (size_t i = 0; i < VECTORS; i++)
        for (size_t at = 0; at < lines[i].len; at++)
            for (unsigned byte = 0; byte < 256; byte++) {
                uint8_t wrong[KW_AUDIT_LINE_MAX], hash[KW_SHA256];
                char again[KW_AUDIT_LINE_MAX];
                struct kw_audit_record r;
                struct kw_note note;
                kw_dst dst = kw_dst_of(again, sizeof again);
                memcpy(wrong, lines[i].ptr, lines[i].len);
                wrong[at] = (uint8_t)byte;
                const kw_span line = kw_span_of(wrong, lines[i].len);
                if (kw_failed(kw_audit_read(line, &r, hash, &note)))
                    continue;
                CHECK_OK(kw_audit_write(&r, previous, &dst, hash));
                assert_int_equal(dst.len, line.len + 1);
                assert_memory_equal(again, wrong, line.len - 66); /* but for the hash */
            }
}

TEST(line__cut_or_longer__refused)
{
    const kw_span *lines = vectors();
    uint8_t longer[KW_AUDIT_LINE_MAX + 1];
    for (size_t i = 0; i < VECTORS; i++) {
        for (size_t len = 0; len < lines[i].len; len++)
            CHECK(!reads(kw_span_of(lines[i].ptr, len)));
        memcpy(longer, lines[i].ptr, lines[i].len);
        longer[lines[i].len] = ' ';
        CHECK(!reads(kw_span_of(longer, lines[i].len + 1)));
    }
    memset(longer, 'a', sizeof longer);
    CHECK(!reads(kw_span_of(longer, sizeof longer)));
}

TEST(line__other_spellings_of_the_same__refused)
{
    static const char *const pairs[][2] = {
        {"{\"seq\":7,", "{ \"seq\":7,"},
        {"\"seq\":7", "\"seq\":07"},
        {"\"seq\":7", "\"seq\":7.0"},
        {"\"seq\":7", "\"seq\":7e0"},
        {"\"seq\":7", "\"seq\":-7"},
        {"\"seq\":7", "\"seq\":+7"},
        {"\"code\":0", "\"code\":00"},
        {"\"code\":0", "\"code\": 0"},
        {"\"class\":\"s", "\"class\":\"\\u0073"},
        {"\"ckr\":null", "\"ckr\":NULL"},
        {"\"ckr\":null", "\"ckr\":\"null\""},
        {"\"token\":null", "\"token\":none"},
        {",\"took_us\":9", ""},
        {"\"kind\":\"call\"", "\"kind\":\"CALL\""},
        {"\"kind\":\"call\"", "\"kind\":\"\""},
    };
    char line[KW_AUDIT_LINE_MAX], wrong[2 * KW_AUDIT_LINE_MAX];
    struct kw_audit_record r = a_call();
    CHECK_OK(write_it(&r, line));
    for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++) {
        const char *at = strstr(line, pairs[i][0]);
        CHECK(at != NULL);
        snprintf(wrong, sizeof wrong, "%.*s%s%s", (int)(at - line), line, pairs[i][1],
                 at + strlen(pairs[i][0]));
        if (reads(kw_span_str(wrong)))
            fail_msg("%s", wrong);
    }
}

static void name_is(enum kw_audit_spelling spelling, const char *name, const char *want)
{
    char got[KW_AUDIT_NAME];
    CHECK_OK(kw_audit_name(spelling, kw_span_str(name), got));
    assert_string_equal(got, want);
}

TEST(name__of_a_peer__our_form_or_length_and_digest)
{
    name_is(KW_AUDIT_REQUEST, "6b770000-0000-4000-8000-00000000000a",
            "6b770000-0000-4000-8000-00000000000a");
    name_is(KW_AUDIT_REQUEST, "", "other:0:e3b0c44298fc1c14");
    name_is(KW_AUDIT_REQUEST, "abc", "other:3:ba7816bf8f01cfea");
    name_is(KW_AUDIT_KEY_ID, "kw1-1-00112233445566778899aabb",
            "kw1-1-00112233445566778899aabb");
    name_is(KW_AUDIT_KEY_ID, "abc", "other:3:ba7816bf8f01cfea");
    /* Nobody gets a name of his own into the log by looking like a foreign one. */
    name_is(KW_AUDIT_REQUEST, "other:3:ba7816bf8f01cfea", "other:24:0d3a6ec7f96aed0f");
}

/* The longest of each kind fits. */
TEST(line__of_the_longest_values__fits)
{
    static char longest[KW_AUDIT_KINDS][KW_AUDIT_VALUES_MAX][256];
    char line[KW_AUDIT_LINE_MAX];
    for (unsigned kind = 0; kind < KW_AUDIT_KINDS; kind++) {
        const struct kw_audit_shape *shape = kw_audit_shape((enum kw_audit_kind)kind);
        struct kw_audit_record r = a_call();
        r.seq = r.mono_us = INT64_MAX;
        r.kind = (enum kw_audit_kind)kind;
        CHECK(shape->count <= KW_AUDIT_VALUES_MAX);
        for (size_t i = 0; i < shape->count; i++) {
            const struct kw_audit_member *m = &shape->member[i];
            char *text = longest[kind][i];
            size_t len = m->spelling == KW_AUDIT_HEX ? 2u * m->most : m->most;
            CHECK(len < sizeof longest[0][0]);
            memset(text, 'a', len);
            if (m->spelling == KW_AUDIT_REQUEST)
                snprintf(text, sizeof longest[0][0],
                         "other:9223372036854775807:0123456789abcdef");
            if (m->spelling == KW_AUDIT_KEY_ID)
                snprintf(text, sizeof longest[0][0],
                         "kw1-4294967295-00112233445566778899aabb");
            r.value[i] = m->spelling == KW_AUDIT_NUMBER ? kw_audit_number(INT64_MAX)
                                                        : kw_audit_text(text);
        }
        CHECK_OK(write_it(&r, line));
        CHECK(reads(kw_span_str(line)));
    }
}

/* ---- docs/FORMATS.md ---------------------------------------------------------------- */

static void tell_spelling(const struct kw_audit_member *m, char dst[32])
{
    static const char *const names[] = {
        [KW_AUDIT_NUMBER] = "number",   [KW_AUDIT_WORD] = "word",
        [KW_AUDIT_TEXT] = "text",       [KW_AUDIT_HEX] = "hex",
        [KW_AUDIT_REQUEST] = "request", [KW_AUDIT_KEY_ID] = "key_id"};
    if (m->most > 0)
        snprintf(dst, 32, "%s(%u)%s", names[m->spelling], m->most,
                 m->may_be_null ? "?" : "");
    else
        snprintf(dst, 32, "%s%s%s", names[m->spelling],
                 strcmp(m->name, "format") == 0 ? " (1)" : "", m->may_be_null ? "?" : "");
}

TEST(formats__table_of_kinds__as_it_is_here)
{
    static char text[256 * 1024];
    FILE *file = fopen(KW_FORMATS, "re");
    CHECK(file != NULL);
    text[fread(text, 1, sizeof text - 1, file)] = '\0';
    CHECK(feof(file) && fclose(file) == 0);
    for (unsigned kind = 0; kind < KW_AUDIT_KINDS; kind++) {
        const struct kw_audit_shape *shape = kw_audit_shape((enum kw_audit_kind)kind);
        char row[1024], spelling[32];
        int len = snprintf(row, sizeof row, "| `%s` |", shape->name);
        for (size_t i = 0; i < shape->count; i++) {
            tell_spelling(&shape->member[i], spelling);
            len += snprintf(row + len, sizeof row - (size_t)len, "%s `%s` %s",
                            i > 0 ? "," : "", shape->member[i].name, spelling);
        }
        snprintf(row + len, sizeof row - (size_t)len, " |\n");
        CHECK_HAS(text, row);
    }
}

KW_SUITE("provider/audit/line")
