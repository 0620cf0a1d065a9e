/* SPDX-License-Identifier: Apache-2.0 */
/* The walk over files: damage first, then what is there. */
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "check.h"
#include "crc32c.h"
#include "wal_files.h"
#include "wal_frame.h"
#include "wal_sample.h"

#define FIRST "0000000000000000-0000000000000000.wal"
#define SECOND "0000000000000001-0000000000000004.wal"

static struct wal_files files;
static struct wal_sample sample, next;
static struct walked walked;

static void before(void)
{
    wal_files_make(&files);
}

static void after(void)
{
    wal_files_remove(&files);
}

static void walk(void)
{
    wal_files_walk_all(&files, &walked);
    CHECK_OK(walked.err);
}

static void put_sample(void)
{
    wal_files_put(&files, FIRST, kw_dst_span(&sample.dst));
}

/* As a new member writes it: three entries with puts of 1 to 3. */
static void make_small(void)
{
    wal_sample_begin(&sample, 0);
    wal_sample_record(&sample, KW_WAL_SNAPSHOT, kw_span_of("\x08\x00\x10\x00", 4));
    wal_sample_put(&sample, 1, 1, "a", "1");
    wal_sample_put(&sample, 1, 2, "b", "2");
    wal_sample_record(&sample, KW_WAL_STATE, kw_span_str("\x08\x01\x10\x09\x18\x02"));
    wal_sample_put(&sample, 1, 3, "c", "3");
}

static bool has_small(void)
{
    return walked.puts == 3 && walked_has(&walked, 0, 1, "a", "1") &&
           walked_has(&walked, 1, 2, "b", "2") && walked_has(&walked, 2, 3, "c", "3");
}

/* ---- damage ------------------------------------------------------------------------------ */

/* Each bit, all of them, and to zero. */
TEST(walk__each_byte_changed__shown_or_every_put_is_there)
{
    make_small();
    const size_t len = sample.dst.len;
    for (size_t i = 0; i < len; i++)
        for (unsigned way = 0; way < 10; way++) {
            const uint8_t was = sample.room[i];
            sample.room[i] ^= (uint8_t)(way < 8 ? 1u << way : way == 8 ? 0xffu : was);
            put_sample();
            sample.room[i] = was;
            walk();
            if (walked.unread == 0 && !has_small())
                fail_msg("byte %zu, way %u: %zu puts, nothing unread", i, way,
                         walked.puts);
        }
}

TEST(walk__cut_at_each_byte__puts_before_and_the_rest_unread)
{
    make_small();
    const size_t len = sample.dst.len;
    size_t whole = 0;
    for (size_t cut = 1; cut <= len; cut++) {
        sample.dst.len = cut;
        put_sample();
        walk();
        /* Between two records, or within zeroes, nothing tells. */
        whole += walked.unread == 0;
        CHECK(walked.unread <= 2);
        for (size_t i = 0; i < walked.puts; i++)
            CHECK(walked_has(&walked, i, i + 1,
                             i == 0   ? "a"
                             : i == 1 ? "b"
                                      : "c",
                             i == 0   ? "1"
                             : i == 1 ? "2"
                                      : "3"));
    }
    CHECK(has_small() && whole == 7);
}

TEST(walk__an_empty_file__no_record_and_not_gapless)
{
    static const uint8_t zeroes[64];
    for (size_t len = 0; len <= sizeof zeroes; len += sizeof zeroes) {
        wal_files_put(&files, FIRST, kw_span_of(zeroes, len));
        walk();
        CHECK(walked.unread == 1 && walked_unread_is(&walked, 0, FIRST, "no record"));
        CHECK(!walked.info.is_gapless && walked.info.files == 1 &&
              walked.info.bytes == len);
    }
}

TEST(walk__zeroes_behind_the_last_record__nothing_unread)
{
    make_small();
    for (size_t i = 0; i < 20; i++) {
        wal_sample_zeroes(&sample, 1);
        put_sample();
        walk();
        CHECK(has_small() && walked.unread == 0 && walked.info.is_gapless);
    }
}

/* A TiB of nothing: pieces begin where they would have, and what is in none is not read. */
TEST(walk__something_behind_a_hole__unread)
{
    const uint64_t tib = UINT64_C(1) << 40,
                   step = KW_ETCD_WAL_PIECE - KW_ETCD_WAL_OVERLAP;
    make_small();
    const uint64_t end = sample.dst.len;
    put_sample();
    const int fd = wal_files_open(&files, FIRST);
    CHECK(ftruncate(fd, (off_t)tib) == 0);
    wal_files_walk_all(&files, &walked);
    CHECK_OK(walked.err);
    CHECK(has_small() && walked.unread == 0 && walked.seen == tib);
    CHECK(pwrite(fd, "k8s: plain", 10, (off_t)(tib - 10)) == 10 && close(fd) == 0);
    walked = (struct walked){.stop = -1, .mark = "k8s: plain"};
    wal_files_walk(&files, &walked);
    CHECK_OK(walked.err);
    CHECK(has_small() && walked.unread == 1 && walked.marks == 1);
    CHECK(walked_unread_is(&walked, 0, FIRST, "behind the last record"));
    CHECK((walked.fault[0].offset - end) % step == 0);
    CHECK(walked.fault[0].offset + walked.fault[0].len == tib);
}

TEST(walk__something_behind_zeroes__unread)
{
    make_small();
    const size_t end = sample.dst.len;
    wal_sample_zeroes(&sample, 4096);
    CHECK(kw_dst_put(&sample.dst, kw_span_str("k8s: plain")));
    put_sample();
    walked = (struct walked){.stop = -1, .mark = "k8s: plain"};
    wal_files_walk(&files, &walked);
    CHECK_OK(walked.err);
    CHECK(has_small() && walked.unread == 1 && walked.marks == 1);
    CHECK(walked_unread_is(&walked, 0, FIRST, "behind the last record"));
    CHECK(walked.fault[0].offset == end && walked.fault[0].len == 4096 + 10);
}

/* A mark of 16 bytes at each place around the border of two pieces. */
TEST(walk__mark_at_the_border_of_pieces__whole_in_one)
{
    static const char mark[] = "k8s:enc:aescbc:v";
    const off_t border = KW_ETCD_WAL_PIECE - KW_ETCD_WAL_OVERLAP;
    make_small();
    const off_t end = (off_t)sample.dst.len;
    wal_sample_word(&sample, 0);
    for (off_t at = border - 20; at <= border + KW_ETCD_WAL_OVERLAP + 20; at++) {
        put_sample();
        const int fd = wal_files_open(&files, FIRST);
        CHECK(ftruncate(fd, 3 * KW_ETCD_WAL_PIECE) == 0);
        CHECK(pwrite(fd, mark, 16, end + at) == 16);
        close(fd);
        walked = (struct walked){.stop = -1, .mark = mark};
        wal_files_walk(&files, &walked);
        CHECK_OK(walked.err);
        CHECK(walked.marks >= 1 && walked.unread <= 2 && walked.seen == walked.of);
    }
}

TEST(walk__frame_that_leads_nowhere__rest_of_the_file_unread_and_the_next_read)
{
    static const uint64_t words[] = {(uint64_t)1 << 55, 1, UINT64_MAX,
                                     (uint64_t)0x83 << 56 | 32773};
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        make_small();
        const size_t end = sample.dst.len;
        wal_sample_word(&sample, words[i]);
        CHECK(kw_dst_put(&sample.dst, kw_span_str("and what stands behind it")));
        put_sample();
        wal_sample_begin(&next, sample.crc);
        wal_sample_put(&next, 1, 4, "d", "4");
        wal_files_put(&files, SECOND, kw_dst_span(&next.dst));
        walk();
        CHECK(walked.puts == 4 && walked_has(&walked, 3, 4, "d", "4"));
        CHECK(walked.unread == 1 && walked.fault[0].offset == end);
        CHECK(walked_unread_is(&walked, 0, FIRST, "a frame that leads nowhere"));
    }
}

TEST(walk__record_over_the_limit__unread_without_memory_for_it)
{
    make_small();
    wal_sample_word(&sample, KW_ETCD_WAL_RECORD_MAX + 8);
    put_sample();
    CHECK(truncate(wal_files_at(&files, FIRST), (off_t)KW_ETCD_WAL_RECORD_MAX + 65536) ==
          0);
    walk();
    CHECK(has_small() && walked.unread == 1);
    CHECK(walked_unread_is(&walked, 0, FIRST, "a record that is too long"));
}

TEST(walk__bytes_that_are_no_record__rest_of_the_file_unread)
{
    make_small();
    wal_sample_word(&sample, 8);
    CHECK(kw_dst_put(&sample.dst, kw_span_str("12345678")));
    put_sample();
    walk();
    CHECK(has_small() && walked.unread == 1 && walked.fault[0].len == 16);
    CHECK(walked_unread_is(&walked, 0, FIRST, "no record"));
}

/* Where `text` lies in the sample. */
static size_t place_of(const char *text)
{
    const uint8_t *at = memmem(sample.room, sample.dst.len, text, strlen(text));
    CHECK(at != NULL);
    return (size_t)(at - sample.room);
}

TEST(walk__value_changed__that_record_unread_and_those_behind_it_read)
{
    make_small();
    sample.room[place_of("\x12\x01"
                         "2") +
                2] = 'x';
    put_sample();
    walk();
    CHECK(walked.puts == 2 && walked_has(&walked, 1, 3, "c", "3"));
    CHECK(walked.unread == 1 &&
          walked_unread_is(&walked, 0, FIRST, "the checksum differs"));
    CHECK(!walked.info.is_gapless && walked.info.entries == 2);
}

TEST(walk__checksum_changed__that_record_unread_and_those_behind_it_read)
{
    make_small();
    /* Its field stands before the data: tag, number of up to 5 bytes, tag, length. */
    struct wal_sample *const w = &sample;
    const size_t end = w->dst.len;
    wal_sample_put(w, 1, 4, "d", "4");
    wal_sample_put(w, 1, 5, "e", "5");
    w->room[end + KW_WAL_WORD + 3] ^= 1;
    put_sample();
    walk();
    CHECK(walked.puts == 4 && walked_has(&walked, 3, 5, "e", "5") && walked.unread == 1);
    CHECK(walked_unread_is(&walked, 0, FIRST, "the checksum differs"));
    CHECK(walked.fault[0].offset == end + KW_WAL_WORD);
}

TEST(walk__entry_called_something_else__unread)
{
    static const uint64_t types[] = {KW_WAL_METADATA, KW_WAL_STATE, KW_WAL_SNAPSHOT};
    static const char *const whys[] = {"no metadata that are known",
                                       "no state that is known",
                                       "no snapshot that is known"};
    for (size_t i = 0; i < 3; i++) {
        make_small();
        wal_sample_record(&sample, types[i],
                          kw_span_of("\x08\x00\x10\x01\x18\x04\x22\x02hi", 10));
        put_sample();
        walk();
        CHECK(has_small() && walked.unread == 1 &&
              walked_unread_is(&walked, 0, FIRST, whys[i]));
    }
}

TEST(walk__entry_that_is_none__unread)
{
    make_small();
    wal_sample_record(&sample, KW_WAL_ENTRY, kw_span_str("\x08\x03\x10\x01\x18\x04"));
    put_sample();
    walk();
    CHECK(has_small() && walked.unread == 1 &&
          walked_unread_is(&walked, 0, FIRST, "no entry"));
}

TEST(walk__request_that_is_none__unread_at_its_place)
{
    make_small();
    wal_sample_entry(&sample, 1, 4, kw_span_str("no request"));
    put_sample();
    walk();
    CHECK(has_small() && walked.unread == 1 && walked.info.is_gapless &&
          walked.info.entries == 4);
    CHECK(walked_unread_is(&walked, 0, FIRST, "no request that is known"));
    CHECK(walked.fault[0].offset == place_of("no request") && walked.fault[0].len == 10);
}

TEST(walk__pad_that_is_not_zero__unread)
{
    static const char *const values[] = {"4", "44"}; /* one of the two needs a pad */
    for (size_t i = 0; i < 2; i++) {
        make_small();
        wal_sample_put(&sample, 1, 4, "d", values[i]);
        if (sample.room[sample.dst.len - 1] == 0)
            break;
    }
    CHECK(sample.room[sample.dst.len - 1] == 0);
    sample.room[sample.dst.len - 1] = 'x';
    put_sample();
    walk();
    CHECK(walked.puts == 4 && walked.unread == 1);
    CHECK(walked_unread_is(&walked, 0, FIRST, "a pad that is not zero"));
}

/* ---- one after the other ------------------------------------------------------------------- */

static void put_two(const char *second, uint32_t crc, uint64_t term, uint64_t index)
{
    make_small();
    put_sample();
    wal_sample_begin(&next, crc);
    wal_sample_put(&next, term, index, "d", "4");
    wal_files_put(&files, second, kw_dst_span(&next.dst));
    walk();
    CHECK(walked.puts == 4 && walked_has(&walked, 3, index, "d", "4"));
    CHECK(walked.info.files == 2 && walked.info.entries == 4);
}

TEST(walk__second_file_of_another_log__its_checksum_unread)
{
    put_two(SECOND, 12345, 1, 4);
    CHECK(walked.unread == 1 &&
          walked_unread_is(&walked, 0, SECOND, "the checksum differs"));
    CHECK(walked.info.is_gapless);
}

TEST(walk__gap_between_files__believed_and_not_gapless)
{
    put_two("0000000000000002-0000000000000004.wal", 12345, 1, 4);
    CHECK(walked.unread == 0 && !walked.info.is_gapless);
    CHECK(walked.info.first_seq == 0 && walked.info.last_seq == 2);
}

TEST(walk__two_files_of_one_number__not_gapless)
{
    put_two("0000000000000000-0000000000000004.wal", 12345, 1, 4);
    CHECK(walked.unread == 0 && !walked.info.is_gapless);
}

TEST(walk__gap_between_entries__not_gapless)
{
    make_small();
    put_two(SECOND, sample.crc, 1, 5);
    CHECK(walked.unread == 0 && !walked.info.is_gapless);
    CHECK(walked.info.first_index == 1 && walked.info.last_index == 5);
}

TEST(walk__name_says_an_entry_is_missing__not_gapless)
{
    make_small();
    put_two("0000000000000001-0000000000000005.wal", sample.crc, 1, 5);
    CHECK(walked.unread == 0 && !walked.info.is_gapless);
}

TEST(walk__term_goes_back__not_gapless)
{
    make_small();
    put_two(SECOND, sample.crc, 0, 4);
    CHECK(walked.unread == 0 && !walked.info.is_gapless);
}

TEST(walk__written_over_by_a_later_term__both_puts_and_gapless)
{
    make_small();
    put_two(SECOND, sample.crc, 2, 2);
    CHECK(walked.unread == 0 && walked.info.is_gapless && walked.put[3].term == 2);
    CHECK(walked.info.first_index == 1 && walked.info.last_index == 3);
    CHECK(walked.info.end_index == 2);
}

/* Where the log ends when no entry stands there. */
TEST(walk__ends_in_a_leaders_snapshot_or_a_fresh_file__there)
{
    make_small();
    put_sample();
    walk();
    CHECK(walked.info.last_index == 3 && walked.info.end_index == 3);
    wal_sample_record(&sample, KW_WAL_SNAPSHOT, kw_span_str("\x08\x09\x10\x01"));
    put_sample();
    walk();
    CHECK(walked.info.last_index == 3 && walked.info.end_index == 9);
    CHECK(unlink(wal_files_at(&files, FIRST)) == 0);
    wal_sample_begin(&sample, 12345);
    wal_files_put(&files, SECOND, kw_dst_span(&sample.dst));
    walk();
    CHECK(walked.info.entries == 0 && walked.info.end_index == 3);
}

TEST(walk__leaders_snapshot_between__gapless)
{
    make_small();
    wal_sample_record(&sample, KW_WAL_SNAPSHOT, kw_span_str("\x08\x09\x10\x01"));
    wal_sample_put(&sample, 1, 10, "d", "4");
    put_sample();
    walk();
    CHECK(walked.puts == 4 && walked.unread == 0 && walked.info.is_gapless);
}

/* Older files are purged: the first one's checksum is believed. */
TEST(walk__files_in_their_order__puts_and_numbers)
{
    make_small();
    wal_sample_begin(&sample, 0xdeadbeef);
    wal_sample_put(&sample, 3, 16, "a", "1");
    wal_sample_entry(&sample, 3, 17, kw_span_of(NULL, 0)); /* a leader's first */
    wal_sample_record(&sample, KW_WAL_ENTRY,
                      kw_span_str("\x08\x01\x10\x03\x18\x12\x22\x0e"
                                  "a cluster wide"));
    wal_files_put(&files, "0000000000000009-0000000000000010.wal",
                  kw_dst_span(&sample.dst));
    wal_sample_begin(&next, sample.crc);
    wal_sample_put(&next, 4, 19, "b", "2");
    wal_files_put(&files, "000000000000000a-0000000000000013.wal",
                  kw_dst_span(&next.dst));
    walk();
    CHECK(walked.puts == 2 && walked_has(&walked, 0, 16, "a", "1") &&
          walked_has(&walked, 1, 19, "b", "2"));
    CHECK(walked.unread == 0 && walked.info.is_gapless && walked.info.puts == 2);
    CHECK(walked.info.first_seq == 9 && walked.info.last_seq == 10);
    CHECK(walked.info.first_index == 16 && walked.info.last_index == 19 &&
          walked.info.entries == 4);
    CHECK(walked.info.bytes == sample.dst.len + next.dst.len &&
          walked.seen == walked.info.bytes);
}

/* Another entry with a value of 3 MiB, larger than a piece, behind the sample. */
static void put_large(uint32_t crc_is_wrong_by)
{
    enum { LARGE = 3 << 20, MORE = 100 };
    static uint8_t value[LARGE], room[4][LARGE + MORE];
    kw_dst message[4];
    memset(value, 'v', sizeof value);
    for (size_t i = 0; i < 4; i++)
        message[i] = kw_dst_of(room[i], sizeof room[i]);
    pb_text(&message[0], 1, "large");
    pb_bytes(&message[0], 2, kw_span_of(value, sizeof value));
    pb_bytes(&message[1], 4, kw_dst_span(&message[0]));
    pb_number(&message[2], 2, 1);
    pb_number(&message[2], 3, 4);
    pb_bytes(&message[2], 4, kw_dst_span(&message[1]));
    pb_number(&message[3], 1, KW_WAL_ENTRY);
    pb_number(&message[3], 2,
              kw_crc32c(sample.crc, kw_dst_span(&message[2])) ^ crc_is_wrong_by);
    pb_bytes(&message[3], 3, kw_dst_span(&message[2]));
    const uint64_t len = message[3].len, pad = (8 - len % 8) % 8;
    wal_sample_word(&sample, len | (pad == 0 ? 0 : (0x80 | pad) << 56));
    put_sample();
    const int fd = wal_files_open(&files, FIRST);
    CHECK(pwrite(fd, room[3], len, (off_t)sample.dst.len) == (ssize_t)len);
    CHECK(ftruncate(fd, (off_t)(sample.dst.len + len + pad)) == 0);
    close(fd);
}

TEST(walk__large_value_changed__unread_in_pieces)
{
    make_small();
    put_large(1);
    walk();
    CHECK(has_small() && walked.unread == 4);
    for (size_t i = 1; i < 3; i++) {
        CHECK(walked_unread_is(&walked, i, FIRST, "the checksum differs"));
        CHECK(walked.fault[i].len == KW_ETCD_WAL_PIECE);
        CHECK(walked.fault[i].offset + KW_ETCD_WAL_OVERLAP ==
              walked.fault[i - 1].offset + KW_ETCD_WAL_PIECE);
    }
}

TEST(walk__large_value__read)
{
    make_small();
    put_large(0);
    walk();
    CHECK(walked.puts == 4 && walked.unread == 0 && walked.info.is_gapless);
    CHECK_STR(walked.put[3].key, "large");
    CHECK(strlen(walked.put[3].value) == WALKED_TEXT - 1);
}

KW_SUITE_AROUND("provider/etcd/wal", before, after)
