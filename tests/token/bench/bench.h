/* SPDX-License-Identifier: Apache-2.0 */
/* bench - keyward-bench token on a token of the test's own, behind the honest fault */
#ifndef KEYWARD_TESTS_TOKEN_BENCH_H
#define KEYWARD_TESTS_TOKEN_BENCH_H

#include <sys/types.h>

#include "token_fixture.h"
#include "run.h"

/* f->token has a KEK; it is closed, so that the token is the program's alone. */
void bench_begin(struct fixture *f);

/* Runs keyward-bench token with the token's own options, and these. */
void bench_run(const struct fixture *f, struct kw_run *r, const char *const more[]);
#define BENCH(f, r, ...) bench_run((f), (r), (const char *const[]){__VA_ARGS__, NULL})
/* The same, and the exit status must be `want`. */
#define BENCH_MUST(want, f, r, ...)                                                      \
    do {                                                                                 \
        BENCH(f, r, __VA_ARGS__);                                                        \
        if ((r)->status != (want))                                                       \
            fail_msg("exit status %d, not %d\n%s%s", (r)->status, (want), (r)->out,      \
                     (r)->err);                                                          \
    } while (0)

/* Started in a process group of its own, not waited for.  await_key reads its standard
 * error until it tells the key; bench_end reads all the rest, and waits for its end and
 * for that of what it started. */
struct bench_started {
    pid_t pid;
    int out, err;
};
void bench_start(const struct fixture *f, struct bench_started *s,
                 const char *const more[]);
#define BENCH_START(f, s, ...)                                                           \
    bench_start((f), (s), (const char *const[]){__VA_ARGS__, NULL})
void bench_await_key(struct bench_started *s);
void bench_end(struct bench_started *s, struct kw_run *r);

/* The number after "name": in a document. */
double number_of(const char *document, const char *name);
/* How many throw-away keys are on the token. */
size_t leftovers(struct fixture *f);

#endif
