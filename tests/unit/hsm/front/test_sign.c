/* SPDX-License-Identifier: Apache-2.0 */
/* A checkpoint through the whole front; the test plays the workers.  Key and signature are
 * those of the checkpoint module's tests. */
#include "sample.h"
#include "stage.h"

static struct stage s;
static struct signed_outcome {
    unsigned told;
    kw_err err;
    char der[2 * KW_SIGNATURE_DER_MAX + 1], token[32];
} o;

#define TEXT "twenty bytes of text"

static void begin(void)
{
    uint8_t spki[KW_SPKI];
    kw_dst dst = kw_dst_of(spki, sizeof spki);
    sample_unhex(&dst, sample_spki);
    stage_begin(&s);
    s.options.audit.label = "keyward-audit";
    CHECK_OK(kw_sha256(kw_dst_span(&dst), s.options.audit.sha256));
    o = (struct signed_outcome){0};
}

static void begin_with_two(void)
{
    begin();
    stage_open(&s);
    start_two(&s);
}

static void on_signed(void *ctx, const struct kw_hsm_signature *signature)
{
    CHECK(ctx == &o);
    o.told++;
    o.err = signature->err;
    kw_hex(o.der, sizeof o.der, signature->der);
    kw_copy_str(o.token, sizeof o.token, kw_span_str(signature->token));
}

static kw_err sign_of(const struct kw_checkpoint *c)
{
    const struct kw_hsm_sign sign = {.checkpoint = c,
                                     .until = {s.time.now_ns + 2 * KW_S_NS},
                                     .done = on_signed,
                                     .ctx = &o};
    kw_lock_take(&s.lock);
    kw_err e = s.door.ops->sign(s.door.hsm, &sign);
    kw_lock_give(&s.lock);
    s.door.ops->flush(s.door.hsm);
    stage_spin(&s);
    return e;
}

static kw_err sign(void)
{
    const struct kw_checkpoint c = sample_checkpoint();
    return sign_of(&c);
}

/* `flip`: this byte of the answer is another one. */
static void answers(unsigned i, uint64_t id, size_t flip)
{
    uint8_t bytes[KW_WIRE_SIGNED], message[KW_WIRE_MAX];
    uint8_t der[KW_SIGNATURE_DER_MAX];
    kw_dst dst = kw_dst_of(bytes, sizeof bytes);
    kw_dst der_dst = kw_dst_of(der, sizeof der), out = kw_dst_of(message, sizeof message);
    sample_unhex(&dst, sample_spki);
    sample_unhex(&der_dst, sample_der);
    CHECK_OK(kw_signature_from_der(kw_dst_span(&der_dst), bytes + KW_SPKI));
    if (flip < sizeof bytes)
        bytes[flip] ^= 1;
    const struct kw_wire_answer a = {
        .id = id, .hsm_ns = 5, .output = kw_span_of(bytes, sizeof bytes)};
    CHECK_OK(kw_wire_encode_answer(&a, &out));
    kw_page_end(s.fakes[i].page, 0);
    fake_say(&s, i, message, out.len);
    stage_spin(&s);
}

/* Whichever of them has it; its id is left in *ret_id. */
static unsigned taken(uint64_t *ret_id)
{
    struct kw_wire_job job = {.id = 0};
    unsigned i = fake_job(&s, 0, &job) ? 0 : 1;
    if (job.id == 0)
        CHECK(fake_job(&s, 1, &job));
    CHECK(job.op == KW_WIRE_SIGN);
    *ret_id = job.id;
    return i;
}

TEST(sign__answered__verified_and_told_once_as_der)
{
    struct kw_wire_job job;
    struct kw_checkpoint asked;
    begin_with_two();
    CHECK_OK(sign());
    CHECK(o.told == 0 && fake_job(&s, 0, &job) && job.op == KW_WIRE_SIGN);
    struct kw_src src = kw_src_of(job.input);
    kw_checkpoint_take(&src, &asked);
    CHECK(kw_src_done(&src) && asked.covered == 4711);
    answers(0, job.id, KW_WIRE_SIGNED);
    CHECK(o.told == 1 && !kw_failed(o.err));
    CHECK_STR(o.der, sample_der);
    CHECK_STR(o.token, "tok");
    stage_end(&s);
}

TEST(counts__each_job_as_what_it_is__and_two_self_tests)
{
    struct outcome wrap, unwrap[3];
    uint64_t counts[KW_CHECKPOINT_COUNTS];
    begin_with_two();
    CHECK_OK(sign());
    CHECK_OK(ask_to(&s, KW_HSM_WRAP, K1, "to wrap", &wrap));
    CHECK_OK(ask(&s, K1, "wrapped", &unwrap[0]));
    CHECK_OK(ask(&s, K1, "wrapped too", &unwrap[1]));
    s.verifies = true;
    CHECK_OK(ask(&s, K1, "just wrapped", &unwrap[2]));
    kw_front_counts(s.front, counts);
    CHECK(counts[KW_COUNT_WRAP] == 1 && counts[KW_COUNT_UNWRAP] == 2);
    CHECK(counts[KW_COUNT_VERIFY] == 1 && counts[KW_COUNT_SIGN] == 1);
    CHECK(counts[KW_COUNT_SELF_TEST] == 2);
    stage_end(&s);
}

TEST(sign__another_is_under_way__busy)
{
    begin_with_two();
    CHECK_OK(sign());
    CHECK_CODE(sign(), KW_CODE_BUSY);
    stage_end(&s);
    CHECK(o.told == 1 && o.err.code == KW_CODE_HSM_DOWN);
}

TEST(sign__fields_out_of_bounds__refused)
{
    struct kw_checkpoint c = sample_checkpoint();
    begin_with_two();
    c.covered = UINT64_MAX;
    CHECK_CODE(sign_of(&c), KW_CODE_BAD_INPUT);
    stage_end(&s);
    CHECK(o.told == 0);
}

TEST(sign__no_key_named__refused)
{
    begin();
    s.options.audit.label = NULL;
    stage_open(&s);
    start_two(&s);
    CHECK_CODE(sign(), KW_CODE_HSM_CONFIG);
    stage_end(&s);
    CHECK(o.told == 0);
}

/* With one byte that is another one. */
static void is_no_signature(size_t flip)
{
    uint64_t id = 0;
    begin_with_two();
    CHECK_OK(sign());
    const unsigned who = taken(&id);
    answers(who, id, flip);
    CHECK(o.told == 1 && o.err.code == KW_CODE_WRONG_ANSWER);
    CHECK_STR(o.der, "");
    CHECK(s.fakes[who].killed && !s.fakes[1 - who].killed);
    stage_end(&s);
}

TEST(sign__answered_with_another_key__wrong_answer_and_the_worker_replaced)
{
    is_no_signature(KW_SPKI - 1);
}

TEST(sign__answered_with_another_signature__wrong_answer_and_the_worker_replaced)
{
    is_no_signature(KW_WIRE_SIGNED - 1);
}

/* Both have had a job that took long: from now on each gets one at a time. */
static void slow_down(void)
{
    struct outcome jobs[2];
    s.op_ns = 20 * KW_MS_NS;
    for (unsigned i = 0; i < 2; i++)
        CHECK_OK(ask(&s, K2, TEXT, &jobs[i]));
    for (unsigned i = 0; i < 2; i++)
        fake_answer(&s, i, fake_take(&s, i, KW_WIRE_UNWRAP), KW_OK, "out!");
}

TEST(sign__jobs_wait__goes_behind_them)
{
    struct outcome jobs[3];
    struct kw_wire_job job;
    begin_with_two();
    slow_down();
    CHECK_OK(ask(&s, K2, TEXT, &jobs[0]));
    CHECK_OK(ask(&s, K2, TEXT, &jobs[1]));
    const uint64_t first = fake_take(&s, 0, KW_WIRE_UNWRAP);
    const uint64_t second = fake_take(&s, 1, KW_WIRE_UNWRAP);
    CHECK_OK(sign());
    CHECK_OK(ask(&s, K2, TEXT, &jobs[2])); /* it came later */
    CHECK(!fake_job(&s, 0, &job) && !fake_job(&s, 1, &job));
    fake_answer(&s, 0, first, KW_OK, "out!");
    (void)fake_take(&s, 0, KW_WIRE_UNWRAP);
    CHECK(!fake_job(&s, 0, &job) && !fake_job(&s, 1, &job));
    fake_answer(&s, 1, second, KW_OK, "out!");
    answers(1, fake_take(&s, 1, KW_WIRE_SIGN), KW_WIRE_SIGNED);
    CHECK(o.told == 1 && !kw_failed(o.err) && !jobs[2].done);
    stage_end(&s);
}

TEST(sign__no_worker__deadline)
{
    begin();
    stage_open(&s);
    CHECK_OK(sign());
    stage_pass(&s, 2 * KW_S_NS - 1);
    CHECK(o.told == 0);
    stage_pass(&s, 1);
    CHECK(o.told == 1 && o.err.code == KW_CODE_DEADLINE);
    stage_end(&s);
}

TEST(sign__answer_after_the_deadline__told_once)
{
    uint64_t id = 0;
    begin_with_two();
    CHECK_OK(sign());
    const unsigned who = taken(&id);
    stage_stand_still(&s, 2 * KW_S_NS);
    CHECK(o.told == 1 && o.err.code == KW_CODE_DEADLINE);
    answers(who, id, KW_WIRE_SIGNED);
    CHECK(o.told == 1 && !s.fakes[who].killed);
    stage_end(&s);
}

/* The key's failure is not the token's: it stays up, and the worker serves on. */
TEST(sign__worker_says_no__told_and_nothing_else_happens)
{
    static const enum kw_code codes[] = {KW_CODE_HSM_DOWN, KW_CODE_KEY_BAD,
                                         KW_CODE_MISSING, KW_CODE_DENIED};
    begin_with_two();
    for (size_t i = 0; i < sizeof codes / sizeof codes[0]; i++) {
        uint64_t id = 0;
        o.told = 0;
        CHECK_OK(sign());
        const unsigned who = taken(&id);
        fake_answer(&s, who, id, kw_err_native(codes[i], 5, "C_Sign"), "");
        CHECK(o.told == 1 && o.err.code == codes[i]);
    }
    CHECK(stage_health(&s).state == KW_HSM_UP);
    CHECK(!s.fakes[0].killed && !s.fakes[1].killed && s.started == 2);
    stage_end(&s);
}

/* It is not tried with the next worker: that one may die, too. */
TEST(sign__worker_dies_over_it__hsm_down)
{
    uint64_t id = 0;
    begin_with_two();
    CHECK_OK(sign());
    const unsigned who = taken(&id);
    fake_dies(&s, who);
    CHECK(o.told == 1 && o.err.code == KW_CODE_HSM_DOWN);
    CHECK(stage_status(&s).held_count == 0);
    stage_end(&s);
}

/* It lay in the socket of a worker that died before it came to it. */
TEST(sign__worker_dies_before_it_begins__another_one_signs)
{
    uint64_t id = 0;
    begin_with_two();
    CHECK_OK(sign());
    const unsigned who = taken(&id);
    kw_page_end(s.fakes[who].page, 0);
    fake_dies(&s, who);
    CHECK(o.told == 0);
    answers(1 - who, fake_take(&s, 1 - who, KW_WIRE_SIGN), KW_WIRE_SIGNED);
    CHECK(o.told == 1 && !kw_failed(o.err));
    stage_end(&s);
}

/* The pair may lie in one of two tokens only. */
TEST(sign__token_without_the_key__another_one_is_asked)
{
    begin();
    stage_two_tokens(&s);
    stage_open(&s);
    start_two(&s);
    CHECK_OK(sign());
    fake_answer(&s, 0, fake_take(&s, 0, KW_WIRE_SIGN),
                kw_err_at(KW_CODE_MISSING, "audit key"), "");
    CHECK(o.told == 0);
    answers(1, fake_take(&s, 1, KW_WIRE_SIGN), KW_WIRE_SIGNED);
    CHECK(o.told == 1 && !kw_failed(o.err));
    CHECK_STR(o.token, "tok2");
    stage_end(&s);
}

KW_SUITE("hsm/front/sign")
