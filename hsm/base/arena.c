/* SPDX-License-Identifier: Apache-2.0 */
/* The arena: one locked mapping between two guard pages, lent out in blocks.
 *
 *   | guard page | usable pages … | guard page |
 *
 * A bitmap in ordinary memory says which 64-byte blocks are lent; a loan is a run of
 * blocks found first-fit from where the last one was found.  Loans are few and long-lived
 * or small and short, so that a scan of the bitmap is cheap. */
#include "arena.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <keyward/alloc.h>
#include <keyward/mutex.h>

#ifndef SYS_memfd_secret
#define SYS_memfd_secret                                                                 \
    447 /* the number of every architecture, syscall.tbl of Linux 5.14 */
#endif

static struct {
    struct kw_mutex mutex;
    uint8_t *base; /* first usable byte; NULL while closed      */
    size_t bytes;
    size_t page;
    enum kw_arena_backend backend;
    uint8_t *lent; /* one byte a block: 0 free, 1 lent          */
    size_t blocks, hint, used, used_max;
} arena = {.mutex = KW_MUTEX_INIT};

size_t kw_arena_allowed(void)
{
    /* Bit 14 of CapEff is CAP_IPC_LOCK (capability.h). */
    char line[128];
    unsigned long long effective = 0;
    FILE *f = fopen("/proc/self/status", "re");
    while (f != NULL && fgets(line, sizeof line, f) != NULL)
        if (sscanf(line, "CapEff: %llx", &effective) == 1)
            break;
    if (f != NULL)
        fclose(f);
    struct rlimit limit;
    if ((effective >> 14 & 1) != 0 || getrlimit(RLIMIT_MEMLOCK, &limit) != 0 ||
        limit.rlim_cur == RLIM_INFINITY)
        return SIZE_MAX;
    return limit.rlim_cur;
}

/* Reserves address space with a guard page at both ends; the middle is not usable yet. */
static uint8_t *reserve(size_t bytes, size_t page)
{
    void *p = mmap(NULL, bytes + 2 * page, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return p == MAP_FAILED ? NULL : (uint8_t *)p + page;
}

/* Gives back what reserve() gave. */
static void arena_release(uint8_t *at, size_t bytes, size_t page)
{
    if (at != NULL)
        munmap(at - page, bytes + 2 * page);
}

static bool map_secret(uint8_t *at, size_t bytes)
{
    int fd = (int)syscall(SYS_memfd_secret, O_CLOEXEC_SECRET);
    if (fd < 0)
        return false;
    bool ok = ftruncate(fd, (off_t)bytes) == 0 &&
              mmap(at, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, fd, 0) !=
                  MAP_FAILED;
    int saved = errno;
    close(fd);
    errno = saved;
    return ok;
}

static bool map_locked(uint8_t *at, size_t bytes)
{
    return mmap(at, bytes, PROT_READ | PROT_WRITE,
                MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) != MAP_FAILED &&
           mlock2(at, bytes, 0) == 0; /* is mlock(2), which sanitizers make do nothing */
}

static bool map_pages(uint8_t *at, size_t bytes, enum kw_arena_backend want,
                      enum kw_arena_backend *ret_backend)
{
    *ret_backend = KW_ARENA_SECRET;
    if (want != KW_ARENA_MLOCK && map_secret(at, bytes))
        return true;
    *ret_backend = KW_ARENA_MLOCK;
    return want != KW_ARENA_SECRET && map_locked(at, bytes);
}

static kw_err arena_refuse(uint8_t *at, size_t bytes, size_t page, struct kw_note *note)
{
    int saved = errno;
    arena_release(at, bytes, page);
    kw_note_set(note,
                "cannot lock %zu bytes of memory (%s): raise RLIMIT_MEMLOCK (ulimit -l; "
                "LimitMEMLOCK=%zu in the systemd unit) or grant CAP_IPC_LOCK",
                bytes, strerror(saved), bytes + (1u << 20));
    return kw_err_native(KW_CODE_IO, (uint32_t)saved, "mlock");
}

kw_err kw_arena_open(size_t bytes, enum kw_arena_backend want, struct kw_note *note)
{
    KW_INVARIANT(arena.base == NULL && bytes > 0);
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    bytes = (bytes + page - 1) / page * page;
    uint8_t *at = reserve(bytes, page);
    size_t blocks = bytes / KW_ARENA_BLOCK;
    uint8_t *lent = kw_new(blocks, 1);
    if (at == NULL || lent == NULL) {
        arena_release(at, bytes, page);
        kw_free(lent);
        kw_note_set(note, "no address space for %zu bytes of locked memory", bytes);
        return kw_err_at(KW_CODE_NO_MEMORY, "mmap");
    }
    enum kw_arena_backend got;
    if (!map_pages(at, bytes, want, &got) || madvise(at, bytes, MADV_DONTDUMP) != 0 ||
        madvise(at, bytes, MADV_DONTFORK) != 0) {
        kw_free(lent);
        return arena_refuse(at, bytes, page, note);
    }
    kw_wipe(at, bytes); /* touches every page: no fault, no surprise later */
    arena.base = at;
    arena.bytes = bytes;
    arena.page = page;
    arena.backend = got;
    arena.lent = lent;
    arena.blocks = blocks;
    arena.hint = arena.used = arena.used_max = 0;
    return KW_OK;
}

void kw_arena_close(void)
{
    if (arena.base == NULL)
        return;
    KW_INVARIANT(arena.used == 0);
    kw_wipe(arena.base, arena.bytes);
    arena_release(arena.base, arena.bytes, arena.page);
    kw_free(arena.lent);
    arena.base = NULL;
    arena.lent = NULL;
    arena.bytes = arena.blocks = 0;
}

void kw_arena_forget(void)
{
    kw_free(arena.lent);
    arena.base = NULL;
    arena.lent = NULL;
    arena.bytes = arena.blocks = arena.used = 0;
}

void kw_arena_info(struct kw_arena_info *ret_info)
{
    kw_mutex_lock(&arena.mutex);
    *ret_info =
        (struct kw_arena_info){arena.backend, arena.bytes, arena.used, arena.used_max};
    kw_mutex_unlock(&arena.mutex);
}

/* First run of `want` free blocks in [from, to), or `to`. */
static size_t find_run(size_t want, size_t from, size_t to)
{
    size_t run = 0;
    for (size_t i = from; i < to; i++) {
        run = arena.lent[i] ? 0 : run + 1;
        if (run == want)
            return i + 1 - want;
    }
    return to;
}

uint8_t *kw_arena_lend(size_t len)
{
    size_t want = (len + KW_ARENA_BLOCK - 1) / KW_ARENA_BLOCK;
    uint8_t *p = NULL;
    kw_mutex_lock(&arena.mutex);
    if (arena.base != NULL && want <= arena.blocks) {
        size_t at = find_run(want, arena.hint, arena.blocks);
        if (at == arena.blocks)
            at = find_run(want, 0, arena.blocks);
        if (at != arena.blocks) {
            memset(arena.lent + at, 1, want);
            arena.hint = at + want;
            arena.used += want * KW_ARENA_BLOCK;
            if (arena.used > arena.used_max)
                arena.used_max = arena.used;
            p = arena.base + at * KW_ARENA_BLOCK;
        }
    }
    kw_mutex_unlock(&arena.mutex);
    return p;
}

void kw_arena_return(uint8_t *p, size_t len)
{
    size_t count = (len + KW_ARENA_BLOCK - 1) / KW_ARENA_BLOCK;
    kw_wipe(p, count * KW_ARENA_BLOCK);
    kw_mutex_lock(&arena.mutex);
    KW_INVARIANT(arena.base != NULL && p >= arena.base);
    size_t at = (size_t)(p - arena.base) / KW_ARENA_BLOCK;
    KW_INVARIANT(count <= arena.blocks && at <= arena.blocks - count && arena.lent[at]);
    memset(arena.lent + at, 0, count);
    if (at < arena.hint)
        arena.hint = at;
    arena.used -= count * KW_ARENA_BLOCK;
    kw_mutex_unlock(&arena.mutex);
}
