/* SPDX-License-Identifier: Apache-2.0 */
/* tag - what an event of the completion queue is about
 *
 * The queue orders memory between the thread that starts an operation and the one that
 * takes its event; the thread sanitizer is told (pb/handover.h). */
#ifndef KEYWARD_RPC_TAG_H
#define KEYWARD_RPC_TAG_H

#include "handover.h"

enum kw_tag_kind {
    KW_TAG_NEW,     /* a struct kw_post got a request, or the server shuts down      */
    KW_TAG_REPLIED, /* a struct kw_slot's reply is out, or cannot go out any more    */
    KW_TAG_GONE,    /* a parked struct kw_slot's client ended the request, any way   */
    KW_TAG_DOWN,    /* a struct kw_server has no connection any more                 */
    KW_TAG_LEAVE,   /* kw_rpc_free wants the thread to end                           */
};
struct kw_tag {
    enum kw_tag_kind kind;
    void *owner;
};

#define KW_TAG_ACQUIRE(tag) KW_HANDOVER_TAKE(tag)
#define KW_TAG_RELEASE(tag) KW_HANDOVER_GIVE(tag)

#endif
