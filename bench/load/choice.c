/* SPDX-License-Identifier: Apache-2.0 */
#include "choice.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include <keyward/alloc.h>

static unsigned choice_method_of(const char *word)
{
    unsigned m = 0;
    while (m < KW_METHODS && strcmp(word, kw_bench_method_names[m]) != 0)
        m++;
    return m;
}

/* What is wrong with the mix, or NULL. */
static const char *mix_read(const char *at, uint32_t weight[KW_METHODS])
{
    uint32_t sum = 0;
    for (;; at++) {
        char word[8] = "";
        int len = 0;
        if (sscanf(at, "%7[a-z]%n", word, &len) != 1 ||
            choice_method_of(word) == KW_METHODS)
            return "an unknown word";
        uint32_t *w = &weight[choice_method_of(word)];
        if (*w > 0)
            return "a word twice";
        at += len;
        len = 0;
        if (sum == 0 && *at == '\0')
            *w = 1;
        else if (at[0] == ':' && at[1] >= '0' && at[1] <= '9')
            (void)sscanf(at, ":%4" SCNu32 "%n", w, &len);
        if (*w < 1 || *w > KW_DECK_MAX)
            return "a weight is missing or not from 1 to 1000";
        at += len;
        sum += *w;
        if (*at != ',')
            break;
    }
    if (*at != '\0')
        return "too much at its end";
    return sum > KW_DECK_MAX ? "the weights are more than 1000 together" : NULL;
}

kw_err kw_mix_parse(const char *text, struct kw_choice_options *o, struct kw_note *note)
{
    uint32_t weight[KW_METHODS] = {0};
    const char *why = mix_read(text, weight);
    if (why != NULL) {
        kw_note_set(note,
                    "--mix %s: %s; it wants decrypt, encrypt, status, or weights such as "
                    "decrypt:90,encrypt:5,status:5",
                    text, why);
        return kw_err_at(KW_CODE_BAD_INPUT, "mix");
    }
    kw_copy(o->weight, sizeof o->weight, kw_span_of(weight, sizeof weight));
    return KW_OK;
}

/* sscanf knows blanks and signs as well: they are refused first.  It leaves `end` where it
 * is unless all of the format was there. */
static bool ciphertexts_read(const char *text, struct kw_choice_options *o)
{
    unsigned count = 1, percent = 0;
    double s = 0;
    int end = 0;
    o->pattern = KW_PATTERN_DISTINCT;
    if (text[strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789:.")] != '\0')
        return false;
    if (strcmp(text, "same") == 0)
        end = (int)strlen(text);
    else if (strncmp(text, "distinct", 8) == 0)
        (void)sscanf(text, "distinct:%7u%n", &count, &end);
    else if (strncmp(text, "zipf", 4) == 0) {
        o->pattern = KW_PATTERN_ZIPF;
        (void)sscanf(text, "zipf:%7u:%lf%n", &count, &s, &end);
    } else {
        o->pattern = KW_PATTERN_REPEAT;
        (void)sscanf(text, "repeat:%3u:%7u%n", &percent, &count, &end);
    }
    o->count = count;
    o->percent = percent;
    o->exponent = s;
    return end > 0 && text[end] == '\0' && count >= 1 && count <= KW_CORPUS_MAX &&
           percent <= 100 && s >= 0 && s <= KW_EXPONENT_MAX;
}

kw_err kw_ciphertexts_parse(const char *text, struct kw_choice_options *o,
                            struct kw_note *note)
{
    struct kw_choice_options read = *o;
    if (!ciphertexts_read(text, &read)) {
        kw_note_set(
            note,
            "--ciphertexts %s: it wants same, distinct:K, zipf:K:S or repeat:P:K, "
            "such as zipf:1000:0.99 or repeat:90:8192 (K 1 to %d, S 0 to %d, P in "
            "%%)",
            text, KW_CORPUS_MAX, KW_EXPONENT_MAX);
        return kw_err_at(KW_CODE_BAD_INPUT, "ciphertexts");
    }
    *o = read;
    return KW_OK;
}

struct kw_needs kw_choice_needs(const struct kw_choice_options *o)
{
    struct kw_needs n = {0};
    const bool decrypts = o->weight[KW_DECRYPT] > 0;
    if (decrypts)
        n.ciphertexts = o->count + (o->pattern == KW_PATTERN_REPEAT ? KW_HOT : 0u);
    if (o->weight[KW_ENCRYPT] > 0)
        n.seeds = decrypts ? KW_MIXED_SEEDS : o->count;
    return n;
}

/* In [0, 1), in steps of 2^-53.  No secret hangs on it. */
static double choice_draw(struct kw_choice *c)
{
    uint64_t z = (c->random += UINT64_C(0x9e3779b97f4a7c15));
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return (double)((z ^ (z >> 31)) >> 11) * 0x1p-53;
}

static size_t choice_draw_below(struct kw_choice *c, size_t count)
{
    return (size_t)(choice_draw(c) * (double)count);
}

static void choice_shuffle(struct kw_choice *c)
{
    for (size_t i = c->cards - 1; i > 0; i--) {
        size_t j = choice_draw_below(c, i + 1);
        uint8_t card = c->card[i];
        c->card[i] = c->card[j];
        c->card[j] = card;
    }
    c->card_at = 0;
}

/* The first whose sum is above the drawn number; whatever the roundings, the last is the
 * last. */
static size_t choice_of_zipf(struct kw_choice *c)
{
    const double unit = choice_draw(c);
    size_t low = 0, high = c->o->count - 1;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (c->zipf[middle] > unit)
            high = middle;
        else
            low = middle + 1;
    }
    return low;
}

static size_t choice_in_turn(size_t *turn, size_t count)
{
    size_t entry = *turn;
    *turn = entry + 1 < count ? entry + 1 : 0;
    return entry;
}

static size_t choice_of_ciphertext(struct kw_choice *c)
{
    if (c->o->pattern == KW_PATTERN_ZIPF)
        return choice_of_zipf(c);
    if (c->o->pattern == KW_PATTERN_DISTINCT)
        return choice_in_turn(&c->turn_of_ciphertexts, c->o->count);
    if (choice_draw(c) * 100 < (double)c->o->percent)
        return choice_draw_below(c, KW_HOT);
    return KW_HOT + choice_in_turn(&c->turn_of_ciphertexts, c->o->count);
}

void kw_choice_step(struct kw_choice *c)
{
    if (c->card_at == c->cards)
        choice_shuffle(c);
    c->next = (struct kw_pick){(enum kw_bench_method)c->card[c->card_at++], 0};
    if (c->next.method == KW_DECRYPT)
        c->next.entry = choice_of_ciphertext(c);
    if (c->next.method == KW_ENCRYPT)
        c->next.entry =
            c->needs.ciphertexts + choice_in_turn(&c->turn_of_seeds, c->needs.seeds);
}

static bool choice_zipf_init(struct kw_choice *c)
{
    const size_t count = c->o->count;
    double all = 0;
    c->zipf = kw_new(count, sizeof c->zipf[0]);
    for (size_t i = 0; c->zipf != NULL && i < count; i++)
        c->zipf[i] = all += pow((double)i + 1, -c->o->exponent);
    for (size_t i = 0; c->zipf != NULL && i < count; i++)
        c->zipf[i] /= all;
    return c->zipf != NULL;
}

kw_err kw_choice_init(struct kw_choice *c, const struct kw_choice_options *o)
{
    *c = (struct kw_choice){.o = o, .needs = kw_choice_needs(o), .random = o->seed};
    for (unsigned m = 0; m < KW_METHODS; m++)
        for (uint32_t n = 0; n < o->weight[m]; n++)
            c->card[c->cards++] = (uint8_t)m;
    c->card_at = c->cards;
    if (o->pattern == KW_PATTERN_ZIPF && !choice_zipf_init(c))
        return kw_err_at(KW_CODE_NO_MEMORY, "zipf");
    kw_choice_step(c);
    return KW_OK;
}

void kw_choice_wipe(struct kw_choice *c)
{
    kw_free(c->zipf);
    *c = (struct kw_choice){0};
}
