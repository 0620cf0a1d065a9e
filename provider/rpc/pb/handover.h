/* SPDX-License-Identifier: Apache-2.0 */
/* handover - a thing goes from one of our threads to another through gRPC
 *
 * gRPC orders the memory of what it carries (events, slices), but it is not instrumented:
 * the thread sanitizer is told by the giver and by the taker.  Nothing in other builds.
 */
#ifndef KEYWARD_RPC_HANDOVER_H
#define KEYWARD_RPC_HANDOVER_H

#if defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define KW_HANDOVER_TSAN 1
#endif
#elif defined(__SANITIZE_THREAD__)
#define KW_HANDOVER_TSAN 1
#endif

#ifdef KW_HANDOVER_TSAN
void __tsan_acquire(void *addr);
void __tsan_release(void *addr);
#define KW_HANDOVER_TAKE(thing) __tsan_acquire(thing)
#define KW_HANDOVER_GIVE(thing) __tsan_release(thing)
#else
#define KW_HANDOVER_TAKE(thing) ((void)(thing))
#define KW_HANDOVER_GIVE(thing) ((void)(thing))
#endif

#endif
