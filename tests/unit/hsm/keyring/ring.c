/* SPDX-License-Identifier: Apache-2.0 */
#include "ring.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <keyward/alloc.h>

static void check_blob(struct kw_version *v)
{
    static const uint8_t zeros[KW_SEALED_MAX];
    kw_dst dst = kw_dst_of(v->check_blob, sizeof v->check_blob);
    struct kw_envelope env = {
        .format = v->format,
        .purpose = KW_PURPOSE_CHECK,
        .mechanism = v->mechanism,
        .scope = kw_span_str(KW_CHECK_SCOPE),
        .seed_len = 32,
        .iv = kw_span_of(zeros, 12),
        .sealed = kw_span_of(zeros, 64),
    };
    CHECK_OK(kw_envelope_write(&env, &dst));
    v->check_blob_len = dst.len;
}

static void text(char *dst, size_t cap, const char *s)
{
    CHECK(kw_copy_str(dst, cap, kw_span_str(s)));
}
#define TEXT(field, s) text(field, sizeof(field), s)

static struct kw_key_attributes good_attributes(void)
{
    return (struct kw_key_attributes){
        .token = KW_ANSWER_TRUE,
        .private_ = KW_ANSWER_TRUE,
        .sensitive = KW_ANSWER_TRUE,
        .always_sensitive = KW_ANSWER_TRUE,
        .extractable = KW_ANSWER_FALSE,
        .never_extractable = KW_ANSWER_TRUE,
        .local = KW_ANSWER_NONE,
        .encrypt = KW_ANSWER_TRUE,
        .decrypt = KW_ANSWER_TRUE,
        .value_len = 32,
    };
}

struct kw_version good_version(uint32_t n, enum kw_key_state state)
{
    struct kw_version v;
    memset(&v, 0, sizeof v);
    v.n = n;
    snprintf(v.key_id, sizeof v.key_id, "kw1-%u-%024x", n, n);
    v.mechanism = KW_MECH_AES_256_GCM;
    v.format = KW_FORMAT_1;
    v.state = state;
    check_blob(&v);
    v.locator[0] = (uint8_t)n;
    v.locator_len = 1;
    TEXT(v.created, "2026-01-31T12:00:00.000000Z");
    TEXT(v.tool, "keyward 0.1.0");
    TEXT(v.operator_, "J\xc3\xbcrgen \"root\"");
    TEXT(v.token.label, "keyward");
    TEXT(v.token.serial, "0123456789abcdef");
    TEXT(v.token.firmware, "2.6");
    TEXT(v.second_copy, "only-copy: root");
    v.attributes = good_attributes();
    v.want_destroyable = true;
    return v;
}

struct kw_keyring *good_ring(void)
{
    static const enum kw_key_state states[] = {KW_KEY_RETIRED, KW_KEY_ACTIVE,
                                               KW_KEY_ACCEPTED};
    struct kw_keyring *ring = NULL;
    CHECK_OK(kw_keyring_new("demo", &ring));
    for (uint32_t n = 1; n <= 3; n++) {
        struct kw_version v = good_version(n, states[n - 1]);
        CHECK_OK(kw_keyring_add(ring, &v));
    }
    ring->active = 2;
    ring->serial = 7;
    memset(ring->prev_sha256, 'a', 64);
    return ring;
}

char *good_text(void)
{
    static char copy[32768];
    struct kw_keyring *ring = good_ring();
    struct kw_blob json = {0};
    CHECK_OK(kw_keyring_write(ring, &json));
    kw_keyring_give(ring);
    CHECK(kw_copy_str(copy, sizeof copy, kw_blob_peek(&json)));
    kw_blob_wipe(&json);
    return copy;
}

char *swap(const char *text_in, const char *from, const char *to)
{
    static char out[4][65536];
    static unsigned turn;
    char *dst = out[turn++ % 4];
    const char *at = strstr(text_in, from);
    if (at == NULL)
        fail_msg("\"%s\" is not in the text", from);
    snprintf(dst, sizeof out[0], "%.*s%s%s", (int)(at - text_in), text_in, to,
             at + strlen(from));
    return dst;
}

void refused(const char *json, const char *first, const char *second)
{
    struct kw_note note = {{0}};
    struct kw_keyring *ring = NULL;
    kw_err e = kw_keyring_parse(kw_span_str(json), &ring, &note);
    CHECK_CODE(e, KW_CODE_BAD_INPUT);
    CHECK(ring == NULL);
    CHECK_HAS(note.text, first);
    CHECK_HAS(note.text, second);
}

void cannot_be_written(const struct kw_keyring *ring)
{
    struct kw_blob json = {0};
    CHECK_CODE(kw_keyring_write(ring, &json), KW_CODE_BAD_INPUT);
    CHECK(json.ptr == NULL && json.len == 0);
}

static char folder_path[64];

const char *folder(void)
{
    if (folder_path[0] == '\0') {
        snprintf(folder_path, sizeof folder_path, "/tmp/keyward-test-XXXXXX");
        CHECK(mkdtemp(folder_path) != NULL);
    }
    return folder_path;
}

const char *in_folder(const char *name)
{
    static char path[4][256];
    static unsigned turn;
    char *dst = path[turn++ % 4];
    snprintf(dst, sizeof path[0], "%s/%s", folder(), name);
    return dst;
}

void folder_gone(void)
{
    DIR *d = opendir(folder());
    CHECK(d != NULL);
    for (struct dirent *e; (e = readdir(d)) != NULL;)
        if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0)
            CHECK(unlinkat(dirfd(d), e->d_name, 0) == 0);
    closedir(d);
    CHECK(rmdir(folder()) == 0);
    folder_path[0] = '\0';
}
