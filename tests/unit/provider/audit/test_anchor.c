/* SPDX-License-Identifier: Apache-2.0 */
/* Lines that somebody else kept: which are anchors, and what they say. */
#include <keyward/audit_anchor.h>

#include <stdio.h>

#include "check.h"
#include "vectors.h"

#define HEAD "0101010101010101010101010101010101010101010101010101010101010101"
#define LOG "0202020202020202020202020202020202020202020202020202020202020202"

static struct kw_audit_anchor a;

static bool is_anchor(const char *line)
{
    a = (struct kw_audit_anchor){.seq = 99};
    const bool is_one = kw_audit_anchor_read(kw_span_str(line), &a);
    CHECK(is_one || a.seq == 99);
    return is_one;
}

static void says(const char *line, uint64_t seq, bool has_log)
{
    if (!is_anchor(line))
        fail_msg("no anchor: %s", line);
    assert_int_equal(a.seq, seq);
    CHECK(a.head[0] == 1 && a.head[KW_SHA256 - 1] == 1);
    CHECK(a.has_log == has_log && (!has_log || a.log[KW_SHA256 - 1] == 2));
}

TEST(lines_of_the_log__with_whatever_stands_before_them)
{
    static const char text[] =
        "level=info event=audit-checkpoint seq=7 head=" HEAD " log=" LOG;
    char line[512];
    says(text, 7, true);
    snprintf(line, sizeof line, "Nov 28 12:00:00 node-1 keywardd[12]: 2026-11-28T1Z %s",
             text);
    says(line, 7, true);
    snprintf(line, sizeof line, "%s dropped_before=1", text);
    says(line, 7, true);
    says("{\"time\":\"t\",\"level\":\"info\",\"event\":\"audit-checkpoint\",\"seq\":8,"
         "\"head\":\"" HEAD "\",\"log\":\"" LOG "\"}",
         8, true);
}

TEST(number_and_hash__of_no_log_by_name)
{
    says("0:" HEAD, 0, false);
    says("9223372036854775807:" HEAD, INT64_MAX, false);
}

TEST(record__its_checkpoint)
{
    const kw_span *lines = vectors();
    CHECK(kw_audit_anchor_read(lines[VECTORS - 2], &a));
    CHECK(a.seq == VECTORS - 3 && a.has_log && a.log[31] == 31);
    CHECK(!kw_audit_anchor_read(lines[VECTORS - 1], &a)); /* a signature */
    CHECK(!kw_audit_anchor_read(lines[0], &a));
}

TEST(record__where_another_log_stands)
{
    struct kw_audit_record r = {.kind = KW_AUDIT_OPERATOR_LOG, .seq = 99};
    uint8_t bytes[KW_AUDIT_LINE_MAX], hash[KW_SHA256], previous[KW_SHA256] = {0};
    kw_dst dst = kw_dst_of(bytes, sizeof bytes);
    r.time = kw_span_str("2026-11-28T12:00:00.000000Z");
    r.value[KW_AUDIT_OPERATOR_LOG_LOG] = kw_audit_text(LOG);
    r.value[KW_AUDIT_OPERATOR_LOG_LAST] = kw_audit_number(7);
    r.value[KW_AUDIT_OPERATOR_LOG_HEAD] = kw_audit_text(HEAD);
    CHECK_OK(kw_audit_write(&r, previous, &dst, hash));
    CHECK(kw_audit_anchor_read(kw_span_of(bytes, kw_dst_span(&dst).len - 1), &a));
    CHECK(a.seq == 7 && a.has_log && a.log[31] == 2 && a.head[31] == 1);
    dst = kw_dst_of(bytes, sizeof bytes);
    for (unsigned i = 0; i < KW_AUDIT_OPERATOR_LOG_VALUES; i++)
        r.value[i] = KW_AUDIT_NULL;
    CHECK_OK(kw_audit_write(&r, previous, &dst, hash));
    CHECK(!kw_audit_anchor_read(kw_span_of(bytes, kw_dst_span(&dst).len - 1), &a));
}

/* As rsyslog (RFC 3164, RFC 3339) and journalctl (short, short-iso-precise, cat) write it. */
TEST(record__as_a_copy_in_the_system_log__the_same)
{
    static const char *const heads[] = {
        "",
        "Nov 28 12:00:00 host keywardd-audit[99]: ",
        "2026-11-28T12:00:00.123456+00:00 host keywardd-audit[99]: ",
        "2026-11-28T12:00:00.123456+0000 host keywardd-audit[99]: ",
        "<86>1 2026-11-28T12:00:00Z host keywardd-audit 99 - - ",
    };
    char line[KW_AUDIT_LINE_MAX + 128];
    const kw_span checkpoint = vectors()[VECTORS - 2], other = vectors()[VECTORS - 1];
    for (size_t i = 0; i < sizeof heads / sizeof heads[0]; i++) {
        snprintf(line, sizeof line, "%s%.*s", heads[i], (int)checkpoint.len,
                 (const char *)checkpoint.ptr);
        CHECK(is_anchor(line) && a.seq == VECTORS - 3 && a.log[31] == 31);
        CHECK(!kw_audit_anchor_is_beside(kw_span_str(line)));
        line[strlen(line) - 1] = '\0'; /* cut on its way */
        CHECK(!is_anchor(line) && !kw_audit_anchor_is_beside(kw_span_str(line)));
        snprintf(line, sizeof line, "%s%.*s", heads[i], (int)other.len,
                 (const char *)other.ptr);
        CHECK(!is_anchor(line) && kw_audit_anchor_is_beside(kw_span_str(line)));
    }
    CHECK(!kw_audit_anchor_is_beside(kw_span_str("")));
}

TEST(anything_else__refused)
{
    static const char *const others[] = {
        "",
        "7",
        "7:",
        "7:" HEAD "0",
        "7:" HEAD " ",
        "07:" HEAD,
        "-7:" HEAD,
        "9223372036854775808:" HEAD,
        "event=audit-checkpoint seq=7 head=" HEAD " log=" LOG,
        "level=info event=audit-checkpoint seq=7 head=" HEAD,
        "level=info event=audit-checkpoint seq=7 head=" HEAD " log=" LOG "0",
        "level=info event=audit-checkpoint seq= head=" HEAD " log=" LOG,
        "level=info event=audit-checkpoint",
        "\"event\":\"audit-checkpoint\",\"seq\":8,\"head\":\"" HEAD "\",\"log\":\"" LOG,
        "level=info event=audit-unsigned seq=7 err=hsm-down",
    };
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++)
        if (is_anchor(others[i]))
            fail_msg("an anchor: %s", others[i]);
}

KW_SUITE("provider/audit/anchor")
