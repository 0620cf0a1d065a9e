/* SPDX-License-Identifier: Apache-2.0 */
#include "site.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <keyward/alloc.h>
#include <keyward/file.h>
#include <keyward/state.h>

extern char **environ;

static size_t sealed_count;

static void join(char *dst, size_t cap, const char *folder, const char *name)
{
    int n = snprintf(dst, cap, "%s/%s", folder, name);
    CHECK(n > 0 && (size_t)n < cap);
}

void site_begin(struct site *s)
{
    *s = (struct site){.dir = "/tmp/keyward-site-XXXXXX"};
    CHECK(mkdtemp(s->dir) != NULL);
    CHECK(chmod(s->dir, 0755) == 0);
    join(s->base, sizeof s->base, s->dir, "kw");
    join(s->config, sizeof s->config, s->base, "keyward.yaml");
    join(s->keyring, sizeof s->keyring, s->base, "keyring.json");
    join(s->pin, sizeof s->pin, s->base, "pin");
    join(s->so_pin, sizeof s->so_pin, s->base, "so-pin");
    join(s->state, sizeof s->state, s->base, "state");
    join(s->tokens, sizeof s->tokens, s->base, "tokens");
}

void site_make(struct site *s)
{
    site_begin(s);
    if (geteuid() == 0)
        kw_run(&s->run, (const char *const[]){KEYWARD, "init", "--first", "--domain",
                                              "demo", "--softhsm", "--dir", s->base,
                                              "--user", "nobody", NULL});
    else
        kw_run(&s->run,
               (const char *const[]){KEYWARD, "init", "--first", "--domain", "demo",
                                     "--softhsm", "--dir", s->base, NULL});
    if (s->run.status != 0)
        fail_msg("init: %s", s->run.err);
}

/* A copy in the site: the daemon's user may not reach the build tree. */
void site_make_fault(struct site *s)
{
    char fault[96], line[512];
    struct kw_blob module = {0};
    site_make(s);
    join(fault, sizeof fault, s->dir, "libfault.so");
    join(s->control, sizeof s->control, s->dir, "control");
    join(s->calls, sizeof s->calls, s->dir, "calls");
    CHECK_OK(kw_file_read(FAULT, 64u << 20, &module, NULL));
    CHECK_OK(kw_file_replace(fault, kw_blob_peek(&module), 0755, NULL));
    kw_blob_wipe(&module);
    site_tell(s, "\n");
    snprintf(line, sizeof line,
             "env: {KW_FAULT_MODULE: " SOFTHSM
             ", KW_FAULT_CONTROL: %s, KW_FAULT_LOG: %s, SOFTHSM2_CONF:",
             s->control, s->calls);
    site_edit(s, "env: {SOFTHSM2_CONF:", line);
    snprintf(line, sizeof line, "module: %s", fault);
    site_edit(s, "module: " SOFTHSM, line);
}

void site_tell(struct site *s, const char *control)
{
    CHECK_OK(kw_file_replace(s->control, kw_span_str(control), 0644, NULL));
}

static int open_up(const char *path, const struct stat *st, int kind, struct FTW *at)
{
    (void)st;
    (void)at;
    return kind == FTW_D || kind == FTW_DNR ? chmod(path, 0700) : 0;
}

static int take_away(const char *path, const struct stat *st, int kind, struct FTW *at)
{
    (void)st;
    (void)kind;
    (void)at;
    return remove(path);
}

void site_remove(struct site *s)
{
    CHECK(nftw(s->dir, open_up, 8, FTW_PHYS) == 0);
    CHECK(nftw(s->dir, take_away, 8, FTW_PHYS | FTW_DEPTH) == 0);
}

static void command(const struct site *s, const char *const words[], const char *argv[24])
{
    size_t n = 1;
    argv[0] = KEYWARD;
    for (; words[n - 1] != NULL; n++) {
        CHECK(n < 21);
        argv[n] = words[n - 1];
    }
    argv[n++] = "--config";
    argv[n++] = s->config;
    argv[n] = NULL;
}

int site_keyward(struct site *s, const char *const words[])
{
    const char *argv[24];
    command(s, words, argv);
    kw_run(&s->run, argv);
    return s->run.status;
}

/* The daemon's user writes it. */
void site_forget_calls(const struct site *s)
{
    CHECK_OK(kw_file_replace(s->calls, kw_span_str(""), 0666, NULL));
    CHECK(chmod(s->calls, 0666) == 0);
}

bool site_was_called(const struct site *s)
{
    struct stat st;
    CHECK(stat(s->calls, &st) == 0);
    return st.st_size > 0;
}

void site_watch_calls(struct site *s)
{
    CHECK(unlink(s->calls) == 0 || errno == ENOENT);
    CHECK(mkfifo(s->calls, 0666) == 0 && chmod(s->calls, 0666) == 0);
    /* Both ends, so that nobody waits for the other one. */
    int fd = open(s->calls, O_RDWR | O_CLOEXEC);
    CHECK(fd >= 0 && (s->watch = fdopen(fd, "r")) != NULL);
}

pid_t site_await_call(struct site *s, const char *function, int n)
{
    char line[256] = "", want[64];
    int pid = 0;
    snprintf(want, sizeof want, "> %s ", function);
    while (n > 0) {
        CHECK(fgets(line, sizeof line, s->watch) != NULL);
        n -= strncmp(line, want, strlen(want)) == 0;
    }
    CHECK(sscanf(line + strlen(want), "pid=%d", &pid) == 1);
    return pid;
}

/* What a case that failed leaves: keyward, and a child that hangs in the module. */
static struct {
    pid_t pid;
    char control[96];
} left;

static void end_what_is_left(void)
{
    if (left.pid <= 0)
        return;
    (void)!kw_failed(kw_file_replace(left.control, kw_span_str("\n"), 0644, NULL));
    kill(left.pid, SIGKILL);
}

pid_t site_start(struct site *s, const char *const words[])
{
    const char *argv[24];
    char out[96], err[96];
    posix_spawn_file_actions_t files;
    pid_t pid = 0;
    command(s, words, argv);
    join(out, sizeof out, s->dir, "out");
    join(err, sizeof err, s->dir, "err");
    posix_spawn_file_actions_init(&files);
    posix_spawn_file_actions_addopen(&files, STDOUT_FILENO, out,
                                     O_WRONLY | O_CREAT | O_TRUNC, 0600);
    posix_spawn_file_actions_addopen(&files, STDERR_FILENO, err,
                                     O_WRONLY | O_CREAT | O_TRUNC, 0600);
    CHECK(posix_spawn(&pid, argv[0], &files, NULL, (char *const *)(uintptr_t)argv,
                      environ) == 0);
    posix_spawn_file_actions_destroy(&files);
    if (left.pid == 0)
        CHECK(atexit(end_what_is_left) == 0);
    left.pid = pid;
    kw_copy_str(left.control, sizeof left.control, kw_span_str(s->control));
    return pid;
}

static void read_said(const struct site *s, const char *name, char *dst, size_t cap)
{
    char path[96];
    struct kw_blob said = {0};
    join(path, sizeof path, s->dir, name);
    CHECK_OK(kw_file_read(path, cap - 1, &said, NULL));
    kw_copy_str(dst, cap, kw_blob_peek(&said));
    kw_blob_wipe(&said);
}

void site_listen(struct site *s)
{
    read_said(s, "out", s->run.out, sizeof s->run.out);
}

/* A sanitizer's library wants to be the first one; here it may be the second. */
void site_no_sync(const char *folder)
{
    char options[256];
    const char *asan = getenv("ASAN_OPTIONS");
    if (folder == NULL) {
        CHECK(unsetenv("LD_PRELOAD") == 0);
        return;
    }
    snprintf(options, sizeof options, "%s%sverify_asan_link_order=0",
             asan != NULL ? asan : "", asan != NULL ? ":" : "");
    CHECK(setenv("ASAN_OPTIONS", options, 1) == 0);
    CHECK(setenv("KW_NOSYNC_DIR", folder, 1) == 0);
    CHECK(setenv("LD_PRELOAD", NOSYNC, 1) == 0);
}

int site_reap(pid_t pid)
{
    int status = 0;
    while (waitpid(pid, &status, 0) < 0)
        CHECK(errno == EINTR);
    if (pid == left.pid)
        left.pid = -1;
    return status;
}

int site_end(struct site *s, pid_t pid)
{
    int status = site_reap(pid);
    fclose(s->watch);
    CHECK(unlink(s->calls) == 0);
    read_said(s, "err", s->run.err, sizeof s->run.err);
    site_listen(s);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

void site_edit(struct site *s, const char *from, const char *to)
{
    static char text[16384];
    struct kw_blob file = {0};
    CHECK_OK(kw_file_read(s->config, 8192, &file, NULL));
    snprintf(text, sizeof text, "%.*s", (int)file.len, (const char *)file.ptr);
    kw_blob_wipe(&file);
    char *at = strstr(text, from);
    CHECK(at != NULL);
    char *rest = kw_strdup(kw_span_str(at + strlen(from)));
    snprintf(at, sizeof text - (size_t)(at - text), "%s%s", to, rest);
    kw_free(rest);
    CHECK_OK(kw_file_replace(s->config, kw_span_str(text), 0644, NULL));
}

struct kw_keyring *site_ring(const struct site *s)
{
    struct kw_keyring *ring = NULL;
    struct kw_note note = {{0}};
    if (kw_failed(kw_keyring_load(s->keyring, &ring, NULL, &note)))
        fail_msg("%s", note.text);
    return ring;
}

struct kw_moment ago(int64_t ns)
{
    struct kw_moment then = kw_moment_now(&kw_clock_system);
    then.boot_ns -= ns;
    then.wall_ns -= ns;
    return then;
}

void site_take_ring(const struct site *s, uint32_t active, int64_t age_ns)
{
    site_take_ring_at(s, active, ago(age_ns));
}

void site_take_ring_at(const struct site *s, uint32_t active, struct kw_moment when)
{
    struct kw_state_dir *dir = NULL;
    struct kw_blob bytes = {0};
    struct kw_keyring *ring = NULL;
    CHECK_OK(kw_keyring_load(s->keyring, &ring, &bytes, NULL));
    CHECK_OK(kw_state_open(s->state, &dir, NULL));
    CHECK_OK(kw_state_save_keyring(dir, kw_blob_peek(&bytes), NULL));
    CHECK_OK(kw_state_raise(dir, ring, active, when, NULL));
    kw_state_close(dir);
    kw_blob_wipe(&bytes);
    kw_keyring_give(ring);
}

void site_clone_token(struct site *s, char *ret_env, size_t cap)
{
    char clone[96], conf[96], text[256];
    join(clone, sizeof clone, s->dir, "clone");
    join(conf, sizeof conf, s->dir, "clone.conf");
    kw_run(&s->run, (const char *const[]){"/bin/cp", "-a", s->tokens, clone, NULL});
    CHECK(s->run.status == 0);
    snprintf(text, sizeof text, "directories.tokendir = %s\nobjectstore.backend = file\n",
             clone);
    CHECK_OK(kw_file_replace(conf, kw_span_str(text), 0644, NULL));
    snprintf(ret_env, cap, "SOFTHSM2_CONF=%s", conf);
}

bool site_share_a_disk(const char *path, const char *other)
{
    struct stat a, b;
    return stat(path, &a) == 0 && stat(other, &b) == 0 && a.st_dev == b.st_dev;
}

unsigned site_mode(const char *path)
{
    struct stat st;
    CHECK(lstat(path, &st) == 0);
    return st.st_mode & 07777;
}

unsigned site_owner(const char *path)
{
    struct stat st;
    CHECK(lstat(path, &st) == 0);
    return st.st_uid;
}

static int is_sealed(const char *path, const struct stat *st, int kind, struct FTW *at)
{
    (void)path;
    (void)at;
    sealed_count++;
    return (st->st_mode & 07777) != (kind == FTW_D ? 0500u : 0400u);
}

bool site_is_sealed(const char *dir)
{
    return nftw(dir, is_sealed, 8, FTW_PHYS) == 0;
}

size_t site_sealed(const char *dir)
{
    sealed_count = 0;
    CHECK(nftw(dir, is_sealed, 8, FTW_PHYS) == 0);
    return sealed_count;
}

static int count_name(const char *path, const struct stat *st, int kind, struct FTW *at)
{
    (void)path;
    (void)st;
    (void)kind;
    (void)at;
    sealed_count++;
    return 0;
}

size_t site_names(const char *dir)
{
    sealed_count = 0;
    CHECK(nftw(dir, count_name, 8, FTW_PHYS) == 0);
    return sealed_count;
}

static int unseal(const char *path, const struct stat *st, int kind, struct FTW *at)
{
    (void)st;
    (void)at;
    return chmod(path, kind == FTW_D ? 0700 : 0600);
}

void site_unseal(const struct site *s)
{
    CHECK(nftw(s->tokens, unseal, 8, FTW_PHYS) == 0);
}
