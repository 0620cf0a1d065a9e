/* SPDX-License-Identifier: Apache-2.0 */
/* syscalls - a program under ptrace(2), told of a signal at one of its system calls
 *
 * The calls of the program and of all its children are counted together, from 1 on, each
 * once, as it is entered; a call that blocks is interrupted by the signal, another one is
 * done first.  After it nothing is counted any more.
 */
#ifndef KEYWARD_TESTS_SYSCALLS_H
#define KEYWARD_TESTS_SYSCALLS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct syscalls_run {
    /* in */
    const char *const *argv;
    const char *err_path; /* standard error goes there; standard output nowhere */
    size_t at;            /* the call; 0 = none: count only */
    int signal;
    bool to_first; /* to the program itself, as a terminal would; else to the caller */
    /* out */
    size_t count;
    int status;    /* exit status, or 128 + the signal's number                    */
    long *numbers; /* of each call: SYS_…; room for `room` of them, or NULL        */
    size_t room;
};
void syscalls_run(struct syscalls_run *run);

#endif
