/* SPDX-License-Identifier: Apache-2.0 */
#include "ring.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <keyward/alloc.h>

#include "object.h"

const struct kw_act_facts some_facts = {
    .at = "2026-03-01T08:00:00Z", .by = "ann", .tool = "keyward 0.1.0", .proof = "seen"};

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

/* Its locator is one byte, n; it lies in one token, in which it was proven. */
static void good_object(struct kw_version *v)
{
    struct kw_object *o = kw_test_object(v);
    struct kw_object_token *row = &o->tokens[o->token_count++];
    o->locator[0] = (uint8_t)v->n;
    o->locator_len = 1;
    o->attributes = good_attributes();
    TEXT(row->label, "keyward");
    TEXT(row->serial, "0123456789abcdef");
    TEXT(row->proven, "2026-01-30T08:00:00Z");
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
    good_object(&v);
    TEXT(v.created, "2026-01-31T12:00:00.000000Z");
    TEXT(v.tool, "keyward 0.1.0");
    TEXT(v.operator_, "J\xc3\xbcrgen \"root\"");
    TEXT(v.token.label, "keyward");
    TEXT(v.token.serial, "0123456789abcdef");
    TEXT(v.token.firmware, "2.6");
    TEXT(v.origin, "made");
    TEXT(v.second_copy, "only-copy: root");
    v.want_destroyable = true;
    return v;
}

struct kw_keyring *good_file(void)
{
    return reread(good_ring());
}

struct kw_keyring *change(const struct kw_keyring *file)
{
    struct kw_keyring *ring = NULL;
    CHECK_OK(kw_keyring_dup(file, &ring));
    if (ring->ancestor_count < KW_ANCESTORS_MAX)
        ring->ancestor_count++;
    memmove(ring->ancestors[1], ring->ancestors[0],
            (ring->ancestor_count - 1) * sizeof ring->ancestors[0]);
    kw_copy(ring->ancestors[0], 32, kw_span_of(file->sha256, 32));
    ring->serial++;
    return ring;
}

struct kw_keyring *acted(const struct kw_keyring *file, enum kw_act act, uint32_t n)
{
    struct kw_keyring *ring = NULL;
    struct kw_note note = {{0}};
    CHECK_OK(kw_keyring_dup(file, &ring));
    if (kw_failed(kw_act_apply(ring, act, n, &some_facts, &note)))
        fail_msg("%s", note.text);
    kw_copy(ring->sha256, 32, kw_span_of(file->sha256, 32));
    struct kw_keyring *next = change(ring);
    kw_keyring_give(ring);
    return reread(next);
}

void becomes(struct kw_keyring **file, struct kw_keyring *next)
{
    kw_keyring_give(*file);
    *file = next;
}

static void line(struct kw_keyring *ring, uint64_t serial, const char *act, uint32_t n)
{
    struct kw_history h = {.serial = serial, .n = n};
    TEXT(h.act, act);
    TEXT(h.at, "2026-01-31T12:00:00.000000Z");
    TEXT(h.by, "root");
    TEXT(h.tool, "keyward 0.1.0");
    CHECK_OK(kw_keyring_record(ring, &h));
}

static void good_history(struct kw_keyring *ring)
{
    line(ring, 1, "create", 1);
    line(ring, 2, "accept", 1);
    line(ring, 3, "activate", 1);
    line(ring, 4, "create", 2);
    line(ring, 5, "accept", 2);
    line(ring, 5, "create", 3);
    line(ring, 6, "retire", 1);
    line(ring, 6, "activate", 2);
    line(ring, 7, "accept", 3);
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
    ring->ancestor_count = 6;
    memset(ring->ancestors, 0xaa, sizeof ring->ancestors[0] * 6);
    memset(ring->sha256, 0x77, sizeof ring->sha256); /* until it is written */
    good_history(ring);
    return ring;
}

struct kw_keyring *reread(struct kw_keyring *ring)
{
    struct kw_keyring *back = NULL;
    struct kw_note note = {{0}};
    struct kw_blob json = {0};
    CHECK_OK(kw_keyring_write(ring, &json));
    if (kw_failed(kw_keyring_parse(kw_blob_peek(&json), &back, &note)))
        fail_msg("%s", note.text);
    kw_blob_wipe(&json);
    kw_keyring_give(ring);
    return back;
}

char *text_of(struct kw_keyring *ring)
{
    static char copy[32768];
    struct kw_blob json = {0};
    CHECK_OK(kw_keyring_write(ring, &json));
    kw_keyring_give(ring);
    CHECK(kw_copy_str(copy, sizeof copy, kw_blob_peek(&json)));
    kw_blob_wipe(&json);
    return copy;
}

char *good_text(void)
{
    return text_of(good_ring());
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

bool folder_sync_fails;

int __wrap_fsync(int fd);

/* Nothing here survives a crash of the machine: the disk is left alone. */
int __wrap_fsync(int fd)
{
    struct stat st;
    if (!folder_sync_fails || fstat(fd, &st) != 0 || !S_ISDIR(st.st_mode))
        return 0;
    errno = EIO;
    return -1;
}

static char folder_path[64];

struct kw_moment when(int64_t ns)
{
    return (struct kw_moment){"this-boot", ns, ns};
}

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
