/* SPDX-License-Identifier: Apache-2.0 */
/* server - the rpc and listen rooms as keywardd has them, without keywardd
 *
 * One socket, for this user alone, until SIGTERM or SIGINT.
 *
 * Threads:   every function on the main thread; rpc has its own.
 * Blocking:  run only.
 */
#ifndef KEYWARD_BENCH_SERVER_H
#define KEYWARD_BENCH_SERVER_H

#include <keyward/err.h>

struct kw_kms;
struct kw_server;

/* From here on the two signals end the loop, also one that comes before it runs.
 * NO_MEMORY */
KW_MUST_USE kw_err kw_server_new(const char *name, struct kw_server **ret_server);
/* Wants the arena open, with kw_rpc_bytes for it; borrows `kms` until free.
 * NO_MEMORY, and what <keyward/listen.h> says of the path. */
KW_MUST_USE kw_err kw_server_listen(struct kw_server *server, const char *socket,
                                    struct kw_kms *kms, struct kw_note *note);
void kw_server_run(struct kw_server *server);
/* Takes the socket away and joins the rpc thread.  NULL does nothing. */
void kw_server_free(struct kw_server *server);

#endif
