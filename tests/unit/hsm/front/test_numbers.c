/* SPDX-License-Identifier: Apache-2.0 */
/* What a token's workers answered and how they ended: of the token, whoever is left. */
#include "stage.h"

static struct stage s;
#define TEXT "twenty bytes of text" /* so 4 bytes come out */

static const struct kw_front_numbers_of_token *numbers(void)
{
    return stage_status(&s).tokens[0].numbers;
}

static uint64_t took(size_t op)
{
    uint64_t n = 0;
    for (size_t i = 0; i <= KW_LATENCY_BOUNDS; i++)
        n += numbers()->ops[op].latency.count[i];
    return n;
}

TEST(answers__by_operation_with_their_time_and_failures)
{
    struct outcome o;
    stage_begin(&s);
    s.op_ns = 3 * KW_MS_NS;
    stage_open(&s);
    start_two(&s);
    const uint64_t canaries = took(2);
    CHECK(took(1) == 0);
    CHECK_OK(ask(&s, K2, TEXT, &o));
    fake_answer(&s, 0, fake_take(&s, 0, KW_WIRE_UNWRAP), KW_OK, "out!");
    stage_spin(&s);
    CHECK(took(1) == 1 && took(2) == canaries && took(0) == 0);
    CHECK(numbers()->ops[1].latency.count[kw_latency_at(3 * KW_MS_NS)] == 1);
    CHECK(numbers()->ops[1].latency.sum_ns == 3 * (uint64_t)KW_MS_NS);
    CHECK(numbers()->ops[1].failed == 0 && numbers()->error_count == 0);
    stage_end(&s);
}

TEST(answers__that_never_came_to_the_module__failed_and_took_no_time)
{
    struct kw_front_numbers_of_token n = {0};
    const struct kw_wire_answer a = {.err = kw_err_at(KW_CODE_DEADLINE, "worker"),
                                     .hsm_ns = 5};
    kw_numbers_answered(&n, KW_WIRE_WRAP, &a);
    CHECK(n.ops[0].failed == 1 && n.ops[0].latency.sum_ns == 0 &&
          n.ops[0].latency.count[0] == 0);
}

TEST(errors__what_is_no_return_value__not_counted)
{
    struct kw_front_numbers_of_token n = {0};
    kw_numbers_error(&n, KW_OK);
    kw_numbers_error(&n, kw_err_native(KW_CODE_IO, 5, "open"));
    kw_numbers_error(&n, kw_err_at(KW_CODE_HSM_DOWN, "C_Decrypt"));
    kw_numbers_error(&n, kw_err_native(KW_CODE_HSM_DOWN, 5, NULL));
    CHECK(n.error_count == 0 && n.errors_other == 0);
}

TEST(errors__more_different_ones_than_places__the_rest_together)
{
    struct kw_front_numbers_of_token n = {0};
    for (uint32_t rv = 1; rv <= KW_FRONT_ERRORS_MAX + 3; rv++)
        for (unsigned i = 0; i < 2; i++)
            kw_numbers_error(&n, kw_err_native(KW_CODE_HSM_DOWN, rv, "C_Decrypt"));
    CHECK(n.error_count == KW_FRONT_ERRORS_MAX && n.errors_other == 6);
    for (size_t i = 0; i < n.error_count; i++)
        CHECK(n.errors[i].rv == i + 1 && n.errors[i].count == 2);
}

TEST(ends__a_worker_that_crashed__counted_and_its_numbers_stay)
{
    stage_begin(&s);
    stage_open(&s);
    start_two(&s);
    const uint64_t canaries = took(2), started = numbers()->started;
    s.fakes[0].crashes = true;
    fake_dies(&s, 0);
    stage_spin(&s);
    CHECK(numbers()->ended[KW_FRONT_CRASHED] == 1 && took(2) == canaries);
    stage_pass(&s, KW_S_NS);
    CHECK(numbers()->started > started);
    stage_end(&s);
}

TEST(ends__another_keyring_or_a_word_that_it_cannot__told_apart)
{
    stage_begin(&s);
    stage_open(&s);
    fake_failed(&s, 0, kw_err_native(KW_CODE_HSM_CONFIG, 0xe0, "C_GetSlotList"), "why");
    fake_dies(&s, 0);
    stage_spin(&s);
    CHECK(numbers()->ended[KW_FRONT_NOT_READY] == 1);
    CHECK(numbers()->error_count == 1 && numbers()->errors[0].rv == 0xe0);
    stage_end(&s);
}

TEST(logins__each_that_was_allowed)
{
    stage_begin(&s);
    stage_open(&s);
    start_two(&s);
    CHECK(numbers()->logins == 2);
    stage_end(&s);
}

KW_SUITE("hsm/front/numbers")
