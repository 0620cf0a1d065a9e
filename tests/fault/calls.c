/* SPDX-License-Identifier: Apache-2.0 */
/* calls - what happens at the beginning and the end of every call */
#include "fault.h"

#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <unistd.h>

#define NAME_OF(name, params, args) #name,
const char *const fault_names[FAULT_COUNT] = {KW_FAULT_PLAIN(NAME_OF)
                                                  KW_FAULT_OWN(NAME_OF)};
#undef NAME_OF

/* Opened anew each time: the worker closes descriptors it does not know.  One line is one
 * write at the file's end. */
static void write_line(const char *text, int len)
{
    const char *path = getenv("KW_FAULT_LOG");
    if (path == NULL || len <= 0)
        return;
    int fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0)
        return;
    if (write(fd, text, (size_t)len) != len)
        abort();
    close(fd);
}

/* The kernel rounds a wait up by 50 us unless told otherwise (prctl(2),
 * PR_SET_TIMERSLACK), which would be felt in a short one. */
static void wait_us(unsigned long us)
{
    const struct timespec t = {(time_t)(us / 1000000), (long)(us % 1000000) * 1000};
    int slack_ns = prctl(PR_GET_TIMERSLACK, 0, 0, 0, 0);
    (void)prctl(PR_SET_TIMERSLACK, 1000, 0, 0, 0);
    (void)ppoll(NULL, 0, &t, NULL);
    if (slack_ns > 0)
        (void)prctl(PR_SET_TIMERSLACK, (unsigned long)slack_ns, 0, 0, 0);
}

void fault_enter(enum fault_fn fn, struct fault_apply *ret_lie)
{
    char text[96];
    struct fault_order order;
    write_line(text, snprintf(text, sizeof text, "> %s pid=%ld\n", fault_names[fn],
                              (long)getpid()));
    fault_control_refresh();
    fault_control_order(fn, &order);
    if (order.delay_us > 0)
        wait_us(order.delay_us);
    if (order.crash)
        abort();
    while (order.hang) {
        fault_control_wait_change();
        fault_control_refresh();
        fault_control_order(fn, &order);
    }
    *ret_lie = order.lie;
}

CK_RV fault_leave(enum fault_fn fn, CK_RV rv)
{
    char text[96];
    write_line(text, snprintf(text, sizeof text, "< %s rv=0x%08lx pid=%ld\n",
                              fault_names[fn], rv, (long)getpid()));
    return rv;
}
