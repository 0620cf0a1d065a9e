/* SPDX-License-Identifier: Apache-2.0 */
/* The audit log in the daemon: where it lies, what it says of its origin, who is told. */
#include "daemon_internal.h"

#include <stdio.h>
#include <unistd.h>

#include <keyward/log.h>

/* ---- open -------------------------------------------------------------------------- */

static kw_err audit_log(struct kw_daemon *d, struct kw_audit_log **ret_log,
                        struct kw_note *note)
{
    snprintf(d->audit.memory, sizeof d->audit.memory, "%s/audit-memory.json",
             d->config->state);
    struct kw_audit_log_options o = {
        .dir = d->config->audit_dir,
        .clock = d->clock,
        .disk = &kw_audit_disk_system,
        .memory = d->audit.memory,
        .rotate_bytes = d->config->audit_rotate_bytes,
        .is_lazy = d->config->audit_durability == KW_AUDIT_WRITE,
        .reserves = true,
        .keeps_lines = d->config->audit_copies != KW_COPIES_NONE};
    kw_audit_node_genesis(&d->audit.node, o.genesis);
    return kw_audit_log_open(&o, ret_log, note);
}

static void audit_serial(void *ctx, const char *token, char dst[KW_AUDIT_SERIAL])
{
    const struct kw_daemon *d = ctx;
    kw_copy_str(dst, KW_AUDIT_SERIAL, kw_span_str(kw_front_serial(d->front, token)));
    kw_audit_make_text(dst);
}

static enum kw_audit_copied audit_copied(const struct kw_config *c)
{
    switch (c->audit_copies) {
    case KW_COPIES_ALL: return KW_AUDIT_COPY_ALL;
    case KW_COPIES_CHECKPOINTS: return KW_AUDIT_COPY_CHECKPOINTS;
    case KW_COPIES_NONE: break;
    }
    return KW_AUDIT_COPY_NONE;
}

/* What becomes a record is what was dropped before it. */
static void audit_tell_dropped(struct kw_daemon *d, bool at_the_end)
{
    int why = 0;
    const uint64_t count =
        kw_audit_copies_due(&d->audit.copies, kw_mono_ns(d->clock), at_the_end, &why);
    if (count > 0)
        kw_log(KW_LOG_WARN, "audit-copies-dropped", KW_INT("count", count),
               KW_ERR("err", kw_err_native(KW_CODE_IO, (uint32_t)why, "audit copy")));
}

static kw_err audit_thread(struct kw_daemon *d, struct kw_audit_log *log)
{
    const struct kw_config *c = d->config;
    for (size_t i = 0; i < c->class_count; i++)
        d->audit.class_names[i] = c->classes[i].name;
    kw_audit_copies_open(&d->audit.copies, audit_copied(c), c->audit_copies_to);
    const struct kw_audit_writer_options o = {.log = log,
                                              .clock = d->clock,
                                              .class_names = d->audit.class_names,
                                              .class_count = c->class_count,
                                              .operator_dir = c->audit_dir,
                                              .deadline_ns = c->audit_deadline_ns,
                                              .allow =
                                                  c->audit_on_failure == KW_AUDIT_ALLOW,
                                              .copies = &d->audit.copies,
                                              .told = kw_kms_recorded,
                                              .grpc_code = kw_rpc_code,
                                              .serial = audit_serial,
                                              .ctx = d};
    return kw_audit_writer_new(&o, &d->audit.writer);
}

static void audit_on_told(evutil_socket_t fd, short what, void *ctx)
{
    struct kw_daemon *d = ctx;
    (void)fd;
    (void)what;
    kw_audit_writer_collect(d->audit.writer);
}

static void audit_started(const struct kw_daemon *d)
{
    const struct kw_audit_node *from = &d->audit.node;
    struct kw_audit_record r = {.kind = KW_AUDIT_START};
    r.value[KW_AUDIT_START_VERSION] = kw_audit_text(KW_VERSION);
    r.value[KW_AUDIT_START_BOOT] = kw_audit_text(from->boot);
    r.value[KW_AUDIT_START_PID] = kw_audit_number((uint64_t)getpid());
    r.value[KW_AUDIT_START_CONFIGURATION] = kw_audit_text(from->configuration);
    r.value[KW_AUDIT_START_KEYRING] = kw_audit_text_or_null(from->keyring);
    kw_audit_writer_event(d->audit.writer, &r);
}

kw_err kw_daemon_audit_open(struct kw_daemon *d, struct kw_note *note)
{
    struct kw_audit_log *log = NULL;
    if (d->config->audit_dir == NULL)
        return KW_OK;
    kw_err e =
        kw_audit_node_read(d->config_path, d->config->keyring, &d->audit.node, note);
    if (!kw_failed(e))
        e = audit_log(d, &log, note);
    if (kw_failed(e))
        return e;
    kw_audit_events_tap();
    e = audit_thread(d, log);
    if (kw_failed(e)) {
        kw_audit_copies_close(&d->audit.copies);
        kw_audit_log_close(log);
        kw_note_failed(note, "start the audit log's thread", e);
        return e;
    }
    kw_daemon_checkpoints_begin(d);
    const int fd = kw_audit_writer_fd(d->audit.writer);
    d->audit.told = event_new(d->loop, fd, EV_READ | EV_PERSIST, audit_on_told, d);
    if (d->audit.told == NULL || event_add(d->audit.told, NULL) != 0) {
        kw_note_set(note, "cannot watch the audit log's thread");
        return kw_err_at(KW_CODE_NO_MEMORY, "event_new");
    }
    kw_log(KW_LOG_INFO, "audit-log", KW_STR("dir", d->config->audit_dir));
    audit_started(d);
    kw_audit_events_begin(d->audit.writer, d->clock);
    return KW_OK;
}

/* ---- while it runs ----------------------------------------------------------------- */

struct kw_audit_door kw_daemon_audit_door(const struct kw_daemon *d)
{
    if (d->audit.writer == NULL)
        return (struct kw_audit_door){0};
    return kw_audit_writer_door(d->audit.writer);
}

void kw_daemon_audit_look(struct kw_daemon *d)
{
    if (d->audit.writer == NULL)
        return;
    kw_audit_events_flush();
    kw_audit_writer_collect(d->audit.writer);
    kw_checkpoints_look(&d->audit.checkpoints);
    if (!d->audit.ends)
        audit_tell_dropped(d, false);
}

void kw_daemon_audit_rotate(struct kw_daemon *d)
{
    if (d->audit.writer != NULL)
        kw_audit_writer_rotate(d->audit.writer);
}

/* ---- the end ----------------------------------------------------------------------- */

void kw_daemon_audit_leave(struct kw_daemon *d)
{
    if (d->audit.writer != NULL)
        kw_audit_writer_abandon(d->audit.writer);
}

/* Behind its record come only changes that the end itself made. */
void kw_daemon_audit_sign_off(struct kw_daemon *d)
{
    struct kw_audit_record stop = {.kind = KW_AUDIT_STOP};
    if (d->audit.writer == NULL)
        return;
    audit_tell_dropped(d, true);
    d->audit.ends = true; /* behind `stop` it would be unsigned, whenever it stops */
    kw_audit_events_stop();
    stop.value[KW_AUDIT_STOP_REASON] = kw_audit_text(d->stopping ? "signal" : "failure");
    kw_audit_writer_event(d->audit.writer, &stop);
    kw_daemon_checkpoints_sign_off(d);
}

bool kw_daemon_audit_close(struct kw_daemon *d)
{
    if (d->audit.writer == NULL)
        return true;
    kw_audit_events_end();
    if (d->audit.told != NULL)
        event_free(d->audit.told);
    kw_daemon_checkpoints_end(d);
    if (!kw_audit_writer_stop(d->audit.writer, d->config->audit_deadline_ns))
        return false;
    audit_tell_dropped(d, true); /* of the end's own records, and on record nowhere */
    kw_audit_copies_close(&d->audit.copies);
    d->audit = (struct kw_daemon_audit){0};
    return true;
}
