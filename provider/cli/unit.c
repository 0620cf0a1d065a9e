/* SPDX-License-Identifier: Apache-2.0 */
/* Reading unit files, as far as a credential's place goes. */
#include "unit.h"

#include <dirent.h>
#include <stdio.h>
#include <string.h>

#include <keyward/file.h>

enum { UNIT_FILE_MAX = 64 * 1024, UNIT_NAME_MAX = 255 };

/* The first that has the unit wins; drop-ins add to it. */
static const char *const folders[] = {
    "/etc/systemd/system",
    "/run/systemd/system",
    "/usr/local/lib/systemd/system",
    "/usr/lib/systemd/system",
};
enum { FOLDERS = sizeof folders / sizeof folders[0] };

static bool is_unit_byte(uint8_t c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           (c != '\0' && strchr(":_.@-", c) != NULL);
}

bool kw_is_unit(const char *text)
{
    kw_span s = kw_span_str(text);
    return s.len >= 1 && s.len <= UNIT_NAME_MAX && text[0] != '.' &&
           strchr(text, '.') != NULL && kw_span_all(s, is_unit_byte);
}

/* "key=name:/path", nothing of it longer than it may be. */
static bool line_says(kw_span line, const char *key, const char *name,
                      char dst[KW_UNIT_PROPERTY_MAX])
{
    char want[UNIT_NAME_MAX + 64], text[KW_UNIT_PROPERTY_MAX];
    size_t len = (size_t)snprintf(want, sizeof want, "%s=%s:/", key, name);
    while (line.len > 0 && strchr(" \t\r", line.ptr[line.len - 1]) != NULL)
        line.len--;
    if (len >= sizeof want || line.len < len || !kw_is_text(line) ||
        !kw_copy_str(text, sizeof text, line) || strncmp(text, want, len) != 0 ||
        strchr(text, '%') != NULL)
        return false;
    return kw_copy_str(dst, KW_UNIT_PROPERTY_MAX, line);
}

static bool file_says(const char *path, const char *name, char dst[KW_UNIT_PROPERTY_MAX])
{
    struct kw_blob file = {0};
    bool found = false;
    if (kw_failed(kw_file_read(path, UNIT_FILE_MAX, &file, NULL)))
        return false;
    kw_span text = kw_blob_peek(&file);
    while (text.len > 0) {
        const uint8_t *end = memchr(text.ptr, '\n', text.len);
        size_t len = end != NULL ? (size_t)(end - text.ptr) : text.len;
        kw_span line = kw_span_of(text.ptr, len);
        found = line_says(line, "LoadCredential", name, dst) ||
                line_says(line, "LoadCredentialEncrypted", name, dst) || found;
        text = kw_span_of(text.ptr + len, text.len - len);
        if (text.len > 0)
            text = kw_span_of(text.ptr + 1, text.len - 1);
    }
    kw_blob_wipe(&file);
    return found;
}

static bool unit_join(char dst[KW_PATH_MAX], const char *folder, const char *name)
{
    int n = snprintf(dst, KW_PATH_MAX, "%s/%s", folder, name);
    return n > 0 && (size_t)n < KW_PATH_MAX;
}

static bool drop_ins_say(const char *folder, const char *name,
                         char dst[KW_UNIT_PROPERTY_MAX])
{
    char path[KW_PATH_MAX];
    bool found = false;
    DIR *d = opendir(folder);
    if (d == NULL)
        return false;
    for (struct dirent *e; (e = readdir(d)) != NULL;)
        found = (e->d_name[0] != '.' && unit_join(path, folder, e->d_name) &&
                 file_says(path, name, dst)) ||
                found;
    closedir(d);
    return found;
}

bool kw_unit_credential(const char *root, const char *unit, const char *name,
                        char ret_property[KW_UNIT_PROPERTY_MAX])
{
    char folder[KW_PATH_MAX], path[KW_PATH_MAX], drop_ins[KW_PATH_MAX];
    bool found = false;
    for (size_t i = 0; i < FOLDERS && !found; i++) {
        snprintf(folder, sizeof folder, "%s%s", root, folders[i]);
        snprintf(drop_ins, sizeof drop_ins, "%s%s/%s.d", root, folders[i], unit);
        found = drop_ins_say(drop_ins, name, ret_property) ||
                (unit_join(path, folder, unit) && file_says(path, name, ret_property));
    }
    return found;
}
