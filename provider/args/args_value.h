/* SPDX-License-Identifier: Apache-2.0 */
/* args_value - what stands behind an option, read as its places want it; for args.c only
 *
 * Threads:   plain values.
 */
#ifndef KEYWARD_ARGS_VALUE_H
#define KEYWARD_ARGS_VALUE_H

#include <keyward/args.h>

/* BAD_INPUT, and the note names the option, the value and what it wants. */
KW_MUST_USE kw_err kw_args_value(const struct kw_option *o, const char *value,
                                 struct kw_note *note);

#endif
