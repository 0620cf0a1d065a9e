/* SPDX-License-Identifier: Apache-2.0 */
/* The state directory and its files. */
#include "ring.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/wait.h>
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

TEST(open__missing_or_no_directory__refused)
{
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

TEST(open__others_may_write__denied_with_remedy)
{
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

TEST(open__another_users__denied_unless_root)
{
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

TEST(write__root_in_another_users_directory__files_are_the_owners)
{
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

/* The file is in its place then: the daemon must be able to read it. */
TEST(write__root_and_the_folder_cannot_be_synced__still_the_owners)
{
    struct stat st;
    struct kw_note note = {{0}};
    struct kw_activation act = {.n = 2, .key_id = "kw1-2-000000000000000000000002"};
    const uid_t owner = geteuid() == 0 ? 12345 : geteuid();
    if (geteuid() == 0)
        CHECK(chown(folder(), owner, 12345) == 0);
    struct kw_state_dir *dir = opened();
    folder_sync_fails = true;
    kw_err e = kw_state_activate(dir, &act, &note);
    folder_sync_fails = false;
    CHECK(e.code == KW_CODE_IO && kw_file_is_written(e));
    CHECK_HAS(note.text, "written, not yet durable");
    CHECK(stat(in_folder("activation.json"), &st) == 0 && st.st_uid == owner);
    CHECK_OK(kw_state_activation(dir, &act, NULL));
    CHECK(act.n == 2);
    done(dir);
}

TEST(write__directory_gone__io)
{
    struct kw_note note = {{0}};
    struct kw_activation act = {.n = 2, .key_id = "kw1-2-000000000000000000000002"};
    struct kw_state_dir *dir = opened();
    folder_gone();
    kw_err e = kw_state_activate(dir, &act, &note);
    CHECK(kw_failed(e));
    CHECK_HAS(note.text, "activation.json");
    kw_state_close(dir);
}

TEST(activation__none_or_spoilt__zero_or_error)
{
    struct kw_activation act = {.n = 77};
    struct kw_state_dir *dir = opened();
    CHECK_OK(kw_state_activation(dir, &act, NULL));
    CHECK(act.n == 0 && act.key_id[0] == '\0');
    put("activation.json", "{\"activation\":1,\"n\":2,"
                           "\"key-id\":\"kw1-3-000000000000000000000002\",\"at\":null,"
                           "\"by\":null,\"proof\":null}");
    struct kw_note note = {{0}};
    CHECK_CODE(kw_state_activation(dir, &act, &note), KW_CODE_BAD_INPUT);
    CHECK_HAS(note.text,
              in_folder("activation.json")); /* where it lies, and what to do */
    CHECK_HAS(note.text, "put back a good copy");
    CHECK(act.n == 0);
    done(dir);
}

TEST(activate__key_id_of_another_version_or_bad_text__refused)
{
    struct kw_state_dir *dir = opened();
    struct kw_activation act = {.n = 3, .key_id = "kw1-2-000000000000000000000002"};
    CHECK_CODE(kw_state_activate(dir, &act, NULL), KW_CODE_BAD_INPUT);
    act.n = 2;
    act.by[0] = '\x1b';
    CHECK_CODE(kw_state_activate(dir, &act, NULL), KW_CODE_BAD_INPUT);
    CHECK(access(in_folder("activation.json"), F_OK) != 0);
    done(dir);
}

TEST(activate__good__reads_back)
{
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

TEST(last_keyring__none_then_one__byte_for_byte)
{
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

/* ---- the lock ---------------------------------------------------------------------- */

TEST(lock__held_by_somebody__busy_and_named_until_given_back)
{
    char want[40];
    struct kw_note note = {{0}};
    struct kw_state_dir *one = opened(), *two = opened();
    CHECK_OK(kw_state_lock(one, &note));
    CHECK_CODE(kw_state_lock(two, &note), KW_CODE_BUSY);
    CHECK_HAS(note.text, "try again");
    snprintf(want, sizeof want, "process %ld (", (long)getpid());
    CHECK_HAS(note.text, want);
    kw_state_unlock(one);
    kw_state_unlock(one);
    CHECK_OK(kw_state_lock(two, &note));
    CHECK_CODE(kw_state_lock(one, NULL), KW_CODE_BUSY);
    kw_state_close(two); /* gives it back too */
    CHECK_OK(kw_state_lock(one, &note));
    done(one);
}

TEST(lock__holder_dies__free)
{
    struct kw_state_dir *dir = opened();
    pid_t pid = fork();
    if (pid == 0)
        _exit(kw_failed(kw_state_lock(dir, NULL)) ? 1 : 0);
    int status = 0;
    CHECK(waitpid(pid, &status, 0) == pid && status == 0);
    CHECK_OK(kw_state_lock(dir, NULL));
    done(dir);
}

TEST(lock__no_file_can_be_there__io)
{
    struct kw_note note = {{0}};
    struct kw_state_dir *dir = opened();
    CHECK(symlink("elsewhere", in_folder("lock")) == 0); /* never followed */
    CHECK_CODE(kw_state_lock(dir, &note), KW_CODE_IO);
    CHECK_HAS(note.text, "/lock: ");
    CHECK(access(in_folder("elsewhere"), F_OK) != 0);
    done(dir);
}

TEST(lock__made_by_root__the_owners)
{
    struct stat st;
    kw_test_as_root();
    CHECK(chown(folder(), 1, 1) == 0);
    struct kw_state_dir *dir = opened();
    CHECK_OK(kw_state_lock(dir, NULL));
    CHECK(stat(in_folder("lock"), &st) == 0);
    CHECK(st.st_uid == 1 && st.st_gid == 1 && (st.st_mode & 07777) == 0600);
    done(dir);
}

KW_CASES("hsm/keyring/state",
         CASE(lock__held_by_somebody__busy_and_named_until_given_back),
         CASE(lock__holder_dies__free), CASE(lock__no_file_can_be_there__io),
         CASE(lock__made_by_root__the_owners),
         CASE(open__missing_or_no_directory__refused),
         CASE(open__others_may_write__denied_with_remedy),
         CASE(open__another_users__denied_unless_root),
         CASE(write__root_in_another_users_directory__files_are_the_owners),
         CASE(write__root_and_the_folder_cannot_be_synced__still_the_owners),
         CASE(write__directory_gone__io), CASE(activation__none_or_spoilt__zero_or_error),
         CASE(activate__key_id_of_another_version_or_bad_text__refused),
         CASE(activate__good__reads_back),
         CASE(last_keyring__none_then_one__byte_for_byte))
