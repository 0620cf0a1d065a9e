/* SPDX-License-Identifier: Apache-2.0 */
/* The fields as bytes, and back. */
#include "check.h"
#include "sample.h"

enum { SAMPLE = 163, FIELDS_AT = 20 };

static uint8_t room[KW_CHECKPOINT_MAX + 1];

static kw_dst written(const struct kw_checkpoint *c)
{
    kw_dst dst = kw_dst_of(room, sizeof room);
    CHECK_OK(kw_checkpoint_write(c, &dst));
    return dst;
}

TEST(write__the_sample__the_bytes_that_were_signed)
{
    const struct kw_checkpoint c = sample_checkpoint();
    uint8_t hash[KW_SHA256];
    char hex[2 * KW_SHA256 + 1];
    const kw_dst dst = written(&c);
    CHECK(dst.len == SAMPLE && memcmp(room, "keyward-checkpoint-1", FIELDS_AT) == 0);
    CHECK(memcmp(room + 52, "\5cp-01\0\0\0\0\0\0\x12\x67 ", 15) == 0);
    CHECK(room[SAMPLE - 1] == 1);
    CHECK_OK(kw_checkpoint_hash(&c, hash));
    kw_hex(hex, sizeof hex, kw_span_of(hash, sizeof hash));
    CHECK_STR(hex, sample_hash);
}

TEST(write__the_longest__fits_the_maximum)
{
    struct kw_checkpoint c = sample_checkpoint();
    memset(c.node, 'n', KW_CHECKPOINT_NODE_MAX);
    CHECK(written(&c).len == KW_CHECKPOINT_MAX);
    kw_dst dst = kw_dst_of(room, KW_CHECKPOINT_MAX - 1);
    CHECK_CODE(kw_checkpoint_write(&c, &dst), KW_CODE_NO_MEMORY);
    CHECK(dst.len == 0);
}

TEST(write__field_out_of_bounds__bad_input)
{
    const uint64_t most = INT64_MAX;
    struct kw_checkpoint bad[] = {sample_checkpoint(), sample_checkpoint(),
                                  sample_checkpoint(), sample_checkpoint()};
    uint8_t hash[KW_SHA256];
    bad[0].covered = most + 1;
    bad[1].counts[KW_COUNT_LOGIN] = most + 1;
    bad[2].time_us = most + 1;
    bad[3].node[2] = '\n';
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        CHECK_CODE(kw_checkpoint_hash(&bad[i], hash), KW_CODE_BAD_INPUT);
    bad[0].covered = most;
    CHECK_OK(kw_checkpoint_hash(&bad[0], hash));
}

TEST(take__what_was_put__the_same)
{
    const struct kw_checkpoint c = sample_checkpoint();
    struct kw_checkpoint back = {.covered = 0};
    uint8_t again[KW_CHECKPOINT_MAX];
    kw_dst dst = kw_dst_of(again, sizeof again);
    struct kw_src src = kw_src_of(kw_span_of(room + FIELDS_AT, SAMPLE - FIELDS_AT));
    (void)written(&c);
    kw_checkpoint_take(&src, &back);
    CHECK(kw_src_done(&src) && back.covered == 4711 && back.synchronised);
    CHECK(kw_checkpoint_put(&dst, &back));
    CHECK(dst.len == SAMPLE - FIELDS_AT && memcmp(again, room + FIELDS_AT, dst.len) == 0);
}

TEST(take__short_or_of_another_spelling__bad)
{
    const struct kw_checkpoint c = sample_checkpoint();
    struct kw_checkpoint back;
    (void)written(&c);
    for (size_t len = 0; len < SAMPLE - FIELDS_AT; len++) {
        struct kw_src src = kw_src_of(kw_span_of(room + FIELDS_AT, len));
        kw_checkpoint_take(&src, &back);
        CHECK(src.bad);
    }
    room[SAMPLE - 1] = 2; /* a truth that is neither */
    struct kw_src src = kw_src_of(kw_span_of(room + FIELDS_AT, SAMPLE - FIELDS_AT));
    kw_checkpoint_take(&src, &back);
    CHECK(src.bad);
    room[SAMPLE - 1] = 1;
    room[54] = 0; /* a node with a NUL in it */
    src = kw_src_of(kw_span_of(room + FIELDS_AT, SAMPLE - FIELDS_AT));
    kw_checkpoint_take(&src, &back);
    CHECK(src.bad);
}

/* Two checkpoints that differ in anything have two hashes. */
TEST(hash__any_bit_changed__another_one)
{
    const struct kw_checkpoint c = sample_checkpoint();
    uint8_t fields[SAMPLE - FIELDS_AT], was[KW_SHA256], now[KW_SHA256];
    CHECK_OK(kw_checkpoint_hash(&c, was));
    (void)written(&c);
    memcpy(fields, room + FIELDS_AT, sizeof fields);
    for (size_t bit = 0; bit < 8 * sizeof fields; bit++) {
        struct kw_checkpoint other;
        fields[bit / 8] = (uint8_t)(fields[bit / 8] ^ (1u << bit % 8));
        struct kw_src src = kw_src_of(kw_span_of(fields, sizeof fields));
        kw_checkpoint_take(&src, &other);
        if (kw_src_done(&src)) {
            CHECK_OK(kw_checkpoint_hash(&other, now));
            CHECK(memcmp(was, now, sizeof was) != 0);
        }
        fields[bit / 8] = (uint8_t)(fields[bit / 8] ^ (1u << bit % 8));
    }
}

KW_SUITE("hsm/checkpoint/checkpoint")
