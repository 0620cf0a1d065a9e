/* SPDX-License-Identifier: Apache-2.0 */
/* support_command - a program's output, for so long and no longer
 *
 * Threads:   one at a time.
 * Blocking:  until the program has ended, at most `seconds`: then it is killed.  One that
 *            the kernel does not let go (a hung disk) is left behind.
 */
#ifndef KEYWARD_CLI_SUPPORT_COMMAND_H
#define KEYWARD_CLI_SUPPORT_COMMAND_H

#include <keyward/err.h>

#include "support_text.h"

/* Standard output into `out`, and the first lines of standard error into `said`, with an
 * environment of PATH and LC_ALL alone and /dev/null to read.  *ret_status: its exit status,
 * 128 and the signal's number.
 * MISSING   there is no such program
 * DEADLINE  it was killed; what came until then is in `out`
 * IO        native = errno */
KW_MUST_USE kw_err kw_support_command(const char *const argv[], unsigned seconds,
                                      struct kw_support_text *out,
                                      struct kw_support_text *said, int *ret_status);

#endif
