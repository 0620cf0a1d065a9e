/* SPDX-License-Identifier: Apache-2.0 */
/* Borrowed bytes: comparing, copying, appending, taking. */
#include <keyward/bytes.h>

#include <errno.h>
#include <string.h>
#include <sys/random.h>

kw_span kw_span_str(const char *s)
{
    return (kw_span){(const uint8_t *)s, s == NULL ? 0 : strlen(s)};
}

bool kw_span_equal(kw_span a, kw_span b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.ptr, b.ptr, a.len) == 0);
}

bool kw_span_equal_str(kw_span a, const char *s)
{
    return kw_span_equal(a, kw_span_str(s));
}

bool kw_span_all(kw_span s, bool (*accept)(uint8_t))
{
    for (size_t i = 0; i < s.len; i++)
        if (!accept(s.ptr[i]))
            return false;
    return true;
}

bool kw_equal_ct(kw_span a, kw_span b)
{
    volatile uint8_t differ = 0;
    if (a.len != b.len)
        return false;
    for (size_t i = 0; i < a.len; i++)
        differ = (uint8_t)(differ | (a.ptr[i] ^ b.ptr[i]));
    return differ == 0;
}

void kw_copy(void *dst, size_t cap, kw_span s)
{
    KW_INVARIANT(s.len <= cap);
    if (s.len > 0)
        memmove(dst, s.ptr, s.len);
}

bool kw_copy_str(char *dst, size_t cap, kw_span s)
{
    KW_INVARIANT(cap > 0);
    size_t n = s.len < cap ? s.len : cap - 1;
    kw_copy(dst, cap, (kw_span){s.ptr, n});
    dst[n] = '\0';
    return n == s.len && (n == 0 || memchr(s.ptr, 0, n) == NULL);
}

bool kw_dst_put(kw_dst *d, kw_span s)
{
    if (s.len > d->cap - d->len)
        return false;
    if (s.len > 0)
        memmove(d->ptr + d->len, s.ptr, s.len);
    d->len += s.len;
    return true;
}

static bool put_number(kw_dst *d, uint64_t v, size_t width)
{
    uint8_t b[8];
    for (size_t i = 0; i < width; i++)
        b[i] = (uint8_t)(v >> (8 * (width - 1 - i)));
    return kw_dst_put(d, (kw_span){b, width});
}

bool kw_dst_put_u8(kw_dst *d, uint8_t v)
{
    return put_number(d, v, 1);
}

bool kw_dst_put_u16(kw_dst *d, uint16_t v)
{
    return put_number(d, v, 2);
}

bool kw_dst_put_u32(kw_dst *d, uint32_t v)
{
    return put_number(d, v, 4);
}

bool kw_dst_put_u64(kw_dst *d, uint64_t v)
{
    return put_number(d, v, 8);
}

bool kw_dst_put_sized(kw_dst *d, kw_span s)
{
    if (s.len > UINT16_MAX || d->cap - d->len < 2 || s.len > d->cap - d->len - 2)
        return false;
    return put_number(d, s.len, 2) && kw_dst_put(d, s);
}

kw_span kw_src_rest(const struct kw_src *src)
{
    if (src->at == 0)
        return src->all; /* NULL has nothing to add to */
    return (kw_span){src->all.ptr + src->at, src->all.len - src->at};
}

kw_span kw_src_take(struct kw_src *src, size_t len)
{
    const size_t at = src->at;
    if (src->bad || len > src->all.len - at) {
        src->bad = true;
        return (kw_span){NULL, 0};
    }
    if (len == 0)
        return (kw_span){NULL, 0};
    src->at = at + len;
    return (kw_span){src->all.ptr + at, len};
}

static uint64_t bytes_take_number(struct kw_src *src, size_t width)
{
    kw_span s = kw_src_take(src, width);
    uint64_t v = 0;
    for (size_t i = 0; i < s.len; i++)
        v = v << 8 | s.ptr[i];
    return v;
}

uint8_t kw_src_u8(struct kw_src *src)
{
    return (uint8_t)bytes_take_number(src, 1);
}

uint16_t kw_src_u16(struct kw_src *src)
{
    return (uint16_t)bytes_take_number(src, 2);
}

uint32_t kw_src_u32(struct kw_src *src)
{
    return (uint32_t)bytes_take_number(src, 4);
}

uint64_t kw_src_u64(struct kw_src *src)
{
    return bytes_take_number(src, 8);
}

kw_span kw_src_sized(struct kw_src *src)
{
    return kw_src_take(src, kw_src_u16(src));
}

void kw_random(void *dst, size_t len)
{
    uint8_t *p = dst;
    while (len > 0) {
        ssize_t n = getrandom(p, len, 0);
        if (n < 0 && errno == EINTR)
            continue;
        KW_INVARIANT(n > 0);
        p += n;
        len -= (size_t)n;
    }
}
