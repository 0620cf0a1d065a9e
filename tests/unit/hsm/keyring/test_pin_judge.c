/* SPDX-License-Identifier: Apache-2.0 */
/* The decision about a login, over every combination of what can be remembered and
 * told. */
#include "asked.h"

#include <stdio.h>

#define THEN (HOUR * 100) /* when the last unclear end was: CLOCK_BOOTTIME */

static bool same_marks(const struct kw_pin_mark *a, const struct kw_pin_mark *b)
{
    return a->key_len == b->key_len && a->digest_len == b->digest_len &&
           memcmp(a->key, b->key, sizeof a->key) == 0 &&
           memcmp(a->digest, b->digest, sizeof a->digest) == 0;
}

/* ---- every combination ------------------------------------------------------------- */

enum relation { SAME, OTHER, OTHER_KEY, RECORD_NONE, FACTS_NONE, RELATIONS };
static const char *const record_marks[] = {"Ka", "Ka", "La", "", "Ka"};
static const char *const facts_marks[] = {"Ka", "Kb", "Ka", "Ka", ""};
enum tried { NOBODY, LIVES, GONE, TRIEDS };
/* The PINs refused before: none, the one of the facts, as many as fit of others, one
 * under a key that is lost. */
enum refused { NONE, THIS, FULL, OLD_KEY, REFUSEDS };
static const uint32_t unclears[] = {0, 1, 2, 5};
static const int64_t elapsed[] = {0, 10 * KW_S_NS - 1, 10 * KW_S_NS, HOUR - 1, HOUR};
enum { UNCLEARS = 4, ELAPSED = 5 };

struct world {
    struct kw_pin_record record;
    struct kw_pin_facts facts;
    struct kw_moment now;
    enum relation relation;
    enum tried tried;
    enum refused refused;
    int64_t elapsed; /* since the last unclear end, or since this boot */
};

static void refuse_before(struct world *w)
{
    struct kw_pin_record *r = &w->record;
    r->refused_count = w->refused == FULL ? KW_PIN_REFUSED_MAX : w->refused != NONE;
    if (w->refused == THIS && w->relation == FACTS_NONE)
        r->refused_count = 0; /* what has no mark is not remembered */
    for (size_t i = 0; i < r->refused_count; i++) {
        r->refused[i].mark = w->refused == THIS   ? w->facts.mark
                             : w->refused == FULL ? pin_mark_of("Kx")
                                                  : pin_mark_of("Ox");
        snprintf(r->refused[i].label, sizeof r->refused[i].label, "tok");
    }
}

static void fill(struct world *w, unsigned n)
{
    *w = (struct world){.record = {.serial = "00cafe", .label = "tok"}};
    w->relation = (enum relation)(n % RELATIONS);
    n /= RELATIONS;
    w->refused = (enum refused)(n % REFUSEDS);
    n /= REFUSEDS;
    w->tried = (enum tried)(n % TRIEDS);
    n /= TRIEDS;
    struct kw_pin_record *r = &w->record;
    r->unclear = unclears[n % UNCLEARS];
    n /= UNCLEARS;
    w->elapsed = elapsed[n % ELAPSED];
    n /= ELAPSED;
    bool rebooted = n % 2 != 0;
    r->latched = n / 2 % 2 != 0;
    r->proven = n / 4 % 2 != 0;
    r->retry = n / 8 % 2 != 0;
    w->facts.count_low = n / 16 % 2 != 0;
    w->facts.final_try = n / 32 % 2 != 0;
    w->facts.locked = n / 64 % 2 != 0;
    r->mark = pin_mark_of(record_marks[w->relation]);
    w->facts.mark = pin_mark_of(facts_marks[w->relation]);
    snprintf(w->facts.label, sizeof w->facts.label, "tok");
    refuse_before(w);
    w->now = moment(rebooted ? w->elapsed : THEN + w->elapsed);
    snprintf(r->ended_boot, sizeof r->ended_boot, rebooted ? "other-boot" : "this-boot");
    r->ended_ns = THEN;
    if (w->tried != NOBODY) {
        r->tried = (struct kw_pin_owner){"", 55, 5};
        snprintf(r->tried.boot, sizeof r->tried.boot, "%s", r->ended_boot);
        r->tried_ns = THEN;
    }
    if (r->latched) {
        snprintf(r->reason, sizeof r->reason, "CKR_PIN_INCORRECT");
        snprintf(r->at, sizeof r->at, "2026-01-31T12:00:00Z");
    }
}
enum { WORLDS = RELATIONS * REFUSEDS * TRIEDS * UNCLEARS * ELAPSED * 2 * 64 };

static void judge(const struct world *w, struct kw_pin_verdict *v)
{
    kw_pin_judge(&w->record, &w->facts, w->tried == LIVES, &the_asker, &w->now, v);
}

/* The rules once more, as the header has them. */
static enum kw_pin_word expected(const struct world *w)
{
    const struct kw_pin_record *r = &w->record;
    bool latched = r->latched, proven = r->proven, retry = r->retry;
    uint32_t unclear = r->unclear;
    if (w->tried == LIVES)
        return KW_PIN_WAIT;
    if (w->tried == GONE) { /* its end is unclear, and it used up what was owed */
        retry = false;
        latched = latched || !proven;
        unclear += proven ? 1 : 0;
    }
    bool may_be_proven = (proven && w->relation != OTHER) || w->relation == RECORD_NONE;
    may_be_proven = may_be_proven && !latched;
    if (w->relation == OTHER)
        retry = retry || latched || unclear > 0;
    if (w->relation == OTHER)
        latched = false;
    if (w->relation != SAME)
        proven = false;
    if (w->facts.locked || w->facts.final_try)
        return KW_PIN_FLAGS;
    if (w->relation != SAME &&
        (w->refused == FULL || (w->refused == THIS && w->relation != FACTS_NONE) ||
         (w->refused == OLD_KEY && !may_be_proven)))
        return KW_PIN_STOP;
    if (retry)
        return KW_PIN_GO;
    if (latched)
        return KW_PIN_STOP;
    if (!proven)
        return w->facts.count_low ? KW_PIN_FLAGS : KW_PIN_GO;
    if (unclear == 0)
        return KW_PIN_GO;
    if (w->facts.count_low)
        return KW_PIN_FLAGS;
    return w->elapsed >= (unclear == 1 ? 10 * KW_S_NS : HOUR) ? KW_PIN_GO : KW_PIN_LATER;
}

TEST(judge__every_combination__as_the_rules_say)
{
    unsigned words[KW_PIN_WAIT + 1] = {0};
    for (unsigned n = 0; n < WORLDS; n++) {
        struct world w;
        struct kw_pin_verdict v;
        fill(&w, n);
        judge(&w, &v);
        if (v.word != expected(&w))
            fail_msg("combination %u: word %d, expected %d: %s", n, (int)v.word,
                     (int)expected(&w), v.why.text);
        words[v.word]++;
        CHECK((v.word == KW_PIN_GO) == (v.why.text[0] == '\0'));
    }
    for (unsigned i = KW_PIN_GO; i <= KW_PIN_WAIT; i++)
        CHECK(words[i] > 0);
}

TEST(judge__every_combination__go_names_who_tries_what)
{
    for (unsigned n = 0; n < WORLDS; n++) {
        struct world w;
        struct kw_pin_verdict v;
        fill(&w, n);
        judge(&w, &v);
        const struct kw_pin_owner *t = &v.record.tried;
        CHECK_STR(v.record.serial, "00cafe");
        if (v.word == KW_PIN_GO) {
            CHECK(v.changed && t->pid == MINE && t->start == 7);
            CHECK_STR(t->boot, "this-boot");
            CHECK(v.record.tried_ns == w.now.boot_ns);
            CHECK(same_marks(&v.record.mark, &w.facts.mark));
        } else {
            CHECK(t->pid == (w.tried == LIVES ? 55u : 0));
        }
    }
}

/* What a login costs: after any GO and any end, how it goes on with the same PIN. */
TEST(judge__every_go_and_every_end__the_next_word)
{
    for (unsigned n = 0; n < 4 * WORLDS; n++) {
        struct world w;
        struct kw_pin_verdict v, next;
        fill(&w, n / 4);
        w.facts.count_low = false;
        judge(&w, &v);
        if (v.word != KW_PIN_GO)
            continue;
        /* Latched and proven at once is never written; it would stay latched. */
        bool proven = v.record.proven && !v.record.latched;
        enum kw_pin_end end = (enum kw_pin_end)(n % 4 + 1);
        w.record = v.record;
        w.tried = NOBODY;
        if (n % 8 < 4 || end != KW_PIN_UNCLEAR)
            kw_pin_settle(&w.record, end, "said so", &w.now);
        else
            w.tried = GONE; /* nobody was left to settle it */
        judge(&w, &next);
        switch (end) {
        case KW_PIN_WORKED:
        case KW_PIN_NOT_BEGUN: CHECK(next.word == KW_PIN_GO); break;
        case KW_PIN_REFUSED: CHECK(next.word == KW_PIN_STOP); break;
        case KW_PIN_UNCLEAR:
            CHECK(next.word == (proven ? KW_PIN_LATER : KW_PIN_STOP));
            break;
        }
    }
}

/* A human's one command, at whatever was stopped. */
TEST(judge__retry_was_said__goes_unless_the_token_forbids_or_somebody_tries)
{
    for (unsigned n = 0; n < WORLDS; n++) {
        struct world w;
        struct kw_pin_verdict v;
        fill(&w, n);
        if (w.tried != NOBODY)
            continue;
        w.record.retry = true;
        w.record.refused_count = 0;
        judge(&w, &v);
        CHECK(v.word == (w.facts.locked || w.facts.final_try ? KW_PIN_FLAGS : KW_PIN_GO));
    }
}

/* ---- one by one -------------------------------------------------------------------- */

TEST(refused__also_a_proven_one__latched_until_another_pin)
{
    struct kw_note why;
    struct kw_pin_record r = {.serial = "00cafe"};
    CHECK(asked(&r, "Ka", 1, NULL) == KW_PIN_GO);
    ended(&r, KW_PIN_WORKED, 2);
    CHECK(r.proven && asked(&r, "Ka", 3, NULL) == KW_PIN_GO);
    ended(&r, KW_PIN_REFUSED, 4);
    CHECK(r.latched && !r.proven);
    CHECK(asked(&r, "Ka", 1000 * HOUR, &why) == KW_PIN_STOP);
    CHECK_HAS(why.text, "no login is tried since 1970-");
    CHECK_HAS(why.text, "CKR_SO_AND_SO");
    CHECK_HAS(why.text, "keyward pin retry");
    CHECK(asked(&r, "Kb", 1000 * HOUR, NULL) == KW_PIN_GO && !r.latched);
}

TEST(never_proven__any_unclear_end__one_try)
{
    struct kw_pin_record r = {.serial = "00cafe"};
    CHECK(asked(&r, "Ka", 1, NULL) == KW_PIN_GO);
    ended(&r, KW_PIN_UNCLEAR, 2);
    CHECK(r.latched);
    CHECK(asked(&r, "Ka", 1000 * HOUR, NULL) == KW_PIN_STOP);
}

TEST(proven__unclear_ends__ten_seconds_then_hours_and_worked_ends_it)
{
    struct kw_note why;
    struct kw_pin_record r = {
        .serial = "00cafe", .mark = pin_mark_of("Ka"), .proven = true};
    int64_t t = HOUR;
    CHECK(asked(&r, "Ka", t, NULL) == KW_PIN_GO);
    ended(&r, KW_PIN_UNCLEAR, t);
    CHECK(asked(&r, "Ka", t + 10 * KW_S_NS - 1, &why) == KW_PIN_LATER);
    CHECK_HAS(why.text, "CKR_SO_AND_SO");
    CHECK_HAS(why.text, "keyward pin retry");
    for (int i = 0; i < 3; i++) {
        t += i == 0 ? 10 * KW_S_NS : HOUR;
        CHECK(asked(&r, "Ka", t - 1, NULL) == KW_PIN_LATER);
        CHECK(asked(&r, "Ka", t, NULL) == KW_PIN_GO);
        ended(&r, KW_PIN_UNCLEAR, t);
    }
    CHECK(!r.latched && r.proven && r.unclear == 4);
    CHECK(asked(&r, "Ka", t + HOUR, NULL) == KW_PIN_GO);
    ended(&r, KW_PIN_WORKED, t + HOUR);
    CHECK(r.unclear == 0 && r.reason[0] == '\0');
    CHECK(asked(&r, "Ka", t + HOUR, NULL) == KW_PIN_GO);
}

/* Daemon and tool by turns, one of them in a sandbox where the boot has no name: the hour
 * is one of this boot, if it can be. */
TEST(proven__unclear_end_in_a_boot_without_a_name__the_same_pause)
{
    struct kw_moment now = moment(THEN + HOUR - 1);
    struct kw_pin_record r = {.proven = true, .unclear = 2, .ended_ns = THEN};
    kw_copy_str(r.ended_boot, sizeof r.ended_boot, kw_span_str(KW_BOOT_UNKNOWN));
    CHECK(kw_pin_due(&r, &now) == THEN + HOUR);
    kw_copy_str(r.ended_boot, sizeof r.ended_boot, kw_span_str("this-boot"));
    kw_copy_str(now.boot, sizeof now.boot, kw_span_str(KW_BOOT_UNKNOWN));
    CHECK(kw_pin_due(&r, &now) == THEN + HOUR);
    now.boot_ns = THEN - 1; /* an earlier one */
    CHECK(kw_pin_due(&r, &now) == HOUR);
    kw_copy_str(r.ended_boot, sizeof r.ended_boot, kw_span_str(KW_BOOT_UNKNOWN));
    CHECK(kw_pin_due(&r, &now) == HOUR);
}

TEST(no_key_for_once__what_is_latched_stays_comparable)
{
    struct kw_pin_record r = {.mark = pin_mark_of("Ka"), .latched = true};
    CHECK(asked(&r, "", 1, NULL) == KW_PIN_STOP);
    CHECK(asked(&r, "Ka", 1, NULL) == KW_PIN_STOP);
    CHECK(asked(&r, "Kb", 1, NULL) == KW_PIN_GO);
}

TEST(two_wrong_pins_by_turns__one_login_each)
{
    static const char *const turns[] = {"Ka", "Kb", "Ka", "Kb", "Ka", "Kb", NULL};
    struct kw_note why;
    struct kw_pin_record r = {.serial = "00cafe"};
    CHECK(logins_of(&r, turns) == 2);
    CHECK(asked(&r, "Ka", 1, &why) == KW_PIN_STOP);
    CHECK_HAS(why.text, "was refused or stopped here before");
    CHECK_HAS(why.text, "keyward pin retry");
    CHECK(asked(&r, "Kc", 1, NULL) == KW_PIN_GO); /* that one is new */
    ended(&r, KW_PIN_WORKED, 2);
    CHECK(asked(&r, "Ka", 3, NULL) == KW_PIN_STOP); /* a login that worked forgets none */
    CHECK(asked(&r, "Kc", 4, NULL) == KW_PIN_GO);
}

TEST(never_proven_unclear_by_turns__one_login_each)
{
    struct kw_pin_record r = {.serial = "00cafe"};
    CHECK(asked(&r, "Ka", 1, NULL) == KW_PIN_GO);
    ended(&r, KW_PIN_UNCLEAR, 2);
    CHECK(asked(&r, "Kb", 3, NULL) == KW_PIN_GO); /* whose process is gone */
    CHECK(asked(&r, "Ka", 4, NULL) == KW_PIN_STOP);
    CHECK(asked(&r, "Kb", 5, NULL) == KW_PIN_STOP);
    CHECK(r.refused_count == 2);
}

/* A PIN between that was never tried lifts nothing either, whatever is owed to it. */
TEST(refused__another_one_not_begun_between__still_stopped)
{
    struct kw_pin_record r = {.serial = "00cafe"};
    CHECK(asked(&r, "Ka", 1, NULL) == KW_PIN_GO);
    ended(&r, KW_PIN_REFUSED, 2);
    CHECK(asked(&r, "Kb", 3, NULL) == KW_PIN_GO);
    ended(&r, KW_PIN_NOT_BEGUN, 4);
    CHECK(r.retry && asked(&r, "Ka", 5, NULL) == KW_PIN_STOP);
    CHECK(asked(&r, "Kb", 6, NULL) == KW_PIN_GO);
}

TEST(as_many_refused_as_are_remembered__any_further_one_is_stopped)
{
    static const char *const all[] = {"Ka", "Kb", "Kc", "Kd", "Ke", "Kf",
                                      "Ka", "Kb", "Kd", "Ke", NULL};
    struct kw_note why;
    struct kw_pin_record r = {.serial = "00cafe"};
    CHECK(logins_of(&r, all) == KW_PIN_REFUSED_MAX);
    CHECK(asked(&r, "Kg", 1, &why) == KW_PIN_STOP);
    CHECK_HAS(why.text, "4 other PINs were refused or stopped here");
    CHECK(asked(&r, "", 1, NULL) == KW_PIN_STOP);
    CHECK(asked(&r, "Lg", 1, NULL) == KW_PIN_STOP);
}

/* Two partitions may have one serial: what one refused, the other may take. */
TEST(refused__token_of_another_label__tried)
{
    struct kw_pin_verdict v;
    struct kw_pin_facts f = facts_of("Ka");
    struct kw_moment now = moment(9);
    struct kw_pin_record r = {.serial = "00cafe"};
    CHECK(asked(&r, "Ka", 1, NULL) == KW_PIN_GO);
    ended(&r, KW_PIN_REFUSED, 2);
    CHECK(asked(&r, "Kb", 3, NULL) == KW_PIN_GO);
    ended(&r, KW_PIN_WORKED, 4);
    kw_copy_str(f.label, sizeof f.label, kw_span_str("other"));
    kw_pin_judge(&r, &f, false, &the_asker, &now, &v);
    CHECK(v.word == KW_PIN_GO);
    CHECK(asked(&r, "Ka", 5, NULL) == KW_PIN_STOP);
}

/* The word comes late that it was the right one: it is no refused one any more. */
TEST(stopped_and_then_known_to_have_worked__tried_again)
{
    struct kw_pin_record r = {.serial = "00cafe"};
    CHECK(asked(&r, "Ka", 1, NULL) == KW_PIN_GO);
    ended(&r, KW_PIN_UNCLEAR, 2);
    ended(&r, KW_PIN_WORKED, 3);
    CHECK(asked(&r, "Kb", 4, NULL) == KW_PIN_GO);
    ended(&r, KW_PIN_WORKED, 5);
    CHECK(asked(&r, "Ka", 6, NULL) == KW_PIN_GO && r.refused_count == 0);
}

TEST(began_and_gone__reason_names_the_process)
{
    struct kw_note why;
    struct kw_pin_record r = {.mark = pin_mark_of("Ka")};
    CHECK(asked(&r, "Ka", 1, NULL) == KW_PIN_GO);
    CHECK(asked(&r, "Ka", 2, &why) == KW_PIN_STOP);
    CHECK_HAS(why.text, "process 77 began a login");
}

TEST(somebody_tries__named)
{
    struct kw_pin_verdict v;
    struct kw_pin_record r = {.mark = pin_mark_of("Ka"), .proven = true};
    struct kw_pin_facts f = facts_of("Ka");
    struct kw_moment now = moment(1);
    CHECK(asked(&r, "Ka", 1, NULL) == KW_PIN_GO);
    kw_pin_judge(&r, &f, true, &the_asker, &now, &v);
    CHECK(v.word == KW_PIN_WAIT && !v.changed);
    CHECK_HAS(v.why.text, "process 77");
}

TEST(end_of__pin_errors_refused__all_others_unclear)
{
    CHECK(kw_pin_end_of(KW_OK, false) == KW_PIN_WORKED);
    CHECK(kw_pin_end_of(KW_OK, true) == KW_PIN_NOT_BEGUN);
    for (int c = KW_CODE_BAD_INPUT; c < KW_CODE_COUNT; c++)
        CHECK(kw_pin_end_of(kw_err_at((enum kw_code)c, "C_Login"), false) ==
              (c == KW_CODE_PIN_STOP ? KW_PIN_REFUSED : KW_PIN_UNCLEAR));
}

KW_CASES("hsm/keyring/pin_judge", CASE(judge__every_combination__as_the_rules_say),
         CASE(judge__every_combination__go_names_who_tries_what),
         CASE(judge__every_go_and_every_end__the_next_word),
         CASE(judge__retry_was_said__goes_unless_the_token_forbids_or_somebody_tries),
         CASE(refused__also_a_proven_one__latched_until_another_pin),
         CASE(never_proven__any_unclear_end__one_try),
         CASE(proven__unclear_ends__ten_seconds_then_hours_and_worked_ends_it),
         CASE(proven__unclear_end_in_a_boot_without_a_name__the_same_pause),
         CASE(no_key_for_once__what_is_latched_stays_comparable),
         CASE(two_wrong_pins_by_turns__one_login_each),
         CASE(never_proven_unclear_by_turns__one_login_each),
         CASE(refused__another_one_not_begun_between__still_stopped),
         CASE(as_many_refused_as_are_remembered__any_further_one_is_stopped),
         CASE(refused__token_of_another_label__tried),
         CASE(stopped_and_then_known_to_have_worked__tried_again),
         CASE(began_and_gone__reason_names_the_process), CASE(somebody_tries__named),
         CASE(end_of__pin_errors_refused__all_others_unclear))
