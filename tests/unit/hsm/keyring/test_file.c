/* SPDX-License-Identifier: Apache-2.0 */
/* The keyring on disk. */
#include "ring.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

static void put(const char *path, const char *text)
{
    CHECK_OK(kw_file_replace(path, kw_span_str(text), 0644, NULL));
}

TEST(load__missing_bad_or_too_large__named)
{
    static char big[KW_KEYRING_MAX + 2];
    struct kw_note note = {{0}};
    struct kw_keyring *ring = NULL;
    struct kw_blob bytes = {0};
    const char *path = in_folder("keyring.json");
    CHECK_CODE(kw_keyring_load(path, &ring, &bytes, &note), KW_CODE_MISSING);
    CHECK_HAS(note.text, path);
    put(path, swap(good_text(), "\"active\": 2", "\"active\": 9"));
    CHECK_CODE(kw_keyring_load(path, &ring, &bytes, &note), KW_CODE_BAD_INPUT);
    CHECK_HAS(note.text, path);
    CHECK_HAS(note.text, "active");
    memset(big, ' ', sizeof big - 1);
    put(path, big);
    CHECK_CODE(kw_keyring_load(path, &ring, &bytes, &note), KW_CODE_BAD_INPUT);
    CHECK(ring == NULL && bytes.ptr == NULL);
    folder_gone();
}

TEST(load__good__ring_and_its_bytes)
{
    struct kw_keyring *ring = NULL;
    struct kw_blob bytes = {0};
    const char *path = in_folder("keyring.json");
    put(path, good_text());
    CHECK_OK(kw_keyring_load(path, &ring, &bytes, NULL));
    CHECK(ring->count == 3 && kw_span_equal_str(kw_blob_peek(&bytes), good_text()));
    kw_keyring_give(ring);
    kw_blob_wipe(&bytes);
    CHECK_OK(kw_keyring_load(path, &ring, NULL, NULL));
    kw_keyring_give(ring);
    folder_gone();
}

/* A ring that is on disk, as loaded. */
static struct kw_keyring *saved_ring(const char *path)
{
    struct kw_keyring *ring = good_ring();
    CHECK_OK(kw_keyring_save(path, ring, NULL, NULL));
    kw_keyring_give(ring);
    CHECK_OK(kw_keyring_load(path, &ring, NULL, NULL));
    return ring;
}

TEST(save__new_but_there__busy_and_file_whole)
{
    struct kw_note note = {{0}};
    const char *path = in_folder("keyring.json");
    struct kw_keyring *ring = good_ring();
    put(path, "something else");
    CHECK_CODE(kw_keyring_save(path, ring, NULL, &note), KW_CODE_BUSY);
    CHECK_HAS(note.text, "there already");
    struct kw_blob bytes = {0};
    CHECK_OK(kw_file_read(path, 100, &bytes, NULL));
    CHECK(kw_span_equal_str(kw_blob_peek(&bytes), "something else"));
    CHECK(ring->serial == 7 && ring->ancestors[0][0] == 0xaa);
    kw_blob_wipe(&bytes);
    kw_keyring_give(ring);
    folder_gone();
}

TEST(save__changed_or_gone_meanwhile__busy)
{
    struct kw_note note = {{0}};
    const char *path = in_folder("keyring.json");
    struct kw_keyring *ring = saved_ring(path);
    struct kw_keyring *other = NULL;
    uint8_t began[32];
    kw_copy(began, 32, kw_span_of(ring->sha256, 32));
    CHECK_OK(kw_keyring_load(path, &other, NULL, NULL));
    CHECK_OK(kw_keyring_save(path, other, began, NULL));
    CHECK_CODE(kw_keyring_save(path, ring, began, &note), KW_CODE_BUSY);
    CHECK_HAS(note.text, "changed");
    CHECK(unlink(path) == 0);
    CHECK_CODE(kw_keyring_save(path, ring, began, &note), KW_CODE_BUSY);
    CHECK_HAS(note.text, "no longer there");
    CHECK(ring->serial == 8);
    kw_keyring_give(ring);
    kw_keyring_give(other);
    folder_gone();
}

TEST(save__another_tool_has_the_lock__busy)
{
    struct kw_note note = {{0}};
    const char *path = in_folder("keyring.json");
    struct kw_keyring *ring = good_ring();
    int fd = open(in_folder("keyring.json.lock"), O_RDWR | O_CREAT, 0600);
    CHECK(fd >= 0 && flock(fd, LOCK_SH) == 0);
    CHECK_CODE(kw_keyring_save(path, ring, NULL, &note), KW_CODE_BUSY);
    CHECK_HAS(note.text, "another program");
    CHECK(access(path, F_OK) != 0 && ring->serial == 7);
    close(fd);
    CHECK_OK(kw_keyring_save(path, ring, NULL, &note));
    kw_keyring_give(ring);
    folder_gone();
}

TEST(save__folder_missing__io_and_ring_unchanged)
{
    struct kw_note note = {{0}};
    struct kw_keyring *ring = good_ring();
    CHECK_CODE(kw_keyring_save(in_folder("none/keyring.json"), ring, NULL, &note),
               KW_CODE_IO);
    CHECK_HAS(note.text, "none/keyring.json");
    CHECK(ring->serial == 7);
    kw_keyring_give(ring);
    folder_gone();
}

TEST(save__ring_that_parse_refuses__file_whole)
{
    struct kw_note note = {{0}};
    const char *path = in_folder("keyring.json");
    struct kw_keyring *ring = saved_ring(path);
    struct kw_keyring *back = NULL;
    uint8_t began[32];
    kw_copy(began, 32, kw_span_of(ring->sha256, 32));
    ring->active = 3;
    CHECK_CODE(kw_keyring_save(path, ring, began, &note), KW_CODE_BAD_INPUT);
    CHECK_HAS(note.text, "active");
    CHECK(ring->serial == 8);
    CHECK_OK(kw_keyring_load(path, &back, NULL, NULL));
    CHECK(back->active == 2);
    kw_keyring_give(ring);
    kw_keyring_give(back);
    folder_gone();
}

TEST(save__critical_name__denied_and_file_whole)
{
    struct kw_note note = {{0}};
    const char *path = in_folder("keyring.json");
    struct kw_keyring *ring = saved_ring(path);
    struct kw_keyring *back = NULL;
    uint8_t began[32];
    kw_copy(began, 32, kw_span_of(ring->sha256, 32));
    (void)kw_copy_str(ring->critical[ring->critical_count++], sizeof ring->critical[0],
                      kw_span_str("quorum"));
    CHECK_CODE(kw_keyring_save(path, ring, began, &note), KW_CODE_DENIED);
    CHECK_HAS(note.text, "\"quorum\"");
    CHECK_HAS(note.text, "newer keyward");
    CHECK_OK(kw_keyring_load(path, &back, NULL, NULL));
    CHECK(back->serial == 8 && ring->serial == 8 && memcmp(back->sha256, began, 32) == 0);
    kw_keyring_give(ring);
    kw_keyring_give(back);
    folder_gone();
}

TEST(save__after_the_largest_serial__refused)
{
    struct kw_note note = {{0}};
    const char *path = in_folder("keyring.json");
    struct kw_keyring *ring = good_ring();
    struct kw_keyring *back = NULL;
    ring->serial = KW_SERIAL_MAX - 1;
    ring->ancestor_count = KW_ANCESTORS_MAX;
    CHECK_OK(kw_keyring_save(path, ring, NULL, NULL));
    CHECK_CODE(kw_keyring_save(path, ring, ring->sha256, &note), KW_CODE_BAD_INPUT);
    CHECK_HAS(note.text, "serial");
    CHECK_OK(kw_keyring_load(path, &back, NULL, NULL));
    CHECK(back->serial == KW_SERIAL_MAX && ring->serial == KW_SERIAL_MAX);
    kw_keyring_give(ring);
    kw_keyring_give(back);
    folder_gone();
}

/* The new file is there: whoever goes on must go on from it. */
TEST(save__folder_cannot_be_synced__written_and_the_ring_is_that_file)
{
    struct kw_note note = {{0}};
    const char *path = in_folder("keyring.json");
    struct kw_keyring *ring = saved_ring(path);
    struct kw_keyring *back = NULL;
    folder_sync_fails = true;
    kw_err e = kw_keyring_save(path, ring, ring->sha256, &note);
    folder_sync_fails = false;
    CHECK(e.code == KW_CODE_IO && kw_file_is_written(e));
    CHECK_HAS(note.text, "written, not yet durable");
    CHECK_OK(kw_keyring_load(path, &back, NULL, NULL));
    CHECK(back->serial == 9 && ring->serial == 9);
    CHECK(memcmp(back->sha256, ring->sha256, 32) == 0);
    CHECK_OK(kw_keyring_save(path, ring, ring->sha256, NULL));
    kw_keyring_give(ring);
    kw_keyring_give(back);
    folder_gone();
}

TEST(save__many_times__sixty_four_ancestors_newest_first)
{
    const char *path = in_folder("keyring.json");
    struct kw_keyring *ring = NULL;
    uint8_t digests[71][32];
    CHECK_OK(kw_keyring_new("demo", &ring));
    CHECK_OK(kw_keyring_save(path, ring, NULL, NULL));
    CHECK(ring->serial == 1 && ring->ancestor_count == 0);
    for (unsigned serial = 1; serial <= 70; serial++) {
        kw_copy(digests[serial], 32, kw_span_of(ring->sha256, 32));
        CHECK_OK(kw_keyring_save(path, ring, ring->sha256, NULL));
    }
    CHECK(ring->serial == 71 && ring->ancestor_count == KW_ANCESTORS_MAX);
    for (unsigned k = 1; k <= KW_ANCESTORS_MAX; k++)
        CHECK(memcmp(ring->ancestors[k - 1], digests[71 - k], 32) == 0);
    kw_keyring_give(ring);
    folder_gone();
}

TEST(save__twice__serial_and_chain_go_on)
{
    uint8_t first[32];
    const char *path = in_folder("keyring.json");
    struct kw_keyring *ring = saved_ring(path);
    struct kw_keyring *back = NULL;
    CHECK(ring->serial == 8 && ring->ancestor_count == 7);
    kw_copy(first, 32, kw_span_of(ring->sha256, 32));
    CHECK_OK(kw_keyring_save(path, ring, ring->sha256, NULL));
    CHECK(ring->serial == 9 && memcmp(ring->ancestors[0], first, 32) == 0);
    CHECK_OK(kw_keyring_load(path, &back, NULL, NULL));
    CHECK(back->serial == 9 && back->ancestor_count == 8);
    CHECK(memcmp(back->ancestors[0], first, 32) == 0);
    CHECK(back->ancestors[1][0] == 0x77 && back->ancestors[2][0] == 0xaa);
    CHECK(memcmp(back->sha256, ring->sha256, 32) == 0);
    CHECK_OK(kw_keyring_save(path, ring, ring->sha256, NULL)); /* without loading again */
    kw_keyring_give(ring);
    kw_keyring_give(back);
    folder_gone();
}

TEST(save__mode__others_may_read_or_as_it_was)
{
    struct stat st;
    const char *path = in_folder("keyring.json");
    struct kw_keyring *ring = saved_ring(path);
    CHECK(stat(path, &st) == 0 && (st.st_mode & 07777) == 0644);
    CHECK(chmod(path, 0640) == 0);
    CHECK_OK(kw_keyring_save(path, ring, ring->sha256, NULL));
    CHECK(stat(path, &st) == 0 && (st.st_mode & 07777) == 0640);
    kw_keyring_give(ring);
    folder_gone();
}

KW_CASES("hsm/keyring/file", CASE(load__missing_bad_or_too_large__named),
         CASE(load__good__ring_and_its_bytes),
         CASE(save__new_but_there__busy_and_file_whole),
         CASE(save__changed_or_gone_meanwhile__busy),
         CASE(save__another_tool_has_the_lock__busy),
         CASE(save__folder_missing__io_and_ring_unchanged),
         CASE(save__ring_that_parse_refuses__file_whole),
         CASE(save__critical_name__denied_and_file_whole),
         CASE(save__after_the_largest_serial__refused),
         CASE(save__folder_cannot_be_synced__written_and_the_ring_is_that_file),
         CASE(save__many_times__sixty_four_ancestors_newest_first),
         CASE(save__twice__serial_and_chain_go_on),
         CASE(save__mode__others_may_read_or_as_it_was))
