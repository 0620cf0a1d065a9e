/* SPDX-License-Identifier: Apache-2.0 */
/* The words that say what is asked. */
#include "choice.h"

#include <stdlib.h>
#include <string.h>

static const char mix_help[] =
    "decrypt, encrypt, status, or weights such as decrypt:90,encrypt:5,status:5";
static const char ciphertexts_help[] =
    "same, distinct:K, zipf:K:S or repeat:P:K, such as zipf:1000:0.99 or repeat:90:8192";

/* Each takes what it knows from the front, or gives false. */
static bool take_number(const char **at, uint64_t least, uint64_t most, uint64_t *ret_n)
{
    size_t digits = strspn(*at, "0123456789");
    uint64_t n = digits > 0 && digits < 10 ? strtoull(*at, NULL, 10) : UINT64_MAX;
    if (n < least || n > most)
        return false;
    *at += digits;
    *ret_n = n;
    return true;
}

static bool take_text(const char **at, const char *text)
{
    size_t len = strlen(text);
    bool good = strncmp(*at, text, len) == 0;
    *at += good ? len : 0;
    return good;
}

static bool take_method(const char **at, unsigned *ret_method)
{
    for (unsigned i = 0; i < KW_METHODS; i++)
        if (take_text(at, kw_bench_method_names[i])) {
            *ret_method = i;
            return true;
        }
    return false;
}

/* strtod knows signs, blanks and infinity as well. */
static bool take_exponent(const char **at, double *ret_s)
{
    char *end = NULL;
    double s = **at >= '0' && **at <= '9' ? strtod(*at, &end) : -1;
    if (!(s >= 0 && s <= KW_EXPONENT_MAX))
        return false;
    *at = end;
    *ret_s = s;
    return true;
}

/* What is wrong with the mix, or NULL. */
static const char *mix_read(const char *at, uint32_t weight[KW_METHODS])
{
    uint64_t sum = 0, n = 1;
    unsigned method = 0;
    do {
        if (!take_method(&at, &method))
            return "an unknown word";
        if (weight[method] > 0)
            return "a word twice";
        bool alone = sum == 0 && *at == '\0';
        if (!alone && !(take_text(&at, ":") && take_number(&at, 1, KW_DECK_MAX, &n)))
            return "a weight is missing or not from 1 to 1000";
        weight[method] = (uint32_t)n;
        sum += n;
    } while (take_text(&at, ","));
    if (*at != '\0')
        return "too much at its end";
    return sum > KW_DECK_MAX ? "the weights are more than 1000 together" : NULL;
}

kw_err kw_mix_parse(const char *text, struct kw_choice_options *o, struct kw_note *note)
{
    uint32_t weight[KW_METHODS] = {0};
    const char *why = mix_read(text, weight);
    if (why != NULL) {
        kw_note_set(note, "--mix %s: %s; it wants %s", text, why, mix_help);
        return kw_err_at(KW_CODE_BAD_INPUT, "mix");
    }
    for (unsigned i = 0; i < KW_METHODS; i++)
        o->weight[i] = weight[i];
    return KW_OK;
}

static bool ciphertexts_read(const char *at, struct kw_choice_options *o)
{
    bool good = true;
    o->pattern = KW_PATTERN_DISTINCT;
    if (take_text(&at, "same")) {
        o->count = 1;
        return *at == '\0';
    }
    if (take_text(&at, "repeat:")) {
        o->pattern = KW_PATTERN_REPEAT;
        good = take_number(&at, 0, 100, &o->percent);
    } else if (take_text(&at, "zipf")) {
        o->pattern = KW_PATTERN_ZIPF;
    } else if (!take_text(&at, "distinct")) {
        return false;
    }
    good = good && take_text(&at, ":") && take_number(&at, 1, KW_CORPUS_MAX, &o->count);
    if (o->pattern == KW_PATTERN_ZIPF)
        good = good && take_text(&at, ":") && take_exponent(&at, &o->exponent);
    return good && *at == '\0';
}

kw_err kw_ciphertexts_parse(const char *text, struct kw_choice_options *o,
                            struct kw_note *note)
{
    struct kw_choice_options read = *o;
    if (!ciphertexts_read(text, &read)) {
        kw_note_set(note, "--ciphertexts %s: it wants %s (K 1 to %d, S 0 to %d, P in %%)",
                    text, ciphertexts_help, KW_CORPUS_MAX, KW_EXPONENT_MAX);
        return kw_err_at(KW_CODE_BAD_INPUT, "ciphertexts");
    }
    *o = read;
    return KW_OK;
}
