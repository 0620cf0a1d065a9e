/* SPDX-License-Identifier: Apache-2.0 */
/* guard - no load on a real HSM by mistake
 *
 * A socket does not say what token is behind it, but the workers of keywardd do: the
 * module that each of them has loaded stands in /proc/<pid>/maps.  Other servers are not
 * looked at: nothing is known of how they hold their keys.
 *
 * Threads:   plain values.
 * Blocking:  on /proc.
 */
#ifndef KEYWARD_BENCH_GUARD_H
#define KEYWARD_BENCH_GUARD_H

#include <keyward/err.h>

/* `pid` serves the socket (0 or 1: nobody knows, or systemd made it); `is_keyward`: its
 * key_id is one of keyward's.  DENIED, with a note that names the reason and the way out:
 * this is or may be a keywardd whose token is no SoftHSM.  `proc` is "/proc"; tests have
 * their own. */
KW_MUST_USE kw_err kw_guard(const char *proc, int32_t pid, bool is_keyward,
                            struct kw_note *note);

#endif
