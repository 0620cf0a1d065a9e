/* SPDX-License-Identifier: Apache-2.0 */
/* pin_book - ask, remember, lift: each one read-change-write under the lock */
#include <keyward/pin_latch.h>

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "dir.h"
#include "pin_file.h"

/* Both files, open for one change. */
struct book_files {
    const struct kw_pin_book *book;
    struct kw_state_dir *runtime; /* NULL: it cannot be used         */
    kw_err state_err;             /* why the state directory cannot be locked; OK */
    struct kw_note state_why;
    struct kw_pin_records state, spare; /* of the two directories */
};

/* ---- opening ----------------------------------------------------------------------- */

static void close_files(struct book_files *d)
{
    kw_state_unlock(d->book->state);
    kw_state_close(d->runtime);
}

/* The state directory's lock; where no lock file can be made, the runtime directory's. */
static kw_err pin_book_lock(struct book_files *d, struct kw_note *note)
{
    d->state_err = kw_state_lock(d->book->state, &d->state_why);
    if (!kw_failed(d->state_err))
        return KW_OK;
    if (note != NULL)
        *note = d->state_why;
    if (d->state_err.code == KW_CODE_BUSY || d->runtime == NULL)
        return d->state_err;
    return kw_state_lock(d->runtime, note);
}

static kw_err read_both(struct book_files *d, struct kw_note *note)
{
    kw_err e = kw_pin_records_read(d->book->state, &d->state, note);
    if (!kw_failed(e) && d->runtime != NULL)
        e = kw_pin_records_read(d->runtime, &d->spare, note);
    return e;
}

/* A folder that is not there, or is not ours alone, is none. */
static kw_err open_runtime(struct book_files *d)
{
    if (d->book->runtime[0] == '\0')
        return KW_OK;
    kw_err e = kw_state_open(d->book->runtime, &d->runtime, NULL);
    return e.code == KW_CODE_NO_MEMORY ? e : KW_OK;
}

static kw_err pin_book_open_files(const struct kw_pin_book *book, struct book_files *d,
                                  struct kw_note *note)
{
    *d = (struct book_files){.book = book};
    kw_err e = open_runtime(d);
    if (!kw_failed(e))
        e = pin_book_lock(d, note);
    if (!kw_failed(e))
        e = read_both(d, note);
    if (kw_failed(e))
        close_files(d);
    return e;
}

/* ---- reading and writing ----------------------------------------------------------- */

static struct kw_pin_record newest(struct book_files *d, const char *serial,
                                   const char *label)
{
    struct kw_pin_record none = {.change = 0};
    struct kw_pin_record *a = kw_pin_records_find(&d->state, serial, label);
    struct kw_pin_record *b = kw_pin_records_find(&d->spare, serial, label);
    kw_copy_str(none.serial, sizeof none.serial, kw_span_str(serial));
    kw_copy_str(none.label, sizeof none.label, kw_span_str(label));
    if (a == NULL && b == NULL)
        return none;
    return b == NULL || (a != NULL && a->change >= b->change) ? *a : *b;
}

static kw_err pin_book_put(const struct kw_state_dir *dir, struct kw_pin_records *records,
                           const struct kw_pin_record *r, struct kw_note *note)
{
    if (!kw_pin_records_put(records, r)) {
        kw_note_set(note, KW_PIN_FILE ": full of tokens that are stopped, or had a PIN "
                                      "refused; take those out of it that are gone, or "
                                      "say keyward pin retry");
        return kw_err_at(KW_CODE_IO, "pin latch");
    }
    return kw_pin_records_write(dir, records, note);
}

static kw_err put_in_state(struct book_files *d, const struct kw_pin_record *r)
{
    if (!kw_failed(d->state_err))
        d->state_err = pin_book_put(d->book->state, &d->state, r, &d->state_why);
    return d->state_err;
}

static kw_err not_written(const struct book_files *d)
{
    bool memory = d->state_err.code == KW_CODE_NO_MEMORY;
    return kw_err_native(memory ? KW_CODE_NO_MEMORY : KW_CODE_IO, d->state_err.native,
                         "pin latch");
}

/* Into the state directory; what that cannot take, into the runtime directory. */
static kw_err write_record(struct book_files *d, struct kw_pin_record *r,
                           struct kw_note *note)
{
    r->change++;
    if (!kw_failed(put_in_state(d, r)))
        return KW_OK;
    if (d->runtime != NULL && !kw_failed(pin_book_put(d->runtime, &d->spare, r, NULL)))
        return KW_OK;
    if (note != NULL)
        *note = d->state_why;
    return not_written(d);
}

static struct kw_moment look_at_clock(const struct kw_pin_book *book, const char *boot)
{
    struct kw_moment now = {.boot_ns = kw_boot_ns(book->clock),
                            .wall_ns = kw_wall_ns(book->clock)};
    kw_copy_str(now.boot, sizeof now.boot, kw_span_str(boot));
    return now;
}

/* ---- the calls --------------------------------------------------------------------- */

kw_err kw_pin_look(const struct kw_pin_book *book, const char *serial, const char *label,
                   struct kw_pin_record *ret_record, struct kw_note *note)
{
    struct book_files d = {.book = book};
    kw_err e = open_runtime(&d);
    if (!kw_failed(e))
        e = read_both(&d, note);
    if (!kw_failed(e))
        *ret_record = newest(&d, serial, label);
    kw_state_close(d.runtime);
    return e;
}

/* Not durable: then nothing is tried, and whoever asked must know why. */
static kw_err not_durable(const struct book_files *d, struct kw_note *note)
{
    kw_note_set(
        note,
        "%.380s; no login is tried, as a refused PIN could not be remembered: make "
        "the state directory writable",
        d->state_why.text);
    return not_written(d);
}

/* A PIN that never worked here is tried by the state directory's word alone.  What was
 * written and did not become durable is taken back: nobody tries. */
static kw_err write_go(struct book_files *d, const struct kw_pin_record *before,
                       struct kw_pin_verdict *v, struct kw_note *note)
{
    struct kw_pin_record back = *before;
    v->record.change++;
    back.change = v->record.change + 1;
    if (!kw_failed(put_in_state(d, &v->record)))
        return KW_OK;
    if (v->record.proven && d->runtime != NULL &&
        !kw_failed(pin_book_put(d->runtime, &d->spare, &v->record, NULL))) {
        v->unwritten = d->state_why;
        return KW_OK;
    }
    (void)!kw_failed(pin_book_put(d->book->state, &d->state, &back, NULL));
    return not_durable(d, note);
}

static kw_err pin_book_ask(struct book_files *d, const struct kw_pin_facts *facts,
                           const struct kw_pin_owner *asker, struct kw_pin_verdict *ret,
                           struct kw_note *note)
{
    struct kw_pin_record record = newest(d, facts->serial, facts->label);
    struct kw_moment now = look_at_clock(d->book, asker->boot);
    kw_pin_judge(&record, facts, kw_pin_owner_lives(&record.tried), asker, &now, ret);
    if (ret->word == KW_PIN_GO)
        return write_go(d, &record, ret, note);
    /* Not written: the same is concluded from the old one next time. */
    if (ret->changed)
        (void)!kw_failed(write_record(d, &ret->record, NULL));
    return KW_OK;
}

/* What it tries would be nobody's, and forgotten when it dies. */
static kw_err nameless(struct kw_note *note)
{
    kw_note_set(note, "the process that wants to log in is not to be seen in /proc: no "
                      "login is tried, as nobody could tell whether it still goes on");
    return kw_err_at(KW_CODE_IO, "pin latch");
}

kw_err kw_pin_ask(const struct kw_pin_book *book, const struct kw_pin_facts *facts,
                  const struct kw_pin_owner *asker, struct kw_pin_verdict *ret,
                  struct kw_note *note)
{
    struct book_files d;
    struct kw_pin_verdict v;
    if (asker->pid == 0)
        return nameless(note);
    kw_err e = pin_book_open_files(book, &d, note);
    if (kw_failed(e))
        return e.code == KW_CODE_IO && d.state_err.code == KW_CODE_IO
                   ? not_durable(&d, note)
                   : e;
    e = pin_book_ask(&d, facts, asker, &v, note);
    close_files(&d);
    if (!kw_failed(e))
        *ret = v;
    return e;
}

static bool is_owner(const struct kw_pin_owner *a, const struct kw_pin_owner *b)
{
    return a->pid == b->pid && a->start == b->start && strcmp(a->boot, b->boot) == 0;
}

static bool is_mark(const struct kw_pin_mark *a, const struct kw_pin_mark *b)
{
    return kw_span_equal(kw_span_of(a->key, a->key_len),
                         kw_span_of(b->key, b->key_len)) &&
           kw_span_equal(kw_span_of(a->digest, a->digest_len),
                         kw_span_of(b->digest, b->digest_len));
}

kw_err kw_pin_settled(const struct kw_pin_book *book, const struct kw_pin_facts *facts,
                      const struct kw_pin_owner *asker, enum kw_pin_end end,
                      const char *reason, struct kw_note *note)
{
    struct book_files d;
    kw_err e = pin_book_open_files(book, &d, note);
    if (kw_failed(e))
        return e;
    struct kw_pin_record r = newest(&d, facts->serial, facts->label), before = r;
    struct kw_moment now = look_at_clock(book, asker->boot);
    bool ours = is_owner(&r.tried, asker), same = is_mark(&r.mark, &facts->mark);
    /* Who found it unsettled has counted it as unclear already. */
    bool news = ours || end == KW_PIN_WORKED || end == KW_PIN_REFUSED;
    kw_pin_settle(&r, end, reason, &now);
    if (!ours) {
        r.tried = before.tried;
        r.tried_ns = before.tried_ns;
    }
    if (same && news)
        e = write_record(&d, &r, note);
    else if (end == KW_PIN_REFUSED && kw_pin_refuse(&before, facts))
        e = write_record(&d, &before, note);
    close_files(&d);
    return e;
}

static kw_err pin_book_lift(struct book_files *d, const struct kw_pin_record *record,
                            struct kw_pin_lift *ret, struct kw_note *note)
{
    struct kw_pin_record r = *record;
    *ret = (struct kw_pin_lift){.lifted = r.latched || (r.unclear > 0 && !r.retry)};
    kw_copy_str(ret->serial, sizeof ret->serial, kw_span_str(r.serial));
    kw_copy_str(ret->label, sizeof ret->label, kw_span_str(r.label));
    kw_copy_str(ret->reason, sizeof ret->reason, kw_span_str(r.reason));
    kw_copy_str(ret->at, sizeof ret->at, kw_span_str(r.at));
    ret->forgotten = r.refused_count;
    if (!ret->lifted && r.refused_count == 0)
        return KW_OK;
    memset(r.refused, 0, sizeof r.refused);
    r.refused_count = 0;
    r.latched = false;
    r.retry = r.retry || ret->lifted;
    return write_record(d, &r, note);
}

static bool is_meant(const struct kw_pin_record *r, const char *name)
{
    return name == NULL || strcmp(name, r->label) == 0 || strcmp(name, r->serial) == 0;
}

/* Whoever tried and is gone without a word left something that is stopped. */
static struct kw_pin_record without_orphan(const struct book_files *d,
                                           struct kw_pin_record record)
{
    struct kw_pin_owner me = {.pid = 0};
    if (record.tried.pid == 0 || kw_pin_owner_lives(&record.tried) ||
        !kw_pin_owner_of(getpid(), &me))
        return record;
    struct kw_moment now = look_at_clock(d->book, me.boot);
    kw_pin_settle_orphan(&record, &now);
    return record;
}

static kw_err retry(struct book_files *d, const char *name,
                    struct kw_pin_lift dst[KW_PIN_RECORDS_MAX], size_t *ret_count,
                    struct kw_note *note)
{
    kw_err e = KW_OK;
    size_t n = 0;
    struct kw_pin_records all = d->state;
    for (size_t i = 0; i < d->spare.count;
         i++) /* which tokens there are; newest() says */
        (void)kw_pin_records_put(&all, &d->spare.list[i]);
    for (size_t i = 0; i < all.count && !kw_failed(e); i++) {
        const struct kw_pin_record *r = &all.list[i];
        struct kw_pin_record now = without_orphan(d, newest(d, r->serial, r->label));
        if (is_meant(&now, name))
            e = pin_book_lift(d, &now, &dst[n++], note);
    }
    *ret_count = n;
    return e;
}

kw_err kw_pin_retry(const struct kw_pin_book *book, const char *name,
                    struct kw_pin_lift dst[KW_PIN_RECORDS_MAX], size_t *ret_count,
                    struct kw_note *note)
{
    struct book_files d;
    kw_err e = pin_book_open_files(book, &d, note);
    if (kw_failed(e))
        return e;
    e = retry(&d, name, dst, ret_count, note);
    close_files(&d);
    return e;
}

/* ---- has it changed? --------------------------------------------------------------- */

static struct kw_pin_source stamp_of(const char *folder)
{
    char path[KW_PATH_MAX];
    struct stat st;
    int n = snprintf(path, sizeof path, "%s/" KW_PIN_FILE, folder);
    if (folder[0] == '\0' || n < 0 || (size_t)n >= sizeof path || stat(path, &st) != 0)
        return (struct kw_pin_source){0};
    return kw_pin_source_of(&st);
}

bool kw_pin_changed(const struct kw_pin_book *book, struct kw_pin_stamp *seen)
{
    const struct kw_pin_stamp now = {stamp_of(book->state->path),
                                     stamp_of(book->runtime)};
    bool same = kw_pin_source_same(&now.state, &seen->state) &&
                kw_pin_source_same(&now.runtime, &seen->runtime);
    *seen = now;
    return !same;
}
