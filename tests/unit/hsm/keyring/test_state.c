/* SPDX-License-Identifier: Apache-2.0 */
/* The state directory and its files. */
#include "ring.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <keyward/alloc.h>
#include <keyward/state.h>

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

static void open__missing_or_no_directory__refused(void **state)
{
    (void)state;
    struct kw_note note = {{0}};
    struct kw_state_dir *dir = NULL;
    CHECK_CODE(kw_state_open(in_folder("none"), &dir, &note), KW_CODE_MISSING);
    CHECK_HAS(note.text, "none");
    put("file", "x");
    CHECK_CODE(kw_state_open(in_folder("file"), &dir, &note), KW_CODE_IO);
    CHECK(dir == NULL);
    kw_state_close(NULL);
    folder_gone();
}

static void open__others_may_write__denied_with_remedy(void **state)
{
    (void)state;
    static const mode_t modes[] = {0720, 0702, 0777, 01777};
    struct kw_note note = {{0}};
    struct kw_state_dir *dir = NULL;
    for (size_t i = 0; i < 4; i++) {
        CHECK(chmod(folder(), modes[i]) == 0);
        CHECK_CODE(kw_state_open(folder(), &dir, &note), KW_CODE_DENIED);
        CHECK_HAS(note.text, "chmod 0700");
    }
    CHECK(dir == NULL);
    CHECK(chmod(folder(), 0755) == 0);
    dir = opened();
    done(dir);
}

static void open__another_users__denied_unless_root(void **state)
{
    (void)state;
    struct kw_note note = {{0}};
    struct kw_state_dir *dir = NULL;
    if (geteuid() == 0) {
        CHECK(chown(folder(), 12345, 12345) == 0);
        CHECK_OK(kw_state_open(folder(), &dir, &note));
    } else {
        CHECK_CODE(kw_state_open("/", &dir, &note), KW_CODE_DENIED);
        CHECK_HAS(note.text, "chown");
    }
    done(dir);
}

static void write__root_in_another_users_directory__files_are_the_owners(void **state)
{
    (void)state;
    struct stat st;
    const uid_t owner = geteuid() == 0 ? 12345 : geteuid();
    struct kw_activation act = {.n = 2, .key_id = "kw1-2-000000000000000000000002"};
    if (geteuid() == 0)
        CHECK(chown(folder(), owner, 12345) == 0);
    struct kw_state_dir *dir = opened();
    for (unsigned times = 0; times < 2; times++) { /* new, then replaced */
        CHECK_OK(kw_state_activate(dir, &act, NULL));
        CHECK(stat(in_folder("activation.json"), &st) == 0);
        CHECK(st.st_uid == owner && (st.st_mode & 07777) == 0600);
    }
    done(dir);
}

static void write__directory_gone__io(void **state)
{
    (void)state;
    struct kw_note note = {{0}};
    struct kw_activation act = {.n = 2, .key_id = "kw1-2-000000000000000000000002"};
    struct kw_state_dir *dir = opened();
    folder_gone();
    kw_err e = kw_state_activate(dir, &act, &note);
    CHECK(kw_failed(e));
    CHECK_HAS(note.text, "activation.json");
    kw_state_close(dir);
}

static void marks__nothing_remembered__zero(void **state)
{
    (void)state;
    struct kw_marks marks = {.serial_max = 77};
    struct kw_state_dir *dir = opened();
    CHECK_OK(kw_state_marks(dir, &marks, NULL));
    CHECK(marks.serial_max == 0 && marks.active_max == 0 && marks.count == 0);
    done(dir);
}

static void marks__file_that_is_none__error_never_nothing(void **state)
{
    (void)state;
    static const char *const wrong[] = {
        "",
        "{}",
        "{\"marks\":2,\"serial-max\":1,\"baseline-max\":1,\"active-max\":1,"
        "\"accepted\":[]}",
        "{\"marks\":1,\"serial-max\":-1,\"baseline-max\":1,\"active-max\":1,"
        "\"accepted\":[]}",
        "{\"marks\":1,\"serial-max\":1,\"baseline-max\":1,\"active-max\":1,"
        "\"accepted\":[1]}",
        "{\"marks\":1,\"serial-max\":1,\"baseline-max\":1,\"active-max\":1,"
        "\"accepted\":[],\"more\":1}",
    };
    struct kw_marks marks = {.serial_max = 77};
    struct kw_state_dir *dir = opened();
    struct kw_keyring *ring = good_ring();
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        struct kw_note note = {{0}};
        put("marks.json", wrong[i]);
        CHECK_CODE(kw_state_marks(dir, &marks, &note), KW_CODE_BAD_INPUT);
        CHECK_HAS(note.text, "marks.json");
        CHECK_CODE(kw_state_raise(dir, ring, 2, 1, &note), KW_CODE_BAD_INPUT);
    }
    CHECK(marks.serial_max == 77);
    kw_keyring_give(ring);
    done(dir);
}

static void marks__unreadable_file__io(void **state)
{
    (void)state;
    struct kw_marks marks;
    struct kw_state_dir *dir = opened();
    CHECK(mkdir(in_folder("marks.json"), 0700) == 0);
    CHECK(kw_failed(kw_state_marks(dir, &marks, NULL)));
    CHECK(rmdir(in_folder("marks.json")) == 0);
    done(dir);
}

static void raise__lower_numbers__marks_stay(void **state)
{
    (void)state;
    struct kw_marks marks;
    struct kw_state_dir *dir = opened();
    struct kw_keyring *ring = good_ring();
    CHECK_OK(kw_state_raise(dir, ring, 3, 1000, NULL));
    ring->serial = 4;
    ring->active = 1;
    CHECK_OK(kw_state_raise(dir, ring, 1, 2000, NULL));
    CHECK_OK(kw_state_marks(dir, &marks, NULL));
    CHECK(marks.serial_max == 7 && marks.active_max == 3 && marks.baseline_max == 2);
    kw_keyring_give(ring);
    done(dir);
}

static void raise__serial_seen__its_digest_stays(void **state)
{
    (void)state;
    struct kw_marks marks;
    struct kw_state_dir *dir = opened();
    struct kw_keyring *ring = good_ring();
    memset(ring->sha256, 0xab, 32);
    CHECK_OK(kw_state_raise(dir, ring, 0, 1000, NULL));
    memset(ring->sha256, 0xcd, 32);
    CHECK_OK(kw_state_raise(dir, ring, 0, 1000, NULL));
    CHECK_OK(kw_state_marks(dir, &marks, NULL));
    CHECK(marks.serial_sha256_len == 32 && marks.serial_sha256[31] == 0xab);
    ring->serial++;
    CHECK_OK(kw_state_raise(dir, ring, 0, 1000, NULL));
    CHECK_OK(kw_state_marks(dir, &marks, NULL));
    CHECK(marks.serial_sha256[0] == 0xcd);
    kw_keyring_give(ring);
    done(dir);
}

static void raise__file_of_an_older_program__learns_the_digest(void **state)
{
    (void)state;
    struct kw_marks marks;
    struct kw_state_dir *dir = opened();
    struct kw_keyring *ring = good_ring();
    put("marks.json", "{\"marks\":1,\"serial-max\":7,\"baseline-max\":2,\"active-max\":2,"
                      "\"accepted\":[]}");
    CHECK_OK(kw_state_marks(dir, &marks, NULL));
    CHECK(marks.serial_max == 7 && marks.serial_sha256_len == 0);
    CHECK_OK(kw_keyring_admit(ring, "demo", &marks, NULL));
    memset(ring->sha256, 0xab, 32);
    CHECK_OK(kw_state_raise(dir, ring, 0, 1000, NULL));
    CHECK_OK(kw_state_marks(dir, &marks, NULL));
    CHECK(marks.serial_sha256_len == 32 && marks.serial_sha256[0] == 0xab);
    kw_keyring_give(ring);
    done(dir);
}

static void raise__versions_newly_accepted__since_then(void **state)
{
    (void)state;
    struct kw_marks marks;
    struct kw_state_dir *dir = opened();
    struct kw_keyring *ring = good_ring();
    struct kw_version v = good_version(4, KW_KEY_CREATED);
    CHECK_OK(kw_keyring_add(ring, &v));
    CHECK_OK(kw_state_raise(dir, ring, 2, 1000, NULL));
    CHECK_OK(kw_state_marks(dir, &marks, NULL));
    CHECK(marks.count == 3 && marks.accepted[0].n == 1 && marks.accepted[2].n == 3);
    kw_keyring_edit(ring, 4)->state = KW_KEY_ACCEPTED;
    CHECK_OK(kw_state_raise(dir, ring, 2, -2000, NULL));
    CHECK_OK(kw_state_marks(dir, &marks, NULL));
    CHECK(marks.count == 4 && marks.accepted[3].n == 4);
    CHECK(marks.accepted[3].since_wall_ns == -2000);
    CHECK(marks.accepted[0].since_wall_ns == 1000);
    kw_keyring_give(ring);
    done(dir);
}

static void raise__other_rings_for_ever__versions_that_left_make_room(void **state)
{
    (void)state;
    struct kw_marks marks;
    struct kw_state_dir *dir = opened();
    for (uint32_t first = 1; first <= 129; first += 64) {
        struct kw_keyring *ring = NULL;
        CHECK_OK(kw_keyring_new("demo", &ring));
        for (uint32_t n = first; n < first + 64; n++) {
            struct kw_version v = good_version(n, KW_KEY_ACCEPTED);
            CHECK_OK(kw_keyring_add(ring, &v));
        }
        CHECK_OK(kw_state_raise(dir, ring, 0, 1000, NULL));
        kw_keyring_give(ring);
        CHECK_OK(kw_state_marks(dir, &marks, NULL));
        CHECK(marks.count == 64 && marks.accepted[0].n == first);
    }
    done(dir);
}

static void raise__nothing_new__file_untouched(void **state)
{
    (void)state;
    struct stat before;
    struct stat after;
    struct kw_state_dir *dir = opened();
    struct kw_keyring *ring = good_ring();
    CHECK_OK(kw_state_raise(dir, ring, 2, 1000, NULL));
    CHECK(stat(in_folder("marks.json"), &before) == 0);
    CHECK_OK(kw_state_raise(dir, ring, 2, 9000, NULL));
    CHECK(stat(in_folder("marks.json"), &after) == 0);
    CHECK(before.st_ino == after.st_ino);
    kw_keyring_give(ring);
    done(dir);
}

static void activation__none_or_spoilt__zero_or_error(void **state)
{
    (void)state;
    struct kw_activation act = {.n = 77};
    struct kw_state_dir *dir = opened();
    CHECK_OK(kw_state_activation(dir, &act, NULL));
    CHECK(act.n == 0 && act.key_id[0] == '\0');
    put("activation.json", "{\"activation\":1,\"n\":2,"
                           "\"key-id\":\"kw1-3-000000000000000000000002\",\"at\":null,"
                           "\"by\":null,\"proof\":null}");
    CHECK_CODE(kw_state_activation(dir, &act, NULL), KW_CODE_BAD_INPUT);
    CHECK(act.n == 0);
    done(dir);
}

static void activate__key_id_of_another_version_or_bad_text__refused(void **state)
{
    (void)state;
    struct kw_state_dir *dir = opened();
    struct kw_activation act = {.n = 3, .key_id = "kw1-2-000000000000000000000002"};
    CHECK_CODE(kw_state_activate(dir, &act, NULL), KW_CODE_BAD_INPUT);
    act.n = 2;
    act.by[0] = '\x1b';
    CHECK_CODE(kw_state_activate(dir, &act, NULL), KW_CODE_BAD_INPUT);
    CHECK(access(in_folder("activation.json"), F_OK) != 0);
    done(dir);
}

static void activate__good__reads_back(void **state)
{
    (void)state;
    struct kw_activation back = {0};
    struct kw_state_dir *dir = opened();
    const struct kw_activation act = {
        .n = 2,
        .key_id = "kw1-2-000000000000000000000002",
        .at = "2026-01-31T12:00:00.000000Z",
        .by = "root",
        .proof = "only-copy",
    };
    CHECK_OK(kw_state_activate(dir, &act, NULL));
    CHECK_OK(kw_state_activation(dir, &back, NULL));
    CHECK(memcmp(&act, &back, sizeof act) == 0);
    done(dir);
}

static void last_keyring__none_then_one__byte_for_byte(void **state)
{
    (void)state;
    struct kw_keyring *ring = NULL;
    struct kw_blob bytes = {0};
    struct kw_state_dir *dir = opened();
    CHECK_CODE(kw_state_last_keyring(dir, &ring, &bytes, NULL), KW_CODE_MISSING);
    CHECK(ring == NULL && bytes.ptr == NULL);
    char *text = swap(good_text(), "  \"domain\"", "\t\t\"domain\""); /* not canonical */
    CHECK_OK(kw_state_save_keyring(dir, kw_span_str(text), NULL));
    CHECK_OK(kw_state_last_keyring(dir, &ring, &bytes, NULL));
    CHECK(kw_span_equal_str(kw_blob_peek(&bytes), text) && ring->count == 3);
    kw_blob_wipe(&bytes);
    kw_keyring_give(ring);
    done(dir);
}

KW_CASES("hsm/keyring/state", CASE(open__missing_or_no_directory__refused),
         CASE(open__others_may_write__denied_with_remedy),
         CASE(open__another_users__denied_unless_root),
         CASE(write__root_in_another_users_directory__files_are_the_owners),
         CASE(write__directory_gone__io), CASE(marks__nothing_remembered__zero),
         CASE(marks__file_that_is_none__error_never_nothing),
         CASE(marks__unreadable_file__io), CASE(raise__lower_numbers__marks_stay),
         CASE(raise__serial_seen__its_digest_stays),
         CASE(raise__file_of_an_older_program__learns_the_digest),
         CASE(raise__versions_newly_accepted__since_then),
         CASE(raise__other_rings_for_ever__versions_that_left_make_room),
         CASE(raise__nothing_new__file_untouched),
         CASE(activation__none_or_spoilt__zero_or_error),
         CASE(activate__key_id_of_another_version_or_bad_text__refused),
         CASE(activate__good__reads_back),
         CASE(last_keyring__none_then_one__byte_for_byte))
