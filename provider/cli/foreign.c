/* SPDX-License-Identifier: Apache-2.0 */
#include "foreign.h"

#include <keyward/file.h>
#include <keyward/sha256.h>

enum { REDACTED_BYTES = 8 };

kw_err kw_redaction_begin(struct kw_redaction *redaction, const char *path,
                          struct kw_note *note)
{
    kw_err e = path != NULL
                   ? kw_file_read_secret(path, KW_REDACT_KEY_MAX, &redaction->key, note)
                   : kw_secret_init(&redaction->key, KW_REDACT_KEY_MIN);
    if (!kw_failed(e) && path == NULL)
        kw_random(redaction->key.ptr, redaction->key.len);
    if (!kw_failed(e) && redaction->key.len < KW_REDACT_KEY_MIN) {
        kw_note_set(note,
                    "%s: a key has at least %u bytes; make one: "
                    "openssl rand -hex 32",
                    path, KW_REDACT_KEY_MIN);
        kw_secret_wipe(&redaction->key);
        e = kw_err_at(KW_CODE_BAD_INPUT, "--redact-key");
    }
    redaction->on = !kw_failed(e);
    return e;
}

void kw_redaction_end(struct kw_redaction *redaction)
{
    if (redaction->on)
        kw_secret_wipe(&redaction->key);
    redaction->on = false;
}

/* Over one byte that says what it is, and SHA-256 of the text, which has any length. */
static void foreign_redact(const struct kw_redaction *redaction, enum kw_foreign what,
                           kw_span bytes, char ret_text[KW_FOREIGN_MAX])
{
    uint8_t told[1 + KW_SHA256] = {(uint8_t)what}, mac[KW_SHA256];
    kw_copy_str(ret_text, KW_FOREIGN_MAX, kw_span_str("h:"));
    if (kw_failed(kw_sha256(bytes, told + 1)) ||
        kw_failed(kw_hmac_sha256(&redaction->key, kw_span_of(told, sizeof told), mac)))
        kw_copy_str(ret_text, KW_FOREIGN_MAX, kw_span_str("h:?")); /* out of memory */
    else
        kw_hex(ret_text + 2, KW_FOREIGN_MAX - 2, kw_span_of(mac, REDACTED_BYTES));
}

static size_t foreign_put(char *dst, uint8_t byte)
{
    static const char digits[] = "0123456789abcdef";
    if (byte < 0x80 && kw_is_printable_char(byte) && byte != '\\') {
        dst[0] = (char)byte;
        return 1;
    }
    dst[0] = '\\';
    if (byte == '\\') {
        dst[1] = '\\';
        return 2;
    }
    dst[1] = 'x';
    dst[2] = digits[byte >> 4];
    dst[3] = digits[byte & 0xf];
    return 4;
}

void kw_foreign_text(const struct kw_redaction *redaction, enum kw_foreign what,
                     kw_span bytes, char ret_text[KW_FOREIGN_MAX])
{
    if (redaction != NULL && redaction->on && what != KW_FOREIGN_KEY_ID &&
        bytes.len > 0) {
        foreign_redact(redaction, what, bytes, ret_text);
        return;
    }
    size_t at = 0;
    for (size_t i = 0; i < bytes.len && i < KW_FOREIGN_BYTES; i++)
        at += foreign_put(ret_text + at, bytes.ptr[i]);
    ret_text[at] = '\0';
    if (bytes.len > KW_FOREIGN_BYTES)
        snprintf(ret_text + at, KW_FOREIGN_MAX - at, "\\... (%zu bytes)", bytes.len);
}

void kw_foreign_json(FILE *out, const char *text)
{
    putc('"', out);
    for (; *text != '\0'; text++) {
        if (*text == '"' || *text == '\\')
            putc('\\', out);
        putc(*text, out);
    }
    putc('"', out);
}
