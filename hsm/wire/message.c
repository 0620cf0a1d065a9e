/* SPDX-License-Identifier: Apache-2.0 */
/* What all messages share, and the table that lets kw_err.where survive the wall. */
#include "wire_internal.h"

enum { MAGIC = 0x6b };

/* Places of hsm/token and of the worker, by number.  0 is "no place", 1 stands for
 * a place that is not in the table.  The order is not stored anywhere: front and worker
 * are built together. */
static const char *const steps[] = {
    NULL,
    "worker",
    "brief",
    "page",
    "mmap",
    "signalfd",
    "pthread_create",
    "deadline",
    "socket",
    "keyring",
    "json",
    "json size",
    "json member",
    "versions",
    "file",
    "file owner",
    "file mode",
    "file size",
    "file type",
    "mlock",
    "arena",
    "module",
    "uri",
    "token",
    "pin",
    "key",
    "find",
    "key attributes",
    "key length",
    "check blob",
    "inner length",
    "inner digest",
    "mechanism",
    "text",
    "aad",
    "iv",
    "wrap",
    "p11_kit_module_load",
    "C_GetFunctionList",
    "C_Initialize",
    "C_Finalize",
    "C_GetInfo",
    "C_GetSlotList",
    "C_GetSlotInfo",
    "C_GetTokenInfo",
    "C_GetMechanismInfo",
    "C_OpenSession",
    "C_CloseSession",
    "C_Login",
    "C_FindObjectsInit",
    "C_FindObjects",
    "C_FindObjectsFinal",
    "C_GetAttributeValue",
    "C_GenerateKey",
    "C_DestroyObject",
    "C_EncryptInit",
    "C_Encrypt",
    "C_DecryptInit",
    "C_Decrypt",
    "C_GenerateRandom",
    "pin latch",
    "pin key",
    "state lock",
    "state directory",
};
enum { STEPS = sizeof steps / sizeof steps[0] };

static uint8_t step_of(const char *where)
{
    for (uint8_t i = 2; where != NULL && i < STEPS; i++)
        if (kw_span_equal_str(kw_span_str(where), steps[i]))
            return i;
    return 1;
}

bool kw_wire_put_head(kw_dst *dst, enum kw_wire_kind kind)
{
    return kw_dst_put_u8(dst, MAGIC) && kw_dst_put_u8(dst, (uint8_t)kind);
}

enum kw_wire_kind kw_wire_kind_of(kw_span message)
{
    struct kw_src src = kw_src_of(message);
    uint8_t magic = kw_src_u8(&src), kind = kw_src_u8(&src);
    bool known = kind >= KW_WIRE_JOB && kind <= KW_WIRE_LOGIN;
    return !src.bad && magic == MAGIC && known ? (enum kw_wire_kind)kind
                                               : (enum kw_wire_kind)0;
}

struct kw_src kw_wire_body(kw_span message, enum kw_wire_kind kind)
{
    struct kw_src src = kw_src_of(message);
    src.bad = message.len > KW_WIRE_MAX || kw_wire_kind_of(message) != kind;
    kw_src_u16(&src);
    return src;
}

bool kw_wire_put_err(kw_dst *dst, kw_err e)
{
    uint8_t step = kw_failed(e) ? step_of(e.where) : 0;
    return e.code < KW_CODE_COUNT && kw_dst_put_u8(dst, (uint8_t)e.code) &&
           kw_dst_put_u32(dst, kw_failed(e) ? e.native : 0) && kw_dst_put_u8(dst, step);
}

kw_err kw_wire_take_err(struct kw_src *src)
{
    uint8_t code = kw_src_u8(src);
    uint32_t native = kw_src_u32(src);
    uint8_t step = kw_src_u8(src);
    bool ok = code == KW_CODE_OK;
    if (code >= KW_CODE_COUNT || step >= STEPS || ok != (step == 0) ||
        (ok && native != 0))
        src->bad = true;
    return src->bad ? KW_OK : (kw_err){(enum kw_code)code, native, steps[step]};
}

bool kw_wire_put_text(kw_dst *dst, const char *text)
{
    return kw_is_printable_text(kw_span_str(text)) &&
           kw_dst_put_sized(dst, kw_span_str(text));
}

void kw_wire_take_text(struct kw_src *src, char *dst, size_t cap)
{
    kw_span text = kw_src_sized(src);
    if (!kw_is_printable_text(text) || !kw_copy_str(dst, cap, text))
        src->bad = true;
}

bool kw_wire_take_bool(struct kw_src *src)
{
    uint8_t v = kw_src_u8(src);
    if (v > 1)
        src->bad = true;
    return v == 1;
}

kw_err kw_wire_finish(kw_dst *dst, size_t before, bool ok)
{
    if (ok && dst->len - before <= KW_WIRE_MAX)
        return KW_OK;
    dst->len = before;
    return kw_err_at(KW_CODE_NO_MEMORY, "wire");
}
