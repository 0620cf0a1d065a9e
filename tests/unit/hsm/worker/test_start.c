/* SPDX-License-Identifier: Apache-2.0 */
#include <sys/socket.h>

#include "fake_token.h"

static struct kw_worker_state *w;
static struct kw_note note;

static void begin(void)
{
    int pair[2];
    note.text[0] = '\0';
    CHECK(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair) == 0);
    w = fake_worker(pair[0]);
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
    CHECK(fake.login.calls == 1 && fake.prove.calls == 0);
    CHECK(fake.holds == 1 && fake.releases == 1);
    CHECK(kw_page_look(w->page).logins == 1);
    fake_worker_end(w);
}

KW_CASES("hsm/worker/start", CASE(softhsm_in_production__refused_before_the_login),
         CASE(keyring_damaged__token_is_not_opened),
         CASE(pin_stop__one_login_and_nothing_more))
