/* SPDX-License-Identifier: Apache-2.0 */
#include <sys/socket.h>

#include "fake_token.h"

static struct kw_hsm_worker *w;
static struct kw_served served;
static struct kw_note note;

static void begin(void)
{
    int pair[2];
    CHECK(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair) == 0);
    w = fake_worker(pair[0]);
    fake_word(pair[1], KW_OK, "");
    CHECK_OK(kw_worker_start(w, &note));
    fake_prove_the_other(w);
}

static void end(void)
{
    kw_secret_wipe(&served.output);
    fake_worker_end(w);
}

static enum kw_code serve(enum kw_wire_op op, const char *key_id, uint32_t n)
{
    const struct kw_wire_job job = {.id = 9,
                                    .op = op,
                                    .until_ns = 2000,
                                    .key_id = kw_span_str(key_id),
                                    .iv = kw_span_str("twelve bytes"),
                                    .input = kw_span_str("bytes of the input"),
                                    .n = n};
    kw_secret_wipe(&served.output);
    kw_worker_serve(&w->base, &job, &served);
    CHECK(served.answer.id == 9);
    CHECK(kw_failed(served.answer.err) == (served.answer.output.len == 0) ||
          op == KW_WIRE_CANARY);
    CHECK(kw_page_job(w->page, 0).id == 0);
    return served.answer.err.code;
}

TEST(deadline_over__module_is_not_called)
{
    begin();
    const struct kw_wire_job job = {.id = 1,
                                    .op = KW_WIRE_UNWRAP,
                                    .until_ns = 1000, /* now */
                                    .key_id = kw_span_str(K2),
                                    .input = kw_span_str("x")};
    kw_worker_serve(&w->base, &job, &served);
    CHECK(served.answer.err.code == KW_CODE_DEADLINE);
    CHECK(fake.operation.calls == 0);
    end();
}

/* A job that cannot be done in the time that is left takes it from the next one.  One slow
 * operation proves nothing; what is refused makes less be expected. */
TEST(deadline_nearer_than_an_operation_takes__not_begun)
{
    struct kw_wire_job job = {.id = 1,
                              .op = KW_WIRE_UNWRAP,
                              .key_id = kw_span_str(K2),
                              .iv = kw_span_str("twelve bytes"),
                              .input = kw_span_str("bytes of the input")};
    begin();
    fake.takes_ns = KW_MS_NS;
    for (unsigned i = 0; i < 3; i++) {
        job.until_ns = kw_mono_ns(w->clock) + KW_MS_NS / 2;
        kw_secret_wipe(&served.output);
        kw_worker_serve(&w->base, &job, &served);
        CHECK(served.answer.err.code == (i < 2 ? KW_CODE_OK : KW_CODE_DEADLINE));
        CHECK(fake.operation.calls == (i < 2 ? i + 1 : 2));
    }
    for (unsigned i = 0; i < 8; i++) {
        job.until_ns = kw_mono_ns(w->clock) + KW_MS_NS / 2;
        kw_secret_wipe(&served.output);
        kw_worker_serve(&w->base, &job, &served);
    }
    CHECK(fake.operation.calls > 2);
    end();
}

/* ---- a canary that is several operations --------------------------------------------- */

enum { STEPS = 3 };
static struct {
    unsigned count;
    int64_t since_ns[STEPS];
} seen;

static void look_at_page(void)
{
    struct kw_page_job at = kw_page_job(w->page, 0);
    CHECK(at.id == 9 && seen.count < STEPS);
    seen.since_ns[seen.count++] = kw_mono_ns(w->clock) - at.start_ns;
}

TEST(canary__each_operation_begins_anew_on_the_page)
{
    begin();
    CHECK(fake.watched);
    fake.during = look_at_page;
    fake.look_steps = STEPS;
    fake.takes_ns = 100;
    seen.count = 0;
    CHECK(serve(KW_WIRE_CANARY, K2, 2) == KW_CODE_OK);
    CHECK(seen.count == STEPS);
    for (unsigned i = 0; i < STEPS; i++)
        CHECK(seen.since_ns[i] == 0);
    CHECK(served.answer.hsm_ns == STEPS * 100);
    end();
}

/* A client's job is one operation: it is not refused for what a canary takes in all. */
TEST(canaries_of_three_operations__one_is_expected_of_a_job)
{
    struct kw_wire_job job = {
        .id = 9, .op = KW_WIRE_CANARY, .until_ns = INT64_MAX, .n = 2};
    begin();
    fake.look_steps = STEPS;
    fake.takes_ns = KW_MS_NS;
    kw_worker_serve(&w->base, &job, &served);
    kw_worker_serve(&w->base, &job, &served);
    job = (struct kw_wire_job){.id = 10,
                               .op = KW_WIRE_UNWRAP,
                               .until_ns = kw_mono_ns(w->clock) + 2 * KW_MS_NS,
                               .key_id = kw_span_str(K2),
                               .iv = kw_span_str("twelve bytes"),
                               .input = kw_span_str("bytes of the input")};
    kw_worker_serve(&w->base, &job, &served);
    CHECK_OK(served.answer.err);
    end();
}

TEST(unknown_or_unproven_key__refused)
{
    begin();
    CHECK(serve(KW_WIRE_UNWRAP, "kw1-9-x", 0) == KW_CODE_UNKNOWN_KEY);
    CHECK(serve(KW_WIRE_UNWRAP, K3, 0) ==
          KW_CODE_KEY_BAD); /* disabled: never looked at */
    CHECK(fake.operation.calls == 0 && !w->at_end);
    end();
}

/* A new process, and its login, would not make a busy token less so. */
TEST(busy__second_try_then_said_and_stays)
{
    begin();
    script(&fake.operation, 1, KW_CODE_HSM_BUSY);
    CHECK(serve(KW_WIRE_UNWRAP, K1, 0) == KW_CODE_OK);
    CHECK(fake.operation.calls == 2 && fake.prove.calls == 2 && !w->at_end);
    script(&fake.operation, 2, KW_CODE_HSM_BUSY, KW_CODE_HSM_BUSY);
    CHECK(serve(KW_WIRE_WRAP, K2, 0) == KW_CODE_HSM_BUSY);
    CHECK(fake.operation.calls == 2 && !w->at_end);
    end();
}

TEST(session_lost__key_proven_again_before_the_second_try)
{
    begin();
    script(&fake.operation, 1, KW_CODE_SESSION);
    fake.findings = KW_FINDING_DUPLICATE;
    CHECK(serve(KW_WIRE_UNWRAP, K1, 0) == KW_CODE_OK);
    CHECK(fake.operation.calls == 2 && fake.prove.calls == 3 && !w->at_end);
    CHECK(served.answer.looked && served.answer.findings == KW_WIRE_DUPLICATE);
    CHECK(served.answer.reason.len == 0);
    CHECK(serve(KW_WIRE_UNWRAP, K1, 0) == KW_CODE_OK);
    CHECK(fake.prove.calls == 3 && !served.answer.looked);
    script(&fake.operation, 2, KW_CODE_SESSION, KW_CODE_SESSION);
    CHECK(serve(KW_WIRE_WRAP, K2, 0) == KW_CODE_HSM_DOWN);
    CHECK(fake.operation.calls == 2 && w->at_end);
    end();
}

TEST(session_lost__proof_is_not_good__nothing_is_done_and_it_is_told)
{
    static const struct {
        enum kw_code code;
        unsigned findings;
    } cases[] = {{KW_CODE_KEY_BAD, KW_FINDING_EXPOSED},
                 {KW_CODE_FORGED, KW_FINDING_REPLACED}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        begin();
        script(&fake.operation, 1, KW_CODE_SESSION);
        script(&fake.prove, 2, cases[i].code, cases[i].code);
        fake.findings = cases[i].findings;
        CHECK(serve(KW_WIRE_WRAP, K2, 0) == KW_CODE_KEY_BAD);
        CHECK(fake.operation.calls == 1 && !w->at_end && !w->base.keys[1].proven);
        CHECK(served.answer.looked && served.answer.findings == cases[i].findings);
        CHECK(served.answer.err.native == 7);
        CHECK(kw_span_equal_str(served.answer.reason, "no proof of " K2 "?"));
        CHECK(serve(KW_WIRE_WRAP, K2, 0) == KW_CODE_KEY_BAD);
        CHECK(fake.operation.calls == 1);
        CHECK(serve(KW_WIRE_WRAP, K2, 0) == KW_CODE_OK); /* a good proof at last */
        CHECK(fake.operation.calls == 2);
        end();
        kw_arena_close();
    }
}

TEST(session_lost__key_gone_or_token_down__leaves)
{
    static const enum kw_code ends[] = {KW_CODE_MISSING, KW_CODE_HSM_DOWN,
                                        KW_CODE_SESSION};
    for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++) {
        begin();
        script(&fake.operation, 1, KW_CODE_SESSION);
        script(&fake.prove, 1, ends[i]);
        CHECK(serve(KW_WIRE_UNWRAP, K1, 0) == KW_CODE_HSM_DOWN);
        CHECK(fake.operation.calls == 1 && w->at_end && !served.answer.looked);
        end();
        kw_arena_close();
    }
}

TEST(hsm_down_or_key_gone__leaves)
{
    static const enum kw_code ends[] = {KW_CODE_HSM_DOWN, KW_CODE_MISSING};
    for (size_t i = 0; i < 2; i++) {
        begin();
        script(&fake.operation, 1, ends[i]);
        CHECK(serve(KW_WIRE_UNWRAP, K2, 0) == KW_CODE_HSM_DOWN);
        CHECK(w->at_end && served.answer.err.native == 7);
        end();
        kw_arena_close();
    }
}

TEST(forged_or_unsure__said_as_it_is)
{
    begin();
    script(&fake.operation, 2, KW_CODE_UNSURE, KW_CODE_FORGED);
    CHECK(serve(KW_WIRE_UNWRAP, K2, 0) == KW_CODE_UNSURE);
    CHECK(serve(KW_WIRE_UNWRAP, K2, 0) == KW_CODE_FORGED);
    CHECK(fake.operation.calls == 2 && !w->at_end);
    end();
}

TEST(wrap_then_unwrap__bytes_come_back)
{
    begin();
    CHECK(serve(KW_WIRE_WRAP, K2, 0) == KW_CODE_OK);
    CHECK(served.answer.output.len == 18 + KW_GCM_TAG);
    CHECK(serve(KW_WIRE_UNWRAP, K1, 0) == KW_CODE_OK);
    CHECK(served.answer.output.len == 18 - KW_GCM_TAG);
    CHECK(served.answer.hsm_ns == 0); /* the clock stands still */
    end();
}

static enum kw_code canary_of(uint32_t n, bool closely)
{
    const struct kw_wire_job job = {
        .id = 9, .op = KW_WIRE_CANARY, .until_ns = 2000, .n = n, .closely = closely};
    kw_secret_wipe(&served.output);
    kw_worker_serve(&w->base, &job, &served);
    return served.answer.err.code;
}

static enum kw_code canary(uint32_t n)
{
    return canary_of(n, false);
}

TEST(canary__active_wraps_too)
{
    begin();
    CHECK(canary(1) == KW_CODE_OK && !fake.last_also_wrap);
    CHECK(canary(2) == KW_CODE_OK && fake.last_also_wrap);
    CHECK(canary(9) == KW_CODE_UNKNOWN_KEY);
    end();
}

TEST(canary__looks_closely_when_told_to)
{
    begin();
    fake.findings = KW_FINDING_COPYABLE;
    CHECK(canary_of(1, false) == KW_CODE_OK);
    CHECK(!fake.last_closely && !served.answer.looked && served.answer.findings == 0);
    CHECK(canary_of(1, true) == KW_CODE_OK);
    CHECK(fake.last_closely && served.answer.looked);
    CHECK(served.answer.findings == KW_WIRE_COPYABLE);
    script(&fake.look, 1, KW_CODE_HSM_DOWN);
    CHECK(canary_of(1, true) == KW_CODE_HSM_DOWN && !served.answer.looked);
    end();
}

TEST(canary__exposed__said_and_key_is_not_used_before_a_good_proof)
{
    begin();
    fake.findings = KW_FINDING_EXPOSED;
    script(&fake.look, 1, KW_CODE_KEY_BAD);
    CHECK(canary_of(2, true) == KW_CODE_KEY_BAD && !w->at_end);
    CHECK(served.answer.looked && served.answer.findings == KW_WIRE_EXPOSED);
    CHECK(kw_span_equal_str(served.answer.reason, K2 " looks bad"));
    script(&fake.prove, 2, KW_CODE_KEY_BAD, KW_CODE_KEY_BAD);
    CHECK(serve(KW_WIRE_WRAP, K2, 0) == KW_CODE_KEY_BAD);
    CHECK(canary(2) == KW_CODE_KEY_BAD && served.answer.looked);
    CHECK(fake.operation.calls == 0 && fake.look.calls == 1);
    fake.findings = 0;
    CHECK(canary(2) == KW_CODE_OK && served.answer.looked);
    CHECK(serve(KW_WIRE_WRAP, K2, 0) == KW_CODE_OK);
    end();
}

TEST(canary__another_key__said_and_key_is_not_used_any_more)
{
    begin();
    fake.findings = KW_FINDING_REPLACED;
    script(&fake.look, 1, KW_CODE_FORGED);
    script(&fake.prove, 1, KW_CODE_FORGED);
    CHECK(canary(2) == KW_CODE_FORGED && !w->at_end);
    CHECK(serve(KW_WIRE_WRAP, K2, 0) == KW_CODE_KEY_BAD);
    CHECK(served.answer.findings == KW_WIRE_REPLACED);
    CHECK(fake.operation.calls == 0 && !w->at_end);
    CHECK(canary(2) == KW_CODE_OK); /* it opens again */
    CHECK(serve(KW_WIRE_WRAP, K2, 0) == KW_CODE_OK);
    end();
}

/* The canary that proved it again went to another worker. */
TEST(job__key_failed_here_and_is_good_again__proven_first)
{
    begin();
    script(&fake.look, 1, KW_CODE_FORGED);
    CHECK(canary(2) == KW_CODE_FORGED);
    unsigned proofs = fake.prove.calls;
    CHECK(serve(KW_WIRE_WRAP, K2, 0) == KW_CODE_OK);
    CHECK(fake.prove.calls == proofs + 1 && w->base.keys[1].proven);
    CHECK(serve(KW_WIRE_WRAP, K2, 0) == KW_CODE_OK);
    CHECK(fake.prove.calls == proofs + 1);
    script(&fake.look, 1, KW_CODE_FORGED);
    script(&fake.prove, 1, KW_CODE_HSM_DOWN);
    CHECK(canary(2) == KW_CODE_FORGED);
    CHECK(serve(KW_WIRE_WRAP, K2, 0) == KW_CODE_HSM_DOWN && w->at_end);
    end();
}

TEST(canary__no_verdict__key_stays_in_use)
{
    static const enum kw_code codes[] = {KW_CODE_NO_MEMORY, KW_CODE_BUG};
    for (size_t i = 0; i < 2; i++) {
        begin();
        script(&fake.look, 1, codes[i]);
        CHECK(canary(2) == codes[i] && !w->at_end);
        CHECK(serve(KW_WIRE_WRAP, K2, 0) == KW_CODE_OK);
        CHECK(fake.prove.calls == 2);
        end();
        kw_arena_close();
    }
}

TEST(canary__proven_key_gone__leaves)
{
    for (int again = 0; again < 2; again++) {
        begin();
        script(&fake.look, 1, again ? KW_CODE_SESSION : KW_CODE_MISSING);
        script(&fake.prove, 1, KW_CODE_MISSING);
        CHECK(canary(2) == KW_CODE_HSM_DOWN && w->at_end);
        CHECK(fake.prove.calls == (again ? 1 : 0));
        end();
        kw_arena_close();
    }
}

/* Its check blob is what the token stumbles over, each time: no reason to leave. */
TEST(canary__version_that_fails_alone__bad_and_the_worker_stays)
{
    begin();
    w->base.keys[0].proven = false;
    script(&fake.prove, 2, KW_CODE_HSM_DOWN, KW_CODE_HSM_DOWN);
    CHECK(canary(1) == KW_CODE_KEY_BAD && !w->at_end);
    CHECK(serve(KW_WIRE_UNWRAP, K1, 0) == KW_CODE_KEY_BAD && !w->at_end);
    CHECK(fake.operation.calls == 0 && fake.look.calls == 2);
    script(&fake.prove, 1, KW_CODE_HSM_DOWN);
    script(&fake.look, 1, KW_CODE_HSM_DOWN); /* for the other one too */
    CHECK(canary(1) == KW_CODE_HSM_DOWN && w->at_end);
    end();
}

/* The front may have it from the time of the keyring before. */
TEST(wrap__under_another_version_than_the_active_one__refused)
{
    begin();
    CHECK(serve(KW_WIRE_WRAP, K1, 0) == KW_CODE_KEY_DISABLED);
    CHECK(fake.operation.calls == 0 && !w->at_end);
    CHECK(serve(KW_WIRE_UNWRAP, K1, 0) == KW_CODE_OK);
    end();
}

KW_CASES("hsm/worker/serve", CASE(deadline_over__module_is_not_called),
         CASE(deadline_nearer_than_an_operation_takes__not_begun),
         CASE(unknown_or_unproven_key__refused),
         CASE(busy__second_try_then_said_and_stays),
         CASE(session_lost__key_proven_again_before_the_second_try),
         CASE(session_lost__proof_is_not_good__nothing_is_done_and_it_is_told),
         CASE(session_lost__key_gone_or_token_down__leaves),
         CASE(hsm_down_or_key_gone__leaves), CASE(forged_or_unsure__said_as_it_is),
         CASE(wrap_then_unwrap__bytes_come_back), CASE(canary__active_wraps_too),
         CASE(canary__looks_closely_when_told_to),
         CASE(canary__exposed__said_and_key_is_not_used_before_a_good_proof),
         CASE(canary__another_key__said_and_key_is_not_used_any_more),
         CASE(job__key_failed_here_and_is_good_again__proven_first),
         CASE(canary__no_verdict__key_stays_in_use),
         CASE(canary__proven_key_gone__leaves),
         CASE(canary__version_that_fails_alone__bad_and_the_worker_stays),
         CASE(wrap__under_another_version_than_the_active_one__refused))
