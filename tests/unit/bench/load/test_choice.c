/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"

#include "choice.h"

static struct kw_choice_options o;
static struct kw_choice c;
static struct kw_note note;

static void begin(const char *mix, const char *ciphertexts)
{
    o = (struct kw_choice_options){.count = 1000, .seed = 1};
    CHECK_OK(kw_mix_parse(mix, &o, &note));
    if (ciphertexts != NULL)
        CHECK_OK(kw_ciphertexts_parse(ciphertexts, &o, &note));
    CHECK_OK(kw_choice_init(&c, &o));
}

static void refused_mix(const char *text, const char *why)
{
    struct kw_choice_options before = {.weight = {7, 7, 7}}, after = before;
    CHECK_CODE(kw_mix_parse(text, &after, &note), KW_CODE_BAD_INPUT);
    CHECK(memcmp(&before, &after, sizeof before) == 0);
    CHECK_HAS(note.text, why);
    CHECK_HAS(note.text, text);
}

TEST(mix__bad_words__refused_and_why)
{
    refused_mix("", "an unknown word");
    refused_mix("delete", "an unknown word");
    refused_mix("decrypt,", "a weight is missing");
    refused_mix("decrypt:0", "from 1 to 1000");
    refused_mix("decrypt:1001", "from 1 to 1000");
    refused_mix("decrypt:-1", "from 1 to 1000");
    refused_mix("decrypt:9x", "too much at its end");
    refused_mix("decrypt:9,", "an unknown word");
    refused_mix("decrypt:9,encrypt", "a weight is missing");
    refused_mix("decrypt:9,decrypt:1", "a word twice");
    refused_mix("decrypt:900,status:101", "more than 1000");
    refused_mix("decrypted", "a weight is missing");
}

TEST(ciphertexts__bad_words__refused_and_named)
{
    static const char *const bad[] = {
        "",           "distinct",      "distinct:0",     "distinct:1000001",
        "distinct:x", "distinct:1 ",   "same:1",         "zipf:10",
        "zipf:10:",   "zipf:10:-1",    "zipf:10:11",     "zipf:10:nan",
        "zipf:10:1x", "repeat:101:10", "repeat:90",      "repeat:90:0",
        "repeat::1",  "zipf:0:1",      "repeat:90:10:1", "unique:1",
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct kw_choice_options before = {.count = 77}, after = before;
        CHECK_CODE(kw_ciphertexts_parse(bad[i], &after, &note), KW_CODE_BAD_INPUT);
        CHECK(memcmp(&before, &after, sizeof before) == 0);
        CHECK_HAS(note.text, bad[i]);
        CHECK_HAS(note.text, "zipf:1000:0.99");
    }
}

TEST(distinct__decrypt__in_turn)
{
    begin("decrypt", "distinct:3");
    CHECK(c.needs.ciphertexts == 3 && c.needs.seeds == 0);
    for (size_t i = 0; i < 10; i++) {
        CHECK(c.next.method == KW_DECRYPT && c.next.entry == i % 3);
        kw_choice_step(&c);
    }
    kw_choice_wipe(&c);
}

TEST(same__always_the_first)
{
    begin("decrypt", "same");
    for (size_t i = 0; i < 5; i++) {
        CHECK(c.next.method == KW_DECRYPT && c.next.entry == 0);
        kw_choice_step(&c);
    }
    kw_choice_wipe(&c);
}

TEST(encrypt_alone__as_many_seeds_as_said)
{
    begin("encrypt", "distinct:4");
    CHECK(c.needs.ciphertexts == 0 && c.needs.seeds == 4);
    for (size_t i = 0; i < 9; i++) {
        CHECK(c.next.method == KW_ENCRYPT && c.next.entry == i % 4);
        kw_choice_step(&c);
    }
    kw_choice_wipe(&c);
}

TEST(mix__weights_exact_and_seeds_of_its_own)
{
    unsigned seen[KW_METHODS] = {0};
    begin("decrypt:90,encrypt:5,status:5", "distinct:7");
    CHECK(c.needs.ciphertexts == 7 && c.needs.seeds == KW_MIXED_SEEDS);
    for (size_t i = 0; i < 2000; i++) {
        seen[c.next.method]++;
        CHECK(c.next.method != KW_DECRYPT || c.next.entry < 7);
        CHECK(c.next.method != KW_ENCRYPT ||
              (c.next.entry >= 7 && c.next.entry < 7 + KW_MIXED_SEEDS));
        kw_choice_step(&c);
    }
    CHECK(seen[KW_DECRYPT] == 1800 && seen[KW_ENCRYPT] == 100 && seen[KW_STATUS] == 100);
    kw_choice_wipe(&c);
}

TEST(zipf__the_first_most_often)
{
    unsigned first = 0, last = 0;
    begin("decrypt", "zipf:100:1.0");
    CHECK(o.exponent == 1.0);
    CHECK(c.needs.ciphertexts == 100);
    for (size_t i = 0; i < 10000; i++) {
        first += c.next.entry == 0;
        last += c.next.entry == 99;
        kw_choice_step(&c);
    }
    CHECK(first > 1750 && first < 2110); /* 1928 */
    CHECK(last < 50);                    /* 19   */
    kw_choice_wipe(&c);
}

/* 90 of a hundred ask for one of the hot ones; the others go round in turn. */
TEST(repeat__hot_ones_often_and_the_others_in_turn)
{
    unsigned hot = 0, seen[KW_HOT] = {0};
    size_t next = KW_HOT;
    begin("decrypt", "repeat:90:50");
    CHECK(c.needs.ciphertexts == KW_HOT + 50);
    for (size_t i = 0; i < 10000; i++) {
        if (c.next.entry < KW_HOT) {
            hot++;
            seen[c.next.entry]++;
        } else {
            CHECK(c.next.entry == next);
            next = next + 1 < KW_HOT + 50 ? next + 1 : KW_HOT;
        }
        kw_choice_step(&c);
    }
    CHECK(hot > 8900 && hot < 9100);
    for (size_t i = 0; i < KW_HOT; i++)
        CHECK(seen[i] > 450);
    kw_choice_wipe(&c);
}

TEST(seed__the_same_choices_again)
{
    struct kw_choice other;
    begin("decrypt:3,encrypt:1", "zipf:1000:0.99");
    CHECK_OK(kw_choice_init(&other, &o));
    for (size_t i = 0; i < 1000; i++) {
        CHECK(other.next.method == c.next.method && other.next.entry == c.next.entry);
        kw_choice_step(&c);
        kw_choice_step(&other);
    }
    kw_choice_wipe(&c);
    kw_choice_wipe(&other);
}

KW_CASES("bench/load/choice", CASE(mix__bad_words__refused_and_why),
         CASE(ciphertexts__bad_words__refused_and_named),
         CASE(distinct__decrypt__in_turn), CASE(same__always_the_first),
         CASE(encrypt_alone__as_many_seeds_as_said),
         CASE(mix__weights_exact_and_seeds_of_its_own), CASE(zipf__the_first_most_often),
         CASE(repeat__hot_ones_often_and_the_others_in_turn),
         CASE(seed__the_same_choices_again))
