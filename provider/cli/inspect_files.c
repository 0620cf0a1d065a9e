/* SPDX-License-Identifier: Apache-2.0 */
/* Files, folders and limits. */
#include "inspect.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <keyward/audit_log.h>
#include <keyward/file.h>
#include <keyward/pin_latch.h>

#include "pin_place.h"
#include "reach.h"

static void inspect_files_absent(struct kw_report *r, const char *name, const char *path,
                                 const char *remedy)
{
    int saved = errno;
    kw_report_add(r, saved == EACCES ? KW_FOUND_BLIND : KW_FOUND_FAIL, name,
                  saved == EACCES ? "run keyward as root" : remedy, "%s: %s", path,
                  strerror(saved));
}

/* What the daemon's user finds at one path. */
struct sight {
    kw_err err;
    struct kw_note note;
};

/* All that it looks at; filled in its child. */
struct view {
    const struct kw_config *config;
    const char *config_named; /* maybe by a link */
    char config_path[KW_PATH_MAX];
    struct sight config_file, keyring, state, audit, memory, modules[KW_TOKENS_MAX];
    struct sight folders[KW_TOKENS_MAX + 8];
    size_t folder_count; /* those with a fault, each fault once */
};

/* One folder is above many files.  One that is not there is told with what should lie in
 * it. */
static void look_above(struct view *v, const char *path)
{
    struct sight s = {0};
    s.err = kw_reach_folders(path, &s.note);
    if (s.err.code == KW_CODE_MISSING)
        return;
    for (size_t i = 0; i < v->folder_count; i++)
        if (strcmp(v->folders[i].note.text, s.note.text) == 0)
            return;
    if (kw_failed(s.err) && v->folder_count < sizeof v->folders / sizeof v->folders[0])
        v->folders[v->folder_count++] = s;
}

static void look_at_file(struct view *v, const char *path, struct sight *s)
{
    look_above(v, path);
    s->err = kw_reach_file(path, &s->note);
}

/* The daemon's own judgement besides: only root or its user can have changed it. */
static void look_at_trusted(struct view *v, const char *path, const char *named,
                            struct sight *s)
{
    look_at_file(v, path, s);
    if (!kw_failed(s->err))
        s->err = kw_file_judge(named, geteuid(), &s->note);
}

/* Of the audit log: damaged, it is no start. */
static void inspect_files_memory(struct view *v)
{
    char path[KW_PATH_MAX + 32];
    snprintf(path, sizeof path, "%s/audit-memory.json", v->config->state);
    v->memory.err = kw_audit_log_judge_memory(path, &v->memory.note);
}

static kw_err inspect_files_look(void *shared, struct kw_note *note)
{
    struct view *v = shared;
    const struct kw_config *c = v->config;
    (void)note;
    look_at_trusted(v, v->config_path, v->config_named, &v->config_file);
    look_at_trusted(v, c->keyring, c->keyring, &v->keyring);
    for (size_t i = 0; i < c->token_count; i++) {
        const char *module = c->tokens[i].module;
        look_at_trusted(v, module, module, &v->modules[i]);
    }
    look_above(v, c->state);
    v->state.err = kw_reach_writable(c->state, &v->state.note);
    if (c->audit_dir != NULL) {
        look_above(v, c->audit_dir);
        v->audit.err = kw_reach_writable(c->audit_dir, &v->audit.note);
        inspect_files_memory(v);
    }
    if (c->status != NULL)
        look_above(v, c->status);
    for (size_t i = 0; i < c->class_count; i++)
        look_above(v, c->classes[i].socket);
    return KW_OK;
}

static void report_file(struct kw_report *r, const char *name, const char *path,
                        const struct sight *s, const char *remedy)
{
    if (!kw_failed(s->err))
        kw_report_add(r, KW_FOUND_OK, name, NULL, "%s", path);
    else
        kw_report_add(r, KW_FOUND_FAIL, name,
                      s->err.code == KW_CODE_MISSING ? remedy : NULL, "%s", s->note.text);
}

static void report_state(struct kw_report *r, const char *path, const struct sight *s)
{
    struct stat st;
    char config[KW_CLI_CONFIG_MAX], again[KW_CLI_CONFIG_MAX + 32];
    kw_cli_config(r->cli, config, sizeof config);
    snprintf(again, sizeof again, "keyward state create%s", config);
    if (stat(path, &st) != 0)
        inspect_files_absent(r, "state", path, again);
    else if ((st.st_mode & 077) != 0)
        kw_report_add(r, KW_FOUND_FAIL, "state", "chmod 0700 it",
                      "%s: mode %04o lets others at it", path,
                      (unsigned)(st.st_mode & 07777));
    else if (kw_failed(s->err))
        kw_report_add(
            r, KW_FOUND_FAIL, "state",
            "keywardd must remember there what it has seen: make room, mount it "
            "writable, or chown it to the daemon's user",
            "%s", s->note.text);
    else if (st.st_uid == 0)
        kw_report_add(
            r, KW_FOUND_WARN, "state",
            "keywardd refuses to run as root: chown the state directory, the PIN "
            "file and the token's files to its user",
            "%s: belongs to root", path);
    else
        kw_report_add(r, KW_FOUND_OK, "state", NULL, "%s, uid %u, can be written", path,
                      (unsigned)st.st_uid);
}

static bool shares_a_disk(const struct stat *st, const char *path)
{
    struct stat other;
    return stat(path, &other) == 0 && other.st_dev == st->st_dev;
}

/* etcd's own folder, where kubeadm puts it. */
static void report_audit(struct kw_report *r, const char *path, const struct sight *s)
{
    struct stat st;
    if (path == NULL)
        kw_report_add(r, KW_FOUND_WARN, "audit",
                      "have an audit log: audit: {dir: /var/log/keyward}",
                      "no Encrypt or Decrypt is put on record");
    else if (stat(path, &st) != 0)
        inspect_files_absent(r, "audit", path,
                             "make it: install -d -m 0750, owned by the daemon's user");
    else if ((st.st_mode & (S_IWGRP | S_IRWXO)) != 0)
        kw_report_add(r, KW_FOUND_FAIL, "audit", "chmod 0750 it",
                      "%s: mode %04o lets others at it", path,
                      (unsigned)(st.st_mode & 07777));
    else if (kw_failed(s->err))
        kw_report_add(r, KW_FOUND_FAIL, "audit",
                      "keywardd must write the audit log there: make room, mount it "
                      "writable, or chown it to the daemon's user",
                      "%s", s->note.text);
    else if (shares_a_disk(&st, "/var/lib/etcd"))
        kw_report_add(r, KW_FOUND_WARN, "audit",
                      "put the audit log on a disk of its own: each of its records waits "
                      "for that disk, as each write of etcd does",
                      "%s is on the disk of /var/lib/etcd", path);
    else
        kw_report_add(r, KW_FOUND_OK, "audit", NULL, "%s, uid %u, can be written", path,
                      (unsigned)st.st_uid);
}

static void report_view(struct kw_report *r, const struct view *v)
{
    const struct kw_config *c = v->config;
    for (size_t i = 0; i < v->folder_count; i++)
        kw_report_add(r, KW_FOUND_FAIL, "folder", NULL, "%s", v->folders[i].note.text);
    report_file(r, "config file", v->config_path, &v->config_file, NULL);
    report_file(r, "keyring file", c->keyring, &v->keyring,
                "see what is said of the keyring below");
    for (size_t i = 0; i < c->token_count; i++)
        report_file(r, "module", c->tokens[i].module, &v->modules[i],
                    "install the vendor's library, or correct `module`");
    report_state(r, c->state, &v->state);
    report_audit(r, c->audit_dir, &v->audit);
    if (kw_failed(v->memory.err))
        kw_report_add(
            r, KW_FOUND_FAIL, "audit",
            "look first whether the log is all there: keyward audit verify, and "
            "docs/ERRORS.md",
            "%s", v->memory.note.text);
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

static void say_at_fault(const struct view *v, const char *ret_fault[KW_TOKENS_MAX])
{
    for (size_t i = 0; i < v->config->token_count; i++)
        ret_fault[i] = kw_failed(v->config_file.err)  ? "the configuration"
                       : kw_failed(v->modules[i].err) ? "the module"
                                                      : NULL;
}

/* Without a state directory root does not know the daemon's user, and what is root's to
 * see says nothing of what that user may. */
static void look_as_the_daemon(struct kw_report *r, struct view *v,
                               const char *ret_fault[KW_TOKENS_MAX])
{
    struct kw_owner owner = {.uid = geteuid(), .gid = getegid()};
    struct kw_note note = {{0}};
    if (kw_failed(kw_owner_of(v->config, &owner, &note)) && geteuid() == 0) {
        report_state(r, v->config->state, &v->state);
        return;
    }
    const struct kw_child child = {.uid = owner.uid, .gid = owner.gid};
    kw_err e = kw_child_run(&child, inspect_files_look, v, &note);
    if (kw_failed(e))
        kw_report_err(r, "files", e, &note);
    if (kw_failed(e))
        return;
    report_view(r, v);
    say_at_fault(v, ret_fault);
}

void kw_inspect_files(struct kw_report *r, const struct kw_config *config,
                      const char *config_path, const char *ret_fault[KW_TOKENS_MAX])
{
    struct kw_note none = {{0}};
    char real[PATH_MAX];
    struct view *v = kw_shared_new(sizeof *v);
    for (size_t i = 0; i < config->token_count; i++)
        ret_fault[i] = "what could not be looked at";
    if (v == NULL) {
        kw_report_err(r, "files", kw_err_at(KW_CODE_NO_MEMORY, "mmap"), &none);
        return;
    }
    v->config = config;
    v->config_named = config_path;
    kw_copy_str(v->config_path, sizeof v->config_path,
                kw_span_str(realpath(config_path, real) != NULL ? real : config_path));
    look_as_the_daemon(r, v, ret_fault);
    kw_shared_free(v, sizeof *v);
    for (size_t i = 0; i < config->token_count; i++)
        inspect_pin(r, config, &config->tokens[i]);
}

bool kw_inspect_user(struct kw_report *r, const struct kw_context *context)
{
    struct stat st;
    if (!context->stranger)
        return true;
    kw_report_add(
        r, KW_FOUND_BLIND, "user", "run keyward check as root, or as the daemon's user",
        "this is uid %u, and keywardd's user is uid %u: files as that user sees "
        "them, the PIN and the token are not looked at",
        (unsigned)geteuid(),
        stat(context->config->state, &st) == 0 ? (unsigned)st.st_uid : 0);
    return false;
}

static void inspect_files_folder_of(const char *path, char dst[KW_PATH_MAX])
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
    inspect_files_folder_of(socket, folder);
    bool known = !kw_failed(kw_owner_of(config, &owner, &note));
    if (stat(folder, &st) != 0)
        inspect_files_absent(
            r, "socket folder", folder,
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
    inspect_files_folder_of(a, x);
    inspect_files_folder_of(b, y);
    return strcmp(x, y) == 0;
}

/* There lies the key of what stands for the PIN; the daemon logs `pin-key-on-disk`. */
static void inspect_runtime(struct kw_report *r, const char *status)
{
    char folder[KW_PATH_MAX];
    if (!kw_pin_runtime(status, folder) || access(folder, F_OK) != 0 ||
        kw_pin_runtime_is_volatile(folder))
        return;
    kw_report_add(
        r, KW_FOUND_WARN, "runtime folder", "put the status socket on a tmpfs (/run)",
        "%s is on a disk: whoever gets a copy of it can guess a short PIN", folder);
}

void kw_inspect_sockets(struct kw_report *r, const struct kw_config *config)
{
    if (config->status != NULL) {
        inspect_folder(r, config, config->status);
        inspect_runtime(r, config->status);
    }
    for (size_t i = 0; i < config->class_count; i++) {
        const char *path = config->classes[i].socket;
        bool seen = config->status != NULL && same_folder(path, config->status);
        for (size_t j = 0; j < i && !seen; j++)
            seen = same_folder(path, config->classes[j].socket);
        if (!seen)
            inspect_folder(r, config, path);
    }
}
