/* SPDX-License-Identifier: Apache-2.0 */
/* Ten thousand histories, in parts that run side by side; and one that a seed asks for.
 *
 *   KW_MODEL_SEED=7 KW_MODEL_HISTORIES=100000 keyring_model "model.histories__part_1__…"
 *   KW_MODEL_SEED=7 keyring_model "model.history__of_the_seed_given__told" */
#include "check.h"

#include "model.h"

#include <stdio.h>
#include <stdlib.h>

#ifndef KW_MODEL_HISTORIES
#define KW_MODEL_HISTORIES 10000
#endif
enum { PARTS = 8 };

static uint64_t number(const char *name, uint64_t otherwise)
{
    const char *text = getenv(name);
    return text != NULL ? strtoull(text, NULL, 10) : otherwise;
}

/* One history; false when something is not as it must be, and then it is told. */
static bool live(uint64_t seed, bool told)
{
    static struct world w;
    unsigned long long s = seed;
    CHECK(world_open(&w, seed));
    history_live(&w);
    bool good = w.broken[0] == '\0';
    if (told || !good)
        fprintf(stderr, "history %llu:\n%s", s, w.story != NULL ? w.story : "");
    if (!good)
        fprintf(stderr,
                "history %llu: %s\nagain: KW_MODEL_SEED=%llu, case "
                "model.history__of_the_seed_given__told\n",
                s, w.broken, s);
    world_close(&w);
    return good;
}

/* A check that nothing comes to checks nothing: each refusal, each act and each way out
 * must have been lived through.  (Numbers that are given back are rare: test_defects.c
 * has a case.) */
static void judge_reach(void)
{
    for (int r = KW_REFUSED_DOMAIN; r <= KW_REFUSED_UNTRUSTED; r++)
        if (reach.refusals[r] == 0 && r != KW_REFUSED_NEXT_N)
            fail_msg("no history came to refusal %d", r);
    for (int a = KW_ACT_CREATE; a < KW_ACT_COUNT; a++)
        if (reach.acts[a] == 0)
            fail_msg("no history came to the act %s", kw_act_name((enum kw_act)a));
    CHECK(reach.put_back > 0 && reach.trusted > 0 && reach.adopted > 0);
    CHECK(reach.enabled > 0 && reach.renewed > 0 && reach.fetched > 0);
    CHECK(reach.begun_anew > 0);
    CHECK(reach.faults > 0 && reach.deaths > 0 && reach.far > 0);
}

static void part(uint64_t which)
{
    uint64_t count = number("KW_MODEL_HISTORIES", KW_MODEL_HISTORIES) / PARTS;
    uint64_t first = number("KW_MODEL_SEED", 1) + which * count;
    for (uint64_t i = 0; i < count; i++)
        if (!live(first + i, false))
            fail_msg("history %llu", (unsigned long long)(first + i));
    if (count >= 1000)
        judge_reach();
}

TEST(history__of_the_seed_given__told)
{
    CHECK(live(number("KW_MODEL_SEED", 1), true));
}

TEST(histories__part_1__nothing_lost)
{
    part(0);
}

TEST(histories__part_2__nothing_lost)
{
    part(1);
}

TEST(histories__part_3__nothing_lost)
{
    part(2);
}

TEST(histories__part_4__nothing_lost)
{
    part(3);
}

TEST(histories__part_5__nothing_lost)
{
    part(4);
}

TEST(histories__part_6__nothing_lost)
{
    part(5);
}

TEST(histories__part_7__nothing_lost)
{
    part(6);
}

TEST(histories__part_8__nothing_lost)
{
    part(7);
}

KW_CASES("model", CASE(history__of_the_seed_given__told),
         CASE(histories__part_1__nothing_lost), CASE(histories__part_2__nothing_lost),
         CASE(histories__part_3__nothing_lost), CASE(histories__part_4__nothing_lost),
         CASE(histories__part_5__nothing_lost), CASE(histories__part_6__nothing_lost),
         CASE(histories__part_7__nothing_lost), CASE(histories__part_8__nothing_lost))
