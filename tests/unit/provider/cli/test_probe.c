/* SPDX-License-Identifier: Apache-2.0 */
/* The probe against a server that breaks the rules: it must say which. */
#include <fcntl.h>
#include <pthread.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <keyward/file.h>

#include "rpc_rig.h"
#include "run.h"

extern char **environ;

static struct kw_run r;

static int probe(struct rig *rig, const char *rounds)
{
    kw_run(&r,
           (const char *const[]){KEYWARD, "probe", rig->path, "--rounds", rounds, NULL});
    return r.status;
}

/* The fake opens everything to one and the same seed. */
TEST(decrypt_gives_other_bytes_and_opens_forgeries__fails_on_both)
{
    struct rig *rig = rig_new();
    kw_run(&r, (const char *const[]){KEYWARD, "probe", rig->path, "--rounds", "0",
                                     "--negative", NULL});
    CHECK(r.status == 1);
    CHECK_HAS(r.out, "ok    Status");
    CHECK_HAS(r.out, "ok    same key_id");
    CHECK_HAS(r.out, "FAIL  round trip");
    CHECK_HAS(r.out, "FAIL  tampered");
    rig_free(rig);
}

/* As EncryptionConfiguration spells it, and as gRPC does, too. */
TEST(endpoint_of_kube_apiserver__is_the_socket)
{
    static const char *const schemes[] = {"unix://", "unix:"};
    struct rig *rig = rig_new();
    for (size_t i = 0; i < sizeof schemes / sizeof schemes[0]; i++) {
        char endpoint[256];
        CHECK(snprintf(endpoint, sizeof endpoint, "%s%s", schemes[i], rig->path) > 0);
        kw_run(&r,
               (const char *const[]){KEYWARD, "probe", endpoint, "--rounds", "0", NULL});
        CHECK_HAS(r.out, "ok    Status");
    }
    rig_free(rig);
}

TEST(word_that_is_neither_file_nor_class__said)
{
    kw_run(&r, (const char *const[]){KEYWARD, "probe", "secrets", "--config",
                                     "/nonexistent/keyward.yaml", NULL});
    CHECK(r.status != 0);
    CHECK_HAS(r.err, "secrets: no socket, and whether it is a class is not known");
}

TEST(encrypt_is_refused__fails_with_the_servers_word)
{
    struct rig *rig = rig_new();
    rig->kms.answer = kw_err_at(KW_CODE_HSM_DOWN, "test");
    CHECK(probe(rig, "0") == 1);
    CHECK_HAS(r.out, "ok    Status");
    CHECK_HAS(r.out, "FAIL  Encrypt");
    CHECK_HAS(r.out, "UNAVAILABLE");
    CHECK_HAS(r.out, rig->path);
    CHECK_HAS(r.out, "-> keyward status, and the daemon's log, say why");
    CHECK_HAS(r.out,
              "-     not tried          Decrypt, a tampered ciphertext, the rounds");
    CHECK(kms_begun(rig) == 2);
    rig_free(rig);
}

TEST(ciphertext_is_the_plaintext__fails)
{
    struct rig *rig = rig_new_echo();
    CHECK(probe(rig, "0") == 1);
    CHECK_HAS(r.out, "FAIL  ciphertext");
    rig_free(rig);
}

TEST(key_id_that_steers_the_terminal__shown_without_it)
{
    struct rig *rig = rig_new_echo();
    CHECK(pthread_mutex_lock(&rig->kms.mutex) == 0);
    rig->kms.key_id = "kw1\xc2\x9b"
                      "2J\x1b[1A\xe2\x80\x8f";
    CHECK(pthread_mutex_unlock(&rig->kms.mutex) == 0);
    CHECK(probe(rig, "0") == 1);
    CHECK_HAS(r.out, "same key_id        kw1?2J?[1A?\n");
    for (char *end = r.out; (end = strchr(end, '\n')) != NULL;)
        *end = ' ';
    CHECK(kw_is_printable_text(kw_span_str(r.out)));
    rig_free(rig);
}

/* Nothing that must fail, and nothing besides. */
TEST(rounds__as_many_calls_of_each_kind)
{
    struct rig *rig = rig_new();
    CHECK(probe(rig, "5") == 1);
    CHECK_HAS(r.out, "-     tampered           not tried");
    CHECK_HAS(r.out, "Status x 5");
    CHECK_HAS(r.out, "Encrypt x 5");
    CHECK_HAS(r.out, "ok    Decrypt x 5");
    CHECK(kms_begun(rig) == 3 + 3 * 5 && kms_refused(rig) == 0);
    CHECK(r.err[0] == '\0');
    rig_free(rig);
}

TEST(negative__one_call_more)
{
    struct rig *rig = rig_new();
    kw_run(&r, (const char *const[]){KEYWARD, "probe", rig->path, "--rounds", "5",
                                     "--json", "--negative", NULL});
    CHECK_HAS(r.out, "\"tampered\"");
    CHECK(strstr(r.out, "not tried") == NULL);
    CHECK(kms_begun(rig) == 4 + 3 * 5);
    rig_free(rig);
}

/* Records name a UUID as it is, and nothing else. */
TEST(requests__have_a_uuid_as_kube_apiservers_do)
{
    static const char shape[] = "xxxxxxxx-xxxx-4xxx-vxxx-xxxxxxxxxxxx";
    struct rig *rig = rig_new();
    CHECK(probe(rig, "0") == 1);
    const kw_span uid = kms_seen(rig).call.uid;
    CHECK(uid.len == sizeof shape - 1);
    const char *shown = strstr(r.out, "request ");
    CHECK(shown != NULL);
    shown = strstr(shown + 1, "request "); /* of Decrypt, the last one */
    CHECK(shown != NULL);
    shown += strlen("request ");
    for (size_t i = 0; i < sizeof shape - 1; i++) {
        const char *of = shape[i] == 'x' ? "0123456789abcdef" : "89ab";
        CHECK(shape[i] == 'x' || shape[i] == 'v' ? strchr(of, shown[i]) != NULL
                                                 : shown[i] == shape[i]);
    }
    rig_free(rig);
}

/* ---- nobody answers ---- */

/* Nothing but one error, with the socket in it. */
static void dead(const char *socket, int status, const char *said)
{
    kw_run(&r, (const char *const[]){KEYWARD, "probe", socket, NULL});
    CHECK(r.status == status);
    CHECK(r.out[0] == '\0');
    CHECK_HAS(r.err, socket);
    CHECK_HAS(r.err, said);
    CHECK(strchr(r.err, '\n') == r.err + strlen(r.err) - 1);
}

TEST(nobody_to_connect_to__one_error)
{
    struct rig *rig = rig_new();
    rig_free_rpc(rig);
    dead(rig->dir, 1, "a folder, no socket");
    dead(rig->path, 3, "nobody listens there");
    CHECK(unlink(rig->path) == 0);
    dead(rig->path, 3, "there is no such socket");
    kw_run(&r, (const char *const[]){KEYWARD, "probe", rig->path, "--json", NULL});
    CHECK(r.status == 3);
    CHECK_HAS(r.out, "\"code\": \"missing\"");
    rig_free(rig);
}

static int listen_beside(const struct rig *rig, char path[128])
{
    struct sockaddr_un name = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    snprintf(path, 128, "%s/other", rig->dir);
    CHECK(fd >= 0 && kw_copy_str(name.sun_path, sizeof name.sun_path, kw_span_str(path)));
    CHECK(bind(fd, (const struct sockaddr *)&name, sizeof name) == 0);
    CHECK(listen(fd, 64) == 0);
    return fd;
}

TEST(server_accepts_and_says_nothing__one_error_after_the_timeout)
{
    char path[128];
    struct rig *rig = rig_new();
    int fd = listen_beside(rig, path);
    kw_run(&r, (const char *const[]){KEYWARD, "probe", path, "--timeout", "50ms", NULL});
    CHECK(r.status == 3 && r.out[0] == '\0');
    CHECK_HAS(r.err, path);
    CHECK_HAS(r.err, "says nothing");
    CHECK(close(fd) == 0 && unlink(path) == 0);
    rig_free(rig);
}

static void *close_each(void *fd)
{
    for (int peer; (peer = accept4(*(int *)fd, NULL, NULL, SOCK_CLOEXEC)) >= 0;)
        close(peer);
    return NULL;
}

/* As keywardd does to whoever is none of the class's peers.  The timeout is never waited
 * for. */
TEST(server_closes_each_connection__one_error_at_once)
{
    char path[128];
    pthread_t closer;
    struct rig *rig = rig_new();
    int fd = listen_beside(rig, path);
    CHECK(pthread_create(&closer, NULL, close_each, &fd) == 0);
    kw_run(&r, (const char *const[]){KEYWARD, "probe", path, "--timeout", "1h", NULL});
    CHECK(r.status == 1 && r.out[0] == '\0');
    CHECK_HAS(r.err, path);
    CHECK_HAS(r.err, "classes[].peers");
    CHECK(shutdown(fd, SHUT_RDWR) == 0 && pthread_join(closer, NULL) == 0);
    CHECK(close(fd) == 0 && unlink(path) == 0);
    rig_free(rig);
}

/* ---- somebody did ---- */

/* So many calls that a probe which goes on is one that ctest ends. */
#define MANY "1000000"

static void *end_server(void *self)
{
    kms_await_begun(self, 50);
    rig_free_rpc(self);
    return NULL;
}

static void *refuse_all(void *self)
{
    struct rig *rig = self;
    kms_await_begun(rig, 50);
    CHECK(pthread_mutex_lock(&rig->kms.mutex) == 0);
    rig->kms.answer = kw_err_at(KW_CODE_HSM_DOWN, "test");
    CHECK(pthread_mutex_unlock(&rig->kms.mutex) == 0);
    return NULL;
}

TEST(server_dies_in_the_middle__ends_at_that_call)
{
    struct rig *rig = rig_new();
    pthread_t other;
    CHECK(pthread_create(&other, NULL, end_server, rig) == 0);
    kw_run(&r, (const char *const[]){KEYWARD, "probe", rig->path, "--rounds", MANY,
                                     "--timeout", "1h", "--json", NULL});
    CHECK(pthread_join(other, NULL) == 0);
    CHECK(r.status == 1);
    CHECK_HAS(r.out, "\"ok\": false");
    CHECK_HAS(r.out, "of " MANY ": ");
    CHECK_HAS(r.out, rig->path);
    CHECK(r.err[0] == '\0');
    CHECK_HAS(r.out, "Status x " MANY);
    CHECK_HAS(r.out, "the server went away in the middle of the run: ");
    CHECK_HAS(r.out, "nobody listens there");
    CHECK(strstr(r.out, "Encrypt x") == NULL);
    rig_free(rig);
}

/* As it goes on with Status, the rounds of Encrypt have to be reached. */
TEST(server_is_unavailable_in_the_middle__ends_at_that_call)
{
    struct rig *rig = rig_new();
    pthread_t other;
    CHECK(pthread_create(&other, NULL, refuse_all, rig) == 0);
    kw_run(&r, (const char *const[]){KEYWARD, "probe", rig->path, "--rounds", "100",
                                     "--timeout", "1h", NULL});
    CHECK(pthread_join(other, NULL) == 0);
    CHECK(r.status == 1);
    CHECK_HAS(r.out, "FAIL  Encrypt x 100      call 1 of 100: ");
    CHECK_HAS(r.out, "UNAVAILABLE");
    CHECK(strstr(r.out, "Decrypt x") == NULL);
    CHECK(kms_begun(rig) == 3 + 100 + 1);
    rig_free(rig);
}

TEST(call_is_never_answered__fails_after_the_timeout)
{
    struct rig *rig = rig_new();
    kms_park(rig, true);
    kw_run(&r,
           (const char *const[]){KEYWARD, "probe", rig->path, "--timeout", "2s", NULL});
    CHECK(r.status == 1);
    CHECK_HAS(r.out, "FAIL  Encrypt");
    CHECK_HAS(r.out, "no answer to Encrypt within 2s");
    kms_finish(rig, KW_OK);
    rig_free(rig);
}

/* ---- what a terminal shows ---- */

/* Until the other side is closed; Encrypt is answered when the terminal said that it is
 * waited for. */
static void read_terminal(struct rig *rig, int master, char *dst, size_t cap)
{
    size_t len = 0;
    ssize_t n;
    bool answered = false;
    while (len < cap - 1 && (n = read(master, dst + len, cap - 1 - len)) > 0) {
        len += (size_t)n;
        dst[len] = '\0';
        if (!answered && strstr(dst, "Encrypt, 1 s") != NULL) {
            kms_park(rig, false);
            kms_finish(rig, KW_OK);
            answered = true;
        }
    }
}

TEST(errors_go_to_a_terminal__a_line_says_what_is_waited_for_and_goes)
{
    static char said[4096];
    struct rig *rig = rig_new();
    const char *const argv[] = {KEYWARD,    "probe", rig->path, "--timeout", "1h",
                                "--rounds", "0",     "--json",  NULL};
    posix_spawn_file_actions_t files;
    pid_t pid = 0;
    kms_park(rig, true);
    int master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
    CHECK(master >= 0 && grantpt(master) == 0 && unlockpt(master) == 0);
    posix_spawn_file_actions_init(&files);
    posix_spawn_file_actions_addopen(&files, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
    posix_spawn_file_actions_addopen(&files, STDERR_FILENO, ptsname(master),
                                     O_WRONLY | O_NOCTTY, 0);
    CHECK(posix_spawn(&pid, argv[0], &files, NULL, (char *const *)(uintptr_t)argv,
                      environ) == 0);
    posix_spawn_file_actions_destroy(&files);
    read_terminal(rig, master, said, sizeof said);
    close(master);
    CHECK(waitpid(pid, NULL, 0) == pid);
    CHECK_HAS(said, "\rEncrypt, 1 s");
    CHECK(said[strlen(said) - 1] == '\r');
    rig_free(rig);
}

/* A configuration whose class has the rig's socket. */
static void configure(const struct rig *rig, const char *dir, char path[96])
{
    char text[1024];
    snprintf(path, 96, "%s/keyward.yaml", dir);
    snprintf(text, sizeof text,
             "domain: demo\nenvironment: test\nkeyring: %s/keyring.json\nstate: "
             "%s\nhsm:\n  tokens:\n"
             "    - uri: \"pkcs11:token=t\"\n      module: /m.so\n"
             "      pin: file:%s/pin\nclasses:\n  - name: secrets\n    scope: secrets\n"
             "    socket: %s\n",
             dir, dir, dir, rig->path);
    CHECK_OK(kw_file_replace(path, kw_span_str(text), 0600, NULL));
}

/* The folder that one stands in may have any files. */
TEST(class_and_a_folder_of_its_name__the_class)
{
    char dir[] = "/tmp/keyward-probe-XXXXXX", config[96], folder[96], was[512];
    struct rig *rig = rig_new();
    CHECK(mkdtemp(dir) != NULL && getcwd(was, sizeof was) != NULL);
    snprintf(folder, sizeof folder, "%s/secrets", dir);
    configure(rig, dir, config);
    CHECK(mkdir(folder, 0700) == 0 && chdir(dir) == 0);
    kw_run(&r, (const char *const[]){KEYWARD, "probe", "secrets", "--rounds", "0",
                                     "--config", config, NULL});
    CHECK(chdir(was) == 0);
    CHECK_HAS(r.out, "ok    Status");
    CHECK(rmdir(folder) == 0 && unlink(config) == 0 && rmdir(dir) == 0);
    rig_free(rig);
}

/* The fake's ciphertexts are none of keyward's, and open to other bytes: no sample. */
TEST(sample__of_a_socket_that_fails_or_of_no_class__none_is_kept)
{
    char dir[] = "/tmp/keyward-probe-XXXXXX", config[96], file[96];
    struct rig *rig = rig_new();
    CHECK(mkdtemp(dir) != NULL);
    snprintf(file, sizeof file, "%s/sample", dir);
    configure(rig, dir, config);
    kw_run(&r, (const char *const[]){KEYWARD, "probe", rig->path, "--rounds", "0",
                                     "--sample", file, "--config", config, NULL});
    CHECK(r.status == 1 && access(file, F_OK) != 0);
    CHECK_HAS(r.out, "FAIL  round trip");
    kw_run(&r, (const char *const[]){KEYWARD, "probe", dir, "--sample", file, "--config",
                                     config, NULL});
    CHECK(r.status == 1 && access(file, F_OK) != 0);
    CHECK_HAS(r.err, "the socket of no class");
    kw_run(&r, (const char *const[]){KEYWARD, "probe", rig->path, "--sample", config,
                                     "--config", config, NULL});
    CHECK(r.status == 1);
    CHECK_HAS(r.err, "written over nothing");
    kw_run(&r, (const char *const[]){KEYWARD, "probe", rig->path, "--sample", file,
                                     "--config", "/nonexistent/keyward.yaml", NULL});
    CHECK(r.status == 3 && access(file, F_OK) != 0);
    CHECK_HAS(r.err, "--sample wants the daemon's configuration (--config)");
    CHECK_HAS(r.err, "/nonexistent/keyward.yaml");
    kw_run(&r, (const char *const[]){KEYWARD, "probe", "--help", NULL});
    CHECK_HAS(r.out, "--sample also wants the configuration of the daemon behind SOCKET");
    CHECK(unlink(config) == 0 && rmdir(dir) == 0);
    rig_free(rig);
}

KW_CASES("provider/cli/probe", CASE(endpoint_of_kube_apiserver__is_the_socket),
         CASE(word_that_is_neither_file_nor_class__said),
         CASE(class_and_a_folder_of_its_name__the_class),
         CASE(sample__of_a_socket_that_fails_or_of_no_class__none_is_kept),
         CASE(decrypt_gives_other_bytes_and_opens_forgeries__fails_on_both),
         CASE(encrypt_is_refused__fails_with_the_servers_word),
         CASE(ciphertext_is_the_plaintext__fails),
         CASE(key_id_that_steers_the_terminal__shown_without_it),
         CASE(rounds__as_many_calls_of_each_kind), CASE(negative__one_call_more),
         CASE(requests__have_a_uuid_as_kube_apiservers_do),
         CASE(nobody_to_connect_to__one_error),
         CASE(server_accepts_and_says_nothing__one_error_after_the_timeout),
         CASE(server_closes_each_connection__one_error_at_once),
         CASE(server_dies_in_the_middle__ends_at_that_call),
         CASE(server_is_unavailable_in_the_middle__ends_at_that_call),
         CASE(call_is_never_answered__fails_after_the_timeout),
         CASE(errors_go_to_a_terminal__a_line_says_what_is_waited_for_and_goes))
