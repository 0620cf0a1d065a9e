/* SPDX-License-Identifier: Apache-2.0 */
/* acts - what operators and accidents do to a house
 *
 * Any failure here fails the case with a message. */
#ifndef KEYWARD_TESTS_ACTS_H
#define KEYWARD_TESTS_ACTS_H

#include "house.h"

/* ---- operators ---------------------------------------------------------------------- */

/* Runs the tool with arguments (NULL-terminated); it must succeed. */
void house_do(struct house *h, ...) __attribute__((sentinel));
/* SIGHUP, then waits until the daemon uses a keyring whose log line holds `mark_text`
 * (such as "active=2"). */
void house_reload(struct house *h, const char *mark_text);
/* Version n: created, accepted, activated on this node, each taken into use. */
void house_rotate(struct house *h, unsigned n);
/* keyward status must end with this exit status; its output lies in out (static). */
const char *house_ask_status(struct house *h, int want);

/* Whole text files (keyring, PIN, configuration); write keeps inode, owner and mode. */
char *house_read(const char *path); /* free(3) it */
void house_write(const char *path, const char *text);
/* A copy with the n-th (0 = first) `from` behind `behind` (NULL = from the start)
 * replaced; from must be there.  free(3) it. */
char *house_swap(const char *text, const char *behind, const char *from, const char *to);

/* Another node, as far as its memory goes: nothing is remembered any more. */
void house_forget(struct house *h);

/* ---- accidents ---------------------------------------------------------------------- */

/* The token's folder is moved away and back; workers that live on are not touched. */
void house_token_away(struct house *h);
void house_token_back(struct house *h);
/* The same for the object of one key_id. */
void house_key_away(struct house *h, const char *key_id);
void house_key_back(struct house *h);
/* A signal to every worker; how many there were. */
size_t house_workers_signal(struct house *h, int signo);
/* The token is out and its workers are dead; waits for LOST. */
void house_lose(struct house *h);

/* ---- processes ---------------------------------------------------------------------- */

/* Open descriptors of a process. */
size_t house_descriptors(pid_t pid);
/* Waits until the status document shows so many workers, all ready; asks again after each
 * new line of the log. */
void house_await_workers(struct house *h, size_t want);
/* The processes that the log says were started after `mark` must all be gone. */
void house_check_no_process_left(struct house *h, size_t mark);

/* ---- the lying module --------------------------------------------------------------- */

/* Before the daemon starts: tests/fault stands between worker and SoftHSM. */
void house_liar_between(struct house *h);
void house_liar_tell(struct house *h, const char *control);
unsigned house_liar_count(struct house *h, const char *function);

#endif
