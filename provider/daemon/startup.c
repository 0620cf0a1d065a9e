/* SPDX-License-Identifier: Apache-2.0 */
/* Brings the modules up in order and takes them down in the other:
 *
 *   signals blocked, state directory, arena, loop, audit log, front, kms, gRPC, sockets, READY, and
 *   only then the keyring and with it the first login: a socket that answers
 *   "starting" is worth more to kube-apiserver than one that is not there (its client
 *   backs off for up to two minutes). */
#include "daemon_internal.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <keyward/alloc.h>
#include <keyward/env.h>
#include <keyward/log.h>
#include <keyward/pin_source.h>

enum {
    QUEUE_MAX = 1024,      /* jobs, all classes together                */
    STATUS_HOLD_MS = 2000, /* a Status while starting: its caller gives up after 3 s */
    CALL_HOLD_MS = 10000,  /* the others; kube-apiserver's timeouts are 3 s to 10 s   */
    FRONT_STOP_MS = 1000,
};

/* Beside keywardd (a build tree), in the same prefix, or where it was configured to
 * be. */
static void find_worker(struct kw_daemon *d)
{
    static const char *const places[] = {"keyward-hsm", "../libexec/keyward/keyward-hsm"};
    char self[KW_PATH_MAX];
    ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);
    char *slash = n > 0 ? memrchr(self, '/', (size_t)n) : NULL;
    int folder = slash != NULL ? (int)(slash - self) : 0;
    for (size_t i = 0; d->worker[0] == '\0' && slash != NULL && i < 2; i++) {
        snprintf(d->worker, sizeof d->worker, "%.*s/%s", folder, self, places[i]);
        if (access(d->worker, X_OK) != 0)
            d->worker[0] = '\0';
    }
    if (d->worker[0] == '\0')
        snprintf(d->worker, sizeof d->worker, "%s/keyward-hsm", KW_LIBEXECDIR);
}

static kw_err open_arena(struct kw_daemon *d, struct kw_note *note)
{
    const char *want = kw_env_get(KW_ENV_ARENA);
    size_t bytes = kw_config_locked(d->config);
    const size_t tokens = d->config->token_count;
    KW_INVARIANT(KW_CALLS_LOCKED + (tokens - 1) * KW_TOKEN_LOCKED >
                 kw_rpc_bytes() +
                     kw_front_bytes((unsigned)tokens * KW_WORKERS_MAX, QUEUE_MAX));
    bool mlock = want != NULL && strcmp(want, "mlock") == 0;
    kw_err e = kw_arena_open(bytes, mlock ? KW_ARENA_MLOCK : KW_ARENA_AUTO, note);
    if (!kw_failed(e)) {
        struct kw_arena_info info;
        kw_arena_info(&info);
        kw_log(KW_LOG_INFO, "memory-locked", KW_INT("bytes", info.bytes),
               KW_STR("backend",
                      info.backend == KW_ARENA_SECRET ? "memfd_secret" : "mlock"));
    }
    return e;
}

static void on_changed(void *ctx) KW_FREE
{
    struct kw_daemon *d = ctx;
    if (d->kms != NULL)
        kw_kms_tick(d->kms);
    kw_reload_settle(d);
    kw_status_notify(d);
}

static void on_look_again(void *ctx) KW_FREE
{
    kw_reload_look(ctx);
}

/* Of one token; its variables are borrowed by the front as the rest is. */
static struct kw_front_token_options startup_token_options(
    const struct kw_config_token *t, struct kw_front_variable *env)
{
    for (size_t i = 0; i < t->env_count; i++)
        env[i] = (struct kw_front_variable){t->env[i].name, t->env[i].value};
    return (struct kw_front_token_options){
        t->name, t->uri, t->module, t->pin, env, t->env_count, t->workers, t->sessions};
}

static kw_err open_front(struct kw_daemon *d, struct kw_note *note)
{
    const struct kw_config *c = d->config;
    struct kw_front_variable env[KW_TOKENS_MAX][KW_ENV_VARS_MAX];
    struct kw_front_token_options tokens[KW_TOKENS_MAX];
    for (size_t i = 0; i < c->token_count; i++)
        tokens[i] = startup_token_options(&c->tokens[i], env[i]);
    struct kw_front_options options = {
        .worker_path = d->worker,
        .tokens = tokens,
        .token_count = c->token_count,
        .spread = c->order == KW_TOKENS_SPREAD,
        .domain = c->domain,
        .production = c->production,
        .shares = (unsigned)c->class_count,
        .queue_max = QUEUE_MAX,
        .times = {.deadline_ns = c->deadline_ns,
                  .patience_ns = c->patience_ns,
                  .suspect_ns = c->suspect_ns,
                  .probe_every_ns = c->probe_every_ns,
                  .stale_after_ns = c->stale_after_ns,
                  .recover_ns = c->recover_ns},
        .state = d->state,
        .status = c->status,
        .lock = &d->lock,
        .clock = d->clock,
        .loop = d->loop,
        .changed = on_changed,
        .look_again = on_look_again,
        .ctx = d,
    };
    kw_daemon_checkpoints_key(d, &options.audit);
    kw_err e = kw_front_new(&options, &d->front);
    if (kw_failed(e))
        kw_note_set(note, "cannot set up the workers: %s", kw_code_name(e.code));
    return e;
}

static kw_err open_kms(struct kw_daemon *d, struct kw_note *note)
{
    const struct kw_config *c = d->config;
    struct kw_class_options classes[KW_CLASSES_MAX];
    for (size_t i = 0; i < c->class_count; i++) {
        const struct kw_config_class *from = &c->classes[i];
        classes[i] = (struct kw_class_options){
            .name = from->name,
            .scope = from->scope,
            .accept_scopes = (const char *const *)from->accept_scopes,
            .accept_count = from->accept_count,
            .on_loss = from->on_loss,
            .max_outage_ns = from->max_outage_ns,
            .cache_entries = from->cache_entries,
            .cache_ttl_ns = from->cache_ttl_ns,
        };
    }
    const struct kw_kms_options options = {
        .domain = c->domain,
        .classes = classes,
        .class_count = c->class_count,
        .door = kw_front_door(d->front),
        .audit = kw_daemon_audit_door(d),
        .lock = &d->lock,
        .clock = d->clock,
        .deadline_ns = c->deadline_ns,
        .status_hold_ns = STATUS_HOLD_MS * KW_MS_NS,
        .call_hold_ns = CALL_HOLD_MS * KW_MS_NS,
    };
    kw_err e = kw_kms_new(&options, &d->kms);
    if (kw_failed(e))
        kw_note_set(note, "cannot set up the classes: %s", kw_code_name(e.code));
    return e;
}

static kw_err open_rpc(struct kw_daemon *d, struct kw_note *note)
{
    const struct kw_rpc_options options = {
        .kms = d->kms, .class_count = d->config->class_count, .clock = d->clock};
    kw_rpc_process_init();
    kw_err e = kw_rpc_new(&options, &d->rpc);
    if (kw_failed(e))
        kw_note_failed(note, "set up gRPC", e);
    return e;
}

static bool daemon_startup_adopt(void *ctx, int fd, const struct kw_peer *peer)
{
    struct kw_class_listener *class_listener = ctx;
    kw_err e =
        kw_rpc_adopt(class_listener->daemon->rpc, class_listener->class_index, fd, peer);
    if (kw_failed(e))
        kw_log(KW_LOG_WARN, "connection-not-adopted", KW_ERR("err", e));
    return !kw_failed(e);
}

static int64_t daemon_startup_answered(void *ctx, int fd)
{
    const struct kw_class_listener *class_listener = ctx;
    return kw_rpc_answered(class_listener->daemon->rpc, fd);
}

static kw_err find_inherited(const struct kw_config *config, int *ret_fds,
                             struct kw_note *note)
{
    const char *names[KW_CLASSES_MAX];
    for (size_t i = 0; i < config->class_count; i++)
        names[i] = config->classes[i].name;
    return kw_listen_inherited(names, config->class_count, ret_fds, note);
}

/* What there is of descriptors is shared out evenly, and some are kept back. */
static kw_err count_descriptors(struct kw_daemon *d, struct kw_note *note)
{
    const size_t want = kw_config_descriptors(d->config);
    d->descriptors = kw_confine_descriptors(want);
    unsigned each = kw_config_connections(d->config, d->descriptors);
    if (each == 0) {
        kw_note_set(
            note,
            "%zu descriptors are too few for this configuration, which wants %zu: "
            "raise LimitNOFILE= in the systemd unit, or RLIMIT_NOFILE (ulimit "
            "-n)",
            d->descriptors, want);
        return kw_err_at(KW_CODE_IO, "RLIMIT_NOFILE");
    }
    if (each < KW_CONNECTIONS_MAX)
        kw_log(KW_LOG_WARN, "descriptors-few", KW_INT("limit", d->descriptors),
               KW_INT("wanted", want), KW_INT("connections_of_each_class", each));
    return KW_OK;
}

/* Those of the process itself.  A worker that cannot be started is said when it is. */
static kw_err count_tasks(const struct kw_daemon *d, struct kw_note *note)
{
    return kw_confine_check_tasks(
        kw_rpc_threads() + (d->config->audit_dir != NULL ? 1 : 0), note);
}

static kw_err open_listeners(struct kw_daemon *d, struct kw_note *note)
{
    int fds[KW_CLASSES_MAX];
    kw_err e = find_inherited(d->config, fds, note);
    for (size_t i = 0; i < d->config->class_count && !kw_failed(e); i++) {
        const struct kw_config_class *c = &d->config->classes[i];
        struct kw_class_listener *class_listener = &d->class_listeners[i];
        *class_listener = (struct kw_class_listener){.daemon = d, .class_index = i};
        const struct kw_listen_options options = {
            .name = c->name,
            .path = c->socket,
            .mode = (mode_t)c->mode,
            .uids = c->uids,
            .gids = c->gids,
            .uid_count = c->uid_count,
            .gid_count = c->gid_count,
            .connections_max = kw_config_connections(d->config, d->descriptors),
            .descriptor_max =
                (int)(d->descriptors - kw_config_descriptors_kept(d->config) - 1),
            .inherited_fd = fds[i],
            .loop = d->loop,
            .adopt = daemon_startup_adopt,
            .answered = daemon_startup_answered,
            .ctx = class_listener,
        };
        e = kw_listener_open(&options, &class_listener->listener, note);
        if (!kw_failed(e))
            kw_log(KW_LOG_INFO, "listening", KW_STR("class", c->name),
                   KW_STR("socket", c->socket));
    }
    return e;
}

/* A PIN that others may read is none; a missing one may still come.  A credential's mode
 * says nothing: systemd gives it by an ACL, which its reader looks at. */
static kw_err check_pin(const char *pin, struct kw_note *note)
{
    char path[KW_PATH_MAX];
    struct stat st;
    if (kw_pin_source_is_credential(pin) ||
        kw_failed(kw_pin_source_path(pin, path, NULL)) || lstat(path, &st) != 0 ||
        (st.st_mode & 077) == 0)
        return KW_OK;
    kw_note_set(note,
                "%s: mode %04o lets others read the PIN: chmod 0600 it, and change "
                "the PIN if somebody may have",
                path, (unsigned)(st.st_mode & 07777));
    return kw_err_at(KW_CODE_DENIED, "pin file");
}

static kw_err check_pins(const struct kw_daemon *d, struct kw_note *note)
{
    kw_err e = KW_OK;
    for (size_t i = 0; i < d->config->token_count && !kw_failed(e); i++)
        e = check_pin(d->config->tokens[i].pin, note);
    return e;
}

static kw_err open_loop(struct kw_daemon *d, struct kw_note *note)
{
    d->loop = event_base_new();
    if (d->loop != NULL)
        return KW_OK;
    kw_note_set(note, "cannot make the event loop");
    return kw_err_at(KW_CODE_NO_MEMORY, "event_base_new");
}

static kw_err open_state(struct kw_daemon *d, struct kw_note *note)
{
    char word[KW_PATH_MAX];
    kw_err e = kw_state_open(d->config->state, &d->state, note);
    if (e.code == KW_CODE_MISSING && kw_shell_word(word, sizeof word, d->config_path))
        kw_note_set(note,
                    "%s: the state directory is not there; when it is lost, this makes "
                    "it again, and says what it cannot know: keyward state create "
                    "--config %s",
                    d->config->state, word);
    return e;
}

kw_err kw_daemon_open(struct kw_daemon *d, struct kw_note *note)
{
    find_worker(d);
    kw_err e = kw_signals_block(d, note);
    if (!kw_failed(e))
        e = kw_strays_adopt(note);
    if (!kw_failed(e))
        e = count_descriptors(d, note);
    if (!kw_failed(e))
        e = count_tasks(d, note);
    if (!kw_failed(e))
        e = open_state(d, note);
    if (!kw_failed(e))
        e = check_pins(d, note);
    if (!kw_failed(e))
        e = open_arena(d, note);
    if (!kw_failed(e))
        e = open_loop(d, note);
    if (!kw_failed(e))
        e = kw_daemon_audit_open(d, note);
    if (!kw_failed(e))
        e = open_front(d, note);
    if (!kw_failed(e))
        e = open_kms(d, note);
    if (!kw_failed(e))
        e = open_rpc(d, note);
    if (!kw_failed(e))
        e = open_listeners(d, note);
    if (!kw_failed(e))
        e = kw_status_open(d, note);
    if (!kw_failed(e))
        e = kw_signals_watch(d, note);
    if (kw_failed(e))
        return e;
    kw_flood_begin(d);
    kw_notify_open(d);
    kw_notify(d, "READY=1\nSTATUS=starting");
    kw_notify_watchdog(d);
    kw_reload_start(d);
    return KW_OK;
}

static void free_event(struct event **e)
{
    if (*e != NULL)
        event_free(*e);
    *e = NULL;
}

/* The audit log's thread hangs in the disk, and would come back to what is freed now. */
_Noreturn static void close_at_once(const struct kw_daemon *d)
{
    kw_arena_close();
    _exit(d->stopping ? 0 : 1);
}

/* Who had its time to read is not waited for. */
static void close_listeners(struct kw_daemon *d)
{
    for (size_t i = 0; i < KW_CLASSES_MAX; i++) {
        struct kw_listener *l = d->class_listeners[i].listener;
        if (l != NULL)
            kw_listener_cut(l);
        kw_listener_close(l);
        d->class_listeners[i].listener =
            NULL; /* the loop goes round again before the end */
    }
}

void kw_daemon_close(struct kw_daemon *d)
{
    close_listeners(d);
    kw_status_close(d);
    kw_seek_end(d);
    kw_flood_end(d);
    kw_daemon_audit_leave(d);
    if (d->kms != NULL)
        kw_kms_wipe(d->kms);
    kw_daemon_audit_sign_off(d);
    if (d->front != NULL)
        kw_front_stop(d->front, FRONT_STOP_MS * KW_MS_NS);
    kw_strays_end(d);
    kw_rpc_free(d->rpc);
    kw_kms_free(d->kms);
    const bool is_left = !kw_daemon_audit_close(d);
    kw_front_free(d->front);
    free_event(&d->tick);
    free_event(&d->signals);
    free_event(&d->watchdog);
    if (d->loop != NULL)
        event_base_free(d->loop);
    kw_reload_forget(d);
    kw_state_close(d->state);
    if (is_left)
        close_at_once(d);
    kw_configuration_forget(d);
    kw_config_free(d->config);
    kw_free(d->config_path);
    kw_arena_close();
    if (d->signal_fd >= 0)
        close(d->signal_fd);
    if (d->notify_fd >= 0)
        close(d->notify_fd);
}
