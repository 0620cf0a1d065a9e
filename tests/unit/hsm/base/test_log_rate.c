/* SPDX-License-Identifier: Apache-2.0 */
#include "logged.h"

#include <pthread.h>
#include <stdio.h>

static struct logged l;

/* How many lines come out when `event` is logged `times` times. */
static unsigned shown(const char *event, unsigned times)
{
    unsigned count = 0;
    for (unsigned i = 0; i < times; i++) {
        kw_log(KW_LOG_INFO, event, KW_INT("i", i));
        count += logged_take(&l);
    }
    return count;
}

TEST(rate__more_than_20_in_a_second__dropped)
{
    logged_open(&l, KW_LOG_INFO, KW_LOG_LOGFMT);
    CHECK(shown("flood", 100) == 20);
    l.fake.now_ns = KW_S_NS - 1;
    CHECK(shown("flood", 5) == 0);
    logged_close(&l);
}

TEST(rate__next_second__told_once)
{
    logged_open(&l, KW_LOG_INFO, KW_LOG_LOGFMT);
    CHECK(shown("flood", 57) == 20);
    l.fake.now_ns = KW_S_NS;
    kw_log(KW_LOG_INFO, "flood", KW_INT("i", 1));
    CHECK(logged_take(&l));
    CHECK_HAS(l.line, "event=flood i=1 dropped_before=37");
    kw_log(KW_LOG_INFO, "flood", KW_INT("i", 2));
    CHECK(logged_take(&l));
    CHECK(strstr(l.line, "dropped_before") == NULL);
    CHECK(shown("flood", 100) == 18); /* a new second's twenty */
    logged_close(&l);
}

TEST(may__until_20_were_shown_and_in_the_next_second__asking_counts_nothing)
{
    logged_open(&l, KW_LOG_INFO, KW_LOG_LOGFMT);
    CHECK(kw_log_may("asked"));
    CHECK(shown("asked", 19) == 19 && kw_log_may("asked"));
    CHECK(shown("asked", 1) == 1 && !kw_log_may("asked") && !kw_log_may("asked"));
    CHECK(kw_log_may("another"));
    l.fake.now_ns = KW_S_NS;
    CHECK(kw_log_may("asked") && shown("asked", 1) == 1);
    CHECK(strstr(l.line, "dropped_before") == NULL);
    logged_close(&l);
}

TEST(rate__exactly_20__none_dropped)
{
    logged_open(&l, KW_LOG_INFO, KW_LOG_JSON);
    CHECK(shown("calm", 20) == 20);
    l.fake.now_ns = KW_S_NS;
    CHECK(shown("calm", 20) == 20);
    CHECK(strstr(l.line, "dropped_before") == NULL);
    logged_close(&l);
}

/* The name counts, not the address of the literal that says it. */
TEST(rate__same_name_elsewhere__one_count)
{
    char here[] = "flood", there[] = "flood";
    logged_open(&l, KW_LOG_INFO, KW_LOG_LOGFMT);
    CHECK(shown(here, 15) == 15);
    CHECK(shown(there, 15) == 5);
    there[0] = 'b';
    CHECK(shown(there, 1) == 1);
    logged_close(&l);
}

/* One name's flood hides no other, and others do not set it free. */
TEST(rate__many_names__each_its_own)
{
    char name[16];
    logged_open(&l, KW_LOG_INFO, KW_LOG_LOGFMT);
    CHECK(shown("flood", 30) == 20);
    for (unsigned i = 0; i < 60; i++) {
        snprintf(name, sizeof name, "other-%u", i);
        CHECK(shown(name, 1) == 1);
    }
    CHECK(shown("flood", 30) == 0);
    logged_close(&l);
}

TEST(rate__more_names_than_slots__oldest_forgotten)
{
    char name[16];
    logged_open(&l, KW_LOG_INFO, KW_LOG_LOGFMT);
    CHECK(shown("old", 30) == 20);
    for (unsigned i = 0; i < 200; i++) {
        l.fake.now_ns++;
        snprintf(name, sizeof name, "other-%u", i);
        CHECK(shown(name, 1) == 1);
    }
    CHECK(shown("old", 1) == 1);
    logged_close(&l);
}

TEST(rate__below_the_level__not_counted)
{
    logged_open(&l, KW_LOG_INFO, KW_LOG_LOGFMT);
    for (unsigned i = 0; i < 100; i++)
        kw_log_bare(KW_LOG_DEBUG, "quiet");
    CHECK(shown("quiet", 20) == 20);
    logged_close(&l);
}

static void *say(void *name)
{
    for (unsigned i = 0; i < 20; i++)
        kw_log(KW_LOG_INFO, name, KW_STR("text", "a whole line or none"));
    return NULL;
}

/* Into a pipe: it has room for all of them, so none may be lost. */
TEST(log__four_threads__whole_lines)
{
    static char names[4][8] = {"one", "two", "three", "four"};
    static char text[65536], want[] = " text=\"a whole line or none\"";
    pthread_t t[4];
    int ends[2];
    unsigned count = 0;
    CHECK(pipe(ends) == 0);
    kw_log_setup(ends[1], KW_LOG_INFO, KW_LOG_LOGFMT, NULL);
    for (unsigned i = 0; i < 4; i++)
        CHECK(pthread_create(&t[i], NULL, say, names[i]) == 0);
    for (unsigned i = 0; i < 4; i++)
        pthread_join(t[i], NULL);
    close(ends[1]);
    size_t len = 0;
    for (ssize_t n; (n = read(ends[0], text + len, sizeof text - 1 - len)) > 0;)
        len += (size_t)n;
    close(ends[0]);
    for (char *rest, *line = strtok_r(text, "\n", &rest); line != NULL;
         line = strtok_r(NULL, "\n", &rest), count++) {
        CHECK(strlen(line) > strlen(want) && strncmp(line, "20", 2) == 0);
        CHECK_STR(line + strlen(line) - strlen(want), want);
    }
    CHECK(count == 80);
}

KW_CASES("hsm/base/log-rate", CASE(rate__more_than_20_in_a_second__dropped),
         CASE(rate__next_second__told_once),
         CASE(may__until_20_were_shown_and_in_the_next_second__asking_counts_nothing),
         CASE(rate__exactly_20__none_dropped), CASE(rate__same_name_elsewhere__one_count),
         CASE(rate__many_names__each_its_own),
         CASE(rate__more_names_than_slots__oldest_forgotten),
         CASE(rate__below_the_level__not_counted), CASE(log__four_threads__whole_lines))
