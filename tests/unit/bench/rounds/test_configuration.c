/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"

#include <keyward/alloc.h>

#include "rounds.h"

static void parse__no_name_or_no_verb__refused(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "load /a", "=load /a", "a=", "a=rounds x", "control=load /a", "a=  "};
    struct kw_configuration c = {.name = "kept"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct kw_note note = {{0}};
        CHECK_CODE(kw_configuration_parse(bad[i], NULL, &c, &note), KW_CODE_BAD_INPUT);
        CHECK(note.text[0] != '\0');
        CHECK_STR(c.name, "kept");
    }
}

static void parse__too_many_words__refused(void **state)
{
    (void)state;
    struct kw_configuration c;
    struct kw_note note;
    char text[256] = "a=load";
    for (size_t i = 6; i + 2 < 200; i += 2) {
        text[i] = ' ';
        text[i + 1] = 'x';
    }
    CHECK_CODE(kw_configuration_parse(text, NULL, &c, &note), KW_CODE_BAD_INPUT);
}

static void parse__good__words_json_and_cpu(void **state)
{
    (void)state;
    struct kw_configuration c;
    struct kw_note note;
    CHECK_OK(kw_configuration_parse("a=load  /s --mix\tstatus", "1", &c, &note));
    static const char *const want[] = {"keyward-bench", "load",   "/s",    "--mix",
                                       "status",        "--json", "--cpu", "1"};
    CHECK_STR(c.name, "a");
    for (size_t i = 0; i < 8; i++)
        CHECK_STR(c.words[i], want[i]);
    CHECK(c.words[8] == NULL);
    kw_free(c.line);
}

static void parse__its_own_cpu__left_alone(void **state)
{
    (void)state;
    struct kw_configuration c;
    struct kw_note note;
    CHECK_OK(kw_configuration_parse("a=token --cpu 0", "1", &c, &note));
    CHECK_STR(c.words[3], "0");
    CHECK_STR(c.words[4], "--json");
    CHECK(c.words[5] == NULL);
    kw_free(c.line);
}

KW_CASES("bench/rounds/configuration", CASE(parse__no_name_or_no_verb__refused),
         CASE(parse__too_many_words__refused), CASE(parse__good__words_json_and_cpu),
         CASE(parse__its_own_cpu__left_alone))
