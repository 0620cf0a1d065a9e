/* SPDX-License-Identifier: Apache-2.0 */
/* member - takes members out of a JSON document; the first that is not as it should be
 * is named and latched
 *
 * After that the takes go on giving nothing, so that a whole document is read by a plain
 * list of takes and judged once.
 *
 * Threads:  plain values.
 */
#ifndef KEYWARD_BENCH_MEMBER_H
#define KEYWARD_BENCH_MEMBER_H

#include <jansson.h>

#include <keyward/err.h>

struct kw_members {
    const char *path; /* of the file, for the note */
    struct kw_note *note;
    char where[96]; /* what is being looked into, such as "cells[3].", or "" */
    bool bad;
};

/* "PATH: WHERE.NAME: " and what is wanted; latches. */
void kw_member_bad(struct kw_members *m, const char *name, const char *wanted);

const json_t *kw_member_object(struct kw_members *m, const json_t *of, const char *name);
const json_t *kw_member_array(struct kw_members *m, const json_t *of, const char *name);
/* "" when bad. */
void kw_member_text(struct kw_members *m, const json_t *of, const char *name, char *dst,
                    size_t cap);
/* The same, owned; NULL when bad or out of memory. */
char *kw_member_dup(struct kw_members *m, const json_t *of, const char *name);
double kw_member_number(struct kw_members *m, const json_t *of, const char *name);
/* A whole number from 0 to `most`. */
uint64_t kw_member_count(struct kw_members *m, const json_t *of, const char *name,
                         uint64_t most);
bool kw_member_flag(struct kw_members *m, const json_t *of, const char *name);
/* Exactly `count` numbers or nulls; null is NAN. */
void kw_member_numbers(struct kw_members *m, const json_t *array, const char *name,
                       double *dst, size_t count);

#endif
