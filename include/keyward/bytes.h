/* SPDX-License-Identifier: Apache-2.0 */
/* bytes - borrowed bytes to read, borrowed bytes to write, and a reader that cannot run
 * over
 *
 * kw_span is borrowed and read-only; kw_dst is borrowed and written; what owns bytes is
 * a struct of its own (struct kw_secret in secret.h, or an array in the owner).
 *
 * Threads:  plain values; any thread.
 * Secrets:  a span may point at a secret only where the function's contract says that it
 *           is a sink for one.
 */
#ifndef KEYWARD_BYTES_H
#define KEYWARD_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <keyward/err.h>

typedef struct kw_span {
    const uint8_t *ptr; /* may be NULL when len is 0 */
    size_t len;
} kw_span;

typedef struct kw_dst {
    uint8_t *ptr;
    size_t cap; /* bytes at ptr                       */
    size_t len; /* bytes written so far, len <= cap   */
} kw_dst;

static inline kw_span kw_span_of(const void *ptr, size_t len)
{
    return (kw_span){(const uint8_t *)ptr, len};
}

/* The bytes of a C string, without its NUL.  NULL is the empty span. */
kw_span kw_span_str(const char *s);

bool kw_span_equal(kw_span a, kw_span b);             /* not constant time        */
bool kw_span_equal_str(kw_span a, const char *s);     /* not constant time        */
bool kw_span_all(kw_span s, bool (*accept)(uint8_t)); /* true for the empty span */

/* Time depends on the lengths only.  Different lengths are different. */
bool kw_equal_ct(kw_span a, kw_span b);

/* Copies s to dst, which has `cap` bytes.  s longer than cap is a bug and aborts. */
void kw_copy(void *dst, size_t cap, kw_span s);

/* Copies s as a C string, cut to cap - 1 bytes.  cap is at least 1.
 * true when nothing was cut and s holds no NUL. */
bool kw_copy_str(char *dst, size_t cap, kw_span s);

/* A writer over an array of the caller. */
static inline kw_dst kw_dst_of(void *ptr, size_t cap)
{
    return (kw_dst){(uint8_t *)ptr, cap, 0};
}
static inline kw_span kw_dst_span(const kw_dst *d)
{
    return (kw_span){d->ptr, d->len};
}

/* Append.  false, and nothing written, when it does not fit.  Numbers are big-endian. */
KW_MUST_USE bool kw_dst_put(kw_dst *d, kw_span s);
KW_MUST_USE bool kw_dst_put_u8(kw_dst *d, uint8_t v);
KW_MUST_USE bool kw_dst_put_u16(kw_dst *d, uint16_t v);
KW_MUST_USE bool kw_dst_put_u32(kw_dst *d, uint32_t v);
KW_MUST_USE bool kw_dst_put_u64(kw_dst *d, uint64_t v);
/* A length of two bytes, then the bytes.  s.len is at most 65535. */
KW_MUST_USE bool kw_dst_put_sized(kw_dst *d, kw_span s);

/* A reader: takes from the front.  The first take that does not fit latches `bad`; from
 * then on every take gives 0 or an empty span, so that a chain is checked once. */
struct kw_src {
    kw_span all;
    size_t at; /* bytes taken, at <= all.len */
    bool bad;
};
static inline struct kw_src kw_src_of(kw_span s)
{
    return (struct kw_src){s, 0, false};
}
/* How many bytes are left, and which: a view that takes nothing. */
static inline size_t kw_src_left(const struct kw_src *src)
{
    return src->all.len - src->at;
}
kw_span kw_src_rest(const struct kw_src *src);
kw_span kw_src_take(struct kw_src *src, size_t len); /* borrows from what is read */
uint8_t kw_src_u8(struct kw_src *src);
uint16_t kw_src_u16(struct kw_src *src);
uint32_t kw_src_u32(struct kw_src *src);
uint64_t kw_src_u64(struct kw_src *src);
kw_span kw_src_sized(struct kw_src *src);
/* Everything taken, nothing missing. */
static inline bool kw_src_done(const struct kw_src *src)
{
    return !src->bad && src->at == src->all.len;
}

/* Lower-case hex with a NUL.  dst has at least 2 * s.len + 1 bytes. */
void kw_hex(char *dst, size_t cap, kw_span s);
/* Exactly `len` bytes from 2 * len lower-case hex digits; anything else is false. */
KW_MUST_USE bool kw_unhex(uint8_t *dst, size_t len, kw_span hex);

/* How many bytes the first character of s has (s is not empty); *ret_point is its code
 * point.  1 and KW_NO_CHARACTER for a byte that begins no valid UTF-8 (RFC 3629: no
 * surrogates, no overlong forms). */
#define KW_NO_CHARACTER UINT32_MAX
size_t kw_text_first(kw_span s, uint32_t *ret_point);

/* Valid UTF-8, and no NUL byte. */
bool kw_is_text(kw_span s);

/* May this code point be shown to people, on a terminal or in a log?  Not when it steers
 * the terminal, reorders what stands around it, breaks the line or hides a second text;
 * the list, with its sources, is the table in hsm/base/printable.c.  KW_NO_CHARACTER may
 * not. */
bool kw_is_printable_char(uint32_t point);
/* Nothing but such characters.  The empty span is. */
bool kw_is_printable_text(kw_span s);
/* Foreign text, made fit to be shown: each character that may not be shown, and each byte
 * of no character, becomes one '?'; cut between two characters to cap - 1 bytes.  cap is
 * at least 1; s may be dst itself.  true when nothing was replaced or cut. */
bool kw_copy_printable(char *dst, size_t cap, kw_span s);
/* The first character of s (s is not empty) as a document may show it: itself, or \xNN for
 * each byte of one that may not be shown, or of none.  Gives how many bytes of s it is. */
#define KW_SHOWN_MAX 17u
size_t kw_text_shown(kw_span s, char ret_text[KW_SHOWN_MAX]);

/* `text` as one word of a shell's command line, in single quotes when sh(1) would read
 * more into it than its letters (POSIX.1-2017, XCU 2.2).  At most 4 * strlen(text) + 3
 * bytes with the NUL.  cap is at least 1; false, and "", when it does not fit. */
bool kw_shell_word(char *ret_word, size_t cap, const char *text);

/* `len` random bytes from getrandom(2); aborts when the kernel cannot give them. */
void kw_random(void *dst, size_t len);

#endif
