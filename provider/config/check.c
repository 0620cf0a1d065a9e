/* SPDX-License-Identifier: Apache-2.0 */
/* check - what no row can say alone */
#include "reader.h"

#include <string.h>

static struct kw_block class_block(struct kw_reader *r, size_t i)
{
    return kw_block_item(r->config, kw_setting_at("classes"), i);
}

static kw_err check_times(struct kw_reader *r)
{
    struct kw_block file = kw_block_file(r->config);
    const struct kw_setting *stale = kw_setting_at("hsm.probe.stale-after");
    const struct kw_setting *every = kw_setting_at("hsm.probe.every");
    if (r->config->stale_after_ns > r->config->probe_every_ns)
        return KW_OK;
    /* Told where somebody wrote something. */
    bool said = (r->config->written >> kw_setting_index(stale) & 1) != 0;
    return kw_reader_fault(r, &file, said ? stale : every,
                           "every health record would be too old; allowed: "
                           "hsm.probe.stale-after longer than hsm.probe.every");
}

/* The same one twice would be one token that fails twice. */
static kw_err check_tokens(struct kw_reader *r)
{
    const struct kw_config *c = r->config;
    for (size_t i = 1; i < c->token_count; i++)
        for (size_t k = 0; k < i; k++) {
            struct kw_block b = kw_block_item(r->config, kw_setting_at("hsm.tokens"), i);
            if (strcmp(c->tokens[i].uri, c->tokens[k].uri) == 0 &&
                strcmp(c->tokens[i].module, c->tokens[k].module) == 0 &&
                kw_vars_equal(c->tokens[i].env, c->tokens[i].env_count, c->tokens[k].env,
                              c->tokens[k].env_count))
                return kw_reader_fault(
                    r, &b, kw_setting_at("hsm.tokens[].uri"),
                    "is with this module and env that of hsm.tokens[%zu] too; allowed: a "
                    "token of its own",
                    k);
        }
    return KW_OK;
}

/* kube-apiserver gives up after 3 s, and a record waits behind the HSM's answer. */
static kw_err check_audit(struct kw_reader *r)
{
    struct kw_block file = kw_block_file(r->config);
    const struct kw_config *c = r->config;
    if (c->audit_dir == NULL ||
        c->deadline_ns + c->audit_deadline_ns + 250 * KW_MS_NS < 3 * KW_S_NS)
        return KW_OK;
    const struct kw_setting *audit = kw_setting_at("audit.deadline");
    const bool said = (c->written >> kw_setting_index(audit) & 1) != 0;
    return kw_reader_fault(
        r, &file, said ? audit : kw_setting_at("hsm.deadline"),
        "kube-apiserver would not wait so long; allowed: hsm.deadline and "
        "audit.deadline together below 2750ms");
}

/* ---- classes ----------------------------------------------------------------------- */

/* Names, scopes and sockets, each once; the status socket is a socket too. */
static kw_err check_unique(struct kw_reader *r, size_t i)
{
    struct kw_block b = class_block(r, i);
    const struct kw_config_class *c = &r->config->classes[i];
    for (size_t j = 0; j < i; j++) {
        const struct kw_config_class *other = &r->config->classes[j];
        const char *same = strcmp(c->name, other->name) == 0       ? "classes[].name"
                           : strcmp(c->scope, other->scope) == 0   ? "classes[].scope"
                           : strcmp(c->socket, other->socket) == 0 ? "classes[].socket"
                                                                   : NULL;
        if (same != NULL)
            return kw_reader_fault(r, &b, kw_setting_at(same),
                                   "is that of classes[%zu] too; allowed: one of its own",
                                   j);
    }
    if (strcmp(c->socket, r->config->status) == 0)
        return kw_reader_fault(r, &b, kw_setting_at("classes[].socket"),
                               "is the status socket too; allowed: one of its own");
    return KW_OK;
}

static kw_err check_scopes(struct kw_reader *r, size_t i)
{
    struct kw_block b = class_block(r, i);
    const struct kw_config_class *c = &r->config->classes[i];
    for (size_t k = 0; k < c->accept_count; k++)
        if (strcmp(c->accept_scopes[k], c->scope) == 0)
            return kw_reader_fault(r, &b, kw_setting_at("classes[].accept-scopes"),
                                   "holds the class's own scope; allowed: other scopes");
    return KW_OK;
}

/* As which the kernel shows everybody of another user namespace, of whatever name there. */
static bool has_overflow(const uint32_t *ids, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (ids[i] == KW_OVERFLOW_ID)
            return true;
    return false;
}

static kw_err check_peers(struct kw_reader *r, size_t i)
{
    struct kw_block b = class_block(r, i);
    const struct kw_config_class *c = &r->config->classes[i];
    const char *at = has_overflow(c->uids, c->uid_count)   ? "classes[].peers.uids"
                     : has_overflow(c->gids, c->gid_count) ? "classes[].peers.gids"
                                                           : NULL;
    if (at != NULL)
        return kw_reader_fault(r, &b, kw_setting_at(at),
                               "has 65534, as which everybody in another user namespace "
                               "(a container) is seen; allowed: an id that is one user's "
                               "or group's own");
    if (c->uid_count + c->gid_count > 0)
        return KW_OK;
    return kw_reader_fault(r, &b, kw_setting_at("classes[].peers.uids"),
                           "nobody could connect; allowed: at least one uid or gid");
}

static kw_err check_outage(struct kw_reader *r, size_t i)
{
    struct kw_block b = class_block(r, i);
    const struct kw_config_class *c = &r->config->classes[i];
    bool cached = c->on_loss == KW_ON_LOSS_SERVE_CACHED;
    if (cached && c->max_outage_ns == 0)
        return kw_reader_fault(r, &b, kw_setting_at("classes[].on-hsm-loss"),
                               "serve-cached needs max-outage beside it, such as "
                               "max-outage: 15m");
    if (!cached && c->max_outage_ns != 0)
        return kw_reader_fault(
            r, &b, kw_setting_at("classes[].max-outage"),
            "means nothing under fail-closed; allowed: with on-hsm-loss: "
            "serve-cached");
    return KW_OK;
}

static size_t cache_bytes(const struct kw_config_class *c)
{
    return c->cache_ttl_ns == 0 ? 0 : c->cache_entries * KW_SEED_MAX;
}

size_t kw_config_cached(const struct kw_config *config)
{
    size_t bytes = 0;
    for (size_t i = 0; i < config->class_count; i++)
        bytes += cache_bytes(&config->classes[i]);
    return bytes;
}

/* What is locked besides the caches. */
static size_t calls_bytes(const struct kw_config *config)
{
    size_t more = config->token_count > 1 ? config->token_count - 1 : 0;
    return KW_CALLS_LOCKED + more * KW_TOKEN_LOCKED;
}

size_t kw_config_locked(const struct kw_config *config)
{
    return calls_bytes(config) + kw_config_cached(config);
}

size_t kw_config_descriptors_kept(const struct kw_config *config)
{
    size_t kept = KW_FDS_KEPT;
    for (size_t i = 1; i < config->token_count; i++)
        kept += KW_FDS_OF_WORKER * config->tokens[i].workers;
    return kept;
}

static size_t besides_connections(const struct kw_config *config)
{
    return KW_FDS_STANDING + kw_config_descriptors_kept(config);
}

size_t kw_config_descriptors(const struct kw_config *config)
{
    return besides_connections(config) + 2 * KW_CONNECTIONS_MAX * config->class_count;
}

unsigned kw_config_connections(const struct kw_config *config, size_t descriptors)
{
    const size_t besides = besides_connections(config);
    if (descriptors <= besides)
        return 0;
    size_t each = (descriptors - besides) / (2 * config->class_count);
    return each < KW_CONNECTIONS_MAX ? (unsigned)each : KW_CONNECTIONS_MAX;
}

/* Told at the class whose cache is the first that no longer fits. */
static kw_err check_locked(struct kw_reader *r, size_t locked_max)
{
    size_t bytes = calls_bytes(r->config), i = 0;
    for (; i < r->config->class_count; i++) {
        bytes += cache_bytes(&r->config->classes[i]);
        if (bytes > locked_max)
            break;
    }
    if (i == r->config->class_count)
        return KW_OK;
    struct kw_block b = class_block(r, i);
    return kw_reader_fault(
        r, &b, kw_setting_at("classes[].cache.entries"),
        "all caches (%u bytes an entry) and %zu bytes for calls need %zu "
        "bytes of locked memory, but only %zu may be locked; allowed: "
        "fewer entries, or raise RLIMIT_MEMLOCK (LimitMEMLOCK= in the "
        "systemd unit)",
        KW_SEED_MAX, calls_bytes(r->config), kw_config_locked(r->config), locked_max);
}

kw_err kw_check_all(struct kw_reader *r, size_t locked_max)
{
    static kw_err (*const checks[])(struct kw_reader *, size_t) = {
        check_unique, check_scopes, check_peers, check_outage};
    kw_err e = check_times(r);
    if (!kw_failed(e))
        e = check_tokens(r);
    if (!kw_failed(e))
        e = check_audit(r);
    for (size_t i = 0; i < r->config->class_count; i++)
        for (size_t c = 0; c < sizeof checks / sizeof checks[0] && !kw_failed(e); c++)
            e = checks[c](r, i);
    return kw_failed(e) ? e : check_locked(r, locked_max);
}
