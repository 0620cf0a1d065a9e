/* SPDX-License-Identifier: Apache-2.0 */
#include "etcd_inputs.h"

#include <dirent.h>
#include <errno.h>
#include <fts.h>
#include <string.h>
#include <sys/stat.h>

kw_err kw_etcd_inputs_add(struct kw_etcd_inputs *inputs, enum kw_etcd_input_kind kind,
                          const char *path, struct kw_note *note)
{
    if (inputs->count == KW_ETCD_INPUTS_MAX) {
        kw_note_set(note, "a member with more than %u files to look at",
                    KW_ETCD_INPUTS_MAX); /* no name: --redact has not begun */
        return kw_err_at(KW_CODE_BUSY, "etcd inputs");
    }
    struct kw_etcd_input *input = &inputs->at[inputs->count];
    *input = (struct kw_etcd_input){.kind = kind};
    if (!kw_copy_str(input->path, sizeof input->path, kw_span_str(path))) {
        kw_note_set(note, "a path is longer than %zu bytes", sizeof input->path - 1);
        return kw_err_at(KW_CODE_BAD_INPUT, "etcd inputs");
    }
    inputs->count++;
    return KW_OK;
}

static bool inputs_ends_in(const char *name, const char *end)
{
    const size_t len = strlen(name), end_len = strlen(end);
    return len > end_len && strcmp(name + len - end_len, end) == 0;
}

/* What a file of a member's is, by its folder ("snap", "wal", "", ".." for the data folder
 * above) and name; false for
 * what is read elsewhere. */
static bool inputs_kind(const char *below, const char *name,
                        enum kw_etcd_input_kind *ret_kind)
{
    *ret_kind = KW_ETCD_INPUT_OTHER;
    if (strcmp(below, "snap") == 0 && strcmp(name, "db") == 0)
        return false; /* the database comes first */
    if (strcmp(below, "snap") == 0 &&
        (inputs_ends_in(name, ".snap.db") || strncmp(name, "db.tmp.", 7) == 0))
        *ret_kind = KW_ETCD_INPUT_COPY;
    return strcmp(below, "wal") != 0 ||
           (!inputs_ends_in(name, ".wal") && !inputs_ends_in(name, ".wal.broken"));
}

/* The folder is read elsewhere: snap and wal of a member's (another disk's, perhaps, by a
 * symbolic link), and the member's of a data folder. */
static bool inputs_is_known_folder(const char *path, const char *below, const char *name)
{
    struct stat st;
    const bool is_known =
        strcmp(below, "..") == 0
            ? strcmp(name, "member") == 0
            : below[0] == '\0' && (strcmp(name, "snap") == 0 || strcmp(name, "wal") == 0);
    return is_known && stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

/* As lost+found is, where a disk has been mounted. */
static bool inputs_is_empty_folder(const char *path)
{
    DIR *dir = opendir(path);
    bool is_empty = dir != NULL;
    const struct dirent *entry;
    while (is_empty && (entry = readdir(dir)) != NULL)
        is_empty = strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0;
    if (dir != NULL)
        closedir(dir);
    return is_empty;
}

static kw_err inputs_add_entry(struct kw_etcd_inputs *inputs, const char *folder,
                               const char *below, const char *name, struct kw_note *note)
{
    char path[PATH_MAX];
    struct stat st;
    enum kw_etcd_input_kind kind;
    const int len = snprintf(path, sizeof path, "%s/%s", folder, name);
    if (len < 0 || (size_t)len >= sizeof path) {
        kw_note_set(note, "%s: a path below it is too long", folder);
        return kw_err_at(KW_CODE_BAD_INPUT, "etcd inputs");
    }
    if (lstat(path, &st) != 0) {
        kw_note_set(note, "%s: %s", path, strerror(errno));
        return kw_err_native(KW_CODE_IO, (uint32_t)errno, "lstat");
    }
    return inputs_is_known_folder(path, below, name) ||
                   (S_ISDIR(st.st_mode) && inputs_is_empty_folder(path)) ||
                   !inputs_kind(below, name, &kind)
               ? KW_OK
               : kw_etcd_inputs_add(inputs, kind, path, note);
}

static int inputs_order(const FTSENT **a, const FTSENT **b)
{
    return strcmp((*a)->fts_name, (*b)->fts_name);
}

static kw_err inputs_failed(const char *folder, struct kw_note *note)
{
    const int native = errno;
    kw_note_set(note, "%s: %s", folder, strerror(native));
    return kw_err_native(native == ENOENT ? KW_CODE_MISSING : KW_CODE_IO,
                         (uint32_t)native, "folder");
}

/* Everything in one folder; one that is not there has nothing. */
static kw_err inputs_folder(struct kw_etcd_inputs *inputs, char *folder,
                            const char *below, struct kw_note *note)
{
    char *const roots[] = {folder, NULL};
    struct stat st;
    if (stat(folder, &st) != 0)
        return errno == ENOENT && below[0] != '\0' ? KW_OK : inputs_failed(folder, note);
    FTS *tree = fts_open(roots, FTS_COMFOLLOW | FTS_PHYSICAL | FTS_NOCHDIR, inputs_order);
    if (tree == NULL)
        return inputs_failed(folder, note);
    kw_err e = KW_OK;
    errno = 0;
    const FTSENT *entry = fts_read(tree) == NULL ? NULL : fts_children(tree, 0);
    if (entry == NULL && errno != 0)
        e = inputs_failed(folder, note);
    for (; entry != NULL && !kw_failed(e); entry = entry->fts_link)
        e = inputs_add_entry(inputs, folder, below, entry->fts_name, note);
    fts_close(tree);
    return e;
}

kw_err kw_etcd_inputs_member(struct kw_etcd_inputs *inputs, const char *folder,
                             struct kw_note *note)
{
    char member[PATH_MAX - 16], path[PATH_MAX];
    struct stat st;
    snprintf(path, sizeof path, "%s/member", folder);
    const bool is_above = stat(path, &st) == 0 && S_ISDIR(st.st_mode);
    if (!kw_copy_str(member, sizeof member, kw_span_str(is_above ? path : folder))) {
        kw_note_set(note, "the path of a member is too long");
        return kw_err_at(KW_CODE_BAD_INPUT, "etcd inputs");
    }
    snprintf(path, sizeof path, "%s/snap/db", member);
    kw_err e = kw_etcd_inputs_add(inputs, KW_ETCD_INPUT_DB, path, note);
    static const char *const below[] = {"snap", "", "wal"};
    for (size_t i = 0; !kw_failed(e) && i < sizeof below / sizeof below[0]; i++) {
        snprintf(path, sizeof path, "%s%s%s", member, below[i][0] != '\0' ? "/" : "",
                 below[i]);
        e = inputs_folder(inputs, path, below[i], note);
    }
    kw_copy_str(path, sizeof path, kw_span_str(folder));
    if (!kw_failed(e) && is_above)
        e = inputs_folder(inputs, path, "..", note);
    snprintf(path, sizeof path, "%s/wal", member);
    return kw_failed(e) ? e : kw_etcd_inputs_add(inputs, KW_ETCD_INPUT_LOG, path, note);
}
