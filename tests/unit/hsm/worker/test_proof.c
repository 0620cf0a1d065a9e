/* SPDX-License-Identifier: Apache-2.0 */
/* What a worker tells of the active version before it is ready. */
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

static void is_ready(uint32_t verdicts)
{
    struct kw_wire_ready ready;
    CHECK_OK(kw_wire_decode_ready(told(), &ready));
    CHECK(ready.verdicts == verdicts);
    CHECK(kw_span_equal(kw_span_of(ready.keyring_sha256, 32),
                        kw_span_of(w->ring->sha256, 32)));
    CHECK(told().len == 0);
}

TEST(active_not_answered_for__fails)
{
    static const enum kw_code codes[] = {KW_CODE_HSM_DOWN, KW_CODE_SESSION,
                                         KW_CODE_HSM_BUSY, KW_CODE_BUG};
    for (size_t i = 0; i < sizeof codes / sizeof codes[0]; i++) {
        begin();
        script(&fake.prove, 1, codes[i]);
        CHECK_CODE(kw_worker_start(w, &note), codes[i]);
        CHECK(fake.prove.calls == 1);
        CHECK_HAS(note.text, K2);
        end();
    }
}

/* The others are proven by the first job or canary that asks for them. */
TEST(active_proven__ready__the_others_are_not_touched)
{
    begin();
    start_well();
    CHECK(!kw_failed(verdict(2).err) && fake.last_also_wrap);
    is_ready(1);
    CHECK(fake.prove.calls == 1);
    CHECK(!w->base.keys[0].proven && w->base.keys[1].proven);
    end();
}

TEST(active_missing__told_and_ready_for_the_others)
{
    begin();
    script(&fake.prove, 1, KW_CODE_MISSING);
    start_well();
    struct kw_wire_verdict v = verdict(2);
    CHECK(v.err.code == KW_CODE_MISSING);
    CHECK_HAS(v.reason, K2);
    CHECK_HAS(v.reason, "?"); /* made printable */
    is_ready(1);
    CHECK(!w->base.keys[1].proven);
    end();
}

TEST(no_active_version__nothing_to_prove)
{
    begin();
    w->brief.active_n = 0;
    start_well();
    is_ready(0);
    CHECK(fake.prove.calls == 0);
    end();
}

TEST(extractable_key__bad_and_never_used)
{
    begin();
    script(&fake.prove, 1, KW_CODE_KEY_BAD);
    fake.findings = KW_FINDING_EXPOSED;
    start_well();
    struct kw_wire_verdict v = verdict(2);
    CHECK(v.err.code == KW_CODE_KEY_BAD && v.reason[0] != '\0');
    CHECK(v.findings == KW_WIRE_EXPOSED);
    CHECK(!w->base.keys[1].proven);
    end();
}

TEST(duplicate_label__told_with_a_good_verdict)
{
    begin();
    fake.findings = KW_FINDING_DUPLICATE | KW_FINDING_COPYABLE;
    start_well();
    struct kw_wire_verdict v = verdict(2);
    CHECK(!kw_failed(v.err) && v.reason[0] == '\0');
    CHECK(v.findings == (KW_WIRE_DUPLICATE | KW_WIRE_COPYABLE));
    CHECK(w->base.keys[1].proven);
    end();
}

KW_CASES("hsm/worker/proof", CASE(active_not_answered_for__fails),
         CASE(active_proven__ready__the_others_are_not_touched),
         CASE(active_missing__told_and_ready_for_the_others),
         CASE(no_active_version__nothing_to_prove),
         CASE(extractable_key__bad_and_never_used),
         CASE(duplicate_label__told_with_a_good_verdict))
