/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"

#include "token_bench.h"

static const struct kw_key_guard no_keyring;
static struct kw_token_plan plan = {.module = "/m.so",
                                    .uri = "pkcs11:token=t",
                                    .pin = "file:/p",
                                    .processes = 1,
                                    .threads = 1,
                                    .sessions = 1};
static struct kw_token_result r;

static void result_of(size_t points, unsigned samples)
{
    r = (struct kw_token_result){.count = points};
    for (size_t i = 0; i < points; i++) {
        struct kw_token_point *p = &r.point[i];
        *p = (struct kw_token_point){.processes = i + 1, .threads = 1, .sessions = 1};
        p->elapsed_ns = KW_S_NS;
        p->cpu_ns = samples * 2000;
        p->cpu_known = true;
        for (unsigned k = 0; k < samples * (i + 1); k++)
            kw_histogram_add(&p->latency, 100);
    }
}

static double number(const json_t *from, const char *name)
{
    const json_t *n = json_object_get(from, name);
    CHECK(json_is_number(n));
    return json_number_value(n);
}

TEST(document__nothing_measured__no_figures)
{
    r = (struct kw_token_result){.partial = true};
    kw_note_set(&r.fault, "why");
    json_t *o = kw_token_document(&plan, &no_keyring, &r);
    CHECK(json_object_size(json_object_get(o, "figures")) == 0);
    CHECK(json_is_true(json_object_get(o, "partial")));
    CHECK_STR(json_string_value(json_object_get(o, "fault")), "why");
    CHECK(json_is_null(json_object_get(o, "keyring")));
    CHECK(json_object_get(o, "curve") == NULL);
    json_decref(o);
}

TEST(document__few_samples_or_a_death__unknown_figures_absent)
{
    result_of(1, 150);
    json_t *o = kw_token_document(&plan, &no_keyring, &r);
    const json_t *figures = json_object_get(o, "figures");
    CHECK(json_object_get(figures, "p50_us") == NULL);
    CHECK(number(figures, "calls_per_s") == 150 && number(figures, "cpu_us") == 2);
    CHECK_STR(json_string_value(json_object_get(o, "tool")), "keyward-bench token");
    CHECK(number(o, "schema") == 1 && number(o, "good") == 150);
    json_decref(o);
    r.point[0].cpu_known = false;
    o = kw_token_document(&plan, &no_keyring, &r);
    CHECK(json_object_get(json_object_get(o, "figures"), "cpu_us") == NULL);
    json_decref(o);
}

TEST(document__curve__points_ascending_and_the_best_as_figures)
{
    plan.curve.count = 3;
    plan.curve.at[0] = 1;
    plan.curve.at[1] = 2;
    plan.curve.at[2] = 4;
    result_of(2, 1000);
    r.count = 3; /* the third was begun and measured nothing */
    json_t *o = kw_token_document(&plan, &no_keyring, &r);
    const json_t *curve = json_object_get(o, "curve");
    CHECK(json_array_size(curve) == 2);
    CHECK(number(json_array_get(curve, 0), "sessions") == 1);
    CHECK(number(json_array_get(curve, 1), "sessions") == 2);
    CHECK(number(json_array_get(curve, 1), "ops_per_s") == 2000);
    CHECK(number(json_array_get(curve, 1), "p50_us") == 0.1);
    CHECK(number(json_object_get(o, "figures"), "calls_per_s") == 2000);
    json_decref(o);
    plan.curve.count = 0;
}

static void planned(const struct kw_token_plan *p, double logins, double sessions)
{
    json_t *o = kw_token_plan_document(p, &no_keyring);
    CHECK(number(o, "logins") == logins && number(o, "sessions_open") == sessions);
    CHECK(json_is_true(json_object_get(o, "dry_run")));
    json_decref(o);
}

/* One of each is the owner's. */
TEST(plan__logins_and_sessions__counted)
{
    struct kw_token_plan p = plan;
    p.processes = 3;
    p.threads = 2;
    p.sessions = 4;
    planned(&p, 4, 25);
    p = plan;
    p.curve = (struct kw_args_list){{8, 2}, 2};
    planned(&p, 11, 9);
}

KW_CASES("bench/token/document", CASE(document__nothing_measured__no_figures),
         CASE(document__few_samples_or_a_death__unknown_figures_absent),
         CASE(document__curve__points_ascending_and_the_best_as_figures),
         CASE(plan__logins_and_sessions__counted))
