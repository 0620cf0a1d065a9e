/* SPDX-License-Identifier: Apache-2.0 */
/* Words that are nearly others: the distance that Damerau and Levenshtein count, of two
 * letters that changed places once. */
#include <keyward/args.h>

#include <string.h>

/* How far the first letters of one word are from the first k of the other. */
struct near_row {
    size_t at[KW_NEAR_MAX + 1];
};

static size_t near_least(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* Of the first i letters of `a`, from those of i - 1 and of i - 2. */
static struct near_row near_next(const char *a, const char *b, size_t i,
                                 const struct near_row *last,
                                 const struct near_row *before)
{
    struct near_row row = *last;
    const size_t len = strlen(b);
    row.at[0] = i;
    for (size_t k = 1; k <= len; k++) {
        const size_t changed = last->at[k - 1] + (a[i - 1] != b[k - 1]);
        row.at[k] = near_least(near_least(row.at[k - 1], last->at[k]) + 1, changed);
        if (i > 1 && k > 1 && a[i - 1] == b[k - 2] && a[i - 2] == b[k - 1])
            row.at[k] = near_least(row.at[k], before->at[k - 2] + 1);
    }
    return row;
}

size_t kw_words_apart(const char *a, const char *b)
{
    struct near_row before, last;
    const size_t len = strlen(a);
    if (len > KW_NEAR_MAX || strlen(b) > KW_NEAR_MAX)
        return KW_NEAR_MAX;
    for (size_t k = 0; k <= KW_NEAR_MAX; k++)
        last.at[k] = k;
    before = last;
    for (size_t i = 1; i <= len; i++) {
        const struct near_row row = near_next(a, b, i, &last, &before);
        before = last;
        last = row;
    }
    return last.at[strlen(b)];
}

bool kw_word_is_nearer(const char *word, const char *name, size_t *least)
{
    const size_t apart = kw_words_apart(word, name);
    if (apart > 2 || 3 * apart > strlen(name) || apart >= *least)
        return false;
    *least = apart;
    return true;
}
