/* SPDX-License-Identifier: Apache-2.0 */
/* 12: what a service manager and an operator's shell see of keywardd. */
#include "instance.h"
#include "run.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <keyward/env.h>
#include <keyward/file.h>

enum { FIRST_FD = 3, HIGH_FD = 200, PASSED_MAX = 4 };

static struct kw_client_reply reply;
static struct kw_run ran;

static int unix_socket(const char *path, int type, bool bound)
{
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    kw_copy(at.sun_path, sizeof at.sun_path - 1, kw_span_str(path));
    int fd = socket(AF_UNIX, type | SOCK_CLOEXEC, 0);
    CHECK(fd >= 0);
    if (bound)
        CHECK(bind(fd, (const struct sockaddr *)&at, sizeof at) == 0);
    else
        CHECK(connect(fd, (const struct sockaddr *)&at, sizeof at) == 0);
    return fd;
}

/* ---- the notify protocol, sd_notify(3) ---- */

static int notify_socket(struct instance *h)
{
    char path[128];
    snprintf(path, sizeof path, "%s/notify", h->dir);
    int fd = unix_socket(path, SOCK_DGRAM, true);
    CHECK(chmod(path, 0666) == 0);
    CHECK(kw_env_give("NOTIFY_SOCKET", path));
    return fd;
}

static void await_message(int fd, const char *part)
{
    char text[1024];
    do {
        ssize_t n = recv(fd, text, sizeof text - 1, 0);
        CHECK(n > 0);
        text[n] = '\0';
    } while (strstr(text, part) == NULL);
}

TEST(notify__a_whole_life__ready_when_the_sockets_answer_status_stopping)
{
    INSTANCE(h, NULL);
    int fd = notify_socket(&h);
    instance_start(&h, NULL);
    await_message(fd, "READY=1");
    const char *const sockets[] = {h.secrets, h.bulk, h.status};
    for (size_t i = 0; i < 3; i++)
        close(unix_socket(sockets[i], SOCK_STREAM, false));
    await_message(fd, "STATUS=hsm up");
    instance_signal(&h, SIGTERM);
    await_message(fd, "STOPPING=1");
    assert_int_equal(instance_wait_end(&h), 0);
    close(fd);
    instance_destroy(&h);
}

TEST(notify__abstract_socket__the_same)
{
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    char name[64];
    INSTANCE(h, NULL);
    snprintf(name, sizeof name, "@keyward-test-%ld", (long)getpid());
    kw_copy(at.sun_path + 1, sizeof at.sun_path - 1, kw_span_str(name + 1));
    socklen_t len =
        (socklen_t)(offsetof(struct sockaddr_un, sun_path) + kw_span_str(name).len);
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    CHECK(fd >= 0 && bind(fd, (const struct sockaddr *)&at, len) == 0);
    CHECK(kw_env_give("NOTIFY_SOCKET", name));
    instance_start(&h, NULL);
    await_message(fd, "READY=1");
    close(fd); /* a manager that went away is no reason to end */
    size_t mark = instance_mark(&h);
    instance_signal(&h, SIGUSR1);
    instance_await(&h, mark, NULL, "event=cache-wiped", NULL);
    assert_int_equal(instance_stop(&h), 0);
    instance_destroy(&h);
}

TEST(notify__hsm_lost_and_back__the_manager_is_told)
{
    char away[128];
    pid_t workers[8];
    INSTANCE(h, NULL);
    int fd = notify_socket(&h);
    instance_start(&h, NULL);
    await_message(fd, "STATUS=hsm up");
    snprintf(away, sizeof away, "%s/away", h.dir);
    CHECK(rename(h.tokens, away) == 0);
    size_t n = instance_workers(&h, workers, 8);
    CHECK(n > 0);
    while (n-- > 0)
        kill(workers[n], SIGKILL);
    await_message(fd, "STATUS=hsm lost: ");
    CHECK(rename(away, h.tokens) == 0);
    await_message(fd, "STATUS=hsm up");
    close(fd);
    instance_destroy(&h);
}

TEST(watchdog__asked_for__fed_again_and_again)
{
    INSTANCE(h, NULL);
    int fd = notify_socket(&h);
    CHECK(kw_env_give("WATCHDOG_USEC", "3000000"));
    instance_start(&h, NULL);
    await_message(fd, "WATCHDOG=1");
    await_message(fd, "WATCHDOG=1");
    assert_int_equal(instance_stop(&h), 0);
    close(fd);
    instance_destroy(&h);
}

TEST(watchdog__shorter_than_the_beat__ignored_and_said)
{
    INSTANCE(h, NULL);
    int fd = notify_socket(&h);
    CHECK(kw_env_give("WATCHDOG_USEC", "100000"));
    size_t mark = instance_mark(&h);
    instance_start(&h, NULL);
    instance_await(&h, mark, NULL, "event=watchdog-ignored", "100000", NULL);
    assert_int_equal(instance_stop(&h), 0);
    close(fd);
    instance_destroy(&h);
}

static pid_t rpc_thread(pid_t daemon)
{
    char path[320], name[32];
    pid_t found = 0;
    snprintf(path, sizeof path, "/proc/%d/task", (int)daemon);
    DIR *d = opendir(path);
    CHECK(d != NULL);
    for (struct dirent *e; (e = readdir(d)) != NULL;) {
        snprintf(path, sizeof path, "/proc/%d/task/%s/comm", (int)daemon, e->d_name);
        FILE *f = fopen(path, "re");
        if (f == NULL)
            continue;
        pid_t tid = (pid_t)strtol(e->d_name, NULL, 10);
        if (fgets(name, sizeof name, f) != NULL && strcmp(name, "kw-rpc\n") == 0) {
            CHECK(found == 0);
            found = tid;
        }
        fclose(f);
    }
    closedir(d);
    CHECK(found > 0);
    return found;
}

TEST(watchdog__rpc_thread_hangs__not_fed_until_it_goes_on)
{
    char text[1024];
    kw_test_as_root(); /* nobody else may stop a thread of a process that is not dumpable */
    INSTANCE(h, NULL);
    int fd = notify_socket(&h);
    CHECK(kw_env_give("WATCHDOG_USEC", "3000000"));
    instance_start(&h, NULL);
    await_message(fd, "WATCHDOG=1");
    pid_t tid = rpc_thread(h.daemon);
    CHECK(ptrace(PTRACE_SEIZE, tid, NULL, NULL) == 0);
    CHECK(ptrace(PTRACE_INTERRUPT, tid, NULL, NULL) == 0);
    CHECK(waitpid(tid, NULL, __WALL) == tid);
    size_t mark = instance_mark(&h);
    mark = instance_await(&h, mark, NULL, "event=rpc-thread-silent", NULL);
    while (recv(fd, text, sizeof text, MSG_DONTWAIT) > 0)
        continue;
    instance_await(&h, mark, NULL, "event=rpc-thread-silent", NULL);
    for (ssize_t n; (n = recv(fd, text, sizeof text - 1, MSG_DONTWAIT)) > 0;) {
        text[n] = '\0';
        CHECK(strstr(text, "WATCHDOG=1") == NULL);
    }
    CHECK(ptrace(PTRACE_DETACH, tid, NULL, NULL) == 0);
    await_message(fd, "WATCHDOG=1");
    assert_int_equal(instance_stop(&h), 0);
    close(fd);
    instance_destroy(&h);
}

/* ---- socket activation, sd_listen_fds(3) ---- */

struct passed {
    int fds[PASSED_MAX];
    int count;
    pid_t pid; /* LISTEN_PID; 0 = the daemon's own */
};

/* In the child that becomes the daemon. */
static void pass(void *ctx)
{
    struct passed *p = ctx;
    char pid[16];
    snprintf(pid, sizeof pid, "%ld", p->pid != 0 ? (long)p->pid : (long)getpid());
    for (int i = 0; i < p->count; i++)
        if (fcntl(p->fds[i], F_DUPFD, HIGH_FD + i) != HIGH_FD + i)
            _exit(125);
    for (int i = 0; i < p->count; i++)
        if (dup2(HIGH_FD + i, FIRST_FD + i) < 0 || close(HIGH_FD + i) != 0)
            _exit(125);
    if (!kw_env_give("LISTEN_PID", pid))
        _exit(125);
}

static void give(struct instance *h, struct passed *p, const char *names)
{
    char count[8];
    snprintf(count, sizeof count, "%d", p->count);
    CHECK(kw_env_give("LISTEN_FDS", count) && kw_env_give("LISTEN_FDNAMES", names));
    h->in_child = pass;
    h->in_child_ctx = p;
}

static int listening(const char *path)
{
    int fd = unix_socket(path, SOCK_STREAM, true);
    CHECK(chmod(path, 0660) == 0 && listen(fd, 16) == 0);
    return fd;
}

static ino_t inode_of(const char *path)
{
    struct stat st;
    CHECK(stat(path, &st) == 0);
    return st.st_ino;
}

static void good_round_trip(struct instance *h, const char *socket)
{
    struct kw_client *c = instance_client(h, socket);
    instance_round_trip(c);
    kw_client_close(c);
}

TEST(activation__both_sockets__served_and_left_in_place)
{
    INSTANCE_AND_ARENA(h, NULL);
    /* The order is the manager's, the names tell which is which. */
    struct passed p = {{listening(h.bulk), listening(h.secrets)}, 2, 0};
    ino_t secrets = inode_of(h.secrets), bulk = inode_of(h.bulk);
    give(&h, &p, "bulk:secrets");
    instance_up(&h);
    good_round_trip(&h, h.secrets);
    good_round_trip(&h, h.bulk);
    assert_int_equal(instance_stop(&h), 0);
    CHECK(inode_of(h.secrets) == secrets && inode_of(h.bulk) == bulk);
    instance_up(&h); /* the manager keeps its sockets; the next one gets them too */
    good_round_trip(&h, h.secrets);
    instance_destroy(&h);
    close(p.fds[0]);
    close(p.fds[1]);
}

static void *ask_status(void *ctx)
{
    struct instance *h = ctx;
    struct kw_client *c = instance_client(h, h->secrets);
    CHECK_OK(kw_client_status(c, 60 * KW_S_NS, &reply));
    kw_client_close(c);
    return NULL;
}

TEST(activation__a_client_before_the_daemon__waits_and_is_served)
{
    struct instance h;
    pthread_t early;
    struct passed p = {.count = 2};
    kw_test_arena(1 << 20);
    instance_build(&h, NULL);
    p.fds[0] = listening(h.secrets);
    p.fds[1] = listening(h.bulk);
    give(&h, &p, "secrets:bulk");
    CHECK(pthread_create(&early, NULL, ask_status, &h) == 0);
    instance_up(&h);
    pthread_join(early, NULL);
    assert_int_equal(reply.grpc_status, 0);
    good_round_trip(&h, h.bulk);
    assert_int_equal(instance_stop(&h), 0);
    CHECK(access(h.status, F_OK) != 0 && access(h.secrets, F_OK) == 0);
    instance_destroy(&h);
    close(p.fds[0]);
    close(p.fds[1]);
}

TEST(activation__for_another_process__sockets_are_bound_as_usual)
{
    int pipes[2];
    INSTANCE_AND_ARENA(h, NULL);
    CHECK(pipe2(pipes, O_CLOEXEC) == 0);
    struct passed p = {{pipes[0]}, 1, 1};
    give(&h, &p, "secrets");
    instance_up(&h);
    good_round_trip(&h, h.secrets);
    assert_int_equal(instance_stop(&h), 0);
    instance_destroy(&h);
    close(pipes[0]);
    close(pipes[1]);
}

/* It says `what`, and ends. */
static void not_started(struct instance *h, struct passed *p, const char *names,
                        const char *what)
{
    give(h, p, names);
    size_t mark = instance_mark(h);
    instance_start(h, NULL);
    instance_await(h, mark, NULL, "event=cannot-start", what, NULL);
    assert_int_equal(instance_wait_end(h), 1);
    for (int i = 0; i < p->count; i++)
        close(p->fds[i]);
}

/* What is made, under the name "secrets", must not be taken. */
static void refused(int (*make)(struct instance *h), const char *remedy)
{
    INSTANCE(h, NULL);
    struct passed p = {{make(&h), listening(h.bulk)}, 2, 0};
    not_started(&h, &p, "secrets:bulk", remedy);
    instance_destroy(&h);
}

static int datagram(struct instance *h)
{
    return unix_socket(h->secrets, SOCK_DGRAM, true);
}

static int not_listening(struct instance *h)
{
    return unix_socket(h->secrets, SOCK_STREAM, true);
}

static int other_path(struct instance *h)
{
    char path[160];
    snprintf(path, sizeof path, "%s.other", h->bulk);
    return listening(path);
}

static int for_everybody(struct instance *h)
{
    int fd = listening(h->secrets);
    CHECK(chmod(h->secrets, 0666) == 0);
    return fd;
}

static int a_file(struct instance *h)
{
    int fd = open(h->config, O_RDONLY | O_CLOEXEC);
    CHECK(fd >= 0);
    return fd;
}

TEST(activation__wrong_kind_of_descriptor__refused_by_name)
{
    refused(datagram, "ListenStream=");
    refused(not_listening, "ListenStream=");
    refused(other_path, "ListenStream=");
    refused(a_file, "ListenStream=");
    refused(for_everybody, "SocketMode=");
}

/* Where each of these was silent, clients waited in a socket that nobody served. */
static void names_refused(const char *names, int count, const char *what)
{
    INSTANCE(h, NULL);
    char more[160];
    snprintf(more, sizeof more, "%s.more", h.bulk);
    struct passed p = {{listening(h.secrets)}, count, 0};
    if (count > 1)
        p.fds[1] = listening(h.bulk);
    if (count > 2)
        p.fds[2] = listening(more);
    not_started(&h, &p, names, what);
    instance_destroy(&h);
}

TEST(activation__a_socket_too_many_or_too_few__refused_by_name)
{
    names_refused("secrets", 1, "keyward@bulk.socket");
    names_refused("secrets:bulk:configmaps", 3, "configmaps");
    names_refused("secrets:bulk:bulk", 3, "two passed sockets");
    names_refused("secrets:keyward@bulk.socket", 2, "FileDescriptorName=");
}

/* ---- the command line ---- */

static void keywardd(struct instance *h, int status, const char *option, const char *file)
{
    kw_run(&ran, (const char *const[]){h->keywardd, option, file, NULL});
    if (ran.status != status)
        fail_msg("keywardd %s: exit status %d: %s", option, ran.status, ran.err);
}

TEST(command_line__asks_for_text__text_and_exit_0)
{
    INSTANCE(h, NULL);
    keywardd(&h, 0, "--help", NULL);
    CHECK_HAS(ran.out, "usage: keywardd");
    CHECK_HAS(ran.out, "SIGHUP");
    keywardd(&h, 0, "--version", NULL);
    CHECK(strncmp(ran.out, "keywardd ", 9) == 0);
    keywardd(&h, 0, "--describe-config", NULL);
    CHECK_HAS(ran.out, "on-hsm-loss");
    CHECK_HAS(ran.out, "hsm.deadline");
    instance_destroy(&h);
}

TEST(command_line__wrong__usage_on_stderr_and_exit_2)
{
    INSTANCE(h, NULL);
    static const char *const wrong[][2] = {
        {"--frobnicate", NULL}, {"--config", NULL}, {"surplus", NULL}, {"-x", NULL}};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        keywardd(&h, 2, wrong[i][0], wrong[i][1]);
        CHECK_HAS(ran.err, "usage: keywardd");
        CHECK_STR(ran.out, "");
    }
    instance_destroy(&h);
}

TEST(check_config__good_bad_and_missing__0_1_1)
{
    INSTANCE(h, NULL);
    keywardd(&h, 0, "--check-config", h.config);
    CHECK_HAS(ran.out, "configuration OK");
    instance_edit(&h, "scope: secrets", "scope: SECRETS");
    keywardd(&h, 1, "--check-config", h.config);
    CHECK_HAS(ran.err, h.config);
    CHECK_HAS(ran.err, "scope");
    instance_edit(&h, "scope: SECRETS", "scope: secrets\n    scope: again");
    keywardd(&h, 1, "--check-config", h.config);
    keywardd(&h, 1, "--check-config", "/nonexistent/keyward.yaml");
    CHECK_HAS(ran.err, "/nonexistent/keyward.yaml");
    instance_destroy(&h);
}

/* Without the word that marks what was not written. */
static void unmark(char *text)
{
    for (char *at; (at = strstr(text, "  # default")) != NULL;)
        memmove(at, at + 11, strlen(at + 11) + 1);
}

TEST(print_config__what_it_prints__loads_again_and_means_the_same)
{
    static char first[sizeof ran.out];
    INSTANCE_AND_ARENA(h, NULL);
    keywardd(&h, 0, "--print-config", h.config);
    CHECK_HAS(ran.out, "# default");
    CHECK_HAS(ran.out, "deadline: 1s");
    CHECK_OK(kw_file_replace(h.config, kw_span_str(ran.out), 0644, NULL));
    unmark(ran.out);
    snprintf(first, sizeof first, "%s", ran.out);
    keywardd(&h, 0, "--print-config", h.config);
    unmark(ran.out);
    CHECK_STR(ran.out, first);
    instance_up(&h);
    good_round_trip(&h, h.secrets);
    instance_destroy(&h);
}

/* ---- the status socket and `keyward status` ---- */

static void whole_document(const char *text)
{
    size_t len = strlen(text);
    CHECK(len > 2 && text[0] == '{' && text[len - 1] == '}');
    CHECK_HAS(text, "\"health\":{\"state\":\"up\"");
    CHECK_HAS(text, "\"locked_memory\"");
}

static void *read_status(void *ctx)
{
    char text[65536];
    for (int i = 0; i < 10; i++) {
        instance_status(ctx, text, sizeof text);
        whole_document(text);
    }
    return NULL;
}

TEST(status_socket__many_readers_at_once__each_one_whole_document)
{
    struct instance h;
    pthread_t readers[16];
    enum { RUDE = 100 };
    int rude[RUDE];
    kw_test_arena(1 << 20);
    instance_build(&h, NULL);
    instance_up(&h);
    /* Connected, and never reading: 100 of them cost nobody anything. */
    for (size_t i = 0; i < RUDE; i++)
        rude[i] = unix_socket(h.status, SOCK_STREAM, false);
    for (size_t i = 0; i < 16; i++)
        CHECK(pthread_create(&readers[i], NULL, read_status, &h) == 0);
    for (size_t i = 0; i < 16; i++)
        pthread_join(readers[i], NULL);
    for (size_t i = 0; i < RUDE; i++)
        close(rude[i]);
    good_round_trip(&h, h.secrets);
    assert_int_equal(instance_stop(&h), 0);
    CHECK(access(h.status, F_OK) != 0);
    instance_destroy(&h);
}

TEST(status_verb__up_rejected_gone__0_1_3_and_2_for_wrong_usage)
{
    char out[65536];
    struct kw_blob good = {0};
    INSTANCE(h, NULL);
    assert_int_equal(instance_tool(&h, out, sizeof out, "status", NULL), 3);
    CHECK_HAS(out, "is keywardd running?");
    instance_up(&h);
    assert_int_equal(instance_tool(&h, out, sizeof out, "status", NULL), 0);
    CHECK_HAS(out, "well: the HSM is up");
    assert_int_equal(instance_tool(&h, out, sizeof out, "status", "--json", NULL), 0);
    CHECK(out[0] == '{');
    assert_int_equal(instance_tool(&h, out, sizeof out, "status", "--nonsense", NULL), 2);
    CHECK_OK(kw_file_read(h.keyring, 1 << 20, &good, NULL));
    CHECK_OK(kw_file_replace(h.keyring, kw_span_str("{}"), 0644, NULL));
    size_t mark = instance_mark(&h);
    instance_signal(&h, SIGHUP);
    instance_await(&h, mark, NULL, "event=keyring-rejected", NULL);
    assert_int_equal(instance_tool(&h, out, sizeof out, "status", NULL), 1);
    CHECK_HAS(out, h.keyring);
    CHECK_OK(kw_file_replace(h.keyring, kw_blob_peek(&good), 0644, NULL));
    mark = instance_mark(&h);
    instance_signal(&h, SIGHUP);
    instance_await(&h, mark, NULL, "event=keyring-loaded", NULL);
    assert_int_equal(instance_tool(&h, out, sizeof out, "status", NULL), 0);
    instance_stop(&h);
    assert_int_equal(instance_tool(&h, out, sizeof out, "status", NULL), 3);
    kw_blob_wipe(&good);
    instance_destroy(&h);
}

KW_CASES("12-service",
         CASE(notify__a_whole_life__ready_when_the_sockets_answer_status_stopping),
         CASE(notify__abstract_socket__the_same),
         CASE(notify__hsm_lost_and_back__the_manager_is_told),
         CASE(watchdog__asked_for__fed_again_and_again),
         CASE(watchdog__shorter_than_the_beat__ignored_and_said),
         CASE(watchdog__rpc_thread_hangs__not_fed_until_it_goes_on),
         CASE(activation__both_sockets__served_and_left_in_place),
         CASE(activation__a_client_before_the_daemon__waits_and_is_served),
         CASE(activation__for_another_process__sockets_are_bound_as_usual),
         CASE(activation__wrong_kind_of_descriptor__refused_by_name),
         CASE(activation__a_socket_too_many_or_too_few__refused_by_name),
         CASE(command_line__asks_for_text__text_and_exit_0),
         CASE(command_line__wrong__usage_on_stderr_and_exit_2),
         CASE(check_config__good_bad_and_missing__0_1_1),
         CASE(print_config__what_it_prints__loads_again_and_means_the_same),
         CASE(status_socket__many_readers_at_once__each_one_whole_document),
         CASE(status_verb__up_rejected_gone__0_1_3_and_2_for_wrong_usage))
