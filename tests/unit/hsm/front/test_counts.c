/* SPDX-License-Identifier: Apache-2.0 */
/* What checkpoints say that the token was asked for: of what was sent, and never less than
 * before. */
#include "stage.h"

#include <errno.h>

#define TEXT "twenty bytes of text" /* so 4 bytes come out */

static struct stage s;

/* The sockets of workers, which are looked into while something is being sent. */
static struct {
    bool watched, is_full, answered_at_once;
    uint64_t meanwhile;
} sending;

static uint64_t unwraps(void)
{
    uint64_t counts[KW_CHECKPOINT_COUNTS];
    kw_front_counts(s.front, counts);
    return counts[KW_COUNT_UNWRAP];
}

int __real_sendmmsg(int fd, struct mmsghdr *messages, unsigned count, int flags);
int __wrap_sendmmsg(int fd, struct mmsghdr *messages, unsigned count, int flags);

int __wrap_sendmmsg(int fd, struct mmsghdr *messages, unsigned count, int flags)
{
    int n = -1;
    if (!sending.watched)
        return __real_sendmmsg(fd, messages, count, flags);
    sending.watched = false;
    if (!sending.is_full)
        n = __real_sendmmsg(fd, messages, count, flags);
    if (sending.answered_at_once)
        fake_answer(&s, 0, fake_take(&s, 0, KW_WIRE_UNWRAP), KW_OK, "out!");
    sending.meanwhile = unwraps();
    errno = EAGAIN;
    return n;
}

static void begin_with_one(void)
{
    memset(&sending, 0, sizeof sending);
    stage_begin(&s);
    stage_open(&s);
    s.front->tokens[0].o.workers = 1;
    fake_ready(&s, 0);
    stage_pass(&s, 0);
    fake_canaries(&s, 0);
    CHECK(unwraps() == 0);
    sending.watched = true;
}

TEST(count__of_a_job_that_could_not_be_sent__does_not_rise_and_fall)
{
    struct outcome o;
    begin_with_one();
    sending.is_full = true;
    CHECK_OK(ask(&s, K1, TEXT, &o));
    CHECK(!sending.watched && sending.meanwhile == 0 && unwraps() == 0);
    stage_pass(&s, KW_S_NS / 100);
    fake_answer(&s, 0, fake_take(&s, 0, KW_WIRE_UNWRAP), KW_OK, "out!");
    CHECK(o.done && unwraps() == 1);
    stage_end(&s);
}

static void rest_until(int64_t ns)
{
    kw_lock_take(&s.lock);
    s.front->tokens[0].workers[0]->pace.rest_until_ns = ns;
    kw_lock_give(&s.lock);
}

/* What a call's record says was done is not missing in the checkpoint behind it. */
TEST(count__of_a_job_that_is_answered_before_its_sender_is_back__one)
{
    struct outcome o;
    begin_with_one();
    sending.answered_at_once = true;
    rest_until(INT64_MAX);
    CHECK_OK(ask(&s, K1, TEXT, &o));
    CHECK(sending.watched);
    rest_until(0);
    kw_pump(s.front, KW_WIRE_JOBS_MAX);
    CHECK(!sending.watched && o.done && sending.meanwhile == 1 && unwraps() == 1);
    stage_end(&s);
}

KW_SUITE("hsm/front/counts")
