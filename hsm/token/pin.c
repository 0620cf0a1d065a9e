/* SPDX-License-Identifier: Apache-2.0 */
/* pin - the PIN from its source into the arena */
#include "token_internal.h"

#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

#include <keyward/file.h>

static kw_err open_source(const char *source, char path[KW_PATH_MAX], int *ret_fd,
                          struct kw_note *note)
{
    kw_err e = kw_pin_source_path(source, path, note);
    return kw_failed(e) ? e : kw_file_open_secret(path, ret_fd, note);
}

static kw_err read_source(int fd, const char *name, struct kw_secret *ret_pin,
                          struct kw_pin_source *ret_read, struct kw_note *note)
{
    struct stat st;
    KW_AUTO_SECRET(pin);
    kw_err e = kw_file_read_secret_fd(fd, name, KW_PIN_MAX, &pin, note);
    if (!kw_failed(e))
        e = kw_pin_check(kw_secret_peek(&pin), name, note);
    if (!kw_failed(e) && fstat(fd, &st) != 0)
        e = kw_err_native(KW_CODE_IO, (uint32_t)errno, "fstat");
    if (kw_failed(e))
        return e;
    kw_secret_move(ret_pin, &pin);
    *ret_read = kw_pin_source_of(&st);
    return KW_OK;
}

kw_err kw_pin_read(const char *source, struct kw_secret *ret_pin,
                   struct kw_pin_source *ret_read, struct kw_note *note)
{
    char path[KW_PATH_MAX];
    const char *name = NULL;
    int fd = -1;
    if (kw_pin_source_descriptor(source, &fd, &name)) /* somebody else's to close */
        return read_source(fd, name, ret_pin, ret_read, note);
    kw_err e = open_source(source, path, &fd, note);
    if (kw_failed(e))
        return e;
    e = read_source(fd, path, ret_pin, ret_read, note);
    close(fd);
    return e;
}
