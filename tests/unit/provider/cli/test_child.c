/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "child.h"
#include "interrupt.h"

extern char **environ;

/* In the C library's place: as a kernel with fs.suid_dumpable = 1 changes a uid. */
int setresuid(uid_t ruid, uid_t euid, uid_t suid)
{
    int (*real)(uid_t, uid_t, uid_t) = NULL;
    *(void **)&real = dlsym(RTLD_NEXT, "setresuid");
    int rc = real(ruid, euid, suid);
    return rc == 0 ? prctl(PR_SET_DUMPABLE, 1) : rc;
}

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

TEST(child_is_killed__hsm_down_names_the_signal)
{
    struct kw_note note = {{0}};
    const struct kw_child c = nobody_special();
    CHECK_CODE(kw_child_run(&c, die, NULL, &note), KW_CODE_HSM_DOWN);
    CHECK_HAS(note.text, "signal 9");
}

TEST(library_exits__hsm_down)
{
    struct kw_note note = {{0}};
    const struct kw_child c = nobody_special();
    CHECK_CODE(kw_child_run(&c, leave, NULL, &note), KW_CODE_HSM_DOWN);
    CHECK_HAS(note.text, "7");
}

TEST(work_fails__its_error_and_note_come_back)
{
    struct kw_note note = {{0}};
    const struct kw_child c = nobody_special();
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

TEST(environment__nothing_but_what_is_named)
{
    char name[] = "KEYWARD_TEST_VAR", value[] = "yes";
    const struct kw_config_var env = {name, value};
    struct kw_child c = nobody_special();
    struct seen *s = kw_shared_new(sizeof *s);
    CHECK(s != NULL);
    CHECK(setenv("KEYWARD_TEST_OTHER", "no", 1) == 0);
    c.env = &env;
    c.env_count = 1;
    CHECK_OK(kw_child_run(&c, look_around, s, NULL));
    CHECK(s->named && s->variables == 1);
    kw_shared_free(s, sizeof *s);
}

TEST(another_uid__become_it_for_good_or_be_denied)
{
    const struct kw_child c = {.uid = 65534, .gid = 65534};
    struct kw_note note = {{0}};
    struct seen *s = kw_shared_new(sizeof *s);
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

struct rights {
    int dumpable;
    gid_t gid, egid;
    bool roots_group; /* among the further ones */
};

static kw_err look_at_rights(void *shared, struct kw_note *note)
{
    struct rights *r = shared;
    gid_t groups[64];
    int count = getgroups(64, groups);
    (void)note;
    r->dumpable = prctl(PR_GET_DUMPABLE);
    r->gid = getgid();
    r->egid = getegid();
    for (int i = 0; i < count; i++)
        r->roots_group = r->roots_group || groups[i] == 0;
    return KW_OK;
}

/* The three below become somebody else, so they are about root's child. */
TEST(uid_changed__not_dumpable_after_it_either)
{
    const struct kw_child c = {.uid = 65534, .gid = 65534};
    struct rights *r = kw_shared_new(sizeof *r);
    CHECK(r != NULL);
    if (geteuid() == 0) {
        CHECK_OK(kw_child_run(&c, look_at_rights, r, NULL));
        CHECK(r->dumpable == 0);
    }
    kw_shared_free(r, sizeof *r);
}

TEST(files_are_of_roots_group__the_users_own_is_taken)
{
    const struct kw_child c = {.uid = 65534, .gid = 0};
    struct rights *r = kw_shared_new(sizeof *r);
    CHECK(r != NULL);
    if (geteuid() == 0) {
        CHECK_OK(kw_child_run(&c, look_at_rights, r, NULL));
        CHECK(r->gid == 65534 && r->egid == 65534 && !r->roots_group);
    }
    kw_shared_free(r, sizeof *r);
}

TEST(no_such_user__roots_group_refused_another_taken)
{
    struct kw_child c = {.uid = 3123456789u, .gid = 0};
    struct kw_note note = {{0}};
    struct rights *r = kw_shared_new(sizeof *r);
    CHECK(r != NULL);
    if (geteuid() == 0) {
        CHECK_CODE(kw_child_run(&c, look_at_rights, r, &note), KW_CODE_DENIED);
        CHECK_HAS(note.text, "3123456789");
        c.gid = 3123456788u;
        CHECK_OK(kw_child_run(&c, look_at_rights, r, NULL));
        CHECK(r->gid == 3123456788u);
    }
    kw_shared_free(r, sizeof *r);
}

static kw_err use_arena(void *shared, struct kw_note *note)
{
    (void)shared;
    (void)note;
    KW_AUTO_SECRET(s);
    return kw_secret_init(&s, 100);
}

TEST(arena__open_in_the_child_alone)
{
    struct kw_child c = nobody_special();
    struct kw_note note = {{0}};
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

TEST(terminal_signals__ignored_only_while_held)
{
    const struct kw_child c = nobody_special();
    struct kw_note note = {{0}};
    CHECK_OK(kw_child_run(&c, hold_and_be_told, NULL, &note));
    CHECK_CODE(kw_child_run(&c, let_go_and_be_told, NULL, &note), KW_CODE_HSM_DOWN);
    CHECK_HAS(note.text, "signal 15");
}

static kw_err be_told_at_once(void *shared, struct kw_note *note)
{
    (void)note;
    for (size_t i = 0; i < 2; i++)
        raise(i == 0 ? SIGINT : SIGHUP);
    *(bool *)shared = true;
    return KW_OK;
}

TEST(tidying_child__ignores_them_from_the_first_moment)
{
    struct kw_child c = nobody_special();
    bool *done = kw_shared_new(sizeof *done);
    CHECK(done != NULL);
    c.stays = true;
    CHECK_OK(kw_child_run(&c, be_told_at_once, done, NULL));
    CHECK(*done);
    kw_shared_free(done, sizeof *done);
}

TEST(signal_while_held__only_a_tidying_child_is_begun)
{
    struct kw_child c = nobody_special();
    struct kw_note note = {{0}};
    struct seen *s = kw_shared_new(sizeof *s);
    CHECK(s != NULL);
    kw_interrupt_hold();
    raise(SIGTERM);
    CHECK(kw_interrupt_seen() == SIGTERM);
    CHECK_CODE(kw_child_run(&c, look_around, s, &note), KW_CODE_CANCELLED);
    CHECK_HAS(note.text, "SIGTERM");
    c.stays = true;
    CHECK_OK(kw_child_run(&c, look_around, s, NULL));
    c.stays = false;
    kw_interrupt_finish();
    raise(SIGINT); /* what was begun is done: it is written down all the same */
    CHECK_OK(kw_child_run(&c, look_around, s, NULL));
    kw_interrupt_release();
    CHECK(kw_interrupt_seen() == 0);
    CHECK_OK(kw_child_run(&c, look_around, s, NULL));
    kw_shared_free(s, sizeof *s);
}

TEST(ignored_when_keyward_started__stays_ignored)
{
    struct kw_child c = nobody_special();
    bool *done = kw_shared_new(sizeof *done);
    CHECK(done != NULL);
    signal(SIGINT, SIG_IGN);
    signal(SIGHUP, SIG_IGN);
    CHECK_OK(kw_child_run(&c, be_told_at_once, done, NULL));
    CHECK(*done && signal(SIGINT, SIG_DFL) == SIG_IGN);
    signal(SIGHUP, SIG_DFL);
    kw_shared_free(done, sizeof *done);
}

/* ---- on a terminal ----------------------------------------------------------------- */

struct terminal {
    int ready[2]; /* a byte when the child is at work */
    bool own_session, none;
};

static kw_err look_for_the_terminal(void *shared, struct kw_note *note)
{
    struct terminal *t = shared;
    (void)note;
    t->own_session = getsid(0) != getsid(getppid());
    int fd = open("/dev/tty", O_RDWR | O_NOCTTY);
    t->none = fd < 0 && errno == ENXIO;
    CHECK(write(t->ready[1], "r", 1) == 1);
    for (;;)
        pause();
}

/* The process that keyward would be: alone on its terminal. */
static _Noreturn void sit_at(const char *slave, struct terminal *t)
{
    const struct kw_child c = nobody_special();
    struct kw_note note = {{0}};
    int fd = -1;
    signal(SIGINT, SIG_DFL);
    if (setsid() < 0 || (fd = open(slave, O_RDWR)) < 0 || ioctl(fd, TIOCSCTTY, 0) != 0)
        _exit(100);
    kw_err e = kw_child_run(&c, look_for_the_terminal, t, &note);
    _exit(e.code == KW_CODE_CANCELLED && strstr(note.text, "SIGINT") != NULL ? 0 : 101);
}

TEST(ctrl_c__reaches_a_child_without_terminal_through_the_parent)
{
    struct terminal *t = kw_shared_new(sizeof *t);
    char byte;
    int status = 0;
    CHECK(t != NULL && pipe2(t->ready, O_CLOEXEC) == 0);
    int master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
    CHECK(master >= 0 && grantpt(master) == 0 && unlockpt(master) == 0);
    pid_t pid = fork();
    CHECK(pid >= 0);
    if (pid == 0)
        sit_at(ptsname(master), t);
    close(t->ready[1]);
    CHECK(read(t->ready[0], &byte, 1) == 1);
    CHECK(write(master, "\x03", 1) == 1); /* Ctrl-C */
    CHECK(waitpid(pid, &status, 0) == pid);
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    CHECK(t->own_session && t->none);
    close(t->ready[0]);
    close(master);
    kw_shared_free(t, sizeof *t);
}

KW_CASES("provider/cli/child", CASE(child_is_killed__hsm_down_names_the_signal),
         CASE(library_exits__hsm_down), CASE(work_fails__its_error_and_note_come_back),
         CASE(environment__nothing_but_what_is_named),
         CASE(another_uid__become_it_for_good_or_be_denied),
         CASE(uid_changed__not_dumpable_after_it_either),
         CASE(files_are_of_roots_group__the_users_own_is_taken),
         CASE(no_such_user__roots_group_refused_another_taken),
         CASE(arena__open_in_the_child_alone),
         CASE(terminal_signals__ignored_only_while_held),
         CASE(tidying_child__ignores_them_from_the_first_moment),
         CASE(signal_while_held__only_a_tidying_child_is_begun),
         CASE(ignored_when_keyward_started__stays_ignored),
         CASE(ctrl_c__reaches_a_child_without_terminal_through_the_parent))
