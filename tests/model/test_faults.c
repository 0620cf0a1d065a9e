/* SPDX-License-Identifier: Apache-2.0 */
/* Every system call of a write, failing once; writing half; and the last one that its
 * process makes, with and without a loss of power.  What must be true of the files stands
 * in tool.c and node.c; after it all the nodes serve. */
#include "check.h"

#include "model.h"

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

/* What is done while calls fail, after `prepare`; it is done when none fails. */
struct scene {
    void (*prepare)(struct world *w);
    enum outcome (*act)(struct world *w);
};

enum { CALLS_MAX = 200 };
enum way { FAILS, WRITES_HALF, DIES, LOSES_POWER, WAYS };

static const enum fault faults[WAYS] = {FAULT_ONCE, FAULT_SHORT, FAULT_DIES, FAULT_DIES};
static const int errors[] = {ENOSPC, EIO, EROFS};

static void bury(struct world *w, enum way way)
{
    if (way < DIES)
        return;
    if (way == LOSES_POWER)
        seam_power_loss(w);
    sweep(&w->nodes[0]);
    node_start(w, 0);
    node_settle(w, 0);
}

/* false: there is no at-th call any more. */
static bool once(const struct scene *scene, enum way way, unsigned at)
{
    static struct world w;
    CHECK(world_open(&w, at));
    history_begin(&w);
    scene->prepare(&w);
    say(&w, "call %u, way %d", at, (int)way);
    seam_arm(faults[way], at, errors[at % 3]);
    enum outcome o = scene->act(&w);
    bool fired = seam_disarm();
    if (!fired && o != DONE)
        broke(&w, "no call failed, and it is not done");
    if (fired)
        bury(&w, way);
    for (size_t i = 0; i < w.node_count && w.broken[0] == '\0'; i++)
        remedy_run(&w, i);
    if (w.broken[0] == '\0' && seam_broken()[0] != '\0')
        broke(&w, "%s", seam_broken());
    if (w.broken[0] != '\0') {
        fputs(w.story, stderr);
        fail_msg("call %u, way %d: %s", at, (int)way, w.broken);
    }
    world_close(&w);
    return fired;
}

static void each_call(const struct scene *scene)
{
    for (enum way way = FAILS; way < WAYS; way++) {
        unsigned at = 1;
        while (once(scene, way, at))
            CHECK(++at < CALLS_MAX);
        CHECK(at > 10); /* it does make calls */
    }
}

/* ---- scenes, on node 0 ---- */

static void nothing(struct world *w)
{
    (void)w;
}

static void second_version(struct world *w)
{
    tool_create(w, 0, 0);
}

static void accepted_version(struct world *w)
{
    tool_create(w, 0, 0);
    tool_change(w, 0, KW_ACT_ACCEPT, 2);
}

static enum outcome create(struct world *w)
{
    return tool_create(w, 0, 0);
}

static enum outcome accept(struct world *w)
{
    return tool_change(w, 0, KW_ACT_ACCEPT, 2);
}

static enum outcome activate(struct world *w)
{
    return tool_activate(w, 0, 2, true, true);
}

static enum outcome take(struct world *w)
{
    node_reload(w, 0);
    node_settle(w, 0);
    return w->nodes[0].is_remembered ? DONE : FAILED;
}

static void a_fork_lies_there(struct world *w)
{
    tool_create(w, 1, 0);
    tool_create(w, 0, 0);
    take(w);
    struct kw_blob fork = raw_read(w->nodes[1].keyring);
    raw_write(w->nodes[0].keyring, kw_blob_peek(&fork));
    kw_blob_wipe(&fork);
}

static enum outcome trust(struct world *w)
{
    char hex[65];
    kw_hex(hex, sizeof hex, kw_span_of(w->files[3].sha256, 32));
    return tool_trust(w, 0, hex);
}

static void lose_in_state(struct world *w, const char *name)
{
    char path[192];
    snprintf(path, sizeof path, "%s/%s", w->nodes[0].state, name);
    CHECK(unlink(path) == 0);
}

static void the_state_is_lost(struct world *w)
{
    lose_in_state(w, "marks.json");
    lose_in_state(w, "keyring.json");
    node_forget(w, 0);
}

static enum outcome rebuild(struct world *w)
{
    return tool_rebuild(w, 0);
}

static void the_file_is_lost(struct world *w)
{
    lose_in_state(w, "keyring.json");
    w->nodes[0].has_last = false;
    CHECK(unlink(w->nodes[0].keyring) == 0);
}

static enum outcome adopt(struct world *w)
{
    return tool_adopt(w, 0, w->keys[0].id, 2, false);
}

#define SCENE(name, prepared, acts)                                                      \
    static void name(void **state)                                                       \
    {                                                                                    \
        (void)state;                                                                     \
        each_call(&(const struct scene){prepared, acts});                                \
    }                                                                                    \
    struct kw_scene_##name

SCENE(create__each_call_fails__whole_and_honest, nothing, create);
SCENE(accept__each_call_fails__whole_and_honest, second_version, accept);
SCENE(activate__each_call_fails__whole_and_honest, accepted_version, activate);
SCENE(reload__each_call_fails__whole_and_honest, accepted_version, take);
SCENE(trust__each_call_fails__whole_and_honest, a_fork_lies_there, trust);
SCENE(rebuild__each_call_fails__whole_and_honest, the_state_is_lost, rebuild);
SCENE(adopt__each_call_fails__whole_and_honest, the_file_is_lost, adopt);

KW_CASES("model/faults", CASE(create__each_call_fails__whole_and_honest),
         CASE(accept__each_call_fails__whole_and_honest),
         CASE(activate__each_call_fails__whole_and_honest),
         CASE(reload__each_call_fails__whole_and_honest),
         CASE(trust__each_call_fails__whole_and_honest),
         CASE(rebuild__each_call_fails__whole_and_honest),
         CASE(adopt__each_call_fails__whole_and_honest))
