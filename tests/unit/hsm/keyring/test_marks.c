/* SPDX-License-Identifier: Apache-2.0 */
/* What a node remembers of keyrings: their last file, their versions by name. */
#include "ring.h"

#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

static void put(const char *name, const char *text)
{
    CHECK_OK(kw_file_replace(in_folder(name), kw_span_str(text), 0600, NULL));
}

static struct kw_state_dir *opened(void)
{
    struct kw_state_dir *dir = NULL;
    CHECK_OK(kw_state_open(folder(), &dir, NULL));
    return dir;
}

static void done(struct kw_state_dir *dir)
{
    kw_state_close(dir);
    folder_gone();
}

/* ---- the file ---- */

/* What somebody else has read and will write must not be lost, nor must it undo this. */
TEST(marks__somebody_changes_them__busy_and_as_they_were)
{
    struct kw_marks before, after;
    struct kw_keyring *ring = good_file();
    const struct kw_trust trust = {.sha256_len = 32, .at = "2026-01-01T00:00:00.000000Z"};
    struct kw_state_dir *dir = opened(), *other = opened();
    CHECK_OK(kw_state_marks(dir, &before, NULL));
    CHECK_OK(kw_state_lock(other, NULL));
    CHECK_CODE(kw_state_raise(dir, ring, 2, when(1000), NULL), KW_CODE_BUSY);
    CHECK_CODE(kw_state_trust(dir, &trust, NULL), KW_CODE_BUSY);
    CHECK_CODE(kw_state_rebuild(dir, ring, when(1000), "Ada", NULL), KW_CODE_BUSY);
    CHECK_OK(kw_state_marks(dir, &after, NULL));
    CHECK(memcmp(&before, &after, sizeof before) == 0);
    kw_state_unlock(other);
    CHECK_OK(kw_state_raise(dir, ring, 2, when(1000), NULL));
    CHECK_OK(kw_state_lock(other, NULL));                     /* given back */
    CHECK_OK(kw_state_raise(dir, ring, 2, when(1000), NULL)); /* nothing to write */
    kw_state_close(other);
    kw_keyring_give(ring);
    done(dir);
}

TEST(marks__nothing_remembered__zero)
{
    struct kw_marks marks = {.serial = 77};
    static const struct kw_marks none;
    struct kw_state_dir *dir = opened();
    CHECK_OK(kw_state_marks(dir, &marks, NULL));
    CHECK(memcmp(&marks, &none, sizeof none) == 0);
    CHECK(kw_marks_of(&marks, 1) == NULL && kw_marks_of(&marks, 0) == NULL);
    done(dir);
}

#define NONE_OF "{\"n\":null,\"key-id\":null}"
#define NO_TRUST "{\"sha256\":null,\"at\":null,\"by\":null}"
#define FIRST                                                                            \
    "{\"marks\":1,\"serial\":0,\"sha256\":null,\"ancestors\":[],\"next-n\":null,"
#define LAST "\"trust\":" NO_TRUST ",\"trusted\":" NO_TRUST ",\"rebuilt\":null}"
#define NONE FIRST "\"baseline\":" NONE_OF ",\"active\":" NONE_OF ",\"versions\":[]," LAST

TEST(marks__file_that_is_none__error_never_nothing)
{
    static const struct {
        const char *from, *to, *word;
    } wrong[] = {
        {NONE, "", "empty"},
        {NONE, "{}", "marks: missing"},
        {"\"marks\":1", "\"marks\":2", "marks: must be 1"},
        {"\"serial\":0", "\"serial\":-1", "serial"},
        {"\"serial\":0", "\"serial\":9007199254740992", "serial"},
        {"\"sha256\":null", "\"sha256\":\"\"", "sha256"},
        {"\"versions\":[]", "\"versions\":[1]", "versions: element 0"},
        {"\"next-n\":null,", "", "next-n: missing"},
        {"\"rebuilt\":null", "\"rebuilt\":null,\"x\":1", "unknown member"},
    };
    struct kw_state_dir *dir = opened();
    struct kw_keyring *ring = good_file();
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        struct kw_marks marks = {.serial = 77};
        struct kw_note note = {{0}};
        put("marks.json", swap(NONE, wrong[i].from, wrong[i].to));
        CHECK_CODE(kw_state_marks(dir, &marks, &note), KW_CODE_BAD_INPUT);
        CHECK_HAS(note.text, "marks.json: ");
        CHECK_HAS(note.text, wrong[i].word);
        CHECK(marks.serial == 77);
        CHECK_CODE(kw_state_raise(dir, ring, 2, when(1), &note), KW_CODE_BAD_INPUT);
    }
    kw_keyring_give(ring);
    done(dir);
}

TEST(marks__file_of_a_pre_release_build__refused_and_said)
{
    struct kw_note note = {{0}};
    struct kw_marks marks = {.serial = 77};
    struct kw_state_dir *dir = opened();
    put("marks.json", "{\"marks\":1,\"serial-max\":7,\"baseline-max\":2,"
                      "\"active-max\":2,\"accepted\":[]}");
    CHECK_CODE(kw_state_marks(dir, &marks, &note), KW_CODE_BAD_INPUT);
    CHECK_HAS(note.text, "serial-max: only files of pre-release builds have it");
    CHECK_HAS(note.text, "remove it");
    CHECK(marks.serial == 77);
    done(dir);
}

TEST(marks__unreadable_file__io)
{
    struct kw_marks marks;
    struct kw_state_dir *dir = opened();
    CHECK(mkdir(in_folder("marks.json"), 0700) == 0);
    CHECK(kw_failed(kw_state_marks(dir, &marks, NULL)));
    CHECK(rmdir(in_folder("marks.json")) == 0);
    done(dir);
}

/* ---- raising ---- */

static int64_t since(const struct kw_marks *marks, uint32_t n)
{
    const struct kw_mark *mark = kw_marks_of(marks, n);
    CHECK(mark != NULL);
    CHECK((mark->since.wall_ns != 0) ==
          (mark->accepted || strcmp(mark->state, "disabled") == 0));
    return mark->since.wall_ns;
}

TEST(raise__a_file__its_serial_digest_chain_and_names)
{
    struct kw_keyring *file = good_file();
    struct kw_marks marks = {0};
    CHECK(kw_marks_raise(&marks, file, 3, when(1000)));
    CHECK(marks.serial == 7 && marks.next_n == 4 && marks.sha256_len == 32);
    CHECK(memcmp(marks.sha256, file->sha256, 32) == 0);
    CHECK(marks.ancestor_count == 6 && marks.ancestors[5][0] == 0xaa);
    CHECK(marks.count == 3 && marks.baseline.n == 2 && marks.active.n == 3);
    CHECK_STR(marks.baseline.key_id, "kw1-2-000000000000000000000002");
    CHECK_STR(marks.active.key_id, "kw1-3-000000000000000000000003");
    CHECK_STR(kw_marks_of(&marks, 1)->state, "retired");
    CHECK_STR(kw_marks_of(&marks, 1)->id.key_id, "kw1-1-000000000000000000000001");
    CHECK(!kw_marks_of(&marks, 1)->wrapped && kw_marks_of(&marks, 2)->wrapped);
    CHECK(kw_marks_of(&marks, 3)->wrapped && since(&marks, 3) == 1000);
    CHECK(!kw_marks_raise(&marks, file, 3, when(9000))); /* nothing new */
    CHECK(since(&marks, 1) == 1000);
    kw_keyring_give(file);
}

TEST(raise__lower_versions__baseline_and_active_stay)
{
    struct kw_keyring *file = good_file();
    struct kw_marks marks = {0};
    (void)kw_marks_raise(&marks, file, 3, when(1000));
    struct kw_keyring *next = change(file);
    kw_keyring_edit(next, 2)->state = KW_KEY_RETIRED;
    kw_keyring_edit(next, 1)->state = KW_KEY_ACTIVE;
    next->active = 1;
    next = reread(next);
    CHECK(kw_marks_raise(&marks, next, 1, when(2000)));
    CHECK(marks.serial == 8 && marks.baseline.n == 2 && marks.active.n == 3);
    CHECK(kw_marks_of(&marks, 1)->wrapped && kw_marks_of(&marks, 3)->wrapped);
    kw_keyring_give(next);
    kw_keyring_give(file);
}

TEST(raise__leaves_the_states_that_unwrap__accepted_anew_later)
{
    struct kw_keyring *file = good_file();
    struct kw_marks marks = {0};
    (void)kw_marks_raise(&marks, file, 2, when(1000));
    becomes(&file, acted(file, KW_ACT_DISABLE, 3));
    (void)kw_marks_raise(&marks, file, 2, when(2000));
    const struct kw_mark *mark = kw_marks_of(&marks, 3);
    CHECK(mark != NULL && !mark->accepted);
    CHECK_STR(mark->state, "disabled");
    CHECK_STR(mark->id.key_id, "kw1-3-000000000000000000000003"); /* its name stays */
    becomes(&file, acted(file, KW_ACT_ENABLE, 3));
    (void)kw_marks_raise(&marks, file, 2, when(3000));
    CHECK(since(&marks, 3) == 3000 && since(&marks, 1) == 1000);
    kw_keyring_give(file);
}

/* No look of this node fell between the two. */
TEST(raise__disabled_and_enabled_between_two_looks__accepted_anew)
{
    struct kw_keyring *file = good_file();
    struct kw_marks marks = {0};
    (void)kw_marks_raise(&marks, file, 2, when(1000));
    becomes(&file, acted(file, KW_ACT_DISABLE, 3));
    becomes(&file, acted(file, KW_ACT_ENABLE, 3));
    (void)kw_marks_raise(&marks, file, 2, when(2000));
    CHECK(since(&marks, 3) == 2000);
    CHECK(since(&marks, 1) == 1000 && since(&marks, 2) == 1000);
    kw_keyring_give(file);
}

TEST(raise__disabled__since_the_first_look_at_it)
{
    struct kw_keyring *file = good_file();
    struct kw_marks marks = {0};
    (void)kw_marks_raise(&marks, file, 2, when(1000));
    becomes(&file, acted(file, KW_ACT_DISABLE, 3));
    (void)kw_marks_raise(&marks, file, 2, when(2000));
    CHECK(since(&marks, 3) == 2000);
    becomes(&file, acted(file, KW_ACT_DISABLE, 1)); /* of another one */
    (void)kw_marks_raise(&marks, file, 2, when(3000));
    CHECK(since(&marks, 3) == 2000 && since(&marks, 1) == 3000);
    becomes(&file, acted(file, KW_ACT_DESTROY, 3));
    (void)kw_marks_raise(&marks, file, 2, when(4000));
    CHECK(since(&marks, 3) == 0 && since(&marks, 1) == 3000);
    kw_keyring_give(file);
}

/* Somebody may have missed it in between, and not since. */
TEST(raise__enabled_and_disabled_between_two_looks__disabled_anew)
{
    struct kw_keyring *file = good_file();
    struct kw_marks marks = {0};
    becomes(&file, acted(file, KW_ACT_DISABLE, 3));
    (void)kw_marks_raise(&marks, file, 2, when(1000));
    becomes(&file, acted(file, KW_ACT_ENABLE, 3));
    becomes(&file, acted(file, KW_ACT_DISABLE, 3));
    (void)kw_marks_raise(&marks, file, 2, when(2000));
    CHECK(since(&marks, 3) == 2000);
    kw_keyring_give(file);
}

TEST(raise__accepted_before_the_last_look__since_then)
{
    struct kw_keyring *file = good_file();
    struct kw_marks marks = {0};
    struct kw_version v = good_version(4, KW_KEY_CREATED);
    struct kw_keyring *next = change(file);
    CHECK_OK(kw_keyring_add(next, &v));
    becomes(&file, reread(next));
    (void)kw_marks_raise(&marks, file, 2, when(1000));
    CHECK(!kw_marks_of(&marks, 4)->accepted);
    becomes(&file, acted(file, KW_ACT_ACCEPT, 4));
    (void)kw_marks_raise(&marks, file, 2, (struct kw_moment){"this-boot", 2000, -2000});
    CHECK(since(&marks, 4) == -2000);
    becomes(&file, acted(file, KW_ACT_ACTIVATE, 4));
    (void)kw_marks_raise(&marks, file, 4, when(5000));
    CHECK(since(&marks, 4) == -2000 && since(&marks, 2) == 1000);
    kw_keyring_give(file);
}

/* What happened in the files that were missed is not known any more. */
TEST(raise__history_starts_after_the_last_look__all_accepted_anew)
{
    struct kw_keyring *file = good_file();
    struct kw_marks marks = {0};
    (void)kw_marks_raise(&marks, file, 2, when(1000));
    struct kw_keyring *next = reread(change(file));
    becomes(&next, change(next));
    for (size_t i = 0; i < KW_HISTORY_MAX; i++) {
        struct kw_history h = file->history[8];
        h.serial = 9; /* nothing of serial 8 is left */
        CHECK_OK(kw_keyring_record(next, &h));
    }
    next = reread(next);
    struct kw_marks copy = marks;
    (void)kw_marks_raise(&copy, next, 2, when(2000));
    CHECK(since(&copy, 1) == 2000 && since(&copy, 2) == 2000 && since(&copy, 3) == 2000);
    /* Pruned lines hide that it was full. */
    next->history_count -= 100;
    next = reread(next);
    copy = marks;
    (void)kw_marks_raise(&copy, next, 2, when(2000));
    CHECK(since(&copy, 1) == 2000 && since(&copy, 3) == 2000);
    CHECK(!kw_marks_raise(&copy, next, 2, when(3000))); /* and not again */
    kw_keyring_give(next);
    kw_keyring_give(file);
}

TEST(raise__no_history_at_all__accepted_anew_once)
{
    struct kw_keyring *file = good_file();
    struct kw_marks marks = {0};
    (void)kw_marks_raise(&marks, file, 2, when(1000));
    struct kw_keyring *next = change(file);
    next->history_count = 0;
    next = reread(next);
    (void)kw_marks_raise(&marks, next, 2, when(2000));
    CHECK(since(&marks, 3) == 2000);
    CHECK(!kw_marks_raise(&marks, next, 2, when(3000)));
    kw_keyring_give(next);
    kw_keyring_give(file);
}

/* Its history is not ours: enabled there, at a serial that we passed long ago. */
TEST(raise__trusted_fork__accepted_anew)
{
    struct kw_keyring *old = good_file();
    struct kw_keyring *file = acted(old, KW_ACT_RETIRE, 1 + 2);
    struct kw_marks marks = {0};
    (void)kw_marks_raise(&marks, file, 2, when(1000));
    becomes(&file, acted(old, KW_ACT_DISABLE, 1));
    (void)kw_marks_raise(&marks, file, 2, when(2000));
    CHECK(!kw_marks_of(&marks, 1)->accepted && since(&marks, 2) == 2000);
    kw_keyring_give(file);
    kw_keyring_give(old);
}

TEST(raise__another_key_under_the_number__a_mark_of_its_own)
{
    struct kw_keyring *file = good_file();
    struct kw_marks marks = {0};
    (void)kw_marks_raise(&marks, file, 3, when(1000));
    struct kw_keyring *other = change(file);
    struct kw_version v = good_version(3, KW_KEY_ACCEPTED);
    kw_keyring_remove(other, 3);
    memset(v.key_id + 6, 'f', 24);
    memset(v.objects[0].label + 6, 'f', 24);
    CHECK_OK(kw_keyring_add(other, &v));
    other = reread(other);
    (void)kw_marks_raise(&marks, other, 2, when(2000));
    const struct kw_mark *mark = kw_marks_of(&marks, 3);
    CHECK_STR(mark->id.key_id, "kw1-3-ffffffffffffffffffffffff");
    CHECK(!mark->wrapped && mark->since.wall_ns == 2000);
    kw_keyring_give(other);
    kw_keyring_give(file);
}

TEST(raise__not_understood__its_state_as_it_stands_not_accepted)
{
    struct kw_keyring *ring = NULL;
    struct kw_marks marks = {0};
    char *json = swap(good_text(), "\"state\": \"accepted\"", "\"state\": \"suspended\"");
    CHECK_OK(kw_keyring_parse(kw_span_str(json), &ring, NULL));
    (void)kw_marks_raise(&marks, ring, 2, when(1000));
    CHECK_STR(kw_marks_of(&marks, 3)->state, "suspended");
    CHECK(!kw_marks_of(&marks, 3)->accepted);
    kw_keyring_give(ring);
}

TEST(raise__other_rings_for_ever__versions_that_left_make_room)
{
    struct kw_marks marks;
    struct kw_state_dir *dir = opened();
    for (uint32_t first = 1; first <= 129; first += 64) {
        struct kw_keyring *ring = NULL;
        CHECK_OK(kw_keyring_new("demo", &ring));
        for (uint32_t n = first; n < first + 64; n++) {
            struct kw_version v = good_version(n, KW_KEY_ACCEPTED);
            CHECK_OK(kw_keyring_add(ring, &v));
        }
        ring->serial = first;
        CHECK_OK(kw_state_raise(dir, ring, 0, when(1000), NULL));
        kw_keyring_give(ring);
        CHECK_OK(kw_state_marks(dir, &marks, NULL));
        CHECK(marks.count == 64 && marks.versions[0].id.n == first);
    }
    done(dir);
}

TEST(raise__nothing_new__file_untouched)
{
    struct stat before;
    struct stat after;
    struct kw_state_dir *dir = opened();
    struct kw_keyring *ring = good_file();
    CHECK_OK(kw_state_raise(dir, ring, 2, when(1000), NULL));
    CHECK(stat(in_folder("marks.json"), &before) == 0);
    CHECK_OK(kw_state_raise(dir, ring, 2, when(9000), NULL));
    CHECK(stat(in_folder("marks.json"), &after) == 0);
    CHECK(before.st_ino == after.st_ino);
    CHECK_OK(kw_state_raise(dir, ring, 3, when(9000), NULL));
    CHECK(stat(in_folder("marks.json"), &after) == 0);
    CHECK(before.st_ino != after.st_ino);
    kw_keyring_give(ring);
    done(dir);
}

/* ---- trust, and marks made anew ---- */

static struct kw_trust trust_of(const struct kw_keyring *ring)
{
    struct kw_trust t = {.sha256_len = 32};
    kw_copy(t.sha256, 32, kw_span_of(ring->sha256, 32));
    snprintf(t.at, sizeof t.at, "2026-03-01T08:00:00Z");
    snprintf(t.by, sizeof t.by, "ann");
    return t;
}

TEST(trust__text_that_is_not_printable__refused)
{
    struct kw_state_dir *dir = opened();
    struct kw_keyring *ring = good_file();
    struct kw_trust t = trust_of(ring);
    t.by[0] = '\x1b';
    CHECK_CODE(kw_state_trust(dir, &t, NULL), KW_CODE_BAD_INPUT);
    CHECK(access(in_folder("marks.json"), F_OK) != 0);
    kw_keyring_give(ring);
    done(dir);
}

TEST(trust__recorded__used_up_by_the_file_that_it_names)
{
    struct kw_marks marks;
    struct kw_state_dir *dir = opened();
    struct kw_keyring *old = good_file();
    struct kw_keyring *file = acted(old, KW_ACT_RETIRE, 3);
    struct kw_keyring *fork = acted(old, KW_ACT_DISABLE, 3);
    const struct kw_trust t = trust_of(fork);
    static const struct kw_trust none;
    CHECK_OK(kw_state_raise(dir, file, 2, when(1000), NULL));
    CHECK_OK(kw_state_trust(dir, &t, NULL));
    CHECK_OK(kw_state_marks(dir, &marks, NULL));
    CHECK(memcmp(&marks.trust, &t, sizeof t) == 0 && marks.serial == 8);
    CHECK_OK(kw_state_raise(dir, fork, 2, when(1000), NULL));
    CHECK_OK(kw_state_marks(dir, &marks, NULL));
    CHECK(memcmp(&marks.trusted, &t, sizeof t) == 0);
    CHECK(memcmp(&marks.trust, &none, sizeof none) == 0);
    kw_keyring_give(old);
    kw_keyring_give(file);
    kw_keyring_give(fork);
    done(dir);
}

/* Years later an accident puts the trusted file back: the word is not good any more. */
TEST(trust__another_ring_is_taken__gone)
{
    struct kw_keyring *old = good_file();
    struct kw_keyring *file = acted(old, KW_ACT_RETIRE, 3);
    struct kw_keyring *fork = acted(old, KW_ACT_DISABLE, 3);
    struct kw_marks marks = {0};
    (void)kw_marks_raise(&marks, file, 2, when(1000));
    marks.trust = trust_of(fork);
    CHECK(kw_marks_raise(&marks, file, 2,
                         when(1000))); /* the same as before: that counts too */
    CHECK(marks.trust.sha256_len == 0 && marks.trusted.sha256_len == 0);
    kw_keyring_give(old);
    kw_keyring_give(file);
    kw_keyring_give(fork);
}

TEST(rebuild__marks_are_there__denied_and_untouched)
{
    struct kw_note note = {{0}};
    struct kw_marks marks;
    struct kw_state_dir *dir = opened();
    struct kw_keyring *ring = good_file();
    CHECK_OK(kw_state_raise(dir, ring, 3, when(1000), NULL));
    CHECK_CODE(kw_state_rebuild(dir, ring, when(2000), "ann", &note), KW_CODE_DENIED);
    CHECK_HAS(note.text, "marks.json");
    CHECK_HAS(note.text, "serial 7");
    CHECK_OK(kw_state_marks(dir, &marks, NULL));
    CHECK(marks.active.n == 3 && marks.rebuilt[0] == '\0');
    kw_keyring_give(ring);
    done(dir);
}

TEST(rebuild__lost__those_of_the_ring_and_who_said_so)
{
    struct kw_marks marks;
    struct kw_state_dir *dir = opened();
    struct kw_keyring *ring = good_file();
    const int64_t at = INT64_C(1767225600) * 1000000000; /* 2026-01-01T00:00:00Z */
    CHECK_OK(kw_state_rebuild(dir, ring, when(at), "ann", NULL));
    CHECK_OK(kw_state_marks(dir, &marks, NULL));
    CHECK(marks.serial == 7 && marks.baseline.n == 2 && marks.active.n == 2);
    CHECK(since(&marks, 3) == at);
    CHECK_STR(marks.rebuilt, "2026-01-01T00:00:00.000000Z, ann");
    kw_keyring_give(ring);
    done(dir);
}

/* Sixty-three bytes of UTF-8, as long as an operator's name may be. */
TEST(rebuild__longest_name__not_cut)
{
    struct kw_marks marks;
    struct kw_state_dir *dir = opened();
    struct kw_keyring *ring = good_file();
    char who[64];
    for (size_t i = 0; i < 31; i++)
        kw_copy(who + 2 * i, 2, kw_span_str("\xc3\xbc"));
    kw_copy(who + 62, 2, kw_span_of("x", 2));
    CHECK_OK(kw_state_rebuild(dir, ring, when(1000), who, NULL));
    CHECK_OK(kw_state_marks(dir, &marks, NULL));
    CHECK_HAS(marks.rebuilt, who);
    kw_keyring_give(ring);
    done(dir);
}

TEST(marks__everything_at_its_maximum__written_and_read_back)
{
    struct kw_state_dir *dir = opened();
    struct kw_marks marks;
    struct kw_keyring *ring = NULL;
    CHECK_OK(kw_keyring_new("demo", &ring));
    for (uint32_t n = 999001; n <= 999000 + KW_VERSIONS_MAX; n++) {
        struct kw_version v = good_version(n, KW_KEY_UNKNOWN);
        memset(v.unknown_state, '"', sizeof v.unknown_state - 1);
        CHECK_OK(kw_keyring_add(ring, &v));
    }
    ring->serial = KW_SERIAL_MAX;
    ring->ancestor_count = KW_ANCESTORS_MAX;
    ring->active = 999064;
    char who[64];
    memset(who, '"', sizeof who - 1);
    who[sizeof who - 1] = '\0';
    CHECK_OK(kw_state_rebuild(dir, ring, when(INT64_MAX), who, NULL));
    CHECK_OK(kw_state_marks(dir, &marks, NULL));
    CHECK(marks.count == KW_VERSIONS_MAX && marks.ancestor_count == KW_ANCESTORS_MAX);
    CHECK(marks.serial == KW_SERIAL_MAX && marks.active.n == 999064);
    kw_keyring_give(ring);
    done(dir);
}

KW_CASES("hsm/keyring/marks", CASE(marks__nothing_remembered__zero),
         CASE(marks__somebody_changes_them__busy_and_as_they_were),
         CASE(marks__file_that_is_none__error_never_nothing),
         CASE(marks__file_of_a_pre_release_build__refused_and_said),
         CASE(marks__unreadable_file__io),
         CASE(raise__a_file__its_serial_digest_chain_and_names),
         CASE(raise__lower_versions__baseline_and_active_stay),
         CASE(raise__leaves_the_states_that_unwrap__accepted_anew_later),
         CASE(raise__disabled_and_enabled_between_two_looks__accepted_anew),
         CASE(raise__disabled__since_the_first_look_at_it),
         CASE(raise__enabled_and_disabled_between_two_looks__disabled_anew),
         CASE(raise__accepted_before_the_last_look__since_then),
         CASE(raise__history_starts_after_the_last_look__all_accepted_anew),
         CASE(raise__no_history_at_all__accepted_anew_once),
         CASE(raise__trusted_fork__accepted_anew),
         CASE(raise__another_key_under_the_number__a_mark_of_its_own),
         CASE(raise__not_understood__its_state_as_it_stands_not_accepted),
         CASE(raise__other_rings_for_ever__versions_that_left_make_room),
         CASE(raise__nothing_new__file_untouched),
         CASE(trust__text_that_is_not_printable__refused),
         CASE(trust__recorded__used_up_by_the_file_that_it_names),
         CASE(trust__another_ring_is_taken__gone),
         CASE(rebuild__marks_are_there__denied_and_untouched),
         CASE(rebuild__lost__those_of_the_ring_and_who_said_so),
         CASE(rebuild__longest_name__not_cut),
         CASE(marks__everything_at_its_maximum__written_and_read_back))
