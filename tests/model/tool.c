/* SPDX-License-Identifier: Apache-2.0 */
/* tool - what keyward does with keyring and state directory, as provider/cli/context.c
 * and the key verbs do it; the token gives and proves every object that it holds */
#include "model.h"

#include <stdio.h>
#include <string.h>

#define PUT(dst, src) snprintf(dst, sizeof dst, "%s", src)

struct context {
    struct node *node;
    struct kw_keyring *ring, *last;
    struct kw_blob bytes; /* of the file, as it lay there */
    struct kw_marks marks;
    struct kw_activation act;
    struct kw_judgement judgement;
};

static kw_err read_state(struct context *d, struct kw_note *note)
{
    struct kw_state_dir *dir = NULL;
    struct kw_note ignored;
    kw_err e = kw_state_open(d->node->state, &dir, note);
    if (!kw_failed(e))
        e = kw_state_marks(dir, &d->marks, note);
    if (!kw_failed(e))
        e = kw_state_activation(dir, &d->act, note);
    if (!kw_failed(e) && kw_failed(kw_state_last_keyring(dir, &d->last, NULL, &ignored)))
        d->last = NULL;
    kw_state_close(dir);
    return e;
}

static kw_err context_open(struct world *w, size_t i, struct context *d,
                           struct kw_note *note)
{
    *d = (struct context){.node = &w->nodes[i]};
    d->bytes = raw_read(d->node->keyring);
    kw_err e = kw_keyring_load(d->node->keyring, &d->ring, NULL, note);
    if (e.code == KW_CODE_MISSING)
        e = KW_OK;
    if (!kw_failed(e))
        e = read_state(d, note);
    if (kw_failed(e))
        return e;
    const struct kw_memory memory = {&d->marks, &d->act, d->last};
    const struct kw_places places = {d->node->keyring, d->node->state};
    kw_keyring_judge(d->ring, MODEL_DOMAIN, &memory, &places, &d->judgement);
    return KW_OK;
}

static void context_close(struct context *d)
{
    kw_keyring_give(d->ring);
    kw_keyring_give(d->last);
    kw_blob_wipe(&d->bytes);
}

static struct kw_act_facts facts(const struct world *w, const char *proof)
{
    struct kw_act_facts f = {.by = "model", .tool = "keyward 0.1.0"};
    world_time(w, f.at);
    PUT(f.proof, proof);
    return f;
}

/* A refused act has written nothing, and its words advise nothing that costs a key. */
static enum outcome refused(struct world *w, struct context *d, enum kw_act act,
                            uint32_t n, const struct kw_note *note)
{
    const struct kw_version *v = d->ring != NULL ? kw_keyring_by_n(d->ring, n) : NULL;
    struct kw_blob now = raw_read(d->node->keyring);
    if (!raw_same(&now, &d->bytes))
        broke(w, "%s %u was refused, and the keyring is another one", kw_act_name(act),
              n);
    kw_blob_wipe(&now);
    truth_advice(w, note->text, (int)act, v);
    reach.acts_refused[act]++;
    say(w, "   no: %s", note->text);
    return REFUSED;
}

/* Which acts may be, whatever the code says: a refused ring is changed by nothing but
 * what leads out of it. */
static void judge_permission(struct world *w, const struct context *d, enum kw_act act)
{
    enum kw_refusal r = d->judgement.refusal;
    bool good =
        r == KW_ADMITTED || r == KW_REFUSED_ACTIVE ||
        ((r == KW_REFUSED_MISSING || r == KW_REFUSED_LOST) && act == KW_ACT_ADOPT);
    if (!good)
        broke(w, "%s is allowed on a ring that is refused (%d)", kw_act_name(act),
              (int)r);
}

/* false: the outcome is *ret. */
static bool may(struct world *w, struct context *d, enum kw_act act, uint32_t n,
                enum outcome *ret)
{
    struct kw_note note = {{0}};
    kw_err e = kw_act_may(act, n, d->ring, &d->judgement, &note);
    if (kw_failed(e)) {
        *ret = refused(w, d, act, n, &note);
        return false;
    }
    judge_permission(w, d, act);
    return true;
}

/* The file as it is now, against what the save said of it. */
static void judge_file(struct world *w, const struct context *d, kw_err e,
                       const struct kw_keyring *changed, int parent, enum kw_act act,
                       int key)
{
    struct kw_blob now = raw_read(d->node->keyring);
    bool is_new = !raw_same(&now, &d->bytes);
    bool said = !kw_failed(e) || kw_file_is_written(e);
    if (is_new && now.ptr == NULL)
        broke(w, "%s took the keyring away", kw_act_name(act));
    else if (is_new && w->file_count < FILES_MAX) {
        int file = file_add(w, &now, parent, act, key, d->ring == NULL);
        if (said && file != NOBODY && file_find(w, changed->sha256) != file)
            broke(w, "the ring that was saved has another digest than its file");
    }
    kw_blob_wipe(&now);
    if (is_new != said && !seam_is_dead())
        broke(w, "%s: the save says \"%s\", and the file is %s", kw_act_name(act),
              said ? "written" : "not written", is_new ? "the new one" : "the old one");
    if (!seam_is_dead() && !is_tidy(d->node))
        broke(w, "%s left something beside the keyring", kw_act_name(act));
}

static enum outcome save(struct world *w, struct context *d, struct kw_keyring *changed,
                         enum kw_act act, int key)
{
    struct kw_note note = {{0}};
    int parent = file_find(w, d->ring != NULL ? d->ring->sha256 : changed->sha256);
    kw_err e = kw_keyring_save(d->node->keyring, changed,
                               d->ring != NULL ? d->ring->sha256 : NULL, &note);
    judge_file(w, d, e, changed, parent, act, key);
    if (kw_failed(e)) {
        say(w, "   failed: %s", note.text);
        return FAILED;
    }
    say(w, "   serial %llu", (unsigned long long)changed->serial);
    reach.acts[act]++;
    return DONE;
}

/* ---- changes ---- */

static enum outcome change(struct world *w, struct context *d, enum kw_act act,
                           uint32_t n)
{
    const struct kw_version *v = kw_keyring_by_n(d->ring, n);
    int key = key_find(w, v->key_id);
    struct kw_keyring *ring = NULL;
    struct kw_note note = {{0}};
    const struct kw_act_facts f = facts(w, "");
    KW_INVARIANT(key != NOBODY && !kw_failed(kw_keyring_dup(d->ring, &ring)));
    kw_err e = KW_OK;
    if (act == KW_ACT_PROVE)
        e = kw_act_prove(ring, n, &v->objects[0].tokens[0], &f);
    else if (act == KW_ACT_GONE)
        e = kw_act_gone(ring, n, 0, "seen 2026-01-01T00:00:00.000000Z", &f);
    else
        e = kw_act_apply(ring, act, n, &f, &note);
    if (kw_failed(e))
        broke(w, "%s %u was allowed, and cannot be done: %s", kw_act_name(act), n,
              note.text);
    enum outcome o = kw_failed(e) ? FAILED : save(w, d, ring, act, key);
    kw_keyring_give(ring);
    return o;
}

enum outcome tool_change(struct world *w, size_t i, enum kw_act act, uint32_t n)
{
    struct context d;
    struct kw_note note = {{0}};
    enum outcome o = FAILED;
    say(w, "n%zu$ keyward key %s %u", i, kw_act_name(act), n);
    if (kw_failed(context_open(w, i, &d, &note)))
        say(w, "   failed: %s", note.text);
    else if (may(w, &d, act, n, &o))
        o = change(w, &d, act, n);
    context_close(&d);
    return o;
}

/* Five minutes, or --now; 0 to go on. */
static bool is_seen_long_enough(const struct world *w, const struct context *d,
                                uint32_t n)
{
    const struct kw_mark *m = kw_marks_of(&d->marks, n);
    bool first = d->ring->active == 0 && d->judgement.active == 0;
    return first || d->judgement.active == n ||
           (m != NULL && m->accepted && w->now_ns - m->since.wall_ns >= 300 * KW_S_NS);
}

static enum outcome record_act(struct world *w, const struct context *d, uint32_t n)
{
    struct kw_state_dir *dir = NULL;
    struct kw_note note = {{0}};
    struct kw_activation act = {.n = n, .by = "model", .proof = "only-copy"};
    PUT(act.key_id, kw_keyring_by_n(d->ring, n)->key_id);
    world_time(w, act.at);
    struct kw_blob before = raw_state(d->node, "activation.json");
    kw_err e = kw_state_open(d->node->state, &dir, &note);
    if (!kw_failed(e))
        e = kw_state_activate(dir, &act, &note);
    kw_state_close(dir);
    judge_write(w, d->node, "activation.json", &before, e);
    kw_blob_wipe(&before);
    if (kw_failed(e))
        say(w, "   failed: %s", note.text);
    return kw_failed(e) ? FAILED : DONE;
}

static enum outcome activate(struct world *w, struct context *d, uint32_t n,
                             bool baseline)
{
    enum outcome o = DONE;
    if (baseline || d->ring->active == 0)
        o = change(w, d, KW_ACT_ACTIVATE, n);
    return o == DONE ? record_act(w, d, n) : o;
}

enum outcome tool_activate(struct world *w, size_t i, uint32_t n, bool baseline, bool now)
{
    struct context d;
    struct kw_note note = {{0}};
    enum outcome o = FAILED;
    say(w, "n%zu$ keyward key activate %u%s%s", i, n, baseline ? " --baseline" : "",
        now ? " --now" : "");
    if (kw_failed(context_open(w, i, &d, &note)))
        say(w, "   failed: %s", note.text);
    else if (may(w, &d, KW_ACT_ACTIVATE, n, &o)) {
        o = REFUSED;
        if (n < d.node->highest)
            broke(w, "n%zu may activate version %u, and wrapped with %u", i, n,
                  d.node->highest);
        if (now || is_seen_long_enough(w, &d, n))
            o = activate(w, &d, n, baseline);
    }
    context_close(&d);
    return o;
}

/* ---- making ---- */

static int plan(struct world *w, const struct context *d, uint32_t same_n)
{
    int same = NOBODY;
    if (same_n != 0) {
        const struct kw_version *of =
            d->ring != NULL ? kw_keyring_by_n(d->ring, same_n) : NULL;
        if (of == NULL || of->state == KW_KEY_DESTROYED)
            return NOBODY;
        same = key_find(w, of->key_id);
    }
    return key_make(w, d->ring != NULL ? d->ring->next_n : 1, same);
}

static enum outcome create(struct world *w, struct context *d, uint32_t same_n)
{
    struct kw_keyring *ring = NULL;
    struct kw_version v;
    const struct kw_act_facts f = facts(w, "made");
    int key = plan(w, d, same_n);
    if (key == NOBODY)
        return REFUSED;
    version_make(w, key, &v);
    kw_err e = d->ring != NULL ? kw_keyring_dup(d->ring, &ring)
                               : kw_keyring_new(MODEL_DOMAIN, &ring);
    if (!kw_failed(e))
        e = kw_act_add(ring, KW_ACT_CREATE, &v, &f);
    if (kw_failed(e))
        broke(w, "create was allowed, and cannot be done: %s at %s", kw_code_name(e.code),
              e.where);
    enum outcome o = kw_failed(e) ? FAILED : save(w, d, ring, KW_ACT_CREATE, key);
    kw_keyring_give(ring);
    return o;
}

enum outcome tool_create(struct world *w, size_t i, uint32_t same_n)
{
    struct context d;
    struct kw_note note = {{0}};
    enum outcome o = FAILED;
    say(w, "n%zu$ keyward key create", i);
    if (same_n != 0)
        say(w, "   --same-key-as %u", same_n);
    if (kw_failed(context_open(w, i, &d, &note)))
        say(w, "   failed: %s", note.text);
    else if (may(w, &d, KW_ACT_CREATE, 0, &o))
        o = create(w, &d, same_n);
    context_close(&d);
    return o;
}

/* ---- adopting ---- */

struct adoption {
    const char *key_id;
    struct kw_keyring *backup; /* or NULL */
    bool unproven;
};

static enum outcome no(struct world *w, const char *why)
{
    say(w, "   no: %s", why);
    return REFUSED;
}

/* The version under its key_id: the backup's, proven by its check blob, or a new one. */
static bool version_of(struct world *w, const struct adoption *a, int key,
                       struct kw_version *ret)
{
    const struct kw_version *v =
        a->backup != NULL ? kw_keyring_by_key_id(a->backup, kw_span_str(a->key_id))
                          : NULL;
    if (v != NULL && version_is_proven(w, v)) {
        *ret = *v;
        return true;
    }
    if (!a->unproven ||
        w->keys[key].object != key) /* nothing in the token has its name */
        return false;
    version_make(w, key, ret);
    return true;
}

static enum outcome add_adopted(struct world *w, struct context *d,
                                struct kw_keyring *ring, const struct adoption *a,
                                int key)
{
    struct kw_version v;
    char at[KW_TIME_TEXT];
    const struct kw_act_facts f = facts(w, "adopted");
    if (!version_of(w, a, key, &v))
        return no(w, "nothing proves that key; say --unproven");
    if (kw_keyring_by_n(ring, v.n) != NULL)
        return no(w, "there is a version of that number");
    world_time(w, at);
    kw_act_recall(ring, &v, &d->marks, at);
    kw_err e = kw_act_add(ring, KW_ACT_ADOPT, &v, &f);
    if (kw_failed(e))
        return no(w, e.where);
    return save(w, d, ring, KW_ACT_ADOPT, key);
}

static enum outcome adopt(struct world *w, struct context *d, const struct adoption *a)
{
    struct kw_keyring *ring = NULL;
    struct kw_note note = {{0}};
    char at[KW_TIME_TEXT];
    int key = key_find(w, a->key_id);
    world_time(w, at);
    kw_err e = d->ring != NULL
                   ? kw_keyring_dup(d->ring, &ring)
                   : kw_act_rebuild(a->backup, MODEL_DOMAIN, &d->marks, at, &ring, &note);
    if (kw_failed(e))
        return no(w, note.text);
    enum outcome o;
    bool there = kw_keyring_by_key_id(ring, kw_span_str(a->key_id)) != NULL;
    if (there && d->ring != NULL)
        o = DONE;
    else if (there)
        o = save(w, d, ring, KW_ACT_ADOPT, key);
    else
        o = add_adopted(w, d, ring, a, key);
    kw_keyring_give(ring);
    return o;
}

enum outcome tool_adopt(struct world *w, size_t i, const char *key_id, int backup,
                        bool unproven)
{
    struct context d;
    struct kw_note note = {{0}};
    struct adoption a = {.key_id = key_id, .unproven = unproven};
    enum outcome o = FAILED;
    say(w, "n%zu$ keyward key create --adopt %s%s", i, key_id,
        unproven ? " --unproven" : "");
    if (backup != NOBODY) {
        say(w, "   --keyring-backup (serial %llu)",
            (unsigned long long)w->files[backup].serial);
        KW_MUST(!kw_failed(
            kw_keyring_parse(kw_blob_peek(&w->files[backup].bytes), &a.backup, &note)));
    }
    if (kw_failed(context_open(w, i, &d, &note)))
        say(w, "   failed: %s", note.text);
    else if (d.judgement.last_good && d.judgement.refusal != KW_ADMITTED)
        o = no(w, "the last good keyring is there; put it back");
    else if (may(w, &d, KW_ACT_ADOPT, 0, &o))
        o = adopt(w, &d, &a);
    context_close(&d);
    kw_keyring_give(a.backup);
    return o;
}

/* ---- the state directory ---- */

static kw_err record_trust(struct world *w, struct node *node,
                           const struct kw_trust *trust, struct kw_note *note)
{
    struct kw_state_dir *dir = NULL;
    struct kw_blob before = raw_state(node, "marks.json");
    kw_err e = kw_state_open(node->state, &dir, note);
    if (!kw_failed(e))
        e = kw_state_trust(dir, trust, note);
    kw_state_close(dir);
    judge_write(w, node, "marks.json", &before, e);
    struct kw_blob now = raw_state(node, "marks.json");
    if (!kw_failed(e) || !raw_same(&before, &now))
        node->trusted = node->trusted_once = file_find(w, trust->sha256);
    kw_blob_wipe(&before);
    kw_blob_wipe(&now);
    return e;
}

static bool is_enough(enum kw_refusal r)
{
    return r == KW_ADMITTED || r == KW_REFUSED_ACTIVE;
}

/* What this node would not take all the same is not trusted. */
static enum outcome trust_file(struct world *w, struct context *d, struct kw_trust *trust)
{
    struct kw_judgement after;
    struct kw_note note = {{0}};
    if (d->ring == NULL || memcmp(trust->sha256, d->ring->sha256, 32) != 0)
        return no(w, "the file has another digest");
    if (d->judgement.refusal == KW_ADMITTED)
        return DONE;
    const struct kw_memory memory = {&d->marks, &d->act, d->last};
    const struct kw_places places = {d->node->keyring, d->node->state};
    d->marks.trust = *trust;
    kw_keyring_judge(d->ring, MODEL_DOMAIN, &memory, &places, &after);
    if (!is_enough(after.refusal)) {
        reach.refusals[after.refusal]++;
        return no(w, after.why.text);
    }
    kw_err e = record_trust(w, d->node, trust, &note);
    if (kw_failed(e))
        say(w, "   failed: %s", note.text);
    return kw_failed(e) ? FAILED : DONE;
}

enum outcome tool_trust(struct world *w, size_t i, const char *sha256_hex)
{
    struct context d;
    struct kw_note note = {{0}};
    struct kw_trust trust = {.by = "model", .sha256_len = 32};
    enum outcome o = FAILED;
    say(w, "n%zu$ keyward keyring trust %.12s…", i, sha256_hex);
    world_time(w, trust.at);
    KW_INVARIANT(kw_unhex(trust.sha256, 32, kw_span_str(sha256_hex)));
    if (kw_failed(context_open(w, i, &d, &note)))
        say(w, "   failed: %s", note.text);
    else
        o = trust_file(w, &d, &trust);
    context_close(&d);
    return o;
}

enum outcome tool_rebuild(struct world *w, size_t i)
{
    struct node *node = &w->nodes[i];
    struct kw_state_dir *dir = NULL;
    struct kw_keyring *ring = NULL;
    struct kw_note note = {{0}};
    struct kw_blob before = raw_state(node, "marks.json");
    say(w, "n%zu$ keyward state rebuild", i);
    kw_err e = kw_keyring_load(node->keyring, &ring, NULL, &note);
    if (!kw_failed(e))
        e = kw_state_open(node->state, &dir, &note);
    if (!kw_failed(e))
        e = kw_state_rebuild(dir, ring, world_now(w), "model", &note);
    if (!kw_failed(e) || kw_file_is_written(e))
        truth_rebuilt(w, i, file_find(w, ring->sha256));
    else
        say(w, "   no: %s", note.text);
    judge_write(w, node, "marks.json", &before, e);
    kw_state_close(dir);
    kw_keyring_give(ring);
    kw_blob_wipe(&before);
    return kw_failed(e) ? REFUSED : DONE;
}
