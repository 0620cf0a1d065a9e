/* SPDX-License-Identifier: Apache-2.0 */
/* Frames, records, entries: what is none, and what is. */
#include "wal_frame.h"

#include "check.h"
#include "crc32c.h"
#include "wal_sample.h"

#define PADDED(pad, len) ((uint64_t)(0x80 | (pad)) << 56 | (len))

TEST(frame_of__word_that_etcd_does_not_write__false)
{
    static const uint64_t words[] = {
        5,                     /* no pad                     */
        PADDED(4, 5),          /* another pad                */
        PADDED(0, 8),          /* a pad of nothing           */
        PADDED(3, 8),          /* a pad where none belongs   */
        (uint64_t)3 << 56 | 5, /* a pad without its flag     */
        PADDED(0x13, 5),       /* a bit that means nothing   */
        PADDED(0, 0),
        UINT64_MAX,
    };
    struct kw_wal_frame f;
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        CHECK(!kw_wal_frame_of(words[i], UINT64_MAX, &f));
}

TEST(frame_of__beyond_the_file__false)
{
    struct kw_wal_frame f;
    CHECK(!kw_wal_frame_of(16, 15, &f));
    CHECK(!kw_wal_frame_of(PADDED(3, 5), 7, &f));
    CHECK(!kw_wal_frame_of((uint64_t)1 << 55, (uint64_t)1 << 54, &f));
    CHECK(!kw_wal_frame_of(PADDED(1, (((uint64_t)1 << 56) - 1)), 64000000, &f));
}

TEST(frame_of__within_the_file__record_and_pad)
{
    struct kw_wal_frame f;
    CHECK(kw_wal_frame_of(16, 16, &f) && f.record == 16 && f.pad == 0);
    CHECK(kw_wal_frame_of(PADDED(3, 5), 8, &f) && f.record == 5 && f.pad == 3);
    CHECK(kw_wal_frame_of(0, 0, &f) && f.record == 0 && f.pad == 0);
}

static bool is_record(const char *bytes, size_t len)
{
    struct kw_wal_record r;
    return kw_wal_record_of(kw_span_of(bytes, len), &r);
}

TEST(record_of__what_is_none__false)
{
    CHECK(!is_record("", 0));                                 /* without a type         */
    CHECK(!is_record("\x08\x00", 2));                         /* type 0                 */
    CHECK(!is_record("\x08\x06", 2));                         /* type 6                 */
    CHECK(!is_record("\x08\x02\x08\x02", 4));                 /* a type twice           */
    CHECK(!is_record("\x0a\x01\x02", 3));                     /* a type of bytes        */
    CHECK(!is_record("\x08\x02\x10\xff\xff\xff\xff\x1f", 8)); /* crc of 33 bits     */
    CHECK(!is_record("\x08\x02\x1a\x05hell", 8));             /* data cut off           */
    CHECK(!is_record("\x08\x02\x20\x01", 4));                 /* field 4                */
    CHECK(!is_record("\x08\x04\x1a\x01x", 5));                /* a crc record with data */
}

TEST(record_of__whole__its_fields)
{
    struct kw_wal_record r;
    CHECK(kw_wal_record_of(kw_span_of("\x08\x02\x10\xff\xff\xff\xff\x0f\x1a\x02hi", 12),
                           &r));
    CHECK(r.type == KW_WAL_ENTRY && r.crc == UINT32_MAX);
    CHECK(kw_span_equal_str(r.data, "hi"));
    CHECK(is_record("\x08\x04\x10\x00", 4));
    CHECK(is_record("\x08\x04\x10\x00\x1a\x00", 6));
}

TEST(entry_of__what_is_none__false)
{
    struct kw_wal_entry e;
    CHECK(!kw_wal_entry_of(kw_span_str("\x08\x03"), &e));         /* a type to come */
    CHECK(!kw_wal_entry_of(kw_span_str("\x10\x01\x10\x01"), &e)); /* a term twice   */
    CHECK(!kw_wal_entry_of(kw_span_str("\x28\x01"), &e));         /* field 5        */
    CHECK(!kw_wal_entry_of(kw_span_str("\x22\x02x"), &e));        /* cut off        */
    CHECK(!kw_wal_entry_of(kw_span_str("\x20\x02"), &e));         /* data a number  */
}

TEST(entry_of__whole__its_fields)
{
    struct kw_wal_entry e;
    CHECK(kw_wal_entry_of(kw_span_of("\x08\x00\x10\x07\x18\x96\x01\x22\x02hi", 11), &e));
    CHECK(e.type == KW_WAL_ENTRY_NORMAL && e.term == 7 && e.index == 150);
    CHECK(kw_span_equal_str(e.data, "hi"));
    CHECK(kw_wal_entry_of(kw_span_str("\x08\x02"), &e) && e.data.len == 0);
}

/* The checksum does not cover a record's type. */
TEST(other_types__an_entry_in_their_place__false)
{
    static const char entry[] = "\x08\x00\x10\x07\x18\x01\x22\x02hi";
    const kw_span data = kw_span_of(entry, sizeof entry - 1);
    uint64_t index;
    CHECK(!kw_wal_is_metadata(data));
    CHECK(!kw_wal_is_state(data));
    CHECK(!kw_wal_snapshot_of(data, &index));
}

TEST(other_types__as_etcd_writes_them__true)
{
    uint64_t index = 7;
    CHECK(kw_wal_is_metadata(kw_span_str("\x08\x05\x10\x06")));
    CHECK(kw_wal_is_metadata(kw_span_of(NULL, 0)));
    CHECK(kw_wal_is_state(kw_span_str("\x08\x05\x10\x06\x18\x07")));
    CHECK(kw_wal_snapshot_of(kw_span_of("\x08\x00\x10\x00", 4), &index) && index == 0);
    CHECK(kw_wal_snapshot_of(kw_span_str("\x08\x09\x10\x02\x1a\x02\x08\x01"), &index));
    CHECK(index == 9);
}

TEST(crc32c__known_texts__their_checksums)
{
    uint8_t all[256];
    uint32_t crc = UINT32_MAX;
    for (size_t i = 0; i < sizeof all; i++)
        all[i] = (uint8_t)i;
    CHECK(kw_crc32c(0, kw_span_of(NULL, 0)) == 0);
    CHECK(kw_crc32c(0, kw_span_str("123456789")) == 0xe3069283);
    CHECK(kw_crc32c(0, kw_span_of(all, 32)) == 0x46dd794e); /* RFC 3720, B.4 */
    CHECK(kw_crc32c(kw_crc32c(0, kw_span_str("1234")), kw_span_str("56789")) ==
          0xe3069283);
    /* Each word of the table. */
    for (size_t i = 0; i < sizeof all; i++) {
        crc ^= all[i];
        for (unsigned bit = 0; bit < 8; bit++)
            crc = crc >> 1 ^ (crc % 2 == 0 ? 0 : 0x82f63b78u);
        CHECK(kw_crc32c(0, kw_span_of(all, i + 1)) == ~crc);
    }
}

KW_SUITE("provider/etcd/wal_frame")
