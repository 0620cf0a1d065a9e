/* SPDX-License-Identifier: Apache-2.0 */
/* What follows what, and what does not.  That each change of a log is seen:
 * tests/unit/provider/cli/test_tamper.c. */
#include "vectors.h"

#include "check.h"

/* How many of these lines are taken one after the other; all when none is refused. */
static size_t taken(const kw_span *lines, size_t count, enum kw_code want)
{
    struct kw_audit_chain chain = {0}, before;
    struct kw_audit_record r;
    struct kw_note note = {{0}};
    for (size_t i = 0; i < count; i++) {
        before = chain;
        kw_err e = kw_audit_chain_take(&chain, lines[i], &r, &note);
        if (kw_failed(e)) {
            assert_int_equal(e.code, want);
            CHECK(note.text[0] != '\0');
            assert_memory_equal(&before, &chain, sizeof chain); /* as it was */
            return i;
        }
        assert_int_equal(chain.next_seq, r.seq + 1);
    }
    return count;
}

TEST(chain__whole__taken_and_begins_with_genesis)
{
    struct kw_audit_chain chain = {0};
    struct kw_audit_record r;
    struct kw_note note;
    const kw_span *lines = vectors();
    for (size_t i = 0; i < VECTORS; i++)
        CHECK_OK(kw_audit_chain_take(&chain, lines[i], &r, &note));
    CHECK(chain.knows_its_beginning);
    for (size_t i = 0; i < KW_SHA256; i++)
        assert_int_equal(chain.log[i], i);
}

TEST(chain__later_file_alone__taken_and_its_beginning_believed)
{
    struct kw_audit_chain chain = {0};
    struct kw_audit_record r;
    struct kw_note note;
    const kw_span *lines = vectors();
    for (size_t i = VECTORS_FIRST; i < VECTORS; i++)
        CHECK_OK(kw_audit_chain_take(&chain, lines[i], &r, &note));
    CHECK(!chain.knows_its_beginning);
    assert_int_equal(chain.next_seq, VECTORS);
}

TEST(chain__begun_where_the_caller_says__taken_there_and_nowhere_else)
{
    const kw_span *lines = vectors();
    uint8_t head[KW_SHA256];
    struct kw_audit_record r;
    struct kw_audit_chain chain = {0};
    struct kw_note note;
    for (size_t i = 0; i < VECTORS - 1; i++) {
        CHECK_OK(kw_audit_read(lines[i], &r, head, &note));
        kw_audit_chain_from(&chain, i + 1, head);
        CHECK_OK(kw_audit_chain_take(&chain, lines[i + 1], &r, &note));
        CHECK(chain.knows_its_beginning);
        kw_audit_chain_from(&chain, i + 2, head);
        CHECK_CODE(kw_audit_chain_take(&chain, lines[i + 1], &r, &note), KW_CODE_FORGED);
        head[0] ^= 1;
        kw_audit_chain_from(&chain, i + 1, head);
        CHECK_CODE(kw_audit_chain_take(&chain, lines[i + 1], &r, &note), KW_CODE_FORGED);
    }
}

/* ---- another log ------------------------------------------------------------------------ */

struct log {
    uint8_t head[KW_SHA256];
    uint64_t seq;
    char text[4][KW_AUDIT_LINE_MAX];
    kw_span line[4];
    size_t count;
};

static void log_add(struct log *log, struct kw_audit_record r)
{
    kw_dst dst = kw_dst_of(log->text[log->count], KW_AUDIT_LINE_MAX);
    r.seq = log->seq++;
    r.time = kw_span_str("2026-11-28T12:00:00.000001Z");
    CHECK_OK(kw_audit_write(&r, log->head, &dst, log->head));
    log->line[log->count++] = kw_span_of(dst.ptr, dst.len - 1);
}

static struct kw_audit_record stop_record(void)
{
    struct kw_audit_record r = {.kind = KW_AUDIT_STOP};
    r.value[KW_AUDIT_STOP_REASON] = kw_audit_text("signal");
    return r;
}

static struct kw_audit_record file_record(uint64_t format, const char *log,
                                          const char *previous)
{
    struct kw_audit_record r = {.kind = KW_AUDIT_FILE};
    r.value[KW_AUDIT_FILE_FORMAT] = kw_audit_number(format);
    r.value[KW_AUDIT_FILE_LOG] = kw_audit_text(log);
    r.value[KW_AUDIT_FILE_PREVIOUS] = kw_audit_text(previous);
    return r;
}

#define ID "1111111111111111111111111111111111111111111111111111111111111111"
#define OTHER "2222222222222222222222222222222222222222222222222222222222222222"

/* The second line claims to be a file of `log` that continues what came before. */
static size_t with_a_file(uint64_t format, const char *log, bool right)
{
    static struct log made;
    char previous[2 * KW_SHA256 + 1];
    made = (struct log){.seq = 5};
    memset(made.head, 0x33, sizeof made.head);
    log_add(&made,
            file_record(1, ID,
                        "3333333333333333333333333333333333333333333333333333333333"
                        "333333"));
    kw_hex(previous, sizeof previous, kw_span_of(made.head, KW_SHA256));
    log_add(&made, file_record(format, log, right ? previous : OTHER));
    return taken(made.line, made.count, KW_CODE_FORGED);
}

TEST(file__of_another_log_or_format_or_record__refused)
{
    assert_int_equal(with_a_file(1, ID, true), 2);
    assert_int_equal(with_a_file(1, OTHER, true), 1);
    assert_int_equal(with_a_file(2, ID, true), 1);
    assert_int_equal(with_a_file(1, ID, false), 1);
}

TEST(chain__that_begins_with_neither_genesis_nor_file__refused)
{
    static struct log made;
    made = (struct log){.seq = 0};
    log_add(&made, stop_record());
    assert_int_equal(taken(made.line, 1, KW_CODE_FORGED), 0);
}

TEST(chain__no_record__bad_input)
{
    const kw_span wrong = kw_span_str("{}");
    assert_int_equal(taken(&wrong, 1, KW_CODE_BAD_INPUT), 0);
}

/* Hashed as it must be, where the golden one stands, but for what it says. */
static kw_err checkpoint_that_says(size_t value, struct kw_audit_value other)
{
    static uint8_t line[KW_AUDIT_LINE_MAX];
    const size_t at = VECTORS - 2;
    const kw_span *lines = vectors();
    uint8_t hash[KW_SHA256];
    kw_dst dst = kw_dst_of(line, sizeof line);
    struct kw_audit_chain chain = {0};
    struct kw_audit_record r;
    struct kw_note note;
    for (size_t i = 0; i < at; i++)
        CHECK_OK(kw_audit_chain_take(&chain, lines[i], &r, &note));
    CHECK_OK(kw_audit_read(lines[at], &r, hash, &note));
    assert_int_equal(r.kind, KW_AUDIT_CHECKPOINT);
    r.value[value] = other;
    CHECK_OK(kw_audit_write(&r, chain.head, &dst, hash));
    return kw_audit_chain_take(&chain, kw_span_of(line, dst.len - 1), &r, &note);
}

TEST(checkpoint_of_something_else__refused)
{
    static const char none[] =
        "0000000000000000000000000000000000000000000000000000000000000000";
    CHECK_OK(checkpoint_that_says(KW_AUDIT_CHECKPOINT_WRAP, kw_audit_number(99)));
    CHECK_CODE(
        checkpoint_that_says(KW_AUDIT_CHECKPOINT_COVERED, kw_audit_number(VECTORS - 4)),
        KW_CODE_FORGED);
    CHECK_CODE(checkpoint_that_says(KW_AUDIT_CHECKPOINT_HEAD, kw_audit_text(none)),
               KW_CODE_FORGED);
    CHECK_CODE(checkpoint_that_says(KW_AUDIT_CHECKPOINT_LOG, kw_audit_text(none)),
               KW_CODE_FORGED);
}

KW_SUITE("provider/audit/chain")
