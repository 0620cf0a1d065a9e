/* SPDX-License-Identifier: Apache-2.0 */
/* What the process gives up, in a child of the test. */
#include "check.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "daemon_internal.h"

/* Who it is said to be; others who stand in this program are who they are. */
#define NOBODY_SAID ((uid_t)-1)
static uid_t real = NOBODY_SAID, effective = NOBODY_SAID;

/* The linker leads getuid() and geteuid() here, and there to the C library's (--wrap). */
uid_t __real_getuid(void);
uid_t __wrap_getuid(void);
uid_t __wrap_getuid(void)
{
    return real == NOBODY_SAID ? __real_getuid() : real;
}

uid_t __real_geteuid(void);
uid_t __wrap_geteuid(void);
uid_t __wrap_geteuid(void)
{
    return effective == NOBODY_SAID ? __real_geteuid() : effective;
}

/* Runs a part in a child, which ends with the number of the line that does not hold. */
static int in_child(int (*part)(void))
{
    int status;
    pid_t pid = fork();
    CHECK(pid >= 0);
    if (pid == 0)
        _exit(part());
    CHECK(waitpid(pid, &status, 0) == pid);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static int with_no_descriptor_left(void)
{
    struct kw_note note = {{0}};
    const struct rlimit none = {0, 0};
    if (setrlimit(RLIMIT_NOFILE, &none) != 0)
        return 1;
    if (kw_confine_early(&note).code != KW_CODE_IO)
        return 2;
    return strstr(note.text, "cannot begin: /dev/null: Too many open files; raise "
                             "LimitNOFILE=") != NULL
               ? 0
               : 3;
}

static int with_core_dumps_on(void)
{
    struct kw_note note = {{0}};
    struct rlimit core;
    if (prctl(PR_SET_DUMPABLE, 1, 0, 0, 0) != 0 || prctl(PR_GET_DUMPABLE) != 1)
        return 1;
    if (kw_failed(kw_confine_early(&note)) || note.text[0] != '\0')
        return 2;
    if (getrlimit(RLIMIT_CORE, &core) != 0 || core.rlim_cur != 0 || core.rlim_max != 0)
        return 3;
    return prctl(PR_GET_DUMPABLE) == 0 ? 0 : 4;
}

static int with_an_open_umask(void)
{
    struct kw_note note = {{0}};
    umask(0);
    if (kw_failed(kw_confine_early(&note)))
        return 1;
    return umask(0) == 077 ? 0 : 2;
}

/* From `first` on the standard descriptors are closed. */
static int standard_descriptors(int first)
{
    struct kw_note note = {{0}};
    for (int fd = first; fd <= STDERR_FILENO; fd++)
        close(fd);
    if (kw_failed(kw_confine_early(&note)))
        return 1;
    for (int fd = first; fd <= STDERR_FILENO; fd++)
        if (fcntl(fd, F_GETFD) < 0)
            return 2;
    int next = open("/dev/null", O_RDONLY | O_CLOEXEC);
    return next > STDERR_FILENO ? 0 : 3;
}

static int with_none_open(void)
{
    return standard_descriptors(STDIN_FILENO);
}

static int without_stderr(void)
{
    return standard_descriptors(STDERR_FILENO);
}

/* What was opened on the way is closed again. */
static int with_all_open(void)
{
    struct kw_note note = {{0}};
    int before = open("/dev/null", O_RDONLY | O_CLOEXEC);
    close(before);
    if (kw_failed(kw_confine_early(&note)))
        return 1;
    int after = open("/dev/null", O_RDONLY | O_CLOEXEC);
    return before >= 0 && after == before ? 0 : 2;
}

static int with_few_descriptors(void)
{
    const struct rlimit few = {100, 400};
    struct rlimit now;
    if (setrlimit(RLIMIT_NOFILE, &few) != 0)
        return 1;
    if (kw_confine_descriptors(50) != 100)
        return 2; /* never lowered */
    if (kw_confine_descriptors(300) != 300)
        return 3; /* not further than it must be */
    if (kw_confine_descriptors(500) != 400)
        return 4;
    if (getrlimit(RLIMIT_NOFILE, &now) != 0 || now.rlim_cur != 400 || now.rlim_max != 400)
        return 5;
    return 0;
}

static int with_a_low_hard_limit(void)
{
    const struct rlimit few = {100, 256};
    struct kw_note note = {{0}};
    if (setrlimit(RLIMIT_NOFILE, &few) != 0)
        return 1;
    const kw_err e = kw_confine_check_descriptors(&note);
    return e.code == KW_CODE_IO &&
                   strstr(note.text, "256 descriptors are too few") != NULL &&
                   strstr(note.text, "LimitNOFILE=") != NULL
               ? 0
               : 2;
}

static int with_a_soft_limit_alone(void)
{
    const struct rlimit few = {100, 257};
    return setrlimit(RLIMIT_NOFILE, &few) == 0 &&
                   !kw_failed(kw_confine_check_descriptors(NULL))
               ? 0
               : 1;
}

TEST(check_descriptors__fewer_than_any_configuration_wants__refused_and_what_to_do)
{
    assert_int_equal(in_child(with_a_low_hard_limit), 0);
}

TEST(check_descriptors__hard_limit_allows__raised_and_taken)
{
    assert_int_equal(in_child(with_a_soft_limit_alone), 0);
}

/* The limit is nothing to root; whose other processes there are makes it only tighter. */
static int with_one_task(void)
{
    const struct rlimit one = {1, 1};
    struct kw_note note = {{0}};
    if (setrlimit(RLIMIT_NPROC, &one) != 0 ||
        (setresuid(65534, 65534, 65534) != 0 && errno != EPERM))
        return 1;
    const kw_err e = kw_confine_check_tasks(7, &note);
    return e.code == KW_CODE_IO && e.native == EAGAIN &&
                   strstr(note.text, "cannot start the 7 threads") != NULL &&
                   strstr(note.text, "LimitNPROC=") != NULL
               ? 0
               : 2;
}

TEST(check_tasks__one_too_many__refused_and_what_to_do)
{
    assert_int_equal(in_child(with_one_task), 0);
}

TEST(check_tasks__as_many_as_may_be__taken)
{
    CHECK_OK(kw_confine_check_tasks(0, NULL));
    CHECK_OK(kw_confine_check_tasks(KW_TASKS_MAX, NULL));
}

TEST(descriptors__soft_limit_low__raised_as_far_as_wanted_or_allowed)
{
    assert_int_equal(in_child(with_few_descriptors), 0);
}

TEST(early__no_descriptor_left__refused_and_why)
{
    assert_int_equal(in_child(with_no_descriptor_left), 0);
}

TEST(early__core_dumps_on__off_and_not_dumpable)
{
    assert_int_equal(in_child(with_core_dumps_on), 0);
}

TEST(early__open_umask__nothing_for_others)
{
    assert_int_equal(in_child(with_an_open_umask), 0);
}

TEST(early__standard_descriptors_closed__filled)
{
    assert_int_equal(in_child(with_none_open), 0);
    assert_int_equal(in_child(without_stderr), 0);
}

TEST(early__standard_descriptors_open__none_left_behind)
{
    assert_int_equal(in_child(with_all_open), 0);
}

TEST(user__root_in_any_way__refused_and_what_to_do)
{
    static const uid_t rows[][2] = {{0, 0}, {0, 1000}, {1000, 0}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct kw_note note = {{0}};
        real = rows[i][0];
        effective = rows[i][1];
        CHECK_CODE(kw_confine_check_user(&note), KW_CODE_DENIED);
        CHECK_HAS(note.text, "refuses to run as root");
        CHECK_HAS(note.text, "setpriv --reuid keyward");
    }
}

TEST(user__somebody__taken)
{
    struct kw_note note = {{0}};
    real = effective = 1000;
    CHECK_OK(kw_confine_check_user(&note));
    CHECK_STR(note.text, "");
}

KW_CASES(
    "provider/daemon/confine", CASE(early__no_descriptor_left__refused_and_why),
    CASE(check_descriptors__fewer_than_any_configuration_wants__refused_and_what_to_do),
    CASE(check_descriptors__hard_limit_allows__raised_and_taken),
    CASE(check_tasks__one_too_many__refused_and_what_to_do),
    CASE(check_tasks__as_many_as_may_be__taken),
    CASE(descriptors__soft_limit_low__raised_as_far_as_wanted_or_allowed),
    CASE(early__core_dumps_on__off_and_not_dumpable),
    CASE(early__open_umask__nothing_for_others),
    CASE(early__standard_descriptors_closed__filled),
    CASE(early__standard_descriptors_open__none_left_behind),
    CASE(user__root_in_any_way__refused_and_what_to_do), CASE(user__somebody__taken))
