/* SPDX-License-Identifier: Apache-2.0 */
/* pin - the PIN from its source into the arena */
#include "parts.h"

#include <keyward/file.h>
#include <keyward/pin_source.h>

kw_err kw_pin_read(const char *source, struct kw_secret *ret_pin, struct kw_note *note)
{
    char path[KW_PATH_MAX];
    const char *name = NULL;
    int fd = -1;
    if (kw_pin_source_descriptor(source, &fd, &name))
        return kw_file_read_secret_fd(fd, name, KW_PIN_MAX, ret_pin, note);
    kw_err e = kw_pin_source_path(source, path, note);
    if (kw_failed(e))
        return e;
    return kw_file_read_secret(path, KW_PIN_MAX, ret_pin, note);
}
