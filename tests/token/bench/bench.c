/* SPDX-License-Identifier: Apache-2.0 */
#include "bench.h"

#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

enum { WORDS = 40 };

void bench_begin(struct fixture *f)
{
    fixture_begin(f, "");
    kw_token_close(f->token);
    f->token = NULL;
    f->key = NULL;
}

static void words_of(const struct fixture *f, const char *const more[],
                     const char *words[WORDS])
{
    const char *const first[] = {KEYWARD_BENCH, "token",          "--module",
                                 f->hsm.module, "--uri",          f->hsm.uri,
                                 "--pin",       f->hsm.pin_source};
    size_t n = 0;
    for (; n < sizeof first / sizeof first[0]; n++)
        words[n] = first[n];
    for (size_t i = 0; more[i] != NULL; i++) {
        CHECK(n < WORDS - 1);
        words[n++] = more[i];
    }
    words[n] = NULL;
}

void bench_run(const struct fixture *f, struct kw_run *r, const char *const more[])
{
    const char *words[WORDS];
    words_of(f, more, words);
    kw_run(r, words);
}

void bench_start(const struct fixture *f, struct bench_started *s,
                 const char *const more[])
{
    const char *words[WORDS];
    int out[2], err[2];
    posix_spawn_file_actions_t files;
    posix_spawnattr_t attributes;
    words_of(f, more, words);
    CHECK(pipe2(out, O_CLOEXEC) == 0 && pipe2(err, O_CLOEXEC) == 0);
    posix_spawn_file_actions_init(&files);
    posix_spawn_file_actions_adddup2(&files, out[1], STDOUT_FILENO);
    posix_spawn_file_actions_adddup2(&files, err[1], STDERR_FILENO);
    posix_spawnattr_init(&attributes);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP);
    CHECK(posix_spawn(&s->pid, words[0], &files, &attributes,
                      (char *const *)(uintptr_t)words, environ) == 0);
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&files);
    close(out[1]);
    close(err[1]);
    s->out = out[0];
    s->err = err[0];
}

void bench_await_key(struct bench_started *s)
{
    char text[4096];
    size_t len = 0;
    do {
        ssize_t n = read(s->err, text + len, sizeof text - 1 - len);
        if (n <= 0) {
            text[len] = '\0';
            fail_msg("it ended before it measured: %s", text);
        }
        len += (size_t)n;
        text[len] = '\0';
    } while (strstr(text, "measuring with the key") == NULL);
}

static void drain(int fd, char *dst, size_t cap)
{
    size_t len = 0;
    ssize_t n;
    while ((n = read(fd, dst + len, cap - 1 - len)) > 0)
        len += (size_t)n;
    dst[len] = '\0';
    close(fd);
}

void bench_end(struct bench_started *s, struct kw_run *r)
{
    int status = 0;
    drain(s->out, r->out, sizeof r->out); /* little is said: neither pipe fills */
    drain(s->err, r->err, sizeof r->err);
    while (waitpid(s->pid, &status, 0) < 0)
        CHECK(errno == EINTR);
    r->status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

double number_of(const char *document, const char *name)
{
    char key[64];
    snprintf(key, sizeof key, "\"%s\": ", name);
    const char *at = strstr(document, key);
    CHECK(at != NULL);
    return strtod(at + strlen(key), NULL);
}

size_t leftovers(struct fixture *f)
{
    static struct kw_listed_key all[16];
    size_t count = 0;
    kw_fault_set(&f->hsm, "");
    struct kw_token *t = kw_softhsm_open(&f->hsm, KW_SOFTHSM_READ_ONLY);
    CHECK_OK(kw_token_leftovers(t, all, 16, &count, &f->note));
    kw_token_close(t);
    return count;
}
