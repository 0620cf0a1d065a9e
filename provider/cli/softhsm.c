/* SPDX-License-Identifier: Apache-2.0 */
/* Where SoftHSM keeps a token, and the seal on it. */
#include "softhsm.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <keyward/file.h>

enum { CONF_MAX = 64 * 1024, DEPTH_MAX = 4 };
#define CONF_DEFAULT "/etc/softhsm/softhsm2.conf" /* as Debian builds it */

const char *kw_softhsm_conf(const struct kw_config_token *token)
{
    for (size_t i = 0; i < token->env_count; i++)
        if (strcmp(token->env[i].name, "SOFTHSM2_CONF") == 0)
            return token->env[i].value;
    const char *slash = strrchr(token->module, '/');
    const char *name = slash != NULL ? slash + 1 : token->module;
    /* A module that is not there is told as that, not by the folders of another. */
    bool is_softhsm = strstr(name, "softhsm") != NULL && access(token->module, F_OK) == 0;
    return is_softhsm ? CONF_DEFAULT : NULL;
}

bool kw_softhsm_is_systems(const char *conf)
{
    return strcmp(conf, CONF_DEFAULT) == 0;
}

static kw_span trim(kw_span s)
{
    while (s.len > 0 && (s.ptr[0] == ' ' || s.ptr[0] == '\t'))
        s = kw_span_of(s.ptr + 1, s.len - 1);
    while (s.len > 0 && strchr(" \t\r", s.ptr[s.len - 1]) != NULL)
        s.len--;
    return s;
}

static bool line_value(kw_span line, const char *key, kw_span *ret_value)
{
    const uint8_t *equals = line.len > 0 ? memchr(line.ptr, '=', line.len) : NULL;
    if (equals == NULL)
        return false;
    size_t left = (size_t)(equals - line.ptr);
    if (!kw_span_equal_str(trim(kw_span_of(line.ptr, left)), key))
        return false;
    *ret_value = trim(kw_span_of(equals + 1, line.len - left - 1));
    return true;
}

static bool find_value(kw_span text, const char *key, kw_span *ret_value)
{
    while (text.len > 0) {
        const uint8_t *end = memchr(text.ptr, '\n', text.len);
        size_t len = end != NULL ? (size_t)(end - text.ptr) : text.len;
        if (line_value(kw_span_of(text.ptr, len), key, ret_value))
            return true;
        size_t skip = end != NULL ? len + 1 : len;
        text = kw_span_of(text.ptr + skip, text.len - skip);
    }
    return false;
}

kw_err kw_softhsm_tokendir(const char *conf, char dst[KW_PATH_MAX], struct kw_note *note)
{
    struct kw_blob file = {0};
    kw_span value = {0};
    kw_err e = kw_file_read(conf, CONF_MAX, &file, note);
    if (kw_failed(e))
        return e;
    if (!find_value(kw_blob_peek(&file), "directories.tokendir", &value) ||
        value.len == 0 || value.ptr[0] != '/' || !kw_copy_str(dst, KW_PATH_MAX, value)) {
        kw_note_set(note, "%s: directories.tokendir is missing or no absolute path",
                    conf);
        e = kw_err_at(KW_CODE_BAD_INPUT, "softhsm2.conf");
    }
    kw_blob_wipe(&file);
    return e;
}

/* What is done with every name below the token directory. */
struct walk {
    enum { SEAL, UNSEAL, LOOK } what;
    uid_t owner;
    struct kw_softhsm_look *look;
};

/* What SoftHSM writes anew at each login and no ceremony needs to: a login that is killed
 * destroys it, and who opens the token meanwhile finds none. */
static bool is_of_logins(const char *name)
{
    return strcmp(name, "token.object") == 0;
}

static bool each(const struct walk *w, int fd, const char *name, bool folder)
{
    struct stat st;
    if (w->what == SEAL)
        return fchmod(fd, folder ? 0500 : 0400) == 0;
    if (w->what == UNSEAL)
        return fchmod(fd, folder ? 0700 : is_of_logins(name) ? 0400 : 0600) == 0;
    if (fstat(fd, &st) != 0)
        return false;
    bool sealed = (st.st_mode & 0377) == (folder ? 0100 : 0);
    bool owned = st.st_uid == w->owner;
    if ((!sealed && w->look->sealed) || (!owned && w->look->one_owner))
        kw_copy_str(w->look->example, sizeof w->look->example, kw_span_str(name));
    w->look->sealed = w->look->sealed && sealed;
    w->look->one_owner = w->look->one_owner && owned;
    return true;
}

static bool walk_folder(const struct walk *w, int fd, const char *name, unsigned depth);

/* Symbolic links and what is neither file nor folder are left alone. */
static bool walk_entry(const struct walk *w, int parent, const char *name, unsigned depth)
{
    struct stat st;
    if (fstatat(parent, name, &st, AT_SYMLINK_NOFOLLOW) != 0)
        return errno == ENOENT;
    if (!S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode))
        return true;
    int fd = openat(parent, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0)
        return false;
    if (S_ISDIR(st.st_mode))
        return walk_folder(w, fd, name, depth + 1); /* takes fd */
    bool ok = each(w, fd, name, false);
    close(fd);
    return ok;
}

static bool walk_folder(const struct walk *w, int fd, const char *name, unsigned depth)
{
    bool ok = depth < DEPTH_MAX;
    if (!ok)
        errno = ELOOP; /* no token of SoftHSM is as deep */
    ok = ok && (w->what == SEAL || each(w, fd, name, true));
    DIR *d = ok ? fdopendir(fd) : NULL;
    if (d == NULL) {
        int saved = errno;
        close(fd);
        errno = saved;
        return false;
    }
    for (struct dirent *entry; ok && (entry = readdir(d)) != NULL;)
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
            ok = walk_entry(w, fd, entry->d_name, depth);
    if (ok && w->what == SEAL)
        ok = each(w, fd, name, true);
    closedir(d);
    return ok;
}

static kw_err softhsm_walk(const struct walk *w, const char *tokendir,
                           struct kw_note *note)
{
    int fd = open(tokendir, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd >= 0 && walk_folder(w, fd, ".", 0))
        return KW_OK;
    int saved = errno;
    kw_note_set(note, "%s: cannot %s the token's files: %s", tokendir,
                w->what == LOOK   ? "look at"
                : w->what == SEAL ? "seal"
                                  : "unseal",
                strerror(saved));
    return kw_err_native(saved == ENOENT ? KW_CODE_MISSING : KW_CODE_IO, (uint32_t)saved,
                         "tokendir");
}

kw_err kw_softhsm_seal(const char *tokendir, bool seal, struct kw_note *note)
{
    return softhsm_walk(&(struct walk){.what = seal ? SEAL : UNSEAL}, tokendir, note);
}

kw_err kw_softhsm_look(const char *tokendir, struct kw_softhsm_look *ret_look,
                       struct kw_note *note)
{
    struct stat st;
    struct kw_softhsm_look look = {.sealed = true, .one_owner = true};
    if (stat(tokendir, &st) != 0) {
        int saved = errno;
        kw_note_set(note, "%s: %s", tokendir, strerror(saved));
        return kw_err_native(saved == ENOENT ? KW_CODE_MISSING : KW_CODE_IO,
                             (uint32_t)saved, "tokendir");
    }
    kw_err e = softhsm_walk(&(struct walk){LOOK, st.st_uid, &look}, tokendir, note);
    if (!kw_failed(e))
        *ret_look = look;
    return e;
}
