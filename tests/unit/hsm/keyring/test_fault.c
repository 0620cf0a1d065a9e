/* SPDX-License-Identifier: Apache-2.0 */
/* Every allocation that can fail, failed: NO_MEMORY, nothing leaked, nothing changed. */
#include "ring.h"

#include <errno.h>
#include <unistd.h>
#include <keyward/alloc.h>
#include <keyward/pin_latch.h>

/* Fails the n-th and all later allocations for every n until a run needs none of them. */
static void fail_each(kw_err (*run)(void *ctx), void *ctx)
{
    long n = 0;
    for (kw_err e = kw_err_at(KW_CODE_NO_MEMORY, "not yet"); kw_failed(e); n++) {
        CHECK(n < 20000);
        kw_alloc_fail_from(n);
        e = run(ctx);
        kw_alloc_fail_from(-1);
        if (kw_failed(e))
            CHECK_CODE(e, KW_CODE_NO_MEMORY);
    }
    CHECK(n > 1); /* it did allocate */
}

/* Fails each allocation alone: what is said to be good must be good, as `run` looks. */
static void fail_each_once(kw_err (*run)(void *ctx), void *ctx)
{
    unsigned failed = 0;
    for (long n = 0; n < 2000; n++) {
        kw_alloc_fail_once(n);
        kw_err e = run(ctx);
        kw_alloc_fail_from(-1);
        if (kw_failed(e))
            CHECK_CODE(e, KW_CODE_NO_MEMORY);
        failed += kw_failed(e);
    }
    CHECK(failed > 1);
}

static kw_err run_parse(void *text)
{
    struct kw_keyring *ring = NULL;
    kw_err e = kw_keyring_parse(kw_span_str(text), &ring, NULL);
    CHECK(kw_failed(e) == (ring == NULL));
    kw_keyring_give(ring);
    return e;
}

static kw_err run_write(void *ring)
{
    struct kw_blob json = {0};
    kw_err e = kw_keyring_write(ring, &json);
    CHECK(kw_failed(e) == (json.ptr == NULL));
    kw_blob_wipe(&json);
    return e;
}

/* What was written reads, and writes the same again. */
static kw_err run_write_and_read(void *ring)
{
    struct kw_keyring *back = NULL;
    struct kw_blob json = {0}, again = {0};
    kw_err e = kw_keyring_write(ring, &json);
    if (kw_failed(e))
        return e;
    kw_alloc_fail_from(-1);
    CHECK_OK(kw_keyring_parse(kw_blob_peek(&json), &back, NULL));
    CHECK_OK(kw_keyring_write(back, &again));
    CHECK(kw_span_equal(kw_blob_peek(&json), kw_blob_peek(&again)));
    kw_keyring_give(back);
    kw_blob_wipe(&json);
    kw_blob_wipe(&again);
    return e;
}

static kw_err run_marks(void *marks)
{
    struct kw_marks back;
    struct kw_blob json = {0};
    kw_err e = kw_marks_write(marks, &json);
    if (kw_failed(e))
        return e;
    kw_alloc_fail_from(-1);
    CHECK_OK(kw_marks_parse(kw_blob_peek(&json), &back, NULL));
    kw_blob_wipe(&json);
    return e;
}

static kw_err run_dup(void *ring)
{
    struct kw_keyring *copy = NULL;
    kw_err e = kw_keyring_dup(ring, &copy);
    CHECK(kw_failed(e) == (copy == NULL));
    kw_keyring_give(copy);
    return e;
}

static kw_err run_add(void *ring)
{
    const size_t before = ((struct kw_keyring *)ring)->count;
    struct kw_version v = good_version(9, KW_KEY_CREATED);
    kw_err e = kw_keyring_add(ring, &v);
    CHECK(((struct kw_keyring *)ring)->count == before + (kw_failed(e) ? 0 : 1));
    return e;
}

/* A ring with everything that is read by a way of its own. */
static char *rich_text(void)
{
    char *json = swap(good_text(), "\"state\": \"accepted\"", "\"state\": \"suspended\"");
    json = swap(json, "\"ext\": {}", "\"ext\": {\"a\": [1, {\"b\": \"c\"}]}");
    return swap(json, "\"critical\": []", "\"critical\": [\"quorum\"]");
}

static struct kw_keyring *rich_ring(void)
{
    struct kw_keyring *ring = NULL;
    CHECK_OK(kw_keyring_parse(kw_span_str(rich_text()), &ring, NULL));
    return ring;
}

TEST(fault__parse_each_allocation__no_memory_and_no_ring)
{
    fail_each(run_parse, rich_text());
}

TEST(fault__write_each_allocation__no_memory_and_no_text)
{
    struct kw_keyring *ring = rich_ring();
    fail_each(run_write, ring);
    kw_keyring_give(ring);
}

TEST(fault__write_one_allocation__whole_or_no_memory)
{
    struct kw_keyring *ring = rich_ring();
    struct kw_marks marks = {0};
    (void)kw_marks_raise(&marks, ring, 2, when(1000));
    fail_each_once(run_write_and_read, ring);
    fail_each_once(run_marks, &marks);
    kw_keyring_give(ring);
}

TEST(fault__dup_and_add_each_allocation__ring_unchanged)
{
    struct kw_keyring *ring = rich_ring();
    fail_each(run_dup, ring);
    fail_each(run_add, ring);
    kw_keyring_give(ring);
}

static kw_err run_load(void *path)
{
    struct kw_keyring *ring = NULL;
    struct kw_blob bytes = {0};
    kw_err e = kw_keyring_load(path, &ring, &bytes, NULL);
    CHECK(kw_failed(e) == (ring == NULL) && kw_failed(e) == (bytes.ptr == NULL));
    kw_keyring_give(ring);
    kw_blob_wipe(&bytes);
    return e;
}

struct saving {
    const char *path;
    struct kw_keyring *ring;
};

static kw_err run_save(void *ctx)
{
    struct saving *s = ctx;
    const uint64_t before = s->ring->serial;
    kw_err e = kw_keyring_save(s->path, s->ring, s->ring->sha256, NULL);
    CHECK(s->ring->serial == before + (kw_failed(e) ? 0 : 1));
    return e;
}

TEST(fault__save_and_load_each_allocation__file_and_ring_unchanged)
{
    char path[256];
    struct saving s = {path, good_ring()};
    CHECK(kw_copy_str(path, sizeof path, kw_span_str(in_folder("keyring.json"))));
    CHECK_OK(kw_keyring_save(path, s.ring, NULL, NULL));
    fail_each(run_save, &s);
    CHECK(s.ring->serial == 9);
    fail_each(run_load, path);
    kw_keyring_give(s.ring);
    folder_gone();
}

/* On a copy, as the tool does it: what failed is thrown away, and the file is as it
 * was. */
struct acting {
    const struct kw_keyring *file;
    kw_err (*change)(struct kw_keyring *ring);
};

static kw_err run_acting(void *ctx)
{
    const struct acting *a = ctx;
    struct kw_keyring *ring = NULL;
    struct kw_blob json = {0};
    kw_err e = kw_keyring_dup(a->file, &ring);
    if (!kw_failed(e))
        e = a->change(ring);
    if (!kw_failed(e))
        ring->serial++;
    if (!kw_failed(e) && ring->ancestor_count < KW_ANCESTORS_MAX)
        ring->ancestor_count++;
    if (!kw_failed(e))
        e = kw_keyring_write(ring, &json);
    kw_blob_wipe(&json);
    kw_keyring_give(ring);
    return e;
}

static kw_err activate(struct kw_keyring *ring)
{
    return kw_act_apply(ring, KW_ACT_ACTIVATE, 3, &some_facts, NULL);
}

static kw_err prune(struct kw_keyring *ring)
{
    kw_keyring_edit(ring, 1)->state = KW_KEY_DESTROYED;
    return kw_act_apply(ring, KW_ACT_PRUNE, 1, &some_facts, NULL);
}

static kw_err add(struct kw_keyring *ring)
{
    struct kw_version v = good_version(4, KW_KEY_CREATED);
    return kw_act_add(ring, KW_ACT_CREATE, &v, &some_facts);
}

static kw_err prove(struct kw_keyring *ring)
{
    const struct kw_object_token row = {.label = "backup"};
    return kw_act_prove(ring, 2, &row, &some_facts);
}

static kw_err gone(struct kw_keyring *ring)
{
    kw_keyring_edit(ring, 1)->state = KW_KEY_DESTROYED;
    return kw_act_gone(ring, 1, 0, "seen 2026-03-01T08:00:00Z", &some_facts);
}

TEST(fault__acts_each_allocation__no_memory)
{
    kw_err (*const changes[])(struct kw_keyring *) = {activate, prune, add, prove, gone};
    struct kw_keyring *file = good_file();
    for (size_t i = 0; i < sizeof changes / sizeof changes[0]; i++) {
        struct acting a = {file, changes[i]};
        fail_each(run_acting, &a);
    }
    kw_keyring_give(file);
}

struct building {
    const struct kw_keyring *backup;
    struct kw_marks marks;
};

static kw_err run_building(void *ctx)
{
    struct building *b = ctx;
    struct kw_keyring *ring = NULL;
    kw_err e =
        kw_act_rebuild(b->backup, "demo", &b->marks, "2026-04-01T00:00:00Z", &ring, NULL);
    CHECK(kw_failed(e) == (ring == NULL));
    kw_keyring_give(ring);
    return e;
}

TEST(fault__rebuild_each_allocation__no_memory_and_no_ring)
{
    struct kw_keyring *old = good_file();
    struct kw_keyring *file = acted(old, KW_ACT_DISABLE, 1);
    struct building b = {.backup = old};
    becomes(&file, acted(file, KW_ACT_DESTROY, 1));
    becomes(&file, acted(file, KW_ACT_PRUNE, 1)); /* the backup has it: a line is made */
    (void)kw_marks_raise(&b.marks, file, 2, when(1000));
    fail_each(run_building, &b);
    b.backup = NULL;
    fail_each(run_building, &b);
    kw_keyring_give(old);
    kw_keyring_give(file);
}

static kw_err run_raise(void *dir)
{
    struct kw_marks marks;
    struct kw_keyring *ring = NULL;
    kw_err e = kw_keyring_new("demo", &ring);
    if (kw_failed(e))
        return e;
    ring->serial = 9;
    e = kw_state_raise(dir, ring, 3, when(1000), NULL);
    kw_keyring_give(ring);
    return kw_failed(e) ? e : kw_state_marks(dir, &marks, NULL);
}

static kw_err run_trust(void *dir)
{
    const struct kw_trust trust = {.sha256_len = 32, .by = "ann"};
    return kw_state_trust(dir, &trust, NULL);
}

static kw_err run_rebuild(void *dir)
{
    struct kw_keyring *ring = NULL;
    kw_err e = kw_keyring_new("demo", &ring);
    if (kw_failed(e))
        return e;
    ring->serial = 9;
    if (unlink(in_folder("marks.json")) != 0)
        CHECK(errno == ENOENT);
    e = kw_state_rebuild(dir, ring, when(1000), "ann", NULL);
    kw_keyring_give(ring);
    return e;
}

static kw_err run_activation(void *dir)
{
    struct kw_activation act = {.n = 2, .key_id = "kw1-2-000000000000000000000002"};
    kw_err e = kw_state_activate(dir, &act, NULL);
    return kw_failed(e) ? e : kw_state_activation(dir, &act, NULL);
}

static kw_err run_latch(void *dir)
{
    const struct kw_pin_book book = {dir, folder(), &kw_clock_system};
    struct kw_pin_facts facts = {.serial = "1", .label = "keyward"};
    struct kw_pin_owner me;
    struct kw_pin_verdict v;
    struct kw_pin_record r;
    CHECK(kw_pin_owner_of(getpid(), &me));
    kw_err e = kw_pin_ask(&book, &facts, &me, &v, NULL);
    if (!kw_failed(e))
        e = kw_pin_settled(&book, &facts, &me, KW_PIN_WORKED, "", NULL);
    return kw_failed(e) ? e : kw_pin_look(&book, "1", "keyward", &r, NULL);
}

static kw_err run_open(void *path)
{
    struct kw_state_dir *dir = NULL;
    kw_err e = kw_state_open(path, &dir, NULL);
    CHECK(kw_failed(e) == (dir == NULL));
    kw_state_close(dir);
    return e;
}

TEST(fault__state_each_allocation__no_memory)
{
    char path[256];
    struct kw_state_dir *dir = NULL;
    CHECK(kw_copy_str(path, sizeof path, kw_span_str(folder())));
    fail_each(run_open, path);
    CHECK_OK(kw_state_open(path, &dir, NULL));
    fail_each(run_raise, dir);
    fail_each(run_trust, dir);
    fail_each(run_rebuild, dir);
    fail_each(run_activation, dir);
    fail_each(run_latch, dir);
    fail_each_once(run_raise, dir);
    fail_each_once(run_trust, dir);
    fail_each_once(run_rebuild, dir);
    fail_each_once(run_activation, dir);
    fail_each_once(run_latch, dir);
    kw_state_close(dir);
    folder_gone();
}

KW_CASES("hsm/keyring/fault", CASE(fault__parse_each_allocation__no_memory_and_no_ring),
         CASE(fault__write_each_allocation__no_memory_and_no_text),
         CASE(fault__write_one_allocation__whole_or_no_memory),
         CASE(fault__dup_and_add_each_allocation__ring_unchanged),
         CASE(fault__save_and_load_each_allocation__file_and_ring_unchanged),
         CASE(fault__acts_each_allocation__no_memory),
         CASE(fault__rebuild_each_allocation__no_memory_and_no_ring),
         CASE(fault__state_each_allocation__no_memory))
