/* SPDX-License-Identifier: Apache-2.0 */
#include <sys/socket.h>

#include "fake_token.h"

static struct kw_worker_state *w;
static struct kw_note note;
static int front;

static void begin(void)
{
    int pair[2];
    note.text[0] = '\0';
    CHECK(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair) == 0);
    front = pair[1];
    w = fake_worker(pair[0]);
}

static kw_span told(void)
{
    static uint8_t buf[KW_WIRE_MAX];
    ssize_t n = recv(front, buf, sizeof buf, MSG_DONTWAIT);
    return kw_span_of(buf, n > 0 ? (size_t)n : 0);
}

static void softhsm_in_production__refused_before_the_login(void **state)
{
    (void)state;
    begin();
    fake.softhsm = true;
    w->brief.production = true;
    CHECK_CODE(kw_worker_start(w, &note), KW_CODE_HSM_CONFIG);
    CHECK_HAS(note.text, "production");
    CHECK(fake.login.calls == 0);
    fake_worker_end(w);
}

static void keyring_damaged__token_is_not_opened(void **state)
{
    (void)state;
    begin();
    w->brief.keyring.len--;
    w->brief.keyring.len /= 2;
    CHECK_CODE(kw_worker_start(w, &note), KW_CODE_BAD_INPUT);
    CHECK(fake.open.calls == 0);
    fake_worker_end(w);
}

static void pin_stop__one_login_and_nothing_more(void **state)
{
    (void)state;
    begin();
    script(&fake.login, 1, KW_CODE_PIN_STOP);
    CHECK_CODE(kw_worker_start(w, &note), KW_CODE_PIN_STOP);
    CHECK(fake.login.calls == 1 && fake.finds == 0);
    CHECK(fake.holds == 1 && fake.releases == 1);
    CHECK(kw_page_look(w->page).logins == 1);
    fake_worker_end(w);
}

static void token_down_while_proving__fails_as_a_whole(void **state)
{
    (void)state;
    begin();
    script(&fake.canary, 1, KW_CODE_HSM_DOWN);
    CHECK_CODE(kw_worker_start(w, &note), KW_CODE_HSM_DOWN);
    fake_worker_end(w);
}

static void verdicts__one_a_version__disabled_is_not_touched(void **state)
{
    (void)state;
    struct kw_wire_facts facts;
    struct kw_wire_verdict v;
    struct kw_wire_ready ready;
    begin();
    script(&fake.find, 1, KW_CODE_MISSING);
    CHECK_OK(kw_worker_start(w, &note));
    CHECK_OK(kw_wire_get_facts(told(), &facts));
    CHECK_STR(facts.label, "tok?"); /* made printable */
    CHECK(facts.gcm && facts.gcm_key_min == 16 && facts.gcm_key_max == 32);
    CHECK_OK(kw_wire_get_verdict(told(), &v));
    CHECK(v.n == 1 && v.err.code == KW_CODE_MISSING);
    CHECK_HAS(v.reason, K1);
    CHECK_OK(kw_wire_get_verdict(told(), &v));
    CHECK(v.n == 2 && !kw_failed(v.err));
    CHECK_OK(kw_wire_get_ready(told(), &ready));
    CHECK(ready.verdicts == 2);
    CHECK(kw_span_equal(kw_span_of(ready.keyring_sha256, 32),
                        kw_span_of(w->ring->sha256, 32)));
    CHECK(fake.finds == 2);
    CHECK(told().len == 0);
    fake_worker_end(w);
}

static void extractable_key__bad_and_never_used(void **state)
{
    (void)state;
    struct kw_wire_verdict v;
    begin();
    fake.bad_attributes = true;
    CHECK_OK(kw_worker_start(w, &note));
    (void)told();
    CHECK_OK(kw_wire_get_verdict(told(), &v));
    CHECK(v.err.code == KW_CODE_KEY_BAD && v.reason[0] != '\0');
    CHECK(fake.canary.calls == 0 && !w->keys[0].proven);
    fake_worker_end(w);
}

KW_CASES("hsm/worker/start", CASE(softhsm_in_production__refused_before_the_login),
         CASE(keyring_damaged__token_is_not_opened),
         CASE(pin_stop__one_login_and_nothing_more),
         CASE(token_down_while_proving__fails_as_a_whole),
         CASE(verdicts__one_a_version__disabled_is_not_touched),
         CASE(extractable_key__bad_and_never_used))
