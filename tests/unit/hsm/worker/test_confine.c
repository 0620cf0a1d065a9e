/* SPDX-License-Identifier: Apache-2.0 */
/* The two system calls are played here (CMakeLists.txt renames them in confine.c): nobody
 * can make the real ones fail. */
#include <errno.h>
#include <stdarg.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include "fake_token.h"

static struct kw_note note;
static int refused; /* the how-manieth call, 0 = none */
static int calls;

static int answer(void)
{
    if (++calls != refused)
        return 0;
    errno = EPERM;
    return -1;
}

int played_setrlimit(int resource, const struct rlimit *limit);
int played_prctl(int option, ...);

int played_setrlimit(int resource, const struct rlimit *limit)
{
    CHECK(resource == RLIMIT_CORE && limit->rlim_cur == 0 && limit->rlim_max == 0);
    return answer();
}

int played_prctl(int option, ...)
{
    va_list list;
    va_start(list, option);
    CHECK(option == PR_SET_DUMPABLE && va_arg(list, int) == 0);
    va_end(list);
    return answer();
}

static kw_err confine(int fail)
{
    refused = fail;
    calls = 0;
    note.text[0] = '\0';
    return kw_worker_confine(&note);
}

TEST(kernel_refuses__no_start_and_the_call_is_named)
{
    kw_err e = confine(1);
    CHECK(e.code == KW_CODE_IO && e.native == EPERM);
    CHECK_HAS(note.text, "RLIMIT_CORE");
    e = confine(2);
    CHECK(e.code == KW_CODE_IO && e.native == EPERM);
    CHECK_HAS(note.text, "PR_SET_DUMPABLE");
}

TEST(kernel_agrees__both_are_set)
{
    CHECK_OK(confine(0));
    CHECK(calls == 2);
}

KW_CASES("hsm/worker/confine", CASE(kernel_refuses__no_start_and_the_call_is_named),
         CASE(kernel_agrees__both_are_set))
