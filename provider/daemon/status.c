/* SPDX-License-Identifier: Apache-2.0 */
/* The status socket: whoever may connect receives one JSON document; nothing is read. */
#include "daemon_internal.h"

#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <keyward/log.h>

#include "json.h"

static void put_health(struct kw_json *j, const struct kw_front_status *s)
{
    const struct kw_hsm_health *h = &s->health;
    kw_json_open(j, "health", '{');
    kw_json_str(j, "state", kw_hsm_state_name(h->state));
    kw_json_str(j, "code", kw_code_name(h->why.code));
    kw_json_str(j, "reason", s->reason);
    kw_json_int(j, "losses", (int64_t)h->losses);
    kw_json_close(j, '}');
    kw_json_open(j, "active", '{');
    kw_json_int(j, "n", h->active_n);
    kw_json_str(j, "key_id", h->active_n ? h->active_key_id : NULL);
    kw_json_str(j, "code", kw_code_name(h->active_err.code));
    kw_json_close(j, '}');
}

static void put_versions(struct kw_json *j, const struct kw_front_status *s)
{
    kw_json_open(j, "versions", '[');
    for (size_t i = 0; i < s->version_count; i++) {
        const struct kw_front_version_status *v = &s->versions[i];
        char when[KW_TIME_TEXT];
        kw_json_open(j, NULL, '{');
        kw_json_int(j, "n", v->n);
        kw_json_str(j, "key_id", v->key_id);
        kw_json_str(j, "state", v->state);
        kw_json_str(j, "origin", v->origin);
        kw_json_str(j, "verdict", kw_code_name(v->verdict.code));
        kw_json_str(j, "reason", v->reason);
        kw_json_str(j, "found", v->found[0] != '\0' ? v->found : NULL);
        if (v->proven_wall_ns > 0)
            kw_time_text(when, v->proven_wall_ns);
        kw_json_str(j, "proven", v->proven_wall_ns > 0 ? when : NULL);
        kw_json_close(j, '}');
    }
    kw_json_close(j, ']');
}

static void put_workers(struct kw_json *j, const struct kw_front_status *s)
{
    kw_json_open(j, "workers", '[');
    for (size_t i = 0; i < s->worker_count; i++) {
        kw_json_open(j, NULL, '{');
        kw_json_int(j, "pid", s->workers[i].pid);
        kw_json_str(j, "state", s->workers[i].state);
        kw_json_int(j, "served", (int64_t)s->workers[i].served);
        kw_json_close(j, '}');
    }
    kw_json_close(j, ']');
    kw_json_open(j, "jobs", '{');
    kw_json_int(j, "queued", (int64_t)s->queued);
    kw_json_int(j, "sent", (int64_t)s->sent);
    kw_json_int(j, "total", (int64_t)s->jobs);
    kw_json_int(j, "requeued", (int64_t)s->requeued);
    kw_json_int(j, "late_answers", (int64_t)s->late_answers);
    kw_json_int(j, "workers_started", (int64_t)s->workers_started);
    kw_json_int(j, "workers_died", (int64_t)s->workers_died);
    kw_json_int(j, "workers_killed", (int64_t)s->workers_killed);
    kw_json_close(j, '}');
}

static void put_token(struct kw_json *j, const struct kw_front_status *s)
{
    kw_json_open(j, "token", '{');
    kw_json_str(j, "name", s->token);
    kw_json_str(j, "label", s->token_label);
    kw_json_str(j, "serial", s->token_serial);
    kw_json_str(j, "model", s->token_model);
    kw_json_str(j, "firmware", s->token_firmware);
    kw_json_str(j, "library", s->library);
    kw_json_close(j, '}');
    kw_json_bool(j, "pin_latched", s->pin_latched);
}

/* A keyring may read well and still not be what the token's keys were made with. */
static const char *why_rejected(const struct kw_daemon *d,
                                const struct kw_front_status *s)
{
    if (d->rejected.text[0] != '\0')
        return d->rejected.text;
    return s->coming_reason[0] != '\0' ? s->coming_reason : NULL;
}

static void put_keyring(struct kw_json *j, struct kw_daemon *d,
                        const struct kw_front_status *s)
{
    kw_json_open(j, "keyring", '{');
    kw_json_str(j, "file", d->config->keyring);
    kw_json_int(j, "serial", (int64_t)s->keyring_serial);
    kw_json_str(j, "sha256", s->keyring_sha256);
    kw_json_str(j, "rejected", why_rejected(d, s));
    kw_json_str(j, "last_good_refused",
                d->last_good_refused.text[0] ? d->last_good_refused.text : NULL);
    kw_json_bool(j, "coming_up", s->coming_up);
    kw_json_str(j, "unremembered", d->unremembered.text[0] ? d->unremembered.text : NULL);
    kw_json_close(j, '}');
}

static void put_connections(struct kw_json *j, const struct kw_listener *listener)
{
    struct kw_listen_stats s;
    kw_listener_stats(listener, &s);
    kw_json_open(j, "connections", '{');
    kw_json_int(j, "open", s.open);
    kw_json_int(j, "waiting", s.waiting);
    kw_json_int(j, "accepted", (int64_t)s.accepted);
    kw_json_int(j, "handed_over", (int64_t)s.handed_over);
    kw_json_int(j, "refused_peer", (int64_t)s.refused_peer);
    kw_json_int(j, "refused_limit", (int64_t)s.refused_limit);
    kw_json_int(j, "refused_preface", (int64_t)s.refused_preface);
    kw_json_int(j, "refused_adopt", (int64_t)s.refused_adopt);
    kw_json_close(j, '}');
}

static void put_class(struct kw_json *j, struct kw_daemon *d, size_t i)
{
    const struct kw_config_class *c = &d->config->classes[i];
    struct kw_class_stats s;
    kw_kms_stats(d->kms, i, &s);
    kw_json_open(j, NULL, '{');
    kw_json_str(j, "name", c->name);
    kw_json_str(j, "scope", c->scope);
    kw_json_str(j, "socket", c->socket);
    kw_json_int(j, "status_calls", (int64_t)s.calls[KW_METHOD_STATUS]);
    kw_json_int(j, "encrypt_calls", (int64_t)s.calls[KW_METHOD_ENCRYPT]);
    kw_json_int(j, "decrypt_calls", (int64_t)s.calls[KW_METHOD_DECRYPT]);
    kw_json_int(j, "failed_calls",
                (int64_t)(s.failed[KW_METHOD_STATUS] + s.failed[KW_METHOD_ENCRYPT] +
                          s.failed[KW_METHOD_DECRYPT]));
    kw_json_int(j, "joined", (int64_t)s.joined);
    kw_json_open(j, "cache", '{');
    kw_json_int(j, "entries", (int64_t)s.cache_entries);
    kw_json_int(j, "capacity", (int64_t)s.cache_capacity);
    kw_json_int(j, "hits", (int64_t)s.cache_hits);
    kw_json_int(j, "misses", (int64_t)s.cache_misses);
    kw_json_int(j, "evicted", (int64_t)s.cache_evicted);
    kw_json_int(j, "expired", (int64_t)s.cache_expired);
    kw_json_int(j, "wiped", (int64_t)s.cache_wiped);
    kw_json_close(j, '}');
    put_connections(j, d->class_listeners[i].listener);
    if (c->on_loss == KW_ON_LOSS_SERVE_CACHED)
        kw_json_int(j, "outage_budget_ms", s.budget_left_ns / KW_MS_NS);
    kw_json_close(j, '}');
}

static void put_rpc(struct kw_json *j, struct kw_daemon *d)
{
    struct kw_rpc_stats s;
    kw_rpc_stats(d->rpc, &s);
    kw_json_open(j, "rpc", '{');
    kw_json_int(j, "open", (int64_t)s.open);
    kw_json_int(j, "open_max", (int64_t)s.open_max);
    kw_json_int(j, "calls", (int64_t)s.calls);
    kw_json_int(j, "refused_busy", (int64_t)s.refused_busy);
    kw_json_int(j, "malformed", (int64_t)s.malformed);
    kw_json_int(j, "unimplemented", (int64_t)s.unimplemented);
    kw_json_int(j, "cancelled", (int64_t)s.cancelled);
    kw_json_close(j, '}');
}

static void put_memory(struct kw_json *j)
{
    struct kw_arena_info info;
    kw_arena_info(&info);
    kw_json_open(j, "locked_memory", '{');
    kw_json_str(j, "backend", info.backend == KW_ARENA_SECRET ? "memfd_secret" : "mlock");
    kw_json_int(j, "bytes", (int64_t)info.bytes);
    kw_json_int(j, "used", (int64_t)info.used);
    kw_json_int(j, "used_max", (int64_t)info.used_max);
    kw_json_close(j, '}');
}

static void build(struct kw_json *j, struct kw_daemon *d)
{
    struct kw_front_status s;
    kw_front_status(d->front, &s);
    kw_json_open(j, NULL, '{');
    kw_json_str(j, "version", KW_VERSION);
    kw_json_int(j, "pid", getpid());
    kw_json_str(j, "domain", d->config->domain);
    put_health(j, &s);
    put_keyring(j, d, &s);
    put_versions(j, &s);
    put_token(j, &s);
    put_workers(j, &s);
    kw_json_open(j, "classes", '[');
    for (size_t i = 0; i < d->config->class_count; i++)
        put_class(j, d, i);
    kw_json_close(j, ']');
    put_rpc(j, d);
    put_memory(j);
    kw_json_close(j, '}');
}

static void on_accept(evutil_socket_t listener, short what, void *ctx)
{
    struct kw_daemon *d = ctx;
    struct kw_json j;
    (void)what;
    int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (fd < 0)
        return;
    kw_json_begin(&j);
    build(&j, d);
    /* A document is a few KiB and the socket is fresh: it fits its buffer. */
    if (j.text == NULL || send(fd, j.text, j.len, MSG_NOSIGNAL) != (ssize_t)j.len)
        kw_log_bare(KW_LOG_WARN, "status-not-sent");
    kw_json_end(&j);
    close(fd);
}

kw_err kw_status_open(struct kw_daemon *d, struct kw_note *note)
{
    kw_err e = kw_bind(d->config->status, 0660, &d->status, note);
    if (kw_failed(e))
        return e;
    d->status_accept =
        event_new(d->loop, d->status.fd, EV_READ | EV_PERSIST, on_accept, d);
    if (d->status_accept != NULL && event_add(d->status_accept, NULL) == 0)
        return KW_OK;
    kw_note_set(note, "%s: cannot watch it", d->config->status);
    return kw_err_at(KW_CODE_NO_MEMORY, "event_new");
}

void kw_status_close(struct kw_daemon *d)
{
    if (d->status_accept != NULL)
        event_free(d->status_accept);
    d->status_accept = NULL;
    if (d->status.fd >= 0)
        kw_unbind(d->config->status, &d->status);
}

void kw_status_notify(struct kw_daemon *d)
{
    struct kw_front_status s;
    char text[256];
    kw_front_status(d->front, &s);
    if (s.health.state == d->told && strcmp(s.reason, d->told_reason) == 0)
        return;
    d->told = s.health.state;
    kw_copy_str(d->told_reason, sizeof d->told_reason, kw_span_str(s.reason));
    snprintf(text, sizeof text, "STATUS=hsm %s%s%s", kw_hsm_state_name(d->told),
             s.reason[0] ? ": " : "", s.reason);
    kw_notify(d, text);
}
