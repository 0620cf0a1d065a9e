/* SPDX-License-Identifier: Apache-2.0 */
/* The one reader of what `pin` says. */
#include <keyward/pin_source.h>

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <keyward/clock.h>
#include <keyward/env.h>

#define FILE_PREFIX "file:"
#define CREDENTIAL_PREFIX "credential:"
#define DESCRIPTOR_PREFIX "descriptor:"

static kw_err pin_source_refuse(struct kw_note *note, const char *why)
{
    kw_note_set(note, "%s; `pin` is \"file:/absolute/path\" or \"credential:NAME\"", why);
    return kw_err_at(KW_CODE_BAD_INPUT, "pin");
}

static bool is_name_byte(uint8_t c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           c == '.' || c == '_' || c == '-';
}

static kw_err file_path(const char *path, char dst[KW_PATH_MAX], struct kw_note *note)
{
    if (path[0] != '/' || path[1] == '/')
        return pin_source_refuse(note,
                                 "the PIN file's path is not absolute, or is a URL");
    if (path[strlen(path) - 1] == '/')
        return pin_source_refuse(note, "the PIN file's path names a folder");
    if (!kw_copy_str(dst, KW_PATH_MAX, kw_span_str(path)))
        return pin_source_refuse(note, "the PIN file's path is too long");
    return KW_OK;
}

static bool pin_source_begins(const char *pin, const char *prefix)
{
    return pin != NULL && strncmp(pin, prefix, strlen(prefix)) == 0;
}

kw_err kw_pin_source_credential(const char *pin, const char **ret_name,
                                struct kw_note *note)
{
    if (!pin_source_begins(pin, CREDENTIAL_PREFIX))
        return pin_source_refuse(note, "the PIN's source is no credential");
    const char *name = pin + strlen(CREDENTIAL_PREFIX);
    kw_span s = kw_span_str(name);
    if (s.len == 0 || name[0] == '.' || !kw_span_all(s, is_name_byte))
        return pin_source_refuse(
            note, "the credential's name is empty or has a character other than "
                  "letters, digits, \".\", \"_\" and \"-\"");
    *ret_name = name;
    return KW_OK;
}

static kw_err credential_path(const char *pin, char dst[KW_PATH_MAX],
                              struct kw_note *note)
{
    const char *name = NULL;
    kw_err e = kw_pin_source_credential(pin, &name, note);
    if (kw_failed(e))
        return e;
    const char *folder = kw_env_get(KW_ENV_CREDENTIALS);
    if (folder == NULL || folder[0] != '/')
        return pin_source_refuse(
            note, "there is no credentials directory: the service needs "
                  "LoadCredential= or LoadCredentialEncrypted= in its unit");
    int len = snprintf(dst, KW_PATH_MAX, "%s/%s", folder, name);
    if (len < 0 || (size_t)len >= KW_PATH_MAX)
        return pin_source_refuse(note, "the credential's path is too long");
    return KW_OK;
}

kw_err kw_pin_source_path(const char *pin, char dst[KW_PATH_MAX], struct kw_note *note)
{
    char path[KW_PATH_MAX];
    kw_err e;
    if (pin_source_begins(pin, FILE_PREFIX))
        e = file_path(pin + strlen(FILE_PREFIX), path, note);
    else if (pin_source_begins(pin, CREDENTIAL_PREFIX))
        e = credential_path(pin, path, note);
    else
        e = pin_source_refuse(note,
                              "the PIN's source is neither a file nor a credential");
    if (!kw_failed(e))
        kw_copy_str(dst, KW_PATH_MAX, kw_span_str(path));
    return e;
}

void kw_pin_source_of_descriptor(int fd, const char *path, char dst[KW_PATH_MAX + 32])
{
    snprintf(dst, KW_PATH_MAX + 32, DESCRIPTOR_PREFIX "%d:%s", fd, path);
}

bool kw_pin_source_descriptor(const char *pin, int *ret_fd, const char **ret_path)
{
    if (!pin_source_begins(pin, DESCRIPTOR_PREFIX))
        return false;
    char *end = NULL;
    long fd = strtol(pin + strlen(DESCRIPTOR_PREFIX), &end, 10);
    if (fd < 0 || fd > INT_MAX || *end != ':')
        return false;
    *ret_fd = (int)fd;
    *ret_path = end + 1;
    return true;
}

bool kw_pin_source_is_credential(const char *pin)
{
    return pin_source_begins(pin, CREDENTIAL_PREFIX);
}

struct kw_pin_source kw_pin_source_of(const struct stat *st)
{
    return (struct kw_pin_source){.dev = st->st_dev,
                                  .ino = st->st_ino,
                                  .ctime_ns =
                                      st->st_ctim.tv_sec * KW_S_NS + st->st_ctim.tv_nsec,
                                  .size = st->st_size};
}

bool kw_pin_source_same(const struct kw_pin_source *a, const struct kw_pin_source *b)
{
    return a->dev == b->dev && a->ino == b->ino && a->ctime_ns == b->ctime_ns &&
           a->size == b->size;
}

static bool is_plain_byte(uint8_t c)
{
    return c >= 0x20 && c != 0x7f;
}

static bool has_byte_order_mark(kw_span pin)
{
    static const uint8_t mark[] = {0xef, 0xbb, 0xbf};
    return pin.len >= sizeof mark &&
           kw_span_equal(kw_span_of(pin.ptr, sizeof mark), kw_span_of(mark, sizeof mark));
}

static kw_err unseen_mark(const char *path, struct kw_note *note)
{
    kw_note_set(note,
                "%s: begins with a byte order mark, as files of some editors of Windows "
                "do, and the token would count it as a wrong PIN: write the PIN alone "
                "into the file",
                path);
    return kw_err_at(KW_CODE_BAD_INPUT, "pin");
}

/* The note says what kind of byte, never which PIN, nor where in it. */
kw_err kw_pin_check(kw_span pin, const char *path, struct kw_note *note)
{
    if (has_byte_order_mark(pin))
        return unseen_mark(path, note);
    if (kw_span_all(pin, is_plain_byte))
        return KW_OK;
    bool crlf = pin.ptr[pin.len - 1] == '\r' &&
                kw_span_all(kw_span_of(pin.ptr, pin.len - 1), is_plain_byte);
    kw_note_set(
        note,
        crlf ? "%s: the PIN ends in a carriage return, as files with the line ends "
               "of Windows do, and the token would count it as a wrong PIN: write "
               "the PIN with no line end, or with a line feed alone"
             : "%s: the PIN has a control character (a second line, a tab, a NUL), "
               "and the token would count it as a wrong PIN: write the PIN alone "
               "into the file",
        path);
    return kw_err_at(KW_CODE_BAD_INPUT, "pin");
}
