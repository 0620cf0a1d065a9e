/* SPDX-License-Identifier: Apache-2.0 */
/* instance - a whole keyward for one scenario: token, keyring, configuration, daemon, log
 *
 * Everything lies below a temporary folder of its own; the token is a fresh SoftHSM one,
 * set up by the real operator's tool.  As root the daemon runs as uid 65534.  A thread
 * drains the daemon's log; tests wait for events in it, never for time.
 *
 * Any failure here fails the case with a message. */
#ifndef KEYWARD_TESTS_INSTANCE_H
#define KEYWARD_TESTS_INSTANCE_H

#include "check.h"

#include <pthread.h>
#include <sys/types.h>

#include <keyward/client.h>

struct instance {
    char dir[64];
    char config[128], keyring[128], pin[128], state[128], tokens[128], status[128],
        secrets[128], bulk[128];
    char keywardd[512], worker[512]; /* as h->uid can reach them */
    uid_t uid;
    /* Runs in the daemon's process before it is the daemon (and while it may be root's);
     * NULL: nothing. */
    void (*in_child)(void *ctx);
    void *in_child_ctx;
    pid_t daemon; /* 0 = not running */
    int log_fd;
    pthread_t reader;
    pthread_mutex_t mutex;
    pthread_cond_t grew;
    char **lines;
    size_t line_count, line_room;
    bool log_ended;
};

/* Token, key version 1 (active, the baseline), configuration, with an audit log unless the
 * deadline is 2500ms or more, with as long for a record as may be; nothing of it is sent to
 * the machine's system log.  `hsm` is YAML that goes below the configuration's "hsm:" line
 * (two spaces of indentation, newline at the end), or NULL for quick values: deadline
 * 1000ms, patience 2s, suspect 1s, recover 1s, probe every 1s, stale after 10s. */
void instance_build(struct instance *h, const char *hsm);
/* A further control plane, in a folder of its own: its token is a copy of what the first
 * one's has now, and it joins with a copy of its keyring.  Only the first one's tool makes
 * keys. */
void instance_join(struct instance *h, const struct instance *first, const char *hsm);
/* What a case begins with: `name` is built; with the arena that its clients' replies
 * need. */
#define INSTANCE(name, hsm)                                                              \
    struct instance name;                                                                \
    instance_build(&name, hsm)
#define INSTANCE_AND_ARENA(name, hsm)                                                    \
    kw_test_arena(1 << 20);                                                              \
    INSTANCE(name, hsm)
/* Stops the daemon if it runs and removes everything. */
void instance_destroy(struct instance *h);

/* A second daemon over the same folder, not started; nothing but its log is its own. */
void instance_share(struct instance *second, const struct instance *first);
void instance_unshare(struct instance *second); /* its daemon has ended */

/* A clone below a folder that is root's alone (/root) has files that the daemon's uid
 * cannot reach: as root a copy of the scenario's own, else the file itself. */
void instance_lend(const struct instance *h, const char *file, const char *name,
                   char dst[512]);

/* Starts keywardd with extra arguments (NULL-terminated, or NULL) and returns at once. */
void instance_start(struct instance *h, const char *const *more);
/* The same, then waits for state up. */
void instance_up(struct instance *h);
/* Sends a signal to the daemon. */
void instance_signal(struct instance *h, int signo);
/* SIGTERM, waits for the end; returns the exit status (128 + n for a signal). */
int instance_stop(struct instance *h);
/* Waits for the end without a signal. */
int instance_wait_end(struct instance *h);

/* A mark in the log: only later lines count. */
size_t instance_mark(struct instance *h);
/* Waits until a line after `mark` holds all of the texts (NULL-terminated); fails when
 * the log ends first.  Returns the mark behind that line; *ret_line (may be NULL) is good
 * until instance_destroy. */
size_t instance_await(struct instance *h, size_t mark, const char **ret_line, ...)
    __attribute__((sentinel));
/* How many lines after `mark` hold the text. */
unsigned instance_count(struct instance *h, size_t mark, const char *text);

/* Runs the operator's tool with arguments (NULL-terminated) plus --config; output in
 * out[cap] (may be NULL); returns the exit status. */
int instance_tool(struct instance *h, char *out, size_t cap, ...)
    __attribute__((sentinel));

/* Pids of the daemon's workers, at most max. */
size_t instance_workers(struct instance *h, pid_t *pids, size_t max);

/* Clients.  instance_round_trip: Encrypt, Decrypt, compare; fails the case when not
 * equal.
 */
struct kw_client *instance_client(struct instance *h, const char *socket);
void instance_round_trip(struct kw_client *client);
/* Encrypt that must succeed. */
void instance_encrypt(struct kw_client *client, kw_span seed,
                      struct kw_client_reply *reply);

/* Replaces the first `from` in the configuration by `to`. */
void instance_edit(struct instance *h, const char *from, const char *to);

/* What stands in the first line of the configuration that has `name`, behind it. */
void instance_value(const struct instance *h, const char *name, char *dst, size_t cap);

/* The document of the status socket, in out[cap]. */
void instance_status(struct instance *h, char *out, size_t cap);

#endif
