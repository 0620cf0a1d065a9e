/* SPDX-License-Identifier: Apache-2.0 */
/* May I log in?  PIN, PERMIT, LOGIN.
 *
 *   pin    magic, kind, serial, label, count_low 1, final_try 1, locked 1, dev 8, ino 8,
 *          ctime_ns 8, size 8, key, digest (text and the last two behind a length)
 *   permit magic, kind, code 1, native 4, place 1, note
 *   login  the same, was_in 1
 */
#include "wire_internal.h"

static kw_err wire_login_refused(void)
{
    return kw_err_at(KW_CODE_BAD_INPUT, "wire");
}

/* Whole, or there is none. */
static bool mark_is_sane(const struct kw_pin_mark *m)
{
    bool none = m->key_len == 0 && m->digest_len == 0;
    return none || (m->key_len == sizeof m->key && m->digest_len == sizeof m->digest);
}

kw_err kw_wire_encode_pin(const struct kw_pin_facts *p, kw_dst *dst)
{
    size_t before = dst->len;
    const struct kw_pin_mark *m = &p->mark;
    if (!mark_is_sane(m))
        return kw_err_at(KW_CODE_BUG, "wire");
    bool ok = kw_wire_put_head(dst, KW_WIRE_PIN) && kw_wire_put_text(dst, p->serial) &&
              kw_wire_put_text(dst, p->label) && kw_dst_put_u8(dst, p->count_low) &&
              kw_dst_put_u8(dst, p->final_try) && kw_dst_put_u8(dst, p->locked) &&
              kw_dst_put_u64(dst, p->source.dev) && kw_dst_put_u64(dst, p->source.ino) &&
              kw_dst_put_u64(dst, (uint64_t)p->source.ctime_ns) &&
              kw_dst_put_u64(dst, (uint64_t)p->source.size) &&
              kw_dst_put_sized(dst, kw_span_of(m->key, m->key_len)) &&
              kw_dst_put_sized(dst, kw_span_of(m->digest, m->digest_len));
    return kw_wire_finish(dst, before, ok);
}

/* `len` bytes, or none. */
static size_t take_bytes(struct kw_src *src, uint8_t *dst, size_t len)
{
    size_t n = kw_src_u16(src);
    if (n != 0 && n != len) {
        src->bad = true;
        return 0;
    }
    kw_span bytes = kw_src_take(src, n);
    kw_copy(dst, len, bytes);
    return bytes.len;
}

kw_err kw_wire_decode_pin(kw_span message, struct kw_pin_facts *ret_pin)
{
    struct kw_pin_facts p = {.count_low = false};
    struct kw_src src = kw_wire_body(message, KW_WIRE_PIN);
    kw_wire_take_text(&src, p.serial, sizeof p.serial);
    kw_wire_take_text(&src, p.label, sizeof p.label);
    p.count_low = kw_wire_take_bool(&src);
    p.final_try = kw_wire_take_bool(&src);
    p.locked = kw_wire_take_bool(&src);
    p.source.dev = kw_src_u64(&src);
    p.source.ino = kw_src_u64(&src);
    p.source.ctime_ns = (int64_t)kw_src_u64(&src);
    p.source.size = (int64_t)kw_src_u64(&src);
    p.mark.key_len = take_bytes(&src, p.mark.key, sizeof p.mark.key);
    p.mark.digest_len = take_bytes(&src, p.mark.digest, sizeof p.mark.digest);
    if (!kw_src_done(&src) || !mark_is_sane(&p.mark))
        return wire_login_refused();
    *ret_pin = p;
    return KW_OK;
}

/* ---- an error, or none, and words about it ----------------------------------------- */

/* Cut text may end within a character, and a path may hold anything. */
static void wire_login_make_text(struct kw_note *note)
{
    if (kw_is_text(kw_span_str(note->text)))
        return;
    for (uint8_t *c = (uint8_t *)note->text; *c != '\0'; c++)
        if (*c >= 0x80)
            *c = '?';
}

static bool put_end(enum kw_wire_kind kind, kw_err e, const struct kw_note *said,
                    kw_dst *dst)
{
    struct kw_note note = *said;
    wire_login_make_text(&note);
    return kw_wire_put_head(dst, kind) && kw_wire_put_err(dst, e) &&
           kw_wire_put_text(dst, note.text);
}

static bool note_is_sane(kw_err e, const struct kw_note *note)
{
    return kw_failed(e) || note->text[0] == '\0';
}

static bool login_is_sane(const struct kw_wire_login *l)
{
    return note_is_sane(l->err, &l->note) && !(kw_failed(l->err) && l->was_in);
}

static struct kw_src take_end(enum kw_wire_kind kind, kw_span message, kw_err *ret_err,
                              struct kw_note *ret_note)
{
    struct kw_src src = kw_wire_body(message, kind);
    *ret_err = kw_wire_take_err(&src);
    kw_wire_take_text(&src, ret_note->text, sizeof ret_note->text);
    return src;
}

kw_err kw_wire_encode_permit(const struct kw_wire_permit *w, kw_dst *dst)
{
    size_t before = dst->len;
    if (!note_is_sane(w->err, &w->note))
        return kw_err_at(KW_CODE_BUG, "wire");
    return kw_wire_finish(dst, before, put_end(KW_WIRE_PERMIT, w->err, &w->note, dst));
}

kw_err kw_wire_decode_permit(kw_span message, struct kw_wire_permit *ret_permit)
{
    struct kw_wire_permit w = {.err = {0}};
    struct kw_src src = take_end(KW_WIRE_PERMIT, message, &w.err, &w.note);
    if (!kw_src_done(&src) || !note_is_sane(w.err, &w.note))
        return wire_login_refused();
    *ret_permit = w;
    return KW_OK;
}

kw_err kw_wire_encode_login(const struct kw_wire_login *l, kw_dst *dst)
{
    size_t before = dst->len;
    if (!login_is_sane(l))
        return kw_err_at(KW_CODE_BUG, "wire");
    bool ok =
        put_end(KW_WIRE_LOGIN, l->err, &l->note, dst) && kw_dst_put_u8(dst, l->was_in);
    return kw_wire_finish(dst, before, ok);
}

kw_err kw_wire_decode_login(kw_span message, struct kw_wire_login *ret_login)
{
    struct kw_wire_login l = {.err = {0}};
    struct kw_src src = take_end(KW_WIRE_LOGIN, message, &l.err, &l.note);
    l.was_in = kw_wire_take_bool(&src);
    if (!kw_src_done(&src) || !login_is_sane(&l))
        return wire_login_refused();
    *ret_login = l;
    return KW_OK;
}
