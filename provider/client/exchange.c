/* SPDX-License-Identifier: Apache-2.0 */
/* A completion queue for each call: there is no thread of our own that could serve a
 * shared one, and plucking from a shared one has a bound of its own on threads. */
#include "exchange.h"

#include <string.h>

#include <keyward/clock.h>

#include "slices.h"

enum { TICK_MS = 250 };

struct exchange {
    grpc_call *call;
    grpc_completion_queue *cq;
    grpc_byte_buffer *request, *answer;
    grpc_metadata_array initial, trailing;
    grpc_status_code status;
    grpc_slice details;
};

static gpr_timespec deadline_in(int64_t ns)
{
    gpr_timespec now = gpr_now(GPR_CLOCK_MONOTONIC);
    return gpr_time_add(now, gpr_time_from_nanos(ns, GPR_TIMESPAN));
}

static void exchange_begin(struct exchange *x, grpc_channel *channel,
                           const char *method_path, grpc_slice request,
                           int64_t timeout_ns)
{
    grpc_slice path = grpc_slice_from_copied_string(method_path);
    *x = (struct exchange){.status = GRPC_STATUS_UNKNOWN};
    x->cq = grpc_completion_queue_create_for_pluck(NULL);
    x->call = grpc_channel_create_call(channel, NULL, GRPC_PROPAGATE_DEFAULTS, x->cq,
                                       path, NULL, deadline_in(timeout_ns), NULL);
    grpc_slice_unref(path);
    x->request = grpc_raw_byte_buffer_create(&request, 1);
    grpc_slice_unref(request);
    grpc_metadata_array_init(&x->initial);
    grpc_metadata_array_init(&x->trailing);
}

/* The batch has the deadline of the call, so it ends. */
static void exchange_await(struct exchange *x, const struct kw_exchange_line *line)
{
    const gpr_timespec tick = gpr_time_from_millis(TICK_MS, GPR_TIMESPAN);
    for (;;) {
        const gpr_timespec until = line->tick != NULL
                                       ? gpr_time_add(gpr_now(GPR_CLOCK_MONOTONIC), tick)
                                       : gpr_inf_future(GPR_CLOCK_MONOTONIC);
        if (grpc_completion_queue_pluck(x->cq, x, until, NULL).type != GRPC_QUEUE_TIMEOUT)
            return;
        if (line->tick != NULL)
            line->tick(line->ctx);
    }
}

static void exchange_run(struct exchange *x, const struct kw_exchange_line *line)
{
    grpc_op ops[6] = {
        {.op = GRPC_OP_SEND_INITIAL_METADATA,
         .flags = line->is_failing_fast ? 0 : GRPC_INITIAL_METADATA_WAIT_FOR_READY},
        {.op = GRPC_OP_SEND_MESSAGE},
        {.op = GRPC_OP_SEND_CLOSE_FROM_CLIENT},
        {.op = GRPC_OP_RECV_INITIAL_METADATA},
        {.op = GRPC_OP_RECV_MESSAGE},
        {.op = GRPC_OP_RECV_STATUS_ON_CLIENT},
    };
    ops[1].data.send_message.send_message = x->request;
    ops[3].data.recv_initial_metadata.recv_initial_metadata = &x->initial;
    ops[4].data.recv_message.recv_message = &x->answer;
    ops[5].data.recv_status_on_client.trailing_metadata = &x->trailing;
    ops[5].data.recv_status_on_client.status = &x->status;
    ops[5].data.recv_status_on_client.status_details = &x->details;
    grpc_call_error e = grpc_call_start_batch(x->call, ops, 6, x, NULL);
    KW_INVARIANT(e == GRPC_CALL_OK);
    exchange_await(x, line);
}

static void exchange_end(struct exchange *x)
{
    grpc_metadata_array_destroy(&x->initial);
    grpc_metadata_array_destroy(&x->trailing);
    grpc_slice_unref(x->details);
    grpc_byte_buffer_destroy(x->request);
    grpc_call_unref(x->call);
    grpc_completion_queue_shutdown(x->cq);
    grpc_completion_queue_destroy(x->cq);
}

void kw_exchange(const struct kw_exchange_line *line, const char *method_path,
                 grpc_slice request, int64_t timeout_ns, struct kw_client_reply *reply,
                 grpc_byte_buffer **ret_message)
{
    struct exchange x;
    int64_t began = kw_mono_ns(&kw_clock_system);
    exchange_begin(&x, line->channel, method_path, request, timeout_ns);
    exchange_run(&x, line);
    reply->ns = kw_mono_ns(&kw_clock_system) - began;
    reply->grpc_status = (int)x.status;
    (void)kw_copy_str(reply->message, sizeof reply->message, kw_slice_span(&x.details));
    *ret_message = x.answer;
    exchange_end(&x);
}
