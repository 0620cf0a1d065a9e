/* SPDX-License-Identifier: Apache-2.0 */
/* mutex - a mutex that cannot fail, and what Clang's thread-safety analysis is told
 *
 * Clang's -Wthread-safety (ci/check) compares what functions and fields say with what the
 * code does.  It does not look through calls by function pointer, so a function that is
 * called so says at its definition what it wants.
 *
 * In C a member cannot be guarded by its sibling (Clang 14 rejects the name), so the big
 * lock, of which a process has one (struct kw_lock, hsm.h), is told by the capability
 * kw_big_lock, an object that nobody defines or reads.  It guards cache, unwraps in
 * flight, queue and health, and is never held over a send, a gRPC call, a log line or a
 * `done`.
 *
 * The order in which they are taken: the big lock, or the worker's gate, then the arena's
 * mutex.  Every other mutex is taken and given back while no other is held.
 *
 * Source:    https://clang.llvm.org/docs/ThreadSafetyAnalysis.html
 * Threads:   any.
 * Blocking:  kw_mutex_lock, for as long as somebody holds it.
 */
#ifndef KEYWARD_MUTEX_H
#define KEYWARD_MUTEX_H

#include <pthread.h>

#include <keyward/err.h>

#ifdef __clang__
#define KW_THREAD_SAFETY(x) __attribute__((x))
#else
#define KW_THREAD_SAFETY(x)
#endif

#define KW_CAPABILITY KW_THREAD_SAFETY(capability("mutex"))
/* Of a field: read and written only while it is held. */
#define KW_GUARDED_BY(lock) KW_THREAD_SAFETY(guarded_by(lock))
/* Of a pointer: what it points to is read and written only while it is held. */
#define KW_PT_GUARDED_BY(lock) KW_THREAD_SAFETY(pt_guarded_by(lock))
/* Of a function: wants it held; wants it not held; takes it; gives it back. */
#define KW_REQUIRES(lock) KW_THREAD_SAFETY(requires_capability(lock))
#define KW_EXCLUDES(lock) KW_THREAD_SAFETY(locks_excluded(lock))
#define KW_ACQUIRES(lock) KW_THREAD_SAFETY(acquire_capability(lock))
#define KW_RELEASES(lock) KW_THREAD_SAFETY(release_capability(lock))
/* Of a function that does what the analysis cannot follow; its comment says why that is
 * right. */
#define KW_NO_THREAD_SAFETY KW_THREAD_SAFETY(no_thread_safety_analysis)

extern struct KW_CAPABILITY kw_big_lock {
    char unused;
} kw_big_lock;
#define KW_UNDER_BIG_LOCK KW_GUARDED_BY(kw_big_lock)
#define KW_LOCKED KW_REQUIRES(kw_big_lock)
#define KW_FREE KW_EXCLUDES(kw_big_lock)

struct KW_CAPABILITY kw_mutex {
    pthread_mutex_t native;
};
#define KW_MUTEX_INIT                                                                    \
    {                                                                                    \
        PTHREAD_MUTEX_INITIALIZER                                                        \
    }

static inline void kw_mutex_lock(struct kw_mutex *m) KW_ACQUIRES(*m) KW_NO_THREAD_SAFETY
{
    KW_MUST(pthread_mutex_lock(&m->native) == 0);
}

static inline void kw_mutex_unlock(struct kw_mutex *m) KW_RELEASES(*m) KW_NO_THREAD_SAFETY
{
    KW_MUST(pthread_mutex_unlock(&m->native) == 0);
}

#endif
