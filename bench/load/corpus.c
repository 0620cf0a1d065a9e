/* SPDX-License-Identifier: Apache-2.0 */
#include "corpus.h"

#include <stdio.h>
#include <string.h>

#include <keyward/alloc.h>
#include <keyward/file.h>
#include <keyward/limits.h>

static const char first_line[] = "keyward-bench storm --prepare, format 2\n";
enum { FILE_MOST = 1 << 30, LINE_MOST = 2 * (KW_SEED + KW_MESSAGE_MAX) + 3 };

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

/* ---- replies ------------------------------------------------------------------------- */

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

/* ---- the file ------------------------------------------------------------------------ */

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
