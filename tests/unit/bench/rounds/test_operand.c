/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"

#include <keyward/alloc.h>

#include "rounds.h"

static struct kw_rounds *r;
static struct kw_note note;

static void begin(void)
{
    r = kw_new(1, sizeof *r);
    CHECK(r != NULL);
    r->results = kw_results_new();
    CHECK(r->results != NULL);
    note = (struct kw_note){{0}};
}

static void end(void)
{
    kw_rounds_wipe(r);
    kw_results_free(r->results);
    kw_free(r);
}

static void check_words(size_t at, const char *const *want)
{
    size_t i = 0;
    for (; want[i] != NULL; i++)
        CHECK_STR(r->entry[at].words[i], want[i]);
    CHECK(r->entry[at].words[i] == NULL);
}

static void add__no_name_or_no_verb__refused(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "load /a",
        "=load /a",
        "*=load /a",
        "a=",
        "a=  ",
        "a=rounds x",
        "control=load /a",
        "a=echo x",
        "a b=load x",
        "a=load x @y=1",
        "a,b=load /",
        "a=load @subject=",
        "a=load @token_delay_us=x",
        "a=@subject=x",
        "a2345678901234567890123456789012345678901234567x=load /a"};
    begin();
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        note.text[0] = '\0';
        CHECK_CODE(kw_rounds_add(r, bad[i], &note), KW_CODE_BAD_INPUT);
        CHECK_HAS(note.text, bad[i]);
        CHECK(r->results->cell_count == 0);
    }
    end();
}

static void add__too_many_words_or_cells_or_twice__refused(void **state)
{
    (void)state;
    char text[256] = "a=load", name[32];
    for (size_t i = 6; i + 2 < 200; i += 2) {
        text[i] = ' ';
        text[i + 1] = 'x';
    }
    begin();
    CHECK_CODE(kw_rounds_add(r, text, &note), KW_CODE_BAD_INPUT);
    CHECK_HAS(note.text, "more than 61 words");
    for (size_t i = 0; i < KW_CELLS_MAX; i++) {
        snprintf(name, sizeof name, "c%zu=load /s", i);
        CHECK_OK(kw_rounds_add(r, name, &note));
        if (i == 0)
            CHECK_CODE(kw_rounds_add(r, name, &note), KW_CODE_BAD_INPUT);
    }
    CHECK_CODE(kw_rounds_add(r, "more=load /s", &note), KW_CODE_BAD_INPUT);
    CHECK_HAS(note.text, "128 cells are the most");
    CHECK_OK(kw_rounds_add_control(r));
    CHECK(r->results->cell_count == KW_RESULTS_CELLS);
    end();
}

static void add__no_memory__as_it_was(void **state)
{
    (void)state;
    begin();
    for (long n = 0; n < 3; n++) {
        kw_alloc_fail_from(n);
        CHECK_CODE(kw_rounds_add(r, "a=load /s", &note), KW_CODE_NO_MEMORY);
        kw_alloc_fail_from(-1);
        CHECK(r->results->cell_count == 0);
    }
    end();
}

static void add__good__words_and_json(void **state)
{
    (void)state;
    begin();
    CHECK_OK(kw_rounds_add(r, "a=load  /s --mix\tstatus @subject=x", &note));
    check_words(0, (const char *const[]){"keyward-bench", "load", "/s", "--mix", "status",
                                         "--json", NULL});
    CHECK_STR(r->results->cell[0].command, "load /s --mix status");
    CHECK_STR(r->results->base, "a");
    CHECK(!r->results->cell[0].primary);
    end();
}

static void add__load__axes_from_its_words(void **state)
{
    (void)state;
    begin();
    CHECK_OK(kw_rounds_add(r,
                           "wall-cached-8*=load /s --in-flight 8 --rate=250 --mix "
                           "decrypt:90,status:10 @token_delay_us=2000",
                           &note));
    const struct kw_results_axes *a = &r->results->cell[0].axes;
    CHECK(r->results->cell[0].primary);
    CHECK_STR(r->results->cell[0].name, "wall-cached-8");
    CHECK_STR(a->subject, "wall-cached");
    CHECK_STR(a->method, "decrypt:90,status:10");
    CHECK((int)a->in_flight == 8 && (int)a->rate == 250 &&
          (int)a->token_delay_us == 2000);
    end();
}

static void add__nothing_said__the_verbs_own_defaults(void **state)
{
    (void)state;
    begin();
    CHECK_OK(kw_rounds_add(r, "wall=load /s", &note));
    CHECK_OK(kw_rounds_add(r, "soft-1=token --module m @subject=softhsm", &note));
    CHECK_OK(kw_rounds_add(r, "-x=storm /s", &note));
    const struct kw_results_cell *c = r->results->cell;
    CHECK_STR(c[0].axes.subject, "wall");
    CHECK_STR(c[0].axes.method, "decrypt");
    CHECK((int)c[0].axes.in_flight == 64 && (int)c[0].axes.rate == 0);
    CHECK_STR(c[1].axes.subject, "softhsm");
    CHECK_STR(c[1].axes.method, "unwrap");
    CHECK((int)c[1].axes.in_flight == 1);
    CHECK_STR(c[2].axes.subject, "-x");
    CHECK_STR(c[2].axes.method, "");
    CHECK((int)c[2].axes.in_flight == 0);
    end();
}

static void add__times__expected_or_unknown(void **state)
{
    (void)state;
    begin();
    CHECK_OK(kw_rounds_add(r, "a=load /s", &note));
    CHECK_OK(kw_rounds_add(r, "b=load /s --seconds 500ms --warmup=0s", &note));
    CHECK_OK(kw_rounds_add(r, "c=load /s --calls 5", &note));
    CHECK_OK(kw_rounds_add(r, "d=storm /s", &note));
    CHECK_OK(kw_rounds_add(r, "e=load /s --seconds soon", &note));
    CHECK(r->entry[0].expected_ns == 6 * KW_S_NS);
    CHECK(r->entry[1].expected_ns == 500 * KW_MS_NS);
    CHECK(r->entry[2].expected_ns == 0);
    CHECK(r->entry[3].expected_ns == 0);
    CHECK(r->entry[4].expected_ns == 0);
    end();
}

static void add__bytes_that_are_no_text__question_marks_in_the_results(void **state)
{
    (void)state;
    begin();
    CHECK_OK(kw_rounds_add(r, "a=load /\xff --mix \xfe", &note));
    CHECK_STR(r->entry[0].words[2], "/\xff");
    CHECK_STR(r->results->cell[0].command, "load /? --mix ?");
    CHECK_STR(r->results->cell[0].axes.method, "?");
    end();
}

static void control__the_base_once_more__last_and_not_primary(void **state)
{
    (void)state;
    begin();
    CHECK_OK(kw_rounds_add(r, "a-1*=load /s --seconds 1s", &note));
    CHECK_OK(kw_rounds_add(r, "b=load /t", &note));
    CHECK_OK(kw_rounds_add_control(r));
    const struct kw_results_cell *c = &r->results->cell[2];
    CHECK(r->results->cell_count == 3);
    CHECK_STR(c->name, "control");
    CHECK_STR(c->command, "load /s --seconds 1s");
    CHECK_STR(c->axes.subject, "a");
    CHECK(c->control && !c->primary);
    CHECK_STR(r->results->control, "a-1");
    CHECK(r->entry[2].expected_ns == 2 * KW_S_NS);
    check_words(2, (const char *const[]){"keyward-bench", "load", "/s", "--seconds", "1s",
                                         "--json", NULL});
    end();
}

KW_CASES("bench/rounds/operand", CASE(add__no_name_or_no_verb__refused),
         CASE(add__too_many_words_or_cells_or_twice__refused),
         CASE(add__no_memory__as_it_was), CASE(add__good__words_and_json),
         CASE(add__load__axes_from_its_words),
         CASE(add__nothing_said__the_verbs_own_defaults),
         CASE(add__times__expected_or_unknown),
         CASE(add__bytes_that_are_no_text__question_marks_in_the_results),
         CASE(control__the_base_once_more__last_and_not_primary))
