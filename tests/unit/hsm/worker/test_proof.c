/* SPDX-License-Identifier: Apache-2.0 */
/* What a worker tells of every version before it is ready. */
#include <sys/socket.h>

#include <keyward/pin_latch.h>

#include "fake_token.h"

static struct kw_hsm_worker *w;
static struct kw_note note;
static int front;

static void begin(void)
{
    int pair[2];
    note.text[0] = '\0';
    CHECK(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair) == 0);
    front = pair[1];
    w = fake_worker(pair[0]);
    fake_word(front, KW_OK, "");
}

static void end(void)
{
    fake_worker_end(w);
    kw_arena_close();
}

static kw_span told(void)
{
    static uint8_t buf[KW_WIRE_MAX];
    ssize_t n = recv(front, buf, sizeof buf, MSG_DONTWAIT);
    return kw_span_of(buf, n > 0 ? (size_t)n : 0);
}

static struct kw_wire_verdict verdict(uint32_t n)
{
    struct kw_wire_verdict v;
    CHECK_OK(kw_wire_decode_verdict(told(), &v));
    CHECK(v.n == n);
    return v;
}

static void start_well(void)
{
    struct kw_wire_facts facts;
    struct kw_pin_facts pin;
    struct kw_wire_login login;
    CHECK_OK(kw_worker_start(w, &note));
    CHECK_OK(kw_wire_decode_facts(told(), &facts));
    CHECK_STR(facts.label, "tok?"); /* made printable */
    CHECK(facts.gcm && facts.gcm_key_min == 16 && facts.gcm_key_max == 32);
    CHECK_OK(kw_wire_decode_pin(told(), &pin));
    CHECK(pin.mark.digest_len == 0); /* no key in the brief */
    CHECK_OK(kw_wire_decode_login(told(), &login));
    CHECK(!kw_failed(login.err));
}

static void is_ready(void)
{
    struct kw_wire_ready ready;
    CHECK_OK(kw_wire_decode_ready(told(), &ready));
    CHECK(ready.verdicts == 2);
    CHECK(kw_span_equal(kw_span_of(ready.keyring_sha256, 32),
                        kw_span_of(w->ring->sha256, 32)));
    CHECK(told().len == 0);
}

TEST(no_version_answered_for__fails_as_a_whole)
{
    begin();
    script(&fake.prove, 4, KW_CODE_HSM_DOWN, KW_CODE_HSM_DOWN, KW_CODE_HSM_DOWN,
           KW_CODE_HSM_DOWN);
    CHECK_CODE(kw_worker_start(w, &note), KW_CODE_HSM_DOWN);
    CHECK_HAS(note.text, K2);
    end();
}

TEST(active_not_answered_for__fails_as_a_whole)
{
    static const enum kw_code codes[] = {KW_CODE_HSM_DOWN, KW_CODE_SESSION,
                                         KW_CODE_HSM_BUSY, KW_CODE_BUG};
    for (size_t i = 0; i < sizeof codes / sizeof codes[0]; i++) {
        begin();
        script(&fake.prove, 2, KW_CODE_OK, codes[i]);
        CHECK_CODE(kw_worker_start(w, &note), codes[i]);
        CHECK(fake.prove.calls == 2);
        CHECK_HAS(note.text, K2);
        end();
    }
}

/* The token was in trouble, and then not any more, or then for good. */
TEST(unused_not_answered_for__asked_once_more)
{
    begin();
    script(&fake.prove, 1, KW_CODE_HSM_DOWN);
    start_well();
    CHECK(!kw_failed(verdict(2).err));
    CHECK(!kw_failed(verdict(1).err));
    is_ready();
    CHECK(w->base.keys[0].proven && w->base.keys[1].proven);
    end();
    begin();
    script(&fake.prove, 3, KW_CODE_HSM_DOWN, KW_CODE_OK, KW_CODE_HSM_DOWN);
    script(&fake.look, 1, KW_CODE_HSM_DOWN); /* and for the active one too, by now */
    CHECK_CODE(kw_worker_start(w, &note), KW_CODE_HSM_DOWN);
    CHECK_HAS(note.text, K1);
    end();
}

TEST(unused_not_answered_for__others_are__bad_alone_and_ready)
{
    static const enum kw_code codes[] = {KW_CODE_HSM_DOWN, KW_CODE_SESSION,
                                         KW_CODE_HSM_BUSY, KW_CODE_UNSURE,
                                         KW_CODE_BUG,      KW_CODE_BAD_INPUT};
    for (size_t i = 0; i < sizeof codes / sizeof codes[0]; i++) {
        begin();
        script(&fake.prove, 3, codes[i], KW_CODE_OK, codes[i]);
        start_well();
        CHECK(!kw_failed(verdict(2).err));
        struct kw_wire_verdict v = verdict(1);
        CHECK(v.err.code == KW_CODE_KEY_BAD && v.err.native == 7);
        CHECK_STR(v.err.where, "C_DecryptInit");
        CHECK_HAS(v.reason, "version 1 alone");
        CHECK(v.findings == 0);
        is_ready();
        CHECK(!w->base.keys[0].proven && w->base.keys[1].proven && !w->at_end);
        CHECK(fake.look.calls == 1 && !fake.last_closely); /* of the active one */
        end();
    }
}

TEST(verdicts__one_a_version__disabled_is_not_touched)
{
    begin();
    script(&fake.prove, 1, KW_CODE_MISSING);
    start_well();
    struct kw_wire_verdict v = verdict(1);
    CHECK(v.err.code == KW_CODE_MISSING);
    CHECK_HAS(v.reason, K1);
    CHECK_HAS(v.reason, "?"); /* made printable */
    CHECK(!kw_failed(verdict(2).err) && fake.last_also_wrap);
    is_ready();
    CHECK(fake.prove.calls == 2);
    end();
}

TEST(extractable_key__bad_and_never_used)
{
    begin();
    script(&fake.prove, 2, KW_CODE_KEY_BAD, KW_CODE_KEY_BAD);
    fake.findings = KW_FINDING_EXPOSED;
    start_well();
    struct kw_wire_verdict v = verdict(1);
    CHECK(v.err.code == KW_CODE_KEY_BAD && v.reason[0] != '\0');
    CHECK(v.findings == KW_WIRE_EXPOSED);
    CHECK(!w->base.keys[0].proven && !w->base.keys[1].proven);
    end();
}

TEST(duplicate_label__told_with_a_good_verdict)
{
    begin();
    fake.findings = KW_FINDING_DUPLICATE | KW_FINDING_COPYABLE;
    start_well();
    struct kw_wire_verdict v = verdict(1);
    CHECK(!kw_failed(v.err) && v.reason[0] == '\0');
    CHECK(v.findings == (KW_WIRE_DUPLICATE | KW_WIRE_COPYABLE));
    CHECK(w->base.keys[0].proven);
    end();
}

KW_CASES("hsm/worker/proof", CASE(no_version_answered_for__fails_as_a_whole),
         CASE(active_not_answered_for__fails_as_a_whole),
         CASE(unused_not_answered_for__asked_once_more),
         CASE(unused_not_answered_for__others_are__bad_alone_and_ready),
         CASE(verdicts__one_a_version__disabled_is_not_touched),
         CASE(extractable_key__bad_and_never_used),
         CASE(duplicate_label__told_with_a_good_verdict))
