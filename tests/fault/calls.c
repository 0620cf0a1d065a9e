/* SPDX-License-Identifier: Apache-2.0 */
/* calls - what happens at the beginning and the end of every call */
#include "fault.h"

#include <fcntl.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <unistd.h>

#define NAME_OF(name, params, args) #name,
const char *const fault_names[FAULT_COUNT] = {KW_FAULT_PLAIN(NAME_OF)
                                                  KW_FAULT_OWN(NAME_OF)};
#undef NAME_OF

/* Opened anew each time: the worker closes descriptors it does not know.  One line is one
 * write at the file's end.  pid 0: our own.  Without a log it costs nothing, as a slowed
 * token is measured. */
__attribute__((format(printf, 2, 3))) static void write_line(long pid, const char *format,
                                                             ...)
{
    const char *path = getenv("KW_FAULT_LOG");
    char text[96];
    va_list args;
    if (path == NULL)
        return;
    va_start(args, format);
    int len = vsnprintf(text, sizeof text, format, args);
    va_end(args);
    len += snprintf(text + len, sizeof text - (size_t)len, " pid=%ld\n",
                    pid != 0 ? pid : getpid());
    int fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0)
        return;
    if (write(fd, text, (size_t)len) != len)
        abort();
    close(fd);
}

/* The kernel rounds a wait up by 50 us unless told otherwise (prctl(2),
 * PR_SET_TIMERSLACK), which would be felt in a short one.  It is told once for each
 * thread. */
static void wait_us(unsigned long us)
{
    static _Thread_local bool is_told;
    const struct timespec t = {(time_t)(us / 1000000), (long)(us % 1000000) * 1000};
    if (!is_told)
        (void)prctl(PR_SET_TIMERSLACK, 1000, 0, 0, 0);
    is_told = true;
    (void)ppoll(NULL, 0, &t, NULL);
}

/* What a vendor's library may do: some start a process that talks to the device. */
static void start_helper(const char *kind, bool own_session)
{
    pid_t pid = fork();
    if (pid == 0) {
        if (own_session)
            (void)setsid();
        (void)execl("/bin/sleep", kind, "600", (char *)NULL);
        _exit(1);
    }
    write_line(pid, "+ %s", kind);
}

void fault_enter(enum fault_fn fn, struct fault_apply *ret_lie)
{
    struct fault_order order;
    write_line(0, "> %s", fault_names[fn]);
    fault_control_refresh();
    fault_control_order(fn, &order);
    if (order.leak_mib > 0 &&
        mmap(NULL, order.leak_mib << 20, PROT_READ | PROT_WRITE,
             MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0) == MAP_FAILED)
        abort();
    if (order.helper)
        start_helper("helper", false);
    if (order.daemon)
        start_helper("daemon", true);
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
    write_line(0, "< %s rv=0x%08lx", fault_names[fn], rv);
    return rv;
}
