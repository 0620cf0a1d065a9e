/* SPDX-License-Identifier: Apache-2.0 */
/* lineage - the truth: every key and every file that was made, and what each must hold */
#include "model.h"

#include <stdio.h>
#include <string.h>

#include <keyward/alloc.h>

#define PUT(dst, src) snprintf(dst, sizeof dst, "%s", src)

/* ---- keys ---- */

int key_make(struct world *w, uint32_t n, int same_as)
{
    if (w->key_count == KEYS_MAX)
        return NOBODY;
    int index = (int)w->key_count++;
    struct key *k = &w->keys[index];
    k->n = n;
    k->same_as = same_as;
    k->object = same_as == NOBODY ? index : w->keys[same_as].object;
    k->is_orphan = true;
    kw_key_id_make(n, k->id);
    if (key_find(w, k->id) != index)
        broke(w, "%s was made twice", k->id);
    return index;
}

int key_find(const struct world *w, const char *key_id)
{
    for (size_t i = 0; i < w->key_count; i++)
        if (strcmp(w->keys[i].id, key_id) == 0)
            return (int)i;
    return NOBODY;
}

/* An envelope of the right shape, whose IV tells whose object sealed it. */
static void make_check_blob(const struct world *w, int key, struct kw_version *v)
{
    static const uint8_t zeros[KW_SEALED_MAX];
    uint8_t iv[12] = {(uint8_t)w->keys[key].object, (uint8_t)key, 1};
    kw_dst dst = kw_dst_of(v->check_blob, sizeof v->check_blob);
    const struct kw_envelope env = {
        .format = KW_FORMAT_1,
        .purpose = KW_PURPOSE_CHECK,
        .mechanism = KW_MECH_AES_256_GCM,
        .scope = kw_span_str(KW_CHECK_SCOPE),
        .seed_len = 32,
        .iv = kw_span_of(iv, sizeof iv),
        .sealed = kw_span_of(zeros, 64),
    };
    KW_MUST(!kw_failed(kw_envelope_write(&env, &dst)));
    v->check_blob_len = dst.len;
}

void version_make(const struct world *w, int key, struct kw_version *ret)
{
    const struct key *k = &w->keys[key], *of = &w->keys[k->object];
    struct kw_version v = {.n = k->n,
                           .mechanism = KW_MECH_AES_256_GCM,
                           .format = KW_FORMAT_1,
                           .state = KW_KEY_CREATED,
                           .object_count = 1};
    struct kw_object *o = &v.objects[0];
    PUT(v.key_id, k->id);
    PUT(o->type, KW_TYPE_AES_256);
    PUT(o->label, of->id);
    o->role = KW_ROLE_KEK;
    o->locator_len = KW_NEW_LOCATOR;
    kw_locator_make(MODEL_DOMAIN, of->id, o->locator);
    o->token_count = 1;
    PUT(o->tokens[0].label, "shared");
    PUT(o->tokens[0].serial, "0123456789abcdef");
    world_time(w, v.created);
    PUT(v.tool, "keyward 0.1.0");
    PUT(v.operator_, "model");
    if (k->same_as != NOBODY)
        v.same_key_as = w->keys[k->same_as].n;
    make_check_blob(w, key, &v);
    *ret = v;
}

bool version_is_proven(const struct world *w, const struct kw_version *v)
{
    struct kw_check_job job;
    if (kw_failed(kw_check_blob_job(v, MODEL_DOMAIN, &job)))
        return false;
    int object = key_find(w, kw_version_kek(v)->label);
    return object != NOBODY && w->keys[object].object == object &&
           job.env.iv.ptr[0] == (uint8_t)object;
}

/* ---- files ---- */

int file_find(const struct world *w, const uint8_t sha256[32])
{
    for (size_t i = w->file_count; i > 0; i--)
        if (memcmp(w->files[i - 1].sha256, sha256, 32) == 0)
            return (int)i - 1;
    return NOBODY;
}

bool descends(const struct world *w, int from, int file)
{
    while (file != NOBODY && file > from)
        file = w->files[file].parent;
    return file == from && from != NOBODY;
}

const char *truth_name(uint8_t state)
{
    static const char *const more[] = {"not there", "pruned", "lost"};
    return state < TRUE_NONE ? kw_key_state_name((enum kw_key_state)state)
                             : more[state - TRUE_NONE];
}

bool truth_unwraps(uint8_t state)
{
    return state == KW_KEY_ACCEPTED || state == KW_KEY_ACTIVE || state == KW_KEY_RETIRED;
}

/* What each act does, said once more in other words than hsm/keyring has. */
static uint8_t state_after(const struct file *f, enum kw_act act, int key)
{
    switch (act) {
    case KW_ACT_CREATE: return KW_KEY_CREATED;
    case KW_ACT_ACCEPT: return KW_KEY_ACCEPTED;
    case KW_ACT_ACTIVATE: return KW_KEY_ACTIVE;
    case KW_ACT_RETIRE: return KW_KEY_RETIRED;
    case KW_ACT_DISABLE: return KW_KEY_DISABLED;
    case KW_ACT_ENABLE: return f->from[key];
    case KW_ACT_DESTROY: return KW_KEY_DESTROYED;
    case KW_ACT_PRUNE: return TRUE_PRUNED;
    case KW_ACT_ADOPT:
    case KW_ACT_PROVE:
    case KW_ACT_GONE:
    case KW_ACT_COUNT: break;
    }
    return f->state[key];
}

static void apply(const struct world *w, struct file *f, int index, enum kw_act act,
                  int key)
{
    uint8_t was = f->state[key], now = state_after(f, act, key);
    if (act == KW_ACT_DISABLE)
        f->from[key] = was;
    if (act == KW_ACT_ACTIVATE && f->active != key) {
        if (f->active != NOBODY)
            f->state[f->active] = KW_KEY_RETIRED;
        f->active = key;
    }
    f->state[key] = now;
    if (truth_unwraps(now) ? !truth_unwraps(was) : now == KW_KEY_DISABLED && was != now)
        f->since[key] = (int16_t)index;
    if (f->next_n <= w->keys[key].n)
        f->next_n = w->keys[key].n + 1;
}

/* The state it had in the last file that was not made anew without it. */
static uint8_t last_known(const struct world *w, int file, int key, uint8_t *ret_from)
{
    while (file != NOBODY && w->files[file].state[key] == TRUE_LOST)
        file = w->files[file].parent;
    if (file == NOBODY || w->files[file].state[key] == TRUE_NONE)
        return KW_KEY_CREATED;
    *ret_from = w->files[file].from[key];
    return w->files[file].state[key];
}

/* Whoever adopts knows that it is disabled, and not from what: any state that unwraps. */
static void goes_back(struct file *f, int key, const struct kw_version *v)
{
    enum kw_key_state from;
    if (v != NULL && v->state == KW_KEY_DISABLED &&
        kw_key_state_from_name(v->disabled_from, &from) && truth_unwraps((uint8_t)from))
        f->from[key] = (uint8_t)from;
}

static void adopt(const struct world *w, struct file *f, int index, int key)
{
    f->state[key] = last_known(w, f->parent, key, &f->from[key]);
    f->since[key] = (int16_t)index;
    if (f->state[key] == KW_KEY_ACTIVE)
        f->active = key;
    if (f->next_n <= w->keys[key].n)
        f->next_n = w->keys[key].n + 1;
}

/* Made from backup and memory: what is there is as it was; the rest is lost, or gone. */
static void make_anew(const struct world *w, struct file *f, int index,
                      const struct kw_keyring *ring)
{
    for (size_t k = 0; k < w->key_count; k++) {
        const struct kw_version *v =
            kw_keyring_by_key_id(ring, kw_span_str(w->keys[k].id));
        uint8_t was = f->state[k];
        if (v != NULL && (was == TRUE_NONE || was == TRUE_LOST))
            adopt(w, f, index, (int)k);
        else if (v != NULL)
            f->since[k] = (int16_t)index;
        else if (was == KW_KEY_DESTROYED)
            f->state[k] = TRUE_PRUNED;
        else if (was < TRUE_NONE)
            f->state[k] = TRUE_LOST;
        goes_back(f, (int)k, v);
    }
    if (f->active != NOBODY && f->state[f->active] == TRUE_LOST)
        f->active = NOBODY;
}

/* ---- is the file what it must be? ---- */

static void judge_versions(struct world *w, const struct file *f,
                           const struct kw_keyring *ring)
{
    size_t there = 0;
    for (size_t k = 0; k < w->key_count; k++) {
        const struct key *key = &w->keys[k];
        const struct kw_version *v = kw_keyring_by_key_id(ring, kw_span_str(key->id));
        uint8_t is = v != NULL ? (uint8_t)v->state : f->state[k];
        there += v != NULL;
        if ((v != NULL) != (f->state[k] < TRUE_NONE) || is != f->state[k])
            broke(w, "serial %llu: %s is %s, and must be %s",
                  (unsigned long long)f->serial, key->id,
                  v != NULL ? truth_name(is) : "not there", truth_name(f->state[k]));
        if (v != NULL && v->state == KW_KEY_DISABLED &&
            strcmp(v->disabled_from, truth_name(f->from[k])) != 0)
            broke(w, "serial %llu: %s is disabled from %s, and was %s",
                  (unsigned long long)f->serial, key->id, v->disabled_from,
                  truth_name(f->from[k]));
    }
    if (there != ring->count)
        broke(w, "serial %llu has a version that nobody made",
              (unsigned long long)f->serial);
}

/* A number that was given to one key is never given to another. */
static void judge_number(struct world *w, const struct file *f, int key)
{
    for (size_t k = 0; k < w->key_count; k++)
        if ((int)k != key && w->keys[k].n == w->keys[key].n && f->state[k] != TRUE_NONE)
            broke(w, "serial %llu gives number %u to %s; it was %s's (%s)",
                  (unsigned long long)f->serial, w->keys[key].n, w->keys[key].id,
                  w->keys[k].id, truth_name(f->state[k]));
}

static void judge_chain(struct world *w, const struct file *f,
                        const struct kw_keyring *ring)
{
    int at = f->parent;
    size_t count = 0;
    for (; at != NOBODY && count < KW_ANCESTORS_MAX; at = w->files[at].parent, count++)
        if (count >= ring->ancestor_count ||
            memcmp(ring->ancestors[count], w->files[at].sha256, 32) != 0) {
            broke(w, "serial %llu: ancestor %zu is not the file it was made from",
                  (unsigned long long)f->serial, count + 1);
            return;
        }
    uint64_t serial = f->parent == NOBODY ? 1 : w->files[f->parent].serial + 1;
    if (count != ring->ancestor_count || ring->serial != serial)
        broke(w, "serial %llu with %zu ancestors must be %llu with %zu",
              (unsigned long long)ring->serial, ring->ancestor_count,
              (unsigned long long)serial, count);
}

static void judge_content(struct world *w, const struct file *f,
                          const struct kw_keyring *ring, enum kw_act act, int key)
{
    judge_chain(w, f, ring);
    judge_versions(w, f, ring);
    judge_number(w, f, key);
    uint32_t active = f->active == NOBODY ? 0 : w->keys[f->active].n;
    if (ring->active != active)
        broke(w, "serial %llu: the baseline is %u, and must be %u",
              (unsigned long long)f->serial, ring->active, active);
    if (ring->next_n != f->next_n)
        broke(w, "serial %llu: next-n is %u, and must be %u",
              (unsigned long long)f->serial, ring->next_n, f->next_n);
    for (size_t i = 0; i < ring->history_count; i++)
        if (ring->history[i].serial == ring->serial &&
            ring->history[i].n == w->keys[key].n &&
            strcmp(ring->history[i].act, kw_act_name(act)) == 0)
            return;
    broke(w, "serial %llu has no line of history for %s %u",
          (unsigned long long)f->serial, kw_act_name(act), w->keys[key].n);
}

static struct kw_blob copy_of(const struct kw_blob *b)
{
    struct kw_blob copy = {kw_new(b->len + 1, 1), b->len};
    KW_INVARIANT(copy.ptr != NULL);
    memcpy(copy.ptr, b->ptr, b->len);
    return copy;
}

/* A version of --same-key-as cannot be adopted without a file that has it: nothing in the
 * token carries its name.  Our operator keeps every file that has one. */
static bool holds_shared_key(const struct world *w, const struct file *f)
{
    for (size_t k = 0; k < w->key_count; k++)
        if (w->keys[k].same_as != NOBODY && f->state[k] < TRUE_NONE)
            return true;
    return false;
}

static void begin(const struct world *w, struct file *f, int parent)
{
    memset(f, 0, sizeof *f);
    f->active = NOBODY;
    f->next_n = 1;
    memset(f->state, TRUE_NONE, sizeof f->state);
    memset(f->since, 0xff, sizeof f->since);
    if (parent != NOBODY)
        *f = w->files[parent];
    f->parent = parent;
    f->bytes = (struct kw_blob){0};
    f->ring = NULL;
}

int file_add(struct world *w, const struct kw_blob *bytes, int parent, enum kw_act act,
             int key, bool anew)
{
    struct kw_keyring *ring = NULL;
    struct kw_note note = {{0}};
    KW_INVARIANT(w->file_count < FILES_MAX);
    if (kw_failed(kw_keyring_parse(kw_blob_peek(bytes), &ring, &note))) {
        broke(w, "the file that %s made is not whole: %s", kw_act_name(act), note.text);
        return NOBODY;
    }
    int index = (int)w->file_count++;
    struct file *f = &w->files[index];
    begin(w, f, parent);
    memcpy(f->sha256, ring->sha256, 32);
    f->serial = ring->serial;
    f->bytes = copy_of(bytes);
    if (anew)
        make_anew(w, f, index, ring);
    else if (act == KW_ACT_ADOPT) {
        adopt(w, f, index, key);
        goes_back(f, key, kw_keyring_by_key_id(ring, kw_span_str(w->keys[key].id)));
    } else
        apply(w, f, index, act, key);
    w->keys[key].is_orphan = false;
    f->is_kept = (chance(w, 50) || holds_shared_key(w, f)) && !is_incomplete(w, index);
    judge_content(w, f, ring, act, key);
    f->ring = ring;
    return index;
}

bool is_incomplete(const struct world *w, int file)
{
    for (size_t k = 0; file != NOBODY && k < w->key_count; k++)
        if (w->files[file].state[k] == TRUE_LOST)
            return true;
    return false;
}

/* ---- files that were read before ---- */

kw_err __real_kw_keyring_parse(kw_span json, struct kw_keyring **ret_ring,
                               struct kw_note *note);
kw_err __wrap_kw_keyring_parse(kw_span json, struct kw_keyring **ret_ring,
                               struct kw_note *note);

static struct world *current;

void lineage_begin(struct world *w)
{
    current = w;
}

/* Parsing is pure, and most of what a history would cost: each file is parsed once. */
kw_err __wrap_kw_keyring_parse(kw_span json, struct kw_keyring **ret_ring,
                               struct kw_note *note)
{
    for (size_t i = current->file_count; i > 0; i--) {
        const struct file *f = &current->files[i - 1];
        if (kw_span_equal(kw_blob_peek(&f->bytes), json)) {
            *ret_ring = kw_keyring_take(f->ring);
            return KW_OK;
        }
    }
    return __real_kw_keyring_parse(json, ret_ring, note);
}
