/* SPDX-License-Identifier: Apache-2.0 */
/* The verb without a daemon. */
#include "check.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "run.h"
#include "support_rig.h"

static struct kw_run r;

#define RUN(...) kw_run(&r, (const char *const[]){KEYWARD, "support", __VA_ARGS__, NULL})

TEST(verb__wrong_usage__two)
{
    RUN("--config", "/nonexistent");
    CHECK(r.status == 2);
    CHECK_HAS(r.err, "--out FILE");
    RUN("--out", "x", "--at", "soon");
    CHECK(r.status == 2);
    RUN("--out", "x", "--at", "2250-01-01"); /* tar's numbers end in 2242 */
    CHECK(r.status == 2);
    CHECK_HAS(r.err, "2242");
    RUN("--out", "x", "--unit", "/etc");
    CHECK(r.status == 2);
}

TEST(verb__file_is_there__refused_and_untouched)
{
    struct stat st;
    begin();
    FILE *f = fopen(path, "we");
    CHECK(f != NULL && fclose(f) == 0);
    RUN("--out", path, "--config", "/nonexistent");
    CHECK(r.status == 1);
    CHECK_HAS(r.err, path);
    CHECK(stat(path, &st) == 0 && st.st_size == 0);
    end();
}

TEST(verb__no_configuration_and_no_daemon__good_and_said)
{
    struct stat st;
    begin();
    RUN("--out", path, "--config", "/nonexistent/keyward.yaml", "--at", "2026-01-31");
    CHECK(r.status == 0);
    CHECK_HAS(r.err, "not looked at: the configuration: /nonexistent/keyward.yaml");
    CHECK_HAS(r.err, "not looked at: status: ");
    CHECK(stat(path, &st) == 0 && (st.st_mode & 07777) == 0600);
    kw_run(&r, (const char *const[]){"/bin/tar", "xOf", path,
                                     "keyward-support/README.txt", NULL});
    CHECK(r.status == 0);
    CHECK_HAS(r.out, "keyward support, 2026-01-31T00:00:00");
    CHECK_HAS(r.out, "Left out, always:");
    CHECK_HAS(r.out, "the configuration: /nonexistent/keyward.yaml");
    end();
}

static void *answer(void *listening)
{
    static const char text[] = "a\x1b[2Jb\xc2\x9b"
                               "c \xc3\xa4\n";
    const int fd = accept(*(int *)listening, NULL, NULL);
    KW_MUST(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text));
    close(fd);
    return NULL;
}

/* Who answers on the socket, or wrote a file, may be anybody. */
TEST(verb__control_characters_in_an_answer__not_in_the_archive)
{
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    char config[128];
    pthread_t thread;
    begin();
    snprintf(config, sizeof config, "%s/c", dir);
    snprintf(at.sun_path, sizeof at.sun_path, "%s/s", dir);
    FILE *f = fopen(config, "we");
    CHECK(f != NULL && fprintf(f, "status: %s\n", at.sun_path) > 0 && fclose(f) == 0);
    int listening = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    CHECK(bind(listening, (struct sockaddr *)&at, sizeof at) == 0);
    CHECK(listen(listening, 8) == 0);
    CHECK(pthread_create(&thread, NULL, answer, &listening) == 0);
    RUN("--out", path, "--config", config);
    CHECK(r.status == 0);
    pthread_join(thread, NULL);
    kw_run(&r, (const char *const[]){"/bin/tar", "xOf", path,
                                     "keyward-support/status.json", NULL});
    CHECK_STR(r.out, "a?[2Jb?c \xc3\xa4\n");
    close(listening);
    unlink(at.sun_path);
    unlink(config);
    end();
}

KW_CASES("provider/cli/support_verb", CASE(verb__wrong_usage__two),
         CASE(verb__control_characters_in_an_answer__not_in_the_archive),
         CASE(verb__file_is_there__refused_and_untouched),
         CASE(verb__no_configuration_and_no_daemon__good_and_said))
