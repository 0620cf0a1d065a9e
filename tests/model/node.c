/* SPDX-License-Identifier: Apache-2.0 */
/* node - what keywardd does with the keyring file and its state directory, step by step
 * as provider/daemon/reload.c does it; every proof of a key succeeds */
#include "model.h"

#include <stdio.h>
#include <string.h>

struct reading {
    struct kw_keyring *ring;
    struct kw_blob bytes;
    uint32_t active;
};

static void reading_wipe(struct reading *r)
{
    kw_keyring_give(r->ring);
    kw_blob_wipe(&r->bytes);
    *r = (struct reading){0};
}

static kw_err read_memory(const struct node *node, struct kw_marks *marks,
                          struct kw_activation *act, struct kw_keyring **ret_last,
                          struct kw_note *note)
{
    struct kw_state_dir *dir = NULL;
    struct kw_note ignored;
    kw_err e = kw_state_open(node->state, &dir, note);
    if (!kw_failed(e))
        e = kw_state_marks(dir, marks, note);
    if (!kw_failed(e))
        e = kw_state_activation(dir, act, note);
    if (!kw_failed(e) && kw_failed(kw_state_last_keyring(dir, ret_last, NULL, &ignored)))
        *ret_last = NULL;
    kw_state_close(dir);
    return e;
}

kw_err node_judge(struct world *w, size_t i, const struct kw_keyring *ring,
                  const char *damage, struct kw_judgement *ret)
{
    const struct node *node = &w->nodes[i];
    struct kw_marks marks = {0};
    struct kw_activation act = {0};
    struct kw_keyring *last = NULL;
    struct kw_note note = {{0}};
    kw_err e = read_memory(node, &marks, &act, &last, &note);
    if (kw_failed(e) && !seam_is_armed())
        broke(w, "n%zu: its state directory cannot be read: %s", i, note.text);
    if (kw_failed(e))
        return e;
    const struct kw_memory memory = {&marks, &act, last};
    const struct kw_places places = {node->keyring, node->state};
    if (damage != NULL)
        kw_keyring_judge_damaged(damage, MODEL_DOMAIN, &memory, &places, ret);
    else
        kw_keyring_judge(ring, MODEL_DOMAIN, &memory, &places, ret);
    kw_keyring_give(last);
    if (ret->refusal != KW_ADMITTED) {
        reach.refusals[ret->refusal]++;
        truth_advice(w, ret->why.text, NOBODY, NULL);
        truth_advice(w, ret->cure, NOBODY, NULL);
    }
    return KW_OK;
}

static kw_err judge(struct world *w, size_t i, struct reading *r, struct kw_note *note)
{
    struct kw_judgement j;
    kw_err e = node_judge(w, i, r->ring, NULL, &j);
    if (kw_failed(e))
        return e;
    r->active = j.active;
    if (j.refusal == KW_ADMITTED)
        return KW_OK;
    *note = j.why;
    return kw_err_at(KW_CODE_BAD_INPUT, "keyring");
}

static kw_err read_last_good(struct world *w, size_t i, struct reading *r,
                             struct kw_note *note)
{
    struct kw_state_dir *dir = NULL;
    kw_err e = kw_state_open(w->nodes[i].state, &dir, note);
    if (!kw_failed(e))
        e = kw_state_last_keyring(dir, &r->ring, &r->bytes, note);
    kw_state_close(dir);
    return kw_failed(e) ? e : judge(w, i, r, note);
}

static void drop(struct node *node)
{
    kw_keyring_give(node->ring);
    kw_blob_wipe(&node->bytes);
    node->ring = NULL;
    node->file = NOBODY;
    node->active = 0;
    node->is_remembered = false;
}

static void hand_over(struct world *w, size_t i, struct reading *r)
{
    struct node *node = &w->nodes[i];
    drop(node);
    node->ring = kw_keyring_take(r->ring);
    node->bytes = r->bytes;
    node->active = r->active;
    node->file = file_find(w, r->ring->sha256);
    r->bytes = (struct kw_blob){0};
    truth_in_service(w, i);
}

static kw_err save_last(struct world *w, const struct node *node,
                        struct kw_state_dir *dir, struct kw_note *note)
{
    struct kw_blob before = raw_state(node, "keyring.json");
    kw_err e = kw_state_save_keyring(dir, kw_blob_peek(&node->bytes), note);
    judge_write(w, node, "keyring.json", &before, e);
    kw_blob_wipe(&before);
    return e;
}

static kw_err raise_marks(struct world *w, const struct node *node,
                          struct kw_state_dir *dir, struct kw_note *note)
{
    struct kw_blob before = raw_state(node, "marks.json");
    kw_err e = kw_state_raise(dir, node->ring, node->active, world_now(w), note);
    judge_write(w, node, "marks.json", &before, e);
    kw_blob_wipe(&before);
    return e;
}

/* The copy before the marks: what a copy knows more than they do, the judge knows too. */
static kw_err remember(struct world *w, const struct node *node, struct kw_note *note)
{
    struct kw_state_dir *dir = NULL;
    kw_err e = kw_state_open(node->state, &dir, note);
    if (!kw_failed(e))
        e = save_last(w, node, dir, note);
    if (!kw_failed(e))
        e = raise_marks(w, node, dir, note);
    kw_state_close(dir);
    return e;
}

void node_settle(struct world *w, size_t i)
{
    struct node *node = &w->nodes[i];
    struct kw_note note = {{0}};
    if (!node->is_up || node->ring == NULL || node->is_remembered)
        return;
    kw_err e = remember(w, node, &note);
    node->is_remembered = !kw_failed(e);
    if (kw_failed(e)) {
        node->is_unsure = true;
        say(w, "n%zu: state not written: %s", i, note.text);
        return;
    }
    say(w, "n%zu: remembers serial %llu, wraps with %u", i,
        (unsigned long long)node->ring->serial, node->active);
    truth_remembered(w, i);
}

static kw_err take_file(struct world *w, size_t i, struct kw_note *note)
{
    struct reading r = {0};
    kw_err e = kw_keyring_load(w->nodes[i].keyring, &r.ring, &r.bytes, note);
    if (!kw_failed(e))
        e = judge(w, i, &r, note);
    if (!kw_failed(e)) {
        say(w, "n%zu: takes serial %llu", i, (unsigned long long)r.ring->serial);
        hand_over(w, i, &r);
    }
    reading_wipe(&r);
    return e;
}

static void take_last_good(struct world *w, size_t i)
{
    struct reading r = {0};
    struct kw_note note = {{0}};
    if (kw_failed(read_last_good(w, i, &r, &note))) {
        say(w, "n%zu: no last good one: %s", i, note.text);
    } else {
        say(w, "n%zu: takes its last good one, serial %llu", i,
            (unsigned long long)r.ring->serial);
        hand_over(w, i, &r);
    }
    reading_wipe(&r);
}

/* What must not change when a file is refused. */
struct memory {
    struct kw_blob marks, act, last;
};

static struct memory memory_of(const struct node *node)
{
    return (struct memory){raw_state(node, "marks.json"),
                           raw_state(node, "activation.json"),
                           raw_state(node, "keyring.json")};
}

static bool memory_same(struct memory *a, struct memory *b)
{
    bool same = raw_same(&a->marks, &b->marks) && raw_same(&a->act, &b->act) &&
                raw_same(&a->last, &b->last);
    struct memory *const both[] = {a, b};
    for (size_t i = 0; i < 2; i++) {
        kw_blob_wipe(&both[i]->marks);
        kw_blob_wipe(&both[i]->act);
        kw_blob_wipe(&both[i]->last);
    }
    return same;
}

void node_reload(struct world *w, size_t i)
{
    struct node *node = &w->nodes[i];
    struct kw_note note = {{0}};
    if (!node->is_up)
        return;
    struct memory before = memory_of(node);
    const struct kw_keyring *ring = node->ring;
    kw_err e = take_file(w, i, &note);
    if (kw_failed(e)) {
        say(w, "n%zu: refuses its file: %s", i, note.text);
        if (node->ring != ring)
            broke(w, "n%zu refused a file, and serves another ring than before", i);
        if (node->ring == NULL)
            take_last_good(w, i);
    }
    struct memory after = memory_of(node);
    if (!memory_same(&before, &after))
        broke(w, "n%zu read its keyring, and its memory is another one", i);
}

void node_die(struct world *w, size_t i)
{
    drop(&w->nodes[i]);
    w->nodes[i].is_up = false;
    say(w, "n%zu: the daemon is gone", i);
}

/* A node that remembers a ring has one to serve. */
void node_start(struct world *w, size_t i)
{
    struct node *node = &w->nodes[i];
    drop(node);
    node->is_up = true;
    reach.restarts++;
    say(w, "n%zu: the daemon starts", i);
    node_reload(w, i);
    if (node->ring == NULL && node->seen != NOBODY && node->has_last)
        broke(w, "n%zu remembers serial %llu, and serves nothing after a restart", i,
              (unsigned long long)w->files[node->seen].serial);
    if (node->ring != NULL && node->highest != 0 && node->active == 0)
        broke(w, "n%zu wrapped with version %u, and with none after a restart", i,
              node->highest);
}

bool node_serves(const struct world *w, size_t i)
{
    const struct node *node = &w->nodes[i];
    struct kw_blob bytes = raw_read(node->keyring);
    bool same = node->is_up && node->ring != NULL && node->is_remembered &&
                raw_same(&bytes, &node->bytes) &&
                (node->active != 0 || node->highest == 0);
    kw_blob_wipe(&bytes);
    (void)w;
    return same;
}

int node_lies(const struct world *w, size_t i)
{
    struct kw_blob bytes = raw_read(w->nodes[i].keyring);
    int file = bytes.ptr == NULL ? NOBODY : (int)w->file_count - 1;
    while (file >= 0 && !raw_same(&bytes, &w->files[file].bytes))
        file--;
    kw_blob_wipe(&bytes);
    return file;
}

void node_forget(struct world *w, size_t i)
{
    struct node *node = &w->nodes[i];
    node->seen = node->trusted = NOBODY;
    node->has_last = false;
    node->wrapped = node->unwraps = node->disabled = node->destroyed = 0;
    node->highest = 0;
    node->marks = (struct kw_marks){0};
    (void)w;
}
