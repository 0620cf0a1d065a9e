/* SPDX-License-Identifier: Apache-2.0 */
/* keyward quarantine clear against a socket that says what the case wants: this process
 * listens there, so that it gets the signal. */
#include "check.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <keyward/file.h>

#include "run.h"

#define HELD "{\"quarantine\": [{\"input\": \"ab\", \"until\": \"t\"}], \"pid\": 1}"
#define NONE "{\"quarantine\": [], \"pid\": 1}"

struct daemon {
    int listening;
    const char *const *says; /* one after the other */
};

static struct kw_run r;
static atomic_uint signals;
static char dir[64], path[96], config[96], state_dir[96], record[160];

/* A node's configuration and state directory; a daemon's user is not root. */
static void begin(void)
{
    char text[1024];
    snprintf(dir, sizeof dir, "/tmp/keyward-clear-XXXXXX");
    CHECK(mkdtemp(dir) != NULL && chmod(dir, 0755) == 0);
    snprintf(path, sizeof path, "%s/s", dir);
    snprintf(config, sizeof config, "%s/keyward.yaml", dir);
    snprintf(state_dir, sizeof state_dir, "%s/state", dir);
    snprintf(record, sizeof record, "%s/operator.jsonl", state_dir);
    CHECK(mkdir(state_dir, 0700) == 0);
    if (geteuid() == 0)
        CHECK(chown(state_dir, 65534, 65534) == 0);
    snprintf(text, sizeof text,
             "domain: demo\nenvironment: test\nkeyring: %s/keyring.json\nstate: %s\n"
             "hsm:\n  tokens:\n    - uri: \"pkcs11:token=t\"\n      module: /m.so\n"
             "      pin: file:%s/pin\nclasses:\n  - name: secrets\n    scope: secrets\n"
             "    socket: %s/k\n",
             dir, state_dir, dir, dir);
    CHECK_OK(kw_file_replace(config, kw_span_str(text), 0600, NULL));
}

static void end(void)
{
    struct kw_run rm;
    kw_run(&rm, (const char *const[]){"/bin/rm", "-r", dir, NULL});
    CHECK(rm.status == 0);
}

/* How often the log says this. */
static size_t recorded(const char *outcome)
{
    char want[160];
    size_t n = 0;
    struct kw_blob bytes = {0};
    kw_err e = kw_file_read(record, 1 << 16, &bytes, NULL);
    if (e.code == KW_CODE_MISSING)
        return 0;
    CHECK_OK(e);
    snprintf(want, sizeof want, "\"outcome\":\"%s\"", outcome);
    for (kw_span rest = kw_blob_peek(&bytes);;) {
        const uint8_t *at = memmem(rest.ptr, rest.len, want, strlen(want));
        if (at == NULL)
            break;
        n++;
        rest = kw_span_of(at + 1, (size_t)(rest.ptr + rest.len - at) - 1);
    }
    kw_blob_wipe(&bytes);
    return n;
}

static void on_signal(int signo)
{
    (void)signo;
    signals++;
}

static void *answer(void *self)
{
    struct daemon *d = self;
    for (size_t i = 0; d->says[i] != NULL; i++) {
        int fd = accept(d->listening, NULL, NULL);
        size_t len = strlen(d->says[i]);
        KW_INVARIANT(fd >= 0 && write(fd, d->says[i], len) == (ssize_t)len);
        close(fd);
    }
    return NULL;
}

static int clear(const char *const *says, const char *json)
{
    struct daemon d = {.says = says};
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    pthread_t thread;
    signals = 0;
    CHECK(signal(SIGUSR2, on_signal) != SIG_ERR);
    CHECK(kw_copy_str(at.sun_path, sizeof at.sun_path, kw_span_str(path)));
    d.listening = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    CHECK(bind(d.listening, (struct sockaddr *)&at, sizeof at) == 0);
    CHECK(listen(d.listening, 1) == 0);
    CHECK(pthread_create(&thread, NULL, answer, &d) == 0);
    kw_run(&r,
           (const char *const[]){KEYWARD, "quarantine", "clear", "--socket", path,
                                 "--config", config, "--ticket", "CHG-1", json, NULL});
    pthread_join(thread, NULL);
    close(d.listening);
    unlink(path);
    return r.status;
}

TEST(nobody_answers__three)
{
    kw_run(&r, (const char *const[]){KEYWARD, "quarantine", "clear", "--socket",
                                     "/nonexistent/s", "--config", config, NULL});
    CHECK(r.status == 3);
    CHECK_HAS(r.err, "is keywardd running?");
    CHECK(recorded("begun") == 0);
}

/* SIGUSR2 would end one that does not know it. */
TEST(daemon_that_knows_no_quarantine__one_and_no_signal)
{
    CHECK(clear((const char *const[]){"{\"pid\": 1}", NULL}, NULL) == 1);
    CHECK(clear((const char *const[]){"not json", NULL}, NULL) == 1);
    CHECK(signals == 0);
    CHECK_HAS(r.err, "a restart of keywardd lifts it");
}

TEST(one_held__signalled_once_and_good_when_it_is_gone)
{
    CHECK(clear((const char *const[]){HELD, HELD, NONE, NULL}, NULL) == 0);
    CHECK(signals == 1);
    CHECK_STR(r.out, "1 ciphertext may be tried again\n");
    CHECK(recorded("begun") == 1 && recorded("done") == 1);
}

TEST(none_held__signalled_all_the_same)
{
    CHECK(clear((const char *const[]){NONE, NULL}, "--json") == 0);
    CHECK(signals == 1);
    CHECK_HAS(r.out, "\"cleared\": 0");
}

TEST(no_place_for_the_record__no_signal)
{
    CHECK(mkdir(record, 0700) == 0);
    CHECK(clear((const char *const[]){HELD, NULL}, NULL) == 3);
    CHECK(signals == 0);
    CHECK_HAS(r.err, "cannot be put on record, so nothing was done");
    CHECK(unlink(config) == 0);
    kw_run(&r, (const char *const[]){KEYWARD, "quarantine", "clear", "--socket", path,
                                     "--config", config, NULL});
    CHECK(r.status == 3);
    CHECK_HAS(r.err, "it says where operator.jsonl lies");
}

TEST(ticket_that_no_record_takes__two)
{
    kw_run(&r,
           (const char *const[]){KEYWARD, "quarantine", "clear", "--ticket", "\"", NULL});
    CHECK(r.status == 2);
}

KW_SUITE_AROUND("provider/cli/quarantine_clear", begin, end)
