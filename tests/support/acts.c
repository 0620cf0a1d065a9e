/* SPDX-License-Identifier: Apache-2.0 */
#include "acts.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <keyward/file.h>

enum { TEXT_MAX = 8 << 20, PATH_CAP = 512 };

/* ---- operators
 * -------------------------------------------------------------------------- */

void instance_do(struct instance *h, ...)
{
    char out[8192];
    const char *a[8] = {NULL};
    size_t n = 0;
    va_list more;
    va_start(more, h);
    while (n < 7 && (a[n] = va_arg(more, const char *)) != NULL)
        n++;
    va_end(more);
    CHECK(n < 7);
    int status =
        instance_tool(h, out, sizeof out, a[0], a[1], a[2], a[3], a[4], a[5], NULL);
    if (status != 0)
        fail_msg("keyward %s %s: exit status %d:\n%s", a[0], a[1], status, out);
}

void instance_reload(struct instance *h, const char *text)
{
    size_t mark = instance_mark(h);
    instance_signal(h, SIGHUP);
    instance_await(h, mark, NULL, "event=keyring-in-use", text, NULL);
}

void instance_reload_same(struct instance *h)
{
    size_t mark = instance_mark(h);
    instance_signal(h, SIGHUP);
    instance_await(h, mark, NULL, "event=keyring-unchanged", NULL);
}

void instance_rotate(struct instance *h, const char *n)
{
    char active[32];
    snprintf(active, sizeof active, "active=%s", n);
    instance_do(h, "key", "create", NULL);
    instance_do(h, "key", "accept", n, NULL);
    instance_reload(h, "serial=");
    instance_do(h, "key", "activate", n, "--only-copy", "--now", NULL);
    instance_reload(h, active);
}

const char *instance_read_status(struct instance *h, int want)
{
    static char out[65536];
    int status = instance_tool(h, out, sizeof out, "status", NULL);
    if (status != want)
        fail_msg("keyward status: exit status %d, expected %d:\n%s", status, want, out);
    return out;
}

char *instance_read(const char *path)
{
    struct kw_blob b = {0};
    CHECK_OK(kw_file_read(path, TEXT_MAX, &b, NULL));
    char *text = calloc(1, b.len + 1);
    CHECK(text != NULL);
    kw_copy(text, b.len, kw_blob_peek(&b));
    kw_blob_wipe(&b);
    return text;
}

void instance_write(const char *path, const char *text)
{
    char beside[PATH_CAP];
    struct stat st;
    size_t len = strlen(text);
    snprintf(beside, sizeof beside, "%s.new", path);
    CHECK(stat(path, &st) == 0);
    int fd = open(beside, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    CHECK(fd >= 0 && write(fd, text, len) == (ssize_t)len);
    CHECK(fchown(fd, st.st_uid, st.st_gid) == 0 && fchmod(fd, st.st_mode & 07777) == 0);
    close(fd);
    CHECK(rename(beside, path) == 0);
}

char *instance_swap(const char *text, const char *after, const char *from, const char *to)
{
    const char *begin = after != NULL ? strstr(text, after) : text;
    const char *at = begin != NULL ? strstr(begin, from) : NULL;
    if (at == NULL) {
        fail_msg("no \"%s\" after \"%s\" in:\n%s", from, after != NULL ? after : "",
                 text);
        return NULL;
    }
    size_t cap = strlen(text) + strlen(to) + 1;
    char *copy = calloc(1, cap);
    CHECK(copy != NULL);
    snprintf(copy, cap, "%.*s%s%s", (int)(at - text), text, to, at + strlen(from));
    return copy;
}

/* Calls `each` with the path of every entry of a folder. */
static size_t walk(const char *folder, void (*each)(const char *path, void *ctx),
                   void *ctx)
{
    char path[PATH_CAP];
    size_t n = 0;
    DIR *d = opendir(folder);
    if (d == NULL) {
        fail_msg("cannot open %s", folder);
        return 0;
    }
    for (struct dirent *e; (e = readdir(d)) != NULL;) {
        if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
            continue;
        n++;
        snprintf(path, sizeof path, "%s/%s", folder, e->d_name);
        if (each != NULL)
            each(path, ctx);
    }
    closedir(d);
    return n;
}

static void remove_it(const char *path, void *ctx)
{
    (void)ctx;
    CHECK(remove(path) == 0);
}

void instance_forget(struct instance *h)
{
    CHECK(h->daemon == 0 && walk(h->state, remove_it, NULL) > 0);
}

/* ---- accidents
 * -------------------------------------------------------------------------- */

static void away_path(const struct instance *h, char dst[PATH_CAP])
{
    snprintf(dst, PATH_CAP, "%s/away", h->dir);
}

void instance_token_away(struct instance *h)
{
    char away[PATH_CAP];
    away_path(h, away);
    CHECK(rename(h->tokens, away) == 0);
}

void instance_token_back(struct instance *h)
{
    char away[PATH_CAP];
    away_path(h, away);
    CHECK(rename(away, h->tokens) == 0);
}

struct search {
    char found[PATH_CAP];
    unsigned count;
};

static void note_key(const char *path, void *ctx)
{
    struct search *s = ctx;
    const char *name = strrchr(path, '/'), *end = strrchr(path, '.');
    if (end == NULL || strcmp(end, ".object") != 0 || strcmp(name, "/token.object") == 0)
        return;
    snprintf(s->found, sizeof s->found, "%s", path);
    s->count++;
}

static void look_into(const char *path, void *ctx)
{
    struct stat st;
    if (stat(path, &st) == 0 && S_ISDIR(st.st_mode))
        walk(path, note_key, ctx);
}

char *instance_key_object(struct instance *h)
{
    struct search s = {.count = 0};
    walk(h->tokens, look_into, &s);
    assert_int_equal(s.count, 1);
    return strdup(s.found);
}

/* The folder is sealed; its owner may open it for a moment. */
static void move_object(const char *object, const char *from, const char *to)
{
    char folder[PATH_CAP];
    struct stat st;
    snprintf(folder, sizeof folder, "%.*s", (int)(strrchr(object, '/') - object), object);
    CHECK(stat(folder, &st) == 0 && chmod(folder, 0700) == 0);
    CHECK(rename(from, to) == 0);
    CHECK(chmod(folder, st.st_mode & 07777) == 0);
}

void instance_object_away(struct instance *h, const char *object)
{
    char away[PATH_CAP];
    away_path(h, away);
    move_object(object, object, away);
}

void instance_object_back(struct instance *h, const char *object)
{
    char away[PATH_CAP];
    away_path(h, away);
    move_object(object, away, object);
}

size_t instance_signal_workers(struct instance *h, int signo)
{
    pid_t pids[32];
    size_t n = instance_workers(h, pids, 32);
    for (size_t i = 0; i < n; i++)
        kill(pids[i], signo); /* one that ended meanwhile is as good */
    return n;
}

/* A worker that is just looking for its keys would find a token without any. */
void instance_lose(struct instance *h, size_t workers)
{
    instance_await_workers(h, workers);
    size_t mark = instance_mark(h);
    instance_token_away(h);
    instance_signal_workers(h, SIGKILL); /* those that have not noticed */
    instance_await(h, mark, NULL, "event=hsm-state", "to=lost", NULL);
}

void instance_find(struct instance *h)
{
    size_t mark = instance_mark(h);
    instance_token_back(h);
    instance_await(h, mark, NULL, "event=hsm-state", "to=up", NULL);
}

/* ---- processes
 * -------------------------------------------------------------------------- */

size_t instance_descriptors(pid_t pid)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/fd", (int)pid);
    return walk(path, NULL, NULL);
}

static size_t occurrences(const char *text, const char *part)
{
    size_t n = 0;
    for (; (text = strstr(text, part)) != NULL; text++)
        n++;
    return n;
}

void instance_await_workers(struct instance *h, size_t want)
{
    static char doc[65536];
    pid_t pids[32];
    for (;;) {
        size_t mark = instance_mark(h);
        instance_status(h, doc, sizeof doc);
        const char *workers = strstr(doc, "\"workers\":"),
                   *end = strstr(doc, "\"jobs\":");
        CHECK(workers != NULL && end != NULL);
        doc[end - doc] = '\0';
        if (occurrences(workers, "\"pid\":") == want &&
            occurrences(workers, "\"state\":\"ready\"") == want &&
            instance_workers(h, pids, 32) == want)
            return;
        instance_await(h, mark, NULL, NULL);
    }
}

static bool is_worker(long pid)
{
    char path[64], name[32] = "";
    snprintf(path, sizeof path, "/proc/%ld/comm", pid);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return false;
    bool is = read(fd, name, sizeof name - 1) > 0 && strcmp(name, "keyward-hsm\n") == 0;
    close(fd);
    return is;
}

void instance_check_workers_gone(struct instance *h, size_t mark)
{
    unsigned started = 0;
    CHECK(h->daemon == 0);
    for (; mark < h->line_count; mark++) {
        const char *at = strstr(h->lines[mark], "event=worker-started");
        if (at == NULL || (at = strstr(at, " pid=")) == NULL)
            continue;
        started++;
        long pid = strtol(at + 5, NULL, 10);
        if (is_worker(pid))
            fail_msg("worker %ld is still there", pid);
    }
    CHECK(started > 0);
}

/* ---- the fault module
 * ------------------------------------------------------------------- */

static void fault_path(const struct instance *h, const char *name, char dst[PATH_CAP])
{
    snprintf(dst, PATH_CAP, "%s/fault%s", h->dir, name);
}

void instance_fault_set(struct instance *h, const char *control)
{
    char path[PATH_CAP];
    fault_path(h, "/control", path);
    CHECK_OK(kw_file_replace(path, kw_span_str(control), 0644, NULL));
}

/* The daemon's user may not reach the build tree, or a group may write to it. */
static void copy_fault(const struct instance *h, char ret_path[512])
{
    struct kw_blob fault = {0};
    snprintf(ret_path, 512, "%s/fault.so", h->dir);
    CHECK_OK(kw_file_read(KW_FAULT_PATH, (size_t)64 << 20, &fault, NULL));
    CHECK_OK(kw_file_replace(ret_path, kw_blob_peek(&fault), 0755, NULL));
    kw_blob_wipe(&fault);
}

void instance_fault_between(struct instance *h)
{
    char folder[PATH_CAP], from[PATH_CAP], to[2 * PATH_CAP], env[2 * PATH_CAP],
        module[512];
    fault_path(h, "", folder);
    CHECK(mkdir(folder, 0755) == 0 && chown(folder, h->uid, (gid_t)-1) == 0);
    instance_fault_set(h, "");
    char *config = instance_read(h->config), *at = strstr(config, "module: ");
    CHECK(at != NULL);
    snprintf(from, sizeof from, "%.*s", (int)strcspn(at, "\n"), at);
    copy_fault(h, module);
    snprintf(to, sizeof to, "module: %s", module);
    snprintf(env, sizeof env,
             "env: {KW_FAULT_MODULE: %s, KW_FAULT_CONTROL: %s/control, "
             "KW_FAULT_LOG: %s/calls, SOFTHSM2_CONF: ",
             from + strlen("module: "), folder, folder);
    instance_edit(h, from, to);
    instance_edit(h, "env: {SOFTHSM2_CONF: ", env);
    free(config);
}

/* Line by line: how long the log of a flood gets is the machine's affair. */
static unsigned lines_with(const char *path, const char *text)
{
    char *line = NULL;
    size_t cap = 0;
    unsigned n = 0;
    FILE *f = fopen(path, "re");
    CHECK(f != NULL);
    while (getline(&line, &cap, f) > 0)
        n += strstr(line, text) != NULL;
    free(line);
    CHECK(fclose(f) == 0);
    return n;
}

unsigned instance_fault_count(struct instance *h, const char *function)
{
    char path[PATH_CAP], entry[64];
    fault_path(h, "/calls", path);
    if (access(path, F_OK) != 0)
        return 0;
    snprintf(entry, sizeof entry, "> %s pid=", function);
    return lines_with(path, entry);
}
