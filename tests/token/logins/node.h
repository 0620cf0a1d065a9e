/* SPDX-License-Identifier: Apache-2.0 */
/* node - a house whose logins are counted at the module
 *
 * Starts are those of the daemon (up to the end of its first worker's attempt, then it is
 * stopped) and of the tool (`keyward check`, one login). */
#ifndef KEYWARD_TESTS_NODE_H
#define KEYWARD_TESTS_NODE_H

#include "acts.h"

/* A house with the lying module, still honest, whose PIN this node has never seen. */
void node_make(struct house *h);
/* Its PIN has worked here. */
void node_make_proven(struct house *h);
void node_remove(struct house *h);

/* C_Login calls since the last node_forget_count (or node_make…). */
unsigned node_logins(struct house *h);
void node_forget_count(struct house *h);

void node_start_daemon(struct house *h); /* and stop it */
void node_start_tool(struct house *h);
/* `count` starts of both, by turns. */
void node_start_mixed(struct house *h, unsigned count);

/* What this node remembers, as text (free(3) it); "" when nothing. */
char *node_remembered(struct house *h);
/* The last unclear end was so much earlier. */
void node_age(struct house *h, int64_t ns);
/* The state directory cannot be written: its mode, or a full disk (for processes that are
 * started from now on). */
void node_close_state(struct house *h);
void node_fill_disk(struct house *h);
void node_empty_disk(void);

#endif
