/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"

#include "choice.h"

static struct kw_choice_options o;
static struct kw_choice c;
static struct kw_note note;

static void begin(const char *mix, const char *ciphertexts)
{
    kw_choice_wipe(&c);
    o = (struct kw_choice_options){.count = 1000, .seed = 1};
    CHECK_OK(kw_mix_parse(mix, &o, &note));
    CHECK_OK(kw_ciphertexts_parse(ciphertexts, &o, &note));
    CHECK_OK(kw_choice_init(&c, &o));
}

static struct kw_pick next(void)
{
    struct kw_pick p = c.next;
    kw_choice_step(&c);
    return p;
}

/* Nothing is written then, and the note has the words as they were. */
static void refuse(kw_err (*parse)(const char *, struct kw_choice_options *,
                                   struct kw_note *),
                   const char *words, const char *why)
{
    struct kw_choice_options before = {.weight = {7, 7, 7}, .count = 77}, after = before;
    CHECK_CODE(parse(words, &after, &note), KW_CODE_BAD_INPUT);
    CHECK(memcmp(&before, &after, sizeof before) == 0);
    CHECK_HAS(note.text, why);
    CHECK_HAS(note.text, words);
}

TEST(mix__bad_words__refused_and_why)
{
    static const char *const bad[][2] = {
        {"", "an unknown word"},
        {"delete", "an unknown word"},
        {"decrypt,", "a weight is missing"},
        {"decrypt:0", "from 1 to 1000"},
        {"decrypt:1001", "from 1 to 1000"},
        {"decrypt:-1", "from 1 to 1000"},
        {"decrypt: 1", "from 1 to 1000"},
        {"decrypt:9x", "too much at its end"},
        {"decrypt:9,", "an unknown word"},
        {"decrypt:9,encrypt", "a weight is missing"},
        {"decrypt:9,decrypt:1", "a word twice"},
        {"decrypt:900,status:101", "more than 1000"},
        {"decrypted", "a weight is missing"},
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        refuse(kw_mix_parse, bad[i][0], bad[i][1]);
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
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        refuse(kw_ciphertexts_parse, bad[i], "zipf:1000:0.99");
}

TEST(distinct_and_same__in_turn)
{
    static const struct {
        const char *mix, *ciphertexts;
        size_t count;
    } turns[] = {{"decrypt", "distinct:3", 3},
                 {"decrypt", "same", 1},
                 {"encrypt", "distinct:4", 4}};
    for (size_t t = 0; t < sizeof turns / sizeof turns[0]; t++) {
        begin(turns[t].mix, turns[t].ciphertexts);
        CHECK(c.needs.ciphertexts + c.needs.seeds == turns[t].count);
        CHECK((c.needs.seeds > 0) == (c.next.method == KW_ENCRYPT));
        for (size_t i = 0; i < 10; i++)
            CHECK(next().entry == i % turns[t].count);
    }
}

/* Every pass through the deck, and none like the one before. */
TEST(mix__weights_exact_and_seeds_of_its_own)
{
    enum kw_bench_method before[100] = {0};
    begin("decrypt:90,encrypt:5,status:5", "distinct:7");
    CHECK(c.needs.ciphertexts == 7 && c.needs.seeds == KW_MIXED_SEEDS);
    for (unsigned pass = 0; pass < 20; pass++) {
        unsigned seen[KW_METHODS] = {0}, moved = 0;
        for (unsigned i = 0; i < 100; i++) {
            const struct kw_pick p = next();
            seen[p.method]++;
            moved += p.method != before[i];
            before[i] = p.method;
            CHECK(p.method != KW_DECRYPT || p.entry < 7);
            CHECK(p.method != KW_ENCRYPT ||
                  (p.entry >= 7 && p.entry < 7 + KW_MIXED_SEEDS));
        }
        CHECK(seen[KW_DECRYPT] == 90 && seen[KW_ENCRYPT] == 5 && seen[KW_STATUS] == 5);
        CHECK(moved > 0);
    }
}

/* The sum of k^-0.99 for k up to 1000 is 7.7289532173. */
TEST(zipf__drawn_as_often_as_they_should)
{
    unsigned seen[1000] = {0};
    begin("decrypt", "zipf:1000:0.99");
    CHECK(c.needs.ciphertexts == 1000);
    CHECK(c.zipf[0] > 0.129383 && c.zipf[0] < 0.129385 && c.zipf[999] == 1);
    for (size_t i = 0; i < 100000; i++)
        seen[next().entry]++;
    CHECK(seen[0] > 12600 && seen[0] < 13300); /* 12938 +- 3 sigma */
    CHECK(seen[9] > 1180 && seen[9] < 1470);   /* 1324 */
    CHECK(seen[999] < 40);                     /* 14   */
}

/* 90 of a hundred ask for one of the hot ones; the others go round in turn. */
TEST(repeat__hot_ones_often_and_the_others_in_turn)
{
    unsigned hot = 0, seen[KW_HOT] = {0};
    size_t other = 0;
    begin("decrypt", "repeat:90:50");
    CHECK(c.needs.ciphertexts == KW_HOT + 50);
    for (size_t i = 0; i < 10000; i++) {
        const size_t entry = next().entry;
        if (entry < KW_HOT)
            seen[entry]++;
        else
            CHECK(entry == KW_HOT + other++ % 50);
        hot += entry < KW_HOT;
    }
    CHECK(hot > 8900 && hot < 9100);
    for (size_t i = 0; i < KW_HOT; i++)
        CHECK(seen[i] > 450);
}

TEST(seed__the_same_choices_again_and_others_with_another)
{
    struct kw_choice same, other;
    struct kw_choice_options second;
    unsigned differ = 0;
    begin("decrypt:3,encrypt:1", "zipf:1000:0.99");
    second = o;
    second.seed = 2;
    CHECK_OK(kw_choice_init(&same, &o));
    CHECK_OK(kw_choice_init(&other, &second));
    for (size_t i = 0; i < 1000; i++) {
        const struct kw_pick p = next();
        CHECK(same.next.method == p.method && same.next.entry == p.entry);
        differ += other.next.entry != p.entry;
        kw_choice_step(&same);
        kw_choice_step(&other);
    }
    CHECK(differ > 500);
    kw_choice_wipe(&same);
    kw_choice_wipe(&other);
}

KW_SUITE("bench/load/choice")
