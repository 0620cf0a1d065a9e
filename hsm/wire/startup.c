/* SPDX-License-Identifier: Apache-2.0 */
/* What a worker sends besides answers: facts, verdicts, ready, failed. */
#include "wire_internal.h"

static kw_err wire_startup_refused(void)
{
    return kw_err_at(KW_CODE_BAD_INPUT, "wire");
}

kw_err kw_wire_encode_facts(const struct kw_wire_facts *f, kw_dst *dst)
{
    size_t before = dst->len;
    bool ok = kw_wire_put_head(dst, KW_WIRE_FACTS) && kw_wire_put_text(dst, f->library) &&
              kw_wire_put_text(dst, f->library_version) &&
              kw_wire_put_text(dst, f->label) && kw_wire_put_text(dst, f->serial) &&
              kw_wire_put_text(dst, f->manufacturer) && kw_wire_put_text(dst, f->model) &&
              kw_wire_put_text(dst, f->firmware) && kw_dst_put_u8(dst, f->softhsm) &&
              kw_dst_put_u8(dst, f->gcm) && kw_dst_put_u32(dst, f->gcm_key_min) &&
              kw_dst_put_u32(dst, f->gcm_key_max);
    return kw_wire_finish(dst, before, ok);
}

kw_err kw_wire_decode_facts(kw_span message, struct kw_wire_facts *ret_facts)
{
    struct kw_wire_facts f = {0};
    struct kw_src src = kw_wire_body(message, KW_WIRE_FACTS);
    kw_wire_take_text(&src, f.library, sizeof f.library);
    kw_wire_take_text(&src, f.library_version, sizeof f.library_version);
    kw_wire_take_text(&src, f.label, sizeof f.label);
    kw_wire_take_text(&src, f.serial, sizeof f.serial);
    kw_wire_take_text(&src, f.manufacturer, sizeof f.manufacturer);
    kw_wire_take_text(&src, f.model, sizeof f.model);
    kw_wire_take_text(&src, f.firmware, sizeof f.firmware);
    f.softhsm = kw_wire_take_bool(&src);
    f.gcm = kw_wire_take_bool(&src);
    f.gcm_key_min = kw_src_u32(&src);
    f.gcm_key_max = kw_src_u32(&src);
    if (!kw_src_done(&src))
        return wire_startup_refused();
    *ret_facts = f;
    return KW_OK;
}

static bool is_n(uint32_t n)
{
    return n >= 1 && n <= KW_VERSION_N_MAX;
}

kw_err kw_wire_encode_verdict(const struct kw_wire_verdict *v, kw_dst *dst)
{
    size_t before = dst->len;
    if (!is_n(v->n) || v->findings > KW_WIRE_FINDINGS)
        return kw_err_at(KW_CODE_BUG, "wire");
    bool ok = kw_wire_put_head(dst, KW_WIRE_VERDICT) && kw_dst_put_u32(dst, v->n) &&
              kw_wire_put_err(dst, v->err) && kw_dst_put_u8(dst, (uint8_t)v->findings) &&
              kw_wire_put_text(dst, v->reason);
    return kw_wire_finish(dst, before, ok);
}

kw_err kw_wire_decode_verdict(kw_span message, struct kw_wire_verdict *ret_verdict)
{
    struct kw_wire_verdict v = {0};
    struct kw_src src = kw_wire_body(message, KW_WIRE_VERDICT);
    v.n = kw_src_u32(&src);
    v.err = kw_wire_take_err(&src);
    v.findings = kw_src_u8(&src);
    kw_wire_take_text(&src, v.reason, sizeof v.reason);
    if (!kw_src_done(&src) || !is_n(v.n) || v.findings > KW_WIRE_FINDINGS)
        return wire_startup_refused();
    *ret_verdict = v;
    return KW_OK;
}

static bool ready_is_sane(const struct kw_wire_ready *r)
{
    return r->verdicts <= KW_VERSIONS_MAX && r->sessions >= 1 &&
           r->sessions <= KW_SESSIONS_MAX;
}

kw_err kw_wire_encode_ready(const struct kw_wire_ready *r, kw_dst *dst)
{
    size_t before = dst->len;
    if (!ready_is_sane(r))
        return kw_err_at(KW_CODE_BUG, "wire");
    bool ok = kw_wire_put_head(dst, KW_WIRE_READY) &&
              kw_dst_put(dst, kw_span_of(r->keyring_sha256, sizeof r->keyring_sha256)) &&
              kw_dst_put_u32(dst, r->verdicts) &&
              kw_dst_put_u8(dst, (uint8_t)r->sessions);
    return kw_wire_finish(dst, before, ok);
}

kw_err kw_wire_decode_ready(kw_span message, struct kw_wire_ready *ret_ready)
{
    struct kw_wire_ready r = {0};
    struct kw_src src = kw_wire_body(message, KW_WIRE_READY);
    kw_copy(r.keyring_sha256, sizeof r.keyring_sha256,
            kw_src_take(&src, sizeof r.keyring_sha256));
    r.verdicts = kw_src_u32(&src);
    r.sessions = kw_src_u8(&src);
    if (!kw_src_done(&src) || !ready_is_sane(&r))
        return wire_startup_refused();
    *ret_ready = r;
    return KW_OK;
}

kw_err kw_wire_encode_failed(const struct kw_wire_failed *f, kw_dst *dst)
{
    size_t before = dst->len;
    if (!kw_failed(f->err))
        return kw_err_at(KW_CODE_BUG, "wire");
    bool ok = kw_wire_put_head(dst, KW_WIRE_FAILED) && kw_wire_put_err(dst, f->err) &&
              kw_wire_put_text(dst, f->note.text);
    return kw_wire_finish(dst, before, ok);
}

kw_err kw_wire_decode_failed(kw_span message, struct kw_wire_failed *ret_failed)
{
    struct kw_wire_failed f = {0};
    struct kw_src src = kw_wire_body(message, KW_WIRE_FAILED);
    f.err = kw_wire_take_err(&src);
    kw_wire_take_text(&src, f.note.text, sizeof f.note.text);
    if (!kw_src_done(&src) || !kw_failed(f.err))
        return wire_startup_refused();
    *ret_failed = f;
    return KW_OK;
}
