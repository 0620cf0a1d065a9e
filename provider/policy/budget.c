/* SPDX-License-Identifier: Apache-2.0 */
/* budget - how long a class may go on from memory while the HSM is lost */
#include <keyward/clock.h>
#include <keyward/policy.h>

/* One minute comes back for each hour of health. */
#define HEALTH_PER_REFILL 60

void kw_budget_init(struct kw_budget *b, int64_t max_ns, int64_t boot_now_ns)
{
    *b = (struct kw_budget){max_ns, max_ns, boot_now_ns};
}

static void spend(struct kw_budget *b, int64_t passed_ns)
{
    b->left_ns = passed_ns < b->left_ns ? b->left_ns - passed_ns : 0;
}

static void refill(struct kw_budget *b, int64_t passed_ns)
{
    int64_t missing_ns = b->max_ns - b->left_ns;
    int64_t back_ns = passed_ns / HEALTH_PER_REFILL;
    b->left_ns += back_ns < missing_ns ? back_ns : missing_ns;
    /* What was too short to count is counted the next time, however often this runs. */
    b->at_boot_ns -= passed_ns % HEALTH_PER_REFILL;
}

void kw_budget_pass_over(struct kw_budget *b, int64_t boot_now_ns)
{
    if (boot_now_ns - KW_PAUSE_NS > b->at_boot_ns)
        b->at_boot_ns = boot_now_ns - KW_PAUSE_NS;
}

void kw_budget_tick(struct kw_budget *b, bool lost, int64_t boot_now_ns)
{
    if (boot_now_ns <= b->at_boot_ns)
        return; /* a reading taken before the last one */
    int64_t passed_ns = boot_now_ns - b->at_boot_ns;
    b->at_boot_ns = boot_now_ns;
    if (lost)
        spend(b, passed_ns);
    else
        refill(b, passed_ns);
}
