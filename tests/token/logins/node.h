/* SPDX-License-Identifier: Apache-2.0 */
/* node - an instance whose logins are counted at the module
 *
 * Starts are those of the daemon (up to the end of its first worker's attempt, then it is
 * stopped) and of the tool (`keyward check`, one login). */
#ifndef KEYWARD_TESTS_NODE_H
#define KEYWARD_TESTS_NODE_H

#include "acts.h"

/* An instance with the fault module, still honest, whose PIN this node has never seen. */
void node_make(struct instance *h);
/* Its PIN has worked here. */
void node_make_proven(struct instance *h);
void node_remove(struct instance *h);

/* C_Login calls since the last node_forget_count (or node_make…). */
unsigned node_logins(struct instance *h);
void node_forget_count(struct instance *h);

void node_start_daemon(struct instance *h); /* and stop it */
void node_start_tool(struct instance *h);
/* `count` starts of both, by turns. */
void node_start_mixed(struct instance *h, unsigned count);

/* What this node remembers, as text (free(3) it); "" when nothing. */
char *node_remembered(struct instance *h);
/* The last unclear end was so much earlier. */
void node_age(struct instance *h, int64_t ns);
/* The state directory cannot be written: its mode, or a full disk (for processes that are
 * started from now on). */
void node_close_state(struct instance *h);
void node_fill_disk(struct instance *h);
void node_empty_disk(void);

#endif
