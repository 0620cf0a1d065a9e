/* SPDX-License-Identifier: Apache-2.0 */
/* No login until the PIN source changes. */
#include "pin_latch.h"

#include <stdio.h>
#include <sys/stat.h>

#include <keyward/env.h>

#define FILE_PREFIX "file:"
#define CREDENTIAL_PREFIX "credential:"

static const char *behind(const char *text, const char *prefix)
{
    kw_span t = kw_span_str(text), p = kw_span_str(prefix);
    bool has = t.len > p.len && kw_span_equal(kw_span_of(t.ptr, p.len), p);
    return has ? text + p.len : NULL;
}

static bool is_name_byte(uint8_t b)
{
    return b > ' ' && b < 0x7f && b != '/';
}

/* Where systemd puts it: systemd.exec(5), CREDENTIALS_DIRECTORY. */
static bool credential_path(const char *name, char dst[KW_PATH_MAX])
{
    const char *folder = kw_env_get(KW_ENV_CREDENTIALS);
    if (folder == NULL || folder[0] != '/' || name[0] == '.' ||
        !kw_span_all(kw_span_str(name), is_name_byte))
        return false;
    int n = snprintf(dst, KW_PATH_MAX, "%s/%s", folder, name);
    return n > 0 && n < (int)KW_PATH_MAX;
}

static bool source_path(const char *pin, char dst[KW_PATH_MAX])
{
    const char *path = behind(pin, FILE_PREFIX);
    const char *name = behind(pin, CREDENTIAL_PREFIX);
    if (path != NULL)
        return path[0] == '/' && kw_copy_str(dst, KW_PATH_MAX, kw_span_str(path));
    return name != NULL && credential_path(name, dst);
}

static struct kw_pin_source look(const char *path)
{
    struct stat st;
    if (stat(path, &st) != 0)
        return (struct kw_pin_source){0};
    return (struct kw_pin_source){.dev = st.st_dev,
                                  .ino = st.st_ino,
                                  .ctime_ns =
                                      st.st_ctim.tv_sec * KW_S_NS + st.st_ctim.tv_nsec,
                                  .size = st.st_size};
}

static bool same(const struct kw_pin_source *a, const struct kw_pin_source *b)
{
    return a->dev == b->dev && a->ino == b->ino && a->ctime_ns == b->ctime_ns &&
           a->size == b->size;
}

kw_err kw_latch_open(struct kw_latch *latch, struct kw_state_dir *dir,
                     const struct kw_clock *clock, const char *token, const char *pin,
                     struct kw_note *note)
{
    *latch = (struct kw_latch){.dir = dir, .clock = clock};
    if (!source_path(pin, latch->path)) {
        kw_note_set(note,
                    "the PIN source of token %s must be file:/path, or credential:NAME "
                    "under systemd",
                    token);
        return kw_err_at(KW_CODE_BAD_INPUT, "pin");
    }
    kw_err e = kw_state_pin_latch(dir, token, &latch->record, note);
    if (kw_failed(e))
        return e;
    kw_copy_str(latch->record.token, sizeof latch->record.token, kw_span_str(token));
    latch->tried = look(latch->path);
    return KW_OK;
}

bool kw_latch_may_login(struct kw_latch *latch)
{
    static const struct kw_pin_source unseen;
    latch->tried = look(latch->path);
    if (same(&latch->tried, &unseen))
        return true; /* not there is not changed: the latch stays for when it is back */
    if (!same(&latch->tried, &latch->record.source)) {
        latch->cured = latch->cured || latch->record.latched;
        latch->record.latched = latch->record.proven = false;
    }
    return !latch->record.latched;
}

bool kw_latch_proven(const struct kw_latch *latch)
{
    return latch->record.proven && same(&latch->tried, &latch->record.source);
}

bool kw_latch_vouched(const struct kw_latch *latch)
{
    return latch->cured || kw_latch_proven(latch);
}

static kw_err save(struct kw_latch *latch, bool latched, const char *reason,
                   struct kw_note *note)
{
    latch->cured = false;
    latch->record.latched = latched;
    latch->record.proven = !latched;
    latch->record.source = latch->tried;
    kw_copy_str(latch->record.reason, sizeof latch->record.reason, kw_span_str(reason));
    kw_time_text(latch->record.at, kw_wall_ns(latch->clock));
    return kw_state_set_pin_latch(latch->dir, &latch->record, note);
}

kw_err kw_latch_stop(struct kw_latch *latch, const char *reason, struct kw_note *note)
{
    return save(latch, true, reason, note);
}

kw_err kw_latch_worked(struct kw_latch *latch, struct kw_note *note)
{
    if (kw_latch_proven(latch) && !latch->record.latched)
        return KW_OK;
    return save(latch, false, "", note);
}
