/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"

#include "rounds.h"

static struct kw_results_layout layout;
static struct kw_note note;

static void read__not_that_shape__refused(void **state)
{
    static const char *const bad[] = {"",
                                      "same",
                                      "=client:0,server:0",
                                      "a b=client:0,server:0",
                                      "same=client:0",
                                      "same=client:,server:0",
                                      "same=client:0,server:",
                                      "same=server:0,client:0",
                                      "same=client:0,server:3-1",
                                      "same=client:0,server:1024",
                                      "same=client:0,server:1-",
                                      "same=client:0,server:all"};
    (void)state;
    layout = (struct kw_results_layout){.name = "kept"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        CHECK_CODE(kw_layout_read(bad[i], &layout, &note), KW_CODE_BAD_INPUT);
        CHECK_HAS(note.text, "--layout ");
        CHECK_HAS(note.text, "NAME=client:CPUS,server:CPUS");
        CHECK_STR(layout.name, "kept");
    }
}

static void read__nothing_told__no_conclusion(void **state)
{
    (void)state;
    CHECK_OK(kw_layout_read(NULL, &layout, &note));
    CHECK_STR(layout.name, "unknown");
    CHECK_STR(layout.client, "");
    CHECK_HAS(layout.words, "no scaling conclusion");
}

static void read__one_cpu_shared__no_conclusion(void **state)
{
    (void)state;
    CHECK_OK(kw_layout_read("same=client:0,server:0", &layout, &note));
    CHECK_STR(layout.name, "same");
    CHECK_STR(layout.words,
              "client, daemon and workers share CPU 0: no scaling conclusion");
}

static void read__overlap_or_anywhere__no_conclusion(void **state)
{
    static const char *const some[] = {"x=client:0-1,server:1-2", "x=client:any,server:1",
                                       "x=client:0,server:any",
                                       "x=client:any,server:any"};
    (void)state;
    for (size_t i = 0; i < sizeof some / sizeof some[0]; i++) {
        CHECK_OK(kw_layout_read(some[i], &layout, &note));
        CHECK_HAS(layout.words, "may share one: no scaling conclusion");
    }
}

static void read__apart__said_so(void **state)
{
    (void)state;
    CHECK_OK(kw_layout_read("split=client:0,server:1-3", &layout, &note));
    CHECK_STR(layout.client, "0");
    CHECK_STR(layout.server, "1-3");
    CHECK_STR(layout.words,
              "client on CPU 0, daemon and workers on CPUs 1-3: they share none");
}

KW_CASES("bench/rounds/layout", CASE(read__not_that_shape__refused),
         CASE(read__nothing_told__no_conclusion),
         CASE(read__one_cpu_shared__no_conclusion),
         CASE(read__overlap_or_anywhere__no_conclusion), CASE(read__apart__said_so))
