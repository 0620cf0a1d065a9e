/* SPDX-License-Identifier: Apache-2.0 */
/* What happens to a process that may lock little or nothing. */
#include "check.h"

#include <stdio.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include "test_child.h"

struct
try {
    rlim_t limit;
    size_t bytes;
    enum kw_arena_backend want;
};
/* A child's answers. */
enum { OPENED = 1, REFUSED_WELL, REFUSED_BADLY, NOT_HERE };

/* Without rights, under the limit. */
static void confine(rlim_t bytes)
{
    const struct rlimit limit = {bytes, bytes};
    if (setrlimit(RLIMIT_MEMLOCK, &limit) != 0)
        _exit(NOT_HERE);
    drop_rights(0);
}

static int try_open(void *arg)
{
    const struct try *t = arg;
    struct kw_note note = {{0}};
    confine(t->limit);
    kw_err e = kw_arena_open(t->bytes, t->want, &note);
    if (!kw_failed(e)) {
        kw_arena_close();
        return OPENED;
    }
    char wanted[32];
    snprintf(wanted, sizeof wanted, "%zu bytes", t->bytes);
    bool well = e.code == KW_CODE_IO && e.native != 0 &&
                strstr(note.text, wanted) != NULL &&
                strstr(note.text, "RLIMIT_MEMLOCK") != NULL &&
                strstr(note.text, "LimitMEMLOCK=") != NULL &&
                strstr(note.text, "CAP_IPC_LOCK") != NULL;
    return well ? REFUSED_WELL : REFUSED_BADLY;
}

static int open_under(rlim_t limit, size_t bytes, enum kw_arena_backend want)
{
    struct try t = {limit, bytes, want};
    return child_answer(try_open, &t);
}

TEST(open__nothing_may_be_locked__refused_with_the_remedy)
{
    CHECK(open_under(0, 65536, KW_ARENA_AUTO) == REFUSED_WELL);
    CHECK(open_under(0, 65536, KW_ARENA_MLOCK) == REFUSED_WELL);
    CHECK(open_under(0, 65536, KW_ARENA_SECRET) == REFUSED_WELL);
}

TEST(open__more_than_the_limit__refused_with_the_remedy)
{
    CHECK(open_under(65536, 131072, KW_ARENA_AUTO) == REFUSED_WELL);
    CHECK(open_under(65536, 131072, KW_ARENA_MLOCK) == REFUSED_WELL);
    CHECK(open_under(65536, 131072, KW_ARENA_SECRET) == REFUSED_WELL);
}

static int refuse_then_open(void *arg)
{
    struct kw_note note;
    (void)arg;
    confine(65536);
    if (!kw_failed(kw_arena_open(1u << 20, KW_ARENA_AUTO, &note)) ||
        kw_failed(kw_arena_open(32768, KW_ARENA_AUTO, &note)))
        return REFUSED_BADLY;
    kw_arena_close();
    return OPENED;
}

TEST(open__after_a_refusal__nothing_was_kept)
{
    CHECK(child_answer(refuse_then_open, NULL) == OPENED);
}

TEST(open__within_the_limit__opens)
{
    CHECK(open_under(65536, 65536, KW_ARENA_AUTO) == OPENED);
    CHECK(open_under(65536, 65536, KW_ARENA_MLOCK) == OPENED);
}

static int allowed_is(void *arg)
{
    rlim_t limit = *(rlim_t *)arg;
    confine(limit);
    size_t want = limit == RLIM_INFINITY ? SIZE_MAX : (size_t)limit;
    return kw_arena_allowed() == want ? OPENED : REFUSED_BADLY;
}

TEST(allowed__no_capability__the_soft_limit)
{
    rlim_t some = 65536, none = 0;
    CHECK(child_answer(allowed_is, &some) == OPENED);
    CHECK(child_answer(allowed_is, &none) == OPENED);
}

/* Where no process may raise its limit, the highest one there is stands for itself. */
TEST(allowed__highest_limit__that_or_no_bound)
{
    struct rlimit now;
    CHECK(getrlimit(RLIMIT_MEMLOCK, &now) == 0);
    CHECK(child_answer(allowed_is, &now.rlim_max) == OPENED);
    rlim_t endless = RLIM_INFINITY;
    int answer = child_answer(allowed_is, &endless);
    CHECK(answer == OPENED || (answer == NOT_HERE && now.rlim_max != RLIM_INFINITY));
}

/* Whether this process has the capability is found out by using it. */
static int allowed_with_capability(void *arg)
{
    const struct rlimit none = {0, 0};
    static char byte[1];
    (void)arg;
    setrlimit(RLIMIT_MEMLOCK, &none);
    size_t want = mlock2(byte, 1, 0) == 0 ? SIZE_MAX : 0;
    return kw_arena_allowed() == want ? OPENED : REFUSED_BADLY;
}

TEST(allowed__cap_ipc_lock__no_bound)
{
    CHECK(child_answer(allowed_with_capability, NULL) == OPENED);
}

KW_CASES("hsm/base/arena-limit",
         CASE(open__nothing_may_be_locked__refused_with_the_remedy),
         CASE(open__more_than_the_limit__refused_with_the_remedy),
         CASE(open__after_a_refusal__nothing_was_kept),
         CASE(open__within_the_limit__opens),
         CASE(allowed__no_capability__the_soft_limit),
         CASE(allowed__highest_limit__that_or_no_bound),
         CASE(allowed__cap_ipc_lock__no_bound))
