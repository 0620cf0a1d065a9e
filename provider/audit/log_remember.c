/* SPDX-License-Identifier: Apache-2.0 */
/* What is remembered of the log outside its folder, held against what is there. */
#include "log_state.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include <keyward/file.h>

static bool remember_same(const uint8_t a[KW_SHA256], const uint8_t b[KW_SHA256])
{
    return kw_span_equal(kw_span_of(a, KW_SHA256), kw_span_of(b, KW_SHA256));
}

/* The machine that we are on; false when nobody said. */
static bool remember_here(const struct kw_audit_log *log, uint8_t dst[KW_AUDIT_MACHINE])
{
    const struct kw_audit_value *v = &log->o.genesis[KW_AUDIT_GENESIS_MACHINE];
    return !v->is_null && kw_unhex(dst, KW_AUDIT_MACHINE, v->text);
}

/* ---- reading it -------------------------------------------------------------------------- */

static void remember_say_damaged(const char *why, struct kw_note *note)
{
    kw_note_set(note,
                "%s; it says how far the audit log went: put back a good copy, or remove "
                "it to have this node forget that",
                why);
}

/* ret_has: it is there. */
static kw_err remember_read(const char *path, struct kw_audit_memory *ret_memory,
                            bool *ret_has, struct kw_note *note)
{
    struct kw_blob text = {0};
    struct kw_note why = {{0}};
    size_t at = 0;
    *ret_has = false;
    kw_err e = kw_file_read(path, KW_AUDIT_MEMORY_MAX, &text, &why);
    if (e.code == KW_CODE_MISSING)
        return KW_OK;
    if (!kw_failed(e)) {
        const char *wrong = kw_audit_memory_read(kw_blob_peek(&text), ret_memory, &at);
        kw_blob_wipe(&text);
        *ret_has = wrong == NULL;
        if (*ret_has)
            return KW_OK;
        kw_note_set(&why, "%s: byte %zu: \"%s\" is not there as it must be", path, at,
                    wrong);
        e = kw_err_at(KW_CODE_BAD_INPUT, "audit memory");
    }
    remember_say_damaged(why.text, note);
    return e;
}

kw_err kw_audit_log_recall(struct kw_audit_log *log, struct kw_note *note)
{
    return log->o.memory == NULL
               ? KW_OK
               : remember_read(log->o.memory, &log->memory, &log->has_memory, note);
}

kw_err kw_audit_log_judge_memory(const char *path, struct kw_note *note)
{
    struct kw_audit_memory ignored;
    bool has;
    return remember_read(path, &ignored, &has, note);
}

/* ---- what is there ----------------------------------------------------------------------- */

static void remember_origin(struct kw_audit_log *log, const struct kw_audit_record *r)
{
    const struct kw_audit_value *machine = &r->value[KW_AUDIT_GENESIS_MACHINE],
                                *before = &r->value[KW_AUDIT_GENESIS_BEFORE];
    log->origin = (struct kw_audit_origin){.is_known = true,
                                           .has_machine = !machine->is_null,
                                           .has_before = !before->is_null};
    KW_MUST(machine->is_null ||
            kw_unhex(log->origin.machine, KW_AUDIT_MACHINE, machine->text));
    KW_MUST(before->is_null || kw_unhex(log->origin.before, KW_SHA256, before->text));
}

void kw_audit_log_meet(struct kw_audit_log *log, const struct kw_audit_chain *chain,
                       const struct kw_audit_record *r)
{
    uint8_t previous[KW_SHA256];
    if (r->kind == KW_AUDIT_GENESIS)
        remember_origin(log, r);
    if (!log->has_memory || !remember_same(chain->log, log->memory.log))
        return;
    if (r->seq == log->memory.seq) {
        log->is_met = true;
        log->is_lost |= !remember_same(chain->head, log->memory.head);
    } else if (r->kind == KW_AUDIT_FILE && r->seq == log->memory.seq + 1) {
        KW_MUST(kw_unhex(previous, KW_SHA256, r->value[KW_AUDIT_FILE_PREVIOUS].text));
        log->is_met = true;
        log->is_lost |= !remember_same(previous, log->memory.head);
    }
}

static kw_err remember_failed(const struct kw_audit_log *log, const char *name,
                              struct kw_note *note)
{
    const int native = errno;
    kw_note_set(note, "audit log %s: %s: %s", log->o.dir, name, strerror(native));
    return kw_err_native(KW_CODE_IO, (uint32_t)native, "audit open");
}

/* The file in which a record would be; -1 in *ret_fd when it is not there, as files may be
 * moved into an archive. */
static kw_err remember_open(struct kw_audit_log *log, uint64_t seq, int *ret_fd,
                            struct kw_note *note)
{
    char name[64];
    *ret_fd = -1;
    kw_err e = kw_audit_log_find(log, seq, name, note);
    if (kw_failed(e) || name[0] == '\0')
        return e;
    *ret_fd = openat(log->dir, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    return *ret_fd >= 0 ? KW_OK : remember_failed(log, name, note);
}

/* What the first line of the first file says of this log. */
static kw_err remember_find_origin(struct kw_audit_log *log, struct kw_note *note)
{
    char line[KW_AUDIT_LINE_MAX];
    struct kw_audit_chain chain = {0};
    struct kw_audit_record r;
    int fd = -1;
    kw_err e = remember_open(log, 0, &fd, note);
    if (fd < 0)
        return e;
    const ssize_t len = pread(fd, line, sizeof line, 0);
    if (len < 0)
        e = remember_failed(log, "its first file", note);
    close(fd);
    const char *end = len > 0 ? memchr(line, '\n', (size_t)len) : NULL;
    if (end != NULL &&
        !kw_failed(kw_audit_chain_take(&chain, kw_span_of(line, (size_t)(end - line)), &r,
                                       NULL)) &&
        r.kind == KW_AUDIT_GENESIS && remember_same(chain.log, log->chain.log))
        remember_origin(log, &r);
    return e;
}

/* Meets the record that is remembered, if its file is there. */
static kw_err remember_find(struct kw_audit_log *log, struct kw_note *note)
{
    struct kw_audit_chain chain = {0};
    uint64_t first, good;
    int fd = -1;
    kw_err e = remember_open(log, log->memory.seq, &fd, note);
    if (fd < 0)
        return e;
    e = kw_audit_log_replay(log, &chain, fd, &first, &good);
    if (kw_failed(e))
        kw_note_set(note, "audit log %s: a file before the last cannot be read",
                    log->o.dir);
    close(fd);
    return e;
}

/* ---- the judgement ----------------------------------------------------------------------- */

static bool remember_is_this_log(const struct kw_audit_log *log)
{
    return log->has_memory && remember_same(log->chain.log, log->memory.log);
}

/* Where nobody knows a machine, none is another one. */
static bool remember_is_cloned(const struct kw_audit_log *log)
{
    uint8_t here[KW_AUDIT_MACHINE];
    const uint8_t *there = NULL;
    if (log->origin.is_known && log->origin.has_machine)
        there = log->origin.machine;
    else if (!log->origin.is_known && remember_is_this_log(log) &&
             log->memory.has_machine)
        there = log->memory.machine;
    return there != NULL && remember_here(log, here) &&
           !kw_span_equal(kw_span_of(here, sizeof here), kw_span_of(there, sizeof here));
}

/* It took the place of the remembered one, and a crash came before that was remembered. */
static bool remember_is_successor(const struct kw_audit_log *log)
{
    return log->origin.is_known && log->origin.has_before &&
           remember_same(log->origin.before, log->memory.log);
}

kw_err kw_audit_log_judge(struct kw_audit_log *log, bool *ret_goes_on,
                          struct kw_note *note)
{
    kw_err e = KW_OK;
    if (!log->origin.is_known)
        e = remember_find_origin(log, note);
    const bool is_remembered = remember_is_this_log(log);
    if (!kw_failed(e) && is_remembered && !log->is_met &&
        log->chain.next_seq > log->memory.seq)
        e = remember_find(log, note);
    if (kw_failed(e))
        return e;
    const bool is_cloned = remember_is_cloned(log);
    log->is_lost |=
        log->has_memory && (!is_remembered || log->chain.next_seq <= log->memory.seq);
    *ret_goes_on =
        !is_cloned && (!log->has_memory || is_remembered || remember_is_successor(log));
    if (!*ret_goes_on) {
        log->origin = (struct kw_audit_origin){.has_before = true};
        kw_copy(log->origin.before, KW_SHA256,
                kw_span_of(is_cloned ? log->chain.log : log->memory.log, KW_SHA256));
    }
    return KW_OK;
}

/* ---- writing it -------------------------------------------------------------------------- */

static void remember_take(const struct kw_audit_log *log, struct kw_audit_memory *ret)
{
    *ret = (struct kw_audit_memory){.seq = log->chain.next_seq - 1};
    kw_copy(ret->log, KW_SHA256, kw_span_of(log->chain.log, KW_SHA256));
    kw_copy(ret->head, KW_SHA256, kw_span_of(log->chain.head, KW_SHA256));
    ret->has_machine = remember_here(log, ret->machine);
    if (ret->has_machine || !remember_is_this_log(log))
        return;
    ret->has_machine = log->memory.has_machine;
    kw_copy(ret->machine, KW_AUDIT_MACHINE,
            kw_span_of(log->memory.machine, KW_AUDIT_MACHINE));
}

static kw_err remember_keep(struct kw_audit_log *log, struct kw_note *note)
{
    uint8_t text[KW_AUDIT_MEMORY_MAX];
    kw_dst dst = kw_dst_of(text, sizeof text);
    struct kw_audit_memory now;
    if (log->o.memory == NULL)
        return KW_OK;
    remember_take(log, &now);
    kw_audit_memory_write(&now, &dst);
    kw_err e = kw_file_replace(log->o.memory, kw_dst_span(&dst), 0600, note);
    if (!kw_failed(e)) {
        log->memory = now;
        log->has_memory = true;
    }
    return e;
}

/* What is remembered is never ahead of the disk, though the commits may be.  What the disk may
 * have lost is said here, as the next commit may be long in coming. */
kw_err kw_audit_log_remember(struct kw_audit_log *log)
{
    kw_err e = kw_audit_log_sync(log);
    kw_err said = log->unsynced > 0 ? kw_audit_log_commit(log, NULL, 0) : KW_OK;
    if (!kw_failed(e))
        e = said;
    return kw_failed(e) ? e : remember_keep(log, NULL);
}

static kw_err remember_record(struct kw_audit_log *log)
{
    char id[2 * KW_SHA256 + 1], head[2 * KW_SHA256 + 1];
    struct kw_audit_record r = {.kind = KW_AUDIT_LOG_LOST};
    kw_hex(id, sizeof id, kw_span_of(log->memory.log, KW_SHA256));
    kw_hex(head, sizeof head, kw_span_of(log->memory.head, KW_SHA256));
    r.value[KW_AUDIT_LOG_LOST_LOG] = kw_audit_text(id);
    r.value[KW_AUDIT_LOG_LOST_LAST] = kw_audit_number(log->memory.seq);
    r.value[KW_AUDIT_LOG_LOST_HEAD] = kw_audit_text(head);
    return kw_audit_log_write(log, &r, 1);
}

/* What a crash of the process left may be in memory only: it is not remembered before it is
 * on the disk. */
kw_err kw_audit_log_settle(struct kw_audit_log *log, struct kw_note *note)
{
    kw_err e = KW_OK;
    if (log->is_lost)
        e = remember_record(log);
    if (!kw_failed(e))
        e = kw_audit_log_sync(log);
    if (kw_failed(e)) {
        kw_note_set(note, "audit log %s: not written: %s", log->o.dir,
                    strerror((int)e.native));
        return e;
    }
    log->is_lost = false;
    /* A state directory that cannot be written now keeps nobody from going on: who remembers
     * the next time says so. */
    (void)remember_keep(log, NULL);
    return KW_OK;
}
