/* SPDX-License-Identifier: Apache-2.0 */
/* pin_mark - HMAC-SHA256 of a PIN under a key that lies in no file of a disk
 *
 * A PIN is short: a bare hash of it in the state directory would be guessed in seconds by
 * whoever gets a copy of the disk.  The key is 32 random bytes in the runtime directory,
 * which is gone when the machine restarts.
 *
 *   name of a key   the first 8 bytes of HMAC(key, 0)
 *   digest          the first 16 of HMAC(key, 1, length of serial, serial, PIN)
 */
#include <keyward/pin_latch.h>

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <linux/magic.h>
#include <openssl/hmac.h>
#include <stdio.h>
#include <string.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <keyward/file.h>

#define FILE_NAME "pin-key"
enum { HEX_LEN = 2 * KW_PIN_KEY, HMAC_LEN = 32, TEXT_MAX = 2 + 16 + KW_PIN_MAX };

bool kw_pin_runtime(const char *status_socket, char dst[KW_PATH_MAX])
{
    char copy[KW_PATH_MAX];
    return kw_copy_str(copy, sizeof copy, kw_span_str(status_socket)) &&
           kw_copy_str(dst, KW_PATH_MAX, kw_span_str(dirname(copy)));
}

bool kw_pin_runtime_is_volatile(const char *runtime)
{
    struct statfs fs;
    return statfs(runtime, &fs) == 0 &&
           (fs.f_type == TMPFS_MAGIC || fs.f_type == RAMFS_MAGIC);
}

/* ---- the key ----------------------------------------------------------------------- */

static kw_err pin_mark_failed(const char *path, const char *what, struct kw_note *note)
{
    int saved = errno;
    kw_note_set(note, "%s: %s: %s", path, what, strerror(saved));
    return kw_err_native(KW_CODE_IO, (uint32_t)saved, "pin key");
}

static kw_err read_key(const char *path, struct kw_secret *ret_key, struct kw_note *note)
{
    KW_AUTO_SECRET(hex);
    KW_AUTO_SECRET(key);
    kw_err e = kw_file_read_secret(path, HEX_LEN, &hex, note);
    if (!kw_failed(e))
        e = kw_secret_init(&key, KW_PIN_KEY);
    if (kw_failed(e))
        return e;
    if (!kw_unhex(key.ptr, KW_PIN_KEY, kw_secret_peek(&hex))) {
        kw_note_set(note, "%s: is no key; remove it: another one is made", path);
        return kw_err_at(KW_CODE_BAD_INPUT, "pin key");
    }
    kw_secret_move(ret_key, &key);
    return KW_OK;
}

/* In hex, as the reader of secrets takes a last newline away. */
static kw_err pin_mark_make_text(struct kw_secret *text)
{
    KW_AUTO_SECRET(key);
    kw_err e = kw_secret_init(text, HEX_LEN + 1);
    if (!kw_failed(e))
        e = kw_secret_init(&key, KW_PIN_KEY);
    if (kw_failed(e))
        return e;
    kw_random(key.ptr, key.len);
    kw_hex((char *)text->ptr, text->len, kw_secret_peek(&key));
    text->ptr[HEX_LEN] = '\n';
    return KW_OK;
}

/* Whole under a name of its own, then linked to the real one: whoever comes second finds
 * the first one's, whole. */
static kw_err pin_mark_make_key(const char *path, struct kw_note *note)
{
    KW_AUTO_SECRET(text);
    char temporary[KW_PATH_MAX], hex[17];
    uint8_t random[8];
    kw_random(random, sizeof random);
    kw_hex(hex, sizeof hex, kw_span_of(random, sizeof random));
    int n = snprintf(temporary, sizeof temporary, "%s.new.%s", path, hex);
    kw_err e = pin_mark_make_text(&text);
    if (kw_failed(e) || n < 0 || (size_t)n >= sizeof temporary)
        return kw_failed(e) ? e : kw_err_native(KW_CODE_IO, ENAMETOOLONG, "pin key");
    int fd = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0)
        return pin_mark_failed(path, "cannot create it", note);
    bool ok = fchmod(fd, 0600) == 0 &&
              write(fd, text.ptr, text.len) == (ssize_t)text.len &&
              (link(temporary, path) == 0 || errno == EEXIST);
    e = ok ? KW_OK : pin_mark_failed(path, "cannot create it", note);
    close(fd);
    unlink(temporary);
    return e;
}

kw_err kw_pin_key(const char *runtime, struct kw_secret *ret_key, struct kw_note *note)
{
    char path[KW_PATH_MAX];
    struct kw_state_dir *dir = NULL;
    kw_err e = kw_state_open(runtime, &dir, note); /* nobody else may write there */
    kw_state_close(dir);
    if (kw_failed(e))
        return e;
    int n = snprintf(path, sizeof path, "%s/" FILE_NAME, runtime);
    if (n < 0 || (size_t)n >= sizeof path)
        return kw_err_native(KW_CODE_IO, ENAMETOOLONG, "pin key");
    e = read_key(path, ret_key, note);
    if (e.code != KW_CODE_MISSING)
        return e;
    e = pin_mark_make_key(path, note);
    return kw_failed(e) ? e : read_key(path, ret_key, note);
}

/* ---- the mark ---------------------------------------------------------------------- */

static void hmac(kw_span key, kw_span text, uint8_t *dst, size_t len)
{
    uint8_t full[HMAC_LEN];
    unsigned n = 0;
    KW_INVARIANT(
        HMAC(EVP_sha256(), key.ptr, (int)key.len, text.ptr, text.len, full, &n) != NULL &&
        n == sizeof full && len <= sizeof full);
    kw_copy(dst, len, kw_span_of(full, len));
}

kw_err kw_pin_mark_make(kw_span key, const char *serial, kw_span pin,
                        struct kw_pin_mark *ret_mark)
{
    static const uint8_t zero;
    struct kw_pin_mark mark = {.key_len = 0};
    KW_AUTO_SECRET(text);
    *ret_mark = mark;
    if (key.len == 0)
        return KW_OK;
    kw_err e = kw_secret_init(&text, TEXT_MAX);
    if (kw_failed(e))
        return e;
    kw_dst dst = kw_dst_of(text.ptr, text.len);
    KW_MUST(kw_dst_put_u8(&dst, 1) && kw_dst_put_u8(&dst, (uint8_t)strlen(serial)) &&
            kw_dst_put(&dst, kw_span_str(serial)) && kw_dst_put(&dst, pin));
    mark.key_len = sizeof mark.key;
    mark.digest_len = sizeof mark.digest;
    hmac(key, kw_span_of(&zero, 1), mark.key, sizeof mark.key);
    hmac(key, kw_dst_span(&dst), mark.digest, sizeof mark.digest);
    *ret_mark = mark;
    return KW_OK;
}
