/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"

#include "corpus.h"

static bool judge_text(struct kw_corpus *c, enum kw_bench_method m, size_t i,
                       kw_span text)
{
    uint8_t body[128];
    kw_dst dst = kw_dst_of(body, sizeof body);
    /* An EncryptRequest has the fields of an EncryptResponse: text, then a name. */
    CHECK(kw_message_encrypt(&dst, text, kw_span_str(m == KW_DECRYPT ? "" : "key")));
    return kw_corpus_judge(c, m, i, kw_dst_span(&dst));
}

TEST(judge__another_seed__wrong)
{
    struct kw_corpus c;
    CHECK_OK(kw_corpus_init(&c, 2));
    CHECK(judge_text(&c, KW_DECRYPT, 0, kw_span_of(c.entry[0].seed, KW_SEED)));
    CHECK(!judge_text(&c, KW_DECRYPT, 0, kw_span_of(c.entry[1].seed, KW_SEED)));
    CHECK(!judge_text(&c, KW_DECRYPT, 0, kw_span_of(c.entry[0].seed, KW_SEED - 1)));
    CHECK(!judge_text(&c, KW_DECRYPT, 0, (kw_span){0}));
    kw_corpus_wipe(&c);
}

TEST(judge__encrypt_without_text__wrong_and_nothing_kept)
{
    struct kw_corpus c;
    CHECK_OK(kw_corpus_init(&c, 1));
    CHECK(!judge_text(&c, KW_ENCRYPT, 0, (kw_span){0}));
    CHECK(kw_corpus_decrypt(&c, 0).len == 0);
    kw_corpus_wipe(&c);
}

TEST(judge__encrypt__kept_and_replaced)
{
    struct kw_corpus c;
    CHECK_OK(kw_corpus_init(&c, 1));
    CHECK(judge_text(&c, KW_ENCRYPT, 0, kw_span_str("first")));
    size_t first = kw_corpus_decrypt(&c, 0).len;
    CHECK(judge_text(&c, KW_ENCRYPT, 0, kw_span_str("a longer one")));
    kw_span message = kw_corpus_decrypt(&c, 0);
    CHECK(message.len == first + 7);
    CHECK(memmem(message.ptr, message.len, "a longer one", 12) != NULL);
    kw_corpus_wipe(&c);
}

TEST(judge__status_not_ok__wrong)
{
    struct kw_corpus c;
    static const char good[] = "\0\0\0\0\x0b\x0a\2v2\x12\2ok\x1a\1k";
    static const char ill[] = "\0\0\0\0\x0b\x0a\2v2\x12\2no\x1a\1k";
    static const char old[] = "\0\0\0\0\x0b\x0a\2v1\x12\2ok\x1a\1k";
    CHECK_OK(kw_corpus_init(&c, 1));
    CHECK(kw_corpus_judge(&c, KW_STATUS, 0, kw_span_of(good, sizeof good - 1)));
    CHECK(!kw_corpus_judge(&c, KW_STATUS, 0, kw_span_of(ill, sizeof ill - 1)));
    CHECK(!kw_corpus_judge(&c, KW_STATUS, 0, kw_span_of(old, sizeof old - 1)));
    kw_corpus_wipe(&c);
}

KW_CASES("bench/load/corpus", CASE(judge__another_seed__wrong),
         CASE(judge__encrypt_without_text__wrong_and_nothing_kept),
         CASE(judge__encrypt__kept_and_replaced), CASE(judge__status_not_ok__wrong))
