/* SPDX-License-Identifier: Apache-2.0 */
/* The digest of a PIN and its key; the process that began a login. */
#include "ring.h"

#include <dirent.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <keyward/file.h>
#include <keyward/pin_latch.h>

/* ---- the mark ---------------------------------------------------------------------- */

static const uint8_t key_a[KW_PIN_KEY] = {1}, key_b[KW_PIN_KEY] = {2};

static struct kw_pin_mark mark(const uint8_t *key, const char *serial, const char *pin)
{
    struct kw_pin_mark m;
    CHECK_OK(kw_pin_mark_make(kw_span_of(key, key != NULL ? KW_PIN_KEY : 0), serial,
                              kw_span_str(pin), &m));
    return m;
}

static bool same(const struct kw_pin_mark *a, const struct kw_pin_mark *b)
{
    return memcmp(a->key, b->key, sizeof a->key) == 0 &&
           memcmp(a->digest, b->digest, sizeof a->digest) == 0;
}

TEST(mark__no_key__none)
{
    kw_test_arena(4096);
    struct kw_pin_mark m = mark(NULL, "1", "1234");
    CHECK(m.key_len == 0 && m.digest_len == 0);
}

TEST(mark__arena_full__no_memory_and_none)
{
    KW_AUTO_SECRET(all);
    struct kw_arena_info info;
    struct kw_pin_mark m = {.key_len = 9};
    kw_test_arena(4096);
    kw_arena_info(&info);
    CHECK_OK(kw_secret_init(&all, info.bytes - 64));
    CHECK_CODE(
        kw_pin_mark_make(kw_span_of(key_a, KW_PIN_KEY), "1", kw_span_str("1234"), &m),
        KW_CODE_NO_MEMORY);
    CHECK(m.key_len == 0);
}

TEST(mark__key_token_or_pin_differs__another)
{
    kw_test_arena(4096);
    struct kw_pin_mark a = mark(key_a, "00cafe", "1234"), again, other;
    again = mark(key_a, "00cafe", "1234");
    CHECK(same(&a, &again) && a.key_len == 8 && a.digest_len == 16);
    other = mark(key_a, "00cafe", "1235");
    CHECK(memcmp(a.key, other.key, 8) == 0 && !same(&a, &other));
    other = mark(key_a, "00caf", "e1234"); /* not the same bytes in a row */
    CHECK(!same(&a, &other));
    other = mark(key_b, "00cafe", "1234");
    CHECK(memcmp(a.key, other.key, 8) != 0);
    CHECK(memcmp(a.digest, other.digest, 16) != 0);
}

/* Computed with another program's HMAC: over one zero byte, and over 01 06
 * "00cafe1234". */
TEST(mark__known_answer)
{
    char key[17], digest[33];
    kw_test_arena(4096);
    struct kw_pin_mark a = mark(key_a, "00cafe", "1234");
    kw_hex(key, sizeof key, kw_span_of(a.key, sizeof a.key));
    kw_hex(digest, sizeof digest, kw_span_of(a.digest, sizeof a.digest));
    CHECK_STR(key, "3c7d3cfe55c1ef3d");
    CHECK_STR(digest, "10f5d987e3f06a3e875df0b24143c840");
}

TEST(mark__longest_serial_and_pin__fits)
{
    char pin[KW_PIN_MAX + 1];
    memset(pin, 'p', KW_PIN_MAX);
    pin[KW_PIN_MAX] = '\0';
    kw_test_arena(4096);
    CHECK(mark(key_a, "0123456789abcdef", pin).digest_len == 16);
}

/* ---- the key ----------------------------------------------------------------------- */

TEST(key__folder_missing_or_others__refused)
{
    struct kw_note note = {{0}};
    KW_AUTO_SECRET(key);
    kw_test_arena(4096);
    CHECK_CODE(kw_pin_key(in_folder("none"), &key, &note), KW_CODE_MISSING);
    CHECK(chmod(folder(), 0777) == 0);
    CHECK_CODE(kw_pin_key(folder(), &key, &note), KW_CODE_DENIED);
    CHECK(key.ptr == NULL && access(in_folder("pin-key"), F_OK) != 0);
    CHECK(chmod(folder(), 0755) == 0);
    folder_gone();
}

TEST(key__made_once__the_same_for_all_and_only_ours_to_read)
{
    struct stat st;
    KW_AUTO_SECRET(one);
    KW_AUTO_SECRET(two);
    kw_test_arena(4096);
    CHECK_OK(kw_pin_key(folder(), &one, NULL));
    CHECK_OK(kw_pin_key(folder(), &two, NULL));
    CHECK(one.len == KW_PIN_KEY);
    CHECK(kw_span_equal(kw_secret_peek(&one), kw_secret_peek(&two)));
    CHECK(stat(in_folder("pin-key"), &st) == 0 && (st.st_mode & 07777) == 0600);
    CHECK(st.st_nlink == 1);
    CHECK(unlink(in_folder("pin-key")) == 0);
    CHECK_OK(kw_pin_key(folder(), &two, NULL)); /* another one */
    CHECK(!kw_span_equal(kw_secret_peek(&one), kw_secret_peek(&two)));
    folder_gone();
}

TEST(key__file_that_is_none_or_readable_by_others__refused)
{
    struct kw_note note = {{0}};
    KW_AUTO_SECRET(key);
    kw_test_arena(4096);
    CHECK_OK(kw_file_replace(in_folder("pin-key"), kw_span_str("abc\n"), 0600, NULL));
    CHECK_CODE(kw_pin_key(folder(), &key, &note), KW_CODE_BAD_INPUT);
    CHECK_HAS(note.text, "remove it");
    CHECK(unlink(in_folder("pin-key")) == 0);
    CHECK_OK(kw_pin_key(folder(), &key, &note));
    CHECK(chmod(in_folder("pin-key"), 0644) == 0);
    CHECK_CODE(kw_pin_key(folder(), &key, &note), KW_CODE_DENIED);
    folder_gone();
}

static unsigned files_in_folder(void)
{
    unsigned n = 0;
    DIR *d = opendir(folder());
    CHECK(d != NULL);
    for (struct dirent *e; (e = readdir(d)) != NULL;)
        n += e->d_name[0] != '.';
    closedir(d);
    return n;
}

static void *make_one(void *arg)
{
    CHECK_OK(kw_pin_key(folder(), arg, NULL));
    return NULL;
}

TEST(key__eight_at_once__one_key)
{
    enum { THREADS = 8 };
    struct kw_secret keys[THREADS] = {{0}};
    pthread_t threads[THREADS];
    kw_test_arena(1 << 16);
    (void)folder();
    for (int i = 0; i < THREADS; i++)
        CHECK(pthread_create(&threads[i], NULL, make_one, &keys[i]) == 0);
    for (int i = 0; i < THREADS; i++)
        CHECK(pthread_join(threads[i], NULL) == 0);
    for (int i = 0; i < THREADS; i++)
        CHECK(kw_span_equal(kw_secret_peek(&keys[0]), kw_secret_peek(&keys[i])));
    for (int i = 0; i < THREADS; i++)
        kw_secret_wipe(&keys[i]);
    CHECK(files_in_folder() == 1);
    folder_gone();
}

TEST(runtime__folder_of_the_status_socket)
{
    char dir[KW_PATH_MAX];
    CHECK(kw_pin_runtime("/run/keyward/status.sock", dir));
    CHECK_STR(dir, "/run/keyward");
    CHECK(kw_pin_runtime("/status.sock", dir));
    CHECK_STR(dir, "/");
    CHECK(kw_pin_runtime_is_volatile("/dev/shm"));
    CHECK(!kw_pin_runtime_is_volatile("/proc"));
    CHECK(!kw_pin_runtime_is_volatile("/nonexistent"));
}

/* ---- the process ------------------------------------------------------------------- */

TEST(owner__ended_or_another_boot_or_start__lives_not)
{
    struct kw_pin_owner owner, other;
    int gate[2], status;
    char byte;
    CHECK(pipe(gate) == 0);
    pid_t pid = fork();
    if (pid == 0) {
        close(gate[1]);
        _exit(read(gate[0], &byte, 1) == 0 ? 0 : 1);
    }
    CHECK(kw_pin_owner_of(pid, &owner) && kw_pin_owner_lives(&owner));
    CHECK(owner.pid == (uint32_t)pid && owner.start > 0 && strlen(owner.boot) == 36);
    other = owner;
    other.start++;
    CHECK(!kw_pin_owner_lives(&other));
    other = owner;
    other.boot[0] = 'x';
    CHECK(!kw_pin_owner_lives(&other));
    close(gate[1]);
    close(gate[0]);
    siginfo_t info;
    CHECK(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT) == 0);
    CHECK(!kw_pin_owner_lives(&owner)); /* a zombie */
    CHECK(waitpid(pid, &status, 0) == pid);
    CHECK(!kw_pin_owner_lives(&owner) && !kw_pin_owner_of(pid, &other));
    CHECK(!kw_pin_owner_lives(&(struct kw_pin_owner){.pid = 0}));
    CHECK(kw_pin_owner_of(getpid(), &owner) && kw_pin_owner_lives(&owner));
}

KW_CASES("hsm/keyring/pin_mark", CASE(mark__no_key__none),
         CASE(mark__arena_full__no_memory_and_none),
         CASE(mark__key_token_or_pin_differs__another), CASE(mark__known_answer),
         CASE(mark__longest_serial_and_pin__fits),
         CASE(key__folder_missing_or_others__refused),
         CASE(key__made_once__the_same_for_all_and_only_ours_to_read),
         CASE(key__file_that_is_none_or_readable_by_others__refused),
         CASE(key__eight_at_once__one_key), CASE(runtime__folder_of_the_status_socket),
         CASE(owner__ended_or_another_boot_or_start__lives_not))
