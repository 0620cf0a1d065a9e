/* SPDX-License-Identifier: Apache-2.0 */
/* cure - the way out of each refusal, for an operator to run word by word
 *
 * Every command stands on a line of its own and can be run as it is, on this node, by
 * root; only FILE and URI are put in by whoever has them.  A line that begins with
 * "# when" says when the lines below it are the ones to run: the first one that holds is
 * the choice.  "# then" goes on within that one, and what follows may be chosen anew.
 * Other lines that begin with "# " say what to do before what follows them.  What is here
 * never tells to destroy or to remove a key.  tests/model executes all of it. */
#include "chain.h"
#include "refuse.h"

#include <keyward/act.h>

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* The end of the text so far. */
struct text {
    char *at;
    size_t room;
};

/* What does not fit is left out whole: half a command is worse than none. */
KW_PRINTF(2, 3) static void add(struct text *t, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    int n = vsnprintf(t->at, t->room, fmt, args);
    va_end(args);
    if (n < 0 || (size_t)n >= t->room) {
        t->at[0] = '\0';
        return;
    }
    t->at += n;
    t->room -= (size_t)n;
}

/* ---- paths, as a shell reads them ---- */

enum { QUOTED = 4 * (KW_PATH_MAX + 16) + 3 };

/* `path` and `end` as one word. */
static const char *quote(char dst[QUOTED], const char *path, const char *end)
{
    char whole[KW_PATH_MAX + 16];
    snprintf(whole, sizeof whole, "%s%s", path, end);
    (void)kw_shell_word(dst, QUOTED, whole);
    return dst;
}

/* ---- the ways out ---- */

static void cure_reload(struct text *t)
{
    add(t, "systemctl reload-or-restart keywardd\n");
}

/* A rename, as a copy could be read half written. */
static void install(struct text *t, const char *file, const struct kw_places *p)
{
    char beside[QUOTED], ring[QUOTED];
    quote(beside, p->keyring, ".new");
    quote(ring, p->keyring, "");
    add(t, "install -m 0644 %s %s && mv %s %s\n", file, beside, beside, ring);
    cure_reload(t);
}

static void put_back(struct text *t, const struct kw_places *p)
{
    char file[QUOTED];
    install(t, quote(file, p->state, "/keyring.json"), p);
}

/* Its keys, one by one, each proven by the backup; none that the ring has. */
static void cure_adopt(struct text *t, const struct kw_keyring *ring,
                       const struct kw_marks *m)
{
    for (size_t i = 0; i < m->count; i++)
        if (strcmp(m->versions[i].state, kw_key_state_name(KW_KEY_DESTROYED)) != 0 &&
            (ring == NULL || kw_refusal_lacks(ring, &m->versions[i])))
            add(t, "keyward key create --adopt %s --keyring-backup FILE\n",
                m->versions[i].id.key_id);
    cure_reload(t);
}

/* What it lacks is adopted into it: the file is one that adopting has made, and has no
 * other version under such a number. */
static bool is_on_its_way(const struct kw_keyring *ring, const struct kw_marks *m)
{
    const struct kw_history *h =
        ring->history_count > 0 ? &ring->history[ring->history_count - 1] : NULL;
    if (h == NULL || h->serial != ring->serial ||
        strcmp(h->act, kw_act_name(KW_ACT_ADOPT)) != 0)
        return false;
    for (size_t i = 0; i < m->count; i++)
        if (kw_refusal_lacks(ring, &m->versions[i]) &&
            kw_keyring_by_n(ring, m->versions[i].id.n) != NULL)
            return false;
    return true;
}

static void move_aside(struct text *t, const struct kw_places *p)
{
    char ring[QUOTED], aside[QUOTED];
    add(t, "mv %s %s\n", quote(ring, p->keyring, ""),
        quote(aside, p->keyring, ".refused"));
}

/* The file that this node took last, or a later one; `itself`: no later one. */
static void cure_fetch(struct text *t, const struct kw_marks *m, bool itself,
                       const struct kw_places *p)
{
    char hex[13], later[48];
    kw_hex(hex, sizeof hex, kw_span_of(m->sha256, 6));
    snprintf(later, sizeof later, ", or one of the %u made from it", KW_ANCESTORS_MAX);
    add(t,
        "# when another node or a backup has %swhat this node took last, serial %" PRIu64
        " (sha256 %s...)%s (FILE):\n",
        itself ? "just " : "", m->serial, hex, itself ? "" : later);
    install(t, "FILE", p);
    add(t,
        "# when there are only older backups of it (FILE; --sample FILE for a key that "
        "none of them has):\n");
}

/* Nothing tells which file is the right one, at most a version that it must have. */
static void fetch_any(struct text *t, const struct kw_activation *act, bool lies_there,
                      const struct kw_places *p)
{
    char with[80] = "";
    if (act->n != 0)
        snprintf(with, sizeof with, " with version %" PRIu32 " (%s)", act->n,
                 act->key_id);
    add(t, "# when another node or a backup has one%s (FILE):\n", with);
    install(t, "FILE", p);
    add(t, "# when none has%s:\n",
        act->n != 0
            ? ", and a sample of what was sealed was kept (FILE); key create says "
              "what else there is"
            : "; key create says then which keys the token holds");
    if (lies_there)
        move_aside(t, p);
    if (act->n != 0)
        add(t, "keyward key create --adopt %s --sample FILE\n", act->key_id);
    else
        add(t, "keyward key create\n");
}

/* Was it made from what this node took, and destroys what this node wrapped with? */
static bool destroys(const struct kw_keyring *ring, const struct kw_marks *m)
{
    if (kw_chain(ring, m) != KW_ADMITTED)
        return false;
    for (size_t i = 0; i < m->count; i++)
        if (kw_refusal_costs(ring, m, &m->versions[i]) &&
            !kw_refusal_lacks(ring, &m->versions[i]))
            return true;
    return false;
}

/* Back to what this node took last, from the file that lies there (ring, when it could be
 * read), if one does. */
static void find_again(struct text *t, const struct kw_keyring *ring,
                       const struct kw_memory *memory, bool lies_there,
                       const struct kw_places *p)
{
    if (memory->last != NULL) {
        put_back(t, p);
        return;
    }
    if (memory->marks->serial == 0) {
        fetch_any(t, memory->act, lies_there, p);
        return;
    }
    cure_fetch(t, memory->marks, ring != NULL && destroys(ring, memory->marks), p);
    if (lies_there)
        move_aside(t, p);
    cure_adopt(t, NULL, memory->marks);
}

static void way_back(struct text *t, const struct kw_keyring *ring,
                     const struct kw_memory *memory, const struct kw_places *p)
{
    find_again(t, ring, memory, ring != NULL, p);
}

/* It lacks versions. */
static void fill_up(struct text *t, const struct kw_keyring *ring,
                    const struct kw_memory *memory, const struct kw_places *p)
{
    if (memory->last != NULL || !is_on_its_way(ring, memory->marks)) {
        way_back(t, ring, memory, p);
        return;
    }
    cure_fetch(t, memory->marks, false, p);
    cure_adopt(t, ring, memory->marks);
}

static void trust(struct text *t, const struct kw_keyring *ring,
                  const struct kw_places *p)
{
    char hex[65], path[QUOTED];
    kw_hex(hex, sizeof hex, kw_span_of(ring->sha256, 32));
    add(t, "keyward keyring trust %s --sha256 %s\n", quote(path, p->keyring, ""), hex);
}

/* What lies there is only older than what this node took: there is nothing to choose. */
static bool is_rollback(const struct kw_keyring *ring, const struct kw_marks *m)
{
    return ring->serial < m->serial && kw_chain_is_before(ring->serial, ring->sha256, m);
}

/* ---- two files that have both been used ---- */

enum { NAMES = 1024 };

static void name_one(struct text *names, uint32_t n, const char *key_id,
                     const char *start)
{
    add(names, "%sversion %" PRIu32 " (%s)", names->at != start ? ", " : "", n, key_id);
}

/* What this node has wrapped with and the ring does not open, against its will. */
static void name_lacking(char dst[NAMES], const struct kw_keyring *ring,
                         const struct kw_marks *m)
{
    struct text names = {dst, NAMES};
    dst[0] = '\0';
    for (size_t i = 0; i < m->count; i++)
        if (kw_refusal_costs(ring, m, &m->versions[i]))
            name_one(&names, m->versions[i].id.n, m->versions[i].id.key_id, dst);
}

static bool cure_is_known(const struct kw_marks *m, const struct kw_version *v)
{
    const struct kw_mark *mark = kw_marks_of(m, v->n);
    return mark != NULL && strcmp(mark->id.key_id, v->key_id) == 0;
}

/* What the nodes with the other file may have wrapped with, and this node does not know.
 * *ret_sure: one of them was a baseline. */
static void name_theirs(char dst[NAMES], const struct kw_keyring *ring,
                        const struct kw_marks *m, bool *ret_sure)
{
    struct text names = {dst, NAMES};
    dst[0] = '\0';
    *ret_sure = false;
    for (size_t i = 0; i < ring->count; i++) {
        const struct kw_version *v = &ring->versions[i];
        bool never = v->accepted[0] == '\0' && v->activated[0] == '\0';
        if (never || v->state == KW_KEY_DESTROYED || cure_is_known(m, v))
            continue;
        name_one(&names, v->n, v->key_id, dst);
        *ret_sure = *ret_sure || v->activated[0] != '\0';
    }
}

/* With other marks the node takes the other file: those that state create makes. */
static void cure_begin_anew(struct text *t, const struct kw_places *p)
{
    static const char *const files[] = {"/marks.json", "/keyring.json"};
    char from[QUOTED], to[QUOTED], aside[32];
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        snprintf(aside, sizeof aside, "%s.forked", files[i]);
        add(t, "mv %s %s\n", quote(from, p->state, files[i]), quote(to, p->state, aside));
    }
    add(t, "keyward state create\n");
    cure_reload(t);
}

/* No trust makes this node take what lies here; m: what it would know then. */
static void keep_apart(struct text *t, const struct kw_keyring *ring,
                       const struct kw_memory *memory, const struct kw_marks *m,
                       bool has_marks, const struct kw_places *p)
{
    char ours[NAMES], theirs[NAMES];
    bool sure = false;
    name_lacking(ours, ring, m);
    name_theirs(theirs, ring, m, &sure);
    if (ours[0] != '\0')
        add(t,
            "# keyring trust is no way out: this node has wrapped with %s, which what "
            "lies "
            "here cannot open\n",
            ours);
    else
        add(t,
            "# keyring trust is no way out: the baseline here was version %" PRIu32
            " (%s), and that of what lies here is lower, %" PRIu32 "\n",
            m->baseline.n, m->baseline.key_id, ring->active);
    if (theirs[0] != '\0')
        add(t,
            "# %s: what the nodes with the other file sealed under %s this node's own "
            "cannot open; keep both files and every key\n",
            sure ? "both have wrapped" : "both may have wrapped", theirs);
    if (memory->last == NULL || !has_marks) { /* first what it had, whole */
        way_back(t, ring, memory, p);
        return;
    }
    add(t, "# when this node's own goes on%s%s%s%s:\n",
        destroys(ring, m)
            ? " for all (the others have to trust it: keyward keyring trust)"
            : "",
        theirs[0] != '\0' ? "; what is sealed under " : "", theirs,
        theirs[0] != '\0' ? " is read through the API servers of the other nodes and "
                            "written again through this one's, before they take this file"
                          : "");
    way_back(t, ring, memory, p);
    add(t, "# when what lies here goes on%s%s%s:\n",
        ours[0] != '\0' ? ", and all that was sealed under " : "", ours,
        ours[0] != '\0' ? " has been read through this node's API server and written "
                          "again through another one's; what was not is lost"
                        : "");
    cure_begin_anew(t, p);
}

/* Somebody must say which of two files is the one. */
static void cure_choose(struct text *t, const struct kw_keyring *ring,
                        const struct kw_memory *memory, bool has_marks,
                        const struct kw_places *p)
{
    struct kw_marks trusting;
    enum kw_refusal then = kw_refusal_if_trusted(ring, memory, &trusting);
    add(t, "# compare it with the keyrings of the other nodes first (keyward "
           "keyring compare)\n");
    if (then != KW_ADMITTED && then != KW_REFUSED_ACTIVE) {
        keep_apart(t, ring, memory, &trusting, has_marks, p);
        return;
    }
    add(t, "# when the others hold what lies here now, or one made from it:\n");
    trust(t, ring, p);
    cure_reload(t);
    if (memory->last != NULL)
        add(t, "# when they hold what this node took last, or one made from "
               "it:\n");
    way_back(t, ring, memory, p);
}

/* The very file that this node took is never the wrong one. */
static bool is_what_was_taken(const struct kw_keyring *ring, const struct kw_marks *m)
{
    return kw_span_equal(kw_span_of(ring->sha256, sizeof ring->sha256),
                         kw_span_of(m->sha256, m->sha256_len));
}

static void other_domain(struct text *t, const struct kw_keyring *ring,
                         const struct kw_memory *memory, const struct kw_places *p)
{
    if (is_what_was_taken(ring, memory->marks)) {
        add(t, "# the configuration is the wrong one: say domain: %s there, then\n",
            ring->domain);
        cure_reload(t);
        return;
    }
    if (memory->marks->serial == 0) {
        add(t, "# when the keyring is the wrong one; FILE is the right one:\n");
        install(t, "FILE", p);
    } else {
        if (memory->last != NULL)
            add(t, "# when the keyring is the wrong one:\n");
        way_back(t, ring, memory, p);
    }
    add(t, "# when the configuration is the wrong one: say domain: %s there, then\n",
        ring->domain);
    cure_reload(t);
}

/* Would a few changes more be further ahead of what this node took than it can tell? */
static bool is_nearly_far(const struct kw_keyring *ring, const struct kw_marks *m)
{
    enum { CHANGES = 3 };
    return ring->serial > m->serial &&
           ring->serial - m->serial + CHANGES > KW_ANCESTORS_MAX;
}

/* That there is one copy alone is accepted by nobody in passing. */
static void activate(struct text *t, uint32_t n)
{
    add(t,
        "# when a second token, or a restored backup, has the key:\n"
        "keyward key activate %" PRIu32 " --baseline --now --second-copy-token URI\n",
        n);
    cure_reload(t);
    add(t,
        "# when there is no second copy, and you accept that:\n"
        "keyward key activate %" PRIu32 " --baseline --now --only-copy\n",
        n);
    cure_reload(t);
}

/* A version to wrap with.  The others can unwrap with it before this node wraps: they
 * take the file that this one refuses. */
static void cure_go_on(struct text *t, const struct kw_keyring *ring,
                       const struct kw_marks *m, const struct kw_places *p)
{
    const struct kw_version *v = kw_keyring_by_n(ring, m->active.n);
    add(t, "# first copy the newest keyring here (keyward keyring compare) and reload: "
           "what is made from an older one is a fork\n");
    if (is_nearly_far(ring, m))
        trust(t, ring, p);
    if (v != NULL && v->state == KW_KEY_DISABLED) {
        add(t, "# when version %u may be used again:\nkeyward key enable %u\n", v->n,
            v->n);
        cure_reload(t);
        add(t, "# when it must stay disabled:\n");
    }
    add(t,
        "keyward key create\n"
        "keyward key accept %u\n"
        "# then give it to every node, reload them, and go on here:\n",
        ring->next_n);
    activate(t, ring->next_n);
}

void kw_refusal_cure(const struct kw_keyring *ring, const struct kw_memory *memory,
                     bool has_marks, const struct kw_places *places,
                     struct kw_judgement *ret)
{
    struct text t = {ret->cure, sizeof ret->cure};
    KW_INVARIANT(ring != NULL || ret->refusal == KW_REFUSED_MISSING ||
                 ret->refusal == KW_REFUSED_DAMAGED);
    if (ring != NULL && ret->refusal != KW_REFUSED_DOMAIN &&
        is_rollback(ring, memory->marks)) {
        way_back(&t, ring, memory, places);
        return;
    }
    switch (ret->refusal) {
    case KW_REFUSED_OLDER:
    case KW_REFUSED_FORK:
    case KW_REFUSED_FAR:
    case KW_REFUSED_UNTRUSTED: cure_choose(&t, ring, memory, has_marks, places); break;
    case KW_REFUSED_DESTROYED:
        keep_apart(&t, ring, memory, memory->marks, has_marks, places);
        break;
    case KW_REFUSED_ACTIVE: cure_go_on(&t, ring, memory->marks, places); break;
    case KW_REFUSED_LOST: fill_up(&t, ring, memory, places); break;
    case KW_REFUSED_DAMAGED: find_again(&t, NULL, memory, true, places); break;
    case KW_REFUSED_MISSING:
    case KW_REFUSED_RENAMED:
    case KW_REFUSED_NEXT_N:
    case KW_REFUSED_BASELINE: way_back(&t, ring, memory, places); break;
    case KW_REFUSED_DOMAIN: other_domain(&t, ring, memory, places); break;
    case KW_ADMITTED: break;
    }
}
