/* SPDX-License-Identifier: Apache-2.0 */
/* Where we run: placement decides more than code (sched_setaffinity(2)). */
#include "watch.h"

#include <sched.h>

bool kw_pin(unsigned cpu)
{
    cpu_set_t set;
    if (cpu >= CPU_SETSIZE)
        return false;
    CPU_ZERO(&set);
    CPU_SET(cpu, &set);
    return sched_setaffinity(0, sizeof set, &set) == 0;
}
