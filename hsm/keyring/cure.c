/* SPDX-License-Identifier: Apache-2.0 */
/* cure - the ways out of each refusal, as commands; none that would be refused in turn */
#include "refuse.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* The end of the text so far. */
struct text {
    char *at;
    size_t room;
};

/* A line that does not fit is left out whole: half a command is worse than none. */
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

enum { QUOTED = 4 * KW_PATH_MAX + 3 };

static bool is_plain(uint8_t c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           strchr("/._-+@%:,", c) != NULL;
}

/* `path` and `end`, in quotes when a shell would read more into it. */
static const char *quote(char dst[QUOTED], const char *path, const char *end)
{
    char whole[KW_PATH_MAX + 16];
    snprintf(whole, sizeof whole, "%s%s", path, end);
    if (kw_span_all(kw_span_str(whole), is_plain)) {
        snprintf(dst, QUOTED, "%s", whole);
        return dst;
    }
    struct text t = {dst, QUOTED};
    add(&t, "'");
    for (const char *c = whole; *c != '\0'; c++)
        add(&t, *c == '\'' ? "'\\''" : "%c", *c);
    add(&t, "'");
    return dst;
}

/* ---- the ways out ---- */

/* scp and cp tear a file that is being read: a rename does not. */
static void install(struct text *t, const char *from, const struct kw_places *p)
{
    char beside[QUOTED], ring[QUOTED];
    quote(beside, p->keyring, ".new");
    quote(ring, p->keyring, "");
    add(t, "install -m 0644 %s %s && mv %s %s\n", from, beside, beside, ring);
}

static void put_back(struct text *t, const struct kw_places *p)
{
    char from[QUOTED];
    install(t, quote(from, p->state, "/keyring.json"), p);
}

static void trust_it(struct text *t, const struct kw_refusal_facts *c)
{
    char hex[65], path[QUOTED];
    kw_hex(hex, sizeof hex, kw_span_of(c->ring->sha256, 32));
    add(t, "keyward keyring trust %s --sha256 %s\n", quote(path, c->places->keyring, ""),
        hex);
}

static void fetch(struct text *t, const struct kw_refusal_facts *c)
{
    const struct kw_marks *m = c->memory->marks;
    char hex[13];
    kw_hex(hex, sizeof hex, kw_span_of(m->sha256, 6));
    if (m->serial == 0)
        add(t,
            "# fetch the keyring of domain %s from another node or a backup as FILE, "
            "then:\n",
            c->domain);
    else
        add(t,
            "# fetch the keyring, serial %" PRIu64 " (sha256 %s...) or what follows it, "
            "from another node or a backup as FILE, then:\n",
            m->serial, hex);
    install(t, "FILE", c->places);
}

/* Those that the ring lacks; destroyed ones stay away. */
static void adopt_lost(struct text *t, const struct kw_refusal_facts *c)
{
    const struct kw_marks *m = c->memory->marks;
    add(t, "# when nobody has it, with an older backup of it as FILE:\n");
    for (size_t i = 0; i < m->count; i++)
        if (strcmp(m->versions[i].state, "destroyed") != 0 &&
            (c->ring == NULL || kw_keyring_by_n(c->ring, m->versions[i].id.n) == NULL))
            add(t, "keyward key create --adopt %s --keyring-backup FILE\n",
                m->versions[i].id.key_id);
}

static void choose(struct text *t, const struct kw_refusal_facts *c)
{
    add(t, "# compare it with the keyrings of the other nodes first (keyward keyring "
           "compare)\n# when the others hold what lies here now:\n");
    trust_it(t, c);
    if (c->last_helps) {
        add(t, "# when they hold what this node took last:\n");
        put_back(t, c->places);
    }
}

static void go_on(struct text *t, const struct kw_refusal_facts *c)
{
    uint32_t n = c->memory->marks->active.n;
    const struct kw_version *v = kw_keyring_by_n(c->ring, n);
    if (c->ring->critical_count > 0)
        add(t, "# with the newer keyward that wrote the keyring:\n");
    if (v != NULL && v->state == KW_KEY_DISABLED)
        add(t, "keyward key enable %u\n", n);
    else if (v != NULL && kw_key_state_wraps(v->state))
        add(t, "keyward key activate %u --now --only-copy\n", n);
    else
        add(t,
            "keyward key create\nkeyward key accept %u\nkeyward key activate %u "
            "--baseline --now --only-copy\n",
            c->ring->next_n, c->ring->next_n);
}

static void bring_the_right_file(struct text *t, const struct kw_refusal_facts *c)
{
    if (c->last_helps)
        put_back(t, c->places);
    else
        fetch(t, c);
}

void kw_refusal_cure(const struct kw_refusal_facts *c, struct kw_judgement *ret)
{
    struct text t = {ret->cure, sizeof ret->cure};
    switch (ret->refusal) {
    case KW_REFUSED_OLDER:
    case KW_REFUSED_FORK:
        if (c->trust_helps)
            choose(&t, c);
        else
            bring_the_right_file(&t, c);
        break;
    case KW_REFUSED_FAR:
        if (c->trust_helps)
            trust_it(&t, c);
        else
            bring_the_right_file(&t, c);
        break;
    case KW_REFUSED_MISSING:
    case KW_REFUSED_LOST:
        bring_the_right_file(&t, c);
        if (!c->last_helps)
            adopt_lost(&t, c);
        break;
    case KW_REFUSED_ACTIVE: go_on(&t, c); break;
    case KW_REFUSED_DOMAIN:
    case KW_REFUSED_RENAMED:
    case KW_REFUSED_NEXT_N:
    case KW_REFUSED_BASELINE:
    case KW_REFUSED_UNTRUSTED: bring_the_right_file(&t, c); break;
    case KW_ADMITTED: break;
    }
}
