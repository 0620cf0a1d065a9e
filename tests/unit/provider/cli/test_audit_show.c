/* SPDX-License-Identifier: Apache-2.0 */
/* keyward audit show, on the golden log and on what is none. */
#include "check.h"

#include <stdio.h>
#include <unistd.h>

#include <keyward/audit.h>
#include <keyward/file.h>

#include "run.h"

static const char first[] = KW_VECTORS "/audit-genesis.jsonl",
                  later[] = KW_VECTORS "/audit-later.jsonl";

static struct kw_run r;
static char dir[64], strange[96];
static struct kw_blob text; /* of first */

#define SHOW(...)                                                                        \
    kw_run(&r, (const char *const[]){KEYWARD, "audit", "show", __VA_ARGS__, NULL})

static void begin(void)
{
    snprintf(dir, sizeof dir, "/tmp/keyward-show-XXXXXX");
    CHECK(mkdtemp(dir) != NULL);
    snprintf(strange, sizeof strange, "%s/strange.jsonl", dir);
    CHECK_OK(kw_file_read(first, 1 << 16, &text, NULL));
}

static void end(void)
{
    kw_blob_wipe(&text);
    (void)unlink(strange);
    CHECK(rmdir(dir) == 0);
}

static void put(kw_span bytes)
{
    CHECK_OK(kw_file_replace(strange, bytes, 0644, NULL));
}

static size_t lines(const char *s)
{
    size_t n = 0;
    for (; *s != '\0'; s++)
        n += *s == '\n';
    return n;
}

/* A record of some values; the rest of a call is as dull as it can be. */
static kw_dst put_call(uint8_t *room, size_t cap, const char *method, const char *token)
{
    static const uint8_t previous[KW_SHA256];
    uint8_t hash[KW_SHA256];
    kw_dst dst = kw_dst_of(room, cap);
    struct kw_audit_record call = {.seq = 9,
                                   .time = kw_span_str("2026-11-28T12:00:09.000000Z"),
                                   .kind = KW_AUDIT_CALL};
    for (size_t i = 0; i < KW_AUDIT_CALL_VALUES; i++)
        call.value[i] = KW_AUDIT_NULL;
    call.value[KW_AUDIT_CALL_METHOD] = kw_audit_text(method);
    call.value[KW_AUDIT_CALL_CLASS] = kw_audit_text("secrets");
    call.value[KW_AUDIT_CALL_REQUEST] = kw_audit_text("other:0:e3b0c44298fc1c14");
    call.value[KW_AUDIT_CALL_TOKEN] = kw_audit_text(token);
    call.value[KW_AUDIT_CALL_SOURCE] = kw_audit_text("none");
    call.value[KW_AUDIT_CALL_CODE] = kw_audit_number(0);
    call.value[KW_AUDIT_CALL_REASON] = kw_audit_text("ok");
    call.value[KW_AUDIT_CALL_TOOK_US] = kw_audit_number(1);
    CHECK_OK(kw_audit_write(&call, previous, &dst, hash));
    return dst;
}

TEST(two_files__a_line_each_in_the_given_order)
{
    SHOW(later, first);
    assert_int_equal(r.status, 0);
    assert_int_equal(lines(r.out), 25);
    CHECK_STR(r.err, "");
    CHECK(strncmp(r.out, "2026-11-28T12:00:06.000000Z file format=1 log=000102", 52) ==
          0);
    CHECK_HAS(r.out,
              "\n2026-11-28T12:00:07.000000Z tampered what=size wanted=4096 found=0\n");
    CHECK_HAS(r.out, "tampered what=moved wanted=null found=null\n");
    CHECK_HAS(r.out, " genesis format=1 ");
    CHECK_HAS(r.out, " node=\"node-1.example\" boot=");
    CHECK_HAS(r.out, "call method=decrypt class=secrets request=other:0:e3b0c44298fc1c14 "
                     "key_id=null peer_uid=0 peer_gid=0 peer_pid=4711 peer_start=123456 "
                     "token=\"\" source=hsm code=14 reason=hsm-down ckr=48 took_us=9 "
                     "ciphertext=null\n");
}

TEST(json__the_bytes_of_the_file)
{
    SHOW("--json", first);
    assert_int_equal(r.status, 0);
    CHECK(kw_span_equal_str(kw_blob_peek(&text), r.out));
    SHOW("--json", "--kind", "genesis", first);
    assert_int_equal(lines(r.out), 1);
    CHECK(strncmp(r.out, (const char *)text.ptr, strlen(r.out)) == 0);
}

TEST(options__each_chooses_and_all_must_hold)
{
    static const struct {
        const char *option, *value;
        size_t of; /* so many of them */
    } rows[] = {
        {"--kind", "call", 4},
        {"--kind", "tampered", 2},
        {"--kind", "operator", 2},
        {"--kind", "signature", 1}, /* the last of all kinds */
        {"--class", "secrets", 7},
        {"--class", "bulk", 0},
        {"--method", "encrypt", 1},
        {"--code", "0", 2},
        {"--code", "14", 3},
        {"--code", "1", 0},
        {"--reason", "unknown-key", 1},
        {"--reason", "signal", 1}, /* of a stop */
        {"--key-id", "kw1-1-00112233445566778899aabb", 4},
        {"--key-id", "kw2-1", 1}, /* as the peer called it */
        {"--key-id", "other:5:810c8f6c0e4940ee", 1},
        {"--key-id", "null", 0},
        {"--pid", "4711", 4},
        {"--pid", "9007199254740991", 1}, /* of a start */
        {"--since", "2026-11-28T12:00:05Z", 10},
        {"--since", "2026-11-28T12:00:05.000001Z", 8},
        {"--since", "2026-11-28T12:00:04.9Z", 10},
        {"--until", "2026-11-28T12:00:05Z", 15},
        {"--until", "2026-11-28T12:00:05.000001Z", 17},
        {"--until", "2026-11-28T12:00:00.0Z", 0},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        SHOW(rows[i].option, rows[i].value, first, later);
        assert_int_equal(r.status, 0);
        if (lines(r.out) != rows[i].of)
            fail_msg("%s %s: %zu lines", rows[i].option, rows[i].value, lines(r.out));
    }
    SHOW("--method", "decrypt", "--pid", "4711", "--code", "14", first, later);
    assert_int_equal(lines(r.out), 1);
    SHOW("--method", "encrypt", "--code", "14", first, later);
    CHECK_STR(r.out, "");
}

TEST(csv__columns_of_a_call_and_the_rest)
{
    SHOW("--csv", first, later);
    assert_int_equal(r.status, 0);
    assert_int_equal(lines(r.out), 26);
    CHECK(strncmp(r.out,
                  "seq,time,kind,method,class,request,key_id,peer_uid,peer_gid,peer_pid,"
                  "peer_start,token,source,code,reason,ckr,took_us,ciphertext,rest\r\n",
                  134) == 0);
    CHECK_HAS(r.out,
              "\r\n5,2026-11-28T12:00:05.000000Z,call,decrypt,secrets,"
              "other:0:e3b0c44298fc1c14,,0,0,4711,123456,,hsm,14,hsm-down,48,9,,\r\n");
    CHECK_HAS(r.out,
              "\r\n17,2026-11-28T12:00:07.000000Z,stop,,,,,,,,,,,,,,,,reason=signal\r\n");
    CHECK_HAS(r.out, " node=\"\"node-1.example\"\" "); /* within a quoted cell */
}

/* What a log may say and a spreadsheet would run. */
TEST(csv__a_cell_is_no_formula)
{
    static const char *const rows[][2] = {
        {"=1+2,3", ",\"'=1+2,3\","}, {"+1", ",'+1,"},  {"-1", ",'-1,"},
        {"@SUM(A1)", ",'@SUM(A1),"}, {"a=b", ",a=b,"}, {"", ",,none,"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        uint8_t room[KW_AUDIT_LINE_MAX];
        kw_dst dst = put_call(room, sizeof room, "-x", rows[i][0]);
        put(kw_dst_span(&dst));
        SHOW("--csv", strange);
        assert_int_equal(r.status, 0);
        CHECK_HAS(r.out, rows[i][1]);
        CHECK_HAS(r.out, ",call,'-x,secrets,");
    }
}

TEST(longest_value__shown)
{
    uint8_t room[KW_AUDIT_LINE_MAX];
    kw_dst dst =
        put_call(room, sizeof room, "encrypt", "a b c d e f g h i j k l m n o pq");
    put(kw_dst_span(&dst));
    SHOW(strange);
    assert_int_equal(r.status, 0);
    CHECK_HAS(r.out, " token=\"a b c d e f g h i j k l m n o pq\" source=none ");
}

static void put_with(kw_span before, kw_span after)
{
    static uint8_t room[1 << 17];
    kw_dst dst = kw_dst_of(room, sizeof room);
    CHECK(kw_dst_put(&dst, before) && kw_dst_put(&dst, kw_blob_peek(&text)) &&
          kw_dst_put(&dst, after));
    put(kw_dst_span(&dst));
}

TEST(no_record__said_with_its_place_and_the_others_shown)
{
    static char long_line[5000];
    char place[160];
    memset(long_line, 'a', sizeof long_line - 1);
    long_line[sizeof long_line - 2] = '\n';
    put_with(kw_span_str(long_line), kw_span_str("a diary"));
    SHOW(later, strange);
    assert_int_equal(r.status, 1);
    assert_int_equal(lines(r.out), 25);
    assert_int_equal(lines(r.err), 2);
    snprintf(place, sizeof place,
             "keyward: %s, line 1 is no record: the line is longer than", strange);
    CHECK_HAS(r.err, place);
    snprintf(place, sizeof place, "%s, line 8 is no record: it has no end", strange);
    CHECK_HAS(r.err, place);
    put_with(kw_span_str("\n"), kw_span_str(""));
    SHOW("--json", strange);
    assert_int_equal(r.status, 1);
    CHECK(kw_span_equal_str(kw_blob_peek(&text), r.out));
}

static void check_is_ascii(const char *s)
{
    for (; *s != '\0'; s++)
        if (*s != '\n' && *s != '\r' && (*s < ' ' || *s > '~'))
            fail_msg("byte %d came out", *s);
}

/* Each byte in each place of a record, and each byte alone: nothing of it reaches a terminal. */
TEST(hostile_file__nothing_but_printable_ascii_comes_out)
{
    static const char *const how[] = {"--since=2026-01-01T00:00:00Z", "--json", "--csv"};
    static uint8_t room[1 << 17];
    const uint8_t *line_end = memchr(text.ptr, '\n', text.len);
    CHECK(line_end != NULL);
    const size_t len = (size_t)(line_end - text.ptr) + 1;
    kw_dst dst = kw_dst_of(room, sizeof room);
    for (size_t at = 0; at < len; at += 7)
        for (unsigned c = at == 0 ? 0 : 0x80 + (at & 0x7f), n = 0;
             n < (at == 0 ? 256 : 1); n++, c++) {
            const uint8_t byte = (uint8_t)c;
            CHECK(kw_dst_put(&dst, kw_span_of(text.ptr, at)) &&
                  kw_dst_put_u8(&dst, byte) &&
                  kw_dst_put(&dst,
                             kw_span_of(text.ptr + at + 1, at == 0 ? 9 : len - at - 1)) &&
                  kw_dst_put_u8(&dst, '\n'));
        }
    CHECK(kw_dst_put(&dst, kw_span_str("\033]0;owned\a\033[2J\xc3\xa4\xe2\x80\xae\n")));
    put_with(kw_dst_span(&dst), kw_span_str(""));
    for (size_t i = 0; i < sizeof how / sizeof how[0]; i++) {
        SHOW(how[i], strange);
        assert_int_equal(r.status, 1);
        CHECK_HAS(r.out, "hsm-down"); /* the records behind */
        CHECK(lines(r.err) > 256);
        check_is_ascii(r.out);
        check_is_ascii(r.err);
    }
}

TEST(no_file_or_wrong_words__three_and_two)
{
    SHOW(first, "/tmp/keyward-show-none");
    assert_int_equal(r.status, 3);
    assert_int_equal(lines(r.out), 6);
    CHECK_HAS(r.err, "/tmp/keyward-show-none: No such file");
    SHOW("--json", "/tmp");
    assert_int_equal(r.status, 3);
    CHECK_STR(r.out, ""); /* lines of a log or nothing */
    SHOW("--csv");
    assert_int_equal(r.status, 2);
    static const char *const wrong[][2] = {
        {"--since", "yesterday"},
        {"--until", "2026-11-28"},
        {"--since", "2026-11-28T12:00:00.0000001Z"},
        {"--code", "17"},
        {"--code", "-1"},
        {"--pid", "first"},
        {"--kind", "diary"},
        {"--csv", "--json"},
    };
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        SHOW(wrong[i][0], wrong[i][1], first);
        if (r.status != 2 || r.out[0] != '\0')
            fail_msg("%s %s: status %d", wrong[i][0], wrong[i][1], r.status);
    }
}

TEST(standard_output_full__three)
{
    kw_run(&r, (const char *const[]){"/bin/sh", "-c", "exec \"$@\" >/dev/full", "sh",
                                     KEYWARD, "audit", "show", first, NULL});
    assert_int_equal(r.status, 3);
    CHECK_HAS(r.err, "could not be written");
}

TEST(help__says_what_it_does_not_look_at)
{
    SHOW("--help");
    assert_int_equal(r.status, 0);
    CHECK_HAS(r.out, "none was changed, is not looked at: see\nkeyward audit verify");
}

KW_SUITE_AROUND("provider/cli/audit_show", begin, end)
