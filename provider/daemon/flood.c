/* SPDX-License-Identifier: Apache-2.0 */
/* Peers that may connect can make gRPC grow faster than any limit of its own bounds: by
 * calls that they begin and reset, or by headers without end (docs/THREATS.md has what was
 * measured).  So the process looks at itself, ten times a second.  When it has grown too
 * much, it ends the connections that have had no call answered lately and takes no new
 * ones; when that is not enough, it ends all.  Once it is small enough again, everybody
 * may come back. */
#include "daemon_internal.h"

#include <fcntl.h>
#include <malloc.h>
#include <stdlib.h>
#include <unistd.h>

#include <keyward/log.h>

/* A sanitizer's shadow and what it keeps of freed memory are no peer's. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define SANITIZED
#endif
#endif
#ifdef SANITIZED
enum { GROWN_MIB = 4096 };
#else
enum { GROWN_MIB = 256 }; /* over what there was at the start */
#endif

enum {
    MORE_MIB = 256,  /* and it grows still: gRPC takes up to 0.7 times as much again for
                           a moment when it lets go of endless headers                 */
    LATELY_S = 10,   /* a call answered since then: not ended at first              */
    PATIENCE = 50,   /* looks until all are ended: gRPC may be letting go still      */
    ALONE = 100,     /* looks without any connection: what is there is not theirs   */
    TRIM_EVERY = 10, /* looks                                                       */
    INDEX_PER_SEED = 4, /* a cache's tables take less than so many times its seeds     */
};
#define MIB ((uint64_t)1024 * 1024)

enum { CALM, ENDED_SILENT, ENDED_ALL };

/* 0: not told. */
static uint64_t resident(const struct kw_flood *f)
{
    char text[128], *second = NULL;
    ssize_t n = pread(f->statm, text, sizeof text - 1, 0);
    text[n > 0 ? n : 0] = '\0';
    (void)strtoull(text, &second, 10);
    return strtoull(second, NULL, 10) * (uint64_t)sysconf(_SC_PAGESIZE);
}

void kw_flood_begin(struct kw_daemon *d)
{
    struct kw_flood *f = &d->flood;
    /* Opened once: a flood may leave no descriptor. */
    f->statm = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
    uint64_t caches = kw_config_cached(d->config);
    uint64_t now = f->statm >= 0 ? resident(f) : 0;
    f->limit = now + GROWN_MIB * MIB + INDEX_PER_SEED * caches;
    if (now == 0)
        kw_log_bare(KW_LOG_WARN, "memory-not-watched");
}

void kw_flood_end(struct kw_daemon *d)
{
    if (d->flood.statm >= 0)
        close(d->flood.statm);
    d->flood.statm = -1;
}

static void hold(struct kw_daemon *d, bool held)
{
    for (size_t i = 0; i < d->config->class_count; i++)
        kw_listener_hold(d->class_listeners[i].listener, held);
}

static void end_since(struct kw_daemon *d, uint64_t bytes, int64_t since_ns)
{
    unsigned ended = 0, kept = 0;
    for (size_t i = 0; i < d->config->class_count; i++) {
        struct kw_listen_stats s;
        struct kw_listener *l = d->class_listeners[i].listener;
        ended += kw_listener_end(l, since_ns);
        kw_listener_stats(l, &s);
        kept += s.open;
    }
    kw_log(KW_LOG_ERROR, "memory-flood", KW_INT("mib", bytes / MIB),
           KW_INT("limit_mib", d->flood.limit / MIB), KW_INT("ended", ended),
           KW_INT("kept", kept));
}

static void be_calm(struct kw_daemon *d)
{
    if (d->flood.step != CALM)
        hold(d, false);
    d->flood.step = CALM;
    d->flood.looks = 0;
}

/* What malloc keeps of what was freed is nobody's. */
static uint64_t resident_after_all(struct kw_flood *f)
{
    uint64_t bytes = resident(f);
    if (bytes <= f->limit || f->looks++ % TRIM_EVERY != 0)
        return bytes;
    malloc_trim(0);
    return resident(f);
}

void kw_flood_look(struct kw_daemon *d)
{
    struct kw_flood *f = &d->flood;
    uint64_t bytes = resident_after_all(f);
    if (bytes <= f->limit) {
        be_calm(d);
    } else if (f->step == CALM) {
        f->step = ENDED_SILENT;
        f->first = bytes;
        hold(d, true);
        end_since(d, bytes, kw_mono_ns(d->clock) - LATELY_S * KW_S_NS);
    } else if (f->step == ENDED_SILENT &&
               (f->looks > PATIENCE || bytes > f->first + MORE_MIB * MIB)) {
        f->step = ENDED_ALL;
        f->looks = 1;
        end_since(d, bytes, INT64_MAX);
    } else if (f->step == ENDED_ALL && f->looks > ALONE) {
        f->limit = bytes + GROWN_MIB * MIB;
        kw_log(KW_LOG_WARN, "memory-kept", KW_INT("mib", bytes / MIB));
        be_calm(d);
    }
}
