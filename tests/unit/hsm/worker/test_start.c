/* SPDX-License-Identifier: Apache-2.0 */
#include <sys/socket.h>
#include <unistd.h>

#include <keyward/pin_latch.h>

#include "fake_token.h"

static struct kw_hsm_worker *w;
static struct kw_note note;
static int front;

/* The front has not answered yet. */
static void begin_unasked(void)
{
    int pair[2];
    note.text[0] = '\0';
    CHECK(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair) == 0);
    front = pair[1];
    w = fake_worker(pair[0]);
}

static void begin(void)
{
    begin_unasked();
    fake_word(front, KW_OK, "");
}

static kw_span told(void)
{
    static uint8_t buf[KW_WIRE_MAX];
    ssize_t n = recv(front, buf, sizeof buf, MSG_DONTWAIT);
    return kw_span_of(buf, n > 0 ? (size_t)n : 0);
}

TEST(softhsm_in_production__refused_before_the_login)
{
    begin();
    fake.softhsm = true;
    w->brief.production = true;
    CHECK_CODE(kw_worker_start(w, &note), KW_CODE_HSM_CONFIG);
    CHECK_HAS(note.text, "production");
    CHECK(fake.login.calls == 0);
    fake_worker_end(w);
}

TEST(keyring_damaged__token_is_not_opened)
{
    begin();
    w->brief.keyring.len--;
    w->brief.keyring.len /= 2;
    CHECK_CODE(kw_worker_start(w, &note), KW_CODE_BAD_INPUT);
    CHECK(fake.open.calls == 0);
    fake_worker_end(w);
}

TEST(pin_stop__one_login_and_nothing_more)
{
    begin();
    script(&fake.login, 1, KW_CODE_PIN_STOP);
    CHECK_CODE(kw_worker_start(w, &note), KW_CODE_PIN_STOP);
    CHECK(fake.login.calls == 1 && fake.prove.calls == 0);
    CHECK(fake.holds == 1 && fake.releases == 1);
    CHECK(kw_page_logins(w->page) == 1);
    struct kw_pin_facts pin;
    struct kw_wire_login login;
    (void)told(); /* facts */
    CHECK_OK(kw_wire_decode_pin(told(), &pin));
    CHECK_OK(kw_wire_decode_login(told(), &login));
    CHECK(login.err.code == KW_CODE_PIN_STOP && told().len == 0);
    CHECK_STR(login.note.text, "no login");
    fake_worker_end(w);
}

TEST(login__was_logged_in_already__told)
{
    begin();
    fake.was_in = true;
    CHECK_OK(kw_worker_start(w, &note));
    struct kw_wire_login login;
    (void)told(); /* facts */
    (void)told(); /* pin */
    CHECK_OK(kw_wire_decode_login(told(), &login));
    CHECK(!kw_failed(login.err) && login.was_in);
    fake_worker_end(w);
}

TEST(word__no__no_login_and_nothing_told_of_one)
{
    begin_unasked();
    fake_word(front, kw_err_at(KW_CODE_PIN_STOP, "pin latch"), "since yesterday");
    kw_err e = kw_worker_start(w, &note);
    CHECK(e.code == KW_CODE_PIN_STOP);
    CHECK_STR(note.text, "since yesterday");
    CHECK(fake.login.calls == 0 && fake.holds == 0);
    CHECK(kw_page_logins(w->page) == 0); /* it waited outside of LOGIN */
    struct kw_pin_facts pin;
    (void)told(); /* facts */
    CHECK_OK(kw_wire_decode_pin(told(), &pin));
    CHECK(told().len == 0);
    fake_worker_end(w);
}

TEST(word__front_gone_or_garbage__no_login)
{
    for (int i = 0; i < 3; i++) {
        begin_unasked();
        if (i == 0)
            close(front);
        else if (i == 1)
            CHECK(send(front, "garbage", 7, 0) == 7);
        else
            shutdown(front, SHUT_WR);
        CHECK(kw_failed(kw_worker_start(w, &note)));
        CHECK(fake.login.calls == 0);
        fake_worker_end(w);
        kw_arena_close();
    }
}

TEST(pin_cannot_be_read__not_asked_and_no_login)
{
    begin();
    script(&fake.pin, 1, KW_CODE_BAD_INPUT);
    CHECK_CODE(kw_worker_start(w, &note), KW_CODE_BAD_INPUT);
    CHECK_STR(note.text, "no PIN");
    (void)told(); /* facts */
    CHECK(told().len == 0 && fake.login.calls == 0);
    fake_worker_end(w);
}

TEST(token_says_stop_after_the_word__no_login_is_told)
{
    struct kw_pin_facts pin;
    begin();
    fake.flags_stop = true;
    CHECK_CODE(kw_worker_start(w, &note), KW_CODE_PIN_STOP);
    (void)told(); /* facts */
    CHECK_OK(kw_wire_decode_pin(told(), &pin));
    CHECK(told().len == 0 && kw_page_logins(w->page) == 0);
    fake_worker_end(w);
}

TEST(question__names_token_and_source_and_marks_by_the_briefs_key)
{
    struct kw_pin_facts pin;
    struct kw_pin_mark want;
    static const uint8_t key[KW_PIN_KEY] = {9};
    begin();
    w->brief.pin_key = kw_span_of(key, sizeof key);
    CHECK_OK(kw_worker_start(w, &note));
    (void)told(); /* facts */
    CHECK_OK(kw_wire_decode_pin(told(), &pin));
    CHECK_STR(pin.label, "tok?");
    CHECK(pin.source.ino == 7 && !pin.count_low);
    CHECK_OK(kw_pin_mark_make(kw_span_of(key, sizeof key), pin.serial,
                              kw_span_str("1234"), &want));
    CHECK(memcmp(want.digest, pin.mark.digest, 16) == 0 && pin.mark.digest_len == 16);
    fake_worker_end(w);
}

KW_CASES("hsm/worker/start", CASE(softhsm_in_production__refused_before_the_login),
         CASE(keyring_damaged__token_is_not_opened),
         CASE(pin_stop__one_login_and_nothing_more),
         CASE(login__was_logged_in_already__told),
         CASE(word__no__no_login_and_nothing_told_of_one),
         CASE(word__front_gone_or_garbage__no_login),
         CASE(pin_cannot_be_read__not_asked_and_no_login),
         CASE(token_says_stop_after_the_word__no_login_is_told),
         CASE(question__names_token_and_source_and_marks_by_the_briefs_key))
