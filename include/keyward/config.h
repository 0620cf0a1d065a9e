/* SPDX-License-Identifier: Apache-2.0 */
/* config - the checked configuration: one YAML file, one field table
 *
 * The table (path, parser, range, default, help) gives the parser, the errors as
 * file:line:column, --print-config and the manual.  Unknown and duplicate keys, wrong
 * types, values out of range, aliases, anchors, tags, NUL and a second document are
 * errors.
 *
 * Threads:   const after load; any.
 * Secrets:   none: a PIN is only named (file:, credential:), an inline one is refused.
 */
#ifndef KEYWARD_CONFIG_H
#define KEYWARD_CONFIG_H

#include <stdio.h>

#include <keyward/bytes.h>
#include <keyward/limits.h>
#include <keyward/log.h>
#include <keyward/policy.h>

#define KW_PEERS_MAX 32u
#define KW_ENV_VARS_MAX 32u

/* Locked memory that the daemon wants besides its caches: calls in flight, jobs at the HSM
 * door, and what is on its way to workers (kw_rpc_bytes, kw_front_bytes). */
#define KW_CALLS_LOCKED (4u * 1024 * 1024)
/* The same for each token after the first: what is on its way to as many workers as it
 * may have. */
#define KW_TOKEN_LOCKED (2u * 1024 * 1024)

/* Descriptors besides those of connections: what is open all the time (of each class its
 * socket, lock and epoll; loops, gRPC, logs), and what is kept back for what comes later
 * (three for each worker, and for the one that takes its place while it ends; what a
 * spawn passes on; the status socket's connection; files).  Each token after the first may
 * have as many workers again. */
#define KW_FDS_STANDING 128u
#define KW_FDS_KEPT 128u /* with one token; kw_config_descriptors_kept has all */
#define KW_FDS_OF_WORKER 6u
_Static_assert(KW_FDS_STANDING >= 3 * KW_CLASSES_MAX + 64, "classes' own");
_Static_assert(KW_FDS_KEPT >= KW_FDS_OF_WORKER * KW_WORKERS_MAX + 32, "workers");

/* `written` in each block: bit i says that the i-th row of the table was in the file. */
struct kw_config_var {
    char *name, *value;
};
struct kw_config_token {
    char *uri, *module, *pin;
    char name[33]; /* the URI's token label, or "token-<i>" from 1 on; unique */
    struct kw_config_var env[KW_ENV_VARS_MAX];
    size_t env_count;
    unsigned workers, sessions;
    uint64_t written;
};
struct kw_config_class {
    char *name, *scope, *socket;
    char *accept_scopes[KW_CLASSES_MAX];
    size_t accept_count;
    unsigned mode;
    uint32_t uids[KW_PEERS_MAX], gids[KW_PEERS_MAX];
    size_t uid_count, gid_count;
    enum kw_on_loss on_loss;
    int64_t max_outage_ns;
    size_t cache_entries;
    int64_t cache_ttl_ns;
    uint64_t written;
};
enum kw_tokens_order { KW_TOKENS_PRIORITY, KW_TOKENS_SPREAD };

struct kw_config {
    char *domain;
    bool production; /* environment: production | test */
    char *keyring, *state, *status;
    enum kw_log_level log_level;
    enum kw_log_format log_format;
    int64_t deadline_ns, patience_ns, suspect_ns, recover_ns, probe_every_ns,
        stale_after_ns;
    char *audit_dir; /* NULL: there is no audit log */
    enum { KW_AUDIT_SYNC, KW_AUDIT_WRITE } audit_durability;
    enum { KW_AUDIT_DENY, KW_AUDIT_ALLOW } audit_on_failure;
    int64_t audit_deadline_ns;
    uint64_t audit_rotate_bytes;
    enum { KW_COPIES_NONE, KW_COPIES_CHECKPOINTS, KW_COPIES_ALL } audit_copies;
    char *audit_copies_to;
    char *audit_key_label; /* NULL: nobody signs checkpoints */
    char *audit_key_sha256;
    enum kw_tokens_order order;
    struct kw_config_token tokens[KW_TOKENS_MAX];
    size_t token_count;
    struct kw_config_class classes[KW_CLASSES_MAX];
    size_t class_count;
    uint64_t written;
};

/* `name` stands for the file in messages.  `locked_max` is how many bytes of locked
 * memory there may be; caches that do not fit are an error at their line (SIZE_MAX: do
 * not check).
 * BAD_INPUT  *note is "<name>:<line>:<column>: <key>: what is wrong; what is allowed" */
KW_MUST_USE kw_err kw_config_parse(kw_span yaml, const char *name, size_t locked_max,
                                   struct kw_config **ret_config, struct kw_note *note);
/* MISSING, IO, and what parse says. */
KW_MUST_USE kw_err kw_config_load(const char *path, size_t locked_max,
                                  struct kw_config **ret_config, struct kw_note *note);
void kw_config_free(struct kw_config *config); /* NULL does nothing */

/* Tells each setting that has another value in `a` than in `b`, by its path and never by
 * its value: "hsm.tokens[1].workers"; the list itself, "hsm.tokens", when it is longer in
 * one of them.  A default is the same whether it is written or not. */
typedef void kw_config_told(void *ctx, const char *path);
void kw_config_compare(const struct kw_config *a, const struct kw_config *b,
                       kw_config_told *told, void *ctx);

/* Locked bytes that this configuration wants: its caches, KW_CALLS_LOCKED, and
 * KW_TOKEN_LOCKED for each token after the first. */
size_t kw_config_locked(const struct kw_config *config);
/* Its caches alone. */
size_t kw_config_cached(const struct kw_config *config);

/* Descriptors that this configuration wants, so that each class can have
 * KW_CONNECTIONS_MAX connections. */
size_t kw_config_descriptors(const struct kw_config *config);
/* Of them, those that no connection gets: KW_FDS_KEPT, and those of each further token's
 * workers. */
size_t kw_config_descriptors_kept(const struct kw_config *config);
/* How many connections each class can have with so many descriptors. */
unsigned kw_config_connections(const struct kw_config *config, size_t descriptors);

/* The effective values as YAML that loads again; a default that was not written in the
 * file is marked "  # default" at the end of its line. */
void kw_config_print(const struct kw_config *config, FILE *out);
/* Every key with its type, range, default and help, for manual and --help. */
void kw_config_describe(FILE *out);

#endif
