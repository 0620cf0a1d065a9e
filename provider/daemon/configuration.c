/* SPDX-License-Identifier: Apache-2.0 */
/* The configuration file: read at the start, and looked at again on SIGHUP, so that a file
 * that no start would take, or one that is not what runs, is known before the next start.
 * Nothing of it is taken into use. */
#include "daemon_internal.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <keyward/alloc.h>
#include <keyward/file.h>
#include <keyward/log.h>

kw_err kw_configuration_read(const char *path, struct kw_config **ret_config,
                             struct kw_note *note)
{
    struct kw_blob yaml = {0};
    kw_err e = kw_file_read_trusted(path, geteuid(), KW_CONFIG_MAX, &yaml, note);
    if (kw_failed(e))
        return e;
    e = kw_config_parse(kw_blob_peek(&yaml), path, kw_arena_allowed(), ret_config, note);
    kw_blob_wipe(&yaml);
    return e;
}

kw_err kw_configuration_at(struct kw_daemon *d, const char *path, struct kw_note *note)
{
    char folder[PATH_MAX] = "";
    const bool absolute = path[0] == '/';
    if (!absolute && getcwd(folder, sizeof folder) == NULL) {
        const int saved = errno;
        kw_note_set(note, "%s: getcwd: %s", path, strerror(saved));
        return kw_err_native(KW_CODE_IO, (uint32_t)saved, "getcwd");
    }
    d->config_path = kw_format("%s%s%s", folder, absolute ? "" : "/", path);
    return d->config_path == NULL ? kw_err_at(KW_CODE_NO_MEMORY, "config") : KW_OK;
}

void kw_configuration_forget(struct kw_daemon *d)
{
    kw_config_free(d->config_found);
    d->config_found = NULL;
}

/* Names for a log line, as many as it takes. */
struct names {
    char text[KW_NOTE_MAX];
    size_t count;
};

static void add_name(void *ctx, const char *path)
{
    struct names *names = ctx;
    size_t len = strlen(names->text);
    names->count++;
    if (len + strlen(path) + 2 < sizeof names->text)
        snprintf(names->text + len, sizeof names->text - len, "%s%s", len > 0 ? " " : "",
                 path);
}

static void compare(const struct kw_daemon *d)
{
    struct names names = {{0}, 0};
    kw_config_compare(d->config, d->config_found, add_name, &names);
    if (names.count == 0)
        kw_log(KW_LOG_INFO, "configuration-unchanged", KW_STR("file", d->config_path));
    else
        kw_log(KW_LOG_WARN, "configuration-changed", KW_STR("file", d->config_path),
               KW_INT("count", names.count), KW_STR("settings", names.text),
               KW_STR("reason", "it is read at a start only: restart when it is meant"));
}

void kw_configuration_look(struct kw_daemon *d)
{
    struct kw_note *why = &d->config_rejected;
    kw_configuration_forget(d);
    *why = (struct kw_note){{0}};
    kw_err e = kw_configuration_read(d->config_path, &d->config_found, why);
    if (!kw_failed(e)) {
        compare(d);
        return;
    }
    if (why->text[0] == '\0')
        kw_note_set(why, "%s", kw_code_name(e.code));
    kw_log(KW_LOG_ERROR, "configuration-rejected", KW_STR("file", d->config_path),
           KW_ERR("err", e), KW_STR("reason", why->text));
}
