/* SPDX-License-Identifier: Apache-2.0 */
/* calls - what happens at the beginning and the end of every call */
#include "liar.h"

#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define NAME_OF(name, params, args) #name,
const char *const liar_names[LIAR_COUNT] = {KW_LIAR_PLAIN(NAME_OF) KW_LIAR_OWN(NAME_OF)};
#undef NAME_OF

/* Opened anew each time: the worker closes descriptors it does not know.  One line is one
 * write at the file's end. */
static void write_line(const char *text, int len)
{
    const char *path = getenv("KW_LIAR_LOG");
    if (path == NULL || len <= 0)
        return;
    int fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0)
        return;
    if (write(fd, text, (size_t)len) != len)
        abort();
    close(fd);
}

void liar_enter(enum liar_fn fn, struct liar_lie *ret_lie)
{
    char text[96];
    struct liar_order order;
    write_line(text, snprintf(text, sizeof text, "> %s pid=%ld\n", liar_names[fn],
                              (long)getpid()));
    liar_control_refresh();
    liar_control_order(fn, &order);
    if (order.delay_ms > 0)
        (void)poll(NULL, 0, (int)order.delay_ms);
    if (order.crash)
        abort();
    while (order.hang) {
        liar_control_wait_change();
        liar_control_refresh();
        liar_control_order(fn, &order);
    }
    *ret_lie = order.lie;
}

CK_RV liar_leave(enum liar_fn fn, CK_RV rv)
{
    char text[96];
    write_line(text, snprintf(text, sizeof text, "< %s rv=0x%08lx pid=%ld\n",
                              liar_names[fn], rv, (long)getpid()));
    return rv;
}
