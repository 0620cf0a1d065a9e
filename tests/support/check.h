/* SPDX-License-Identifier: Apache-2.0 */
/* check - how a test file looks
 *
 *   TEST(put__no_room__nothing_written) { … CHECK(…); }
 *   KW_SUITE("hsm/base/bytes")
 *
 * A case is named situation and outcome; all of a file belong to its suite.  The runner
 * runs exactly one case by its full name "<suite>.<case>"; a name that matches nothing is
 * an error. */
#ifndef KEYWARD_TESTS_CHECK_H
#define KEYWARD_TESTS_CHECK_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <keyward/bytes.h>
#include <keyward/clock.h>
#include <keyward/secret.h>

struct kw_case {
    const char *name;
    void (*run)(void **state);
    int line;
    struct kw_case *next; /* of the same file, ascending lines */
};
/* Once, however often it is added. */
void kw_case_add(struct kw_case **file, struct kw_case *c);
void kw_suite_add(const char *name, struct kw_case **file, void (*before)(void),
                  void (*after)(void));

static struct kw_case *cases_of_this_file __attribute__((unused));

#define TEST(fn) TEST_NAMED(fn) /* a name may be a macro's */
#define TEST_NAMED(fn)                                                                   \
    static void fn(void **state);                                                        \
    __attribute__((constructor)) static void add_##fn(void)                              \
    {                                                                                    \
        static struct kw_case self = {.name = #fn, .run = fn, .line = __LINE__};         \
        kw_case_add(&cases_of_this_file, &self);                                         \
    }                                                                                    \
    static void fn(__attribute__((unused)) void **state)
#define KW_SUITE(suite) KW_SUITE_AROUND(suite, NULL, NULL)
/* Each case begins with `before` and ends with `after`, also when it failed. */
#define KW_SUITE_AROUND(suite, before, after)                                            \
    __attribute__((constructor)) static void add_suite(void)                             \
    {                                                                                    \
        kw_suite_add(suite, &cases_of_this_file, before, after);                         \
    }
/* With a list, which adds those that are no TEST. */
/* clang-format off */
#define CASE(fn)                                                                         \
    {                                                                                    \
        #fn, fn                                                                          \
    }
/* clang-format on */
#define KW_CASES(suite, ...)                                                             \
    static struct kw_case listed_cases[] = {__VA_ARGS__};                                \
    __attribute__((constructor)) static void add_listed_cases(void)                      \
    {                                                                                    \
        for (size_t i = 0; i < sizeof listed_cases / sizeof listed_cases[0]; i++)        \
            kw_case_add(&cases_of_this_file, &listed_cases[i]);                          \
    }                                                                                    \
    KW_SUITE(suite)

/* abort() is never reached: cmocka jumps out.  Analyzers do not know that. */
#define CHECK(x)                                                                         \
    do {                                                                                 \
        if (!(x)) {                                                                      \
            _assert_true(0, #x, __FILE__, __LINE__);                                     \
            abort();                                                                     \
        }                                                                                \
    } while (0)
#define CHECK_OK(expr)                                                                   \
    do {                                                                                 \
        kw_err check_e = (expr);                                                         \
        if (kw_failed(check_e))                                                          \
            fail_msg("%s: %s at %s (native 0x%x)", #expr, kw_code_name(check_e.code),    \
                     check_e.where ? check_e.where : "?", check_e.native);               \
    } while (0)
#define CHECK_CODE(expr, want)                                                           \
    do {                                                                                 \
        kw_err check_e = (expr);                                                         \
        if (check_e.code != (want))                                                      \
            fail_msg("%s: %s, expected %s", #expr, kw_code_name(check_e.code),           \
                     kw_code_name(want));                                                \
    } while (0)
#define CHECK_STR(a, b) assert_string_equal(a, b)
#define CHECK_HAS(text, part)                                                            \
    do {                                                                                 \
        if (strstr((text), (part)) == NULL)                                              \
            fail_msg("\"%s\" does not contain \"%s\"", (text), (part));                  \
    } while (0)

/* Opens the arena with what KEYWARD_ARENA asks for; closed by the runner. */
void kw_test_arena(size_t bytes);

/* What a case begins with that only root can play (who gives files away, who becomes
 * somebody else): an ordinary user's run is begun again by sudo, without a password and
 * with the same environment.  Where there is none the case fails: never is it skipped. */
void kw_test_as_root(void);

/* A clock that stands still until told. */
struct kw_fake_clock {
    int64_t now_ns; /* mono and boot; wall is 2026-01-01T00:00:00Z plus this */
};
struct kw_clock kw_fake_clock(struct kw_fake_clock *fake);

#endif
