/* SPDX-License-Identifier: Apache-2.0 */
/* The type that wipes itself.  A loan keeps its full length in the arena, so a shrunk
 * secret remembers it in front of its bytes. */
#include "arena.h"

#include <openssl/crypto.h>

enum { HEAD = 16 }; /* keeps the bytes aligned for any type */

static size_t *loan_len(uint8_t *ptr)
{
    return (size_t *)(void *)(ptr - HEAD);
}

void kw_wipe(void *ptr, size_t len)
{
    if (len > 0)
        OPENSSL_cleanse(ptr, len);
}

kw_err kw_secret_init(struct kw_secret *s, size_t len)
{
    KW_INVARIANT(s->ptr == NULL && len > 0);
    if (len > SIZE_MAX / 2)
        return kw_err_at(KW_CODE_NO_MEMORY, "arena");
    uint8_t *p = kw_arena_lend(len + HEAD);
    if (p == NULL)
        return kw_err_at(KW_CODE_NO_MEMORY, "arena");
    s->ptr = p + HEAD;
    s->len = len;
    *loan_len(s->ptr) = len + HEAD;
    return KW_OK;
}

kw_err kw_secret_copy(struct kw_secret *s, kw_span from)
{
    kw_err e = kw_secret_init(s, from.len);
    if (!kw_failed(e))
        kw_copy(s->ptr, s->len, from);
    return e;
}

void kw_secret_wipe(struct kw_secret *s)
{
    if (s == NULL || s->ptr == NULL)
        return;
    kw_arena_return(s->ptr - HEAD, *loan_len(s->ptr));
    *s = (struct kw_secret){0};
}

void kw_secret_move(struct kw_secret *ret_dst, struct kw_secret *src)
{
    if (ret_dst == src)
        return;
    kw_secret_wipe(ret_dst);
    *ret_dst = *src;
    *src = (struct kw_secret){0};
}

void kw_secret_shrink(struct kw_secret *s, size_t len)
{
    KW_INVARIANT(len <= s->len);
    if (len == 0) {
        kw_secret_wipe(s);
        return;
    }
    kw_wipe(s->ptr + len, s->len - len);
    s->len = len;
}

kw_span kw_secret_peek(const struct kw_secret *s)
{
    return (kw_span){s->ptr, s->len};
}
