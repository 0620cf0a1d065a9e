/* SPDX-License-Identifier: Apache-2.0 */
/* Which worker gets a job. */
#include "stage.h"

#define TEXT "twenty bytes of text" /* so 4 bytes come out */

static struct stage s;

TEST(two_jobs__two_workers__one_each)
{
    struct outcome a, b;
    stage_begin(&s);
    stage_open(&s);
    start_two(&s);
    CHECK_OK(ask(&s, K2, TEXT, &a));
    CHECK_OK(ask(&s, K2, TEXT, &b));
    fake_answer(&s, 0, fake_take(&s, 0, KW_WIRE_UNWRAP), KW_OK, "out!");
    fake_answer(&s, 1, fake_take(&s, 1, KW_WIRE_UNWRAP), KW_OK, "out!");
    CHECK(a.done && b.done && !kw_failed(a.err) && !kw_failed(b.err));
    stage_end(&s);
}

/* Between the swap and the order to leave it is still ready. */
TEST(worker_of_an_earlier_keyring__gets_no_job_though_it_is_ready)
{
    struct outcome a, b;
    struct kw_wire_job job;
    stage_begin(&s);
    stage_open(&s);
    start_two(&s);
    CHECK(s.front->workers[0]->state == KW_WORKER_READY);
    s.front->workers[0]->generation--;
    CHECK_OK(ask(&s, K2, TEXT, &a));
    CHECK_OK(ask(&s, K2, TEXT, &b));
    CHECK(!fake_job(&s, 0, &job));
    fake_answer(&s, 1, fake_take(&s, 1, KW_WIRE_UNWRAP), KW_OK, "out!");
    fake_answer(&s, 1, fake_take(&s, 1, KW_WIRE_UNWRAP), KW_OK, "out!");
    CHECK(a.done && b.done && !kw_failed(a.err) && !kw_failed(b.err));
    stage_end(&s);
}

KW_CASES("hsm/front/pump", CASE(two_jobs__two_workers__one_each),
         CASE(worker_of_an_earlier_keyring__gets_no_job_though_it_is_ready))
