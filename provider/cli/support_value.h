/* SPDX-License-Identifier: Apache-2.0 */
/* support_value - which values of a configuration may be shown
 *
 * Threads:   pure.
 */
#ifndef KEYWARD_CLI_SUPPORT_VALUE_H
#define KEYWARD_CLI_SUPPORT_VALUE_H

#include <keyward/bytes.h>

enum kw_support_kind {
    KW_SUPPORT_UNKNOWN, /* no key of keywardd's: it may be a value itself */
    KW_SUPPORT_HIDDEN, /* a token's env: what a vendor's library is told may be a password */
    KW_SUPPORT_BLOCK, /* has keys of its own */
    KW_SUPPORT_WORD,  /* one of a few */
    KW_SUPPORT_NUMBER,
    KW_SUPPORT_TIME,
    KW_SUPPORT_PATH,
    KW_SUPPORT_NAME, /* [A-Za-z0-9._-], a letter among them */
    KW_SUPPORT_HEX,
    KW_SUPPORT_URI,
    KW_SUPPORT_PIN, /* its kind alone: "file:[redacted]" */
};
enum kw_support_kind kw_support_kind_of(kw_span key);

/* A key, a choice, a name of keywardd's own or of an attribute of a URI, which is no secret
 * anywhere. */
bool kw_support_is_common(kw_span word);

/* What stands behind the colon without blanks and comment.  *ret_is_closed: each of its
 * quotes and brackets ends on the line, beyond doubt. */
kw_span kw_support_value_of(kw_span raw, bool *ret_is_closed);

/* The value as it may be seen, with a NUL behind it; false: not at all.  A flow mapping or
 * list is shown when every part of it may be. */
bool kw_support_show(enum kw_support_kind kind, kw_span value, kw_dst dst);

#endif
