/* SPDX-License-Identifier: Apache-2.0 */
/* pin - where the PIN is, and reading it into the arena
 *
 * A file or a systemd credential (systemd.exec(5), LoadCredential=); never a command, an
 * argument, a variable or the PIN itself.  Notes never repeat the setting: whoever wrote
 * the PIN there by mistake shall not find it in a log.
 */
#include "parts.h"

#include <stdio.h>
#include <string.h>

#include <keyward/env.h>
#include <keyward/file.h>

static kw_err refuse(struct kw_note *note, const char *why)
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
        return refuse(note, "the PIN file's path is not absolute, or is a URL");
    if (path[strlen(path) - 1] == '/')
        return refuse(note, "the PIN file's path names a folder");
    if (!kw_copy_str(dst, KW_PATH_MAX, kw_span_str(path)))
        return refuse(note, "the PIN file's path is too long");
    return KW_OK;
}

static kw_err credential_path(const char *name, char dst[KW_PATH_MAX],
                              struct kw_note *note)
{
    kw_span s = kw_span_str(name);
    if (s.len == 0 || name[0] == '.' || !kw_span_all(s, is_name_byte))
        return refuse(note,
                      "the credential's name is empty or has a character other than "
                      "letters, digits, \".\", \"_\" and \"-\"");
    const char *folder = kw_env_get(KW_ENV_CREDENTIALS);
    if (folder == NULL || folder[0] != '/')
        return refuse(note, "there is no credentials directory: the service needs "
                            "LoadCredential= or LoadCredentialEncrypted= in its unit");
    int len = snprintf(dst, KW_PATH_MAX, "%s/%s", folder, name);
    if (len < 0 || (size_t)len >= KW_PATH_MAX)
        return refuse(note, "the credential's path is too long");
    return KW_OK;
}

kw_err kw_pin_source_path(const char *pin, char dst[KW_PATH_MAX], struct kw_note *note)
{
    static const char file[] = "file:", credential[] = "credential:";
    char path[KW_PATH_MAX];
    kw_err e;
    if (pin != NULL && strncmp(pin, file, sizeof file - 1) == 0)
        e = file_path(pin + sizeof file - 1, path, note);
    else if (pin != NULL && strncmp(pin, credential, sizeof credential - 1) == 0)
        e = credential_path(pin + sizeof credential - 1, path, note);
    else
        e = refuse(note, "the PIN's source is neither a file nor a credential");
    if (!kw_failed(e))
        kw_copy_str(dst, KW_PATH_MAX, kw_span_str(path));
    return e;
}

kw_err kw_pin_read(const char *source, struct kw_secret *ret_pin, struct kw_note *note)
{
    char path[KW_PATH_MAX];
    kw_err e = kw_pin_source_path(source, path, note);
    if (kw_failed(e))
        return e;
    return kw_file_read_secret(path, KW_PIN_MAX, ret_pin, note);
}
