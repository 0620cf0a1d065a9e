/* SPDX-License-Identifier: Apache-2.0 */
/* test_server - a server of keyward-bench in a folder of its own, for one test
 *
 *   struct kw_test_server s;
 *   kw_test_server_make(&s);
 *   kw_test_server_start(&s, KEYWARD_BENCH, (const char *const[]){"echo", s.socket,
 *   NULL}); …
 *   CHECK(kw_test_server_stop(&s) == 0);
 */
#ifndef KEYWARD_TESTS_TEST_SERVER_H
#define KEYWARD_TESTS_TEST_SERVER_H

#include <sys/types.h>

struct kw_test_server {
    char dir[64], socket[96];
    pid_t pid;
};

/* Makes the folder; the socket's path is known from then on. */
void kw_test_server_make(struct kw_test_server *ret_server);
/* Runs the program with these words and waits for its first line: it serves then. */
void kw_test_server_start(struct kw_test_server *served, const char *program,
                          const char *const words[]);
/* Ends it with SIGTERM, checks that its socket is gone, removes the folder; gives its
 * exit status, or 128 and the number of the signal. */
int kw_test_server_stop(struct kw_test_server *served);

#endif
