/* SPDX-License-Identifier: Apache-2.0 */
/* Files, folders and limits. */
#include "inspect.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <keyward/file.h>

#include "pin_place.h"

static void absent(struct kw_report *r, const char *name, const char *path,
                   const char *remedy)
{
    int saved = errno;
    kw_report_add(r, saved == EACCES ? KW_FOUND_BLIND : KW_FOUND_FAIL, name,
                  saved == EACCES ? "run keyward as root" : remedy, "%s: %s", path,
                  strerror(saved));
}

/* The daemon's own judgement: only root or the daemon's user can have changed it. */
static void inspect_file(struct kw_report *r, const struct kw_config *config,
                         const char *name, const char *path)
{
    struct kw_owner owner = {0};
    struct kw_note note = {{0}};
    if (kw_failed(kw_owner_of(config, &owner, &note)))
        owner.uid = geteuid(); /* there is no state directory yet */
    kw_err e = kw_file_judge(path, owner.uid, &note);
    if (e.code == KW_CODE_MISSING)
        kw_report_add(r, KW_FOUND_FAIL, name,
                      "see what is said of the keyring below", "%s", note.text);
    else if (kw_failed(e))
        kw_report_err(r, name, e, &note);
    else
        kw_report_add(r, KW_FOUND_OK, name, NULL, "%s", path);
}

static void inspect_state(struct kw_report *r, const struct kw_config *config)
{
    struct stat st;
    const char *path = config->state;
    if (stat(path, &st) != 0)
        absent(r, "state", path, "keyward state create makes it again");
    else if ((st.st_mode & 077) != 0)
        kw_report_add(r, KW_FOUND_FAIL, "state", "chmod 0700 it",
                      "%s: mode %04o lets others at it", path,
                      (unsigned)(st.st_mode & 07777));
    else if (st.st_uid == 0)
        kw_report_add(
            r, KW_FOUND_WARN, "state",
            "keywardd refuses to run as root: chown the state directory, the PIN "
            "file and the token's files to its user",
            "%s: belongs to root", path);
    else
        kw_report_add(r, KW_FOUND_OK, "state", NULL, "%s, uid %u", path,
                      (unsigned)st.st_uid);
}

static void inspect_pin(struct kw_report *r, const struct kw_config *config,
                        const struct kw_config_token *token)
{
    struct kw_owner owner = {0};
    struct kw_note note = {{0}};
    struct kw_pin_place place = KW_PIN_PLACE_NONE;
    kw_err e = kw_owner_of(config, &owner, &note);
    if (!kw_failed(e))
        e = kw_pin_place_open(token, &owner, &place, &note);
    kw_pin_place_close(&place);
    if (kw_failed(e))
        kw_report_err(r, "pin", e, &note);
    else
        kw_report_add(r, KW_FOUND_OK, "pin", NULL, "%s: for uid %u alone", token->pin,
                      (unsigned)owner.uid);
}

void kw_inspect_files(struct kw_report *r, const struct kw_config *config,
                      const char *config_path)
{
    inspect_file(r, config, "config file", config_path);
    inspect_file(r, config, "keyring file", config->keyring);
    inspect_state(r, config);
    for (size_t i = 0; i < config->token_count; i++)
        inspect_pin(r, config, &config->tokens[i]);
}

static void folder_of(const char *path, char dst[KW_PATH_MAX])
{
    const char *slash = strrchr(path, '/');
    size_t len = slash == NULL || slash == path ? 1 : (size_t)(slash - path);
    kw_copy_str(dst, KW_PATH_MAX, kw_span_of(slash != NULL ? path : ".", len));
}

static void inspect_folder(struct kw_report *r, const struct kw_config *config,
                           const char *socket)
{
    char folder[KW_PATH_MAX];
    struct stat st;
    struct kw_owner owner = {0};
    struct kw_note note = {{0}};
    folder_of(socket, folder);
    bool known = !kw_failed(kw_owner_of(config, &owner, &note));
    if (stat(folder, &st) != 0)
        absent(r, "socket folder", folder,
               "make it for the daemon's user (systemd: RuntimeDirectory=keyward)");
    else if ((st.st_mode & 022) != 0)
        kw_report_add(r, KW_FOUND_FAIL, "socket folder", "chmod go-w it",
                      "%s: mode %04o lets others put a socket of theirs there", folder,
                      (unsigned)(st.st_mode & 07777));
    else if (known && st.st_uid != owner.uid)
        kw_report_add(r, KW_FOUND_FAIL, "socket folder", "chown it to the daemon's user",
                      "%s: belongs to uid %u, the state directory to uid %u", folder,
                      (unsigned)st.st_uid, (unsigned)owner.uid);
    else
        kw_report_add(r, KW_FOUND_OK, "socket folder", NULL, "%s", folder);
}

static bool same_folder(const char *a, const char *b)
{
    char x[KW_PATH_MAX], y[KW_PATH_MAX];
    folder_of(a, x);
    folder_of(b, y);
    return strcmp(x, y) == 0;
}

void kw_inspect_sockets(struct kw_report *r, const struct kw_config *config)
{
    if (config->status != NULL)
        inspect_folder(r, config, config->status);
    for (size_t i = 0; i < config->class_count; i++) {
        const char *path = config->classes[i].socket;
        bool seen = config->status != NULL && same_folder(path, config->status);
        for (size_t j = 0; j < i && !seen; j++)
            seen = same_folder(path, config->classes[j].socket);
        if (!seen)
            inspect_folder(r, config, path);
    }
}

/* This shell's limit, which the daemon shares only when it is started from here. */
void kw_inspect_memory(struct kw_report *r, const struct kw_config *config)
{
    struct rlimit limit = {.rlim_cur = RLIM_INFINITY};
    unsigned long long need = kw_config_locked(config) / 1024 + 1;
    if (getrlimit(RLIMIT_MEMLOCK, &limit) == 0 && limit.rlim_cur / 1024 < need)
        kw_report_add(
            r, KW_FOUND_WARN, "locked memory",
            "keywardd does not start with less than it needs: raise LimitMEMLOCK= "
            "of its unit, or RLIMIT_MEMLOCK (ulimit -l) where it starts",
            "keywardd locks %llu KiB; %llu KiB are allowed here", need,
            (unsigned long long)limit.rlim_cur / 1024);
    else
        kw_report_add(r, KW_FOUND_OK, "locked memory", NULL,
                      "keywardd locks %llu KiB, and may lock as many here", need);
}
