/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"

#include "queue.h"

enum { MAX = 8 };

static void nobody(void *ctx, struct kw_hsm_answer *answer)
{
    (void)ctx;
    (void)answer;
}

static struct kw_hsm_job a_job(unsigned share)
{
    return (struct kw_hsm_job){.op = KW_HSM_UNWRAP,
                               .key_id = "kw1-1-0123456789abcdef01234567",
                               .share = share,
                               .iv = kw_span_str("twelve bytes"),
                               .aad = kw_span_str("aad"),
                               .input = kw_span_str("ciphertext"),
                               .until = {100},
                               .done = nobody};
}

static struct kw_queue q;

static uint64_t add(unsigned share)
{
    uint64_t ticket = 0;
    struct kw_hsm_job job = a_job(share);
    CHECK_OK(kw_queue_add(&q, &job, 0, &ticket));
    CHECK(ticket != 0);
    return ticket;
}

static uint64_t send_first(void)
{
    struct kw_wire_job m;
    kw_queue_send(&q, kw_queue_first(&q, KW_JOB_WAITING), 0,
                  (kw_queue_first(&q, KW_JOB_WAITING))->until, &m);
    return m.id;
}

static void begin(unsigned shares)
{
    kw_test_arena(1 << 16);
    CHECK_OK(kw_queue_init(&q, MAX, shares));
}

static size_t drain(enum kw_code want)
{
    struct kw_done_job done;
    size_t n = 0;
    for (; kw_queue_pop(&q, &done); n++) {
        CHECK(done.err.code == want);
        kw_secret_wipe(&done.output);
    }
    return n;
}

static void end(void)
{
    for (int s = KW_JOB_SENT; s <= KW_JOB_WAITING; s++)
        kw_queue_fail(&q, (enum kw_job_state)s, kw_err_at(KW_CODE_CANCELLED, "test"));
    drain(KW_CODE_CANCELLED);
    kw_queue_wipe(&q);
}

TEST(add__table_full__busy)
{
    begin(1);
    for (int i = 0; i < MAX; i++)
        add(0);
    struct kw_hsm_job job = a_job(0);
    uint64_t ticket = 42;
    CHECK_CODE(kw_queue_add(&q, &job, 0, &ticket), KW_CODE_BUSY);
    CHECK(ticket == 42);
    end();
}

TEST(add__one_share_floods__the_other_keeps_its_part)
{
    begin(2); /* half of 8 is shared out: 2 each are kept */
    struct kw_hsm_job job = a_job(0);
    uint64_t ticket;
    for (int i = 0; i < 6; i++)
        add(0);
    CHECK_CODE(kw_queue_add(&q, &job, 0, &ticket), KW_CODE_BUSY);
    add(1);
    add(1);
    end();
}

TEST(add__two_of_three_shares_flood__the_third_keeps_its_part)
{
    begin(3); /* half of 8 is shared out: one each is kept, five are common */
    struct kw_hsm_job job = a_job(0);
    uint64_t ticket;
    for (int i = 0; i < 4; i++)
        add(0);
    for (int i = 0; i < 3; i++)
        add(1);
    CHECK_CODE(kw_queue_add(&q, &job, 0, &ticket), KW_CODE_BUSY);
    job = a_job(1);
    CHECK_CODE(kw_queue_add(&q, &job, 0, &ticket), KW_CODE_BUSY);
    uint64_t last = add(2);
    job = a_job(2);
    CHECK_CODE(kw_queue_add(&q, &job, 0, &ticket), KW_CODE_BUSY);
    /* Its own place, given back, is its own again; nobody else gets it. */
    CHECK(kw_queue_cancel(&q, last));
    job = a_job(0);
    CHECK_CODE(kw_queue_add(&q, &job, 0, &ticket), KW_CODE_BUSY);
    add(2);
    end();
}

TEST(add__closed__busy)
{
    begin(1);
    struct kw_hsm_job job = a_job(0);
    uint64_t ticket;
    q.closed = true;
    CHECK_CODE(kw_queue_add(&q, &job, 0, &ticket), KW_CODE_BUSY);
    end();
}

TEST(add__quarantined_input__refused)
{
    uint8_t sample[KW_SAMPLE_MAX];
    begin(1);
    struct kw_hsm_job job = a_job(0);
    uint64_t ticket;
    struct kw_wire_job m = {.op = KW_WIRE_UNWRAP,
                            .key_id = kw_span_str(job.key_id),
                            .iv = job.iv,
                            .aad = job.aad,
                            .input = job.input};
    kw_span s = kw_span_of(sample, kw_sample_of(&m, sample));
    kw_quarantine_strike(&q.quarantine, s, 0, 0);
    CHECK_OK(kw_queue_add(&q, &job, 0, &ticket)); /* once is bad luck */
    kw_quarantine_strike(&q.quarantine, s, 0, 0);
    CHECK_CODE(kw_queue_add(&q, &job, 0, &ticket), KW_CODE_QUARANTINED);
    job.input = kw_span_str("other");
    CHECK_OK(kw_queue_add(&q, &job, 0, &ticket));
    end();
}

TEST(add__arena_full__no_memory_and_slot_is_free)
{
    kw_test_arena(4096);
    CHECK_OK(kw_queue_init(&q, 64, 1));
    struct kw_hsm_job job = a_job(0);
    uint64_t ticket;
    kw_err e = KW_OK;
    uint8_t big[256] = {1};
    job.input = kw_span_of(big, sizeof big);
    for (int i = 0; i < 64 && !kw_failed(e); i++)
        e = kw_queue_add(&q, &job, 0, &ticket);
    CHECK_CODE(e, KW_CODE_NO_MEMORY);
    CHECK(kw_queue_count(&q, KW_JOB_WAITING) + kw_queue_count(&q, KW_JOB_FREE) == 64);
    end();
}

TEST(jobs__leave_in_the_order_they_came)
{
    begin(1);
    uint64_t a = add(0), b = add(0);
    CHECK(kw_queue_first(&q, KW_JOB_WAITING)->ticket == a);
    send_first();
    CHECK(kw_queue_first(&q, KW_JOB_WAITING)->ticket == b);
    end();
}

TEST(cancel__waiting_or_sent__gone_and_late_answer_finds_nobody)
{
    begin(1);
    uint64_t a = add(0), b = add(0);
    uint64_t wire = send_first();
    CHECK(kw_queue_cancel(&q, a));
    CHECK(!kw_queue_cancel(&q, a));
    CHECK(kw_queue_by_wire(&q, wire) == NULL);
    CHECK(kw_queue_cancel(&q, b));
    CHECK(kw_queue_count(&q, KW_JOB_FREE) == MAX);
    uint64_t c = add(0); /* the slot is used again, the ticket is another */
    CHECK(c != a && c != b && !kw_queue_cancel(&q, a));
    end();
}

TEST(extend__only_further_away)
{
    begin(1);
    uint64_t a = add(0);
    CHECK(kw_queue_extend(&q, a, (kw_deadline){50}));
    CHECK(!kw_queue_extend(&q, a + 1, (kw_deadline){500}));
    CHECK(kw_queue_extend(&q, a, (kw_deadline){200}));
    CHECK(kw_queue_expire(&q, 199) == 0);
    CHECK(kw_queue_expire(&q, 200) == 1);
    CHECK(!kw_queue_extend(&q, a, (kw_deadline){500})); /* on its way out */
    CHECK(drain(KW_CODE_DEADLINE) == 1);
    CHECK(!kw_queue_extend(&q, a, (kw_deadline){500}));
    end();
}

TEST(expire__sent_job__answer_comes_late_to_nobody)
{
    begin(1);
    add(0);
    uint64_t wire = send_first();
    CHECK(kw_queue_expire(&q, 100) == 1);
    CHECK(kw_queue_by_wire(&q, wire) == NULL);
    CHECK(drain(KW_CODE_DEADLINE) == 1);
    end();
}

TEST(retry__once_under_a_new_id__not_twice)
{
    begin(1);
    uint64_t ticket = add(0);
    add(0);
    uint64_t first = send_first();
    CHECK(kw_queue_retry(&q, kw_queue_by_wire(&q, first)));
    CHECK(kw_queue_first(&q, KW_JOB_WAITING)->ticket == ticket); /* in front */
    CHECK(q.failed_once == 1);
    uint64_t second = send_first();
    CHECK(q.failed_once == 0);
    CHECK(second != first && kw_queue_by_wire(&q, first) == NULL);
    CHECK(!kw_queue_retry(&q, kw_queue_by_wire(&q, second)));
    CHECK(q.requeued == 1);
    end();
}

TEST(pop__hands_over_the_output_and_wipes_the_rest)
{
    struct kw_done_job done;
    begin(1);
    uint64_t ticket = add(0);
    struct kw_job *j = kw_queue_by_wire(&q, send_first());
    CHECK_OK(kw_secret_copy(&j->out.output, kw_span_str("plain")));
    kw_queue_finish(&q, j, KW_OK);
    CHECK(kw_queue_pop(&q, &done));
    CHECK(kw_span_equal_str(kw_secret_peek(&done.output), "plain"));
    CHECK(!kw_queue_cancel(&q, ticket)); /* done is on its way */
    kw_secret_wipe(&done.output);
    CHECK(!kw_queue_pop(&q, &done));
    end();
}

TEST(finish__failed__no_output_leaves)
{
    struct kw_done_job done;
    begin(1);
    add(0);
    struct kw_job *j = kw_queue_by_wire(&q, send_first());
    CHECK_OK(kw_secret_copy(&j->out.output, kw_span_str("plain")));
    kw_queue_finish(&q, j, kw_err_at(KW_CODE_HSM_DOWN, "test"));
    CHECK(kw_queue_pop(&q, &done));
    CHECK(done.output.len == 0 && done.err.code == KW_CODE_HSM_DOWN);
    end();
}

static uint64_t next(void)
{
    return kw_queue_first(&q, KW_JOB_WAITING)->ticket;
}

/* The next one, by its ticket, leaves; returns the id it has on the wire. */
static uint64_t leaves(uint64_t ticket)
{
    CHECK(next() == ticket);
    return send_first();
}

static void unsend(uint64_t wire)
{
    kw_queue_unsend(&q, kw_queue_by_wire(&q, wire));
}

TEST(turns__a_share_with_many_and_one_with_few__one_each)
{
    begin(3); /* nobody is in the middle one */
    uint64_t a1 = add(0), a2 = add(0), a3 = add(0), a4 = add(0), c1 = add(2), c2 = add(2);
    leaves(a1);
    leaves(c1);
    leaves(a2);
    leaves(c2);
    leaves(a3);
    uint64_t c3 = add(2); /* its turn, though it came last */
    leaves(c3);
    leaves(a4);
    CHECK(kw_queue_count(&q, KW_JOB_WAITING) == 0 &&
          kw_queue_first(&q, KW_JOB_WAITING) == NULL);
    end();
}

TEST(turns__one_share_alone__in_the_order_they_came)
{
    begin(3);
    uint64_t a = add(1), b = add(1), c = add(1);
    leaves(a);
    leaves(b);
    leaves(c);
    end();
}

TEST(turns__asked_for_and_not_taken__not_over)
{
    begin(2);
    add(0);
    uint64_t b = add(1);
    send_first();
    CHECK(next() == b && next() == b);
    end();
}

TEST(unsend__last_one_first__as_if_nothing_had_left)
{
    begin(2);
    uint64_t a1 = add(0), a2 = add(0), b1 = add(1), b2 = add(1), wires[3];
    for (int i = 0; i < 3; i++)
        wires[i] = send_first();
    for (int i = 3; i-- > 0;)
        unsend(wires[i]);
    leaves(a1);
    leaves(b1);
    leaves(a2);
    leaves(b2);
    end();
}

TEST(retry__in_front_of_its_own_share_alone)
{
    begin(2);
    uint64_t a1 = add(0), a2 = add(0), b1 = add(1), b2 = add(1);
    uint64_t wire = leaves(a1);
    CHECK(kw_queue_retry(&q, kw_queue_by_wire(&q, wire)));
    leaves(b1); /* whose turn it is */
    leaves(a1);
    leaves(b2);
    leaves(a2);
    end();
}

TEST(more_time_and_vouch__in_front_of_their_own_share_alone)
{
    begin(2);
    uint64_t a1 = add(0), a2 = add(0), b1 = add(1);
    uint64_t wire = leaves(a1);
    CHECK(kw_queue_extend(&q, a1, (kw_deadline){200}));
    CHECK(kw_queue_more_time(&q, kw_queue_by_wire(&q, wire), 100));
    leaves(b1);
    struct kw_job *j = kw_queue_by_wire(&q, leaves(a1));
    uint64_t b2 = add(1);
    kw_queue_decide(&q, j);
    kw_queue_vouch(&q, j);
    leaves(b2);
    leaves(a1);
    leaves(a2);
    end();
}

TEST(cancel_and_expire__of_any_share__the_others_have_their_turns)
{
    begin(3);
    uint64_t a1 = add(0);
    uint64_t b1 = add(1), c1 = add(2), c2 = add(2);
    CHECK(kw_queue_extend(&q, a1, (kw_deadline){300}));
    CHECK(kw_queue_extend(&q, c2, (kw_deadline){300}));
    CHECK(kw_queue_cancel(&q, b1));
    CHECK(kw_queue_expire(&q, 100) == 1); /* c1 */
    CHECK(drain(KW_CODE_DEADLINE) == 1 && !kw_queue_cancel(&q, c1));
    leaves(a1);
    leaves(c2);
    end();
}

TEST(fail_key__those_of_the_key_that_wait_or_are_decided__of_every_share)
{
    begin(2);
    struct kw_hsm_job other = a_job(1);
    uint64_t ticket;
    other.key_id = "kw1-2-0123456789abcdef01234567";
    add(0);
    add(1);
    add(0);
    add(0);
    CHECK_OK(kw_queue_add(&q, &other, 0, &ticket));
    uint64_t sent = send_first();
    kw_queue_decide(&q, kw_queue_by_wire(&q, send_first()));
    kw_queue_fail_key(&q, a_job(0).key_id, kw_err_at(KW_CODE_KEY_BAD, "test"));
    CHECK(drain(KW_CODE_KEY_BAD) == 3);
    CHECK(next() == ticket && kw_queue_count(&q, KW_JOB_WAITING) == 1);
    CHECK(kw_queue_by_wire(&q, sent) != NULL); /* its answer says what became of it */
    end();
}

KW_CASES("hsm/front/queue", CASE(add__table_full__busy),
         CASE(add__one_share_floods__the_other_keeps_its_part),
         CASE(add__two_of_three_shares_flood__the_third_keeps_its_part),
         CASE(add__closed__busy), CASE(add__quarantined_input__refused),
         CASE(add__arena_full__no_memory_and_slot_is_free),
         CASE(jobs__leave_in_the_order_they_came),
         CASE(cancel__waiting_or_sent__gone_and_late_answer_finds_nobody),
         CASE(extend__only_further_away),
         CASE(expire__sent_job__answer_comes_late_to_nobody),
         CASE(retry__once_under_a_new_id__not_twice),
         CASE(pop__hands_over_the_output_and_wipes_the_rest),
         CASE(finish__failed__no_output_leaves),
         CASE(turns__a_share_with_many_and_one_with_few__one_each),
         CASE(turns__one_share_alone__in_the_order_they_came),
         CASE(turns__asked_for_and_not_taken__not_over),
         CASE(unsend__last_one_first__as_if_nothing_had_left),
         CASE(retry__in_front_of_its_own_share_alone),
         CASE(more_time_and_vouch__in_front_of_their_own_share_alone),
         CASE(cancel_and_expire__of_any_share__the_others_have_their_turns),
         CASE(fail_key__those_of_the_key_that_wait_or_are_decided__of_every_share))
