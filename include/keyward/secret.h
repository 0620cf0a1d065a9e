/* SPDX-License-Identifier: Apache-2.0 */
/* secret - the one place where plaintext may lie, and the type that wipes itself
 *
 * A process opens one arena: memfd_secret(2) memory where the kernel has it, else
 * anonymous memory under mlock(2); guard pages at both ends, MADV_DONTDUMP and
 * MADV_DONTFORK (a forked child that touches it dies).  When nothing can be locked the
 * arena does not open: there is no fall-back to ordinary memory.  Secrets are pieces of
 * it.
 *
 * What it never does: grow, move, swap, or hand out memory that was not zeroed.
 *
 * Threads:   any function from any thread; the arena has its own leaf mutex.
 * Blocking:  never.
 * Limits:    RLIMIT_MEMLOCK counts both backends (mlock(2), memfd_secret(2)).
 */
#ifndef KEYWARD_SECRET_H
#define KEYWARD_SECRET_H

#include <keyward/bytes.h>

enum kw_arena_backend {
    KW_ARENA_AUTO = 0, /* memfd_secret, else mlock                       */
    KW_ARENA_SECRET,   /* memfd_secret or fail                           */
    KW_ARENA_MLOCK,    /* the fall-back, on purpose (tests, core checks) */
};

/* Opens the process's arena of at least `bytes` (rounded up to pages), every page
 * touched.  Once; a second call is a bug.
 * IO  nothing could be locked; *note names RLIMIT_MEMLOCK, LimitMEMLOCK= and
 *     CAP_IPC_LOCK with the number of bytes wanted. */
KW_MUST_USE kw_err kw_arena_open(size_t bytes, enum kw_arena_backend want,
                                 struct kw_note *note);
/* Wipes and unmaps.  Every secret must be wiped before (asserted). */
void kw_arena_close(void);
/* In a child of fork(2), which does not get the arena that its parent has: what was lent
 * from it must not be touched there any more.  Does nothing when there was none. */
void kw_arena_forget(void);

struct kw_arena_info {
    enum kw_arena_backend backend; /* KW_ARENA_SECRET or KW_ARENA_MLOCK  */
    size_t bytes;                  /* capacity                           */
    size_t used;                   /* lent out now                       */
    size_t used_max;               /* most ever lent out                 */
};
void kw_arena_info(struct kw_arena_info *ret_info);

/* What RLIMIT_MEMLOCK lets this process lock, in bytes; SIZE_MAX for no limit
 * (CAP_IPC_LOCK counts as none). */
size_t kw_arena_allowed(void);

/* Owned bytes in the arena.  {0} is valid and empty. */
struct kw_secret {
    uint8_t *ptr;
    size_t len;
};

/* Gives s `len` zero bytes, len >= 1.  s must be empty.
 * NO_MEMORY  the arena is full; s stays empty. */
KW_MUST_USE kw_err kw_secret_init(struct kw_secret *s, size_t len);
/* The same, with a copy of `from`. */
KW_MUST_USE kw_err kw_secret_copy(struct kw_secret *s, kw_span from);
/* Zeroes and gives back; s is empty afterwards.  Idempotent; NULL does nothing. */
void kw_secret_wipe(struct kw_secret *s);
/* Moves the bytes; *src is empty afterwards, what *dst held is wiped. */
void kw_secret_move(struct kw_secret *ret_dst, struct kw_secret *src);
/* Shortens, wiping the tail.  len <= s->len; to 0 is a wipe. */
void kw_secret_shrink(struct kw_secret *s, size_t len);
/* A view, valid until wiped, moved or shrunk. */
kw_span kw_secret_peek(const struct kw_secret *s);

#define KW_AUTO_SECRET(name)                                                             \
    __attribute__((cleanup(kw_secret_wipe))) struct kw_secret name = {0}

/* Zeroes bytes that are no kw_secret (a library's buffer, a stack array); the compiler
 * cannot drop it. */
void kw_wipe(void *ptr, size_t len);

#endif
