/* SPDX-License-Identifier: Apache-2.0 */
/* truth - what a node serves and remembers, against what it must */
#include "model.h"

#include <string.h>

#define BIT(k) (UINT64_C(1) << (k))

static unsigned long long serial_of(const struct world *w, int file)
{
    return file == NOBODY ? 0 : (unsigned long long)w->files[file].serial;
}

/* Did somebody say, in what the node serves now or served before, that it is to end? */
static bool is_spoken_off(const struct node *node, uint8_t state, size_t k)
{
    return state == KW_KEY_DISABLED || state == KW_KEY_DESTROYED ||
           state == TRUE_PRUNED ||
           (state >= TRUE_NONE && (node->destroyed & BIT(k)) != 0);
}

static bool follows(const struct world *w, const struct node *node, int file)
{
    return node->seen == NOBODY || descends(w, node->seen, file);
}

static int last_copy(const struct world *w, const struct node *node)
{
    struct kw_blob last = raw_state(node, "keyring.json");
    int file = last.ptr == NULL ? NOBODY : (int)w->file_count - 1;
    while (file >= 0 && !raw_same(&last, &w->files[file].bytes))
        file--;
    kw_blob_wipe(&last);
    return follows(w, node, file) ? file : NOBODY;
}

/* The file of the last good copy, when it is ahead of what the marks know. */
static int copied(const struct world *w, const struct node *node)
{
    return node->has_last ? last_copy(w, node) : NOBODY; /* else it was put there */
}

/* Its end went past the node: what it wrapped with is destroyed, and it never looked
 * while that could still be taken back. */
static bool went_past(const struct world *w, const struct node *node, size_t k)
{
    uint8_t is = w->files[node->file].state[k];
    int last = last_copy(w, node);
    uint8_t then = last == NOBODY ? TRUE_NONE : w->files[last].state[k];
    if ((node->wrapped & BIT(k)) == 0 || (is != KW_KEY_DESTROYED && is != TRUE_PRUNED) ||
        then == KW_KEY_DESTROYED || then == TRUE_PRUNED || then == KW_KEY_DISABLED)
        return false;
    bool looked = follows(w, node, node->file) && (node->disabled & BIT(k)) != 0;
    return !looked && (node->destroyed & BIT(k)) == 0;
}

static bool is_trusted(const struct world *w, const struct node *node, int last)
{
    return node->file == node->trusted ||
           (descends(w, node->trusted, node->file) && !descends(w, node->trusted, last));
}

static void judge_keys(struct world *w, size_t i)
{
    const struct node *node = &w->nodes[i];
    const struct file *f = &w->files[node->file];
    bool follow = follows(w, node, node->file);
    for (size_t k = 0; k < w->key_count; k++) {
        uint8_t is = f->state[k];
        if (went_past(w, node, k))
            broke(w,
                  "n%zu takes serial %llu: %s, which it wrapped with, was destroyed "
                  "behind its back",
                  i, (unsigned long long)f->serial, w->keys[k].id);
        if (truth_unwraps(is) || is_spoken_off(node, is, k))
            continue;
        if ((node->wrapped & BIT(k)) != 0)
            broke(w,
                  "n%zu takes serial %llu, and cannot unwrap what it wrapped with %s: %s",
                  i, (unsigned long long)f->serial, w->keys[k].id, truth_name(is));
        if (follow && (node->unwraps & BIT(k)) != 0)
            broke(w, "n%zu takes serial %llu, and cannot unwrap with %s any more: %s", i,
                  (unsigned long long)f->serial, w->keys[k].id, truth_name(is));
        if (is == TRUE_LOST)
            broke(w, "n%zu takes serial %llu, which lost %s", i,
                  (unsigned long long)f->serial, w->keys[k].id);
    }
}

static void judge_active(struct world *w, size_t i)
{
    const struct node *node = &w->nodes[i];
    const struct kw_version *v = kw_keyring_by_n(node->ring, node->active);
    if (node->active < node->highest)
        broke(w, "n%zu wraps with version %u, and did with %u", i, node->active,
              node->highest);
    if (node->active != 0 && (v == NULL || !kw_key_state_wraps(v->state)))
        broke(w, "n%zu wraps with version %u, which is %s", i, node->active,
              v == NULL ? "not there" : kw_key_state_name(v->state));
    if (node->active < node->ring->active)
        broke(w, "n%zu wraps with version %u, below the baseline", i, node->active);
}

void truth_in_service(struct world *w, size_t i)
{
    struct node *node = &w->nodes[i];
    if (node->file == NOBODY) {
        broke(w, "n%zu takes a ring that no tool made", i);
        return;
    }
    int last = copied(w, node);
    if (!follows(w, node, node->file) && !is_trusted(w, node, node->seen))
        broke(w,
              "n%zu takes serial %llu, which does not follow from %llu, and nobody said "
              "that he trusts it",
              i, serial_of(w, node->file), serial_of(w, node->seen));
    if (last != NOBODY && !descends(w, last, node->file) && !is_trusted(w, node, last))
        broke(w,
              "n%zu takes serial %llu, which does not follow from its own last good "
              "one, %llu",
              i, serial_of(w, node->file), serial_of(w, last));
    judge_keys(w, i);
    judge_active(w, i);
}

/* ---- what it remembers ---- */

static bool stays(const struct world *w, const struct node *node,
                  const struct kw_mark *old, const struct kw_marks *now, bool follow)
{
    const struct kw_mark *m = kw_marks_of(now, old->id.n);
    int key = key_find(w, old->id.key_id);
    if (m != NULL && strcmp(m->id.key_id, old->id.key_id) == 0)
        return true;
    return strcmp(old->state, "destroyed") == 0 || (!follow && !old->wrapped) ||
           (key != NOBODY && w->files[node->file].state[key] == TRUE_PRUNED);
}

static void judge_marks(struct world *w, size_t i, const struct kw_marks *now)
{
    const struct node *node = &w->nodes[i];
    const struct kw_marks *old = &node->marks;
    bool follow = follows(w, node, node->file);
    if (memcmp(now->sha256, node->ring->sha256, 32) != 0)
        broke(w, "n%zu: the marks are of another ring than the one in service", i);
    if (now->baseline.n < old->baseline.n || now->active.n < old->active.n ||
        (follow && (now->serial < old->serial || now->next_n < old->next_n)))
        broke(w, "n%zu: a mark is lower than it was", i);
    if (now->active.n < node->active)
        broke(w, "n%zu: the marks do not know that it wraps with %u", i, node->active);
    for (size_t k = 0; k < old->count; k++)
        if (!stays(w, node, &old->versions[k], now, follow))
            broke(w, "n%zu: the marks forgot %s", i, old->versions[k].id.key_id);
}

/* Accepted, or disabled, since this look, or since before and without a word in
 * between. */
static void judge_since(struct world *w, size_t i, const struct kw_marks *now)
{
    struct node *node = &w->nodes[i];
    const struct file *f = &w->files[node->file];
    bool follow = node->seen != NOBODY && follows(w, node, node->file) &&
                  f->serial - w->files[node->seen].serial <= KW_ANCESTORS_MAX;
    for (size_t k = 0; k < w->key_count; k++) {
        const struct kw_mark *m = kw_marks_of(now, w->keys[k].n);
        if (m == NULL || strcmp(m->id.key_id, w->keys[k].id) != 0)
            continue;
        bool on = truth_unwraps(f->state[k]), off = f->state[k] == KW_KEY_DISABLED;
        bool was = ((on ? node->unwraps : node->disabled) & BIT(k)) != 0;
        bool before = follow && was && descends(w, f->since[k], node->seen);
        int64_t want = !on && !off ? 0 : before ? node->since[k] : w->now_ns;
        if (node->is_unsure && (on || off))
            want = m->since.wall_ns;
        if (m->accepted != on || m->since.wall_ns != want || m->since.boot_ns != want)
            broke(w, "n%zu: %s is %s since %lld, and must be since %lld", i,
                  w->keys[k].id, m->state, (long long)m->since.wall_ns, (long long)want);
        node->since[k] = want;
    }
}

static void learn(struct world *w, struct node *node, const struct kw_marks *now)
{
    const struct file *f = &w->files[node->file];
    node->unwraps = node->disabled = 0;
    for (size_t k = 0; k < w->key_count; k++) {
        if (truth_unwraps(f->state[k]))
            node->unwraps |= BIT(k);
        if (f->state[k] == KW_KEY_DISABLED)
            node->disabled |= BIT(k);
        if (f->state[k] == KW_KEY_DESTROYED || f->state[k] == TRUE_PRUNED)
            node->destroyed |= BIT(k);
        else if (f->state[k] < TRUE_NONE)
            node->destroyed &= ~BIT(k);
        if (node->active == w->keys[k].n && f->state[k] < TRUE_NONE)
            node->wrapped |= BIT(k);
    }
    if (node->active > node->highest)
        node->highest = node->active;
    node->trusted = NOBODY;
    node->seen = node->file;
    node->has_last = true;
    node->is_unsure = false;
    node->marks = *now;
}

static kw_err read_marks(const struct node *node, struct kw_marks *ret,
                         struct kw_note *note)
{
    struct kw_state_dir *dir = NULL;
    seam_hold();
    kw_err e = kw_state_open(node->state, &dir, note);
    if (!kw_failed(e))
        e = kw_state_marks(dir, ret, note);
    kw_state_close(dir);
    seam_release();
    return e;
}

void truth_remembered(struct world *w, size_t i)
{
    struct node *node = &w->nodes[i];
    struct kw_marks now = {0};
    struct kw_note note = {{0}};
    if (node->file == NOBODY)
        return;
    kw_err e = read_marks(node, &now, &note);
    if (kw_failed(e)) {
        broke(w, "n%zu: the marks that were written cannot be read: %s", i, note.text);
        return;
    }
    judge_marks(w, i, &now);
    judge_since(w, i, &now);
    learn(w, node, &now);
}

void truth_rebuilt(struct world *w, size_t i, int file)
{
    struct node *node = &w->nodes[i];
    struct kw_note note = {{0}};
    bool has_last = node->has_last;
    node_forget(w, i);
    node->has_last = has_last;
    node->seen = file;
    if (file == NOBODY || kw_failed(read_marks(node, &node->marks, &note)))
        broke(w, "n%zu: the marks that were made anew are none: %s", i, note.text);
    else
        for (size_t k = 0; k < w->key_count; k++) {
            uint8_t is = w->files[file].state[k];
            if (truth_unwraps(is))
                node->unwraps |= BIT(k);
            if (is == KW_KEY_DISABLED)
                node->disabled |= BIT(k);
            if (truth_unwraps(is) || is == KW_KEY_DISABLED)
                node->since[k] = w->now_ns;
        }
}

/* ---- what it says ---- */

static bool is_in_use(const struct kw_version *v)
{
    return v != NULL && kw_key_state_unwraps(v->state);
}

void truth_advice(struct world *w, const char *text, int act, const struct kw_version *v)
{
    static const char *const never[] = {"delete", "remove", "pkcs11-tool", "rm -",
                                        "unlink"};
    for (size_t i = 0; i < sizeof never / sizeof never[0]; i++)
        if (strstr(text, never[i]) != NULL)
            broke(w, "advice to %s: %s", never[i], text);
    if (strstr(text, "key destroy") != NULL && act != KW_ACT_DESTROY &&
        (act == NOBODY || is_in_use(v)))
        broke(w, "advice to destroy what is in use: %s", text);
}
