/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"

#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "test_child.h"

static size_t page(void)
{
    return (size_t)sysconf(_SC_PAGESIZE);
}

/* The mapping that holds p: its bounds and its VmFlags line (proc(5)). */
struct mapping {
    uint8_t *from, *to;
    char flags[256];
};

static struct mapping mapping_of(const void *p)
{
    struct mapping m = {0};
    char line[1024];
    unsigned long from, to, want = (unsigned long)(uintptr_t)p;
    FILE *f = fopen("/proc/self/smaps", "r");
    CHECK(f != NULL);
    while (m.flags[0] == '\0' && fgets(line, sizeof line, f) != NULL) {
        if (sscanf(line, "%lx-%lx ", &from, &to) == 2 && want >= from && want < to) {
            m.from = (uint8_t *)(uintptr_t)from;
            m.to = (uint8_t *)(uintptr_t)to;
        }
        if (m.from != NULL && strncmp(line, "VmFlags:", 8) == 0)
            kw_copy_str(m.flags, sizeof m.flags, kw_span_str(line));
    }
    fclose(f);
    CHECK(m.flags[0] != '\0');
    return m;
}

static long locked_kb(void)
{
    char line[256];
    long kb = -1;
    FILE *f = fopen("/proc/self/status", "r");
    CHECK(f != NULL);
    while (kb < 0 && fgets(line, sizeof line, f) != NULL)
        if (sscanf(line, "VmLck: %ld kB", &kb) != 1)
            kb = -1;
    fclose(f);
    return kb;
}

static void touch(void *arg)
{
    *(volatile uint8_t *)arg = 1;
}

static void open_twice(void *arg)
{
    struct kw_note note;
    if (!kw_failed(kw_arena_open(4096, KW_ARENA_MLOCK, &note)))
        *(volatile bool *)arg = true;
}

TEST(open__twice__aborts)
{
    bool opened = false;
    kw_test_arena(4096);
    CHECK(child_signal(open_twice, &opened) == SIGABRT);
}

static void close_it(void *arg)
{
    (void)arg;
    kw_arena_close();
}

TEST(close__a_secret_is_out__aborts)
{
    KW_AUTO_SECRET(s);
    kw_test_arena(4096);
    CHECK_OK(kw_secret_init(&s, 1));
    CHECK(child_signal(close_it, NULL) == SIGABRT);
}

TEST(guard__one_byte_before__sigsegv)
{
    KW_AUTO_SECRET(s);
    kw_test_arena(3 * page());
    CHECK_OK(kw_secret_init(&s, 1));
    struct mapping m = mapping_of(s.ptr);
    CHECK(m.to - m.from == (ptrdiff_t)(3 * page()));
    CHECK(child_signal(touch, m.from - 1) == SIGSEGV);
    CHECK(child_signal(touch, m.from - page()) == SIGSEGV);
}

TEST(guard__one_byte_after__sigsegv)
{
    KW_AUTO_SECRET(s);
    kw_test_arena(page());
    CHECK_OK(kw_secret_init(&s, 1));
    struct mapping m = mapping_of(s.ptr);
    CHECK(child_signal(touch, m.to) == SIGSEGV);
    CHECK(child_signal(touch, m.to + page() - 1) == SIGSEGV);
}

/* The guards are reserved address space, not a hole that a later mmap could fill. */
TEST(guard__both_ends__reserved)
{
    KW_AUTO_SECRET(s);
    kw_test_arena(page());
    CHECK_OK(kw_secret_init(&s, 1));
    struct mapping m = mapping_of(s.ptr);
    CHECK(mapping_of(m.from - 1).to == m.from);
    CHECK(mapping_of(m.to).from == m.to);
}

TEST(fork__child_touches__sigsegv)
{
    KW_AUTO_SECRET(s);
    kw_test_arena(4096);
    CHECK_OK(kw_secret_init(&s, 32));
    CHECK(child_signal(touch, s.ptr) == SIGSEGV);
    s.ptr[0] = 1; /* here it is still there */
}

TEST(pages__flags__locked_no_dump_no_fork)
{
    KW_AUTO_SECRET(s);
    kw_test_arena(4096);
    CHECK_OK(kw_secret_init(&s, 32));
    struct mapping m = mapping_of(s.ptr);
    CHECK_HAS(m.flags, " lo");
    CHECK_HAS(m.flags, " dd");
    CHECK_HAS(m.flags, " dc");
}

TEST(open__any__all_of_it_locked)
{
    long before = locked_kb();
    kw_test_arena(64 * page());
    CHECK(locked_kb() - before >= (long)(64 * page() / 1024));
}

TEST(open__odd_size__rounded_up_to_pages)
{
    struct kw_arena_info info;
    kw_test_arena(page() + 1);
    kw_arena_info(&info);
    CHECK(info.bytes == 2 * page());
    CHECK(info.used == 0 && info.used_max == 0);
    CHECK(info.backend == KW_ARENA_SECRET || info.backend == KW_ARENA_MLOCK);
}

TEST(forget__in_a_child__it_may_open_its_own)
{
    struct kw_secret parents = {NULL, 0};
    int status = 0;
    CHECK_OK(kw_arena_open(4096, KW_ARENA_MLOCK, NULL));
    CHECK_OK(kw_secret_init(&parents, 64));
    const pid_t pid = fork();
    if (pid == 0) {
        struct kw_arena_info info;
        kw_arena_forget();
        kw_arena_forget(); /* nothing to do */
        kw_arena_info(&info);
        if (info.bytes != 0 || info.used != 0 ||
            kw_failed(kw_arena_open(4096, KW_ARENA_MLOCK, NULL)))
            _exit(1);
        kw_arena_close();
        _exit(0);
    }
    CHECK(pid > 0 && waitpid(pid, &status, 0) == pid && status == 0);
    memset(parents.ptr, 'p', parents.len); /* is there still */
    kw_secret_wipe(&parents);
    kw_arena_close();
}

TEST(open__after_close__anew)
{
    struct kw_note note;
    struct kw_arena_info info;
    CHECK_OK(kw_arena_open(4096, KW_ARENA_MLOCK, &note));
    kw_arena_close();
    kw_arena_close(); /* nothing to do */
    kw_arena_info(&info);
    CHECK(info.bytes == 0);
    CHECK_OK(kw_arena_open(2 * page(), KW_ARENA_MLOCK, &note));
    kw_arena_info(&info);
    CHECK(info.bytes == 2 * page() && info.backend == KW_ARENA_MLOCK);
    kw_arena_close();
}

TEST(open__secret_wanted__secret_or_a_failure)
{
    struct kw_note note = {{0}};
    struct kw_arena_info info;
    kw_err e = kw_arena_open(4096, KW_ARENA_SECRET, &note);
    if (kw_failed(e)) { /* a kernel without it: no quiet fall-back */
        CHECK_CODE(e, KW_CODE_IO);
        CHECK(note.text[0] != '\0');
        return;
    }
    kw_arena_info(&info);
    CHECK(info.backend == KW_ARENA_SECRET);
    kw_arena_close();
}

KW_CASES("hsm/base/arena", CASE(open__twice__aborts),
         CASE(close__a_secret_is_out__aborts), CASE(guard__one_byte_before__sigsegv),
         CASE(guard__one_byte_after__sigsegv), CASE(guard__both_ends__reserved),
         CASE(fork__child_touches__sigsegv), CASE(pages__flags__locked_no_dump_no_fork),
         CASE(open__any__all_of_it_locked), CASE(open__odd_size__rounded_up_to_pages),
         CASE(open__after_close__anew), CASE(open__secret_wanted__secret_or_a_failure))
