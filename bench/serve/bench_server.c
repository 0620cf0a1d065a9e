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

/* Whose connection is lost for want of memory sees that by itself. */
static bool server_adopt(void *ctx, int fd, const struct kw_peer *peer)
{
    struct kw_bench_server *server = ctx;
    return !kw_failed(kw_rpc_adopt(server->rpc, 0, fd, peer));
}

static void server_on_signal(evutil_socket_t number, short what, void *loop)
{
    event_base_loopbreak(loop);
}

kw_err kw_server_new(const char *name, struct kw_bench_server **ret_server)
{
    const int numbers[] = {SIGTERM, SIGINT};
    struct kw_bench_server *server = kw_new(1, sizeof *server);
    if (server == NULL)
        return kw_err_at(KW_CODE_NO_MEMORY, "server");
    server->name = name;
    server->loop = event_base_new();
    for (size_t i = 0; server->loop != NULL && i < 2; i++) {
        struct event *e =
            evsignal_new(server->loop, numbers[i], server_on_signal, server->loop);
        server->signals[i] = e;
        if (e == NULL || evsignal_add(e, NULL) != 0)
            break;
        if (i == 1) {
            *ret_server = server;
            return KW_OK;
        }
    }
    kw_server_free(server);
    return kw_err_at(KW_CODE_NO_MEMORY, "event_base");
}

kw_err kw_server_listen(struct kw_bench_server *server, const char *socket,
                        struct kw_kms *kms, struct kw_note *note)
{
    const uint32_t own_uid = geteuid();
    const struct kw_rpc_options options = {
        .kms = kms, .class_count = 1, .clock = &kw_clock_system};
    const struct kw_listen_options wanted = {.name = server->name,
                                             .path = socket,
                                             .mode = 0600,
                                             .uids = &own_uid,
                                             .uid_count = 1,
                                             .inherited_fd = -1,
                                             .loop = server->loop,
                                             .adopt = server_adopt,
                                             .ctx = server};
    server->socket = socket;
    kw_err e = kw_rpc_new(&options, &server->rpc);
    return kw_failed(e) ? e : kw_listener_open(&wanted, &server->listener, note);
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
void kw_server_stop(struct kw_bench_server *server)
{
    const struct timeval step = {0, 10000};
    const kw_deadline until = kw_deadline_in(&kw_clock_system, 5 * KW_S_NS);
    if (server == NULL)
        return;
    kw_listener_close(server->listener);
    server->listener = NULL;
    if (server->rpc == NULL)
        return;
    kw_rpc_shutdown(server->rpc);
    while (!kw_rpc_idle(server->rpc) &&
           !kw_deadline_over(until, kw_mono_ns(&kw_clock_system))) {
        event_base_loopexit(server->loop, &step);
        event_base_dispatch(server->loop);
    }
    kw_rpc_free(server->rpc);
    server->rpc = NULL;
}

void kw_server_free(struct kw_bench_server *server)
{
    kw_server_stop(server);
    for (size_t i = 0; server != NULL && i < 2; i++)
        if (server->signals[i] != NULL)
            event_free(server->signals[i]);
    if (server != NULL && server->loop != NULL)
        event_base_free(server->loop);
    kw_free(server);
}
