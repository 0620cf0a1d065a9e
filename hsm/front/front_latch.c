/* SPDX-License-Identifier: Apache-2.0 */
/* The front's end of the PIN latch. */
#include "front_latch.h"

#include <poll.h>
#include <string.h>
#include <sys/stat.h>

#include <keyward/log.h>

#define LOOK_EVERY_NS KW_S_NS
#define FLAGS_AGAIN_NS (60 * KW_S_NS) /* the vendor's own tool may have cleared them */

kw_err kw_latch_open(struct kw_latch *latch, struct kw_state_dir *dir, const char *status,
                     const struct kw_clock *clock, const char *pin, struct kw_note *note)
{
    *latch = (struct kw_latch){.book = {.state = dir, .clock = clock}};
    kw_err e = kw_pin_source_path(pin, latch->path, note);
    if (status == NULL || !kw_pin_runtime(status, latch->runtime))
        latch->runtime[0] = '\0';
    latch->book.runtime = latch->runtime;
    return e;
}

/* ---- the key ----------------------------------------------------------------------- */

static void log_key(struct kw_latch *latch, kw_err e, const struct kw_note *note)
{
    if (strcmp(note->text, latch->key_told.text) == 0)
        return;
    latch->key_told = *note;
    if (note->text[0] != '\0')
        kw_log(KW_LOG_WARN, kw_failed(e) ? "pin-key-missing" : "pin-key-on-disk",
               KW_ERR("err", e), KW_STR("why", note->text));
}

void kw_latch_key(struct kw_latch *latch, struct kw_secret *ret_key)
{
    struct kw_note note = {{0}};
    kw_err e = latch->runtime[0] != '\0' ? kw_pin_key(latch->runtime, ret_key, &note)
                                         : kw_err_at(KW_CODE_MISSING, "pin key");
    if (kw_failed(e) && note.text[0] == '\0')
        kw_note_set(&note, "there is no runtime directory");
    if (!kw_failed(e) && !kw_pin_runtime_is_volatile(latch->runtime))
        kw_note_set(
            &note,
            "%s is on a disk: whoever gets a copy of it can guess a short PIN; put "
            "the status socket on a tmpfs (/run)",
            latch->runtime);
    log_key(latch, e, &note);
}

/* ---- what is known ----------------------------------------------------------------- */

static void pin_latch_stop(struct kw_latch *latch, kw_err why, const char *reason,
                           int64_t until_ns)
{
    latch->why = why;
    latch->not_before_ns = until_ns;
    (void)kw_pin_changed(&latch->book, &latch->stopped_by);
    kw_note_set(&latch->reason, "%s", reason);
}

static void free_to_start(struct kw_latch *latch)
{
    latch->why = KW_OK;
    latch->reason.text[0] = '\0';
}

/* Of the token that a worker told last; what cannot be read is found out by asking. */
static void read_record(struct kw_latch *latch, const char *serial, const char *label)
{
    struct kw_pin_record record;
    (void)kw_pin_changed(&latch->book, &latch->seen);
    if (!kw_failed(kw_pin_look(&latch->book, serial, label, &record, NULL)))
        latch->record = record;
}

static bool knows_token(const struct kw_latch *latch)
{
    return latch->record.serial[0] != '\0' || latch->record.label[0] != '\0';
}

/* The source as stat(2) shows it now; all zero when it is not there. */
static struct kw_pin_source look_at_source(const struct kw_latch *latch)
{
    struct stat st;
    return stat(latch->path, &st) == 0 ? kw_pin_source_of(&st)
                                       : (struct kw_pin_source){0};
}

/* A source that is gone is no other PIN: what was stopped stays so until it is back. */
static bool source_changed(const struct kw_latch *latch)
{
    static const struct kw_pin_source gone;
    const struct kw_pin_source now = look_at_source(latch);
    return !kw_pin_source_same(&now, &gone) &&
           !kw_pin_source_same(&now, &latch->stopped_at);
}

bool kw_latch_may_start(struct kw_latch *latch)
{
    if (!kw_failed(latch->why))
        return true;
    if (source_changed(latch) || kw_pin_changed(&latch->book, &latch->stopped_by) ||
        kw_boot_ns(latch->book.clock) >= latch->not_before_ns) {
        free_to_start(latch);
        return true;
    }
    return false;
}

bool kw_latch_is_latched(const struct kw_latch *latch)
{
    return latch->record.latched || latch->why.code == KW_CODE_PIN_STOP;
}

const char *kw_latch_reason(const struct kw_latch *latch)
{
    return kw_failed(latch->why) ? latch->reason.text : latch->record.reason;
}

/* ---- asking ------------------------------------------------------------------------ */

static kw_err word_of(struct kw_latch *latch, const struct kw_pin_verdict *v)
{
    int64_t now = kw_boot_ns(latch->book.clock);
    kw_err e = kw_pin_word_err(v->word);
    switch (v->word) {
    case KW_PIN_GO: free_to_start(latch); break;
    case KW_PIN_STOP: pin_latch_stop(latch, e, v->why.text, INT64_MAX); break;
    case KW_PIN_FLAGS: pin_latch_stop(latch, e, v->why.text, now + FLAGS_AGAIN_NS); break;
    case KW_PIN_LATER: pin_latch_stop(latch, e, v->why.text, v->not_before_ns); break;
    case KW_PIN_WAIT: break;
    }
    return e;
}

static void pay(struct kw_latch *latch);

/* What is not on disk cannot be judged: it may be that this very PIN was refused. */
static bool owes(const struct kw_latch *latch, struct kw_note *why)
{
    if (latch->lost_one)
        kw_note_set(why, "how an earlier login ended could not be written down and is "
                         "not known any more: no login is tried; mend the state "
                         "directory, then restart keywardd");
    else if (latch->debt_count > 0)
        kw_note_set(why,
                    "how an earlier login ended is not written down yet (%.300s): no "
                    "other one is tried before it is",
                    latch->owed_why.text);
    return latch->lost_one || latch->debt_count > 0;
}

kw_err kw_latch_ask(struct kw_latch *latch, const struct kw_pin_facts *facts,
                    const struct kw_pin_owner *owner, struct kw_note *why)
{
    struct kw_pin_verdict v;
    pay(latch);
    if (owes(latch, why))
        return kw_err_at(KW_CODE_BUSY, "pin latch");
    kw_err e = kw_pin_ask(&latch->book, facts, owner, &v, why);
    if (kw_failed(e))
        return e;
    latch->record = v.record;
    latch->stopped_at = facts->source;
    (void)kw_pin_changed(&latch->book, &latch->seen);
    *why = v.why;
    if (v.unwritten.text[0] != '\0')
        kw_log(KW_LOG_WARN, "pin-marker-in-runtime", KW_STR("folder", latch->runtime),
               KW_STR("why", v.unwritten.text));
    return word_of(latch, &v);
}

/* ---- the end of a login ------------------------------------------------------------ */

/* What the record now says is known without asking: no worker is started in vain. */
static void conclude(struct kw_latch *latch, const struct kw_pin_owner *owner)
{
    const struct kw_pin_record *r = &latch->record;
    struct kw_moment now = {.boot_ns = kw_boot_ns(latch->book.clock)};
    kw_copy_str(now.boot, sizeof now.boot, kw_span_str(owner->boot));
    int64_t due = kw_pin_due(r, &now);
    free_to_start(latch);
    if (r->latched)
        pin_latch_stop(latch, kw_err_at(KW_CODE_PIN_STOP, "pin latch"), r->reason,
                       INT64_MAX);
    else if (due > now.boot_ns)
        pin_latch_stop(latch, kw_err_at(KW_CODE_HSM_DOWN, "pin latch"), r->reason, due);
}

static bool write_down(struct kw_latch *latch, const struct kw_latch_debt *d)
{
    struct kw_note note = {{0}};
    kw_err e =
        kw_pin_settled(&latch->book, &d->facts, &d->owner, d->end, d->reason, &note);
    if (kw_failed(e) && e.code != KW_CODE_BUSY)
        kw_log(KW_LOG_ERROR, "pin-latch-not-saved", KW_ERR("err", e),
               KW_STR("why", note.text));
    latch->owed_why = note;
    if (!kw_failed(e)) {
        read_record(latch, d->facts.serial, d->facts.label);
        conclude(latch, &d->owner);
    }
    return !kw_failed(e);
}

static void pay(struct kw_latch *latch)
{
    while (latch->debt_count > 0 && write_down(latch, &latch->debts[0])) {
        latch->debt_count--;
        for (size_t i = 0; i < latch->debt_count; i++)
            latch->debts[i] = latch->debts[i + 1];
    }
}

/* In memory it holds at once, also when it cannot be written down. */
static void conclude_in_memory(struct kw_latch *latch, const struct kw_latch_debt *d)
{
    struct kw_moment now = {.boot_ns = kw_boot_ns(latch->book.clock),
                            .wall_ns = kw_wall_ns(latch->book.clock)};
    kw_copy_str(now.boot, sizeof now.boot, kw_span_str(d->owner.boot));
    kw_pin_settle(&latch->record, d->end, d->reason, &now);
    conclude(latch, &d->owner);
}

void kw_latch_ended(struct kw_latch *latch, const struct kw_pin_facts *facts,
                    const struct kw_pin_owner *owner, enum kw_pin_end end,
                    const char *reason)
{
    struct kw_latch_debt d = {.facts = *facts, .owner = *owner, .end = end};
    kw_copy_str(d.reason, sizeof d.reason, kw_span_str(reason));
    latch->stopped_at = facts->source;
    pay(latch);
    if (latch->debt_count == 0 && write_down(latch, &d))
        return;
    conclude_in_memory(latch, &d);
    if (latch->debt_count < KW_LATCH_DEBTS)
        latch->debts[latch->debt_count++] = d;
    else
        latch->lost_one = true;
}

void kw_latch_close(struct kw_latch *latch)
{
    enum { TURNS = 50, NAP_MS = 20 };
    pay(latch);
    for (int i = 0; i < TURNS && latch->debt_count > 0; i++) {
        (void)poll(NULL, 0, NAP_MS);
        pay(latch);
    }
    if (latch->debt_count > 0)
        kw_log(KW_LOG_ERROR, "pin-latch-not-saved",
               KW_INT("logins", (int64_t)latch->debt_count),
               KW_STR("why", latch->owed_why.text));
}

bool kw_latch_look(struct kw_latch *latch)
{
    int64_t now = kw_boot_ns(latch->book.clock);
    if (latch->looked_ns != 0 && now - latch->looked_ns < LOOK_EVERY_NS)
        return false;
    latch->looked_ns = now;
    pay(latch);
    if (!knows_token(latch) || !kw_pin_changed(&latch->book, &latch->seen))
        return false;
    bool owed = latch->record.retry;
    read_record(latch, latch->record.serial, latch->record.label);
    return latch->record.retry && !owed;
}
