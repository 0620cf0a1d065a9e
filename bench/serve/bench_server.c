/* SPDX-License-Identifier: Apache-2.0 */
#include "bench_server.h"

#include <event2/event.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#include <keyward/alloc.h>
#include <keyward/listen.h>
#include <keyward/rpc.h>

struct kw_bench_server {
    const char *name; /* of the verb, for messages */
    struct event_base *loop;
    struct event *signals[2];
    struct kw_rpc *rpc;
    struct kw_listener *listener;
    const char *socket;
};

static bool server_adopt(void *ctx, int fd, const struct kw_peer *peer)
{
    struct kw_bench_server *server = ctx;
    kw_err e = kw_rpc_adopt(server->rpc, 0, fd, peer);
    if (kw_failed(e))
        fprintf(stderr, "keyward-bench %s: a connection was lost: %s\n", server->name,
                kw_code_name(e.code));
    return !kw_failed(e);
}

static void on_signal(evutil_socket_t number, short what, void *ctx)
{
    (void)number;
    (void)what;
    struct kw_bench_server *server = ctx;
    event_base_loopbreak(server->loop);
}

static kw_err watch_signals(struct kw_bench_server *server)
{
    const int numbers[] = {SIGTERM, SIGINT};
    for (size_t i = 0; i < 2; i++) {
        server->signals[i] = evsignal_new(server->loop, numbers[i], on_signal, server);
        if (server->signals[i] == NULL || evsignal_add(server->signals[i], NULL) != 0)
            return kw_err_at(KW_CODE_NO_MEMORY, "signals");
    }
    return KW_OK;
}

kw_err kw_server_new(const char *name, struct kw_bench_server **ret_server)
{
    struct kw_bench_server *server = kw_new(1, sizeof *server);
    if (server == NULL)
        return kw_err_at(KW_CODE_NO_MEMORY, "server");
    server->name = name;
    server->loop = event_base_new();
    kw_err e = server->loop == NULL ? kw_err_at(KW_CODE_NO_MEMORY, "event_base")
                                    : watch_signals(server);
    if (kw_failed(e)) {
        kw_server_free(server);
        return e;
    }
    *ret_server = server;
    return KW_OK;
}

kw_err kw_server_listen(struct kw_bench_server *server, const char *socket,
                        struct kw_kms *kms, struct kw_note *note)
{
    const uint32_t own_uid = geteuid();
    server->socket = socket;
    const struct kw_rpc_options options = {
        .kms = kms, .class_count = 1, .clock = &kw_clock_system};
    kw_err e = kw_rpc_new(&options, &server->rpc);
    if (kw_failed(e))
        return e;
    const struct kw_listen_options wanted = {.name = server->name,
                                             .path = socket,
                                             .mode = 0600,
                                             .uids = &own_uid,
                                             .uid_count = 1,
                                             .inherited_fd = -1,
                                             .loop = server->loop,
                                             .adopt = server_adopt,
                                             .ctx = server};
    return kw_listener_open(&wanted, &server->listener, note);
}

struct event_base *kw_server_loop(struct kw_bench_server *server)
{
    return server->loop;
}

void kw_server_run(struct kw_bench_server *server)
{
    printf("%s %s\n", server->name, server->socket);
    fflush(stdout);
    event_base_dispatch(server->loop);
}

/* Those who wait for a job are answered by the main loop. */
static void server_let_end(struct kw_bench_server *server)
{
    const struct timeval step = {0, 10000};
    const kw_deadline until = kw_deadline_in(&kw_clock_system, 5 * KW_S_NS);
    kw_rpc_shutdown(server->rpc);
    while (!kw_rpc_idle(server->rpc) &&
           !kw_deadline_over(until, kw_mono_ns(&kw_clock_system))) {
        event_base_loopexit(server->loop, &step);
        event_base_dispatch(server->loop);
    }
}

void kw_server_stop(struct kw_bench_server *server)
{
    if (server == NULL)
        return;
    kw_listener_close(server->listener);
    server->listener = NULL;
    if (server->rpc != NULL)
        server_let_end(server);
    kw_rpc_free(server->rpc);
    server->rpc = NULL;
}

void kw_server_free(struct kw_bench_server *server)
{
    if (server == NULL)
        return;
    kw_server_stop(server);
    for (size_t i = 0; i < 2; i++)
        if (server->signals[i] != NULL)
            event_free(server->signals[i]);
    if (server->loop != NULL)
        event_base_free(server->loop);
    kw_free(server);
}
