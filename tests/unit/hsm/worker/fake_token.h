/* SPDX-License-Identifier: Apache-2.0 */
/* fake_token - the token room as the worker sees it, scripted
 *
 * A wrap appends 16 bytes, an unwrap cuts them off; `script` holds what the next calls of
 * an operation return instead. */
#ifndef KEYWARD_TESTS_FAKE_TOKEN_H
#define KEYWARD_TESTS_FAKE_TOKEN_H

#include "check.h"
#include "worker_internal.h"

enum { SCRIPT_MAX = 8 };
struct script {
    enum kw_code codes[SCRIPT_MAX];
    unsigned count, calls;
};
struct fake_token_state {
    struct script operation, prove, look, pin, login, open, self_test, branch, sign;
    uint64_t signed_covered; /* of the last checkpoint */
    unsigned open_branches, adopted;
    uint64_t free_sessions; /* 0: the token does not tell */
    int64_t takes_ns;       /* an operation, on the fake clock */
    void (*during)(void);   /* an operation                    */
    unsigned look_steps;    /* operations that a look is       */
    bool watched;
    unsigned findings; /* of the next proofs and looks */
    bool softhsm, last_also_wrap, last_closely;
    bool flags_stop; /* the token says so between the word and C_Login */
    bool was_in;     /* the token says that somebody was logged in already */
    unsigned holds, releases;
};
extern struct fake_token_state fake;
void script(struct script *s, unsigned count, ...); /* of enum kw_code */

/* A worker with a ring of versions 1 (retired), 2 (active), 3 (disabled). */
struct kw_hsm_worker *fake_worker(int socket);
/* The front's answer, already in the worker's socket when it asks. */
void fake_word(int front, kw_err e, const char *note);
/* Version 1's key too, as its first job would. */
void fake_prove_the_other(struct kw_hsm_worker *w);
void fake_worker_end(struct kw_hsm_worker *w);
#define K1 "kw1-1-0123456789abcdef01234567"
#define K2 "kw1-2-0123456789abcdef01234567"
#define K3 "kw1-3-0123456789abcdef01234567"

#endif
