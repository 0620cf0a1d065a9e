/* SPDX-License-Identifier: Apache-2.0 */
#include "instance.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <grp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <keyward/file.h>

#include "folder.h"

enum { NOBODY = 65534, ARGS_MAX = 24, LINE_CAP = 8192 };

static const char quick[] = "  deadline: 1000ms\n"
                            "  patience: 2s\n"
                            "  suspect: 1s\n"
                            "  recover: 1s\n"
                            "  probe: {every: 1s, stale-after: 10s}\n";

/* ---- processes
 * ------------------------------------------------------------------------- */

static void become(uid_t uid)
{
    if (uid != geteuid() &&
        (setgroups(0, NULL) != 0 || setgid(uid) != 0 || setuid(uid) != 0))
        _exit(126);
}

/* Only async-signal-safe calls between fork and exec: gRPC's threads may be about.  h: it
 * is the instance's daemon, or NULL. */
static pid_t spawn(const char *program, char *const *args, uid_t uid, int out_fd,
                   const struct instance *h)
{
    pid_t pid = fork();
    CHECK(pid >= 0);
    if (pid != 0)
        return pid;
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    dup2(out_fd, STDOUT_FILENO);
    dup2(out_fd, STDERR_FILENO);
    if (h != NULL && h->in_child != NULL)
        h->in_child(h->in_child_ctx);
    become(uid);
    prctl(PR_SET_PDEATHSIG, SIGTERM); /* a case that fails leaves no daemon behind */
    execv(program, args);
    _exit(127);
}

static int status_of(pid_t pid)
{
    int st;
    while (waitpid(pid, &st, 0) < 0)
        CHECK(errno == EINTR);
    return WIFEXITED(st) ? WEXITSTATUS(st) : 128 + WTERMSIG(st);
}

static void slurp(int fd, char *out, size_t cap)
{
    size_t len = 0;
    char spill[512];
    for (;;) {
        bool room = out != NULL && len + 1 < cap;
        ssize_t n =
            room ? read(fd, out + len, cap - 1 - len) : read(fd, spill, sizeof spill);
        if (n <= 0)
            break;
        len += room ? (size_t)n : 0;
    }
    if (out != NULL)
        out[len] = '\0';
}

static int run_tool(char *out, size_t cap, char *const *args)
{
    int p[2];
    CHECK(pipe2(p, O_CLOEXEC) == 0);
    pid_t pid = spawn(KW_TOOL, args, geteuid(), p[1], NULL);
    close(p[1]);
    slurp(p[0], out, cap);
    close(p[0]);
    return status_of(pid);
}

int instance_tool(struct instance *h, char *out, size_t cap, ...)
{
    char *args[ARGS_MAX] = {"keyward"};
    size_t n = 1;
    va_list more;
    va_start(more, cap);
    for (char *a; (a = va_arg(more, char *)) != NULL;) {
        CHECK(n + 3 < ARGS_MAX);
        args[n++] = a;
    }
    va_end(more);
    args[n++] = "--config";
    args[n++] = h->config;
    return run_tool(out, cap, args);
}

/* ---- building
 * --------------------------------------------------------------------------- */

static void place(struct instance *h)
{
    const struct {
        char *dst;
        const char *name;
    } paths[] = {{h->config, "keyward.yaml"},
                 {h->keyring, "keyring.json"},
                 {h->pin, "pin"},
                 {h->state, "state"},
                 {h->tokens, "tokens"},
                 {h->status, "run/status.sock"},
                 {h->secrets, "run/secrets.sock"},
                 {h->bulk, "run/bulk.sock"}};
    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++)
        snprintf(paths[i].dst, 128, "%s/%s", h->dir, paths[i].name);
}

void instance_edit(struct instance *h, const char *from, const char *to)
{
    struct kw_blob b = {0};
    static char text[65536];
    CHECK_OK(kw_file_read(h->config, sizeof text / 2, &b, NULL));
    char *whole = calloc(1, b.len + 1);
    CHECK(whole != NULL);
    kw_copy(whole, b.len, kw_blob_peek(&b));
    char *at = strstr(whole, from);
    if (at == NULL)
        fail_msg("the configuration has no \"%s\":\n%s", from, whole);
    snprintf(text, sizeof text, "%.*s%s%s", (int)(at - whole), whole, to,
             at + strlen(from));
    CHECK_OK(kw_file_replace(h->config, kw_span_str(text), 0644, NULL));
    free(whole);
    kw_blob_wipe(&b);
}

void instance_value(const struct instance *h, const char *name, char *dst, size_t cap)
{
    struct kw_blob b = {0};
    CHECK_OK(kw_file_read(h->config, 32768, &b, NULL));
    const char *at = memmem(b.ptr, b.len, name, strlen(name));
    CHECK(at != NULL);
    at += strlen(name);
    const char *end = memchr(at, '\n', b.len - (size_t)(at - (const char *)b.ptr));
    CHECK(end != NULL &&
          kw_copy_str(dst, cap, kw_span_of((const uint8_t *)at, (size_t)(end - at))));
    kw_blob_wipe(&b);
}

static void must(struct instance *h, const char *what, int status, const char *out)
{
    if (status != 0)
        fail_msg("%s: exit status %d in %s:\n%s", what, status, h->dir, out);
}

void instance_lend(const struct instance *h, const char *file, const char *name,
                   char dst[512])
{
    struct kw_blob b = {0};
    snprintf(dst, 512, "%s", file);
    kw_test_as_root();
    snprintf(dst, 512, "%s/%s", h->dir, name);
    CHECK_OK(kw_file_read(file, (size_t)256 << 20, &b, NULL));
    CHECK_OK(kw_file_replace(dst, kw_blob_peek(&b), 0755, NULL));
    kw_blob_wipe(&b);
}

/* The whole block that init wrote goes. */
static void without_audit(struct instance *h)
{
    struct kw_blob b = {0};
    CHECK_OK(kw_file_read(h->config, 32768, &b, NULL));
    char *whole = calloc(1, b.len + 1);
    CHECK(whole != NULL);
    kw_copy(whole, b.len, kw_blob_peek(&b));
    char *from = strstr(whole, "audit:\n"), *to = strstr(whole, "classes:\n");
    CHECK(from != NULL && to != NULL);
    memmove(from, to, strlen(to) + 1);
    CHECK_OK(kw_file_replace(h->config, kw_span_str(whole), 0644, NULL));
    free(whole);
    kw_blob_wipe(&b);
}

/* As long as may be behind a call: a disk that is busy with something else is no case's
 * matter.  0: behind a call that may take so long there is no time for a record. */
static unsigned long time_for_a_record(const char *hsm)
{
    const char *deadline = strstr(hsm, "deadline: ");
    const unsigned long call =
        deadline == NULL ? 1500 : strtoul(deadline + strlen("deadline: "), NULL, 10);
    return call < 2500 ? (call < 740 ? 2000 : 2740 - call) : 0;
}

static void set_audit(struct instance *h, unsigned long deadline_ms)
{
    char with[128];
    if (deadline_ms == 0) {
        without_audit(h);
        return;
    }
    snprintf(with, sizeof with, "  on-failure: deny\n  copies: none\n  deadline: %lums\n",
             deadline_ms);
    instance_edit(h, "  on-failure: deny\n", with);
}

/* Its folder and programs, and nothing of its own yet. */
static void begin(struct instance *h)
{
    *h = (struct instance){.dir = "/tmp/kw-instance-XXXXXX", .log_fd = -1};
    CHECK(mkdtemp(h->dir) != NULL && chmod(h->dir, 0755) == 0);
    pthread_mutex_init(&h->mutex, NULL);
    pthread_cond_init(&h->grew, NULL);
    h->uid = geteuid() == 0 ? NOBODY : geteuid();
    place(h);
    instance_lend(h, KW_DAEMON, "keywardd", h->keywardd);
    instance_lend(h, KW_WORKER, "keyward-hsm", h->worker);
}

static void init(struct instance *h, char *const *args)
{
    char out[8192];
    must(h, "init", run_tool(out, sizeof out, args), out);
}

static void configure(struct instance *h, const char *hsm)
{
    char with[1024];
    snprintf(with, sizeof with, "log: {level: debug}\nhsm:\n%s", hsm ? hsm : quick);
    instance_edit(h, "hsm:\n", with);
    set_audit(h, time_for_a_record(with));
}

void instance_build(struct instance *h, const char *hsm)
{
    char out[8192];
    begin(h);
    init(h, (char *[]){"keyward", "init", "--first", "--softhsm", "--dir", h->dir,
                       "--domain", "demo", geteuid() == 0 ? "--user" : NULL, "nobody",
                       NULL});
    configure(h, hsm);
    must(h, "create", instance_tool(h, out, sizeof out, "key", "create", NULL), out);
    must(h, "accept", instance_tool(h, out, sizeof out, "key", "accept", "1", NULL), out);
    must(h, "activate",
         instance_tool(h, out, sizeof out, "key", "activate", "1", "--baseline",
                       "--only-copy", "--now", NULL),
         out);
}

/* The copy of the token, below a configuration of SoftHSM's own. */
static void join_token(struct instance *h, const struct instance *first,
                       char ret_env[160])
{
    char conf[128], text[512];
    folder_copy(first->tokens, h->tokens);
    snprintf(conf, sizeof conf, "%.100s/hsm.conf", h->dir);
    snprintf(text, sizeof text,
             "directories.tokendir = %s\nobjectstore.backend = file\n"
             "log.level = ERROR\nslots.removable = false\n",
             h->tokens);
    CHECK_OK(kw_file_replace(conf, kw_span_str(text), 0644, NULL));
    snprintf(ret_env, 160, "SOFTHSM2_CONF=%s", conf);
}

/* A copy for init to read, which is ours. */
static void join_pin(struct instance *h, const struct instance *first, char ret_path[128])
{
    struct kw_blob b = {0};
    snprintf(ret_path, 128, "%.100s/pin-for-init", h->dir);
    CHECK_OK(kw_file_read(first->pin, 4096, &b, NULL));
    CHECK_OK(kw_file_replace(ret_path, kw_blob_peek(&b), 0400, NULL));
    kw_blob_wipe(&b);
}

void instance_join(struct instance *h, const struct instance *first, const char *hsm)
{
    char env[160], module[256], keyring[128], pin[128];
    begin(h);
    join_token(h, first, env);
    instance_value(first, "      module: ", module, sizeof module);
    snprintf(keyring, sizeof keyring, "%s", first->keyring);
    join_pin(h, first, pin);
    init(h, (char *[]){"keyward", "init", "--join", keyring, "--module", module,
                       "--label", "keyward", "--pin-file", pin, "--env", env, "--dir",
                       h->dir, geteuid() == 0 ? "--user" : NULL, "nobody", NULL});
    CHECK(unlink(pin) == 0);
    configure(h, hsm);
}

static int remove_one(const char *path, const struct stat *st, int what, struct FTW *at)
{
    (void)st;
    (void)what;
    (void)at;
    return remove(path);
}

static int open_up(const char *path, const struct stat *st, int what, struct FTW *at)
{
    (void)at;
    (void)what;
    return S_ISDIR(st->st_mode) ? chmod(path, 0700) : 0;
}

void instance_share(struct instance *second, const struct instance *first)
{
    *second = *first;
    second->daemon = 0;
    second->log_fd = -1;
    second->lines = NULL;
    second->line_count = second->line_room = 0;
    pthread_mutex_init(&second->mutex, NULL);
    pthread_cond_init(&second->grew, NULL);
}

static void forget_log(struct instance *h)
{
    for (size_t i = 0; i < h->line_count; i++)
        free(h->lines[i]);
    free(h->lines);
    h->lines = NULL;
    h->line_count = h->line_room = 0;
}

void instance_unshare(struct instance *second)
{
    CHECK(second->daemon == 0);
    forget_log(second);
}

void instance_destroy(struct instance *h)
{
    if (h->daemon != 0)
        instance_stop(h);
    nftw(h->dir, open_up, 16, FTW_PHYS);
    nftw(h->dir, remove_one, 16, FTW_PHYS | FTW_DEPTH);
    forget_log(h);
}

/* ---- the daemon and its log
 * -------------------------------------------------------------- */

/* What the daemon says is shown at once: ctest prints it when a case fails, also when it
 * hangs. */
static void add_line(struct instance *h, const char *text)
{
    dprintf(STDERR_FILENO, "  | %s\n", text);
    pthread_mutex_lock(&h->mutex);
    if (h->line_count == h->line_room) {
        h->line_room = 2 * h->line_room + 256;
        h->lines = realloc(h->lines, h->line_room * sizeof *h->lines);
    }
    char *line = strdup(text);
    if (h->lines == NULL || line == NULL)
        abort();
    h->lines[h->line_count++] = line;
    pthread_cond_broadcast(&h->grew);
    pthread_mutex_unlock(&h->mutex);
}

static void *drain(void *ctx)
{
    struct instance *h = ctx;
    FILE *f = fdopen(h->log_fd, "r");
    char line[LINE_CAP];
    while (f != NULL && fgets(line, sizeof line, f) != NULL) {
        line[strcspn(line, "\n")] = '\0';
        add_line(h, line);
    }
    if (f != NULL)
        fclose(f);
    pthread_mutex_lock(&h->mutex);
    h->log_ended = true;
    pthread_cond_broadcast(&h->grew);
    pthread_mutex_unlock(&h->mutex);
    return NULL;
}

void instance_start(struct instance *h, const char *const *more)
{
    char *args[ARGS_MAX] = {"keywardd", "--config", h->config, "--worker", h->worker};
    size_t n = 5;
    int p[2];
    for (; more != NULL && *more != NULL && n + 1 < ARGS_MAX; more++)
        args[n++] = strdup(*more);
    CHECK(h->daemon == 0 && pipe2(p, O_CLOEXEC) == 0);
    h->daemon = spawn(h->keywardd, args, h->uid, p[1], h);
    close(p[1]);
    h->log_fd = p[0];
    h->log_ended = false;
    CHECK(pthread_create(&h->reader, NULL, drain, h) == 0);
    while (n-- > 5)
        free(args[n]);
}

void instance_up(struct instance *h)
{
    size_t mark = instance_mark(h);
    instance_start(h, NULL);
    instance_await(h, mark, NULL, "event=hsm-state", "to=up", NULL);
}

void instance_signal(struct instance *h, int signo)
{
    CHECK(h->daemon > 0 && kill(h->daemon, signo) == 0);
}

int instance_wait_end(struct instance *h)
{
    CHECK(h->daemon > 0);
    int status = status_of(h->daemon);
    h->daemon = 0;
    pthread_join(h->reader, NULL);
    return status;
}

int instance_stop(struct instance *h)
{
    instance_signal(h, SIGTERM);
    return instance_wait_end(h);
}

size_t instance_mark(struct instance *h)
{
    pthread_mutex_lock(&h->mutex);
    size_t mark = h->line_count;
    pthread_mutex_unlock(&h->mutex);
    return mark;
}

static bool has_all(const char *line, va_list texts)
{
    va_list copy;
    bool all = true;
    va_copy(copy, texts);
    for (const char *t; all && (t = va_arg(copy, const char *)) != NULL;)
        all = strstr(line, t) != NULL;
    va_end(copy);
    return all;
}

size_t instance_await(struct instance *h, size_t mark, const char **ret_line, ...)
{
    va_list texts;
    va_start(texts, ret_line);
    pthread_mutex_lock(&h->mutex);
    for (;; mark++) {
        while (mark >= h->line_count && !h->log_ended)
            pthread_cond_wait(&h->grew, &h->mutex);
        if (mark >= h->line_count) {
            pthread_mutex_unlock(&h->mutex);
            fail_msg("the log ended before \"%s\"", va_arg(texts, const char *));
        }
        if (has_all(h->lines[mark], texts))
            break;
    }
    if (ret_line != NULL)
        *ret_line = h->lines[mark];
    pthread_mutex_unlock(&h->mutex);
    va_end(texts);
    return mark + 1;
}

unsigned instance_count(struct instance *h, size_t mark, const char *text)
{
    unsigned n = 0;
    pthread_mutex_lock(&h->mutex);
    for (; mark < h->line_count; mark++)
        n += strstr(h->lines[mark], text) != NULL;
    pthread_mutex_unlock(&h->mutex);
    return n;
}

/* Field 4 of /proc/<pid>/stat is the parent, behind the name in parentheses (proc(5)). */
static pid_t parent_of(const char *pid, char *ret_name, size_t cap)
{
    char path[64], text[512] = "";
    int parent = 0;
    snprintf(path, sizeof path, "/proc/%.20s/stat", pid);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return 0;
    ssize_t n = read(fd, text, sizeof text - 1);
    close(fd);
    char *open_at = strchr(text, '('), *close_at = n > 0 ? strrchr(text, ')') : NULL;
    if (open_at == NULL || close_at == NULL || sscanf(close_at, ") %*c %d", &parent) != 1)
        return 0;
    snprintf(ret_name, cap, "%.*s", (int)(close_at - open_at - 1), open_at + 1);
    return parent;
}

size_t instance_workers(struct instance *h, pid_t *pids, size_t max)
{
    size_t n = 0;
    char name[64];
    DIR *d = opendir("/proc");
    CHECK(d != NULL);
    for (struct dirent *e; (e = readdir(d)) != NULL;)
        if (e->d_name[0] >= '1' && e->d_name[0] <= '9' && n < max &&
            parent_of(e->d_name, name, sizeof name) == h->daemon &&
            strcmp(name, "keyward-hsm") == 0)
            pids[n++] = (pid_t)strtol(e->d_name, NULL, 10);
    closedir(d);
    return n;
}

/* ---- clients
 * ------------------------------------------------------------------------------ */

struct kw_client *instance_client(struct instance *h, const char *socket)
{
    struct kw_client *client = NULL;
    (void)h;
    CHECK_OK(kw_client_open(socket, &client));
    return client;
}

void instance_encrypt(struct kw_client *client, kw_span seed,
                      struct kw_client_reply *reply)
{
    CHECK_OK(kw_client_encrypt(client, seed, "d1dd4ffe-9db5-424a-84b8-96e50c45abd1",
                               10 * KW_S_NS, reply));
    if (reply->grpc_status != 0)
        fail_msg("Encrypt: gRPC status %d: %s", reply->grpc_status, reply->message);
}

void instance_round_trip(struct kw_client *client)
{
    uint8_t seed[32];
    static _Thread_local struct kw_client_reply sealed, opened;
    sealed = opened = (struct kw_client_reply){0};
    kw_random(seed, sizeof seed);
    instance_encrypt(client, kw_span_of(seed, sizeof seed), &sealed);
    CHECK_OK(
        kw_client_decrypt(client, kw_span_of(sealed.ciphertext, sealed.ciphertext_len),
                          kw_span_str(sealed.key_id),
                          "0c5a0d5c-64d8-4ad7-9f3e-6a2f0f9a2b11", 10 * KW_S_NS, &opened));
    if (opened.grpc_status != 0)
        fail_msg("Decrypt: gRPC status %d: %s", opened.grpc_status, opened.message);
    CHECK(
        kw_span_equal(kw_secret_peek(&opened.plaintext), kw_span_of(seed, sizeof seed)));
    kw_client_reply_wipe(&sealed);
    kw_client_reply_wipe(&opened);
}

void instance_status(struct instance *h, char *out, size_t cap)
{
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    kw_copy(at.sun_path, sizeof at.sun_path - 1, kw_span_str(h->status));
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    CHECK(fd >= 0 && connect(fd, (const struct sockaddr *)&at, sizeof at) == 0);
    slurp(fd, out, cap);
    close(fd);
}
