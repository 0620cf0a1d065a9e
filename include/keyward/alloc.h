/* SPDX-License-Identifier: Apache-2.0 */
/* alloc - the one caller of the C allocator
 *
 * Threads:  any.
 * Secrets:  never; secrets live in the arena (secret.h).
 */
#ifndef KEYWARD_ALLOC_H
#define KEYWARD_ALLOC_H

#include <stddef.h>

#include <keyward/bytes.h>

/* Zeroed memory for `count` things of `size` bytes, or NULL. */
void *kw_new(size_t count, size_t size);
void kw_free(void *p); /* NULL does nothing */

/* An owned C string; NULL when memory is out or s holds a NUL. */
char *kw_strdup(kw_span s);
/* printf into an owned C string; NULL when memory is out. */
char *kw_format(const char *fmt, ...) KW_PRINTF(1, 2);

/* Tests only: the n-th call from now on (0 = the next) and all later ones fail;
 * a negative n ends it. */
void kw_alloc_fail_from(long n);
/* Tests only: the n-th call from now on fails, and memory is there again for the next. */
void kw_alloc_fail_once(long n);

#endif
