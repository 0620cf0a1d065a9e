/* SPDX-License-Identifier: Apache-2.0 */
/* choice - what the next call is: which method, and which ciphertext or seed
 *
 * All of it comes from the options and their seed: two runs ask the same in the same
 * order.  Entries 0 to ciphertexts - 1 are for Decrypt.  What Encrypt seals in a mix are
 * other entries, behind them: a new ciphertext of an old seed would be a miss in the
 * server's cache that nobody asked for.
 *
 * Threads:   plain values.
 */
#ifndef KEYWARD_BENCH_CHOICE_H
#define KEYWARD_BENCH_CHOICE_H

#include "order.h"
#include "message.h"

enum {
    KW_CORPUS_MAX = 1000000, /* of ciphertexts             */
    KW_HOT = 16,             /* the few that are repeated  */
    KW_MIXED_SEEDS = 1000,   /* that a mix seals in turn   */
    KW_EXPONENT_MAX = 10,
};

enum kw_pattern {
    KW_PATTERN_DISTINCT, /* `count` of them in turn                                   */
    KW_PATTERN_ZIPF,     /* the first most often                                      */
    KW_PATTERN_REPEAT,   /* `percent` of the calls ask for one of KW_HOT, the rest for
                            `count` others in turn                                    */
};

struct kw_choice_options {
    uint32_t weight[KW_METHODS]; /* their sum is 1 to KW_DECK_MAX */
    enum kw_pattern pattern;
    uint64_t count;   /* 1 to KW_CORPUS_MAX          */
    double exponent;  /* of zipf, 0 to KW_EXPONENT_MAX */
    uint64_t percent; /* of repeat, 0 to 100         */
    uint64_t seed;
};

/* spec.c: "decrypt", or "decrypt:90,encrypt:5,status:5".  BAD_INPUT with a note, and
 * nothing written. */
KW_MUST_USE kw_err kw_mix_parse(const char *text, struct kw_choice_options *o,
                                struct kw_note *note);
/* "same", "distinct:K", "zipf:K:S" or "repeat:P:K". */
KW_MUST_USE kw_err kw_ciphertexts_parse(const char *text, struct kw_choice_options *o,
                                        struct kw_note *note);

/* How many entries there are to choose from. */
struct kw_needs {
    size_t ciphertexts; /* entries 0…, made before with Encrypt */
    size_t seeds;       /* behind them                          */
};
struct kw_needs kw_choice_needs(const struct kw_choice_options *o);

struct kw_pick {
    enum kw_bench_method method;
    size_t entry;
};

struct kw_choice {
    const struct kw_choice_options *o; /* borrowed */
    struct kw_needs needs;
    struct kw_deck deck;
    struct kw_zipf zipf;
    uint64_t state;                            /* of draw.h            */
    size_t turn_of_ciphertexts, turn_of_seeds; /* whose turn is next   */
    struct kw_pick next;                       /* to be read by anyone */
};

/* The first choice is in `next` then.  NO_MEMORY.  Call kw_choice_wipe in every case. */
KW_MUST_USE kw_err kw_choice_init(struct kw_choice *c, const struct kw_choice_options *o);
void kw_choice_wipe(struct kw_choice *c); /* {0} does nothing */
/* `next` was made: on to the one behind it. */
void kw_choice_step(struct kw_choice *c);

#endif
