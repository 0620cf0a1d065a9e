/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon_fakes.h"

#include <sys/mman.h>
#include <unistd.h>

#include <keyward/log.h>

#include "check.h"

struct timeval timer_set;
static int log_memory = -1;

/* The linker leads event_add() here (--wrap). */
int __real_event_add(struct event *ev, const struct timeval *tv);
int __wrap_event_add(struct event *ev, const struct timeval *tv);
int __wrap_event_add(struct event *ev, const struct timeval *tv)
{
    if (tv != NULL)
        timer_set = *tv;
    return __real_event_add(ev, tv);
}

void daemon_log_begin(void)
{
    log_memory = memfd_create("log", MFD_CLOEXEC);
    CHECK(log_memory >= 0);
    kw_log_setup(log_memory, KW_LOG_DEBUG, KW_LOG_LOGFMT, &kw_clock_system);
}

const char *daemon_log_look(void)
{
    static char text[8192];
    ssize_t n = pread(log_memory, text, sizeof text - 1, 0);
    CHECK(n >= 0);
    text[n] = '\0';
    CHECK(ftruncate(log_memory, 0) == 0 && lseek(log_memory, 0, SEEK_SET) == 0);
    return text;
}

void daemon_begin(struct kw_daemon *d, struct kw_config *config)
{
    daemon_log_begin();
    timer_set = (struct timeval){0, 0};
    *d = (struct kw_daemon){.config = config,
                            .loop = event_base_new(),
                            .clock = &kw_clock_system,
                            .notify_fd = -1,
                            .signal_fd = -1};
    CHECK(d->loop != NULL);
}

void daemon_end(struct kw_daemon *d)
{
    if (d->watchdog != NULL)
        event_free(d->watchdog);
    if (d->notify_fd >= 0)
        close(d->notify_fd);
    event_base_free(d->loop);
    close(log_memory);
}

void timer_run(struct kw_daemon *d, struct event *timer)
{
    CHECK(timer != NULL);
    event_active(timer, EV_TIMEOUT, 0);
    CHECK(event_base_loop(d->loop, EVLOOP_NONBLOCK) == 0);
}
