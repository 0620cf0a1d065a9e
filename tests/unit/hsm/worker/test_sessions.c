/* SPDX-License-Identifier: Apache-2.0 */
/* How many sessions a worker opens. */
#include <sys/socket.h>
#include <unistd.h>

#include "fake_token.h"

static struct kw_hsm_worker *w;
static struct kw_note note;
static int front;

static void begin(uint8_t wanted)
{
    int pair[2];
    CHECK(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair) == 0);
    front = pair[1];
    w = fake_worker(pair[0]);
    w->brief.sessions = wanted;
    fake_word(front, KW_OK, "");
    note.text[0] = '\0';
}

static void end(void)
{
    fake_worker_end(w);
    kw_arena_close();
    close(front);
}

static size_t opened(void)
{
    CHECK_OK(kw_worker_start(w, &note));
    return w->session_count;
}

TEST(refused_at_once__not_started_and_said)
{
    begin(8);
    script(&fake.branch, 1, KW_CODE_HSM_DOWN);
    CHECK_CODE(kw_worker_start(w, &note), KW_CODE_HSM_DOWN);
    CHECK_STR(note.text, "no session");
    end();
}

TEST(token_gives_fewer__so_many)
{
    begin(8);
    script(&fake.branch, 4, KW_CODE_OK, KW_CODE_OK, KW_CODE_OK, KW_CODE_HSM_BUSY);
    CHECK(opened() == 3 && fake.open_branches == 3);
    end();
}

/* Then the login's own session serves. */
TEST(token_gives_none_or_one__the_logins)
{
    begin(8);
    script(&fake.branch, 1, KW_CODE_HSM_BUSY);
    CHECK(opened() == 1 && fake.open_branches == 0);
    end();
    begin(8);
    script(&fake.branch, 2, KW_CODE_OK, KW_CODE_HSM_BUSY);
    CHECK(opened() == 1 && fake.open_branches == 0 && w->sessions == &w->base);
    end();
}

TEST(nothing_is_said__one_for_softhsm_and_four_elsewhere)
{
    begin(0);
    CHECK(opened() == KW_SESSIONS_USUAL);
    end();
    begin(0);
    fake.softhsm = true;
    CHECK(opened() == 1);
    end();
}

/* Half of 100 for 4 workers: 12 each, and one of them keeps the login. */
TEST(token_tells_what_is_free__half_of_it_for_all_workers)
{
    begin(KW_SESSIONS_MAX);
    fake.free_sessions = 100;
    w->brief.parts = 4;
    CHECK(opened() == 11);
    end();
    begin(KW_SESSIONS_MAX);
    fake.free_sessions = 15;
    w->brief.parts = 4;
    CHECK(opened() == 1);
    end();
    begin(2);
    fake.free_sessions = 100;
    CHECK(opened() == 2);
    end();
}

/* Sized for what the brief may want, where it says nothing too. */
TEST(locked_memory__the_arena_has_room_for_all)
{
    begin(KW_SESSIONS_MAX);
    kw_arena_close();
    kw_test_arena(128 * 1024 + kw_worker_session_bytes(&w->brief));
    CHECK(opened() == KW_SESSIONS_MAX);
    end();
}

KW_CASES("hsm/worker/sessions", CASE(refused_at_once__not_started_and_said),
         CASE(token_gives_fewer__so_many), CASE(token_gives_none_or_one__the_logins),
         CASE(nothing_is_said__one_for_softhsm_and_four_elsewhere),
         CASE(token_tells_what_is_free__half_of_it_for_all_workers),
         CASE(locked_memory__the_arena_has_room_for_all))
