/* SPDX-License-Identifier: Apache-2.0 */
/* No login until the PIN source changes or a human says so. */
#include "pin_latch.h"

#include <sys/stat.h>

static struct kw_pin_source look(const char *path)
{
    struct stat st;
    if (stat(path, &st) != 0)
        return (struct kw_pin_source){0};
    return kw_pin_source_of(&st);
}

kw_err kw_latch_open(struct kw_latch *latch, struct kw_state_dir *dir,
                     const struct kw_clock *clock, const char *token, const char *pin,
                     struct kw_note *note)
{
    *latch = (struct kw_latch){.dir = dir, .clock = clock};
    kw_err e = kw_pin_source_path(pin, latch->path, note);
    if (!kw_failed(e))
        e = kw_state_pin_latch(dir, token, &latch->record, note);
    if (kw_failed(e))
        return e;
    kw_copy_str(latch->record.token, sizeof latch->record.token, kw_span_str(token));
    latch->tried = look(latch->path);
    latch->credential = kw_pin_source_is_credential(pin);
    latch->on_disk = true;
    latch->cured = latch->record.retry;
    return KW_OK;
}

/* Has `keyward pin retry` lifted it in the state directory since?  What cannot be read
 * there lifts nothing. */
static void look_for_retry(struct kw_latch *latch)
{
    struct kw_pin_latch there;
    struct kw_note ignored;
    if (!latch->record.latched || !latch->on_disk ||
        kw_failed(
            kw_state_pin_latch(latch->dir, latch->record.token, &there, &ignored)) ||
        there.latched)
        return;
    latch->record.latched = latch->record.proven = false;
    latch->cured = there.retry;
}

bool kw_latch_may_login(struct kw_latch *latch)
{
    static const struct kw_pin_source unseen;
    latch->tried = look(latch->path);
    if (kw_pin_source_same(&latch->tried, &unseen))
        return true; /* not there is not changed: the latch stays for when it is back */
    look_for_retry(latch);
    if (latch->credential && latch->record.latched)
        return false;
    if (!kw_pin_source_same(&latch->tried, &latch->record.source)) {
        latch->cured = latch->cured || latch->record.latched;
        latch->record.latched = latch->record.proven = false;
    }
    return !latch->record.latched;
}

bool kw_latch_proven(const struct kw_latch *latch)
{
    return latch->record.proven &&
           kw_pin_source_same(&latch->tried, &latch->record.source);
}

bool kw_latch_vouched(const struct kw_latch *latch)
{
    return latch->cured || kw_latch_proven(latch);
}

static kw_err save(struct kw_latch *latch, bool latched, const char *reason,
                   struct kw_note *note)
{
    latch->cured = false;
    latch->record.latched = latched;
    latch->record.proven = !latched;
    latch->record.retry = false;
    latch->record.source = latch->tried;
    kw_copy_str(latch->record.reason, sizeof latch->record.reason, kw_span_str(reason));
    kw_time_text(latch->record.at, kw_wall_ns(latch->clock));
    kw_err e = kw_state_set_pin_latch(latch->dir, &latch->record, note);
    latch->on_disk = !kw_failed(e);
    return e;
}

kw_err kw_latch_stop(struct kw_latch *latch, const char *reason, struct kw_note *note)
{
    return save(latch, true, reason, note);
}

kw_err kw_latch_worked(struct kw_latch *latch, struct kw_note *note)
{
    if (kw_latch_proven(latch) && !latch->record.latched)
        return KW_OK;
    return save(latch, false, "", note);
}
