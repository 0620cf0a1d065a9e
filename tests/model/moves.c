/* SPDX-License-Identifier: Apache-2.0 */
/* moves - what operators do on a good day, and on one when they forget what they read */
#include "moves.h"

#include <string.h>

static size_t some_node(struct world *w)
{
    return pick(w, (uint32_t)w->node_count);
}

static size_t another_node(struct world *w, size_t but)
{
    return (but + 1 + pick(w, (uint32_t)w->node_count - 1)) % w->node_count;
}

/* A version of the file, mostly one of the later ones; NOBODY when it has none. */
static int some_key(struct world *w, const struct file *f)
{
    int found[KEYS_MAX];
    uint32_t count = 0;
    for (size_t k = 0; k < w->key_count; k++)
        if (f->state[k] < TRUE_NONE)
            found[count++] = (int)k;
    if (count == 0)
        return NOBODY;
    uint32_t a = pick(w, count), b = pick(w, count);
    return found[a > b ? a : b];
}

static enum kw_act fitting_act(struct world *w, uint8_t state)
{
    if (state == KW_KEY_CREATED)
        return chance(w, 75)   ? KW_ACT_ACCEPT
               : chance(w, 50) ? KW_ACT_DISABLE
                               : KW_ACT_DESTROY;
    if (state == KW_KEY_ACCEPTED)
        return chance(w, 60)   ? KW_ACT_ACTIVATE
               : chance(w, 60) ? KW_ACT_DISABLE
                               : KW_ACT_RETIRE;
    if (state == KW_KEY_RETIRED)
        return chance(w, 80) ? KW_ACT_DISABLE : KW_ACT_PROVE;
    if (state == KW_KEY_DISABLED)
        return chance(w, 55) ? KW_ACT_ENABLE : KW_ACT_DESTROY;
    if (state == KW_KEY_DESTROYED)
        return chance(w, 70) ? KW_ACT_PRUNE : KW_ACT_GONE;
    return KW_ACT_PROVE;
}

static enum kw_act any_act(struct world *w)
{
    return (enum kw_act)(KW_ACT_ACCEPT + pick(w, KW_ACT_COUNT - KW_ACT_ACCEPT));
}

static enum outcome create(struct world *w, size_t i, const struct file *f)
{
    int of = f != NULL && chance(w, 20) ? some_key(w, f) : NOBODY;
    return tool_create(w, i, of != NOBODY ? w->keys[of].n : 0);
}

static size_t versions_of(const struct world *w, const struct file *f)
{
    size_t count = 0;
    for (size_t k = 0; k < w->key_count; k++)
        count += f->state[k] < TRUE_NONE;
    return count;
}

enum outcome some_act(struct world *w, size_t i, bool with_create)
{
    int lies = node_lies(w, i);
    const struct file *f = lies == NOBODY ? NULL : &w->files[lies];
    int key = f == NULL ? NOBODY : some_key(w, f);
    if (key == NOBODY)
        return with_create ? create(w, i, f) : REFUSED;
    if (with_create && versions_of(w, f) < 7 && chance(w, 25))
        return create(w, i, f);
    uint32_t n = w->keys[key].n;
    enum kw_act act = chance(w, 85) ? fitting_act(w, f->state[key]) : any_act(w);
    if (act == KW_ACT_ACTIVATE)
        return tool_activate(w, i, n, chance(w, 50), chance(w, 60));
    return tool_change(w, i, act, n);
}

/* On a node that was never handed a ring nobody makes one: `init --join` forbids it. */
static bool is_fresh(const struct world *w, size_t i)
{
    return w->file_count > 0 && w->nodes[i].seen == NOBODY && node_lies(w, i) == NOBODY;
}

void move_act(struct world *w)
{
    if (!is_fresh(w, w->place))
        some_act(w, w->place, true);
    if (chance(w, 25)) {
        node_reload(w, w->place);
        node_settle(w, w->place);
    }
}

void move_act_elsewhere(struct world *w)
{
    size_t i = another_node(w, w->place);
    if (!is_fresh(w, i))
        some_act(w, i, true);
}

/* Each node activates by itself, what its keyring lets it. */
void move_activate_here(struct world *w)
{
    size_t i = some_node(w);
    int lies = node_lies(w, i);
    for (size_t k = w->key_count; k > 0 && lies != NOBODY; k--) {
        uint8_t state = w->files[lies].state[k - 1];
        if (state != KW_KEY_ACCEPTED && !(state == KW_KEY_ACTIVE && chance(w, 20)))
            continue;
        tool_activate(w, i, w->keys[k - 1].n, false, chance(w, 60));
        if (chance(w, 60)) {
            node_reload(w, i);
            node_settle(w, i);
        }
        return;
    }
}

/* The file arrives; mostly the daemon is told. */
static void deliver(struct world *w, size_t from, int file, size_t to)
{
    if (file == NOBODY || is_incomplete(w, file))
        return;
    say(w, "n%zu -> n%zu: serial %llu", from, to,
        (unsigned long long)w->files[file].serial);
    raw_write(w->nodes[to].keyring, kw_blob_peek(&w->files[file].bytes));
    if (chance(w, 75)) {
        node_reload(w, to);
        if (chance(w, 90))
            node_settle(w, to);
    }
}

static void next_kek(struct world *w, size_t i)
{
    int lies = node_lies(w, i);
    if (lies == NOBODY || tool_create(w, i, 0) != DONE)
        return;
    uint32_t n = w->files[lies].next_n;
    tool_change(w, i, KW_ACT_ACCEPT, n);
    tool_activate(w, i, n, true, true);
    node_reload(w, i);
    node_settle(w, i);
}

void move_used_fork(struct world *w)
{
    size_t a = w->place, b = another_node(w, a);
    deliver(w, a, node_lies(w, a), b);
    next_kek(w, a);
    next_kek(w, b);
    deliver(w, a, node_lies(w, a), b);
}

void move_hand_out(struct world *w)
{
    size_t from = chance(w, 92) ? w->place : some_node(w);
    deliver(w, from, node_lies(w, from), another_node(w, from));
}

void move_hand_out_old(struct world *w)
{
    int file = node_lies(w, w->place);
    for (uint32_t back = 1 + pick(w, 5); back > 0 && file != NOBODY; back--)
        file = w->files[file].parent;
    deliver(w, w->place, file, another_node(w, w->place));
}

void move_reload(struct world *w)
{
    size_t i = some_node(w);
    if (!w->nodes[i].is_up)
        node_start(w, i);
    else
        node_reload(w, i);
    if (chance(w, 90))
        node_settle(w, i);
}

void move_restart(struct world *w)
{
    size_t i = some_node(w);
    node_start(w, i);
    if (chance(w, 90))
        node_settle(w, i);
}

/* In a place that never wrapped with it. */
static enum outcome end_it(struct world *w, size_t i, uint32_t n)
{
    enum outcome o = tool_change(w, i, KW_ACT_DESTROY, n);
    return o == DONE && chance(w, 40) ? tool_change(w, i, KW_ACT_PRUNE, n) : o;
}

/* The one place destroys what is only created there; elsewhere it was accepted. */
void move_destroy_behind(struct world *w)
{
    size_t i = another_node(w, w->place);
    if (is_fresh(w, w->place) || tool_create(w, w->place, 0) != DONE)
        return;
    uint32_t n = w->keys[w->key_count - 1].n;
    deliver(w, w->place, node_lies(w, w->place), i);
    if (tool_change(w, i, KW_ACT_ACCEPT, n) != DONE ||
        tool_activate(w, i, n, false, true) != DONE)
        return;
    node_reload(w, i);
    node_settle(w, i);
    if (end_it(w, w->place, n) != DONE)
        return;
    deliver(w, w->place, node_lies(w, w->place), i);
    char hex[65];
    kw_hex(hex, sizeof hex, kw_span_of(w->files[node_lies(w, i)].sha256, 32));
    tool_trust(w, i, hex);
    node_reload(w, i);
    node_settle(w, i);
}

/* What one node activated by itself is taken away where the changes are made. */
void move_take_away(struct world *w)
{
    size_t i = another_node(w, w->place);
    if (is_fresh(w, w->place) || tool_create(w, w->place, 0) != DONE)
        return;
    uint32_t n = w->keys[w->key_count - 1].n;
    if (tool_change(w, w->place, KW_ACT_ACCEPT, n) != DONE)
        return;
    deliver(w, w->place, node_lies(w, w->place), i);
    if (tool_activate(w, i, n, false, true) != DONE)
        return;
    node_reload(w, i);
    node_settle(w, i);
    enum kw_act act = chance(w, 50) ? KW_ACT_RETIRE : KW_ACT_DISABLE;
    if (tool_change(w, w->place, act, n) != DONE)
        return;
    if (act == KW_ACT_DISABLE && chance(w, 50) && end_it(w, w->place, n) != DONE)
        return;
    for (uint32_t more = pick(w, 4); more > 0; more--)
        some_act(w, w->place, false);
    deliver(w, w->place, node_lies(w, w->place), i);
}

/* A ceremony that stopped before the keyring was written. */
void move_adopt_orphan(struct world *w)
{
    for (size_t k = 0; k < w->key_count; k++)
        if (w->keys[k].is_orphan && w->keys[k].object == (int)k && chance(w, 50)) {
            tool_adopt(w, w->place, w->keys[k].id, NOBODY, true);
            return;
        }
}

void move_far(struct world *w)
{
    int lies = node_lies(w, w->place);
    int key = lies == NOBODY ? NOBODY : w->files[lies].active;
    if (key == NOBODY || w->file_count > 120)
        return;
    uint32_t count = KW_ANCESTORS_MAX - 3 + pick(w, 8);
    while (count-- > 0 && w->broken[0] == '\0')
        if (tool_change(w, w->place, KW_ACT_PROVE, w->keys[key].n) != DONE)
            return;
    reach.far++;
    deliver(w, w->place, node_lies(w, w->place), another_node(w, w->place));
}

/* Somebody trusts a file, and mostly thinks better of it. */
void move_trust(struct world *w)
{
    size_t i = some_node(w);
    char hex[65];
    if (w->file_count > 0 && chance(w, 50))
        deliver(w, i, (int)pick(w, (uint32_t)w->file_count), i);
    int lies = node_lies(w, i);
    if (lies == NOBODY)
        return;
    kw_hex(hex, sizeof hex, kw_span_of(w->files[lies].sha256, 32));
    tool_trust(w, i, hex);
    if (chance(w, 70))
        deliver(w, i,
                chance(w, 50) ? node_lies(w, w->place)
                              : (int)pick(w, (uint32_t)w->file_count),
                i);
}

void move_remedy(struct world *w)
{
    remedy_run(w, some_node(w));
}

void move_change_place(struct world *w)
{
    w->place = some_node(w);
    say(w, "changes are made on n%zu from now on", w->place);
}
