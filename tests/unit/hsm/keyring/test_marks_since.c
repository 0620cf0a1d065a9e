/* SPDX-License-Identifier: Apache-2.0 */
/* A mark, and since when its version unwraps here or is disabled: by a clock that nobody
 * sets, too. */
#include "ring.h"

#define ONE                                                                              \
    "{\"marks\":1,\"serial\":0,\"sha256\":null,\"ancestors\":[],\"next-n\":null,"        \
    "\"baseline\":{\"n\":null,\"key-id\":null},"                                         \
    "\"active\":{\"n\":null,\"key-id\":null},\"versions\":[{\"n\":1,"                    \
    "\"key-id\":\"kw1-1-000000000000000000000001\",\"state\":\"active\","                \
    "\"wrapped\":true,\"accepted\":true,\"since-ns\":7" BOOT "}],"                       \
    "\"trust\":{\"sha256\":null,\"at\":null,\"by\":null},"                               \
    "\"trusted\":{\"sha256\":null,\"at\":null,\"by\":null},\"rebuilt\":null}"
#define BOOT ",\"since-boot\":{\"boot\":\"b\",\"at-ns\":5}"

TEST(since_boot__a_moment_or_null__read)
{
    struct kw_marks marks;
    CHECK_OK(kw_marks_parse(kw_span_str(ONE), &marks, NULL));
    CHECK_STR(marks.versions[0].since.boot, "b");
    CHECK(marks.versions[0].since.boot_ns == 5 && marks.versions[0].since.wall_ns == 7);
    const char *none = swap(ONE, BOOT, ",\"since-boot\":null");
    CHECK_OK(kw_marks_parse(kw_span_str(none), &marks, NULL));
    CHECK(marks.versions[0].since.boot[0] == '\0');
}

TEST(members_of_a_mark__as_strict)
{
    static const struct {
        const char *from, *to;
    } wrong[] = {
        {"\"n\":1", "\"n\":0"},
        {"\"key-id\":\"kw1-1-0", "\"key-id\":\"kw1-1-\\u001b"},
        {"\"key-id\":\"kw1-1-0", "\"key-id\":\"kw1-1-0000000000"},
        {"\"state\":\"active\"", "\"state\":null"},
        {"\"wrapped\":true", "\"wrapped\":1"},
        {"\"accepted\":true", "\"accepted\":null"},
        {"\"since-ns\":7", "\"since-ns\":null"},
        {"\"since-ns\":7", "\"since-ns\":7,\"until\":2"},
    };
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        struct kw_marks marks;
        struct kw_note note = {{0}};
        const char *json = swap(ONE, wrong[i].from, wrong[i].to);
        CHECK_CODE(kw_marks_parse(kw_span_str(json), &marks, &note), KW_CODE_BAD_INPUT);
        CHECK_HAS(note.text, "versions: element 0");
    }
}

TEST(since_boot__anything_else__refused)
{
    static const char *const wrong[] = {
        ",\"since-boot\":5",
        ",\"since-boot\":{}",
        ",\"since-boot\":{\"boot\":\"b\"}",
        ",\"since-boot\":{\"boot\":\"\",\"at-ns\":5}",
        ",\"since-boot\":{\"boot\":\"b\",\"at-ns\":null}",
        ",\"since-boot\":{\"boot\":\"b\",\"at-ns\":5,\"x\":1}",
        (",\"since-boot\":{\"boot\":\"0123456789012345678901234567890123456789\","
         "\"at-ns\":5}"),
    };
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        struct kw_marks marks;
        struct kw_note note = {{0}};
        const char *json = swap(ONE, BOOT, wrong[i]);
        CHECK_CODE(kw_marks_parse(kw_span_str(json), &marks, &note), KW_CODE_BAD_INPUT);
        CHECK_HAS(note.text, "versions: element 0: since-boot: ");
    }
}

TEST(mark_of_a_pre_release_build__refused_and_said)
{
    struct kw_marks marks;
    struct kw_note note = {{0}};
    const char *json = swap(ONE, BOOT, "");
    CHECK_CODE(kw_marks_parse(kw_span_str(json), &marks, &note), KW_CODE_BAD_INPUT);
    CHECK_HAS(note.text, "since-boot: missing: only files of pre-release builds lack it");
}

/* What is larger than a file of the state directory may be is refused. */
TEST(every_mark_at_its_maximum__written_and_read_back)
{
    static struct kw_marks marks, back;
    struct kw_blob json = {0};
    for (struct kw_mark *m = marks.versions; marks.count < KW_VERSIONS_MAX; m++) {
        m->id.n = KW_VERSION_N_MAX;
        memset(m->id.key_id, '"', sizeof m->id.key_id - 1);
        memset(m->state, '"', sizeof m->state - 1);
        memset(m->since.boot, '"', sizeof m->since.boot - 1);
        m->since.boot_ns = m->since.wall_ns = INT64_MIN;
        marks.count++;
    }
    marks.ancestor_count = KW_ANCESTORS_MAX;
    memset(marks.rebuilt, '"', sizeof marks.rebuilt - 1);
    CHECK_OK(kw_marks_write(&marks, &json));
    CHECK_OK(kw_marks_parse(kw_blob_peek(&json), &back, NULL));
    CHECK(memcmp(&marks, &back, sizeof back) == 0);
    kw_blob_wipe(&json);
}

/* ---- raising ---- */

static struct kw_moment on(const char *boot, int64_t boot_ns, int64_t wall_ns)
{
    struct kw_moment m = {.boot_ns = boot_ns, .wall_ns = wall_ns};
    kw_copy_str(m.boot, sizeof m.boot, kw_span_str(boot));
    return m;
}

static bool is_since(const struct kw_marks *marks, struct kw_moment m)
{
    const struct kw_moment *since = &kw_marks_of(marks, 3)->since;
    return strcmp(since->boot, m.boot) == 0 && since->boot_ns == m.boot_ns &&
           since->wall_ns == m.wall_ns;
}

TEST(raise__accepted_disabled_destroyed__by_both_clocks_or_none)
{
    struct kw_keyring *file = good_file();
    struct kw_marks marks = {0};
    (void)kw_marks_raise(&marks, file, 2, on("a", 10, 1000));
    CHECK(is_since(&marks, on("a", 10, 1000)));
    (void)kw_marks_raise(&marks, file, 2, on("b", 5, 2000));
    CHECK(is_since(&marks, on("a", 10, 1000)));
    becomes(&file, acted(file, KW_ACT_DISABLE, 3));
    (void)kw_marks_raise(&marks, file, 2, on("b", 6, 3000));
    CHECK(is_since(&marks, on("b", 6, 3000)));
    becomes(&file, acted(file, KW_ACT_DESTROY, 3));
    (void)kw_marks_raise(&marks, file, 2, on("b", 7, 4000));
    CHECK(is_since(&marks, KW_NO_MOMENT));
    kw_keyring_give(file);
}

/* Without a name of the boot that it was, the other clock is all there is to go by. */
TEST(raise__clock_set_back_over_a_restart__anew)
{
    struct kw_keyring *file = good_file();
    struct kw_marks marks = {0};
    (void)kw_marks_raise(&marks, file, 2, on("a", 10, 9000));
    CHECK(
        !kw_marks_raise(&marks, file, 2, on("a", 20, 1000))); /* that one still counts */
    CHECK(kw_marks_raise(&marks, file, 2, on("b", 5, 2000)));
    CHECK(is_since(&marks, on("b", 5, 2000)));
    CHECK(!kw_marks_raise(&marks, file, 2, on("b", 6, 3000)));
    kw_keyring_give(file);
}

/* The tool asks what the daemon would say, and must not answer for it. */
TEST(raise__moment_not_known__what_was_known_stays)
{
    struct kw_keyring *file = good_file();
    struct kw_marks marks = {0};
    (void)kw_marks_raise(&marks, file, 2, on("a", 10, 9000));
    CHECK(!kw_marks_raise(&marks, file, 2, KW_NO_MOMENT));
    CHECK(is_since(&marks, on("a", 10, 9000)));
    kw_keyring_give(file);
}

KW_CASES("hsm/keyring/marks_since", CASE(members_of_a_mark__as_strict),
         CASE(every_mark_at_its_maximum__written_and_read_back),
         CASE(since_boot__a_moment_or_null__read),
         CASE(since_boot__anything_else__refused),
         CASE(mark_of_a_pre_release_build__refused_and_said),
         CASE(raise__accepted_disabled_destroyed__by_both_clocks_or_none),
         CASE(raise__clock_set_back_over_a_restart__anew),
         CASE(raise__moment_not_known__what_was_known_stays))
