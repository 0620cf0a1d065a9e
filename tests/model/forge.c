/* SPDX-License-Identifier: Apache-2.0 */
/* forge - a keyring that no tool of ours made, put on a node that must see through it */
#include "moves.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define PUT(dst, src) snprintf(dst, sizeof dst, "%s", src)

/* Each spoils a ring that follows from the last one; false when it has nothing to
 * spoil. */
struct forgery {
    const char *name;
    bool (*spoil)(struct world *w, struct kw_keyring *ring);
};

static struct kw_version *some_version(struct world *w, struct kw_keyring *ring)
{
    return ring->count == 0 ? NULL : &ring->versions[pick(w, (uint32_t)ring->count)];
}

static bool is_shared(const struct kw_keyring *ring, const struct kw_version *v)
{
    bool shared = v->same_key_as != 0;
    for (size_t i = 0; i < ring->count; i++)
        shared = shared || ring->versions[i].same_key_as == v->n;
    return shared;
}

static bool drop_one(struct world *w, struct kw_keyring *ring)
{
    struct kw_version *v = some_version(w, ring);
    if (v == NULL || v->state == KW_KEY_DESTROYED || is_shared(ring, v))
        return false;
    if (ring->active == v->n)
        ring->active = 0;
    kw_keyring_remove(ring, v->n);
    return true;
}

static bool rename_one(struct world *w, struct kw_keyring *ring)
{
    struct kw_version *v = some_version(w, ring);
    if (v == NULL || is_shared(ring, v))
        return false;
    kw_key_id_make(v->n, v->key_id);
    PUT(v->objects[0].label, v->key_id);
    return true;
}

/* The highest number is given back, and its line with it. */
static bool lower_next_n(struct world *w, struct kw_keyring *ring)
{
    size_t kept = 0;
    (void)w;
    while (ring->count > 0 && ring->versions[ring->count - 1].state == KW_KEY_DESTROYED &&
           !is_shared(ring, &ring->versions[ring->count - 1]))
        kw_keyring_remove(ring, ring->versions[ring->count - 1].n);
    uint32_t top = ring->count > 0 ? ring->versions[ring->count - 1].n : 0;
    if (ring->next_n <= top + 1)
        return false;
    for (size_t i = 0; i < ring->history_count; i++)
        if (ring->history[i].n <= top)
            ring->history[kept++] = ring->history[i];
    ring->history_count = kept;
    ring->next_n = top + 1;
    return true;
}

static bool lower_baseline(struct world *w, struct kw_keyring *ring)
{
    struct kw_version *v = kw_keyring_edit(ring, ring->active);
    (void)w;
    if (v == NULL)
        return false;
    v->state = KW_KEY_ACCEPTED;
    ring->active = 0;
    return true;
}

/* What was accepted is only created again. */
static bool step_back(struct world *w, struct kw_keyring *ring)
{
    struct kw_version *v = some_version(w, ring);
    if (v == NULL || !kw_key_state_unwraps(v->state) || ring->active == v->n)
        return false;
    v->state = KW_KEY_CREATED;
    return true;
}

static bool other_domain(struct world *w, struct kw_keyring *ring)
{
    (void)w;
    PUT(ring->domain, "other");
    return true;
}

/* The same serial as the last one, with other bytes. */
static bool same_serial(struct world *w, struct kw_keyring *ring)
{
    (void)w;
    ring->serial--;
    ring->ancestor_count =
        ring->serial - 1 < KW_ANCESTORS_MAX ? ring->serial - 1 : KW_ANCESTORS_MAX;
    for (size_t i = 0; i + 1 < KW_ANCESTORS_MAX; i++)
        memcpy(ring->ancestors[i], ring->ancestors[i + 1], 32);
    if (ring->history_count > 0)
        PUT(ring->history[0].proof, "forged");
    return ring->serial > 0 && ring->history_count > 0;
}

/* One of the files before it is another. */
static bool other_ancestor(struct world *w, struct kw_keyring *ring)
{
    (void)w;
    memset(ring->ancestors[0], 0x77, 32);
    return true;
}

/* So high that nothing shows what it follows from, and that nothing can follow it. */
static bool last_serial(struct world *w, struct kw_keyring *ring)
{
    (void)w;
    ring->serial = KW_SERIAL_MAX;
    memset(ring->ancestors, 0x55, sizeof ring->ancestors);
    ring->ancestor_count = KW_ANCESTORS_MAX;
    return true;
}

static const struct forgery forgeries[] = {
    {"without a version", drop_one},
    {"with a version renamed", rename_one},
    {"with next-n lower", lower_next_n},
    {"with the baseline lower", lower_baseline},
    {"with a version stepped back", step_back},
    {"of another domain", other_domain},
    {"with the same serial", same_serial},
    {"from another file", other_ancestor},
    {"with the last serial there is", last_serial},
};

enum { FORGERIES = sizeof forgeries / sizeof forgeries[0] };

/* A ring that would follow the one this node has in service. */
static struct kw_keyring *successor(const struct node *node)
{
    struct kw_keyring *ring = NULL;
    KW_INVARIANT(!kw_failed(kw_keyring_dup(node->ring, &ring)));
    ring->serial++;
    if (ring->ancestor_count < KW_ANCESTORS_MAX)
        ring->ancestor_count++;
    for (size_t i = ring->ancestor_count - 1; i > 0; i--)
        memcpy(ring->ancestors[i], ring->ancestors[i - 1], 32);
    memcpy(ring->ancestors[0], node->ring->sha256, 32);
    return ring;
}

static bool put(struct world *w, size_t i, struct kw_keyring *ring,
                const struct forgery *forgery)
{
    struct kw_blob json = {0};
    bool good = forgery->spoil(w, ring) && !kw_failed(kw_keyring_write(ring, &json));
    if (good) {
        say(w, "n%zu: a forged ring, %s", i, forgery->name);
        raw_write(w->nodes[i].keyring, kw_blob_peek(&json));
        reach.forged++;
    }
    kw_blob_wipe(&json);
    return good;
}

bool forge(struct world *w, size_t i, const char *name)
{
    bool good = false;
    for (size_t k = 0; k < FORGERIES; k++)
        if (strcmp(forgeries[k].name, name) == 0) {
            struct kw_keyring *ring = successor(&w->nodes[i]);
            good = put(w, i, ring, &forgeries[k]);
            kw_keyring_give(ring);
        }
    return good;
}

static void lose_last(struct world *w, struct node *node)
{
    char path[192];
    snprintf(path, sizeof path, "%s/keyring.json", node->state);
    unlink(path);
    node->has_last = false;
    say(w, "   and no last good one");
}

void move_forge(struct world *w)
{
    size_t i = pick(w, (uint32_t)w->node_count);
    struct node *node = &w->nodes[i];
    if (!node->is_up || node->ring == NULL || !node->is_remembered ||
        node->file != node->seen || node->file == NOBODY)
        return;
    const struct forgery *forgery = NULL;
    uint32_t first = chance(w, 20) ? 2 : pick(w, FORGERIES); /* the rare one: next-n */
    const struct kw_keyring *before = node->ring;
    bool good = false;
    for (size_t k = 0; !good && k < FORGERIES; k++) {
        struct kw_keyring *ring = successor(node);
        forgery = &forgeries[(first + k) % FORGERIES];
        good = put(w, i, ring, forgery);
        kw_keyring_give(ring);
    }
    if (chance(w, 30))
        lose_last(w, node);
    node_reload(w, i);
    if (node->ring != before)
        broke(w, "n%zu takes a forged ring, %s", i, forgery->name);
    remedy_run(w, i);
}
