/* SPDX-License-Identifier: Apache-2.0 */
/* Who hears of a terminal's signal, and when. */
#include "interrupt.h"

#include <errno.h>
#include <stddef.h>

static const int terminal_signals[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT};
enum { SIGNALS = sizeof terminal_signals / sizeof terminal_signals[0] };

enum hold { FREE, HELD, FINISHING };

static struct sigaction before[SIGNALS]; /* as keyward found them */
static bool caught;                      /* our handler is in their place */
static enum hold hold_now;
static unsigned children; /* that are waited for: one may be attended by others */
static volatile sig_atomic_t noted, running_child, passes_on;

static void interrupt_on_signal(int sig)
{
    int saved = errno;
    noted = sig;
    if (running_child > 0 && passes_on)
        kill((pid_t)running_child, sig);
    errno = saved;
}

static bool is_ignored(size_t i)
{
    return caught && (before[i].sa_flags & SA_SIGINFO) == 0 &&
           before[i].sa_handler == SIG_IGN;
}

static void catch_them(void)
{
    struct sigaction ours = {.sa_handler = interrupt_on_signal};
    if (caught)
        return;
    noted = 0;
    passes_on = 1;
    caught = true;
    for (size_t i = 0; i < SIGNALS; i++) {
        sigaction(terminal_signals[i], NULL, &before[i]);
        if (!is_ignored(i))
            sigaction(terminal_signals[i], &ours, NULL);
    }
}

static void interrupt_give_back(void)
{
    if (!caught)
        return;
    for (size_t i = 0; i < SIGNALS; i++)
        sigaction(terminal_signals[i], &before[i], NULL);
    caught = false;
    noted = 0;
}

void kw_interrupt_hold(void)
{
    catch_them();
    hold_now = HELD;
    noted = 0;
    passes_on = 1;
}

void kw_interrupt_finish(void)
{
    catch_them();
    hold_now = FINISHING;
    passes_on = 0;
    noted = 0;
}

void kw_interrupt_release(void)
{
    hold_now = FREE;
    interrupt_give_back();
}

int kw_interrupt_seen(void)
{
    return noted;
}

void kw_interrupt_enter(void)
{
    if (children++ == 0 && hold_now == FREE)
        catch_them();
}

void kw_interrupt_leave(void)
{
    if (--children == 0 && hold_now == FREE)
        interrupt_give_back();
}

bool kw_interrupt_refuses(void)
{
    return hold_now == HELD && noted != 0;
}

void kw_interrupt_block(sigset_t *ret_old)
{
    sigset_t four;
    sigemptyset(&four);
    for (size_t i = 0; i < SIGNALS; i++)
        sigaddset(&four, terminal_signals[i]);
    sigprocmask(SIG_BLOCK, &four, ret_old);
}

void kw_interrupt_pass_to(pid_t child)
{
    running_child = (sig_atomic_t)child;
}

pid_t kw_interrupt_target(void)
{
    return (pid_t)running_child;
}

void kw_interrupt_ignore(bool ignore)
{
    for (size_t i = 0; i < SIGNALS; i++)
        if (!is_ignored(i))
            signal(terminal_signals[i], ignore ? SIG_IGN : SIG_DFL);
}
