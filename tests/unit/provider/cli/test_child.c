/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"

#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "child.h"

extern char **environ;

static struct kw_child nobody_special(void)
{
    return (struct kw_child){.uid = geteuid(), .gid = getegid()};
}

static kw_err die(void *shared, struct kw_note *note)
{
    (void)shared;
    (void)note;
    raise(SIGKILL);
    return KW_OK;
}

static kw_err leave(void *shared, struct kw_note *note)
{
    (void)shared;
    (void)note;
    _exit(7);
}

static kw_err refuse(void *shared, struct kw_note *note)
{
    (void)shared;
    kw_note_set(note, "the token said no");
    return kw_err_native(KW_CODE_PIN_STOP, 0xa0, "C_Login");
}

static void child_is_killed__hsm_down_names_the_signal(void **state)
{
    struct kw_note note = {{0}};
    const struct kw_child c = nobody_special();
    (void)state;
    CHECK_CODE(kw_child_run(&c, die, NULL, &note), KW_CODE_HSM_DOWN);
    CHECK_HAS(note.text, "signal 9");
}

static void library_exits__hsm_down(void **state)
{
    struct kw_note note = {{0}};
    const struct kw_child c = nobody_special();
    (void)state;
    CHECK_CODE(kw_child_run(&c, leave, NULL, &note), KW_CODE_HSM_DOWN);
    CHECK_HAS(note.text, "7");
}

static void work_fails__its_error_and_note_come_back(void **state)
{
    struct kw_note note = {{0}};
    const struct kw_child c = nobody_special();
    (void)state;
    kw_err e = kw_child_run(&c, refuse, NULL, &note);
    CHECK(e.code == KW_CODE_PIN_STOP && e.native == 0xa0);
    CHECK_STR(e.where, "C_Login");
    CHECK_STR(note.text, "the token said no");
}

struct seen {
    uid_t uid, real;
    size_t variables;
    bool named, can_return;
};

static kw_err look_around(void *shared, struct kw_note *note)
{
    struct seen *s = shared;
    (void)note;
    s->uid = geteuid();
    s->real = getuid();
    while (environ != NULL && environ[s->variables] != NULL)
        s->variables++;
    const char *value = getenv("KEYWARD_TEST_VAR");
    s->named = value != NULL && strcmp(value, "yes") == 0;
    s->can_return = geteuid() != 0 && setuid(0) == 0;
    return KW_OK;
}

static void environment__nothing_but_what_is_named(void **state)
{
    char name[] = "KEYWARD_TEST_VAR", value[] = "yes";
    const struct kw_config_var env = {name, value};
    struct kw_child c = nobody_special();
    struct seen *s = kw_shared_new(sizeof *s);
    (void)state;
    CHECK(s != NULL);
    CHECK(setenv("KEYWARD_TEST_OTHER", "no", 1) == 0);
    c.env = &env;
    c.env_count = 1;
    CHECK_OK(kw_child_run(&c, look_around, s, NULL));
    CHECK(s->named && s->variables == 1);
    kw_shared_free(s, sizeof *s);
}

static void another_uid__become_it_for_good_or_be_denied(void **state)
{
    const struct kw_child c = {.uid = 65534, .gid = 65534};
    struct kw_note note = {{0}};
    struct seen *s = kw_shared_new(sizeof *s);
    (void)state;
    CHECK(s != NULL);
    if (geteuid() == 0) {
        CHECK_OK(kw_child_run(&c, look_around, s, &note));
        CHECK(s->uid == 65534 && s->real == 65534 && !s->can_return);
        CHECK(geteuid() == 0);
    } else if (geteuid() != 65534) {
        CHECK_CODE(kw_child_run(&c, look_around, s, &note), KW_CODE_DENIED);
        CHECK_HAS(note.text, "65534");
    }
    kw_shared_free(s, sizeof *s);
}

static kw_err use_arena(void *shared, struct kw_note *note)
{
    (void)shared;
    (void)note;
    KW_AUTO_SECRET(s);
    return kw_secret_init(&s, 100);
}

static void arena__open_in_the_child_alone(void **state)
{
    struct kw_child c = nobody_special();
    struct kw_note note = {{0}};
    (void)state;
    c.arena_bytes = 4096;
    CHECK_OK(kw_child_run(&c, use_arena, NULL, &note));
    CHECK_OK(kw_child_run(&c, use_arena, NULL, &note)); /* each child its own */
}

static kw_err hold_and_be_told(void *shared, struct kw_note *note)
{
    (void)shared;
    (void)note;
    kw_child_hold(true);
    raise(SIGTERM);
    raise(SIGINT);
    return KW_OK;
}

static kw_err let_go_and_be_told(void *shared, struct kw_note *note)
{
    kw_child_hold(true);
    kw_child_hold(false);
    raise(SIGTERM);
    (void)shared;
    (void)note;
    return KW_OK;
}

static void terminal_signals__ignored_only_while_held(void **state)
{
    const struct kw_child c = nobody_special();
    struct kw_note note = {{0}};
    (void)state;
    CHECK_OK(kw_child_run(&c, hold_and_be_told, NULL, &note));
    CHECK_CODE(kw_child_run(&c, let_go_and_be_told, NULL, &note), KW_CODE_HSM_DOWN);
    CHECK_HAS(note.text, "signal 15");
}

KW_CASES("provider/cli/child", CASE(child_is_killed__hsm_down_names_the_signal),
         CASE(library_exits__hsm_down), CASE(work_fails__its_error_and_note_come_back),
         CASE(environment__nothing_but_what_is_named),
         CASE(another_uid__become_it_for_good_or_be_denied),
         CASE(arena__open_in_the_child_alone),
         CASE(terminal_signals__ignored_only_while_held))
