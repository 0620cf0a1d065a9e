/* SPDX-License-Identifier: Apache-2.0 */
/* check - how a test file looks
 *
 *   TEST(put__no_room__nothing_written) { … CHECK(…); }
 *   KW_CASES("hsm/base/bytes", CASE(put__no_room__nothing_written))
 *
 * A case is named situation and outcome.  The runner runs exactly one case by its full
 * name "<suite>.<case>"; a name that matches nothing is an error. */
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
};
void kw_cases_register(const char *suite, const struct kw_case *cases, size_t count);

#define TEST(fn) static void fn(__attribute__((unused)) void **state)
/* clang-format off */
#define CASE(fn)                                                                         \
    {                                                                                    \
        #fn, fn                                                                          \
    }
/* clang-format on */
#define KW_CASES(suite, ...)                                                             \
    static const struct kw_case cases_of_this_file[] = {__VA_ARGS__};                    \
    __attribute__((constructor)) static void register_cases(void)                        \
    {                                                                                    \
        kw_cases_register(suite, cases_of_this_file,                                     \
                          sizeof cases_of_this_file / sizeof cases_of_this_file[0]);     \
    }

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
