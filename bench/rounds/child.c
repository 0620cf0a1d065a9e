/* SPDX-License-Identifier: Apache-2.0 */
/* One measurement in a process of its own. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/pidfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include <keyward/bytes.h>

#include "rounds.h"

extern char **environ;

enum { TICK_MS = 200, SAID_MAX = 4096 };

/* What it says goes into memory: nobody has to read while it measures. */
struct child {
    int out, err, watch;
    pid_t pid;
};

static kw_err start(struct kw_entry *entry, struct child *c)
{
    posix_spawn_file_actions_t actions;
    int rc = posix_spawn_file_actions_init(&actions);
    if (rc == 0)
        rc = posix_spawn_file_actions_adddup2(&actions, c->out, STDOUT_FILENO);
    if (rc == 0)
        rc = posix_spawn_file_actions_adddup2(&actions, c->err, STDERR_FILENO);
    if (rc == 0)
        rc =
            posix_spawn(&c->pid, "/proc/self/exe", &actions, NULL, entry->words, environ);
    posix_spawn_file_actions_destroy(&actions);
    return rc == 0 ? KW_OK : kw_err_native(KW_CODE_IO, (uint32_t)rc, "posix_spawn");
}

/* Exit status; -1 for a signal.  Ctrl-C is handed on, once. */
static int wait_for(struct kw_rounds *r, const struct child *c)
{
    struct pollfd over = {.fd = c->watch, .events = POLLIN};
    bool told = false;
    int status = 0;
    while (c->watch >= 0 && poll(&over, 1, TICK_MS) <= 0) {
        if (!told && r->world->stop_asked()) {
            (void)kill(c->pid, SIGINT);
            told = true;
        }
        kw_rounds_tick(r);
    }
    while (waitpid(c->pid, &status, 0) < 0)
        if (errno != EINTR)
            return -1;
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/* The last line that it said, without "keyward-bench VERB: ". */
static void last_words(int fd, const char *verb, char *dst, size_t cap)
{
    char said[SAID_MAX + 1], before[64];
    const off_t end = lseek(fd, 0, SEEK_END);
    const off_t from = end > SAID_MAX ? end - SAID_MAX : 0;
    ssize_t n = pread(fd, said, SAID_MAX, from);
    while (n > 0 && said[n - 1] == '\n')
        n--;
    said[n > 0 ? n : 0] = '\0';
    const char *line = strrchr(said, '\n');
    line = line != NULL ? line + 1 : said;
    snprintf(before, sizeof before, "keyward-bench %s: ", verb);
    if (strncmp(line, before, strlen(before)) == 0)
        line += strlen(before);
    kw_results_text(dst, cap, line);
}

/* By its document when it has one, else by what it said. */
static void reason_of(const struct child *c, const struct kw_entry *entry,
                      const json_t *document, char *dst, size_t cap)
{
    const char *fault = json_string_value(json_object_get(document, "fault"));
    if (document == NULL)
        last_words(c->err, entry->words[1], dst, cap);
    else
        kw_results_text(
            dst, cap,
            (fault != NULL && fault[0] != '\0' ? fault : "wrong replies or errors"));
}

static kw_err failure(const struct child *c, const struct kw_entry *entry, int code,
                      const json_t *document, struct kw_note *note)
{
    char words[KW_REASON_MAX] = "";
    reason_of(c, entry, document, words, sizeof words);
    const char *colon = words[0] != '\0' ? ": " : "";
    if (code < 0)
        kw_note_set(note, "a signal ended it%s%s", colon, words);
    else
        kw_note_set(note, "exit status %d%s%s", code, colon, words);
    return kw_err_at(code == KW_EXIT_USAGE ? KW_CODE_BAD_INPUT : KW_CODE_WRONG_ANSWER,
                     "measurement");
}

static kw_err read_child(const struct child *c, const struct kw_entry *entry, int code,
                         struct kw_reading *ret_reading, struct kw_note *note)
{
    json_error_t why;
    (void)lseek(c->out, 0, SEEK_SET);
    json_t *document = json_loadfd(c->out, 0, &why);
    kw_err e = code != KW_EXIT_GOOD ? failure(c, entry, code, document, note)
                                    : kw_reading_of(document, ret_reading, note);
    if (code == KW_EXIT_GOOD && kw_failed(e))
        e.code = KW_CODE_WRONG_ANSWER;
    json_decref(document);
    return e;
}

static kw_err run_child(struct kw_rounds *r, struct kw_entry *entry, struct child *c,
                        struct kw_reading *ret_reading, struct kw_note *note)
{
    c->out = memfd_create("out", MFD_CLOEXEC);
    c->err = memfd_create("err", MFD_CLOEXEC);
    if (c->out < 0 || c->err < 0)
        return kw_err_native(KW_CODE_IO, (uint32_t)errno, "memfd_create");
    kw_err e = start(entry, c);
    if (kw_failed(e))
        return e;
    c->watch = pidfd_open(c->pid, 0); /* without it: no word and no Ctrl-C meanwhile */
    return read_child(c, entry, wait_for(r, c), ret_reading, note);
}

kw_err kw_rounds_measure(struct kw_rounds *r, size_t at, struct kw_reading *ret_reading,
                         struct kw_note *note)
{
    struct child c = {.out = -1, .err = -1, .watch = -1};
    kw_err e = run_child(r, &r->entry[at], &c, ret_reading, note);
    const int open[] = {c.out, c.err, c.watch};
    for (size_t i = 0; i < 3; i++)
        if (open[i] >= 0)
            close(open[i]);
    return e;
}
