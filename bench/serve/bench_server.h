/* SPDX-License-Identifier: Apache-2.0 */
/* bench_server - the rpc and listen modules as keywardd has them, without keywardd
 *
 * One socket, for this user alone, until SIGTERM or SIGINT.
 *
 * Threads:   every function on the main thread; rpc has its own.
 * Blocking:  run only.
 */
#ifndef KEYWARD_BENCH_BENCH_SERVER_H
#define KEYWARD_BENCH_BENCH_SERVER_H

#include <keyward/err.h>

struct event_base;
struct kw_kms;
struct kw_bench_server;

/* From here on the two signals end the loop, also one that comes before it runs.
 * NO_MEMORY */
KW_MUST_USE kw_err kw_server_new(const char *name, struct kw_bench_server **ret_server);
/* Wants the arena open, with kw_rpc_bytes for it; borrows `kms` until free.
 * NO_MEMORY, and what <keyward/listen.h> says of the path. */
KW_MUST_USE kw_err kw_server_listen(struct kw_bench_server *server, const char *socket,
                                    struct kw_kms *kms, struct kw_note *note);
struct event_base *kw_server_loop(struct kw_bench_server *server);
/* Says on standard output, to whoever waits for it, that calls may come; until a signal. */
void kw_server_run(struct kw_bench_server *server);
/* Takes the socket away, lets the requests that are open end, and joins the rpc thread. */
void kw_server_stop(struct kw_bench_server *server);
/* Stops it, too.  NULL does nothing to either. */
void kw_server_free(struct kw_bench_server *server);

#endif
