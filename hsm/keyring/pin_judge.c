/* SPDX-License-Identifier: Apache-2.0 */
/* pin_judge - whether a login may be tried: record and facts in, verdict out; pure */
#include <keyward/pin_latch.h>

#include <assert.h>
#include <stdio.h>
#include <string.h>

#define FIRST_PAUSE_NS (10 * KW_S_NS)
#define LATER_PAUSE_NS (3600 * KW_S_NS)

#define REMEDY                                                                           \
    "one more could lock the token: put the right PIN where the configuration's `pin` "  \
    "points, or, when it is the right one, say keyward pin retry"

#define AS_MANY "4"
static_assert(KW_PIN_REFUSED_MAX == 4, "AS_MANY says how many");

/* ---- which PIN --------------------------------------------------------------------- */

static bool has_mark(const struct kw_pin_mark *m)
{
    return m->key_len == sizeof m->key && m->digest_len == sizeof m->digest;
}

static bool can_compare(const struct kw_pin_mark *a, const struct kw_pin_mark *b)
{
    return has_mark(a) && has_mark(b) &&
           kw_span_equal(kw_span_of(a->key, sizeof a->key),
                         kw_span_of(b->key, sizeof b->key));
}

static bool pin_judge_is_same(const struct kw_pin_mark *a, const struct kw_pin_mark *b)
{
    return kw_equal_ct(kw_span_of(a->digest, sizeof a->digest),
                       kw_span_of(b->digest, sizeof b->digest));
}

/* ---- PINs that were latched -------------------------------------------------------- */

static struct kw_pin_refused *find_refused(struct kw_pin_record *r, const char *label,
                                           const struct kw_pin_mark *mark)
{
    for (size_t i = 0; i < r->refused_count; i++) {
        struct kw_pin_refused *p = &r->refused[i];
        if (can_compare(&p->mark, mark) && pin_judge_is_same(&p->mark, mark) &&
            (label == NULL || strcmp(p->label, label) == 0))
            return p;
    }
    return NULL;
}

static bool pin_judge_refuse(struct kw_pin_record *r, const char *label,
                             const struct kw_pin_mark *mark)
{
    if (!has_mark(mark) || r->refused_count == KW_PIN_REFUSED_MAX ||
        find_refused(r, label, mark) != NULL)
        return false;
    struct kw_pin_refused *p = &r->refused[r->refused_count++];
    *p = (struct kw_pin_refused){.mark = *mark};
    kw_copy_str(p->label, sizeof p->label, kw_span_str(label));
    return true;
}

bool kw_pin_refuse(struct kw_pin_record *r, const struct kw_pin_facts *facts)
{
    return pin_judge_refuse(r, facts->label, &facts->mark);
}

static void forgive(struct kw_pin_record *r)
{
    struct kw_pin_refused *p = find_refused(r, r->label, &r->mark);
    if (p == NULL)
        return;
    struct kw_pin_refused *last = &r->refused[--r->refused_count];
    *p = *last;
    *last = (struct kw_pin_refused){.label = ""};
}

/* One that was latched under a key that is gone may be any PIN that is read now. */
static bool has_unknown(const struct kw_pin_record *r, const struct kw_pin_facts *f)
{
    for (size_t i = 0; i < r->refused_count; i++)
        if (!can_compare(&r->refused[i].mark, &f->mark) &&
            strcmp(r->refused[i].label, f->label) == 0)
            return true;
    return false;
}

/* Counts the PIN that was read as the last one, which it cannot be compared with?  A
 * latched one: when no other was refused, as that one is stopped either way.  One that
 * has worked: what was refused before it, the token counts no more. */
static bool counts_as_last(const struct kw_pin_record *r, const struct kw_pin_facts *f)
{
    if (can_compare(&r->mark, &f->mark))
        return false;
    if (!r->latched) /* without a mark: it has worked, and was read without a key since */
        return r->proven || !has_mark(&r->mark);
    return r->refused_count == 1 && can_compare(&r->refused[0].mark, &r->mark) &&
           pin_judge_is_same(&r->refused[0].mark, &r->mark);
}

/* The latched PIN counts as the one that was read, under the key that there is now. */
static void refuse_instead(struct kw_pin_record *r, const struct kw_pin_facts *f)
{
    struct kw_pin_refused *p = find_refused(r, NULL, &r->mark);
    if (p == NULL || !has_mark(&f->mark)) {
        (void)kw_pin_refuse(r, f);
        return;
    }
    *p = (struct kw_pin_refused){.mark = f->mark};
    kw_copy_str(p->label, sizeof p->label, kw_span_str(f->label));
}

/* ---- what became of a login -------------------------------------------------------- */

enum kw_pin_end kw_pin_end_of(kw_err login, bool was_in)
{
    if (!kw_failed(login))
        return was_in ? KW_PIN_NOT_BEGUN : KW_PIN_WORKED;
    return login.code == KW_CODE_PIN_STOP ? KW_PIN_REFUSED : KW_PIN_UNCLEAR;
}

static void latch(struct kw_pin_record *r)
{
    r->latched = true;
    (void)pin_judge_refuse(r, r->label, &r->mark);
}

/* `at` is a moment of this boot or of an earlier one. */
static void end_unclear(struct kw_pin_record *r, const char *boot, int64_t at_ns)
{
    if (!r->proven) {
        latch(r);
        return;
    }
    if (r->unclear < UINT32_MAX)
        r->unclear++;
    kw_copy_str(r->ended_boot, sizeof r->ended_boot, kw_span_str(boot));
    r->ended_ns = at_ns;
}

static void set_reason(struct kw_pin_record *r, const char *reason, int64_t wall_ns)
{
    kw_copy_str(r->reason, sizeof r->reason, kw_span_str(reason));
    kw_time_text(r->at, wall_ns);
}

void kw_pin_settle(struct kw_pin_record *r, enum kw_pin_end end, const char *reason,
                   const struct kw_moment *now)
{
    r->tried = (struct kw_pin_owner){0};
    r->tried_ns = 0;
    if (end == KW_PIN_NOT_BEGUN)
        return;
    r->retry = false;
    if (end == KW_PIN_UNCLEAR) {
        end_unclear(r, now->boot, now->boot_ns);
    } else {
        r->proven = end == KW_PIN_WORKED;
        r->latched = false;
        r->unclear = 0;
        r->ended_boot[0] = '\0';
        r->ended_ns = 0;
    }
    if (end == KW_PIN_WORKED)
        forgive(r);
    else if (end == KW_PIN_REFUSED)
        latch(r);
    set_reason(r, end == KW_PIN_WORKED ? "" : reason, now->wall_ns);
}

void kw_pin_settle_orphan(struct kw_pin_record *r, const struct kw_moment *now)
{
    struct kw_moment then = *now;
    kw_copy_str(then.boot, sizeof then.boot, kw_span_str(r->tried.boot));
    then.boot_ns = r->tried_ns;
    char reason[sizeof r->reason];
    snprintf(reason, sizeof reason,
             "process %u began a login and ended before it was known how that went",
             (unsigned)r->tried.pid);
    kw_pin_settle(r, KW_PIN_UNCLEAR, reason, &then);
}

int64_t kw_pin_due(const struct kw_pin_record *r, const struct kw_moment *now)
{
    if (!r->proven || r->unclear == 0)
        return 0;
    int64_t pause = r->unclear == 1 ? FIRST_PAUSE_NS : LATER_PAUSE_NS;
    /* Of another boot: at the latest, it ended when this one began.  Where boots have no
     * names, what is still to come cannot be of this one. */
    bool same_boot = kw_boot_is(r->ended_boot, now->boot) && r->ended_ns <= now->boot_ns;
    return (same_boot ? r->ended_ns : 0) + pause;
}

kw_err kw_pin_word_err(enum kw_pin_word word)
{
    switch (word) {
    case KW_PIN_GO: return KW_OK;
    case KW_PIN_STOP: return kw_err_at(KW_CODE_PIN_STOP, "pin latch");
    case KW_PIN_FLAGS: return kw_err_at(KW_CODE_PIN_STOP, "C_GetTokenInfo");
    case KW_PIN_LATER: return kw_err_at(KW_CODE_HSM_DOWN, "pin latch");
    case KW_PIN_WAIT: break;
    }
    return kw_err_at(KW_CODE_BUSY, "pin latch");
}

/* ---- another PIN, or the same ------------------------------------------------------ */

static void unprove(struct kw_pin_record *r)
{
    r->proven = false;
    r->unclear = 0;
    r->ended_boot[0] = '\0';
    r->ended_ns = 0;
}

/* Why a PIN that is not the last one is not tried; NULL: nothing is against it. */
static const char *barred(struct kw_pin_record *r, const struct kw_pin_facts *f)
{
    if (find_refused(r, f->label, &f->mark) != NULL)
        return "this PIN was refused or stopped here before; another one in between does "
               "not lift that";
    if (r->refused_count == KW_PIN_REFUSED_MAX)
        return AS_MANY " other PINs were refused or stopped here since keyward pin retry "
                       "was said last";
    if (has_unknown(r, f) && !counts_as_last(r, f))
        return "a PIN was refused or stopped here under a key that is gone (the machine "
               "restarted): who knows whether it is this one";
    return NULL;
}

/* Makes the record one about the PIN that was read.  true: the record is another now. */
static bool turn_to(struct kw_pin_record *r, const struct kw_pin_facts *f,
                    const struct kw_moment *now)
{
    bool comparable = can_compare(&r->mark, &f->mark);
    if (comparable && pin_judge_is_same(&r->mark, &f->mark))
        return false;
    const char *bar = barred(r, f);
    if (bar != NULL) {
        r->latched = true;
        r->retry = false;
        set_reason(r, bar, now->wall_ns);
    } else if (comparable) {
        r->retry = r->retry || r->latched || r->unclear > 0; /* a human has acted */
        r->latched = false;
        r->reason[0] = r->at[0] = '\0';
    } else if (r->latched) {
        refuse_instead(r, f);
    }
    unprove(r);
    if (!has_mark(&f->mark))
        return comparable || bar != NULL;
    r->mark = f->mark; /* from now on another PIN can be told from this one */
    return true;
}

/* ---- the verdict ------------------------------------------------------------------- */

static void pin_judge_say(struct kw_pin_verdict *v, enum kw_pin_word word,
                          const char *why, const char *what_to_do)
{
    v->word = word;
    kw_note_set(&v->why, "%s; %s", why, what_to_do);
}

static void say_latched(struct kw_pin_verdict *v)
{
    const struct kw_pin_record *r = &v->record;
    v->word = KW_PIN_STOP;
    kw_note_set(&v->why, "no login is tried since %s: %s; " REMEDY, r->at, r->reason);
}

static void say_wait(struct kw_pin_verdict *v)
{
    v->word = KW_PIN_WAIT;
    kw_note_set(&v->why,
                "process %u is logging in to this token right now; nobody else may "
                "before it is known how that went: try again in a moment",
                (unsigned)v->record.tried.pid);
}

static void say_later(struct kw_pin_verdict *v, const struct kw_moment *now)
{
    char when[KW_TIME_TEXT];
    int64_t due = kw_pin_due(&v->record, now);
    kw_time_text(when, now->wall_ns + (due - now->boot_ns));
    v->word = KW_PIN_LATER;
    v->not_before_ns = due;
    kw_note_set(&v->why,
                "the end of the last login is unclear (%s); the next one is tried at %s, "
                "or when keyward pin retry is said",
                v->record.reason, when);
}

/* What the token itself says; nobody's word overrides it. */
static bool flags_forbid(struct kw_pin_verdict *v, const struct kw_pin_facts *f)
{
    if (f->locked)
        pin_judge_say(v, KW_PIN_FLAGS, "the token says that its user PIN is locked",
                      "no login is tried: the token's security officer must unlock it");
    else if (f->final_try)
        pin_judge_say(
            v, KW_PIN_FLAGS, "the token says that one more wrong PIN locks it",
            "no login is tried: prove the PIN with the vendor's own tool, which clears "
            "this");
    return f->locked || f->final_try;
}

static bool count_low_forbids(struct kw_pin_verdict *v, const struct kw_pin_facts *f)
{
    const struct kw_pin_record *r = &v->record;
    if (!f->count_low || (r->proven && r->unclear == 0))
        return false;
    pin_judge_say(
        v, KW_PIN_FLAGS,
        r->proven
            ? "the token has counted a wrong PIN, and the end of the last login is "
              "unclear"
            : "the token has counted a wrong PIN, and this PIN has never worked here",
        "no login is tried: prove it with the vendor's own tool, which clears this, or "
        "say keyward pin retry");
    return true;
}

static void pin_judge_decide(struct kw_pin_verdict *v, const struct kw_pin_facts *f,
                             const struct kw_moment *now)
{
    const struct kw_pin_record *r = &v->record;
    v->word = KW_PIN_GO;
    if (flags_forbid(v, f) || r->retry)
        return;
    if (r->latched)
        say_latched(v);
    else if (!count_low_forbids(v, f) && now->boot_ns < kw_pin_due(r, now))
        say_later(v, now);
}

static void go(struct kw_pin_record *r, const struct kw_pin_facts *f,
               const struct kw_pin_owner *asker, const struct kw_moment *now)
{
    r->mark = f->mark;
    kw_copy_str(r->label, sizeof r->label, kw_span_str(f->label));
    r->tried = *asker;
    r->tried_ns = now->boot_ns;
}

void kw_pin_judge(const struct kw_pin_record *record, const struct kw_pin_facts *facts,
                  bool tried_lives, const struct kw_pin_owner *asker,
                  const struct kw_moment *now, struct kw_pin_verdict *ret)
{
    *ret = (struct kw_pin_verdict){.record = *record};
    struct kw_pin_record *r = &ret->record;
    bool orphan = r->tried.pid != 0;
    if (orphan && tried_lives) {
        say_wait(ret);
        return;
    }
    if (orphan)
        kw_pin_settle_orphan(r, now);
    const struct kw_pin_record settled = *r;
    bool turned = turn_to(r, facts, now);
    pin_judge_decide(ret, facts, now);
    if (ret->word == KW_PIN_GO)
        go(r, facts, asker, now);
    else if (ret->word != KW_PIN_STOP)
        *r = settled; /* nothing that was not tried is remembered */
    ret->changed =
        orphan || ret->word == KW_PIN_GO || (turned && ret->word == KW_PIN_STOP);
}
