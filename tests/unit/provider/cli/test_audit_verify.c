/* SPDX-License-Identifier: Apache-2.0 */
/* keyward audit verify, on copies of the golden log. */
#include "check.h"

#include <stdio.h>
#include <unistd.h>

#include <keyward/audit.h>
#include <keyward/file.h>

#include "run.h"

static const char verify_audit[] = KW_VECTORS "/verify-audit",
                  audit_pem[] = KW_VECTORS "/audit.pem",
                  signed_log[] = KW_VECTORS "/audit-signed.jsonl",
                  gap_log[] = KW_VECTORS "/audit-gap.jsonl";

static struct kw_run r;
static char dir[64], first[96], later[96], kept[96];
static struct kw_blob text[2]; /* of the two files */

#define VERIFY(...)                                                                      \
    kw_run(&r, (const char *const[]){KEYWARD, "audit", "verify", __VA_ARGS__, NULL})

static void put(const char *path, kw_span bytes)
{
    CHECK_OK(kw_file_replace(path, bytes, 0644, NULL));
}

static void begin(void)
{
    snprintf(dir, sizeof dir, "/tmp/keyward-verify-XXXXXX");
    CHECK(mkdtemp(dir) != NULL);
    snprintf(first, sizeof first, "%s/audit-0-5.jsonl", dir);
    snprintf(later, sizeof later, "%s/audit.jsonl", dir);
    snprintf(kept, sizeof kept, "%s/kept", dir);
    CHECK_OK(kw_file_read(KW_VECTORS "/audit-genesis.jsonl", 1 << 16, &text[0], NULL));
    CHECK_OK(kw_file_read(KW_VECTORS "/audit-later.jsonl", 1 << 16, &text[1], NULL));
    put(first, kw_blob_peek(&text[0]));
    put(later, kw_blob_peek(&text[1]));
}

static void end(void)
{
    kw_blob_wipe(&text[0]);
    kw_blob_wipe(&text[1]);
    (void)unlink(first);
    (void)unlink(later);
    (void)unlink(kept);
    CHECK(rmdir(dir) == 0);
}

TEST(whole_file__sound_and_its_head_is_told)
{
    VERIFY(first);
    assert_int_equal(r.status, 0);
    CHECK_HAS(r.out,
              "sound, not anchored\nrecords    0 to 5\nhead       ed56092489b759b7");
    CHECK_STR(r.err, "");
}

TEST(both_files__what_the_log_says_of_itself_is_told)
{
    VERIFY(first, later);
    assert_int_equal(r.status, 4);
    CHECK_HAS(r.out, "incomplete, not anchored\nrecords    0 to 24\n");
    CHECK_HAS(r.out, "tampered   2 of its records");
    CHECK_HAS(r.out, "torn       1 of its records");
    CHECK_HAS(r.out, "unsynced   1 of its records");
    CHECK_HAS(r.out, "unrecorded 2 of its records: calls were answered");
    CHECK_HAS(r.out, "log-lost   1 of its records: the node remembered a later record");
}

/* The line that has this in it, without its line feed. */
static kw_span line_with(kw_span lines, const char *what)
{
    const uint8_t *at = memmem(lines.ptr, lines.len, what, strlen(what));
    CHECK(at != NULL);
    const uint8_t *before = memrchr(lines.ptr, '\n', (size_t)(at - lines.ptr));
    CHECK(before != NULL);
    const uint8_t *end_of = memchr(at, '\n', lines.len - (size_t)(at - lines.ptr));
    CHECK(end_of != NULL);
    return kw_span_of(before + 1, (size_t)(end_of - before - 1));
}

/* Nothing else is amiss: that line of the later file alone behind its first. */
TEST(a_log_was_lost__incomplete)
{
    static uint8_t lines[2 * KW_AUDIT_LINE_MAX];
    char head[2 * KW_SHA256 + 1];
    uint8_t hash[KW_SHA256], id[KW_SHA256];
    kw_dst dst = kw_dst_of(lines, sizeof lines);
    struct kw_audit_record record;
    const kw_span line = line_with(kw_blob_peek(&text[1]), "log-lost");
    memset(id, 7, sizeof id);
    CHECK_OK(kw_audit_read(line, &record, hash, NULL));
    struct kw_audit_record file = record;
    kw_hex(head, sizeof head, kw_span_of(id, sizeof id));
    file.kind = KW_AUDIT_FILE;
    file.seq = record.seq - 1;
    file.value[KW_AUDIT_FILE_FORMAT] = kw_audit_number(1);
    file.value[KW_AUDIT_FILE_LOG] = kw_audit_text(head);
    file.value[KW_AUDIT_FILE_PREVIOUS] = kw_audit_text(head);
    CHECK_OK(kw_audit_write(&file, id, &dst, hash));
    CHECK_OK(kw_audit_write(&record, hash, &dst, hash));
    put(later, kw_dst_span(&dst));
    VERIFY(later);
    assert_int_equal(r.status, 4);
    CHECK_HAS(r.out, "log-lost   1 of its records");
    VERIFY("--json", later);
    CHECK_HAS(r.out, "\"log-lost\": 1");
}

TEST(later_file_alone__beginning_believed_unless_told)
{
    VERIFY(later);
    CHECK_HAS(r.out, "records    6 to 24; what came before them is believed\n");
    VERIFY("--from", "6:ed56092489b759b7c1c674dba0166b6b54264b84fbe409f5f03221c7ab6885b0",
           later);
    assert_int_equal(r.status, 4);
    CHECK_HAS(r.out, "records    6 to 24\n");
    VERIFY("--from", "6:fd56092489b759b7c1c674dba0166b6b54264b84fbe409f5f03221c7ab6885b0",
           later);
    assert_int_equal(r.status, 1);
    CHECK_HAS(r.out, "continues another record than the one before");
}

TEST(files_out_of_order_or_twice__broken_at_the_first_line)
{
    VERIFY(later, first);
    assert_int_equal(r.status, 1);
    CHECK_HAS(r.out, "broken\n");
    CHECK_HAS(r.out, ", line 1, byte 0: record 0 where 25 was to come");
    VERIFY(first, first);
    assert_int_equal(r.status, 1);
}

TEST(a_byte_changed__broken_there)
{
    char place[160];
    uint8_t *line = memchr(text[0].ptr, '\n', text[0].len);
    CHECK(line != NULL);
    line[20] ^= 1;
    put(first, kw_blob_peek(&text[0]));
    VERIFY(first, later);
    assert_int_equal(r.status, 1);
    snprintf(place, sizeof place, "broken at  %s, line 2, byte %td: ", first,
             line + 1 - text[0].ptr);
    CHECK_HAS(r.out, place);
    VERIFY("--json", first, later);
    assert_int_equal(r.status, 1);
    CHECK_HAS(r.out, "\"verdict\": \"broken\"");
    CHECK_HAS(r.out, "\"line\": 2,");
}

TEST(last_line_without_its_end__incomplete_but_not_before_another_file)
{
    put(first, kw_span_of(text[0].ptr, text[0].len - 1));
    VERIFY(first);
    assert_int_equal(r.status, 4);
    CHECK_HAS(r.out, "records    0 to 4\n");
    CHECK_HAS(r.out, "unended    the last line has no end");
    VERIFY(first, later);
    assert_int_equal(r.status, 1);
    CHECK_HAS(r.out, "the file before ends within a line");
}

TEST(no_log__broken)
{
    static char long_line[4096];
    memset(long_line, 'a', sizeof long_line - 1);
    put(first, kw_span_str("a diary\n"));
    VERIFY(first);
    assert_int_equal(r.status, 1);
    put(first, kw_span_str(long_line));
    VERIFY(first);
    assert_int_equal(r.status, 1);
    CHECK_HAS(r.out, "longer than 1023 bytes");
    VERIFY("-"); /* nothing there */
    assert_int_equal(r.status, 1);
    CHECK_HAS(r.out, "there is no record");
}

TEST(document__says_the_same)
{
    VERIFY("--json", first, later);
    assert_int_equal(r.status, 4);
    CHECK_HAS(r.out, "\"verdict\": \"incomplete\"");
    CHECK_HAS(r.out, "\"anchored\": false");
    CHECK_HAS(r.out, "\"beginning_known\": true");
    CHECK_HAS(r.out, "\"records\": 25");
    CHECK_HAS(r.out, "\"tampered\": 2");
    CHECK(strstr(r.out, "reason") == NULL);
}

TEST(not_there_or_wrong_words__three_and_two)
{
    VERIFY("/tmp/keyward-verify-none");
    assert_int_equal(r.status, 3);
    CHECK_HAS(r.err, "/tmp/keyward-verify-none: No such file");
    VERIFY("/tmp");
    assert_int_equal(r.status, 3);
    VERIFY("--from", "6", first);
    assert_int_equal(r.status, 2);
    VERIFY("--from", "6:00", first);
    assert_int_equal(r.status, 2);
    VERIFY("--json");
    assert_int_equal(r.status, 2);
}

/* ---- anchors ------------------------------------------------------------------------ */

#define HEAD_5 "ed56092489b759b7c1c674dba0166b6b54264b84fbe409f5f03221c7ab6885b0"
#define HEAD_20 "074f4b63583fb4e90712ed42b1d819f7955caf22fbf04a593cf9edfb16195914"
#define HEAD_24 "7a45873d52169c048d03c23563c44136683e251768ed54e1582724a9c5e54edc"
#define ID "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"
#define OTHER "ff0102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"
#define EVENT(seq, head, log)                                                            \
    "Nov 28 12:00:00 node-1 keywardd[1]: 2026-11-28T12:00:00.000000Z level=info "        \
    "event=audit-checkpoint seq=" seq " head=" head " log=" log "\n"

static void keep(const char *lines)
{
    put(kept, kw_span_str(lines));
}

TEST(anchors__agree__anchored_up_to_the_last)
{
    keep(EVENT("20", HEAD_20, ID) "\n5:" HEAD_5 "\n");
    VERIFY("--anchors", kept, first);
    assert_int_equal(r.status, 1); /* it ends before one of them */
    CHECK_HAS(r.out, "an anchor says that there was record 20: the end of the log is");
    VERIFY("--anchors", kept, first, later);
    assert_int_equal(r.status, 4); /* what the log says of itself */
    CHECK_HAS(r.out, "incomplete, anchored up to 20\n");
    CHECK_HAS(r.out, "anchors    2 agree, 0 are of records before the first\n");
    keep("5:" HEAD_5 "\n");
    VERIFY("--anchors", kept, first);
    assert_int_equal(r.status, 0);
    CHECK_HAS(r.out, "sound, anchored up to 5\n");
    VERIFY("--anchors", kept, "--json", first);
    CHECK_HAS(r.out, "\"anchored\": true");
    CHECK_HAS(r.out, "\"anchored_to\": 5");
}

/* What a later file says that it continues is all that there is of the record before. */
TEST(anchors__of_the_record_before_the_first__agree)
{
    keep("5:" HEAD_5 "\n3:" HEAD_24 "\n");
    VERIFY("--anchors", kept, later);
    CHECK_HAS(r.out, "incomplete, anchored up to 5\n");
    CHECK_HAS(r.out, "anchors    1 agree, 1 are of records before the first\n");
    keep("5:" HEAD_20 "\n");
    VERIFY("--anchors", kept, later);
    assert_int_equal(r.status, 1);
    CHECK_HAS(r.out, "line 1, byte 0: record 5 has another hash than an anchor");
}

/* Read from within a file the log is not known yet, and that is not this one's record 7. */
TEST(anchors__that_tell_of_the_operators_log__no_anchors_of_a_log_that_is_not_known)
{
    const kw_span all = kw_blob_peek(&text[1]);
    const kw_span told = line_with(all, "operator-log\",\"log\":\"");
    const uint8_t *feed = memchr(all.ptr, '\n', all.len);
    char from[2 + 2 * KW_SHA256 + 1], anchor[KW_AUDIT_LINE_MAX];
    CHECK(feed != NULL);
    const size_t len = (size_t)(feed - all.ptr) + 1;
    snprintf(from, sizeof from, "7:%.64s", (const char *)feed - 66);
    snprintf(anchor, sizeof anchor, "%.*s\n", (int)told.len, (const char *)told.ptr);
    keep(anchor);
    put(later, kw_span_of(all.ptr + len, all.len - len));
    VERIFY("--from", from, "--anchors", kept, later);
    assert_int_equal(r.status, 4);
    CHECK_HAS(r.out, "incomplete, not anchored\nrecords    7 to 24\n");
}

TEST(anchors__of_one_log_that_say_two_things__broken)
{
    keep("5:" HEAD_5 "\n" EVENT("5", HEAD_20, ID));
    VERIFY("--anchors", kept, first);
    assert_int_equal(r.status, 1);
    CHECK_HAS(r.out, "record 5 has another hash");
}

TEST(anchors__of_another_log_or_none__incomplete)
{
    keep(EVENT("3", HEAD_5, OTHER) EVENT("99", HEAD_5, OTHER));
    VERIFY("--anchors", kept, first);
    assert_int_equal(r.status, 4);
    CHECK_HAS(r.out, "incomplete, not anchored\n");
    CHECK_HAS(r.out, "others     2 anchors are of another log");
    keep("");
    VERIFY("--anchors", kept, first);
    assert_int_equal(r.status, 4);
}

TEST(anchors__that_are_none__said)
{
    keep("5:" HEAD_5 "\na diary\n");
    VERIFY("--anchors", kept, first);
    assert_int_equal(r.status, 1);
    CHECK_HAS(r.err, "line 2: it is neither a checkpoint of a log");
    CHECK_HAS(r.err, "the lines alone that grep -e audit-checkpoint -e 'keywardd-audit");
    kw_run_line(&r, 1, verify_audit, "--anchors %s %s", kept, first);
    CHECK_HAS(r.out, "no anchor: a diary\n");
    VERIFY("--anchors", "/tmp/keyward-verify-none", first);
    assert_int_equal(r.status, 3);
}

/* ---- signatures --------------------------------------------------------------------- */

/* What the verifier that is no part of keyward ends with. */
static int second(const char *path)
{
    static struct kw_run other;
    kw_run(&other, (const char *const[]){verify_audit, "--key", audit_pem, path, NULL});
    return other.status;
}

TEST(key__all_is_signed__sound)
{
    VERIFY("--key", audit_pem, signed_log);
    assert_int_equal(r.status, 0);
    CHECK_HAS(r.out, "sound, not anchored\nrecords    0 to 7\n");
    CHECK_HAS(r.out, "signed     up to 5\n");
    assert_int_equal(second(signed_log), 0);
    VERIFY("--key", audit_pem, "--json", signed_log);
    CHECK_HAS(r.out, "\"checked\": true");
    CHECK_HAS(r.out, "\"signed_to\": 5");
    CHECK_HAS(r.out, "\"end_signed\": true");
}

/* The whole log as it came into a system log, of a host with a long name. */
static void keep_copies_of(const char *path)
{
    static char copies[8 * (KW_AUDIT_LINE_MAX + 400)];
    char head[400];
    struct kw_blob log = {0};
    kw_dst dst = kw_dst_of(copies, sizeof copies);
    CHECK_OK(kw_file_read(path, 1 << 16, &log, NULL));
    snprintf(head, sizeof head, "Nov 28 12:00:00 %0250d keywardd-audit[4194304]: ", 1);
    for (size_t at = 0; at < log.len;) {
        const uint8_t *end = memchr(log.ptr + at, '\n', log.len - at);
        const size_t len = (size_t)(end - log.ptr) + 1 - at;
        CHECK(kw_dst_put(&dst, kw_span_str(head)) &&
              kw_dst_put(&dst, kw_span_of(log.ptr + at, len)));
        at += len;
    }
    put(kept, kw_dst_span(&dst));
    kw_blob_wipe(&log);
}

TEST(anchors__all_that_a_system_log_has__its_checkpoints_count)
{
    static struct kw_run other;
    keep_copies_of(signed_log);
    VERIFY("--anchors", kept, signed_log);
    assert_int_equal(r.status, 0);
    CHECK_HAS(r.out, "sound, anchored up to 5\n");
    CHECK_HAS(r.out, "anchors    2 agree, 0 are of records before the first\n");
    kw_run(&other,
           (const char *const[]){verify_audit, "--anchors", kept, signed_log, NULL});
    assert_int_equal(other.status, 0);
    CHECK_HAS(other.out, "anchored up to 5\n");
    VERIFY("--anchors", kept, first); /* of another log, or one that was written anew */
    assert_int_equal(r.status, 1);
}

TEST(no_key__signatures_are_unchecked)
{
    VERIFY(signed_log);
    assert_int_equal(r.status, 0);
    CHECK_HAS(r.out, "signatures 2, unchecked: --key says whose they are\n");
    VERIFY("--json", signed_log);
    CHECK_HAS(r.out, "\"checked\": false");
    VERIFY("--key", audit_pem, first);
    assert_int_equal(r.status, 4);
    CHECK_HAS(r.out, "signed     nothing by this key\n");
    assert_int_equal(second(first), 4);
}

TEST(key__a_stretch_is_signed_only_with_what_came_later__incomplete)
{
    VERIFY("--key", audit_pem, gap_log);
    assert_int_equal(r.status, 4);
    CHECK_HAS(r.out, "signed     up to 5\n");
    CHECK_HAS(r.out, "unsigned   1 stretches, the last of them 0 to 3: signed only");
    assert_int_equal(second(gap_log), 4);
    VERIFY(gap_log);
    assert_int_equal(r.status, 0);
}

/* So many of its lines. */
static void cut(const char *path, size_t lines)
{
    struct kw_blob log = {0};
    size_t len = 0;
    CHECK_OK(kw_file_read(path, 1 << 16, &log, NULL));
    for (; lines > 0; lines--)
        len =
            (size_t)((uint8_t *)memchr(log.ptr + len, '\n', log.len - len) - log.ptr) + 1;
    put(later, kw_span_of(log.ptr, len));
    kw_blob_wipe(&log);
}

TEST(key__the_end_is_not_covered__incomplete)
{
    for (size_t lines = 6; lines < 8; lines++) {
        cut(signed_log, lines); /* behind the stop is none, or an unsigned one */
        VERIFY("--key", audit_pem, later);
        assert_int_equal(r.status, 4);
        CHECK_HAS(r.out, "signed     up to 2; what comes behind is not\n");
        assert_int_equal(second(later), 4);
    }
    cut(signed_log, 5);
    VERIFY("--key", audit_pem, later);
    assert_int_equal(r.status, 0);
    assert_int_equal(second(later), 0);
}

/* The last record of the signed log, hashed as it must be, says something else. */
static void last_says(size_t value, const char *text_of, uint64_t number)
{
    static uint8_t lines[8 * KW_AUDIT_LINE_MAX];
    struct kw_blob log = {0};
    struct kw_audit_record record;
    struct kw_audit_chain chain = {0};
    uint8_t hash[KW_SHA256];
    CHECK_OK(kw_file_read(signed_log, 1 << 16, &log, NULL));
    kw_dst dst = kw_dst_of(lines, sizeof lines);
    const uint8_t *at = log.ptr, *end_of;
    for (; (end_of = memchr(at, '\n', log.len - (size_t)(at - log.ptr))) != NULL &&
           chain.next_seq < 7;
         at = end_of + 1) {
        const kw_span line = kw_span_of(at, (size_t)(end_of - at));
        CHECK_OK(kw_audit_chain_take(&chain, line, &record, NULL));
        CHECK(kw_dst_put(&dst, kw_span_of(at, line.len + 1)));
    }
    CHECK(end_of != NULL);
    CHECK_OK(kw_audit_read(kw_span_of(at, (size_t)(end_of - at)), &record, hash, NULL));
    record.value[value] =
        text_of != NULL ? kw_audit_text(text_of) : kw_audit_number(number);
    CHECK_OK(kw_audit_write(&record, chain.head, &dst, hash));
    put(later, kw_dst_span(&dst));
    kw_blob_wipe(&log);
}

static void both_end_with(int status, const char *reason)
{
    VERIFY("--key", audit_pem, later);
    assert_int_equal(r.status, status);
    CHECK_HAS(r.out, reason);
    assert_int_equal(second(later), status);
    VERIFY(later); /* without the key nobody can tell */
    assert_int_equal(r.status, 0);
}

TEST(key__a_signature_that_is_none__broken)
{
    last_says(KW_AUDIT_SIGNATURE_SIGNATURE, "3006020101020101", 0);
    both_end_with(1, "line 8, byte ");
    last_says(KW_AUDIT_SIGNATURE_SIGNATURE, "no-hex", 0);
    both_end_with(1, "it is no signature of the checkpoint that covers record 5");
    last_says(KW_AUDIT_SIGNATURE_COVERS, NULL, 2); /* that is what the other one covers */
    both_end_with(1, "it is no signature of the checkpoint that covers record 2");
    last_says(KW_AUDIT_SIGNATURE_COVERS, NULL, 3);
    both_end_with(1, "it is the signature of none of the last 8 checkpoints");
}

TEST(key__a_signature_by_another_one__counts_for_nothing)
{
    last_says(KW_AUDIT_SIGNATURE_KEY, ID, 0);
    both_end_with(4, "strangers  1 signatures are by another key\n");
}

/* Behind the signed end one more checkpoint, chained as it must be, that nobody signed. */
static void behind_it_a_checkpoint(uint64_t wraps)
{
    static uint8_t lines[10 * KW_AUDIT_LINE_MAX];
    struct kw_blob log = {0};
    struct kw_audit_record record, forged = {0};
    struct kw_audit_chain chain = {0};
    uint8_t hash[KW_SHA256];
    char head[2 * KW_SHA256 + 1];
    CHECK_OK(kw_file_read(signed_log, 1 << 16, &log, NULL));
    kw_dst dst = kw_dst_of(lines, sizeof lines);
    CHECK(kw_dst_put(&dst, kw_blob_peek(&log)));
    const uint8_t *at = log.ptr, *end_of;
    for (; (end_of = memchr(at, '\n', log.len - (size_t)(at - log.ptr))) != NULL;
         at = end_of + 1) {
        CHECK_OK(kw_audit_chain_take(&chain, kw_span_of(at, (size_t)(end_of - at)),
                                     &record, NULL));
        if (record.kind == KW_AUDIT_CHECKPOINT)
            forged = record;
    }
    kw_hex(head, sizeof head, kw_span_of(chain.head, sizeof chain.head));
    forged.seq = chain.next_seq;
    forged.value[KW_AUDIT_CHECKPOINT_COVERED] = kw_audit_number(chain.next_seq - 1);
    forged.value[KW_AUDIT_CHECKPOINT_HEAD] = kw_audit_text(head);
    forged.value[KW_AUDIT_CHECKPOINT_WRAP] = kw_audit_number(wraps);
    CHECK_OK(kw_audit_write(&forged, chain.head, &dst, hash));
    put(later, kw_dst_span(&dst));
    kw_blob_wipe(&log);
}

TEST(key__a_checkpoint_behind_the_signed_end_that_nobody_signed__incomplete)
{
    behind_it_a_checkpoint(4711);
    both_end_with(4, "signed     up to 5; what comes behind is not\n");
}

TEST(key__that_is_none__said)
{
    VERIFY("--key", first, signed_log);
    assert_int_equal(r.status, 1);
    CHECK_HAS(r.err, "is no public key of P-256");
    VERIFY("--key", "/tmp/keyward-verify-none", signed_log);
    CHECK(r.status != 0);
}

KW_SUITE_AROUND("provider/cli/audit_verify", begin, end)
