/* SPDX-License-Identifier: Apache-2.0 */
/* When checkpoints are made, told and signed, on a clock that stands until it is moved. */
#include <keyward/audit_checkpoints.h>

#include <poll.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <keyward/log.h>

#include "check.h"
#include "logs.h"

static atomic_int_fast64_t now_ns;

static int64_t clock_now(void *self)
{
    (void)self;
    return atomic_load(&now_ns);
}
static const struct kw_clock a_clock = {clock_now, clock_now, clock_now, NULL};

/* ---- who signs --------------------------------------------------------------------- */

static struct {
    kw_err says; /* at once */
    unsigned asked;
    bool is_asked;
    struct kw_checkpoint of;
    struct kw_hsm_sign sign;
} token;

static kw_err on_sign(void *ctx, const struct kw_hsm_sign *sign)
{
    (void)ctx;
    token.asked++;
    token.is_asked = !kw_failed(token.says);
    token.of = *sign->checkpoint;
    token.sign = *sign;
    return token.says;
}

static void token_answers(enum kw_code code)
{
    static const uint8_t der[] = {0x30, 0x06, 0x02, 0x01, 0x01, 0x02, 0x01, 0x02};
    const struct kw_hsm_signature s = {.err = {code, 0, "here"},
                                       .der = kw_span_of(der, code == KW_CODE_OK ? 8 : 0),
                                       .token = ""};
    CHECK(token.is_asked);
    token.is_asked = false;
    token.sign.done(token.sign.ctx, &s);
}

static bool is_synchronised(void *ctx)
{
    (void)ctx;
    return true;
}

static void counts(void *ctx, uint64_t ret[KW_CHECKPOINT_COUNTS])
{
    (void)ctx;
    for (size_t i = 0; i < KW_CHECKPOINT_COUNTS; i++)
        ret[i] = 10 + i;
}

/* ---- what is told ------------------------------------------------------------------ */

static struct {
    unsigned checkpoints, unsigned_;
    int64_t seq;
    char head[65];
} heard;

static void on_event(void *ctx, const char *event, const struct kw_field *f)
{
    (void)ctx;
    heard.unsigned_ += strcmp(event, "audit-unsigned") == 0;
    if (strcmp(event, "audit-checkpoint") != 0)
        return;
    heard.checkpoints++;
    CHECK_STR(f[0].name, "seq");
    CHECK_STR(f[1].name, "head");
    CHECK_STR(f[2].name, "log");
    heard.seq = f[0].num;
    snprintf(heard.head, sizeof heard.head, "%s", f[1].str);
}

/* ---- a writer ---------------------------------------------------------------------- */

static struct kw_audit_writer *writer;
static struct kw_checkpoints c;
static uint64_t records; /* in the log, or to come */

static void on_told(struct kw_request *request, kw_err err, uint64_t seq)
{
    (void)request;
    (void)err;
    (void)seq;
}

static unsigned code_of(enum kw_code code)
{
    return code == KW_CODE_OK ? 0 : 14;
}

static void serial_of(void *ctx, const char *of, char dst[KW_AUDIT_SERIAL])
{
    (void)ctx;
    (void)of;
    dst[0] = '\0';
}

static void begin_with(kw_err (*sign)(void *, const struct kw_hsm_sign *))
{
    static const char *const names[] = {"secrets"};
    memset(&token, 0, sizeof token);
    memset(&heard, 0, sizeof heard);
    atomic_store(&now_ns, 1000 * KW_S_NS);
    kw_log_setup(STDERR_FILENO, KW_LOG_ERROR, KW_LOG_LOGFMT, &a_clock);
    kw_log_tap(on_event, NULL);
    logs_begin();
    logs.clock = &a_clock;
    CHECK_OK(logs_open(&logs.log));
    const struct kw_audit_writer_options o = {.log = logs.log,
                                              .clock = &a_clock,
                                              .class_names = names,
                                              .class_count = 1,
                                              .operator_dir = logs.dir,
                                              .deadline_ns = KW_S_NS,
                                              .told = on_told,
                                              .grpc_code = code_of,
                                              .serial = serial_of};
    CHECK_OK(kw_audit_writer_new(&o, &writer));
    const struct kw_checkpoints_options options = {.writer = writer,
                                                   .clock = &a_clock,
                                                   .node = "node-1",
                                                   .is_synchronised = is_synchronised,
                                                   .counts = counts,
                                                   .sign = sign};
    kw_checkpoints_begin(&c, &options);
    records = 0;
}

static void end(const char *kinds)
{
    kw_log_tap(NULL, NULL);
    kw_audit_writer_abandon(writer);
    CHECK(kw_audit_writer_stop(writer, 10 * KW_S_NS)); /* and closes the log */
    logs.log = NULL;
    CHECK_OK(logs_open(&logs.log));
    logs_chain_is(kinds);
    logs_end();
}

/* Until so many are in the log. */
static void await(uint64_t want)
{
    struct kw_audit_writer_stats s;
    for (kw_audit_writer_stats(writer, &s); s.records < want;
         kw_audit_writer_stats(writer, &s)) {
        struct pollfd p = {.fd = kw_audit_writer_fd(writer), .events = POLLIN};
        CHECK(poll(&p, 1, 30000) == 1);
        kw_audit_writer_collect(writer);
    }
}

static void put(unsigned count)
{
    struct kw_audit_record r = {.kind = KW_AUDIT_STOP};
    r.value[KW_AUDIT_STOP_REASON] = kw_audit_text("test");
    for (unsigned i = 0; i < count; i++) {
        kw_audit_writer_event(writer, &r);
        if (++records % 4096 == 0)
            await(records); /* there is room for no more than 8192 */
    }
    await(records);
}

static void look(int64_t later_ns)
{
    atomic_fetch_add(&now_ns, later_ns);
    kw_checkpoints_look(&c);
}

static uint64_t made(void)
{
    struct kw_audit_standing s;
    kw_audit_writer_standing(writer, &s);
    return s.checkpoints + s.waits;
}

/* It was made at the look before, is in the log now, and is told. */
static void told(int64_t seq)
{
    const unsigned before = heard.checkpoints;
    await(++records);
    look(0);
    assert_int_equal(heard.checkpoints, before + 1);
    assert_int_equal(heard.seq, seq);
}

/* ---- made -------------------------------------------------------------------------- */

TEST(first_record__a_minute_later)
{
    begin_with(NULL);
    look(3600 * KW_S_NS); /* nothing was recorded since the start */
    CHECK(made() == 0);
    put(1);
    look(59 * KW_S_NS);
    CHECK(made() == 0);
    put(1); /* a later one does not move it */
    look(1 * KW_S_NS);
    CHECK(made() == 1);
    told(2);
    look(24 * 3600 * KW_S_NS); /* of checkpoints alone there is none */
    CHECK(made() == 1);
    put(1);
    look(60 * KW_S_NS);
    told(4);
    end("gsscsc");
}

TEST(ten_thousand_records__at_once)
{
    struct kw_audit_standing s;
    begin_with(NULL);
    put(9999);
    look(0);
    CHECK(made() == 0);
    put(1);
    look(0);
    CHECK(made() == 1);
    told(10000);
    kw_audit_writer_standing(writer, &s);
    assert_int_equal(s.last.counts[KW_COUNT_LOGIN], 16);
    assert_int_equal(s.last.time_us, 1000000000);
    CHECK(s.last.synchronised && s.uncovered == 0);
    CHECK_STR(s.last.node, "node-1");
    kw_audit_writer_abandon(writer);
    CHECK(kw_audit_writer_stop(writer, 10 * KW_S_NS));
    kw_log_tap(NULL, NULL);
    logs.log = NULL;
    logs_end();
}

TEST(new_file__at_once)
{
    begin_with(NULL);
    put(1);
    kw_audit_writer_rotate(writer);
    put(1);
    look(0);
    CHECK(made() == 1);
    told(3);
    look(0);
    CHECK(made() == 1);
    end("gsfsc");
}

TEST(end__all_that_is_there_or_will_be__covered)
{
    begin_with(NULL);
    put(1);
    CHECK(!kw_checkpoints_is_settled(&c));
    kw_checkpoints_end(&c, true);
    CHECK(made() == 1 && !kw_checkpoints_is_settled(&c));
    told(1);
    CHECK(kw_checkpoints_is_settled(&c));
    put(1);
    CHECK(!kw_checkpoints_is_settled(&c));
    look(0);
    told(3);
    CHECK(kw_checkpoints_is_settled(&c));
    end("gscsc");
}

/* ---- signed ------------------------------------------------------------------------ */

static void a_checkpoint(int64_t seq)
{
    put(1);
    look(60 * KW_S_NS);
    told(seq);
}

TEST(signed__when_it_is_in_the_log__and_the_signature_follows)
{
    begin_with(on_sign);
    put(1);
    look(60 * KW_S_NS);
    CHECK(token.asked == 0);
    told(1);
    CHECK(token.asked == 1 && token.of.covered == 1);
    look(1 * KW_S_NS);
    CHECK(token.asked == 1 && !c.has_signed); /* is under way */
    token_answers(KW_CODE_OK);
    CHECK(c.has_signed && c.signed_to == 1);
    await(++records);
    look(3600 * KW_S_NS);
    CHECK(token.asked == 1 && made() == 1); /* nothing comes of a signature */
    logs_has_text("audit.jsonl", "\"kind\":\"signature\",\"covers\":1,");
    logs_has_text("audit.jsonl", "\"signature\":\"3006020101020102\"");
    end("gscs");
}

TEST(signature_fails__said_once_and_asked_again_for_the_last)
{
    begin_with(on_sign);
    a_checkpoint(1);
    token_answers(KW_CODE_HSM_DOWN);
    CHECK(heard.unsigned_ == 1);
    look(29 * KW_S_NS);
    CHECK(token.asked == 1);
    a_checkpoint(3); /* before that is in the log the first one is tried again */
    CHECK(token.asked == 2 && token.of.covered == 1);
    token_answers(KW_CODE_HSM_DOWN);
    CHECK(heard.unsigned_ == 1);
    look(30 * KW_S_NS);
    CHECK(token.asked == 3 && token.of.covered == 3);
    token_answers(KW_CODE_OK);
    await(++records);
    logs_has_text("audit.jsonl", "\"covers\":3,");
    end("gscscs");
}

TEST(refused_at_once__the_same)
{
    begin_with(on_sign);
    token.says = kw_err_at(KW_CODE_HSM_CONFIG, "key");
    a_checkpoint(1);
    CHECK(token.asked == 1 && heard.unsigned_ == 1);
    look(1 * KW_S_NS);
    CHECK(token.asked == 1);
    kw_checkpoints_end(&c, true);
    CHECK(kw_checkpoints_is_settled(&c)); /* it is not waited for */
    end("gsc");
}

TEST(end__is_not_settled_while_a_signature_is_under_way)
{
    begin_with(on_sign);
    put(1);
    kw_checkpoints_end(&c, true);
    told(1);
    CHECK(!kw_checkpoints_is_settled(&c));
    token_answers(KW_CODE_OK);
    CHECK(kw_checkpoints_is_settled(&c));
    end("gscs");
}

TEST(end_without_signatures__settled_by_the_log_alone)
{
    begin_with(on_sign);
    put(1);
    kw_checkpoints_end(&c, false);
    told(1);
    CHECK(kw_checkpoints_is_settled(&c) && token.asked == 0);
    end("gsc");
}

/* Eight are remembered by who reads. */
TEST(signature_that_comes_late__in_the_log_while_a_reader_knows_what_it_is_of)
{
    begin_with(on_sign);
    a_checkpoint(1);
    for (unsigned i = 1; i < KW_AUDIT_CHECKPOINTS_KEPT; i++)
        a_checkpoint(1 + 2 * (int64_t)i);
    CHECK(token.asked == 1 && token.of.covered == 1);
    token_answers(KW_CODE_OK);
    await(++records);
    look(0);
    CHECK(token.asked == 2 && token.of.covered == 15); /* the last one */
    for (unsigned i = 0; i < KW_AUDIT_CHECKPOINTS_KEPT; i++)
        a_checkpoint(18 + 2 * (int64_t)i);
    token_answers(KW_CODE_OK);
    look(0);
    CHECK(token.asked == 3 && token.of.covered == 32);
    CHECK(c.signed_to == 1); /* that of 15 came too late */
    end("gscscscscscscscscsscscscscscscscsc");
}

/* Two files begin and the daemon ends while the token is at the first one's: a reader wants
 * a signature of each. */
TEST(others_made_meanwhile__each_is_signed_in_its_order)
{
    begin_with(on_sign);
    a_checkpoint(1);
    a_checkpoint(3);
    put(1);
    kw_checkpoints_end(&c, true);
    told(5);
    CHECK(token.asked == 1 && token.of.covered == 1);
    token_answers(KW_CODE_OK);
    look(0);
    CHECK(token.asked == 2 && token.of.covered == 3);
    token_answers(KW_CODE_OK);
    CHECK(!kw_checkpoints_is_settled(&c));
    look(0);
    CHECK(token.asked == 3 && token.of.covered == 5 && c.signed_to == 3);
    token_answers(KW_CODE_OK);
    CHECK(kw_checkpoints_is_settled(&c) && c.signed_to == 5);
    await(records += 3);
    logs_has_text("audit.jsonl", "\"covers\":3,");
    end("gscscscsss");
}

/* As many as came during the last signature may come during the next one. */
TEST(more_made_meanwhile_than_can_be_signed_in_time__the_oldest_stay_as_they_are)
{
    begin_with(on_sign);
    for (unsigned i = 0; i < 6; i++)
        a_checkpoint(1 + 2 * (int64_t)i);
    CHECK(token.asked == 1 && token.of.covered == 1);
    token_answers(KW_CODE_OK);
    await(++records);
    look(0);
    CHECK(token.asked == 2 &&
          token.of.covered == 7); /* two lie behind it, five may come */
    token_answers(KW_CODE_OK);
    await(++records);
    look(0);
    CHECK(token.asked == 3 && token.of.covered == 9);
    token_answers(KW_CODE_OK);
    await(++records);
    end("gscscscscscscsss");
}

/* ---- the operator's log ------------------------------------------------------------ */

/* What stands in it is on record before the checkpoint, and covered. */
TEST(operator_acted__the_next_checkpoint_covers_the_head_of_that_log)
{
    struct kw_audit_log *operator_log = NULL;
    begin_with(NULL);
    logs.name = "operator";
    CHECK_OK(logs_open(&operator_log));
    kw_audit_log_close(operator_log);
    logs.name = NULL;
    put(1);
    look(60 * KW_S_NS);
    records++; /* the record that names it */
    told(2);
    logs_has_text("audit.jsonl", "\"kind\":\"operator-log\",\"log\":\"");
    put(1);
    look(60 * KW_S_NS);
    told(4); /* and no second time */
    end("gsocsc");
}

KW_SUITE("provider/audit/checkpoints")
