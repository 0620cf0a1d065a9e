/* SPDX-License-Identifier: Apache-2.0 */
/* Refusals beyond ten a second of one peer and one reason become one number a second: a
 * flood of them would fill the disk, and a full disk stops the calls of everybody. */
#include "call.h"
#include "writer_state.h"

static bool refused_is_of(const struct kw_audit_refusal *r, const struct kw_request *q)
{
    return r->used && r->method == q->method && r->class_index == q->class_index &&
           r->code == q->err.code && r->peer.uid == q->peer.uid &&
           r->peer.gid == q->peer.gid && r->peer.pid == q->peer.pid &&
           r->peer.pid_start == q->peer.pid_start;
}

static bool refused_is_idle(const struct kw_audit_refusal *r, int64_t now_ns)
{
    return !r->used || (r->more == 0 && now_ns - r->since_ns >= KW_S_NS);
}

/* NULL: all rows are somebody else's now. */
static struct kw_audit_refusal *refused_row(struct kw_audit_writer *w,
                                            const struct kw_request *q, int64_t now_ns)
    KW_REQUIRES(w->mutex)
{
    struct kw_audit_refusal *free_ = NULL;
    for (size_t i = 0; i < REFUSED_ROWS; i++) {
        if (refused_is_of(&w->refusals[i], q))
            return &w->refusals[i];
        if (free_ == NULL && refused_is_idle(&w->refusals[i], now_ns))
            free_ = &w->refusals[i];
    }
    if (free_ != NULL)
        *free_ = (struct kw_audit_refusal){.used = true,
                                           .method = q->method,
                                           .class_index = q->class_index,
                                           .peer = q->peer,
                                           .code = q->err.code,
                                           .since_ns = now_ns};
    return free_;
}

bool kw_audit_refused_is_many(struct kw_audit_writer *w, const struct kw_request *request,
                              int64_t now_ns)
{
    struct kw_audit_refusal *r = refused_row(w, request, now_ns);
    w->stats.refused++; /* taken back below */
    if (r == NULL) {
        if (w->refused_others++ == 0)
            w->others_ns = now_ns;
        return true;
    }
    if (r->more == 0 && now_ns - r->since_ns >= KW_S_NS) {
        r->since_ns = now_ns;
        r->seen = 0;
    }
    if (r->seen++ >= KW_AUDIT_REFUSED_EACH) {
        r->more++;
        return true;
    }
    w->stats.refused--;
    return false;
}

static struct kw_audit_record refused_record(const struct kw_audit_writer *w,
                                             const struct kw_audit_refusal *r)
{
    struct kw_audit_record record = {.kind = KW_AUDIT_REFUSED};
    struct kw_audit_value *v = record.value;
    v[KW_AUDIT_REFUSED_METHOD] = kw_audit_text(kw_audit_method(r->method));
    v[KW_AUDIT_REFUSED_CLASS] = kw_audit_text(w->o.class_names[r->class_index]);
    kw_audit_peer(&v[KW_AUDIT_REFUSED_PEER_UID], &r->peer);
    v[KW_AUDIT_REFUSED_CODE] = kw_audit_number(w->o.grpc_code(r->code));
    v[KW_AUDIT_REFUSED_REASON] = kw_audit_text(kw_code_name(r->code));
    v[KW_AUDIT_REFUSED_COUNT] = kw_audit_number(r->more);
    return record;
}

bool kw_audit_refused_next(struct kw_audit_writer *w, int64_t now_ns,
                           struct kw_audit_record *ret_record)
{
    for (size_t i = 0; i < REFUSED_ROWS; i++) {
        struct kw_audit_refusal *r = &w->refusals[i];
        if (r->more == 0 || (now_ns - r->since_ns < KW_S_NS && !w->stops))
            continue;
        *ret_record = refused_record(w, r);
        *r = (struct kw_audit_refusal){0};
        return true;
    }
    if (w->refused_others == 0 || (now_ns - w->others_ns < KW_S_NS && !w->stops))
        return false;
    *ret_record = (struct kw_audit_record){.kind = KW_AUDIT_REFUSED};
    for (size_t i = 0; i < KW_AUDIT_REFUSED_VALUES; i++)
        ret_record->value[i] = KW_AUDIT_NULL;
    ret_record->value[KW_AUDIT_REFUSED_COUNT] = kw_audit_number(w->refused_others);
    w->refused_others = 0;
    return true;
}
