/* SPDX-License-Identifier: Apache-2.0 */
/* acts - what operators and accidents do to a house
 *
 * Any failure here fails the case with a message. */
#ifndef KEYWARD_TESTS_ACTS_H
#define KEYWARD_TESTS_ACTS_H

#include "house.h"

/* ---- operators */

/* Runs the tool with arguments (NULL-terminated); it must succeed. */
void house_do(struct house *h, ...) __attribute__((sentinel));
/* SIGHUP, then waits until a keyring is in use whose log line holds the text (such as
 * "active=2"). */
void house_reload(struct house *h, const char *text);
/* Version n: created, accepted, taken into use; activated on this node, taken into use.
 */
void house_rotate(struct house *h, const char *n);
/* keyward status must end with this exit status; returns what it printed, good until the
 * next call. */
const char *house_ask_status(struct house *h, int want);

/* Whole text files.  The text is free(3)d by the caller; write replaces the file at once
 * and keeps owner and mode. */
char *house_read(const char *path);
void house_write(const char *path, const char *text);
/* A copy with the first `from` that comes after `after` (NULL = from the beginning)
 * replaced; both must be there. */
char *house_swap(const char *text, const char *after, const char *from, const char *to);

/* The daemon is not running: this node remembers nothing any more. */
void house_forget(struct house *h);

/* ---- accidents */

/* The token's folder is moved away and back. */
void house_token_away(struct house *h);
void house_token_back(struct house *h);
/* The object of the only key there is, while there is only one; free(3) it. */
char *house_key_object(struct house *h);
/* Moves such an object out of the token and back. */
void house_object_away(struct house *h, const char *object);
void house_object_back(struct house *h, const char *object);
/* A signal to every worker; how many there were. */
size_t house_signal_workers(struct house *h, int signo);
/* Waits for so many workers, then the token goes and they die; waits until the HSM is
 * lost.  The token comes back; waits until it is up. */
void house_lose(struct house *h, size_t workers);
void house_find(struct house *h);

/* ---- processes */

size_t house_descriptors(pid_t pid);
/* Waits until there are so many workers, all ready: asks again after each line of the
 * log. */
void house_await_workers(struct house *h, size_t want);
/* The daemon has ended: every worker that it started after `mark` is gone too. */
void house_check_workers_gone(struct house *h, size_t mark);

/* ---- the lying module of tests/fault */

/* Before the daemon starts: the liar stands between worker and token, honest so far. */
void house_liar_between(struct house *h);
void house_liar_tell(struct house *h, const char *control);
/* How often a function was called so far, by any worker. */
unsigned house_liar_count(struct house *h, const char *function);

#endif
