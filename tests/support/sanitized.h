/* SPDX-License-Identifier: Apache-2.0 */
/* sanitized - is this built with a sanitizer, whose own memory counts with what is measured? */
#ifndef KEYWARD_TESTS_SANITIZED_H
#define KEYWARD_TESTS_SANITIZED_H

#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define SANITIZED_BY_CLANG
#endif
#endif
#if defined(SANITIZED_BY_CLANG) || defined(__SANITIZE_ADDRESS__) ||                      \
    defined(__SANITIZE_THREAD__)
enum { KW_SANITIZED = 1 };
#else
enum { KW_SANITIZED = 0 };
#endif

#endif
