/* SPDX-License-Identifier: Apache-2.0 */
#include "scan.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum {
    MASK = 0xa5,
    FILTER_BITS = 20,
    CHUNK = 1 << 20,
    PAGE = 4096,
    WINDOW = 4096, /* pages of which the kernel is asked at once */
    SHOWN_MAX = 20,
};
/* Larger ones are the shadow of a sanitizer: marks about memory, never what lies in
 * it. */
#define MAPPING_MAX (UINT64_C(256) << 30)
/* proc(5), /proc/pid/pagemap: in memory, or in swap. */
#define PAGE_THERE (UINT64_C(3) << 62)

struct needle {
    uint8_t masked[SCAN_NEEDLE_MAX];
    size_t len;
    unsigned next; /* in its bucket, 0 = none; numbers begin with 1 */
};
struct scan {
    unsigned count;
    unsigned buckets[1 << FILTER_BITS]; /* by the first eight bytes */
    struct needle needles[SCAN_NEEDLES_MAX + 1];
};

struct scan *scan_new(void)
{
    struct scan *s = calloc(1, sizeof *s);
    CHECK(s != NULL);
    return s;
}

void scan_free(struct scan *s)
{
    free(s);
}

static unsigned bucket_of(const uint8_t *plain)
{
    uint64_t head;
    memcpy(&head, plain, sizeof head);
    return (unsigned)(head * UINT64_C(0x9e3779b97f4a7c15) >> (64 - FILTER_BITS));
}

void scan_add(struct scan *s, kw_span needle)
{
    CHECK(needle.len >= SCAN_NEEDLE_MIN && needle.len <= SCAN_NEEDLE_MAX &&
          s->count < SCAN_NEEDLES_MAX);
    struct needle *n = &s->needles[++s->count];
    unsigned *bucket = &s->buckets[bucket_of(needle.ptr)];
    for (size_t i = 0; i < needle.len; i++)
        n->masked[i] = needle.ptr[i] ^ MASK;
    n->len = needle.len;
    n->next = *bucket;
    *bucket = s->count;
}

static bool is_at(const struct needle *n, const uint8_t *at, size_t room)
{
    size_t i = 0;
    while (i < n->len && i < room && (at[i] ^ MASK) == n->masked[i])
        i++;
    return i == n->len;
}

/* ---- one process
 * ------------------------------------------------------------------------ */

struct look {
    const struct scan *scan;
    const char *name;
    int fd, pagemap;
    unsigned hits;
    char mapping[512];
    uint8_t *buffer; /* the tail of what was read before, then a chunk */
};

static void hit(struct look *l, unsigned number, uint64_t address)
{
    if (l->hits++ < SHOWN_MAX && l->name != NULL)
        print_message("  ! %s: needle %u at %" PRIx64 " in %s\n", l->name, number,
                      address, l->mapping);
}

/* `fresh` bytes behind `old` ones that were looked at with too little room behind
 * them. */
static void look_at(struct look *l, size_t old, size_t fresh, uint64_t address)
{
    const struct scan *s = l->scan;
    size_t len = old + fresh;
    for (size_t i = 0; i + SCAN_NEEDLE_MIN <= len; i++)
        for (unsigned k = s->buckets[bucket_of(l->buffer + i)]; k != 0;
             k = s->needles[k].next)
            if (i + s->needles[k].len > old &&
                is_at(&s->needles[k], l->buffer + i, len - i))
                hit(l, k, address + i);
}

/* From `from`, as much as can be read up to a chunk; 0 when this page cannot be. */
static size_t fetch(struct look *l, size_t old, uint64_t from, uint64_t end)
{
    size_t want = end - from < CHUNK ? (size_t)(end - from) : CHUNK;
    ssize_t n = pread(l->fd, l->buffer + old, want, (off_t)from);
    return n > 0 ? (size_t)n : 0;
}

static void look_through(struct look *l, uint64_t from, uint64_t end)
{
    size_t old = 0;
    while (from < end) {
        size_t fresh = fetch(l, old, from, end);
        if (fresh == 0) {
            old = 0;
            from = (from / PAGE + 1) * PAGE;
            continue;
        }
        look_at(l, old, fresh, from - old);
        size_t len = old + fresh, keep = len < SCAN_NEEDLE_MAX ? len : SCAN_NEEDLE_MAX;
        memmove(l->buffer, l->buffer + len - keep, keep);
        old = keep;
        from += fresh;
    }
}

/* Only pages that were ever touched: most of a large mapping never was. */
static void look_at_mapping(struct look *l, uint64_t from, uint64_t end)
{
    static uint64_t pages[WINDOW];
    uint64_t begin = end; /* of the run of touched pages */
    for (uint64_t at = from; at < end;) {
        size_t left = (size_t)((end - at) / PAGE), n = left < WINDOW ? left : WINDOW;
        off_t where = (off_t)(at / PAGE * sizeof pages[0]);
        CHECK(pread(l->pagemap, pages, n * sizeof pages[0], where) ==
              (ssize_t)(n * sizeof pages[0]));
        for (size_t i = 0; i < n; i++, at += PAGE) {
            bool there = (pages[i] & PAGE_THERE) != 0;
            if (there && begin == end)
                begin = at;
            if (!there && begin != end) {
                look_through(l, begin, at);
                begin = end;
            }
        }
    }
    if (begin != end)
        look_through(l, begin, end);
}

static int open_proc(pid_t pid, const char *what)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/%s", (int)pid, what);
    return open(path, O_RDONLY | O_CLOEXEC);
}

bool scan_may(pid_t pid)
{
    int fd = open_proc(pid, "mem");
    if (fd >= 0)
        close(fd);
    return fd >= 0;
}

static void look_begin(struct look *l, const struct scan *s, pid_t pid, const char *name)
{
    *l = (struct look){.scan = s,
                       .name = name,
                       .fd = open_proc(pid, "mem"),
                       .pagemap = open_proc(pid, "pagemap"),
                       .buffer = calloc(1, CHUNK + SCAN_NEEDLE_MAX)};
    CHECK(l->fd >= 0 && l->pagemap >= 0 && l->buffer != NULL);
}

static unsigned look_end(struct look *l)
{
    close(l->fd);
    close(l->pagemap);
    free(l->buffer);
    return l->hits;
}

/* proc(5), /proc/pid/smaps: what is said of a mapping stands behind its line, and its flags
 * last. */
static unsigned scan_mappings(const struct scan *s, pid_t pid, const char *name,
                              bool with_locked)
{
    struct look l;
    char path[64], line[512], access[8];
    uint64_t from = 0, end = 0, a, b;
    look_begin(&l, s, pid, name);
    snprintf(path, sizeof path, "/proc/%d/smaps", (int)pid);
    FILE *maps = fopen(path, "re");
    CHECK(maps != NULL);
    while (fgets(line, sizeof line, maps) != NULL) {
        line[strcspn(line, "\n")] = '\0';
        if (sscanf(line, "%" SCNx64 "-%" SCNx64 " %7s", &a, &b, access) == 3) {
            from = a;
            end = b;
            kw_copy(l.mapping, sizeof l.mapping, kw_span_of(line, strlen(line) + 1));
        } else if (strncmp(line, "VmFlags:", 8) == 0 && strstr(line, " rd") != NULL &&
                   (with_locked || strstr(line, " lo") == NULL) &&
                   end - from < MAPPING_MAX) {
            look_at_mapping(&l, from, end);
        }
    }
    fclose(maps);
    return look_end(&l);
}

unsigned scan_process(const struct scan *s, pid_t pid, const char *name)
{
    return scan_mappings(s, pid, name, true);
}

unsigned scan_unlocked(const struct scan *s, pid_t pid, const char *name)
{
    return scan_mappings(s, pid, name, false);
}
