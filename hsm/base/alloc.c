/* SPDX-License-Identifier: Apache-2.0 */
/* The one caller of the C allocator, with a switch that lets tests make it fail. */
#include <keyward/alloc.h>

#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static atomic_bool failing, failing_once;
static atomic_long until_failure;

void kw_alloc_fail_from(long n)
{
    atomic_store(&until_failure, n);
    atomic_store(&failing_once, false);
    atomic_store(&failing, n >= 0);
}

void kw_alloc_fail_once(long n)
{
    kw_alloc_fail_from(n);
    atomic_store(&failing_once, true);
}

static bool must_fail(void)
{
    if (!atomic_load_explicit(&failing, memory_order_relaxed))
        return false;
    long left = atomic_fetch_sub(&until_failure, 1);
    return atomic_load(&failing_once) ? left == 0 : left <= 0;
}

void *kw_new(size_t count, size_t size)
{
    if (must_fail() || (size > 0 && count > SIZE_MAX / size))
        return NULL;
    return calloc(count ? count : 1, size ? size : 1);
}

void kw_free(void *p)
{
    free(p);
}

char *kw_strdup(kw_span s)
{
    char *copy = kw_new(s.len + 1, 1);
    if (copy != NULL && !kw_copy_str(copy, s.len + 1, s)) {
        kw_free(copy);
        return NULL;
    }
    return copy;
}

char *kw_format(const char *fmt, ...)
{
    va_list args, again;
    va_start(args, fmt);
    va_copy(again, args);
    int n = vsnprintf(NULL, 0, fmt, args);
    char *text = n < 0 ? NULL : kw_new((size_t)n + 1, 1);
    if (text != NULL)
        vsnprintf(text, (size_t)n + 1, fmt, again);
    va_end(again);
    va_end(args);
    return text;
}
