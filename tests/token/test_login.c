/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include <keyward/file.h>

#include "token_fixture.h"

/* A token behind the fault module, not opened yet. */
static void begin(struct fixture *f)
{
    *f = (struct fixture){0};
    kw_test_arena(1 << 16);
    kw_softhsm_make(&f->hsm);
    kw_fault_between(&f->hsm);
}

static kw_err open_and_login(struct fixture *f, bool pin_proven)
{
    struct kw_token_options options = kw_softhsm_options(&f->hsm, KW_SOFTHSM_READ_ONLY);
    options.pin_proven = pin_proven;
    kw_token_close(f->token);
    f->token = NULL;
    CHECK_OK(kw_token_open(&options, &f->token, &f->note));
    return kw_token_login(f->token, &f->note);
}

TEST(login__pin_wrong__stop_after_one_try)
{
    struct fixture f;
    begin(&f);
    kw_softhsm_write_pin(&f.hsm, "000000000000000000000000");
    kw_err e = open_and_login(&f, true);
    CHECK(e.code == KW_CODE_PIN_STOP && e.native == 0xa0);
    CHECK_STR(e.where, "C_Login");
    CHECK_HAS(f.note.text, "CKR_PIN_INCORRECT");
    CHECK(strstr(f.note.text, "0000") == NULL);
    CHECK(kw_fault_count(&f.hsm, "C_Login") == 1);
    CHECK_CODE(kw_token_login(f.token, &f.note), KW_CODE_BUG);
    CHECK(kw_fault_count(&f.hsm, "C_Login") == 1);
    fixture_end(&f);
}

TEST(login__flags_say_danger__nothing_tried)
{
    static const char *const flags[] = {"pinflags=locked\n", "pinflags=final-try\n",
                                        "pinflags=count-low\n",
                                        "pinflags=count-low,final-try\n"};
    struct fixture f;
    begin(&f);
    for (size_t i = 0; i < sizeof flags / sizeof flags[0]; i++) {
        kw_fault_set(&f.hsm, flags[i]);
        CHECK_CODE(open_and_login(&f, false), KW_CODE_PIN_STOP);
        CHECK_HAS(f.note.text, "no login was tried");
    }
    kw_fault_set(&f.hsm, "pinflags=final-try\n");
    CHECK_CODE(open_and_login(&f, true), KW_CODE_PIN_STOP);
    CHECK(kw_fault_count(&f.hsm, "C_Login") == 0);
    fixture_end(&f);
}

TEST(login__flags_change_after_open__seen)
{
    struct fixture f;
    begin(&f);
    struct kw_token_options options = kw_softhsm_options(&f.hsm, KW_SOFTHSM_READ_ONLY);
    CHECK_OK(kw_token_open(&options, &f.token, &f.note));
    CHECK(!kw_token_facts(f.token)->pin_locked);
    kw_fault_set(&f.hsm, "pinflags=locked\n");
    CHECK_CODE(kw_token_login(f.token, &f.note), KW_CODE_PIN_STOP);
    CHECK(kw_token_facts(f.token)->pin_locked);
    fixture_end(&f);
}

TEST(login__count_low_with_a_proven_pin__logs_in)
{
    struct fixture f;
    begin(&f);
    kw_fault_set(&f.hsm, "pinflags=count-low\n");
    CHECK_OK(open_and_login(&f, true));
    fixture_end(&f);
}

/* SoftHSM counts a wrong PIN too, and forgets it at the next login that works: whoever
 * lets a changed PIN try once more must say so by pin_proven. */
TEST(login__after_a_wrong_pin__only_when_vouched_for)
{
    struct fixture f;
    begin(&f);
    kw_softhsm_write_pin(&f.hsm, "000000000000000000000000");
    CHECK_CODE(open_and_login(&f, false), KW_CODE_PIN_STOP);
    kw_softhsm_write_pin(&f.hsm, f.hsm.pin);
    CHECK_CODE(open_and_login(&f, false), KW_CODE_PIN_STOP);
    CHECK(kw_token_facts(f.token)->pin_count_low);
    CHECK(kw_fault_count(&f.hsm, "C_Login") == 1);
    CHECK_OK(open_and_login(&f, true));
    CHECK_OK(open_and_login(&f, false));
    CHECK(!kw_token_facts(f.token)->pin_count_low);
    fixture_end(&f);
}

TEST(login__pin_source_bad__nothing_tried)
{
    struct fixture f;
    begin(&f);
    CHECK(chmod(f.hsm.pin_path, 0640) == 0);
    CHECK_CODE(open_and_login(&f, true), KW_CODE_DENIED);
    CHECK_HAS(f.note.text, "chmod");
    CHECK(chmod(f.hsm.pin_path, 0600) == 0);
    kw_softhsm_write_pin(&f.hsm, "");
    CHECK_CODE(open_and_login(&f, true), KW_CODE_BAD_INPUT);
    CHECK(unlink(f.hsm.pin_path) == 0);
    CHECK_CODE(open_and_login(&f, true), KW_CODE_MISSING);
    snprintf(f.hsm.pin_source, sizeof f.hsm.pin_source, "%s", f.hsm.pin);
    CHECK_CODE(open_and_login(&f, true), KW_CODE_BAD_INPUT);
    CHECK(strstr(f.note.text, f.hsm.pin) == NULL);
    CHECK(kw_fault_count(&f.hsm, "C_Login") == 0);
    fixture_end(&f);
}

static void write_raw(const struct fixture *f, const void *bytes, size_t len)
{
    CHECK_OK(kw_file_replace(f->hsm.pin_path, kw_span_of(bytes, len), 0600, NULL));
}

/* A token that is given "1234\r" counts a wrong PIN. */
TEST(login__pin_with_control_bytes__nothing_tried_and_pin_not_shown)
{
    static const struct {
        const char *text;
        size_t len;
        const char *says;
    } bad[] = {{"secret1\r\n", 9, "carriage return"}, {"secret1\r", 8, "carriage return"},
               {"secret1\nsecret2\n", 16, "control"}, {"secret1\n\n", 9, "control"},
               {"\tsecret1", 8, "control"},           {"sec\0ret1", 8, "control"},
               {"secret1\x7f", 8, "control"},         {"\r\n", 2, "carriage return"}};
    struct fixture f;
    begin(&f);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        write_raw(&f, bad[i].text, bad[i].len);
        CHECK_CODE(open_and_login(&f, true), KW_CODE_BAD_INPUT);
        CHECK_HAS(f.note.text, bad[i].says);
        CHECK_HAS(f.note.text, f.hsm.pin_path);
        CHECK(strstr(f.note.text, "secret1") == NULL &&
              strstr(f.note.text, "\r") == NULL);
    }
    CHECK(kw_fault_count(&f.hsm, "C_Login") == 0);
    kw_softhsm_write_pin(&f.hsm, f.hsm.pin); /* with one line feed: as ever */
    CHECK_OK(open_and_login(&f, true));
    fixture_end(&f);
}

/* The one who decides may take his time. */
TEST(login_with__flags_changed_since_the_pin_was_read__nothing_tried)
{
    static const char *const lies[] = {"pinflags=locked\n", "pinflags=final-try\n"};
    struct fixture f;
    begin(&f);
    for (size_t i = 0; i < sizeof lies / sizeof lies[0]; i++) {
        KW_AUTO_SECRET(pin);
        struct kw_pin_facts facts;
        bool tried = true;
        struct kw_token_options o = kw_softhsm_options(&f.hsm, KW_SOFTHSM_READ_ONLY);
        CHECK_OK(kw_token_open(&o, &f.token, &f.note));
        CHECK_OK(kw_token_pin(f.token, &pin, &facts, &f.note));
        kw_fault_set(&f.hsm, lies[i]);
        CHECK_CODE(kw_token_login_with(f.token, &pin, &tried, &f.note), KW_CODE_PIN_STOP);
        CHECK(!tried && pin.ptr == NULL);
        kw_token_close(f.token);
        f.token = NULL;
        kw_fault_set(&f.hsm, "");
    }
    CHECK(kw_fault_count(&f.hsm, "C_Login") == 0);
    fixture_end(&f);
}

TEST(pin__read_once__source_is_what_was_read)
{
    struct fixture f;
    struct stat st;
    KW_AUTO_SECRET(pin);
    struct kw_pin_facts facts;
    struct kw_pin_source now;
    bool tried = false;
    begin(&f);
    struct kw_token_options o = kw_softhsm_options(&f.hsm, KW_SOFTHSM_READ_ONLY);
    CHECK(stat(f.hsm.pin_path, &st) == 0);
    now = kw_pin_source_of(&st);
    CHECK_OK(kw_token_open(&o, &f.token, &f.note));
    CHECK_OK(kw_token_pin(f.token, &pin, &facts, &f.note));
    CHECK_STR(facts.label, KW_SOFTHSM_LABEL);
    CHECK_STR(facts.serial, kw_token_facts(f.token)->serial);
    CHECK(kw_pin_source_same(&facts.source, &now) &&
          kw_fault_count(&f.hsm, "C_Login") == 0);
    kw_softhsm_write_pin(&f.hsm, "another PIN"); /* nobody reads that */
    CHECK_OK(kw_token_login_with(f.token, &pin, &tried, &f.note));
    CHECK(tried && pin.ptr == NULL);
    fixture_end(&f);
}

TEST(login__token_in_trouble__down_after_one_try)
{
    struct fixture f;
    begin(&f);
    kw_fault_set(&f.hsm, "C_Login rv=0x30\n");
    CHECK_CODE(open_and_login(&f, true), KW_CODE_HSM_DOWN);
    CHECK(kw_fault_count(&f.hsm, "C_Login") == 1);
    kw_fault_set(&f.hsm, "C_OpenSession rv=0x5\n");
    CHECK_CODE(open_and_login(&f, true), KW_CODE_HSM_DOWN);
    CHECK(kw_fault_count(&f.hsm, "C_Login") == 1);
    fixture_end(&f);
}

TEST(login__locked_or_expired__stop)
{
    static const char *const lies[] = {"C_Login rv=0xa4\n", "C_Login rv=0xa3\n",
                                       "C_Login rv=0xa2\n", "C_Login rv=0x102\n"};
    struct fixture f;
    begin(&f);
    for (size_t i = 0; i < sizeof lies / sizeof lies[0]; i++) {
        kw_fault_set(&f.hsm, lies[i]);
        CHECK_CODE(open_and_login(&f, true), KW_CODE_PIN_STOP);
    }
    fixture_end(&f);
}

TEST(login__already_logged_in__well)
{
    struct fixture f;
    begin(&f);
    kw_fault_set(&f.hsm, "C_Login rv=0x100 after\n");
    CHECK_OK(open_and_login(&f, true));
    fixture_end(&f);
}

TEST(login__pin_right__wiped_and_never_logged_out)
{
    struct fixture f;
    struct kw_arena_info arena;
    begin(&f);
    CHECK_OK(open_and_login(&f, false));
    kw_arena_info(&arena);
    CHECK(arena.used == 0 && arena.used_max >= KW_SOFTHSM_PIN_LEN);
    kw_token_close(f.token);
    f.token = NULL;
    CHECK(kw_fault_count(&f.hsm, "C_Login") == 1);
    CHECK(kw_fault_count(&f.hsm, "C_Logout") == 0);
    CHECK(strstr(kw_fault_calls(&f.hsm), f.hsm.pin) == NULL);
    fixture_end(&f);
}

struct trace {
    char text[512];
    const struct kw_softhsm *hsm;
    unsigned logins_before, logins_after; /* C_Login calls at LOGIN, and at the next */
    bool in_login;
};

static const char *const phase_names[] = {
    [KW_PHASE_NEW] = "new",   [KW_PHASE_INIT] = "init", [KW_PHASE_LOGIN] = "login",
    [KW_PHASE_FIND] = "find", [KW_PHASE_TEST] = "test", [KW_PHASE_IDLE] = "idle",
    [KW_PHASE_OP] = "op",     [KW_PHASE_EXIT] = "exit"};

static void note_phase(void *ctx, enum kw_phase phase)
{
    struct trace *t = ctx;
    size_t len = strlen(t->text);
    snprintf(t->text + len, sizeof t->text - len, "%s ", phase_names[phase]);
    unsigned logins = kw_fault_count(t->hsm, "C_Login");
    if (phase == KW_PHASE_LOGIN)
        t->logins_before = logins;
    else if (t->in_login)
        t->logins_after = logins;
    t->in_login = phase == KW_PHASE_LOGIN;
}

TEST(phase__from_open_to_close__login_only_around_the_login)
{
    struct fixture f;
    begin(&f);
    struct trace trace = {.hsm = &f.hsm};
    struct kw_token_options options = kw_softhsm_options(&f.hsm, KW_SOFTHSM_READ_ONLY);
    options.phase = note_phase;
    options.phase_ctx = &trace;
    CHECK_OK(kw_token_open(&options, &f.token, &f.note));
    CHECK_OK(kw_token_login(f.token, &f.note));
    CHECK_CODE(kw_token_find(f.token, KEK, text_span(LOCATOR), &f.key, &f.note),
               KW_CODE_MISSING);
    CHECK_OK(kw_token_self_test(f.token, &f.note));
    kw_token_close(f.token);
    f.token = NULL;
    CHECK_STR(trace.text,
              "init idle init idle init login init idle find idle test idle exit ");
    CHECK(trace.logins_before == 0 && trace.logins_after == 1);
    fixture_end(&f);
}

KW_CASES("login", CASE(login__pin_wrong__stop_after_one_try),
         CASE(login__flags_say_danger__nothing_tried),
         CASE(login__flags_change_after_open__seen),
         CASE(login__count_low_with_a_proven_pin__logs_in),
         CASE(login__after_a_wrong_pin__only_when_vouched_for),
         CASE(login__pin_source_bad__nothing_tried),
         CASE(login__pin_with_control_bytes__nothing_tried_and_pin_not_shown),
         CASE(login_with__flags_changed_since_the_pin_was_read__nothing_tried),
         CASE(pin__read_once__source_is_what_was_read),
         CASE(login__token_in_trouble__down_after_one_try),
         CASE(login__locked_or_expired__stop), CASE(login__already_logged_in__well),
         CASE(login__pin_right__wiped_and_never_logged_out),
         CASE(phase__from_open_to_close__login_only_around_the_login))
