/* SPDX-License-Identifier: Apache-2.0 */
/* moves - what may happen to a cluster next */
#ifndef KEYWARD_TESTS_MODEL_MOVES_H
#define KEYWARD_TESTS_MODEL_MOVES_H

#include "model.h"

/* moves.c: what operators do */
void move_act(struct world *w);           /* where the changes are made */
void move_act_elsewhere(struct world *w); /* a fork, when nobody copies it */
void move_used_fork(struct world *w);     /* and each side wraps with its own */
void move_activate_here(struct world *w);
void move_take_away(struct world *w);
void move_destroy_behind(struct world *w); /* what was never accepted there */
void move_hand_out(struct world *w);       /* the file of the place to another node */
void move_hand_out_old(struct world *w);   /* one of the five before it */
void move_reload(struct world *w);
void move_restart(struct world *w);
void move_adopt_orphan(struct world *w);
void move_far(struct world *w); /* more changes than a file names ancestors */
void move_trust(struct world *w);
void move_remedy(struct world *w);
void move_change_place(struct world *w);

/* accidents.c */
void move_die(struct world *w);
void move_rollback(struct world *w);
void move_lose_file(struct world *w);
void move_lose_last(struct world *w);
void move_old_last(struct world *w);
void move_lose_marks(struct world *w);
void move_lose_act(struct world *w);
void move_lose_state(struct world *w);
void move_torn_copy(struct world *w);
void move_failing_act(struct world *w);   /* a system call of the tool fails */
void move_failing_state(struct world *w); /* one of the daemon's */

/* forge.c: a keyring that no tool of ours made; refused, and the way out followed */
void move_forge(struct world *w);
/* The forgery of that name, put on the node; false when its ring has nothing to spoil. */
bool forge(struct world *w, size_t i, const char *name);

/* An act that fits the state of some version; DONE, REFUSED, FAILED. */
enum outcome some_act(struct world *w, size_t i, bool with_create);

#endif
