/* SPDX-License-Identifier: Apache-2.0 */
#include "corpus.h"

#include <stdio.h>

#include <keyward/alloc.h>
#include <keyward/limits.h>

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
static kw_span uid_of(size_t i, char dst[40])
{
    snprintf(dst, 40, "6b770000-0000-4000-8000-%012zx", i);
    return kw_span_of(dst, 36);
}

kw_span kw_corpus_decrypt(const struct kw_corpus *c, size_t i)
{
    return kw_span_of(c->entry[i].decrypt, c->entry[i].len);
}

kw_span kw_corpus_request(const struct kw_corpus *c, enum kw_bench_method method,
                          size_t i, uint8_t buffer[KW_MESSAGE_MAX])
{
    kw_dst dst = kw_dst_of(buffer, KW_MESSAGE_MAX);
    char uid[40];
    if (method == KW_DECRYPT)
        return kw_corpus_decrypt(c, i);
    bool fits = method == KW_STATUS
                    ? kw_message_status(&dst)
                    : kw_message_encrypt(&dst, kw_span_of(c->entry[i].seed, KW_SEED),
                                         uid_of(i, uid));
    KW_INVARIANT(fits);
    return kw_dst_span(&dst);
}

static bool corpus_keep(struct kw_corpus *c, size_t i, const struct kw_reply *r)
{
    uint8_t message[KW_MESSAGE_MAX];
    char uid[40];
    struct kw_corpus_entry *e = &c->entry[i];
    kw_dst dst = kw_dst_of(message, sizeof message);
    if (!kw_message_decrypt(&dst, r, uid_of(i, uid)))
        return false;
    if (dst.len > e->cap) {
        kw_free(e->decrypt);
        e->len = 0;
        e->decrypt = kw_new(1, dst.len);
        e->cap = e->decrypt != NULL ? (uint32_t)dst.len : 0;
        if (e->decrypt == NULL)
            return false;
    }
    kw_copy(e->decrypt, e->cap, kw_dst_span(&dst));
    e->len = (uint32_t)dst.len;
    return true;
}

/* The sizes that kube-apiserver will store (k8s.io/apiserver, envelope/kmsv2). */
static bool judge_encrypt(struct kw_corpus *c, size_t i, const struct kw_reply *r)
{
    return r->text.len > 0 && r->text.len <= KW_CIPHERTEXT_MAX && r->key_id.len > 0 &&
           r->key_id.len <= KW_WIRE_KEY_ID_MAX && corpus_keep(c, i, r);
}

bool kw_corpus_judge(struct kw_corpus *c, enum kw_bench_method method, size_t i,
                     kw_span body)
{
    struct kw_reply r;
    if (!kw_message_read(method, body, &r))
        return false;
    switch (method) {
    case KW_STATUS:
        c->is_keyward =
            r.key_id.len >= 4 && kw_span_equal_str(kw_span_of(r.key_id.ptr, 4), "kw1-");
        return kw_span_equal_str(r.healthz, "ok") && r.key_id.len > 0 &&
               (kw_span_equal_str(r.version, "v2") ||
                kw_span_equal_str(r.version, "v2beta1"));
    case KW_ENCRYPT: return judge_encrypt(c, i, &r);
    case KW_DECRYPT: return kw_span_equal(r.text, kw_span_of(c->entry[i].seed, KW_SEED));
    case KW_METHODS: break;
    }
    return false;
}
