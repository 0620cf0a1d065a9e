/* SPDX-License-Identifier: Apache-2.0 */
/* Ctrl-C keeps what was measured. */
#include "tool.h"

#include <signal.h>

static volatile sig_atomic_t asked;

static void note_it(int number)
{
    (void)number;
    asked = 1;
}

void kw_stop_catch(void)
{
    /* No SA_RESTART: whoever waits must look up. */
    struct sigaction act = {.sa_handler = note_it};
    sigemptyset(&act.sa_mask);
    sigaction(SIGINT, &act, NULL);
    sigaction(SIGTERM, &act, NULL);
}

bool kw_stop_asked(void)
{
    return asked != 0;
}
