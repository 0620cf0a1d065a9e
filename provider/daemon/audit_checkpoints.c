/* SPDX-License-Identifier: Apache-2.0 */
/* Checkpoints of the audit log: what they say of this node, and who signs them. */
#include "daemon_internal.h"

#include <poll.h>
#include <sys/timex.h>

#include <keyward/log.h>

/* For the last one at the end, and for each signature; then it ends without. */
#define LAST_WITHIN_NS (500 * KW_MS_NS)

static bool checkpoint_is_synchronised(void *ctx)
{
    struct timex now = {.modes = 0};
    (void)ctx;
    const int state = adjtimex(&now);
    return state >= 0 && state != TIME_ERROR && (now.status & STA_UNSYNC) == 0;
}

static void checkpoint_counts(void *ctx, uint64_t ret_counts[KW_CHECKPOINT_COUNTS])
{
    const struct kw_daemon *d = ctx;
    for (size_t i = 0; i < KW_CHECKPOINT_COUNTS; i++)
        ret_counts[i] = 0;
    if (d->front != NULL)
        kw_front_counts(d->front, ret_counts);
}

/* Before there is a front nothing is signed, and it is asked for again. */
static kw_err checkpoint_sign(void *ctx, const struct kw_hsm_sign *sign)
{
    struct kw_daemon *d = ctx;
    if (d->front == NULL)
        return kw_err_at(KW_CODE_STARTING, "checkpoint");
    const struct kw_hsm_door door = kw_front_door(d->front);
    kw_lock_take(&d->lock);
    const kw_err e = door.ops->sign(door.hsm, sign);
    kw_lock_give(&d->lock);
    door.ops->flush(door.hsm);
    return e;
}

void kw_daemon_checkpoints_key(const struct kw_daemon *d,
                               struct kw_front_audit_key *ret_key)
{
    const struct kw_config *c = d->config;
    if (c->audit_key_label == NULL)
        return;
    ret_key->label = c->audit_key_label;
    KW_MUST(kw_unhex(ret_key->sha256, KW_SHA256, kw_span_str(c->audit_key_sha256)));
}

void kw_daemon_checkpoints_begin(struct kw_daemon *d)
{
    struct kw_front_audit_key key = {.label = NULL};
    kw_daemon_checkpoints_key(d, &key);
    struct kw_checkpoints_options o = {.writer = d->audit.writer,
                                       .clock = d->clock,
                                       .node = d->audit.node.name,
                                       .is_synchronised = checkpoint_is_synchronised,
                                       .counts = checkpoint_counts,
                                       .ctx = d};
    if (key.label != NULL)
        o.sign = checkpoint_sign;
    kw_copy(o.key, sizeof o.key, kw_span_of(key.sha256, sizeof key.sha256));
    kw_checkpoints_begin(&d->audit.checkpoints, &o);
}

void kw_daemon_checkpoints_sign_off(struct kw_daemon *d)
{
    struct kw_checkpoints *c = &d->audit.checkpoints;
    kw_deadline until = kw_deadline_in(d->clock, LAST_WITHIN_NS);
    uint64_t signed_to = c->signed_to;
    kw_checkpoints_end(c, true);
    while (d->tick != NULL && !kw_checkpoints_is_settled(c) &&
           !kw_deadline_over(until, kw_mono_ns(d->clock))) {
        if (event_base_loop(d->loop, EVLOOP_ONCE) != 0)
            return;
        kw_checkpoints_look(c);
        if (c->signed_to != signed_to)
            until = kw_deadline_in(d->clock, LAST_WITHIN_NS);
        signed_to = c->signed_to;
    }
}

void kw_daemon_checkpoints_end(struct kw_daemon *d)
{
    const kw_deadline until = kw_deadline_in(d->clock, LAST_WITHIN_NS);
    struct pollfd p = {.fd = kw_audit_writer_fd(d->audit.writer), .events = POLLIN};
    kw_checkpoints_end(&d->audit.checkpoints, false);
    while (!kw_checkpoints_is_settled(&d->audit.checkpoints) &&
           !kw_deadline_over(until, kw_mono_ns(d->clock))) {
        (void)poll(&p, 1, 10);
        kw_audit_writer_collect(d->audit.writer);
        kw_checkpoints_look(&d->audit.checkpoints);
    }
}
