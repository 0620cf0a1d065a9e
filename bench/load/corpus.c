/* SPDX-License-Identifier: Apache-2.0 */
#include "corpus.h"

#include <stdio.h>
#include <string.h>

#include <keyward/alloc.h>
#include <keyward/file.h>
#include <keyward/limits.h>

const char *const kw_bench_method_names[KW_METHODS] = {"status", "encrypt", "decrypt"};

enum {
    LEN = 2, /* protobuf wire type: a length and that many bytes */
    TEXT = 1,
    UID = 2,
    ENCRYPT_ANNOTATIONS = 3, /* of the reply */
    DECRYPT_KEY_ID = 3,      /* of the request */
    DECRYPT_ANNOTATIONS = 4,
};

static bool message_put_field(kw_dst *dst, unsigned number, kw_span s)
{
    bool fits = kw_dst_put_u8(dst, (uint8_t)(number << 3 | LEN));
    size_t len = s.len;
    for (; len >= 0x80 && fits; len >>= 7)
        fits = kw_dst_put_u8(dst, (uint8_t)(len | 0x80));
    return fits && kw_dst_put_u8(dst, (uint8_t)len) && kw_dst_put(dst, s);
}

static uint64_t message_take_varint(struct kw_src *src)
{
    uint64_t v = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
        uint8_t byte = kw_src_u8(src);
        v |= (uint64_t)(byte & 0x7f) << shift;
        if (byte < 0x80)
            return v;
    }
    src->bad = true;
    return 0;
}

/* The next field; only length-delimited ones are known here. */
static unsigned message_take_field(struct kw_src *src, kw_span *ret_value)
{
    uint64_t tag = message_take_varint(src);
    if ((tag & 7) != LEN || tag >> 3 == 0 || tag >> 3 > 15) {
        src->bad = true;
        return 0;
    }
    *ret_value = kw_src_take(src, message_take_varint(src));
    return (unsigned)(tag >> 3);
}

/* The entries of the map are the same on both sides; only their field's number is not. */
static bool message_put_annotations(kw_dst *dst, kw_span all)
{
    struct kw_src src = kw_src_of(all);
    kw_span value = {0};
    while (kw_src_left(&src) > 0 && !src.bad)
        if (message_take_field(&src, &value) == ENCRYPT_ANNOTATIONS && !src.bad &&
            !message_put_field(dst, DECRYPT_ANNOTATIONS, value))
            return false;
    return !src.bad;
}

bool kw_message_write(kw_dst *dst, enum kw_bench_method method,
                      const struct kw_message *m, kw_span uid)
{
    const size_t at = dst->len;
    bool fits = kw_dst_put_u8(dst, 0) && kw_dst_put_u32(dst, 0);
    if (method != KW_STATUS)
        fits = fits && message_put_field(dst, TEXT, m->text) &&
               message_put_field(dst, UID, uid);
    if (method == KW_DECRYPT)
        fits = fits && message_put_field(dst, DECRYPT_KEY_ID, m->key_id) &&
               message_put_annotations(dst, m->annotations);
    if (!fits)
        return false;
    kw_dst length = kw_dst_of(dst->ptr + at + 1, 4);
    return kw_dst_put_u32(&length, (uint32_t)(dst->len - at - KW_MESSAGE_PREFIX));
}

bool kw_message_read(enum kw_bench_method method, kw_span body,
                     struct kw_message *ret_reply)
{
    struct kw_src src = kw_src_of(body);
    struct kw_message r = {0};
    kw_span *const known[KW_METHODS][4] = {{NULL, &r.version, &r.healthz, &r.key_id},
                                           {NULL, &r.text, &r.key_id, &r.annotations},
                                           {NULL, &r.text, NULL, NULL}};
    if (kw_src_u8(&src) != 0 || kw_src_u32(&src) != body.len - KW_MESSAGE_PREFIX ||
        src.bad)
        return false;
    const kw_span all = kw_src_rest(&src);
    while (kw_src_left(&src) > 0 && !src.bad) {
        kw_span value = {0};
        unsigned number = message_take_field(&src, &value);
        kw_span *to = number < 4 ? known[method][number] : NULL;
        if (to != NULL)
            *to = to == &r.annotations ? all : value;
    }
    if (!src.bad)
        *ret_reply = r;
    return !src.bad;
}

kw_err kw_corpus_init(struct kw_corpus *c, size_t count)
{
    *c = (struct kw_corpus){.count = count};
    c->entry = kw_new(count, sizeof c->entry[0]);
    if (c->entry == NULL)
        return kw_err_at(KW_CODE_NO_MEMORY, "corpus");
    for (size_t i = 0; i < count; i++)
        kw_random(c->entry[i].seed, KW_SEED);
    return KW_OK;
}

void kw_corpus_wipe(struct kw_corpus *c)
{
    for (size_t i = 0; c->entry != NULL && i < c->count; i++)
        kw_free(c->entry[i].decrypt);
    kw_free(c->entry);
    *c = (struct kw_corpus){0};
}

/* As long as the UUID that kube-apiserver sends. */
static kw_span corpus_uid(size_t i, char dst[40])
{
    snprintf(dst, 40, "6b770000-0000-4000-8000-%012zx", i);
    return kw_span_of(dst, 36);
}

kw_span kw_corpus_request(const struct kw_corpus *c, enum kw_bench_method method,
                          size_t i, uint8_t buffer[KW_MESSAGE_MAX])
{
    const struct kw_corpus_entry *e = &c->entry[i];
    const struct kw_message m = {.text = kw_span_of(e->seed, KW_SEED)};
    kw_dst dst = kw_dst_of(buffer, KW_MESSAGE_MAX);
    char uid[40];
    if (method == KW_DECRYPT)
        return kw_span_of(e->decrypt, e->len);
    bool fits = kw_message_write(&dst, method, &m, corpus_uid(i, uid));
    KW_INVARIANT(fits);
    return kw_dst_span(&dst);
}

static bool corpus_keep(struct kw_corpus_entry *e, kw_span decrypt)
{
    kw_free(e->decrypt);
    e->decrypt = kw_new(1, decrypt.len);
    e->len = e->decrypt != NULL ? (uint32_t)decrypt.len : 0;
    if (e->decrypt != NULL)
        kw_copy(e->decrypt, e->len, decrypt);
    return e->decrypt != NULL;
}

/* The sizes that kube-apiserver will store (k8s.io/apiserver, envelope/kmsv2). */
static bool corpus_judge_encrypt(struct kw_corpus *c, size_t i,
                                 const struct kw_message *r)
{
    uint8_t buffer[KW_MESSAGE_MAX];
    kw_dst dst = kw_dst_of(buffer, sizeof buffer);
    char uid[40];
    return r->text.len > 0 && r->text.len <= KW_CIPHERTEXT_MAX && r->key_id.len > 0 &&
           r->key_id.len <= KW_WIRE_KEY_ID_MAX &&
           kw_message_write(&dst, KW_DECRYPT, r, corpus_uid(i, uid)) &&
           corpus_keep(&c->entry[i], kw_dst_span(&dst));
}

bool kw_corpus_judge(struct kw_corpus *c, enum kw_bench_method method, size_t i,
                     kw_span body)
{
    struct kw_message r;
    if (!kw_message_read(method, body, &r))
        return false;
    if (method == KW_ENCRYPT)
        return corpus_judge_encrypt(c, i, &r);
    if (method == KW_DECRYPT)
        return kw_span_equal(r.text, kw_span_of(c->entry[i].seed, KW_SEED));
    c->is_keyward =
        r.key_id.len >= 4 && kw_span_equal_str(kw_span_of(r.key_id.ptr, 4), "kw1-");
    return kw_span_equal_str(r.healthz, "ok") && r.key_id.len > 0 &&
           (kw_span_equal_str(r.version, "v2") ||
            kw_span_equal_str(r.version, "v2beta1"));
}

static const char first_line[] = "keyward-bench storm --prepare, format 2\n";
enum { FILE_MOST = 1 << 30, LINE_MOST = 2 * (KW_SEED + KW_MESSAGE_MAX) + 3 };

kw_err kw_corpus_write(const struct kw_corpus *c, const char *path, struct kw_note *note)
{
    char hex[LINE_MOST];
    size_t most = sizeof first_line;
    for (size_t i = 0; i < c->count; i++)
        most += 2 * (KW_SEED + (size_t)c->entry[i].len) + 2;
    kw_dst text = kw_dst_of(kw_new(1, most), most);
    if (text.ptr == NULL)
        return kw_err_at(KW_CODE_NO_MEMORY, "corpus file");
    bool fits = kw_dst_put(&text, kw_span_str(first_line));
    for (size_t i = 0; i < c->count; i++) {
        kw_hex(hex, sizeof hex, kw_span_of(c->entry[i].seed, KW_SEED));
        fits = fits && kw_dst_put(&text, kw_span_str(hex)) && kw_dst_put_u8(&text, ' ');
        kw_hex(hex, sizeof hex, kw_span_of(c->entry[i].decrypt, c->entry[i].len));
        fits = fits && kw_dst_put(&text, kw_span_str(hex)) && kw_dst_put_u8(&text, '\n');
    }
    KW_INVARIANT(fits);
    kw_err e = kw_file_replace(path, kw_dst_span(&text), 0600, note);
    kw_free(text.ptr);
    return e;
}

static bool corpus_read_line(kw_span line, struct kw_corpus_entry *e)
{
    enum { SEED_HEX = 2 * KW_SEED };
    uint8_t decrypt[KW_MESSAGE_MAX];
    const size_t hex = line.len > SEED_HEX + 1 ? line.len - SEED_HEX - 1 : 0;
    return hex > 0 && hex / 2 <= sizeof decrypt && line.ptr[SEED_HEX] == ' ' &&
           kw_unhex(e->seed, KW_SEED, kw_span_of(line.ptr, SEED_HEX)) &&
           kw_unhex(decrypt, hex / 2, kw_span_of(line.ptr + SEED_HEX + 1, hex)) &&
           corpus_keep(e, kw_span_of(decrypt, hex / 2));
}

/* What is wrong with the text is in `why`, with number `*ret_line` of its lines. */
static const char *corpus_read_text(kw_span text, size_t count, struct kw_corpus *c,
                                    size_t *ret_line)
{
    const kw_span head = kw_span_str(first_line);
    struct kw_src src = kw_src_of(text);
    size_t lines = 0;
    if (!kw_span_equal(kw_src_take(&src, head.len), head))
        return "it is no file of ciphertexts of this version";
    const kw_span rest = kw_src_rest(&src);
    for (size_t i = 0; i < rest.len; i++)
        lines += rest.ptr[i] == '\n';
    if (lines == 0 || lines < count)
        return "it has fewer seeds than are wanted";
    if (kw_failed(kw_corpus_init(c, count > 0 ? count : lines)))
        return "it is too large for this machine's memory";
    for (size_t i = 0; i < c->count; i++) {
        const uint8_t *at = text.ptr + src.at;
        const uint8_t *end = memchr(at, '\n', kw_src_left(&src));
        *ret_line = i + 2;
        if (!corpus_read_line(kw_src_take(&src, (size_t)(end - at)), &c->entry[i]))
            return "this line is damaged";
        (void)kw_src_u8(&src);
    }
    return NULL;
}

kw_err kw_corpus_read(const char *path, size_t count, struct kw_corpus *ret_corpus,
                      struct kw_note *note)
{
    struct kw_blob blob = {0};
    struct kw_corpus c = {0};
    size_t line = 1;
    kw_err e = kw_file_read(path, FILE_MOST, &blob, note);
    if (kw_failed(e))
        return e;
    const char *why = corpus_read_text(kw_blob_peek(&blob), count, &c, &line);
    kw_blob_wipe(&blob);
    if (why == NULL) {
        *ret_corpus = c;
        return KW_OK;
    }
    kw_corpus_wipe(&c);
    kw_note_set(note,
                "--corpus %s, line %zu: %s; make one with: keyward-bench storm SOCKET "
                "--prepare FILE",
                path, line, why);
    return kw_err_at(KW_CODE_BAD_INPUT, "corpus file");
}
