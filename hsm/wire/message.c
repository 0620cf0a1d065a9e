/* SPDX-License-Identifier: Apache-2.0 */
/* What all messages share, and the table that lets kw_err.where survive the wall. */
#include "wire_internal.h"

#include <assert.h>

enum { MAGIC = 0x6b };

/* What kw_err.where can name on either side of the wall, by number.  0 is "no place", 1 stands for
 * a place that is not in the table; tests/border/places compares it with the source.  The
 * order is not stored anywhere: front and worker are built together. */
static const char *const places[] = {
    NULL,
    "worker",
    "C_CloseSession",
    "C_CopyObject",
    "C_Decrypt",
    "C_DecryptInit",
    "C_DestroyObject",
    "C_Encrypt",
    "C_EncryptInit",
    "C_FindObjects",
    "C_FindObjectsFinal",
    "C_FindObjectsInit",
    "C_GenerateKey",
    "C_GenerateKeyPair",
    "C_GenerateRandom",
    "C_GetAttributeValue",
    "C_GetFunctionList",
    "C_GetInfo",
    "C_GetSlotList",
    "C_GetTokenInfo",
    "C_Initialize",
    "C_Login",
    "C_Logout",
    "C_OpenSession",
    "C_Sign",
    "C_SignInit",
    "--keyring-backup",
    "aad",
    "activation",
    "activation.json",
    "arena",
    "audit key",
    "branch",
    "brief",
    "canary",
    "check blob",
    "check blob: no envelope",
    "check blob: of another mechanism",
    "check blob: seals something else",
    "checkpoint",
    "create",
    "deadline",
    "domain",
    "envelope room",
    "envelope trailing bytes",
    "event_new",
    "F_ADD_SEALS",
    "FD_CLOEXEC",
    "F_DUPFD_CLOEXEC",
    "file",
    "file mode",
    "file owner",
    "file size",
    "file type",
    "find",
    "front",
    "fstat",
    "generation",
    "inner digest",
    "inner length",
    "io",
    "iv",
    "json",
    "json member",
    "json size",
    "key",
    "key attributes",
    "key length",
    "keyring",
    "keyring act",
    "keyring changed",
    "keyring critical",
    "keyring digest",
    "keyring lock",
    "keyring object tokens",
    "label",
    "list",
    "marks",
    "marks.json",
    "mechanism",
    "memfd_create",
    "mlock",
    "mmap",
    "module",
    "no active version",
    "number of a pruned version",
    "page",
    "pidfd_open",
    "pin",
    "pin key",
    "pin latch",
    "pin-latch.json",
    "pipe2",
    "posix_spawn",
    "pthread_create",
    "public key",
    "queue",
    "seed length",
    "session",
    "sha256",
    "signature",
    "socket",
    "socketpair",
    "stale",
    "pause",
    "state directory",
    "state directory mode",
    "state directory owner",
    "state file owner",
    "state lock",
    "stop",
    "text",
    "throwaway",
    "token",
    "uri",
    "version key_id",
    "version n",
    "versions",
    "wire",
    "wrap",
    "write",
};
enum { PLACES = sizeof places / sizeof places[0] };
static_assert(PLACES <= UINT8_MAX, "a place goes as one byte");

static uint8_t place_of(const char *where)
{
    for (uint8_t i = 2; where != NULL && i < PLACES; i++)
        if (kw_span_equal_str(kw_span_str(where), places[i]))
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
    uint8_t place = kw_failed(e) ? place_of(e.where) : 0;
    return e.code < KW_CODE_COUNT && kw_dst_put_u8(dst, (uint8_t)e.code) &&
           kw_dst_put_u32(dst, kw_failed(e) ? e.native : 0) && kw_dst_put_u8(dst, place);
}

kw_err kw_wire_take_err(struct kw_src *src)
{
    uint8_t code = kw_src_u8(src);
    uint32_t native = kw_src_u32(src);
    uint8_t place = kw_src_u8(src);
    bool ok = code == KW_CODE_OK;
    if (code >= KW_CODE_COUNT || place >= PLACES || ok != (place == 0) ||
        (ok && native != 0))
        src->bad = true;
    return src->bad ? KW_OK : (kw_err){(enum kw_code)code, native, places[place]};
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
