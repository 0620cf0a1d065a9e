/* SPDX-License-Identifier: Apache-2.0 */
/* When a checkpoint is made, and what becomes of it. */
#include <keyward/audit_checkpoints.h>

#include <keyward/log.h>

enum { EVERY_RECORDS = 10000 };
#define EVERY_NS (60 * KW_S_NS)
#define SIGN_WITHIN_NS (10 * KW_S_NS)
#define SIGN_AGAIN_NS (30 * KW_S_NS)

void kw_checkpoints_begin(struct kw_checkpoints *c,
                          const struct kw_checkpoints_options *options)
{
    *c = (struct kw_checkpoints){.o = *options, .again_ns = INT64_MIN};
}

/* ---- made -------------------------------------------------------------------------- */

static bool checkpoints_is_due(const struct kw_checkpoints *c,
                               const struct kw_audit_standing *s)
{
    if (c->ends && s->is_behind)
        return true;
    return s->uncovered > 0 && (s->has_new_file || s->uncovered >= EVERY_RECORDS ||
                                kw_mono_ns(c->o.clock) - s->uncovered_ns >= EVERY_NS);
}

/* What has no room now is due at the next look, too. */
static void checkpoints_make(const struct kw_checkpoints *c)
{
    const int64_t wall_ns = kw_wall_ns(c->o.clock);
    struct kw_checkpoint what = {.time_us = wall_ns > 0 ? (uint64_t)wall_ns / 1000 : 0,
                                 .synchronised = c->o.is_synchronised(c->o.ctx)};
    kw_copy_str(what.node, sizeof what.node, kw_span_str(c->o.node));
    c->o.counts(c->o.ctx, what.counts);
    (void)kw_audit_writer_checkpoint(c->o.writer, &what);
}

/* The line that is to be kept elsewhere. */
static void checkpoints_tell(const struct kw_checkpoint *what)
{
    char log[2 * KW_SHA256 + 1], head[2 * KW_SHA256 + 1];
    kw_hex(log, sizeof log, kw_span_of(what->log, KW_SHA256));
    kw_hex(head, sizeof head, kw_span_of(what->head, KW_SHA256));
    kw_log(KW_LOG_INFO, "audit-checkpoint", KW_INT("seq", what->covered),
           KW_STR("head", head), KW_STR("log", log));
}

/* The oldest ones stay as they are. */
static void checkpoints_leave(struct kw_checkpoints *c, size_t count)
{
    for (size_t i = count; i < c->unsigned_count; i++)
        c->unsigned_[i - count] = c->unsigned_[i];
    c->unsigned_count -= count;
}

static void checkpoints_keep(struct kw_checkpoints *c)
{
    if (c->o.sign == NULL)
        return;
    if (c->unsigned_count == KW_AUDIT_CHECKPOINTS_KEPT)
        checkpoints_leave(c, 1);
    c->unsigned_[c->unsigned_count].what = c->last;
    c->unsigned_[c->unsigned_count++].seen = c->seen;
}

static void checkpoints_made(struct kw_checkpoints *c, const struct kw_audit_standing *s)
{
    c->seen = s->checkpoints;
    c->last = s->last;
    checkpoints_keep(c);
    checkpoints_tell(&c->last);
}

/* ---- signed ------------------------------------------------------------------------ */

/* Said once, until one is signed or fails in another way.  The last one will be tried. */
static void checkpoints_failed(struct kw_checkpoints *c, kw_err e)
{
    if (e.code != c->failed)
        kw_log(KW_LOG_WARN, "audit-unsigned", KW_INT("seq", c->signing.covered),
               KW_ERR("err", e));
    c->failed = e.code;
    if (c->unsigned_count > 0)
        checkpoints_leave(c, c->unsigned_count - 1);
    c->again_ns = kw_mono_ns(c->o.clock) + SIGN_AGAIN_NS;
}

static void checkpoints_record(struct kw_checkpoints *c, kw_span der)
{
    char key[2 * KW_SHA256 + 1], hex[2 * KW_SIGNATURE_DER_MAX + 1];
    struct kw_audit_record r = {.kind = KW_AUDIT_SIGNATURE};
    KW_INVARIANT(der.len <= KW_SIGNATURE_DER_MAX);
    kw_hex(key, sizeof key, kw_span_of(c->o.key, KW_SHA256));
    kw_hex(hex, sizeof hex, der);
    r.value[KW_AUDIT_SIGNATURE_COVERS] = kw_audit_number(c->signing.covered);
    r.value[KW_AUDIT_SIGNATURE_KEY] = kw_audit_text(key);
    r.value[KW_AUDIT_SIGNATURE_SIGNATURE] = kw_audit_text(hex);
    kw_audit_writer_event(c->o.writer, &r);
    c->has_signed = true;
    c->signed_to = c->signing.covered;
}

/* How many lie behind the one that is being signed. */
static uint64_t checkpoints_behind(const struct kw_checkpoints *c)
{
    struct kw_audit_standing s;
    kw_audit_writer_standing(c->o.writer, &s);
    return s.checkpoints + s.waits - c->signing_seen;
}

/* It is done.  Of those behind it one stays as it is when too many will lie behind it if as
 * many come again; but for the last. */
static void checkpoints_go_on(struct kw_checkpoints *c, uint64_t behind)
{
    while (c->unsigned_count > 0 && c->unsigned_[0].seen <= c->signing_seen)
        checkpoints_leave(c, 1);
    while (c->unsigned_count > 1 &&
           behind - (c->unsigned_[0].seen - c->signing_seen) + behind >=
               KW_AUDIT_CHECKPOINTS_KEPT)
        checkpoints_leave(c, 1);
}

/* Of one that too many others lie behind by now nobody could tell what it is of. */
static void checkpoints_signed(void *ctx, const struct kw_hsm_signature *signature)
{
    struct kw_checkpoints *c = ctx;
    const uint64_t behind = checkpoints_behind(c);
    c->signs = false;
    if (kw_failed(signature->err)) {
        checkpoints_failed(c, signature->err);
        return;
    }
    c->failed = KW_CODE_OK;
    if (behind < KW_AUDIT_CHECKPOINTS_KEPT)
        checkpoints_record(c, signature->der);
    checkpoints_go_on(c, behind);
}

static void checkpoints_sign(struct kw_checkpoints *c)
{
    const struct kw_hsm_sign sign = {.checkpoint = &c->signing,
                                     .until = kw_deadline_in(c->o.clock, SIGN_WITHIN_NS),
                                     .done = checkpoints_signed,
                                     .ctx = c};
    c->signing = c->unsigned_[0].what;
    c->signing_seen = c->unsigned_[0].seen;
    c->signs = true;
    kw_err e = c->o.sign(c->o.ctx, &sign);
    if (kw_failed(e)) {
        c->signs = false;
        checkpoints_failed(c, e);
    }
}

/* ---- looks ------------------------------------------------------------------------- */

void kw_checkpoints_look(struct kw_checkpoints *c)
{
    struct kw_audit_standing s;
    kw_audit_writer_standing(c->o.writer, &s);
    if (s.checkpoints != c->seen)
        checkpoints_made(c, &s);
    if (!s.waits && checkpoints_is_due(c, &s))
        checkpoints_make(c);
    if (c->unsigned_count > 0 && !c->signs && kw_mono_ns(c->o.clock) >= c->again_ns)
        checkpoints_sign(c);
}

void kw_checkpoints_end(struct kw_checkpoints *c, bool signs)
{
    c->ends = true;
    if (!signs) {
        c->o.sign = NULL;
        c->unsigned_count = 0;
    }
    kw_checkpoints_look(c);
}

bool kw_checkpoints_is_settled(struct kw_checkpoints *c)
{
    struct kw_audit_standing s;
    kw_audit_writer_standing(c->o.writer, &s);
    return !s.is_behind && !s.waits && s.checkpoints == c->seen && !c->signs &&
           (c->unsigned_count == 0 || kw_mono_ns(c->o.clock) < c->again_ns);
}
