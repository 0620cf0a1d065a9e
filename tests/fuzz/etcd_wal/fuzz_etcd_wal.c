/* SPDX-License-Identifier: Apache-2.0 */
/* target: frames, records, entries and requests of a member's write-ahead log.
 * Input: frames one after another, a request, or a put; attacker: whoever writes to etcd, or
 * to its disk.
 * Useful maximum: 4096 bytes.
 * Claim: what is found lies within the input, once in each message around it; a put is found
 * alike alone, in either branch of a transaction, and in one within another. */
#include "crc32c.h"
#include "wal_frame.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

enum { INPUT_MAX = 4096, ROOM = INPUT_MAX + 64 };

static bool lies_within(kw_span part, kw_span all)
{
    return part.len == 0 || (part.ptr >= all.ptr && part.len <= all.len &&
                             (size_t)(part.ptr - all.ptr) <= all.len - part.len);
}

static void try_request(kw_span input)
{
    struct kw_wal_puts puts;
    struct kw_wal_found f;
    size_t count = 0;
    kw_wal_puts_begin(&puts, input);
    while (kw_wal_puts_next(&puts, &f)) {
        count++;
        KW_INVARIANT(count <= input.len);
        KW_INVARIANT(lies_within(f.key, input) && lies_within(f.value, input) &&
                     lies_within(f.bytes, input));
    }
}

static void try_record(kw_span bytes)
{
    struct kw_wal_record record;
    struct kw_wal_entry entry;
    uint64_t index;
    if (!kw_wal_record_of(bytes, &record))
        return;
    KW_INVARIANT(lies_within(record.data, bytes));
    (void)kw_crc32c(record.crc, record.data);
    (void)kw_wal_is_metadata(record.data);
    (void)kw_wal_is_state(record.data);
    (void)kw_wal_snapshot_of(record.data, &index);
    if (!kw_wal_entry_of(record.data, &entry))
        return;
    KW_INVARIANT(lies_within(entry.data, record.data));
    try_request(entry.data);
}

static void try_frames(kw_span input)
{
    struct kw_src src = kw_src_of(input);
    for (;;) {
        const kw_span bytes = kw_src_take(&src, KW_WAL_WORD);
        struct kw_wal_frame frame;
        uint64_t word = 0;
        for (size_t i = bytes.len; i > 0; i--)
            word = word << 8 | bytes.ptr[i - 1];
        if (word == 0 || !kw_wal_frame_of(word, kw_src_left(&src), &frame))
            return;
        try_record(kw_src_take(&src, (size_t)frame.record));
        (void)kw_src_take(&src, frame.pad);
        KW_INVARIANT(!src.bad && src.at % KW_WAL_WORD == 0);
    }
}

/* The bytes as field `number` of a message. */
static void put_field(kw_dst *dst, unsigned number, kw_span bytes)
{
    KW_MUST(kw_dst_put_u8(dst, (uint8_t)(number << 3 | 2)));
    size_t left = bytes.len;
    for (; left > 0x7f; left >>= 7)
        KW_MUST(kw_dst_put_u8(dst, (uint8_t)(left | 0x80u)));
    KW_MUST(kw_dst_put_u8(dst, (uint8_t)left));
    KW_MUST(kw_dst_put(dst, bytes));
}

static bool same_finding(const struct kw_wal_found *a, const struct kw_wal_found *b)
{
    return (a->why == NULL) == (b->why == NULL) && kw_span_equal(a->key, b->key) &&
           kw_span_equal(a->value, b->value) && kw_span_equal(a->bytes, b->bytes);
}

/* A put behind these fields, the innermost first, is found as `want` says. */
static void try_path(kw_span put, const char *fields, bool is_found,
                     const struct kw_wal_found *want)
{
    static uint8_t room[2][ROOM];
    struct kw_wal_puts puts;
    struct kw_wal_found f;
    kw_span bytes = put;
    for (size_t i = 0; fields[i] != '\0'; i++) {
        kw_dst dst = kw_dst_of(room[i % 2], sizeof room[0]);
        put_field(&dst, (unsigned)(fields[i] - '0'), bytes);
        bytes = kw_dst_span(&dst);
    }
    kw_wal_puts_begin(&puts, bytes);
    KW_MUST(kw_wal_puts_next(&puts, &f) == is_found);
    KW_INVARIANT(!is_found || same_finding(&f, want));
    KW_MUST(!kw_wal_puts_next(&puts, &f));
}

static void try_put(kw_span input)
{
    static uint8_t alone[ROOM];
    kw_dst dst = kw_dst_of(alone, sizeof alone);
    struct kw_wal_puts puts;
    struct kw_wal_found f = {0};
    put_field(&dst, 4, input);
    kw_wal_puts_begin(&puts, kw_dst_span(&dst));
    const bool is_found = kw_wal_puts_next(&puts, &f);
    try_path(input, "226", is_found, &f);
    try_path(input, "236", is_found, &f);
    try_path(input, "22436", is_found, &f);
    try_path(input, "2242426", is_found, &f);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    const kw_span input = kw_span_of(data, len);
    if (len > INPUT_MAX)
        return 0;
    try_frames(input);
    try_record(input);
    try_request(input);
    try_put(input);
    return 0;
}
