/* SPDX-License-Identifier: Apache-2.0 */
/* The golden files, which tests/vectors/make-keyring wrote from docs/FORMATS.md. */
#include "ring.h"

#include <stdio.h>

#include <keyward/alloc.h>

#include "pin_file.h"

static const struct kw_places places = {"/etc/keyward/keyring.json", "/var/lib/keyward"};

static struct kw_keyring *golden(const char *path, struct kw_blob *ret_bytes)
{
    struct kw_keyring *ring = NULL;
    struct kw_note note = {{0}};
    if (kw_failed(kw_keyring_load(path, &ring, ret_bytes, &note)))
        fail_msg("%s", note.text);
    return ring;
}
#define KEYRING KW_VECTORS "/keyring.json"
#define FUTURE KW_VECTORS "/keyring-future.json"

static void writes_back(const char *path)
{
    struct kw_blob file = {0};
    struct kw_blob json = {0};
    struct kw_keyring *ring = golden(path, &file);
    CHECK_OK(kw_keyring_write(ring, &json));
    CHECK(kw_span_equal(kw_blob_peek(&file), kw_blob_peek(&json)));
    kw_keyring_give(ring);
    kw_blob_wipe(&file);
    kw_blob_wipe(&json);
}

TEST(keyring__written_again__byte_for_byte)
{
    writes_back(KEYRING);
}

TEST(keyring__read__as_it_was_meant)
{
    struct kw_keyring *ring = golden(KEYRING, NULL);
    CHECK_STR(ring->domain, "demo");
    CHECK(ring->serial == 70 && ring->active == 4 && ring->count == 6);
    CHECK(ring->ancestor_count == KW_ANCESTORS_MAX && ring->next_n == 8);
    static const enum kw_key_state states[] = {KW_KEY_RETIRED, KW_KEY_DISABLED,
                                               KW_KEY_ACTIVE,  KW_KEY_ACCEPTED,
                                               KW_KEY_CREATED, KW_KEY_DESTROYED};
    for (size_t i = 0; i < 6; i++)
        CHECK(ring->versions[i].state == states[i]);
    const struct kw_version *first = &ring->versions[0];
    const struct kw_version *fifth = kw_keyring_by_n(ring, 5);
    CHECK_STR(first->key_id, "kw1-1-00112233445566778899aabb");
    CHECK_STR(first->token.model, "SoftHSM v2");
    CHECK(first->objects[0].attributes.local == KW_ANSWER_TRUE);
    CHECK(first->objects[0].attributes.derive == KW_ANSWER_NONE);
    CHECK(first->objects[0].token_count == 2 && fifth->same_key_as == 1);
    CHECK(kw_keyring_sharer(ring, first, NULL) == fifth);
    CHECK_STR(kw_keyring_by_n(ring, 4)->ext,
              "{\"b\": [[1, true], {\"of\": {\"x\": \"\xc3\xbc\xe2\x82\xac\"}}], "
              "\"a\": -9007199254740991, \"t\": \"\"}");
    CHECK(ring->history_count == 19 && ring->history[18].serial == 70);
    kw_keyring_give(ring);
}

TEST(keyring__locators__those_of_the_formats)
{
    struct kw_keyring *ring = golden(KEYRING, NULL);
    for (size_t i = 0; i < ring->count; i++) {
        const struct kw_version *v = &ring->versions[i];
        uint8_t made[KW_NEW_LOCATOR];
        kw_span have = kw_object_locator(kw_version_kek(v), "");
        kw_locator_make(ring->domain, v->key_id, made);
        CHECK(have.len == 0 || kw_span_equal(have, kw_span_of(made, sizeof made)));
        CHECK((have.len == 0) == (v->n == 1 || v->n == 5));
    }
    kw_span there = kw_object_locator(kw_version_kek(&ring->versions[0]), "backup");
    CHECK(there.len == 0); /* its row has a locator, and no serial to know it by */
    kw_keyring_give(ring);
}

/* The check text and inner digest of the vector "check blob" in envelope.txt. */
TEST(keyring__check_blob_of_version_1__opens)
{
    static const char inner_hex[] =
        "808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9f"
        "1c9002a45667c959911fcf87b5a71ab5";
    struct kw_keyring *ring = golden(KEYRING, NULL);
    struct kw_check_job job;
    struct kw_secret inner = {0};
    kw_test_arena(4096);
    CHECK_OK(kw_check_blob_job(&ring->versions[0], ring->domain, &job));
    CHECK_OK(kw_secret_init(&inner, 48));
    CHECK(kw_unhex(inner.ptr, 48, kw_span_str(inner_hex)));
    CHECK_OK(kw_check_blob_judge(&job, &inner));
    for (size_t i = 1; i < ring->count; i++)
        CHECK_OK(kw_check_blob_job(&ring->versions[i], ring->domain, &job));
    kw_keyring_give(ring);
}

/* ---- of the future ---- */

TEST(future__written_again__byte_for_byte)
{
    writes_back(FUTURE);
}

static void future__what_is_new__is_nobodys_here(void **state)
{
    (void)state;
    static const struct {
        uint32_t n;
        const char *why, *state;
    } want[] = {
        {3, "its mechanism is \"aes-256-cbc-hmac-sha256\"", "active"},
        {4, "its state is \"suspended\"", "suspended"},
        {5, "it has an object of a new role or type", "accepted"},
        {6, "\"quorum-of-two\" must be understood to use it", "accepted"},
        {7, "its format is 2", "created"},
        {8, "its state is \"sealed\"", "sealed"},
        {9, "\"escrow\" must be understood to use it", "accepted"},
    };
    struct kw_keyring *ring = golden(FUTURE, NULL);
    CHECK(ring->count == 9 && ring->next_n == 12 && ring->critical_count == 1);
    for (size_t i = 0; i < sizeof want / sizeof want[0]; i++) {
        const struct kw_version *v = kw_keyring_by_n(ring, want[i].n);
        CHECK(v->state == KW_KEY_UNKNOWN && !kw_key_state_is_probed(v->state));
        CHECK_STR(v->unknown, want[i].why);
        CHECK_STR(v->unknown_state, want[i].state);
    }
    CHECK(kw_keyring_by_n(ring, 5)->same_key_as == 2);
    kw_keyring_give(ring);
}

/* Decrypt goes on with what is known; nothing is wrapped with an older version. */
TEST(future__what_is_known__unwraps_and_never_takes_the_baselines_place)
{
    static struct kw_judgement j;
    const struct kw_marks none = {0};
    const struct kw_activation act = {.n = 2, .key_id = "kw1-2-1112131415161718191a1b1c"};
    const struct kw_memory memory = {&none, &act, NULL};
    struct kw_keyring *ring = golden(FUTURE, NULL);
    CHECK(kw_key_state_unwraps(kw_keyring_by_n(ring, 1)->state));
    CHECK(kw_key_state_unwraps(kw_keyring_by_n(ring, 2)->state));
    kw_keyring_judge(ring, "demo", &memory, &places, &j);
    CHECK(j.refusal == KW_ADMITTED && j.active == 3);
    CHECK(!kw_key_state_wraps(kw_keyring_by_n(ring, j.active)->state));
    kw_keyring_give(ring);
}

TEST(future__marks__names_and_states_all_the_same)
{
    struct kw_marks marks = {0};
    struct kw_keyring *ring = golden(FUTURE, NULL);
    (void)kw_marks_raise(&marks, ring, 0, when(1000));
    CHECK(marks.count == 9 && marks.baseline.n == 3 && marks.active.n == 3);
    CHECK_STR(kw_marks_of(&marks, 4)->state, "suspended");
    CHECK(!kw_marks_of(&marks, 9)->accepted && kw_marks_of(&marks, 2)->accepted);
    kw_keyring_give(ring);
}

TEST(future__every_act__denied_and_nothing_written)
{
    struct kw_note note = {{0}};
    struct kw_keyring *ring = golden(FUTURE, NULL);
    const struct kw_judgement good = {.refusal = KW_ADMITTED, .active = 3};
    for (int act = KW_ACT_CREATE; act < KW_ACT_COUNT; act++) {
        CHECK_CODE(kw_act_may((enum kw_act)act, 2, ring, &good, &note), KW_CODE_DENIED);
        CHECK_HAS(note.text, "\"sealed-history\"");
    }
    CHECK_CODE(kw_keyring_save(FUTURE, ring, ring->sha256, &note), KW_CODE_DENIED);
    CHECK_HAS(note.text, "\"sealed-history\"");
    kw_keyring_give(ring);
}

/* ---- the state directory ---- */

static struct kw_state_dir *with_golden(const char *name, struct kw_blob *ret_bytes)
{
    char from[512];
    struct kw_state_dir *dir = NULL;
    snprintf(from, sizeof from, "%s/%s", KW_VECTORS, name);
    CHECK_OK(kw_state_open(folder(), &dir, NULL));
    CHECK_OK(kw_file_read(from, KW_KEYRING_MAX, ret_bytes, NULL));
    CHECK_OK(kw_file_replace(in_folder(name), kw_blob_peek(ret_bytes), 0600, NULL));
    return dir;
}

static void is_still(const char *name, struct kw_blob *bytes)
{
    struct kw_blob now = {0};
    CHECK_OK(kw_file_read(in_folder(name), KW_KEYRING_MAX, &now, NULL));
    CHECK(kw_span_equal(kw_blob_peek(&now), kw_blob_peek(bytes)));
    kw_blob_wipe(&now);
    kw_blob_wipe(bytes);
    folder_gone();
}

TEST(marks__read_and_written_again__byte_for_byte)
{
    struct kw_blob bytes = {0};
    struct kw_marks marks;
    struct kw_state_dir *dir = with_golden("marks.json", &bytes);
    CHECK_OK(kw_state_marks(dir, &marks, NULL));
    CHECK_OK(kw_state_trust(dir, &marks.trust, NULL)); /* writes them */
    kw_state_close(dir);
    is_still("marks.json", &bytes);
}

TEST(marks__of_a_node_that_took_the_golden_keyring__the_same)
{
    struct kw_blob bytes = {0};
    struct kw_marks marks;
    struct kw_marks made = {0};
    struct kw_state_dir *dir = with_golden("marks.json", &bytes);
    struct kw_keyring *ring = golden(KEYRING, NULL);
    CHECK_OK(kw_state_marks(dir, &marks, NULL));
    (void)kw_marks_raise(&made, ring, 5, when(1000));
    for (size_t i = 0; i < made.count; i++)
        if (made.versions[i].since.wall_ns != 0)
            made.versions[i].since = marks.versions[i].since;
    made.trust = marks.trust;
    made.trusted = marks.trusted;
    snprintf(made.rebuilt, sizeof made.rebuilt, "%s", marks.rebuilt);
    CHECK(memcmp(&made, &marks, sizeof marks) == 0);
    kw_keyring_give(ring);
    kw_state_close(dir);
    kw_blob_wipe(&bytes);
    folder_gone();
}

TEST(activation__read_and_written_again__byte_for_byte)
{
    struct kw_blob bytes = {0};
    struct kw_activation act;
    struct kw_state_dir *dir = with_golden("activation.json", &bytes);
    CHECK_OK(kw_state_activation(dir, &act, NULL));
    CHECK(act.n == 5 && act.proof[0] == '\0');
    CHECK_STR(act.by, "J\xc3\xbcrgen \"root\"");
    CHECK_OK(kw_state_activate(dir, &act, NULL));
    kw_state_close(dir);
    is_still("activation.json", &bytes);
}

TEST(pin_latch__read_and_written_again__byte_for_byte)
{
    static struct kw_pin_records all;
    struct kw_blob bytes = {0};
    struct kw_state_dir *dir = with_golden("pin-latch.json", &bytes);
    CHECK_OK(kw_pin_records_read(dir, &all, NULL));
    CHECK(all.count == 3 && all.list[0].refused_count == 2);
    CHECK(all.list[0].refused[1].label[0] == '\0' && all.list[0].latched);
    CHECK(all.list[1].tried.pid == 4194304 && all.list[1].ended_ns == -1);
    CHECK(all.list[2].mark.key_len == 0 && all.list[2].refused_count == 0);
    CHECK_OK(kw_pin_records_write(dir, &all, NULL));
    kw_state_close(dir);
    is_still("pin-latch.json", &bytes);
}

/* The keys and PINs of make-keyring. */
TEST(pin_latch__digests__those_of_the_formats)
{
    static struct kw_pin_records all;
    static const uint8_t first[] = {0x20, 0x80};
    static const char *const pins[] = {"123456", "654321"};
    struct kw_blob bytes = {0};
    struct kw_state_dir *dir = with_golden("pin-latch.json", &bytes);
    kw_test_arena(4096);
    CHECK_OK(kw_pin_records_read(dir, &all, NULL));
    const struct kw_pin_record *r = &all.list[0];
    for (size_t i = 0; i < 2; i++) {
        uint8_t key[KW_PIN_KEY];
        struct kw_pin_mark made;
        for (size_t k = 0; k < sizeof key; k++)
            key[k] = (uint8_t)(first[i] + k);
        CHECK_OK(kw_pin_mark_make(kw_span_of(key, sizeof key), r->serial,
                                  kw_span_str(pins[i]), &made));
        CHECK(memcmp(&made, &r->refused[1 - i].mark, sizeof made) == 0);
    }
    CHECK(memcmp(&r->mark, &r->refused[1].mark, sizeof r->mark) == 0);
    kw_state_close(dir);
    is_still("pin-latch.json", &bytes);
}

/* ---- the document ---- */

/* Each name in quotes before a colon must stand in docs/FORMATS.md as `name`. */
static unsigned in_line(const char *doc, const char *line, size_t len)
{
    unsigned names = 0;
    for (const char *at = line; (at = strstr(at, "\": ")) != NULL && at < line + len;
         at++) {
        char quoted[64];
        const char *begin = at;
        while (begin > line && begin[-1] != '"')
            begin--;
        snprintf(quoted, sizeof quoted, "`%.*s`", (int)(at - begin), begin);
        if (strstr(doc, quoted) == NULL)
            fail_msg("%s is not in docs/FORMATS.md", quoted);
        names++;
    }
    return names;
}

/* What lies in an ext is nobody's; the file's own is its last member. */
static unsigned documented(const char *doc, const char *name)
{
    static const char ext[] = "      \"ext\": ";
    char path[512];
    struct kw_blob file = {0};
    unsigned names = 0;
    snprintf(path, sizeof path, "%s/%s", KW_VECTORS, name);
    CHECK_OK(kw_file_read(path, KW_KEYRING_MAX, &file, NULL));
    char *text = kw_strdup(kw_blob_peek(&file));
    for (const char *line = text, *end; (end = strchr(line, '\n')) != NULL;
         line = end + 1) {
        if (strncmp(line, ext + 4, sizeof ext - 5) == 0)
            break;
        if (strncmp(line, ext, sizeof ext - 1) != 0)
            names += in_line(doc, line, (size_t)(end - line));
    }
    kw_free(text);
    kw_blob_wipe(&file);
    return names;
}

TEST(formats__every_member_of_the_golden_files__documented)
{
    struct kw_blob formats = {0};
    CHECK_OK(kw_file_read(KW_FORMATS, KW_KEYRING_MAX, &formats, NULL));
    char *doc = kw_strdup(kw_blob_peek(&formats));
    CHECK(documented(doc, "keyring.json") > 300);
    CHECK(documented(doc, "marks.json") > 50);
    CHECK(documented(doc, "activation.json") == 6);
    CHECK(documented(doc, "pin-latch.json") > 50);
    kw_free(doc);
    kw_blob_wipe(&formats);
}

KW_CASES("hsm/keyring/golden", CASE(keyring__written_again__byte_for_byte),
         CASE(keyring__read__as_it_was_meant),
         CASE(keyring__locators__those_of_the_formats),
         CASE(keyring__check_blob_of_version_1__opens),
         CASE(future__written_again__byte_for_byte),
         CASE(future__what_is_new__is_nobodys_here),
         CASE(future__what_is_known__unwraps_and_never_takes_the_baselines_place),
         CASE(future__marks__names_and_states_all_the_same),
         CASE(future__every_act__denied_and_nothing_written),
         CASE(marks__read_and_written_again__byte_for_byte),
         CASE(marks__of_a_node_that_took_the_golden_keyring__the_same),
         CASE(activation__read_and_written_again__byte_for_byte),
         CASE(pin_latch__read_and_written_again__byte_for_byte),
         CASE(pin_latch__digests__those_of_the_formats),
         CASE(formats__every_member_of_the_golden_files__documented))
