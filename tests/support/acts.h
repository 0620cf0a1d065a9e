/* SPDX-License-Identifier: Apache-2.0 */
/* acts - what operators and accidents do to an instance
 *
 * Any failure here fails the case with a message. */
#ifndef KEYWARD_TESTS_ACTS_H
#define KEYWARD_TESTS_ACTS_H

#include "instance.h"

/* ---- operators */

/* Runs the tool with arguments (NULL-terminated); it must succeed. */
void instance_do(struct instance *h, ...) __attribute__((sentinel));
/* SIGHUP, then waits until a keyring is in use whose log line holds the text (such as
 * "active=2"). */
void instance_reload(struct instance *h, const char *text);
/* The file is the one in use, also if another one was refused meanwhile. */
void instance_reload_same(struct instance *h);
/* Version n: created, accepted, taken into use; activated on this node, taken into
 * use. */
void instance_rotate(struct instance *h, const char *n);
/* keyward status must end with this exit status; returns what it printed, good until the
 * next call. */
const char *instance_read_status(struct instance *h, int want);

/* Whole text files.  The text is free(3)d by the caller; write replaces the file at once
 * and keeps owner and mode. */
char *instance_read(const char *path);
void instance_write(const char *path, const char *text);
/* A copy with the first `from` that comes after `after` (NULL = from the beginning)
 * replaced; both must be there. */
char *instance_swap(const char *text, const char *after, const char *from,
                    const char *to);

/* The daemon is not running: this node remembers nothing any more. */
void instance_forget(struct instance *h);

/* ---- accidents */

/* The token's folder is moved away and back. */
void instance_token_away(struct instance *h);
void instance_token_back(struct instance *h);
/* The object of the only key there is, while there is only one; free(3) it. */
char *instance_key_object(struct instance *h);
/* Moves such an object out of the token and back. */
void instance_object_away(struct instance *h, const char *object);
void instance_object_back(struct instance *h, const char *object);
/* A signal to every worker; how many there were. */
size_t instance_signal_workers(struct instance *h, int signo);
/* Waits for so many workers, then the token goes and they die; waits until the HSM is
 * lost.  The token comes back; waits until it is up. */
void instance_lose(struct instance *h, size_t workers);
void instance_find(struct instance *h);

/* ---- processes */

size_t instance_descriptors(pid_t pid);
/* Waits until there are so many workers, all ready: asks again after each line of the
 * log. */
void instance_await_workers(struct instance *h, size_t want);
/* The daemon has ended: every worker that it started after `mark` is gone too. */
void instance_check_workers_gone(struct instance *h, size_t mark);

/* ---- the fault module of tests/fault */

/* Before the daemon starts: the fault module stands between worker and token, honest so
 * far. */
void instance_fault_between(struct instance *h);
void instance_fault_set(struct instance *h, const char *control);
/* How often a function was called so far, by any worker. */
unsigned instance_fault_count(struct instance *h, const char *function);

#endif
