/* SPDX-License-Identifier: Apache-2.0 */
/* file - the keyring on disk: loaded whole, replaced whole, by one writer at a time */
#include "member_table.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include <keyward/alloc.h>
#include <keyward/sha256.h>

/* Takes the bytes, also when it fails. */
static kw_err parse_bytes(const char *path, struct kw_blob *bytes,
                          struct kw_keyring **ret_ring, struct kw_blob *ret_bytes,
                          struct kw_note *note)
{
    struct kw_note why = {{0}};
    kw_err e = kw_keyring_parse(kw_blob_peek(bytes), ret_ring, &why);
    if (kw_failed(e))
        kw_note_set(note, "%s: %s", path, why.text);
    if (kw_failed(e) || ret_bytes == NULL)
        kw_blob_wipe(bytes);
    else
        *ret_bytes = *bytes;
    return e;
}

kw_err kw_keyring_load(const char *path, struct kw_keyring **ret_ring,
                       struct kw_blob *ret_bytes, struct kw_note *note)
{
    struct kw_blob bytes = {0};
    kw_err e = kw_file_read(path, KW_KEYRING_MAX, &bytes, note);
    return kw_failed(e) ? e : parse_bytes(path, &bytes, ret_ring, ret_bytes, note);
}

kw_err kw_keyring_load_trusted(const char *path, uid_t uid, struct kw_keyring **ret_ring,
                               struct kw_blob *ret_bytes, struct kw_note *note)
{
    struct kw_blob bytes = {0};
    kw_err e = kw_file_read_trusted(path, uid, KW_KEYRING_MAX, &bytes, note);
    return kw_failed(e) ? e : parse_bytes(path, &bytes, ret_ring, ret_bytes, note);
}

/* One writer at a time: flock(2) on a file beside the ring that stays there, as locking
 * the ring itself would lock a file that a rename takes away.  -1 = not locked. */
static int keyring_file_lock(const char *path, struct kw_note *note, kw_err *ret_err)
{
    char name[KW_PATH_MAX];
    int n = snprintf(name, sizeof name, "%s.lock", path);
    int fd = -1;
    if (n < 0 || (size_t)n >= sizeof name)
        errno = ENAMETOOLONG;
    else
        fd = open(name, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) == 0)
        return fd;
    int saved = errno;
    if (fd >= 0)
        close(fd);
    if (saved == EWOULDBLOCK) {
        kw_note_set(note, "%s: another program is changing it; try again when it is done",
                    path);
        *ret_err = kw_err_at(KW_CODE_BUSY, "keyring lock");
    } else {
        kw_note_set(note, "%s.lock: %s", path, strerror(saved));
        *ret_err = kw_err_native(KW_CODE_IO, (uint32_t)saved, "keyring lock");
    }
    return -1;
}

/* BUSY unless what is on disk is what the caller began with. */
static kw_err expect(const char *path, const uint8_t expected[32], struct kw_note *note)
{
    uint8_t sha256[32] = {0};
    struct kw_blob bytes = {0};

    kw_err e = kw_file_read(path, KW_KEYRING_MAX, &bytes, note);
    bool there = !kw_failed(e);
    if (kw_failed(e) && e.code != KW_CODE_MISSING)
        return e;
    e = there ? kw_sha256(kw_blob_peek(&bytes), sha256) : KW_OK;
    kw_blob_wipe(&bytes);
    if (kw_failed(e))
        return e;
    if (there != (expected != NULL) ||
        (there && !kw_span_equal(kw_span_of(sha256, 32), kw_span_of(expected, 32)))) {
        kw_note_set(note, "%s: %s; load it and do the change again", path,
                    !there             ? "is no longer there"
                    : expected == NULL ? "is there already"
                                       : "was changed by somebody else meanwhile");
        return kw_err_at(KW_CODE_BUSY, "keyring changed");
    }
    return KW_OK;
}

/* The mode that an administrator gave the file, or one that every user may read: the
 * keyring holds nothing secret, and the daemon is not its owner. */
static mode_t mode_of(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0 ? st.st_mode & 0777 : 0644;
}

/* `next` is a copy with its new serial and ancestors. */
static kw_err keyring_file_replace(const char *path, struct kw_keyring *next,
                                   struct kw_note *note)
{
    struct kw_blob json = {0};
    kw_err e = kw_keyring_text(next, &json, note);
    if (!kw_failed(e))
        e = kw_sha256(kw_blob_peek(&json), next->sha256);
    if (!kw_failed(e))
        e = kw_file_replace(path, kw_blob_peek(&json), mode_of(path), note);
    kw_blob_wipe(&json);
    return e;
}

/* *next becomes the ring after the file with this serial and digest; 0 = there was
 * none. */
static void keyring_file_follow(struct kw_keyring *next, uint64_t serial,
                                const uint8_t sha256[32])
{
    size_t count = next->ancestor_count;
    next->serial = serial + 1;
    if (serial == 0)
        return;
    if (count < KW_ANCESTORS_MAX)
        next->ancestor_count = ++count;
    for (size_t i = count - 1; i > 0; i--)
        kw_copy(next->ancestors[i], 32, kw_span_of(next->ancestors[i - 1], 32));
    kw_copy(next->ancestors[0], 32, kw_span_of(sha256, 32));
}

static kw_err save_locked(const char *path, struct kw_keyring *ring,
                          const uint8_t expected[32], struct kw_note *note)
{
    struct kw_keyring *next = NULL;
    kw_err e = expect(path, expected, note);
    if (!kw_failed(e))
        e = kw_keyring_dup(ring, &next);
    if (kw_failed(e))
        return e;
    keyring_file_follow(next, ring->serial, expected != NULL ? expected : ring->sha256);
    e = keyring_file_replace(path, next, note);
    if (!kw_failed(e) || kw_file_is_written(e)) {
        keyring_file_follow(ring, ring->serial,
                            expected != NULL ? expected : ring->sha256);
        kw_copy(ring->sha256, sizeof ring->sha256, kw_span_of(next->sha256, 32));
    }
    kw_keyring_give(next);
    return e;
}

static kw_err must_not_write(const char *path, const struct kw_keyring *ring,
                             struct kw_note *note)
{
    kw_note_set(note,
                "%s: \"%s\" must be understood to change it, and this program does not: "
                "a newer keyward wrote it; use that one",
                path, ring->critical[0]);
    return kw_err_at(KW_CODE_DENIED, "keyring critical");
}

/* A copy has no digest: what is made from it would follow from nothing. */
static bool has_digest(const struct kw_keyring *ring)
{
    static const uint8_t none[32];
    return !kw_span_equal(kw_span_of(ring->sha256, 32), kw_span_of(none, 32));
}

kw_err kw_keyring_save(const char *path, struct kw_keyring *ring,
                       const uint8_t expected_sha256[32], struct kw_note *note)
{
    kw_err e = KW_OK;
    if (ring->critical_count > 0)
        return must_not_write(path, ring, note);
    if (expected_sha256 == NULL && ring->serial > 0 && !has_digest(ring)) {
        kw_note_set(note, "%s: not written: which file it follows is not known", path);
        return kw_err_at(KW_CODE_BUG, "keyring digest");
    }
    int fd = keyring_file_lock(path, note, &e);
    if (fd < 0)
        return e;
    e = save_locked(path, ring, expected_sha256, note);
    close(fd); /* gives the lock back */
    return e;
}
