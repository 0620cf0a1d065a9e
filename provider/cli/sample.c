/* SPDX-License-Identifier: Apache-2.0 */
/* The one reader and the one writer of samples. */
#include "sample.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include <jansson.h>

#include <keyward/alloc.h>
#include <keyward/keyring.h>

#define WRONG(note, ...)                                                                 \
    (kw_note_set((note), __VA_ARGS__), kw_err_at(KW_CODE_BAD_INPUT, "sample"))

/* jansson's words may hold bytes of the file. */
static const char *sample_plain(json_error_t *at)
{
    (void)kw_copy_printable(at->text, sizeof at->text, kw_span_str(at->text));
    return at->text;
}

/* What must hold between the members, however they came here. */
static kw_err sample_judge(const struct kw_sample *s, struct kw_note *note)
{
    struct kw_envelope env;
    kw_err e;
    if (!kw_is_domain(kw_span_str(s->domain)))
        return WRONG(note, "domain: must be 1 to %u of a-z, 0-9, '-' and '.'",
                     KW_DOMAIN_MAX);
    if (!kw_key_id_parse(kw_span_str(s->key_id), NULL))
        return WRONG(note, "key-id: must be kw1-N- and 24 hex digits");
    if (!kw_is_scope(kw_span_str(s->class_name)))
        return WRONG(note, "class: must be 1 to %u of a-z, 0-9 and '-'", KW_SCOPE_MAX);
    e = kw_envelope_parse(kw_span_of(s->ciphertext, s->ciphertext_len), &env);
    if (kw_failed(e))
        return WRONG(note, "ciphertext: is none of keyward's (%s)", e.where);
    if (env.purpose != KW_PURPOSE_SEED)
        return WRONG(note, "ciphertext: seals no seed");
    if (!kw_span_equal_str(env.scope, s->scope))
        return WRONG(note, "scope: is not the one that the ciphertext is sealed for");
    return KW_OK;
}

static kw_err sample_put(char *dst, size_t cap, const char *text, const char *member,
                         struct kw_note *note)
{
    if (!kw_copy_str(dst, cap, kw_span_str(text)))
        return WRONG(note, "%s: too long", member);
    return KW_OK;
}

static kw_err put_ciphertext(struct kw_sample *s, const char *hex, struct kw_note *note)
{
    size_t len = strlen(hex) / 2;
    if (len > sizeof s->ciphertext || strlen(hex) % 2 != 0 ||
        !kw_unhex(s->ciphertext, len, kw_span_str(hex)))
        return WRONG(note, "ciphertext: must be 1 to %zu bytes in lower-case hex",
                     sizeof s->ciphertext);
    s->ciphertext_len = len;
    return KW_OK;
}

static kw_err read_members(json_t *root, struct kw_sample *s, struct kw_note *note)
{
    int format = 0;
    json_error_t at;
    const char *domain, *key_id, *class_name, *scope, *ciphertext;
    if (json_unpack_ex(root, &at, JSON_STRICT, "{s:i, s:s, s:s, s:s, s:s, s:s}",
                       "keyward-sample", &format, "domain", &domain, "key-id", &key_id,
                       "class", &class_name, "scope", &scope, "ciphertext",
                       &ciphertext) != 0)
        return WRONG(note, "%s", sample_plain(&at));
    if (format != 1)
        return WRONG(note, "keyward-sample: must be 1: this program reads only that "
                           "format");
    kw_err e = sample_put(s->domain, sizeof s->domain, domain, "domain", note);
    if (!kw_failed(e))
        e = sample_put(s->key_id, sizeof s->key_id, key_id, "key-id", note);
    if (!kw_failed(e))
        e = sample_put(s->class_name, sizeof s->class_name, class_name, "class", note);
    if (!kw_failed(e))
        e = sample_put(s->scope, sizeof s->scope, scope, "scope", note);
    if (!kw_failed(e))
        e = put_ciphertext(s, ciphertext, note);
    return kw_failed(e) ? e : sample_judge(s, note);
}

kw_err kw_sample_parse(kw_span text, struct kw_sample *ret_sample, struct kw_note *note)
{
    struct kw_sample s = {{0}};
    json_error_t at;
    if (text.len == 0 || text.len > KW_SAMPLE_FILE_MAX)
        return WRONG(note, "%s", text.len == 0 ? "empty" : "too large for a sample");
    json_t *root =
        json_loadb((const char *)text.ptr, text.len, JSON_REJECT_DUPLICATES, &at);
    if (root == NULL && json_error_code(&at) == json_error_out_of_memory)
        return kw_err_at(KW_CODE_NO_MEMORY, "sample");
    if (root == NULL)
        return WRONG(note, "line %d, column %d: %s", at.line, at.column,
                     sample_plain(&at));
    kw_err e = read_members(root, &s, note);
    json_decref(root);
    if (!kw_failed(e))
        *ret_sample = s;
    return e;
}

kw_err kw_sample_text(const struct kw_sample *sample, struct kw_blob *ret_text,
                      struct kw_note *note)
{
    char hex[2 * KW_CIPHERTEXT_MAX + 1];
    kw_err e = sample_judge(sample, note);
    if (kw_failed(e))
        return e;
    kw_hex(hex, sizeof hex, kw_span_of(sample->ciphertext, sample->ciphertext_len));
    json_t *root =
        json_pack("{s:i, s:s, s:s, s:s, s:s, s:s}", "keyward-sample", 1, "domain",
                  sample->domain, "key-id", sample->key_id, "class", sample->class_name,
                  "scope", sample->scope, "ciphertext", hex);
    uint8_t *text = kw_new(KW_SAMPLE_FILE_MAX, 1);
    size_t len = root == NULL || text == NULL
                     ? 0
                     : json_dumpb(root, (char *)text, KW_SAMPLE_FILE_MAX, JSON_INDENT(2));
    json_decref(root);
    if (len == 0 || len >= KW_SAMPLE_FILE_MAX) {
        kw_free(text);
        return kw_err_at(KW_CODE_NO_MEMORY, "sample");
    }
    text[len++] = '\n';
    *ret_text = (struct kw_blob){text, len};
    return KW_OK;
}

kw_err kw_sample_load(const char *path, struct kw_sample *ret_sample,
                      struct kw_note *note)
{
    struct kw_note why = {{0}};
    struct kw_blob file = {0};
    kw_err e = kw_file_read(path, KW_SAMPLE_FILE_MAX, &file, note);
    if (kw_failed(e))
        return e;
    e = kw_sample_parse(kw_blob_peek(&file), ret_sample, &why);
    kw_blob_wipe(&file);
    if (kw_failed(e))
        kw_note_set(note, "%s: %s", path, why.text);
    return e;
}

static kw_err not_saved(const char *path, struct kw_note *note)
{
    int saved = errno;
    if (saved == EEXIST || saved == ELOOP) {
        kw_note_set(note, "%s: is there already; a sample is written over nothing", path);
        return kw_err_native(KW_CODE_DENIED, (uint32_t)saved, "--sample");
    }
    kw_note_set(note, "%s: not written: %s", path, strerror(saved));
    return kw_err_native(KW_CODE_IO, (uint32_t)saved, "--sample");
}

static bool sample_write_all(int fd, kw_span bytes)
{
    while (bytes.len > 0) {
        ssize_t n = write(fd, bytes.ptr, bytes.len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return false;
        bytes = kw_span_of(bytes.ptr + n, bytes.len - (size_t)n);
    }
    return fsync(fd) == 0;
}

kw_err kw_sample_save(const char *path, const struct kw_sample *sample,
                      struct kw_note *note)
{
    struct kw_blob text = {0};
    kw_err e = kw_sample_text(sample, &text, note);
    if (kw_failed(e))
        return e;
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0) {
        e = not_saved(path, note);
    } else if (!sample_write_all(fd, kw_blob_peek(&text))) {
        e = not_saved(path, note);
        unlink(path);
    }
    if (fd >= 0)
        close(fd);
    kw_blob_wipe(&text);
    return e;
}

void kw_sample_envelope(const struct kw_sample *sample, struct kw_envelope *ret_env,
                        uint8_t ret_aad[KW_AAD_MAX], size_t *ret_aad_len)
{
    kw_dst aad = kw_dst_of(ret_aad, KW_AAD_MAX);
    KW_MUST(!kw_failed(kw_envelope_parse(
        kw_span_of(sample->ciphertext, sample->ciphertext_len), ret_env)));
    KW_MUST(!kw_failed(kw_envelope_aad(ret_env, kw_span_str(sample->key_id),
                                       kw_span_str(sample->domain), &aad)));
    *ret_aad_len = aad.len;
}
