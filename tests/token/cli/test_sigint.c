/* SPDX-License-Identifier: Apache-2.0 */
/* Ctrl-C at the system calls of `keyward key create`, of its own and of its children's,
 * each on a token of its own.  Whatever the call: the token is sealed, or it is said
 * aloud that it is not; a key that was made is in the keyring, or named; and the next
 * ceremony works.
 *
 * Every call that changes something is met, and every n-th of the others; with
 * KEYWARD_TEST_SWEEP=all every one (minutes).  The work is cut into shares, a case each.
 */
#include "site.h"
#include "syscalls.h"

#include <ftw.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <keyward/file.h>

enum { CALLS_MAX = 64 * 1024, SHARES = 4, OTHERS = 160, AT_TERMINAL = 200 };

static struct site s;
static char pristine[96], said[96];
static long numbers[CALLS_MAX];
static size_t names;

static void shell(const char *const argv[])
{
    kw_run(&s.run, argv);
    if (s.run.status != 0)
        fail_msg("%s: %s", argv[0], s.run.err);
}

static int count_name(const char *path, const struct stat *st, int kind, struct FTW *at)
{
    (void)path;
    (void)st;
    (void)kind;
    (void)at;
    names++;
    return 0;
}

static size_t names_in(const char *dir)
{
    names = 0;
    CHECK(nftw(dir, count_name, 8, FTW_PHYS) == 0);
    return names;
}

static void begin(void)
{
    site_make(&s);
    snprintf(pristine, sizeof pristine, "%s/pristine", s.dir);
    snprintf(said, sizeof said, "%s/said", s.dir);
    shell((const char *const[]){"/bin/cp", "-a", s.base, pristine, NULL});
}

static void renew(void)
{
    shell((const char *const[]){"/bin/chmod", "-R", "u+w", s.base, NULL});
    shell((const char *const[]){"/bin/rm", "-r", s.base, NULL});
    shell((const char *const[]){"/bin/cp", "-a", pristine, s.base, NULL});
}

static void create(struct syscalls_run *run)
{
    const char *const argv[] = {KEYWARD, "key", "create", "--config", s.config, NULL};
    run->argv = argv;
    run->err_path = said;
    run->signal = SIGINT;
    syscalls_run(run);
}

/* Of the files, of who gets which signal, of what a process is. */
static bool changes_something(long number)
{
    static const long kinds[] = {
        SYS_write,      SYS_pwrite64,  SYS_ftruncate,      SYS_fsync,
        SYS_unlink,     SYS_unlinkat,  SYS_rename,         SYS_renameat,
        SYS_renameat2,  SYS_mkdir,     SYS_mkdirat,        SYS_fchmod,
        SYS_fchmodat,   SYS_fchown,    SYS_flock,          SYS_rt_sigaction,
        SYS_clone,      SYS_clone3,    SYS_rt_sigprocmask, SYS_setsid,
        SYS_prctl,      SYS_setresuid, SYS_setresgid,      SYS_setgroups,
        SYS_exit_group, SYS_wait4,     SYS_waitid,
    };
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
        if (kinds[i] == number)
            return true;
    return false;
}

static void judge(const struct syscalls_run *run, size_t names_before)
{
    struct kw_blob err = {0};
    char text[4096] = "";
    CHECK_OK(kw_file_read(said, sizeof text - 1, &err, NULL));
    kw_copy_str(text, sizeof text, kw_blob_peek(&err));
    kw_blob_wipe(&err);
    bool said_open = strstr(text, "THE TOKEN IS NOT SEALED") != NULL;
    bool made = names_in(s.tokens) != names_before;
    bool told = access(s.keyring, F_OK) == 0 || strstr(text, "CKA_LABEL kw1-") != NULL;
    if (!site_is_sealed(s.tokens) && !said_open)
        fail_msg("call %zu: the token is open, and nobody says so\n%s", run->at, text);
    if (made && !told)
        fail_msg("call %zu: a key was made, and nobody says so\n%s", run->at, text);
    if (run->status != 0 && run->status != 3 && run->status != 128 + SIGINT)
        fail_msg("call %zu: status %d\n%s", run->at, run->status, text);
    if (KEYWARD_DO(&s, "key", "create") != 0)
        fail_msg("call %zu: the next ceremony fails: %s", run->at, s.run.err);
    CHECK(site_is_sealed(s.tokens));
}

static void interrupt_at(size_t at, bool to_first)
{
    struct syscalls_run run = {.at = at, .to_first = to_first};
    renew();
    size_t before = names_in(s.tokens);
    create(&run);
    judge(&run, before);
}

/* Counts the calls of a whole ceremony; gives the distance of those that are met. */
static size_t survey(size_t *ret_count, size_t wanted)
{
    struct syscalls_run run = {.numbers = numbers, .room = CALLS_MAX};
    const char *sweep = getenv("KEYWARD_TEST_SWEEP");
    create(&run);
    CHECK(run.status == 0 && run.count <= CALLS_MAX);
    *ret_count = run.count;
    bool all = sweep != NULL && strcmp(sweep, "all") == 0;
    return all || run.count < wanted ? 1 : run.count / wanted;
}

static void caller_is_told(size_t share)
{
    size_t count, met = 0;
    begin();
    size_t step = survey(&count, OTHERS);
    for (size_t k = 1; k <= count; k++)
        if ((changes_something(numbers[k - 1]) || k % step == 0) &&
            met++ % SHARES == share)
            interrupt_at(k, false);
    CHECK(met > OTHERS);
    site_remove(&s);
}

static void keyward_is_told(size_t share)
{
    size_t count, met = 0;
    begin();
    size_t step = survey(&count, AT_TERMINAL);
    for (size_t k = step; k <= count; k += step)
        if (met++ % SHARES == share)
            interrupt_at(k, true);
    CHECK(met >= AT_TERMINAL);
    site_remove(&s);
}

#define SHARE(n)                                                                         \
    static void whoever_calls_is_told__share_##n(void **state)                           \
    {                                                                                    \
        (void)state;                                                                     \
        caller_is_told(n);                                                               \
    }                                                                                    \
    static void as_from_the_terminal__share_##n(void **state)                            \
    {                                                                                    \
        (void)state;                                                                     \
        keyward_is_told(n);                                                              \
    }
SHARE(0)
SHARE(1)
SHARE(2)
SHARE(3)

KW_CASES("token/cli/sigint", CASE(whoever_calls_is_told__share_0),
         CASE(whoever_calls_is_told__share_1), CASE(whoever_calls_is_told__share_2),
         CASE(whoever_calls_is_told__share_3), CASE(as_from_the_terminal__share_0),
         CASE(as_from_the_terminal__share_1), CASE(as_from_the_terminal__share_2),
         CASE(as_from_the_terminal__share_3))
