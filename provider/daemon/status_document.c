/* SPDX-License-Identifier: Apache-2.0 */
/* The status document.  Each part is one json_pack: memory that is not there for any of it
 * makes NULL of all of it.  The text is written into memory that is there: jansson 2.14 goes
 * on behind a member's name for which there was none, as if it had been written. */
#include "status_document.h"

#include <unistd.h>

#include <keyward/alloc.h>

/* Longer than any reason or path that stands in it. */
enum { TEXT_MAX = KW_NOTE_MAX > KW_PATH_MAX ? KW_NOTE_MAX : KW_PATH_MAX };

json_t *kw_status_text(const char *text)
{
    char shown[TEXT_MAX + 1];
    if (text == NULL)
        return json_null();
    kw_copy_printable(shown, sizeof shown, kw_span_str(text));
    return json_string(shown);
}

/* Of a text that is empty when there is nothing to say. */
static json_t *status_text_or_null(const char *text)
{
    return kw_status_text(text[0] != '\0' ? text : NULL);
}

static json_int_t number(uint64_t n)
{
    return (json_int_t)n;
}

static json_t *health_part(const struct kw_front_status *s)
{
    const struct kw_hsm_health *h = &s->health;
    return json_pack("{s:s, s:s, s:o, s:I}", "state", kw_hsm_state_name(h->state), "code",
                     kw_code_name(h->why.code), "reason", kw_status_text(s->reason),
                     "losses", number(h->losses));
}

static json_t *active_part(const struct kw_front_status *s)
{
    const struct kw_hsm_health *h = &s->health;
    return json_pack(
        "{s:i, s:o, s:o, s:s}", "n", (int)h->active_n, "key_id",
        kw_status_text(h->active_n != 0 ? h->active_key_id : NULL), "key_id_hash",
        h->active_n != 0 ? kw_status_key_id_hash(h->active_key_id) : json_null(), "code",
        kw_code_name(h->active_err.code));
}

json_t *kw_status_append(json_t *list, json_t *item)
{
    if (list != NULL && json_array_append_new(list, item) == 0)
        return list;
    json_decref(list);
    return NULL;
}

static json_t *quarantine_part(const struct kw_front_status *s)
{
    json_t *list = json_array();
    for (size_t i = 0; i < s->held_count && list != NULL; i++) {
        char since[KW_TIME_TEXT], until[KW_TIME_TEXT];
        kw_time_text(since, s->held[i].since_wall_ns);
        kw_time_text(until, s->held[i].until_wall_ns);
        list =
            kw_status_append(list, json_pack("{s:s, s:s, s:s}", "input", s->held[i].input,
                                             "since", since, "until", until));
    }
    return list;
}

static json_t *workers_part(const struct kw_front_status *s)
{
    json_t *list = json_array();
    for (size_t i = 0; i < s->worker_count && list != NULL; i++)
        list = kw_status_append(list, json_pack("{s:o, s:i, s:s, s:i, s:i, s:I}", "token",
                                                kw_status_text(s->workers[i].token),
                                                "pid", (int)s->workers[i].pid, "state",
                                                s->workers[i].state, "sessions",
                                                (int)s->workers[i].sessions, "hanging",
                                                (int)s->workers[i].hanging, "served",
                                                number(s->workers[i].served)));
    return list;
}

static json_t *jobs_part(const struct kw_front_status *s)
{
    return json_pack("{s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I}", "queued",
                     number(s->jobs.queued), "sent", number(s->jobs.sent), "total",
                     number(s->jobs.total), "requeued", number(s->jobs.requeued),
                     "late_answers", number(s->jobs.late_answers), "workers_started",
                     number(s->workers_started), "workers_died", number(s->workers_died),
                     "workers_killed", number(s->workers_killed));
}

static json_t *token_part(const struct kw_front_status *s,
                          const struct kw_front_token_status *t)
{
    return json_pack(
        "{s:o, s:s, s:s, s:o, s:b, s:b, s:I, s:I, s:o, s:o, s:o, s:o, s:o, s:o, s:o}",
        "name", kw_status_text(t->name), "state", kw_hsm_state_name(t->state), "code",
        kw_code_name(t->why.code), "reason", kw_status_text(t->reason), "pin_latched",
        (int)t->pin_latched, "out", (int)t->is_out, "unproven", number(t->unproven),
        "probe_every_ms", (json_int_t)(t->probe_every_ns / KW_MS_NS), "label",
        kw_status_text(t->label), "serial", kw_status_text(t->serial), "model",
        kw_status_text(t->model), "firmware", kw_status_text(t->firmware), "library",
        kw_status_text(t->library), "processes", kw_status_token_workers(s, t->name),
        "since_start", kw_status_token_numbers(t->numbers));
}

static json_t *tokens_part(const struct kw_front_status *s)
{
    json_t *list = json_array();
    for (size_t i = 0; i < s->token_count && list != NULL; i++)
        list = kw_status_append(list, token_part(s, &s->tokens[i]));
    return list;
}

static void append_name(void *ctx, const char *path)
{
    json_t **list = ctx;
    if (*list != NULL)
        *list = kw_status_append(*list, json_string(path));
}

/* What a restart would change; names alone. */
static json_t *changed_part(const struct kw_daemon *d)
{
    json_t *list = json_array();
    if (d->config_found != NULL)
        kw_config_compare(d->config, d->config_found, append_name, &list);
    return list;
}

static json_t *configuration_part(const struct kw_daemon *d)
{
    return json_pack("{s:o, s:o, s:o}", "file", kw_status_text(d->config_path),
                     "rejected", status_text_or_null(d->config_rejected.text), "changed",
                     changed_part(d));
}

/* A keyring may read well and still not be what the token's keys were made with. */
static const char *why_rejected(const struct kw_daemon *d,
                                const struct kw_front_status *s)
{
    return d->rejected.text[0] != '\0' ? d->rejected.text : s->coming_reason;
}

static json_t *keyring_part(const struct kw_daemon *d, const struct kw_front_status *s)
{
    return json_pack(
        "{s:o, s:I, s:o, s:o, s:o, s:b, s:o}", "file", kw_status_text(d->config->keyring),
        "serial", number(s->keyring_serial), "sha256", kw_status_text(s->keyring_sha256),
        "rejected", status_text_or_null(why_rejected(d, s)), "last_good_refused",
        status_text_or_null(d->last_good_refused.text), "coming_up", (int)s->coming_up,
        "unremembered", status_text_or_null(d->unremembered.text));
}

static json_t *connections_part(const struct kw_class_listener *c)
{
    struct kw_listen_stats s;
    kw_listener_stats(c->listener, &s);
    return json_pack(
        "{s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I}", "open", number(s.open),
        "waiting", number(s.waiting), "accepted", number(s.accepted), "handed_over",
        number(s.handed_over), "refused_peer", number(s.refused_peer), "refused_limit",
        number(s.refused_limit), "refused_preface", number(s.refused_preface),
        "refused_adopt", number(s.refused_adopt), "ended", number(s.ended));
}

static json_t *cache_part(const struct kw_class_stats *s)
{
    return json_pack("{s:I, s:I, s:I, s:I, s:I, s:I, s:I}", "entries",
                     number(s->cache_entries), "capacity", number(s->cache_capacity),
                     "hits", number(s->cache_hits), "misses", number(s->cache_misses),
                     "evicted", number(s->cache_evicted), "expired",
                     number(s->cache_expired), "wiped", number(s->cache_wiped));
}

static uint64_t calls_of(const struct kw_class_stats *s, enum kw_method method)
{
    uint64_t calls = 0;
    for (size_t i = 0; i < KW_CODE_COUNT; i++)
        calls += s->methods[method].outcomes[i];
    return calls;
}

static uint64_t failed_of(const struct kw_class_stats *s)
{
    uint64_t failed = 0;
    for (size_t i = 0; i < KW_METHODS; i++)
        failed += calls_of(s, (enum kw_method)i) - s->methods[i].outcomes[KW_CODE_OK];
    return failed;
}

static const char *on_loss_name(const struct kw_config_class *c)
{
    return c->on_loss == KW_ON_LOSS_SERVE_CACHED ? "serve-cached" : "fail-closed";
}

static json_t *class_part(const struct kw_daemon *d, size_t i,
                          const struct kw_front_status *front)
{
    const struct kw_config_class *c = &d->config->classes[i];
    struct kw_class_stats s;
    kw_kms_stats(d->kms, i, &s);
    json_t *part = json_pack(
        "{s:o, s:o, s:o, s:I, s:I, s:I, s:I, s:o, s:o, s:I, s:I, s:o, s:s, s:s, s:o, "
        "s:o}",
        "name", kw_status_text(c->name), "scope", kw_status_text(c->scope), "socket",
        kw_status_text(c->socket), "status_calls", number(calls_of(&s, KW_METHOD_STATUS)),
        "encrypt_calls", number(calls_of(&s, KW_METHOD_ENCRYPT)), "decrypt_calls",
        number(calls_of(&s, KW_METHOD_DECRYPT)), "failed_calls", number(failed_of(&s)),
        "calls", kw_status_calls(&s), "latency", kw_status_latencies(&s), "joined",
        number(s.joined), "refused_unknown_key", number(s.unknown_key), "versions",
        kw_status_class_versions(d, i, front), "on_hsm_loss", on_loss_name(c), "status",
        kw_code_name(s.status), "cache", cache_part(&s), "connections",
        connections_part(&d->class_listeners[i]));
    if (part != NULL && c->on_loss == KW_ON_LOSS_SERVE_CACHED &&
        json_object_set_new(part, "outage_budget_ms",
                            json_integer(s.budget_left_ns / KW_MS_NS)) != 0) {
        json_decref(part);
        part = NULL;
    }
    return part;
}

static json_t *classes_part(const struct kw_daemon *d,
                            const struct kw_front_status *front)
{
    json_t *list = json_array();
    for (size_t i = 0; i < d->config->class_count && list != NULL; i++)
        list = kw_status_append(list, class_part(d, i, front));
    return list;
}

static json_t *rpc_part(struct kw_rpc *rpc)
{
    struct kw_rpc_stats s;
    kw_rpc_stats(rpc, &s);
    return json_pack("{s:I, s:I, s:I, s:I, s:I, s:I, s:I}", "open", number(s.open),
                     "open_max", number(s.open_max), "calls", number(s.calls),
                     "refused_busy", number(s.refused_busy), "malformed",
                     number(s.malformed), "unimplemented", number(s.unimplemented),
                     "cancelled", number(s.cancelled));
}

static json_t *memory_part(void)
{
    struct kw_arena_info info;
    kw_arena_info(&info);
    const char *backend = info.backend == KW_ARENA_SECRET ? "memfd_secret" : "mlock";
    return json_pack("{s:s, s:I, s:I, s:I}", "backend", backend, "bytes",
                     number(info.bytes), "used", number(info.used), "used_max",
                     number(info.used_max));
}

/* null: of none since the start */
static json_t *up_to(bool is_known, uint64_t seq)
{
    return is_known ? json_integer(number(seq)) : json_null();
}

static json_t *audit_part(const struct kw_daemon *d)
{
    struct kw_audit_writer_stats s;
    const struct kw_checkpoints *c = &d->audit.checkpoints;
    if (d->audit.writer == NULL)
        return json_null();
    kw_audit_writer_stats(d->audit.writer, &s);
    return json_pack("{s:o, s:b, s:I, s:I, s:I, s:I, s:I, s:I, s:o, s:o, s:I}", "dir",
                     kw_status_text(d->config->audit_dir), "ill", (int)s.ill, "records",
                     number(s.records), "commits", number(s.commits), "unrecorded",
                     number(s.missed), "withheld", number(s.withheld), "refused",
                     number(s.refused), "waiting", number(s.waiting), "covered_to",
                     up_to(c->seen > 0, c->last.covered), "signed_to",
                     up_to(c->has_signed, c->signed_to), "copies_dropped",
                     number(kw_audit_copies_dropped(&d->audit.copies)));
}

static json_t *document_of(const struct kw_daemon *d)
{
    struct kw_front_status s;
    kw_front_status(d->front, &s);
    return json_pack(
        "{s:s, s:o, s:i, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:b, s:o, s:o, s:o, "
        "s:o, s:o, s:o, s:o}",
        "version", KW_VERSION, "started", kw_status_time(d->started_wall_ns), "pid",
        (int)getpid(), "domain", kw_status_text(d->config->domain), "configuration",
        configuration_part(d), "health", health_part(&s), "active", active_part(&s),
        "keyring", keyring_part(d, &s), "versions", kw_status_versions(d, &s), "tokens",
        tokens_part(&s), "pin_latched", (int)s.pin_latched, "quarantine",
        quarantine_part(&s), "workers", workers_part(&s), "jobs", jobs_part(&s),
        "classes", classes_part(d, &s), "rpc", rpc_part(d->rpc), "locked_memory",
        memory_part(), "audit", audit_part(d));
}

char *kw_status_document(const struct kw_daemon *d)
{
    json_t *document = document_of(d);
    size_t len = document == NULL ? 0 : json_dumpb(document, NULL, 0, JSON_COMPACT);
    char *text = len == 0 ? NULL : kw_new(len + 1, 1);
    if (text != NULL && json_dumpb(document, text, len, JSON_COMPACT) != len) {
        kw_free(text);
        text = NULL;
    }
    json_decref(document);
    return text;
}
