/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "check.h"

#include "life.h"
#include "manual.h"

static struct kw_life after(enum kw_worker_channel channel,
                            enum kw_worker_process process, enum kw_life_event event)
{
    struct kw_life life = {channel, process};
    CHECK(kw_life_happens(&life, event));
    return life;
}

static bool is(struct kw_life life, enum kw_worker_channel channel,
               enum kw_worker_process process)
{
    return life.channel == channel && life.process == process;
}

TEST(worker_says_ready_twice__refused_and_nothing_changes)
{
    struct kw_life life = {KW_WORKER_READY, KW_PROCESS_RUNNING};
    CHECK(!kw_life_happens(&life, KW_LIFE_READY));
    CHECK(is(life, KW_WORKER_READY, KW_PROCESS_RUNNING));
    life.channel = KW_WORKER_STUCK;
    CHECK(!kw_life_happens(&life, KW_LIFE_READY));
}

TEST(told_to_leave__ready_means_nothing)
{
    CHECK(is(after(KW_WORKER_DRAINING, KW_PROCESS_RUNNING, KW_LIFE_READY),
             KW_WORKER_DRAINING, KW_PROCESS_RUNNING));
    CHECK(is(after(KW_WORKER_DRAINING, KW_PROCESS_KILLED, KW_LIFE_READY),
             KW_WORKER_DRAINING, KW_PROCESS_KILLED));
}

TEST(killed__gets_no_job_and_is_heard_until_its_end)
{
    struct kw_life life = after(KW_WORKER_READY, KW_PROCESS_RUNNING, KW_LIFE_KILL);
    CHECK(is(life, KW_WORKER_DRAINING, KW_PROCESS_KILLED));
    CHECK_STR(kw_life_name(&life), "killed");
    life = after(life.channel, life.process, KW_LIFE_END);
    life = after(life.channel, life.process, KW_LIFE_CLOSE);
    life = after(life.channel, life.process, KW_LIFE_EXIT);
    CHECK(is(life, KW_WORKER_CLOSED, KW_PROCESS_GONE));
    CHECK_STR(kw_life_name(&life), "draining");
}

TEST(dies_while_it_drains__its_last_words_are_heard_first)
{
    struct kw_life life = after(KW_WORKER_DRAINING, KW_PROCESS_RUNNING, KW_LIFE_EXIT);
    CHECK(is(life, KW_WORKER_DRAINING, KW_PROCESS_GONE));
    life = after(life.channel, life.process, KW_LIFE_END);
    CHECK(is(life, KW_WORKER_ENDED, KW_PROCESS_GONE));
}

static size_t head(char *text, size_t cap, const char *what)
{
    size_t len = (size_t)snprintf(text, cap, "%-9s", what);
    for (unsigned e = 0; e < KW_LIFE_EVENTS; e++)
        len += (size_t)snprintf(text + len, cap - len, "  %-8s",
                                kw_life_event_name((enum kw_life_event)e));
    return len;
}

/* docs/ARCHITECTURE.md shows it so. */
TEST(table__every_state_and_event__as_in_the_manual)
{
    char text[2048];
    size_t len = head(text, sizeof text, "channel");
    for (unsigned s = 0; s < KW_WORKER_CHANNELS; s++) {
        len += (size_t)snprintf(text + len, sizeof text - len, "\n%-9s",
                                kw_life_channel_name((enum kw_worker_channel)s));
        for (unsigned e = 0; e < KW_LIFE_EVENTS; e++)
            len += (size_t)snprintf(
                text + len, sizeof text - len, "  %-8s",
                kw_life_channel_after((enum kw_worker_channel)s, (enum kw_life_event)e));
    }
    text[len++] = '\n';
    len += head(text + len, sizeof text - len, "process");
    for (unsigned s = 0; s < KW_WORKER_PROCESSES; s++) {
        len += (size_t)snprintf(text + len, sizeof text - len, "\n%-9s",
                                kw_life_process_name((enum kw_worker_process)s));
        for (unsigned e = 0; e < KW_LIFE_EVENTS; e++)
            len += (size_t)snprintf(
                text + len, sizeof text - len, "  %-8s",
                kw_life_process_after((enum kw_worker_process)s, (enum kw_life_event)e));
    }
    manual_has(text);
}

KW_CASES("hsm/front/life", CASE(worker_says_ready_twice__refused_and_nothing_changes),
         CASE(told_to_leave__ready_means_nothing),
         CASE(killed__gets_no_job_and_is_heard_until_its_end),
         CASE(dies_while_it_drains__its_last_words_are_heard_first),
         CASE(table__every_state_and_event__as_in_the_manual))
