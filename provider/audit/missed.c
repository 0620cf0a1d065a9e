/* SPDX-License-Identifier: Apache-2.0 */
/* What has no record, as numbers that get one. */
#include "call.h"
#include "writer_state.h"

static unsigned missed_method(enum kw_method method)
{
    return method == KW_METHOD_ENCRYPT ? 0 : 1;
}

void kw_audit_missed_call(struct kw_audit_writer *w, unsigned class_index,
                          enum kw_method method, enum kw_code code)
{
    w->missed.calls[class_index][missed_method(method)][code]++;
    w->missed.total++;
    w->stats.missed++;
}

void kw_audit_missed_change(struct kw_audit_writer *w)
{
    w->missed.changes++;
    w->missed.total++;
}

/* With dst NULL it only counts. */
static size_t missed_walk(const struct kw_audit_writer_options *o,
                          const struct kw_audit_missed *m, struct kw_audit_record *dst)
{
    static const enum kw_method methods[METHODS] = {KW_METHOD_ENCRYPT, KW_METHOD_DECRYPT};
    size_t n = 0;
    for (size_t i = 0; i < KW_CLASSES_MAX * METHODS * KW_CODE_COUNT; i++) {
        const size_t class = i / (METHODS * KW_CODE_COUNT);
        const size_t method = i / KW_CODE_COUNT % METHODS;
        const enum kw_code code = (enum kw_code)(i % KW_CODE_COUNT);
        if (m->calls[class][method][code] == 0)
            continue;
        if (dst != NULL)
            dst[n] = (struct kw_audit_record){
                .kind = KW_AUDIT_UNRECORDED,
                .value = {
                    [KW_AUDIT_UNRECORDED_METHOD] =
                        kw_audit_text(kw_audit_method(methods[method])),
                    [KW_AUDIT_UNRECORDED_CLASS] = kw_audit_text(o->class_names[class]),
                    [KW_AUDIT_UNRECORDED_CODE] = kw_audit_number(o->grpc_code(code)),
                    [KW_AUDIT_UNRECORDED_REASON] = kw_audit_text(kw_code_name(code)),
                    [KW_AUDIT_UNRECORDED_COUNT] =
                        kw_audit_number(m->calls[class][method][code])}};
        n++;
    }
    return n;
}

size_t kw_audit_missed_count(const struct kw_audit_missed *m)
{
    return m->total == 0 ? 0 : missed_walk(NULL, m, NULL) + (m->changes > 0);
}

size_t kw_audit_missed_records(const struct kw_audit_writer_options *o,
                               const struct kw_audit_missed *m,
                               struct kw_audit_record *dst)
{
    size_t n = m->total == 0 ? 0 : missed_walk(o, m, dst);
    if (m->changes > 0)
        dst[n++] = (struct kw_audit_record){
            .kind = KW_AUDIT_UNRECORDED,
            .value = {[KW_AUDIT_UNRECORDED_METHOD] = KW_AUDIT_NULL,
                      [KW_AUDIT_UNRECORDED_CLASS] = KW_AUDIT_NULL,
                      [KW_AUDIT_UNRECORDED_CODE] = KW_AUDIT_NULL,
                      [KW_AUDIT_UNRECORDED_REASON] = KW_AUDIT_NULL,
                      [KW_AUDIT_UNRECORDED_COUNT] = kw_audit_number(m->changes)}};
    return n;
}

void kw_audit_missed_take(struct kw_audit_missed *m, const struct kw_audit_missed *told)
{
    if (told->total == 0)
        return;
    for (size_t class = 0; class < KW_CLASSES_MAX; class ++)
        for (size_t method = 0; method < METHODS; method++)
            for (size_t code = 0; code < KW_CODE_COUNT; code++)
                m->calls[class][method][code] -= told->calls[class][method][code];
    m->changes -= told->changes;
    m->total -= told->total;
}
