/* SPDX-License-Identifier: Apache-2.0 */
/* keyward-bench echo - the rpc and listen rooms as keywardd has them, and no work
 *
 * What this serves is the most that any plugin on this gRPC server could: Encrypt answers
 * its input, framed to the length that keywardd's ciphertext has, Decrypt takes it out
 * again, so that the messages are as long as real ones.  It protects nothing and says so
 * in its key_id.
 */
#include <event2/event.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#include <keyward/kms.h>
#include <keyward/listen.h>
#include <keyward/rpc.h>
#include <keyward/secret.h>

#include "tool.h"
#include "watch.h"

/* What rpc takes for kms here. */
struct kw_kms {
    const char *key_id;
};

struct echo {
    const char *socket;
    struct event_base *loop;
    struct event *signals[2];
    struct kw_kms kms;
    struct kw_rpc *rpc;
    struct kw_listener *listener;
};

/* What keywardd adds to a seed under AES-256-GCM in a class whose scope has four letters:
 * header and iv (22), inner digest (16), tag (16).  docs/FORMATS.md. */
enum { FRAME = 54 };

/* length 2 | seed | zeros */
static void frame(struct kw_call *call, kw_span seed)
{
    static const uint8_t zeros[FRAME - 2];
    kw_dst out = kw_dst_of(call->out_ciphertext, sizeof call->out_ciphertext);
    KW_INVARIANT(kw_dst_put_sized(&out, seed) &&
                 kw_dst_put(&out, kw_span_of(zeros, sizeof zeros)));
    call->out_ciphertext_len = out.len;
}

static kw_err unframe(struct kw_call *call)
{
    struct kw_src src = kw_src_of(call->ciphertext);
    kw_span seed = kw_src_sized(&src);
    (void)kw_src_take(&src, FRAME - 2);
    if (!kw_src_done(&src) || seed.len == 0 || seed.len > KW_SEED_MAX)
        return kw_err_at(KW_CODE_BAD_INPUT, "echo");
    return kw_secret_copy(&call->seed, seed);
}

void kw_kms_begin(struct kw_kms *kms, struct kw_call *call)
{
    kw_span seed = kw_secret_peek(&call->seed);
    kw_copy_str(call->out_key_id, sizeof call->out_key_id, kw_span_str(kms->key_id));
    call->err = KW_OK;
    if (call->ask == KW_ASK_ENCRYPT)
        frame(call, seed);
    else if (call->ask == KW_ASK_DECRYPT)
        call->err = unframe(call);
    call->done(call);
}

/* Nothing is ever parked. */
void kw_kms_cancel(struct kw_kms *kms, struct kw_call *call)
{
    (void)kms;
    (void)call;
}

static bool adopt(void *ctx, int fd, const struct kw_peer *peer)
{
    struct echo *echo = ctx;
    kw_err e = kw_rpc_adopt(echo->rpc, 0, fd, peer);
    if (kw_failed(e))
        fprintf(stderr, "keyward-bench echo: a connection was lost: %s\n",
                kw_code_name(e.code));
    return !kw_failed(e);
}

static void on_signal(evutil_socket_t number, short what, void *ctx)
{
    (void)number;
    (void)what;
    struct echo *echo = ctx;
    event_base_loopbreak(echo->loop);
}

static kw_err watch_signals(struct echo *echo)
{
    const int numbers[] = {SIGTERM, SIGINT};
    for (size_t i = 0; i < 2; i++) {
        echo->signals[i] = evsignal_new(echo->loop, numbers[i], on_signal, echo);
        if (echo->signals[i] == NULL || evsignal_add(echo->signals[i], NULL) != 0)
            return kw_err_at(KW_CODE_NO_MEMORY, "signals");
    }
    return KW_OK;
}

static kw_err open_all(struct echo *echo, struct kw_note *note)
{
    const uint32_t own_uid = geteuid();
    const struct kw_rpc_options options = {
        .kms = &echo->kms, .class_count = 1, .clock = &kw_clock_system};
    kw_err e = kw_arena_open(kw_rpc_bytes(), KW_ARENA_AUTO, note);
    if (kw_failed(e))
        return e;
    echo->loop = event_base_new();
    if (echo->loop == NULL)
        return kw_err_at(KW_CODE_NO_MEMORY, "event_base");
    e = watch_signals(echo);
    if (!kw_failed(e))
        e = kw_rpc_new(&options, &echo->rpc);
    if (kw_failed(e))
        return e;
    const struct kw_listen_options wanted = {.name = "echo",
                                             .path = echo->socket,
                                             .mode = 0600,
                                             .uids = &own_uid,
                                             .uid_count = 1,
                                             .inherited_fd = -1,
                                             .loop = echo->loop,
                                             .adopt = adopt,
                                             .ctx = echo};
    return kw_listener_open(&wanted, &echo->listener, note);
}

static void close_all(struct echo *echo)
{
    kw_listener_close(echo->listener);
    if (echo->rpc != NULL)
        kw_rpc_shutdown(echo->rpc);
    kw_rpc_free(echo->rpc);
    for (size_t i = 0; i < 2; i++)
        if (echo->signals[i] != NULL)
            event_free(echo->signals[i]);
    if (echo->loop != NULL)
        event_base_free(echo->loop);
}

static int serve(const struct kw_verb *v, struct echo *echo)
{
    struct kw_note note = {{0}};
    kw_rpc_process_init();
    kw_err e = open_all(echo, &note);
    int code = KW_EXIT_GOOD;
    if (kw_failed(e)) {
        code = kw_unable_err(v, e, &note);
    } else {
        printf("echo %s\n", echo->socket);
        fflush(stdout);
        event_base_dispatch(echo->loop);
    }
    close_all(echo);
    return code;
}

int kw_bench_echo(int argc, char **argv)
{
    const char *cpu_text = NULL;
    uint64_t cpu = 0;
    const struct kw_flag flags[] = {
        {"cpu", "N", "run on CPU N only", NULL, &cpu_text},
    };
    const struct kw_verb v = {
        .name = "echo",
        .operands = "SOCKET",
        .summary = "Serves KMS v2 without any work until SIGTERM: the ceiling of the "
                   "transport.",
        .operand_min = 1,
        .operand_max = 1,
        .flags = flags,
        .flag_count = 1,
        .more = "Only this user may connect.  What Encrypt answers is its input, "
                "readable: never\n"
                "point an API server at it."};
    struct echo echo = {.kms = {"kw1-0-echo-protects-nothing---"}};
    int operands = 0, code = kw_args(&v, argc, argv, &operands);
    if (code < 0)
        code = kw_args_number(&v, "cpu", cpu_text, 0, 1023, &cpu);
    if (code >= 0)
        return code;
    if (cpu_text != NULL && !kw_pin((unsigned)cpu))
        return kw_unable(&v, "there is no CPU %s for this process", cpu_text);
    echo.socket = argv[1];
    return serve(&v, &echo);
}
