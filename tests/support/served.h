/* SPDX-License-Identifier: Apache-2.0 */
/* served - a server of keyward-bench in a folder of its own, for one test
 *
 *   struct kw_served s;
 *   kw_served_make(&s);
 *   kw_served_start(&s, KEYWARD_BENCH, (const char *const[]){"echo", s.socket, NULL});
 *   …
 *   CHECK(kw_served_stop(&s) == 0);
 */
#ifndef KEYWARD_TESTS_SERVED_H
#define KEYWARD_TESTS_SERVED_H

#include <sys/types.h>

struct kw_served {
    char dir[64], socket[96];
    pid_t pid;
};

/* Makes the folder; the socket's path is known from then on. */
void kw_served_make(struct kw_served *ret_served);
/* Runs the program with these words and waits for its first line: it serves then. */
void kw_served_start(struct kw_served *served, const char *program,
                     const char *const words[]);
/* Ends it with SIGTERM, checks that its socket is gone, removes the folder; gives its
 * exit status, or 128 and the number of the signal. */
int kw_served_stop(struct kw_served *served);

#endif
