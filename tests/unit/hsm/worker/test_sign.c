/* SPDX-License-Identifier: Apache-2.0 */
/* A checkpoint is signed, or not. */
#include <sys/socket.h>

#include "fake_token.h"

static struct kw_hsm_worker *w;
static struct kw_served served;

static void begin(void)
{
    int pair[2];
    struct kw_note note;
    CHECK(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair) == 0);
    w = fake_worker(pair[0]);
    fake_word(pair[1], KW_OK, "");
    CHECK_OK(kw_worker_start(w, &note));
}

static void end(void)
{
    kw_secret_wipe(&served.output);
    fake_worker_end(w);
}

static enum kw_code sign_at(uint8_t log, uint64_t covered, int64_t until_ns)
{
    const struct kw_checkpoint c = {.log = {log}, .node = "cp-01", .covered = covered};
    uint8_t fields[KW_CHECKPOINT_FIELDS_MAX];
    kw_dst dst = kw_dst_of(fields, sizeof fields);
    CHECK(kw_checkpoint_put(&dst, &c));
    const struct kw_wire_job job = {
        .id = 9, .op = KW_WIRE_SIGN, .until_ns = until_ns, .input = kw_dst_span(&dst)};
    kw_secret_wipe(&served.output);
    kw_worker_serve(&w->base, &job, &served);
    CHECK(served.answer.id == 9 && served.answer.findings == 0);
    CHECK(kw_page_job(w->page, 0).id == 0);
    return served.answer.err.code;
}

static enum kw_code sign(uint8_t log, uint64_t covered)
{
    return sign_at(log, covered, INT64_MAX);
}

TEST(fields__signed__key_and_signature_come_back)
{
    begin();
    CHECK(sign(1, 17) == KW_CODE_OK);
    CHECK(fake.sign.calls == 1 && fake.signed_covered == 17);
    const kw_span out = served.answer.output;
    CHECK(out.len == KW_WIRE_SIGNED && out.ptr[0] == 1 && out.ptr[KW_SPKI] == 2);
    end();
}

TEST(covers_less_than_one_before__denied_and_the_token_not_asked)
{
    begin();
    CHECK(sign(1, 17) == KW_CODE_OK);
    CHECK(sign(1, 16) == KW_CODE_DENIED);
    CHECK_HAS(served.reason, "covers more was signed before");
    CHECK(fake.sign.calls == 1);
    CHECK(sign(1, 17) == KW_CODE_OK); /* the same again: its answer was lost */
    CHECK(sign(2, 3) == KW_CODE_OK);  /* another log */
    CHECK(sign(1, 18) == KW_CODE_OK);
    CHECK(sign(2, 2) == KW_CODE_DENIED);
    end();
}

/* Logs that are made up do not push out one that was signed for. */
TEST(more_logs_than_it_knows__denied_and_those_before_stand)
{
    begin();
    for (unsigned log = 0; log < KW_WORKER_LOGS; log++)
        CHECK(sign((uint8_t)log, 10) == KW_CODE_OK);
    CHECK(sign(99, 10) == KW_CODE_DENIED);
    CHECK(sign(0, 9) == KW_CODE_DENIED);
    CHECK(sign(0, 11) == KW_CODE_OK);
    end();
}

/* It may have been signed: nothing that covers less will be. */
TEST(token_fails__told_and_the_worker_stays)
{
    begin();
    script(&fake.sign, 1, KW_CODE_HSM_DOWN);
    CHECK(sign(1, 17) == KW_CODE_HSM_DOWN);
    CHECK_HAS(served.reason, "cannot sign");
    CHECK(!w->at_end && served.answer.output.len == 0);
    CHECK(sign(1, 16) == KW_CODE_DENIED);
    CHECK(sign(1, 17) == KW_CODE_OK);
    end();
}

TEST(session_died_or_token_busy__tried_once_more)
{
    begin();
    script(&fake.sign, 1, KW_CODE_SESSION);
    CHECK(sign(1, 1) == KW_CODE_OK && fake.sign.calls == 2);
    script(&fake.sign, 2, KW_CODE_HSM_BUSY, KW_CODE_HSM_BUSY);
    CHECK(sign(1, 1) == KW_CODE_HSM_BUSY && fake.sign.calls == 2);
    CHECK(!w->at_end);
    end();
}

TEST(no_key_is_named__refused)
{
    begin();
    w->brief.audit_label = w->brief.audit_sha256 = (kw_span){0};
    CHECK(sign(1, 17) == KW_CODE_HSM_CONFIG);
    CHECK_HAS(served.reason, "no key for the audit log is named");
    CHECK(fake.sign.calls == 0);
    end();
}

/* A key that signs slowly makes nobody expect that of the KEK. */
TEST(takes_long__other_jobs_are_expected_to_take_what_they_took)
{
    begin();
    fake.takes_ns = 50 * KW_MS_NS;
    CHECK(sign(1, 1) == KW_CODE_OK && sign(1, 2) == KW_CODE_OK);
    CHECK(w->base.took_ns[0] < KW_MS_NS && w->base.took_ns[1] < KW_MS_NS);
    CHECK(sign_at(1, 3, 1) == KW_CODE_DEADLINE);
    CHECK(fake.sign.calls == 2);
    end();
}

KW_SUITE("hsm/worker/sign")
