/* SPDX-License-Identifier: Apache-2.0 */
/* Target: frames, records, entries and requests of a write-ahead log.  Input: a member's
 * files, as a disk kept them, or whoever writes there.  Useful maximum: none of its own;
 * messages of each size up to three bytes stand for all, with each byte a small number, a
 * large one or one that goes on; transactions within one another one deeper than is read.
 * Claim: nothing outside the message is read, a record is not longer than what is left, and
 * what is found not than the message. */
#include "proof.h"

#include "crc32c.h"
#include "wal_frame.h"

enum { SIZES = 3, CLASSES = 6 };
static const uint8_t low[CLASSES] = {0, 1, 2, 8, 10, 128};
static const uint8_t high[CLASSES] = {0, 1, 2, 9, 127, 255};

static void frame_of_any(uint64_t left)
{
    struct kw_wal_frame f = {.record = 0, .pad = 0};
    if (!kw_wal_frame_of(proof_size(0, UINT64_MAX), left, &f))
        return;
    /*@ assert pad: f.pad < 8; */
    /*@ assert within: f.record <= left; */
}

static void data_of(kw_span data)
{
    struct kw_wal_record r = {.type = KW_WAL_ENTRY};
    struct kw_wal_entry e = {.type = 0};
    uint64_t index = 0;
    if (kw_wal_record_of(data, &r)) {
        /*@ assert type: KW_WAL_METADATA <= r.type <= KW_WAL_SNAPSHOT; */
        /*@ assert length: r.data.len <= data.len; */
    }
    if (kw_wal_entry_of(data, &e)) {
        /*@ assert entry: e.type <= KW_WAL_ENTRY_CHANGE_V2 && e.data.len <= data.len; */
    }
    (void)kw_wal_is_metadata(data);
    (void)kw_wal_is_state(data);
    (void)kw_wal_snapshot_of(data, &index);
    (void)kw_crc32c(proof_u8(), data);
}

static void puts_of(kw_span data)
{
    struct kw_wal_puts puts;
    struct kw_wal_found found = {.why = NULL};
    kw_wal_puts_begin(&puts, data);
    while (kw_wal_puts_next(&puts, &found)) {
        /*@ assert within: found.key.len <= data.len && found.value.len <= data.len; */
    }
}

/* Behind `head`, which says that so many bytes come: unknown ones, the first two of their
 * kinds, each on its own. */
enum { HEAD = 4 };
static void classes(const uint8_t *head, size_t head_len, size_t len, size_t first,
                    size_t second)
{
    static uint8_t in[HEAD + SIZES];
    uint8_t *all = PROOF_TAIL(in, head_len + len);
    uint8_t *bytes = PROOF_TAIL(in, len);
    PROOF_UNKNOWN(in);
    for (size_t i = 0; i < head_len; i++)
        all[i] = head[i];
    if (len > 0)
        bytes[0] = Frama_C_unsigned_char_interval(low[first], high[first]);
    if (len > 1)
        bytes[1] = Frama_C_unsigned_char_interval(low[second], high[second]);
    if (head_len == 0)
        data_of(kw_span_of(bytes, len));
    puts_of(kw_span_of(all, head_len + len));
}

static void all_classes(uint8_t outer, uint8_t inner)
{
    for (size_t len = 0; len <= SIZES; len++) {
        const uint8_t head[HEAD] = {outer, (uint8_t)(inner == 0 ? len : len + 2), inner,
                                    (uint8_t)len};
        const size_t head_len = outer == 0 ? 0 : inner == 0 ? 2 : HEAD;
        for (size_t first = 0; first < CLASSES; first++)
            for (size_t second = 0; second < CLASSES; second++)
                if (len > 1 || second == 0)
                    classes(head, head_len, len, first, second);
    }
}

/* A request of the v2 API: a path, and a number that no other request has. */
static void path_of(size_t len)
{
    static uint8_t in[7];
    uint8_t *bytes = PROOF_TAIL(in, len + 4);
    PROOF_UNKNOWN(in);
    bytes[0] = 0x1a;
    bytes[1] = (uint8_t)len;
    bytes[len + 2] = 0x28;
    bytes[len + 3] = 0;
    puts_of(kw_span_of(bytes, len + 4));
}

/* Transactions and operations within one another, from the inside out. */
static void nested(void)
{
    enum { DEPTH = 2 * KW_WAL_DEPTH + 2, LENGTH_LARGE = 0x80 };
    static uint8_t in[3 * DEPTH];
    size_t at = sizeof in;
    for (unsigned i = DEPTH; i > 0; i--) {
        const size_t len = sizeof in - at;
        if (len >= LENGTH_LARGE)
            in[--at] = (uint8_t)(len / LENGTH_LARGE);
        in[--at] =
            (uint8_t)(len < LENGTH_LARGE ? len : LENGTH_LARGE + len % LENGTH_LARGE);
        in[--at] = i == 1 ? 0x32 : i % 2 == 0 ? 0x12 : 0x22;
    }
    puts_of(kw_span_of(in + at, sizeof in - at));
}

/* Record and entry with all their fields. */
static void whole(void)
{
    static uint8_t in[8] = {0x08, 0, 0x10, 0, 0x18, 0, 0x22, 0};
    static uint8_t record[6] = {0x08, 0, 0x10, 0, 0x1a, 0};
    for (size_t i = 1; i < 6; i += 2)
        in[i] = Frama_C_unsigned_char_interval(0, 127);
    record[1] = Frama_C_unsigned_char_interval(1, 5);
    record[3] = Frama_C_unsigned_char_interval(0, 127);
    data_of(kw_span_of(in, sizeof in));
    data_of(kw_span_of(in, 4));
    data_of(kw_span_of(record, sizeof record));
}

int main(void)
{
    static const uint64_t lefts[] = {0, 7, 8, 64000000, UINT32_MAX, UINT64_MAX};
    for (size_t i = 0; i < sizeof lefts / sizeof lefts[0]; i++)
        frame_of_any(lefts[i]);
    all_classes(0, 0);
    all_classes(0x22, 0);    /* a put                     */
    all_classes(0x32, 0);    /* a transaction             */
    all_classes(0x32, 0x12); /* an operation of one       */
    for (size_t len = 0; len <= 3; len++)
        path_of(len);
    nested();
    whole();
    return 0;
}
