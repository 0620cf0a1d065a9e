/* SPDX-License-Identifier: Apache-2.0 */
/* An rpc thread that cannot be started: rpc.c is compiled in with a pthread_create that
 * refuses when it is told to. */
#include "rpc_rig.h"

#include <errno.h>
#include <pthread.h>

static bool refuses;

int played_pthread_create(pthread_t *thread, const pthread_attr_t *attr,
                          void *(*run)(void *), void *ctx);
int played_pthread_create(pthread_t *thread, const pthread_attr_t *attr,
                          void *(*run)(void *), void *ctx)
{
    return refuses ? EAGAIN : pthread_create(thread, attr, run, ctx);
}

static kw_err thread_new(struct kw_rpc **ret_rpc)
{
    static struct kw_kms kms;
    const struct kw_rpc_options o = {
        .kms = &kms, .class_count = 2, .clock = &kw_clock_system};
    return kw_rpc_new(&o, ret_rpc);
}

/* Nothing is left: as often as one likes, and the next one serves. */
TEST(new__thread_cannot_be_started__io_with_the_errno_and_nothing_left)
{
    rig_free(rig_new_echo()); /* gRPC's start, and the arena */
    refuses = true;
    for (int i = 0; i < 3; i++) {
        struct kw_rpc *rpc = NULL;
        const kw_err e = thread_new(&rpc);
        CHECK_CODE(e, KW_CODE_IO);
        CHECK(e.native == EAGAIN && rpc == NULL);
    }
    refuses = false;
    struct rig *r = rig_new_echo();
    rig_free(r);
}

TEST(threads__of_one_process__more_than_the_rpc_thread)
{
    CHECK(kw_rpc_threads() > 1 && kw_rpc_threads() < 40);
}

KW_CASES("provider/rpc/thread",
         CASE(new__thread_cannot_be_started__io_with_the_errno_and_nothing_left),
         CASE(threads__of_one_process__more_than_the_rpc_thread))
