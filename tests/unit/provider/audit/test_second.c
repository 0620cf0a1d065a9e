/* SPDX-License-Identifier: Apache-2.0 */
/* The second verifier (tests/vectors/verify-audit), which is no part of keyward, says the
 * same as the first one of whatever was done to a log. */
#include "vectors.h"

#include <stdio.h>
#include <unistd.h>

#include "check.h"
#include "run.h"

static bool first_takes(const kw_span *lines, size_t count)
{
    struct kw_audit_chain chain = {0};
    struct kw_audit_record r;
    struct kw_note note;
    for (size_t i = 0; i < count; i++)
        if (kw_failed(kw_audit_chain_take(&chain, lines[i], &r, &note)))
            return false;
    return count > 0;
}

static bool second_takes(const kw_span *lines, size_t count)
{
    static struct kw_run r;
    char path[] = "/tmp/keyward-audit-XXXXXX";
    const int fd = mkstemp(path);
    CHECK(fd >= 0);
    FILE *file = fdopen(fd, "w");
    for (size_t i = 0; i < count; i++)
        CHECK(fwrite(lines[i].ptr, 1, lines[i].len, file) == lines[i].len &&
              fputc('\n', file) != EOF);
    CHECK(fclose(file) == 0);
    kw_run(&r, (const char *const[]){KW_VECTORS "/verify-audit", path, NULL});
    CHECK(unlink(path) == 0 && r.err[0] == '\0');
    const bool is_whole = r.status == 0 || r.status == 4;
    CHECK_HAS(r.out, is_whole ? "whole: " : count == 0 ? "empty" : "broken: ");
    CHECK((r.status == 4) == (strstr(r.out, "incomplete: ") != NULL));
    return is_whole;
}

static void both_say(bool whole, const kw_span *lines, size_t count)
{
    CHECK(first_takes(lines, count) == whole);
    CHECK(second_takes(lines, count) == whole);
}

TEST(whole__and_each_file__taken)
{
    const kw_span *lines = vectors();
    both_say(true, lines, VECTORS);
    both_say(true, lines, VECTORS_FIRST);
    both_say(true, lines + VECTORS_FIRST, VECTORS_LATER);
    both_say(false, lines, 0);
}

TEST(a_log_that_says_that_one_was_lost__incomplete)
{
    static struct kw_run r;
    kw_run(&r, (const char *const[]){KW_VECTORS "/verify-audit",
                                     KW_VECTORS "/audit-later.jsonl", NULL});
    assert_int_equal(r.status, 4);
    CHECK_HAS(r.out, "incomplete: 1 of them say that a log was lost\n");
    kw_run(&r, (const char *const[]){KW_VECTORS "/verify-audit",
                                     KW_VECTORS "/audit-genesis.jsonl", NULL});
    assert_int_equal(r.status, 0);
}

TEST(a_line_dropped_or_said_twice__refused)
{
    const kw_span *lines = vectors();
    kw_span other[VECTORS + 1];
    for (size_t at = 0; at < VECTORS; at++) {
        for (size_t i = 0; i <= VECTORS; i++)
            other[i] = lines[i - (i > at)];
        both_say(false, other, VECTORS + 1);
        for (size_t i = 0; i + 1 < VECTORS; i++)
            other[i] = lines[i + (i >= at)];
        both_say(at == VECTORS - 1, other, VECTORS - 1); /* an end cut off is not seen */
    }
}

/* In the middle of each line: a digit, a letter or a sign becomes its neighbour. */
TEST(a_bit_flipped_in_each_line__refused)
{
    const kw_span *lines = vectors();
    kw_span other[VECTORS];
    uint8_t line[KW_AUDIT_LINE_MAX];
    for (size_t i = 0; i < VECTORS; i++)
        for (size_t part = 1; part < 4; part++) {
            memcpy(other, lines, sizeof other);
            memcpy(line, lines[i].ptr, lines[i].len);
            line[lines[i].len * part / 4] ^= 1;
            other[i] = kw_span_of(line, lines[i].len);
            both_say(false, other, VECTORS);
        }
}

/* It judges anchors and signatures, too: as the first one does (provider/cli/audit_verify). */
static const char *judged(int status, const char *option, const char *value)
{
    static struct kw_run r;
    kw_run(&r, (const char *const[]){KW_VECTORS "/verify-audit", option, value,
                                     KW_VECTORS "/audit-signed.jsonl", NULL});
    assert_int_equal(r.status, status);
    CHECK_STR(r.err, "");
    return r.out;
}

static const char *anchored(int status, const char *line)
{
    char path[] = "/tmp/keyward-audit-XXXXXX";
    const int fd = mkstemp(path);
    CHECK(fd >= 0 && write(fd, line, strlen(line)) == (ssize_t)strlen(line));
    CHECK(close(fd) == 0);
    const char *said = judged(status, "--anchors", path);
    CHECK(unlink(path) == 0);
    return said;
}

TEST(signatures__as_they_are)
{
    CHECK_HAS(judged(0, "--key", KW_VECTORS "/audit.pem"), "signed up to 5\n");
}

TEST(anchors__agree_or_tell_of_another_end_or_log)
{
#define HEAD_7 "f227cd24c2147767f3ec3705b264657da3c0066b144dda9fe7260b0c3e3b8071"
#define EVENT(seq, log)                                                                  \
    "t level=info event=audit-checkpoint seq=" seq " head=" HEAD_7 " log=" log "\n"
    char log[2 * KW_SHA256 + 1], line[300];
    uint8_t id[KW_SHA256];
    for (size_t i = 0; i < sizeof id; i++)
        id[i] = (uint8_t)i;
    kw_hex(log, sizeof log, kw_span_of(id, sizeof id));
    CHECK_HAS(anchored(0, "7:" HEAD_7 "\n"), "anchored up to 7\n");
    snprintf(line, sizeof line, EVENT("7", "%s"), log);
    CHECK_HAS(anchored(0, line), "anchored up to 7\n");
    snprintf(line, sizeof line, EVENT("6", "%s"), log);
    CHECK_HAS(anchored(1, line), "line 7: record 6 has another hash than an anchor\n");
    snprintf(line, sizeof line, EVENT("8", "%s"), log);
    CHECK_HAS(anchored(1, line), "the end is missing, an anchor is of record 8\n");
    log[0] = 'f';
    snprintf(line, sizeof line, EVENT("6", "%s"), log);
    CHECK_HAS(anchored(4, line),
              "not anchored\nincomplete: 1 anchors are of another log\n");
    CHECK_HAS(anchored(3, "a diary\n"), "no anchor: a diary\n");
}

KW_SUITE("provider/audit/second")
