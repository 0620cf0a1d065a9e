/* SPDX-License-Identifier: Apache-2.0 */
/* A child process for what a test process cannot survive or undo. */
#ifndef KEYWARD_TESTS_BASE_CHILD_H
#define KEYWARD_TESTS_BASE_CHILD_H

#include <stddef.h>

/* Which signal ended a child that ran fn; 0 when it left by itself. */
int child_signal(void (*fn)(void *arg), void *arg);
/* What a child that ran fn wrote to its standard error, cut; and the signal. */
int child_said(void (*fn)(void *arg), void *arg, char *said, size_t cap);
/* fn's answer, given by a child. */
int child_answer(int (*fn)(void *arg), void *arg);
/* In a child: no user, no group, no capability.  Group `extra` is kept unless 0. */
void drop_rights(unsigned extra);

#endif
