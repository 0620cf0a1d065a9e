/* SPDX-License-Identifier: Apache-2.0 */
/* moment - a point in time that outlives the process, and how long ago it is
 *
 * Somebody sets the wall clock; nobody sets CLOCK_BOOTTIME, but it begins anew with each
 * boot, and boots have names.  So what must wait remembers both.
 *
 * Threads:   any.
 * Blocking:  kw_boot_id and kw_moment_now read /proc.
 */
#ifndef KEYWARD_MOMENT_H
#define KEYWARD_MOMENT_H

#include <keyward/clock.h>

#define KW_BOOT_ID 40u /* bytes of /proc/sys/kernel/random/boot_id and a NUL */

#define KW_BOOT_UNKNOWN "unknown" /* a sandbox does not show it: it may be any boot */

void kw_boot_id(char dst[KW_BOOT_ID]);
/* Is it the same boot, as far as the two names tell?  An unknown one is like any. */
bool kw_boot_is(const char *a, const char *b);

struct kw_moment {
    char boot[KW_BOOT_ID]; /* "" = none                */
    int64_t boot_ns;       /* CLOCK_BOOTTIME, of it    */
    int64_t wall_ns;       /* since 1970-01-01         */
};
#define KW_NO_MOMENT ((struct kw_moment){.boot = ""})

struct kw_moment kw_moment_now(const struct kw_clock *clock);

/* How long ago `then` is, at least.  In one boot the smaller of what the two clocks say,
 * else what the wall clock says; 0 when that has not come to `then` yet.
 * *ret_went_back: it has not, so it was set back since (in one boot the other one still
 * counts). */
int64_t kw_moment_age(const struct kw_moment *then, const struct kw_moment *now,
                      bool *ret_went_back);

#endif
