/* SPDX-License-Identifier: Apache-2.0 */
/* The words that say what is asked. */
#include "choice.h"

#include <stdlib.h>
#include <string.h>

static const char mix_help[] =
    "decrypt, encrypt, status, or weights such as decrypt:90,encrypt:5,status:5";
static const char ciphertexts_help[] =
    "same, distinct:K, zipf:K:S or repeat:P:K, such as zipf:1000:0.99 or repeat:90:8192";

static kw_err no_mix(const char *text, const char *why, struct kw_note *note)
{
    kw_note_set(note, "--mix %s: %s; it wants %s", text, why, mix_help);
    return kw_err_at(KW_CODE_BAD_INPUT, "mix");
}

/* Each takes what it knows from the front, or gives false. */
static bool take_number(const char **at, uint64_t least, uint64_t most, uint64_t *ret_n)
{
    uint64_t n = 0;
    const char *p = *at;
    for (; *p >= '0' && *p <= '9' && p - *at < 9; p++)
        n = n * 10 + (uint64_t)(*p - '0');
    if (p == *at || n < least || n > most)
        return false;
    *at = p;
    *ret_n = n;
    return true;
}

static bool take_text(const char **at, const char *text)
{
    size_t len = strlen(text);
    if (strncmp(*at, text, len) != 0)
        return false;
    *at += len;
    return true;
}

static bool take_method(const char **at, enum kw_method *ret_method)
{
    for (unsigned i = 0; i < KW_METHODS; i++)
        if (take_text(at, kw_method_names[i])) {
            *ret_method = (enum kw_method)i;
            return true;
        }
    return false;
}

kw_err kw_mix_parse(const char *text, struct kw_choice_options *o, struct kw_note *note)
{
    uint32_t weight[KW_METHODS] = {0};
    uint64_t sum = 0, n = 1;
    enum kw_method method = KW_METHODS;
    const char *at = text;
    do {
        if (!take_method(&at, &method))
            return no_mix(text, "an unknown word", note);
        if (weight[method] > 0)
            return no_mix(text, "a word twice", note);
        bool alone = sum == 0 && *at == '\0';
        if (!alone && !(take_text(&at, ":") && take_number(&at, 1, KW_DECK_MAX, &n)))
            return no_mix(text, "a weight is missing or not from 1 to 1000", note);
        weight[method] = (uint32_t)n;
        sum += n;
    } while (take_text(&at, ","));
    if (*at != '\0')
        return no_mix(text, "too much at its end", note);
    if (sum > KW_DECK_MAX)
        return no_mix(text, "the weights are more than 1000 together", note);
    for (unsigned i = 0; i < KW_METHODS; i++)
        o->weight[i] = weight[i];
    return KW_OK;
}

static bool take_exponent(const char **at, double *ret_s)
{
    char *end = NULL;
    if (**at < '0' || **at > '9')
        return false; /* strtod knows signs, blanks and infinity as well */
    double s = strtod(*at, &end);
    if (!(s >= 0 && s <= KW_EXPONENT_MAX))
        return false;
    *at = end;
    *ret_s = s;
    return true;
}

static bool take_count(const char **at, struct kw_choice_options *o)
{
    return take_text(at, ":") && take_number(at, 1, KW_CORPUS_MAX, &o->count);
}

static bool read_ciphertexts(const char *at, struct kw_choice_options *o)
{
    bool good = false;
    if (take_text(&at, "same")) {
        o->pattern = KW_PATTERN_DISTINCT;
        o->count = 1;
        good = true;
    } else if (take_text(&at, "distinct")) {
        o->pattern = KW_PATTERN_DISTINCT;
        good = take_count(&at, o);
    } else if (take_text(&at, "zipf")) {
        o->pattern = KW_PATTERN_ZIPF;
        good =
            take_count(&at, o) && take_text(&at, ":") && take_exponent(&at, &o->exponent);
    } else if (take_text(&at, "repeat:")) {
        o->pattern = KW_PATTERN_REPEAT;
        good = take_number(&at, 0, 100, &o->percent) && take_count(&at, o);
    }
    return good && *at == '\0';
}

kw_err kw_ciphertexts_parse(const char *text, struct kw_choice_options *o,
                            struct kw_note *note)
{
    struct kw_choice_options read = *o;
    if (!read_ciphertexts(text, &read)) {
        kw_note_set(note, "--ciphertexts %s: it wants %s (K 1 to %d, S 0 to %d, P in %%)",
                    text, ciphertexts_help, KW_CORPUS_MAX, KW_EXPONENT_MAX);
        return kw_err_at(KW_CODE_BAD_INPUT, "ciphertexts");
    }
    *o = read;
    return KW_OK;
}
