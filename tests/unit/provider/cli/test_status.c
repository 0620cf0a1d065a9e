/* SPDX-License-Identifier: Apache-2.0 */
/* keyward status against a socket that says what the case wants. */
#include "check.h"

#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "run.h"

struct daemon {
    char dir[64], path[96];
    int listening;
    const char *says;
    pthread_t thread;
};

static struct kw_run r;

static void *answer_once(void *self)
{
    struct daemon *d = self;
    int fd = accept(d->listening, NULL, NULL);
    size_t len = strlen(d->says);
    KW_INVARIANT(fd >= 0 && write(fd, d->says, len) == (ssize_t)len);
    close(fd);
    return NULL;
}

static void *(*says_what)(void *) = answer_once;

static int status_of(const char *says, const char *json)
{
    struct daemon d = {.dir = "/tmp/keyward-status-XXXXXX", .says = says};
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    CHECK(mkdtemp(d.dir) != NULL);
    snprintf(d.path, sizeof d.path, "%s/s", d.dir);
    CHECK(kw_copy_str(at.sun_path, sizeof at.sun_path, kw_span_str(d.path)));
    d.listening = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    CHECK(bind(d.listening, (struct sockaddr *)&at, sizeof at) == 0);
    CHECK(listen(d.listening, 1) == 0);
    CHECK(pthread_create(&d.thread, NULL, says_what, &d) == 0);
    kw_run(&r, (const char *const[]){KEYWARD, "status", "--socket", d.path, json, NULL});
    pthread_join(d.thread, NULL);
    close(d.listening);
    unlink(d.path);
    rmdir(d.dir);
    return r.status;
}

#define UP                                                                               \
    "{\"health\": {\"state\": \"up\", \"reason\": \"\"}, \"active\": {\"n\": 2, "        \
    "\"key_id\":"                                                                        \
    "\"kw1-2-0123456789abcdef01234567\", \"code\": \"ok\"}, \"versions\": [{\"n\": 1, "  \
    "\"state\": "                                                                        \
    "\"retired\", \"verdict\": \"ok\"},"                                                 \
    "{\"n\": 2, \"state\": \"active\", \"verdict\": \"ok\"}], \"workers\": [], "         \
    "\"classes\": [{\"name\": "                                                          \
    "\"bulk\", \"cache\": {\"hits\": 3}}], \"keyring\": {\"serial\": 4,"                 \
    "\"rejected\": null}, \"tokens\": [], \"pin_latched\": false, \"pid\": 77, "         \
    "\"configuration\": {\"file\": \"/c\", \"rejected\": null, \"changed\": "            \
    "[\"log.level\", \"classes[0].mode\"], \"list\": [{}], \"no\": []}, "                \
    "\"version\": \"0.1.0\"}"

TEST(garbage_or_nothing__three)
{
    CHECK(status_of("", NULL) == 3);
    CHECK_HAS(r.err, "without an answer");
    CHECK(status_of("not json", NULL) == 3);
    CHECK_HAS(r.err, "no JSON object");
    CHECK(status_of("[1]", NULL) == 3);
}

/* A byte each tick, until nobody reads any more. */
static void *answer_for_ever(void *self)
{
    enum { TICK_MS = 100 };
    struct daemon *d = self;
    const int fd = accept(d->listening, NULL, NULL);
    struct pollfd gone = {.fd = fd, .events = POLLRDHUP};
    while (poll(&gone, 1, TICK_MS) == 0)
        if (send(fd, " ", 1, MSG_NOSIGNAL) != 1)
            break;
    close(fd);
    return NULL;
}

TEST(answer_without_end__three)
{
    says_what = answer_for_ever;
    CHECK(status_of("", NULL) == 3);
    says_what = answer_once;
    CHECK_HAS(r.err, "no end of the answer came");
}

TEST(lost__one_with_the_reason)
{
    CHECK(status_of("{\"health\": {\"state\": \"lost\", \"reason\": \"no canary\"},"
                    "\"keyring\": {\"rejected\": null}, \"pin_latched\": false}",
                    NULL) == 1);
    CHECK(strncmp(r.out, "not well: ", strlen("not well: ")) == 0);
    CHECK_HAS(r.out, "\nFAIL  the HSM is lost: no canary\n      -> keyward check");
}

TEST(up__every_part_printed)
{
    CHECK(status_of(UP, NULL) == 0);
    CHECK(strncmp(r.out, "well: ", strlen("well: ")) == 0);
    CHECK_HAS(r.out, "n 2, key_id kw1-2-0123456789abcdef01234567");
    CHECK_HAS(r.out,
              "version  state    verdict  origin  found  encrypts  decrypts  refused  "
              "last_refused  key_id\n1        retired  ");
    CHECK_HAS(r.out, "serial 4, rejected -");
    CHECK_HAS(r.out, "workers      none");
    CHECK_HAS(r.out, "class  scope  encrypt_calls  decrypt_calls  failed_calls  "
                     "cache.entries  cache.hits  socket\n"
                     "bulk   -      -              -              -             "
                     "-              3           -\n");
    CHECK_HAS(r.out, "file /c, rejected -, changed log.level classes[0].mode, no none\n");
    CHECK(strchr(r.out, '\033') == NULL);
}

/* Somebody else may have bound the socket. */
/* What a refusal says is as long as a note. */
TEST(long_reason__whole)
{
    char says[1024], why[sizeof(struct kw_note)];
    memset(why, 'x', sizeof why - 1);
    why[sizeof why - 2] = '!';
    why[sizeof why - 1] = '\0';
    snprintf(says, sizeof says, "{\"keyring\": {\"rejected\": \"%s\"}}", why);
    CHECK(status_of(says, NULL) == 1);
    CHECK_HAS(r.out, why);
}

TEST(long_list__as_many_as_fit_and_that_there_are_more)
{
    char says[2048];
    size_t len = (size_t)snprintf(says, sizeof says, "{\"a\": {\"b\": [\"first\"");
    for (int i = 0; i < 100; i++)
        len += (size_t)snprintf(says + len, sizeof says - len, ", \"seven77\"");
    snprintf(says + len, sizeof says - len, "]}}");
    CHECK(status_of(says, NULL) == 1);
    CHECK_HAS(r.out, "b first seven77 seven77 ");
    CHECK_HAS(r.out, " seven77 ...\n");
}

TEST(document_that_steers_the_terminal__shown_without_it)
{
    static const char says[] =
        "{\"health\": {\"state\": \"lo\\u009bst\", \"reason\": \"no \\u001b[2Jcanary\"},"
        "\"keyring\": {\"rejected\": \"\\u202edetcejer\"}, \"pin_latched\": false,"
        "\"a\\u009b\": 1, \"list\": [{\"b\\u001b\": \"\\u200fc\", \"d\": "
        "[\"\\u009be\"]}]}";
    CHECK(status_of(says, NULL) == 1);
    CHECK_HAS(r.out, "lo?st");
    CHECK_HAS(r.out, "no ?[2Jcanary");
    CHECK_HAS(r.out, "?detcejer");
    for (char *end = r.out; (end = strchr(end, '\n')) != NULL;)
        *end = ' ';
    CHECK(kw_is_printable_text(kw_span_str(r.out)));
    CHECK(status_of(says, "--json") == 1);
    CHECK_HAS(r.out, "lo\\u009Bst");
    CHECK(strstr(r.out, "\xc2\x9b") == NULL && strchr(r.out, '\x1b') == NULL);
}

TEST(json__the_daemons_document)
{
    CHECK(status_of(UP, "--json") == 0);
    CHECK(r.out[0] == '{');
    CHECK_HAS(r.out, "\"pid\": 77");
}

KW_CASES("provider/cli/status", CASE(answer_without_end__three),
         CASE(garbage_or_nothing__three), CASE(lost__one_with_the_reason),
         CASE(up__every_part_printed), CASE(long_reason__whole),
         CASE(long_list__as_many_as_fit_and_that_there_are_more),
         CASE(document_that_steers_the_terminal__shown_without_it),
         CASE(json__the_daemons_document))
