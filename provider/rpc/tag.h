/* SPDX-License-Identifier: Apache-2.0 */
/* tag - what an event of the completion queue is about
 *
 * The queue orders memory between the thread that starts an operation and the one that
 * takes its event.  gRPC is not instrumented, so the thread sanitizer is told. */
#ifndef KEYWARD_RPC_TAG_H
#define KEYWARD_RPC_TAG_H

enum kw_tag_kind {
    KW_TAG_NEW,     /* a struct kw_post got a call, or the server shuts down         */
    KW_TAG_REPLIED, /* a struct kw_slot's reply is out, or cannot go out any more    */
    KW_TAG_GONE,    /* a parked struct kw_slot's client ended the call, any way      */
    KW_TAG_DOWN,    /* a struct kw_server has no connection any more                 */
};
struct kw_tag {
    enum kw_tag_kind kind;
    void *owner;
};

#if defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define KW_RPC_TSAN 1
#endif
#elif defined(__SANITIZE_THREAD__)
#define KW_RPC_TSAN 1
#endif

#ifdef KW_RPC_TSAN
void __tsan_acquire(void *addr);
void __tsan_release(void *addr);
#define KW_TAG_ACQUIRE(tag) __tsan_acquire(tag)
#define KW_TAG_RELEASE(tag) __tsan_release(tag)
#else
#define KW_TAG_ACQUIRE(tag) ((void)(tag))
#define KW_TAG_RELEASE(tag) ((void)(tag))
#endif

#endif
