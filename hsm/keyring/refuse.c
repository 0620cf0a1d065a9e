/* SPDX-License-Identifier: Apache-2.0 */
/* refuse - the words and the way out of each refusal
 *
 * Every command stands on a line of its own and can be run as it is, on this node, by
 * root.  A line that begins with "# " says when the lines below it are the ones to run.
 */
#include "refuse.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

struct text {
    char *at;
    size_t room;
};

KW_PRINTF(2, 3) static void add(struct text *t, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    int n = vsnprintf(t->at, t->room, fmt, args);
    va_end(args);
    size_t used = n < 0 ? 0 : (size_t)n;
    if (used >= t->room)
        used = t->room - 1;
    t->at += used;
    t->room -= used;
}

/* "serial 7 (sha256 0123456789ab...)" */
static void name_file(char dst[64], uint64_t serial, const uint8_t sha256[32])
{
    char hex[13];
    kw_hex(hex, sizeof hex, kw_span_of(sha256, 6));
    snprintf(dst, 64, "serial %" PRIu64 " (sha256 %s...)", serial, hex);
}

/* What was done in the file with this serial: "create 3 by root". */
static void name_acts(char dst[128], const struct kw_keyring *ring, uint64_t serial)
{
    struct text t = {dst, 128};
    add(&t, "nothing known");
    if (ring == NULL)
        return;
    t = (struct text){dst, 128};
    for (size_t i = 0; i < ring->history_count; i++) {
        const struct kw_history *h = &ring->history[i];
        if (h->serial == serial)
            add(&t, "%s%s %u by %s", t.at == dst ? "" : ", ", h->act, h->n,
                h->by[0] != '\0' ? h->by : "?");
    }
    if (t.at == dst)
        add(&t, "nothing known");
}

/* ---- the ways out ---- */

static void put_back(struct text *t, const struct kw_places *p)
{
    add(t, "install -m 0644 %s/keyring.json %s.new && mv %s.new %s\n", p->state,
        p->keyring, p->keyring, p->keyring);
}

static void trust_it(struct text *t, const struct kw_keyring *ring,
                     const struct kw_places *p)
{
    char hex[65];
    kw_hex(hex, sizeof hex, kw_span_of(ring->sha256, 32));
    add(t, "keyward keyring trust %s --sha256 %s\n", p->keyring, hex);
}

static void choose(struct text *t, const struct kw_keyring *ring,
                   const struct kw_memory *memory, const struct kw_places *p)
{
    add(t, "# compare it with the keyrings of the other nodes first (keyward keyring "
           "compare)\n# when the others hold what lies here now:\n");
    trust_it(t, ring, p);
    if (memory->last != NULL) {
        add(t, "# when they hold what this node took last:\n");
        put_back(t, p);
    }
}

static void bring_back_all(struct text *t, const struct kw_marks *m)
{
    for (size_t i = 0; i < m->count; i++)
        if (strcmp(m->versions[i].state, "destroyed") != 0)
            add(t, "keyward key create --adopt %s --keyring-backup FILE\n",
                m->versions[i].id.key_id);
}

static void go_on(struct text *t, const struct kw_keyring *ring, const struct kw_marks *m)
{
    const struct kw_version *v = kw_keyring_by_n(ring, m->active.n);
    if (v != NULL && v->state == KW_KEY_DISABLED) {
        add(t, "keyward key enable %u\n", m->active.n);
        return;
    }
    add(t,
        "keyward key create\nkeyward key accept %u\nkeyward key activate %u --baseline "
        "--now --only-copy\n",
        ring->next_n, ring->next_n);
}

static void cure(const struct kw_keyring *ring, const struct kw_memory *memory,
                 const struct kw_places *p, struct kw_judgement *j)
{
    struct text t = {j->cure, sizeof j->cure};
    switch (j->refusal) {
    case KW_REFUSED_OLDER:
    case KW_REFUSED_FORK: choose(&t, ring, memory, p); break;
    case KW_REFUSED_FAR: trust_it(&t, ring, p); break;
    case KW_REFUSED_ACTIVE: go_on(&t, ring, memory->marks); break;
    case KW_REFUSED_MISSING:
    case KW_REFUSED_RENAMED:
    case KW_REFUSED_LOST:
    case KW_REFUSED_NEXT_N:
    case KW_REFUSED_BASELINE:
    case KW_REFUSED_UNTRUSTED:
        if (memory->last != NULL)
            put_back(&t, p);
        else
            bring_back_all(&t, memory->marks);
        break;
    case KW_REFUSED_DOMAIN:
    case KW_ADMITTED: break;
    }
}

/* ---- the words ---- */

static const char *key_id_here(const struct kw_marks *m, uint32_t n)
{
    const struct kw_mark *mark = kw_marks_of(m, n);
    return mark != NULL ? mark->id.key_id : "?";
}

/* Both rings, as every refusal names them. */
struct names {
    char here[64], seen[64];
};

static void explain_fork(const struct kw_keyring *ring, const struct kw_memory *memory,
                         const struct names *f, struct kw_note *why)
{
    char new_acts[128], old_acts[128];
    uint64_t serial = memory->marks->serial;
    name_acts(new_acts, ring, serial);
    name_acts(old_acts, memory->last, serial);
    kw_note_set(why,
                "keyring: %s was made from another file than %s, which this node took "
                "last: the change was made in two places. In serial %" PRIu64
                " this one did: %s; the other: %s. One place makes every change, the "
                "others copy",
                f->here, f->seen, serial, new_acts, old_acts);
}

static void explain_missing(const struct kw_memory *memory, const struct kw_places *p,
                            const struct names *f, struct kw_note *why)
{
    kw_note_set(why, "keyring: %s is not there, and this node has taken %s; %s",
                p->keyring, f->seen,
                memory->last != NULL
                    ? "its last good copy lies in the state directory: put it back"
                    : "there is no last good copy in the state directory either: fetch "
                      "it from another node or a backup, or adopt its keys");
}

/* Of the file as a whole. */
static void explain_file(const struct kw_keyring *ring, const char *domain,
                         const struct names *f, struct kw_judgement *j)
{
    if (j->refusal == KW_REFUSED_DOMAIN)
        kw_note_set(&j->why,
                    "keyring: its domain is \"%s\", the configuration's is \"%s\"; a "
                    "domain never changes: put the right file or the right "
                    "configuration in place",
                    ring->domain, domain);
    else if (j->refusal == KW_REFUSED_OLDER)
        kw_note_set(&j->why,
                    "keyring: it is %s, and this node has taken %s: an older file was "
                    "put back; copy the newest one here",
                    f->here, f->seen);
    else
        kw_note_set(&j->why,
                    "keyring: it is %s, and this node has taken %s last: further back "
                    "than the %u files that it names, so nothing shows that it follows; "
                    "compare it with another node's and say that you trust it",
                    f->here, f->seen, KW_ANCESTORS_MAX);
}

/* Of one version that is not what it was. */
static void explain_version(const struct kw_keyring *ring, const struct kw_marks *m,
                            const struct names *f, struct kw_judgement *j)
{
    const struct kw_version *v = kw_keyring_by_n(ring, j->n);
    const char *known = key_id_here(m, j->n);
    if (j->refusal == KW_REFUSED_RENAMED)
        kw_note_set(&j->why,
                    "keyring: in %s version %u is %s, and in %s, which this node took "
                    "last, it is %s: one number for two keys; put this node's last "
                    "good one back",
                    f->here, j->n, v != NULL ? v->key_id : "?", f->seen, known);
    else if (j->refusal == KW_REFUSED_LOST)
        kw_note_set(&j->why,
                    "keyring: %s has no version %u (%s), which %s has, the one this node "
                    "took last; it was not destroyed and pruned, or another version "
                    "needs its key",
                    f->here, j->n, known, f->seen);
    else
        kw_note_set(&j->why,
                    "keyring: %s is trusted, but it lacks version %u (%s), under which "
                    "this node has wrapped (%s): what is sealed under it could not be "
                    "read; this node's last good one goes on",
                    f->here, j->n, known, f->seen);
}

/* Of numbers that go back. */
static void explain_number(const struct kw_keyring *ring, const struct kw_marks *m,
                           const struct names *f, struct kw_judgement *j)
{
    const struct kw_version *v = kw_keyring_by_n(ring, j->n);
    if (j->refusal == KW_REFUSED_NEXT_N)
        kw_note_set(&j->why,
                    "keyring: next-n of %s is %u and of %s, which this node took last, "
                    "%u: a number would be given twice",
                    f->here, ring->next_n, f->seen, m->next_n);
    else if (j->refusal == KW_REFUSED_BASELINE)
        kw_note_set(&j->why,
                    "keyring: the active version of %s is %u and this node has seen %u "
                    "(%s; last %s): the baseline never goes back; make a new version "
                    "with --same-key-as to use an old key again",
                    f->here, ring->active, m->baseline.n, m->baseline.key_id, f->seen);
    else
        kw_note_set(&j->why,
                    "keyring: with %s this node would wrap with version %u and has "
                    "wrapped with %u (%s), which is %s in it: %s",
                    f->here, j->active, m->active.n, m->active.key_id,
                    v != NULL ? kw_key_state_name(v->state) : "not there",
                    v != NULL && v->state == KW_KEY_DISABLED
                        ? "enable it again"
                        : "make, accept and activate a later one");
}

static void explain(const struct kw_keyring *ring, const char *domain,
                    const struct kw_memory *memory, const struct kw_places *p,
                    struct kw_judgement *j)
{
    const struct kw_marks *m = memory->marks;
    struct names f;
    name_file(f.seen, m->serial, m->sha256);
    if (ring != NULL)
        name_file(f.here, ring->serial, ring->sha256);
    switch (j->refusal) {
    case KW_REFUSED_MISSING: explain_missing(memory, p, &f, &j->why); break;
    case KW_REFUSED_FORK: explain_fork(ring, memory, &f, &j->why); break;
    case KW_REFUSED_DOMAIN:
    case KW_REFUSED_OLDER:
    case KW_REFUSED_FAR: explain_file(ring, domain, &f, j); break;
    case KW_REFUSED_RENAMED:
    case KW_REFUSED_LOST:
    case KW_REFUSED_UNTRUSTED: explain_version(ring, m, &f, j); break;
    case KW_REFUSED_NEXT_N:
    case KW_REFUSED_BASELINE:
    case KW_REFUSED_ACTIVE: explain_number(ring, m, &f, j); break;
    case KW_ADMITTED: break;
    }
}

void kw_refuse(const struct kw_keyring *ring, const char *domain,
               const struct kw_memory *memory, const struct kw_places *places,
               struct kw_judgement *ret)
{
    explain(ring, domain, memory, places, ret);
    cure(ring, memory, places, ret);
}
