/* SPDX-License-Identifier: Apache-2.0 */
/* refuse - the words of each refusal: both rings named, what is wrong, what helps */
#include "chain.h"
#include "refuse.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { ACTS = 88 }; /* of both sides, so that the advice after them is not cut */

/* "serial 7 (sha256 0123456789ab...)" */
static void name_file(char dst[64], uint64_t serial, const uint8_t sha256[32])
{
    char hex[13];
    kw_hex(hex, sizeof hex, kw_span_of(sha256, 6));
    snprintf(dst, 64, "serial %" PRIu64 " (sha256 %s...)", serial, hex);
}

/* What was done in the file with this serial: "create 3 by root". */
static void name_acts(char dst[ACTS], const struct kw_keyring *ring, uint64_t serial)
{
    size_t len = 0;
    for (size_t i = 0; ring != NULL && i < ring->history_count; i++) {
        const struct kw_history *h = &ring->history[i];
        if (h->serial == serial && len < ACTS)
            len += (size_t)snprintf(dst + len, ACTS - len, "%s%s %u by %s",
                                    len == 0 ? "" : ", ", h->act, h->n,
                                    h->by[0] != '\0' ? h->by : "?");
    }
    if (len == 0)
        snprintf(dst, ACTS, "nothing known");
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
    char new_acts[ACTS], old_acts[ACTS], parts[2 * ACTS + 64];
    uint64_t serial = kw_chain_parts(ring, memory->marks);
    name_acts(new_acts, ring, serial);
    name_acts(old_acts, memory->last, serial);
    if (serial > 0)
        snprintf(parts, sizeof parts,
                 "In serial %" PRIu64 " this one did: %s; the other: %s", serial,
                 new_acts, old_acts);
    else
        snprintf(parts, sizeof parts,
                 "They part further back than the %u files they name", KW_ANCESTORS_MAX);
    kw_note_set(why,
                "keyring: %s was made from another file than %s, which this node took "
                "last: the change was made in two places. %s. One place makes every "
                "change, the others copy",
                f->here, f->seen, parts);
}

/* What is known of a keyring that is not to be had. */
static void name_known(char dst[96], const struct kw_memory *memory)
{
    const struct kw_marks *m = memory->marks;
    char file[64];
    name_file(file, m->serial, m->sha256);
    if (m->serial != 0)
        snprintf(dst, 96, "this node has taken %s", file);
    else if (memory->act->n != 0)
        snprintf(dst, 96, "this node has activated version %" PRIu32 " (%s)",
                 memory->act->n, memory->act->key_id);
    else
        snprintf(dst, 96, "this node remembers none that it took");
}

void kw_refusal_words_absent(const char *reason, const struct kw_memory *memory,
                             const struct kw_places *places, struct kw_judgement *ret)
{
    char known[96];
    const char *helps = "there is no last good copy in the state directory either: fetch "
                        "it from another node or a backup, or adopt its keys";
    if (memory->last != NULL)
        helps = "its last good copy lies in the state directory: put it back";
    name_known(known, memory);
    if (reason != NULL)
        kw_note_set(&ret->why, "%.240s; it cannot be read as a keyring, and %s; %s",
                    reason, known, helps);
    else
        kw_note_set(&ret->why, "keyring: %s is not there, and %s; %s", places->keyring,
                    known, helps);
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

/* ... of what this node sealed under it. */
static const char *end_of(const struct kw_version *v, const char *known)
{
    if (v == NULL)
        return "not there";
    if (strcmp(v->key_id, known) != 0)
        return "another key";
    return v->state == KW_KEY_DESTROYED ? "destroyed" : "only created";
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
                    v == NULL
                        ? "keyring: %s has no version %u (%s), which %s has, the one "
                          "this node took last; it was not destroyed and pruned, or "
                          "another version needs its key"
                        : "keyring: in %s version %u (%s) is only created, and in %s, "
                          "which this node took last, data may be sealed under it",
                    f->here, j->n, known, f->seen);
    else if (j->refusal == KW_REFUSED_DESTROYED)
        kw_note_set(&j->why,
                    "keyring: in %s version %u (%s) is destroyed%s, and this node, which "
                    "has wrapped with it and has taken %s, never saw it disabled: what "
                    "it sealed could not be read any more; keep its key in the token, "
                    "and first write that again",
                    f->here, j->n, known, v == NULL ? " and pruned" : "", f->seen);
    else
        kw_note_set(&j->why,
                    "keyring: even trusted, %s is not taken: version %u (%s), under "
                    "which this node has wrapped (%s), is %s in it, and what is sealed "
                    "under it could not be read; this node's last good one goes on",
                    f->here, j->n, known, f->seen, end_of(v, known));
}

/* Of numbers that go back. */
static void explain_number(const struct kw_keyring *ring, const struct kw_marks *m,
                           const struct names *f, struct kw_judgement *j)
{
    if (j->refusal == KW_REFUSED_NEXT_N)
        kw_note_set(&j->why,
                    "keyring: next-n of %s is %u and of %s, which this node took last, "
                    "%u: a number would be given twice",
                    f->here, ring->next_n, f->seen, m->next_n);
    else
        kw_note_set(&j->why,
                    "keyring: the active version of %s is %u and this node has seen %u "
                    "(%s; last %s): the baseline never goes back; make a new version "
                    "with --same-key-as to use an old key again",
                    f->here, ring->active, m->baseline.n, m->baseline.key_id, f->seen);
}

/* Of the version that this node wraps with. */
static void explain_active(const struct kw_keyring *ring, const struct kw_marks *m,
                           const struct names *f, struct kw_judgement *j)
{
    const struct kw_version *v = kw_keyring_by_n(ring, j->n);
    const char *state = v != NULL ? kw_key_state_name(v->state) : "not there";
    bool disabled = v != NULL && v->state == KW_KEY_DISABLED;
    char now[24] = "no version";
    if (j->active != 0)
        snprintf(now, sizeof now, "version %u", j->active);
    kw_note_set(&j->why,
                "keyring: with %s this node would wrap with %s and has wrapped with %u "
                "(%s), which is %s in it: %s",
                f->here, now, m->active.n, m->active.key_id, state,
                disabled ? "enable it again" : "make, accept and activate a later one");
}

void kw_refusal_words(const struct kw_keyring *ring, const char *domain,
                      const struct kw_memory *memory, struct kw_judgement *ret)
{
    const struct kw_marks *m = memory->marks;
    struct names f;
    name_file(f.seen, m->serial, m->sha256);
    name_file(f.here, ring->serial, ring->sha256);
    switch (ret->refusal) {
    case KW_REFUSED_FORK: explain_fork(ring, memory, &f, &ret->why); break;
    case KW_REFUSED_DOMAIN:
    case KW_REFUSED_OLDER:
    case KW_REFUSED_FAR: explain_file(ring, domain, &f, ret); break;
    case KW_REFUSED_RENAMED:
    case KW_REFUSED_LOST:
    case KW_REFUSED_DESTROYED:
    case KW_REFUSED_UNTRUSTED: explain_version(ring, m, &f, ret); break;
    case KW_REFUSED_NEXT_N:
    case KW_REFUSED_BASELINE: explain_number(ring, m, &f, ret); break;
    case KW_REFUSED_ACTIVE: explain_active(ring, m, &f, ret); break;
    case KW_REFUSED_MISSING:
    case KW_REFUSED_DAMAGED:
    case KW_ADMITTED: break;
    }
}
