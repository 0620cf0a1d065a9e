/* SPDX-License-Identifier: Apache-2.0 */
/* history - what happens to a cluster, chosen by the dice of a seed */
#include "model.h"
#include "moves.h"

#include <stddef.h>

static const struct move {
    void (*make)(struct world *w);
    unsigned weight; /* of 1000 */
} moves[] = {
    {move_take_away, 15},
    {move_destroy_behind, 10},
    {move_old_last, 8},
    {move_trust, 25},
    {move_act, 224},
    {move_used_fork, 8}, /* two places, and both wrap */
    {move_activate_here, 60},
    {move_act_elsewhere, 45},
    {move_hand_out, 165},
    {move_hand_out_old, 40},
    {move_reload, 85},
    {move_restart, 40},
    {move_die, 20},
    {move_rollback, 30},
    {move_lose_file, 25},
    {move_lose_last, 10},
    {move_lose_marks, 8},
    {move_lose_act, 8},
    {move_lose_state, 10},
    {move_torn_copy, 20},
    {move_forge, 35},
    {move_failing_act, 45},
    {move_failing_state, 25},
    {move_adopt_orphan, 10},
    {move_far, 2},
    {move_remedy, 20},
    {move_change_place, 2},
};

static void one_move(struct world *w)
{
    uint32_t dice = pick(w, 1000);
    size_t i = 0;
    while (dice >= moves[i].weight && i + 1 < sizeof moves / sizeof moves[0])
        dice -= moves[i++].weight;
    w->now_ns += (1 + (int64_t)pick(w, 600)) * KW_S_NS;
    moves[i].make(w);
}

void history_begin(struct world *w)
{
    if (tool_create(w, w->place, 0) != DONE)
        return;
    tool_change(w, w->place, KW_ACT_ACCEPT, 1);
    tool_activate(w, w->place, 1, true, true);
    for (size_t i = 0; i < w->node_count; i++) {
        if (i != w->place)
            raw_write(w->nodes[i].keyring,
                      kw_blob_peek(&w->files[w->file_count - 1].bytes));
        node_start(w, i);
        node_settle(w, i);
    }
}

void history_live(struct world *w)
{
    uint32_t steps = 6 + pick(w, 22);
    if (chance(w, 90))
        history_begin(w);
    for (uint32_t s = 0; s < steps && w->broken[0] == '\0'; s++) {
        if (w->file_count + 90 > FILES_MAX || w->key_count + 20 > KEYS_MAX)
            break;
        one_move(w);
        if (w->broken[0] == '\0' && seam_broken()[0] != '\0')
            broke(w, "%s", seam_broken());
    }
    say(w, "the end: every node is made to serve");
    for (size_t i = 0; i < w->node_count && w->broken[0] == '\0'; i++)
        remedy_run(w, (w->place + i) % w->node_count);
}
