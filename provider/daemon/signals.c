/* SPDX-License-Identifier: Apache-2.0 */
/* Signals as events of the loop.  They stay blocked in every thread; the loop reads them
 * from a signalfd(2). */
#include "daemon_internal.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <keyward/log.h>

/* What arrives at a gRPC server that shuts down ends CANCELLED, and kube-apiserver does not
 * try again.  So its clients are told to leave; it is shut down when they have left, after
 * LEAVE_MS when no call is open, and after DRAIN_MS all the same; what is open then has
 * REST_MS more. */
enum { LEAVE_MS = 1000, DRAIN_MS = 2000, REST_MS = 500 };

static kw_err fail(const char *what, struct kw_note *note)
{
    kw_note_set(note, "%s: %s", what, strerror(errno));
    return kw_err_native(KW_CODE_IO, (uint32_t)errno, what);
}

kw_err kw_signals_block(struct kw_daemon *d, struct kw_note *note)
{
    sigset_t set;
    sigemptyset(&set);
    const int handled[] = {SIGTERM, SIGINT, SIGHUP, SIGUSR1, SIGUSR2};
    for (size_t i = 0; i < sizeof handled / sizeof handled[0]; i++)
        sigaddset(&set, handled[i]);
    signal(SIGPIPE, SIG_IGN);
    if (pthread_sigmask(SIG_BLOCK, &set, NULL) != 0)
        return fail("pthread_sigmask", note);
    d->signal_fd = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
    return d->signal_fd < 0 ? fail("signalfd", note) : KW_OK;
}

/* Tells those that can be told, and returns how many have still to go. */
static unsigned clients_leave(struct kw_daemon *d)
{
    unsigned still = 0;
    for (size_t i = 0; i < d->config->class_count; i++)
        if (d->class_listeners[i].listener != NULL) /* else the end is near */
            still += kw_listener_leave(d->class_listeners[i].listener);
    return still;
}

void kw_daemon_stop(struct kw_daemon *d)
{
    if (d->stopping)
        return;
    d->stopping = true;
    d->stop_began_ns = kw_mono_ns(d->clock);
    kw_log_bare(KW_LOG_INFO, "stopping");
    kw_notify(d, "STOPPING=1");
    (void)clients_leave(d);
}

/* Whoever asks is served until nobody does: a client that comes now waits in the socket that
 * the service manager keeps, for the next keywardd. */
static void stop_go_on(struct kw_daemon *d)
{
    const int64_t spent_ms = (kw_mono_ns(d->clock) - d->stop_began_ns) / KW_MS_NS;
    const unsigned still = clients_leave(d);
    const bool idle = kw_rpc_idle(d->rpc);
    const bool is_time = idle && (still == 0 || spent_ms > LEAVE_MS);
    if (!d->rpc_is_down && (is_time || spent_ms > DRAIN_MS)) {
        if (still > 0)
            kw_log(KW_LOG_WARN, "clients-not-gone", KW_INT("connections", still),
                   KW_STR("calls", idle ? "none open" : "open"));
        kw_rpc_shutdown(d->rpc);
        d->rpc_is_down = true;
    }
    if (d->rpc_is_down && (idle || spent_ms > DRAIN_MS + REST_MS))
        event_base_loopbreak(d->loop);
}

static void wipe_caches(struct kw_daemon *d)
{
    size_t seeds = kw_kms_wipe(d->kms);
    kw_log(KW_LOG_WARN, "cache-wiped", KW_INT("seeds", seeds), KW_STR("why", "SIGUSR1"));
}

static void lift_quarantine(struct kw_daemon *d)
{
    size_t inputs = kw_front_quarantine_lift(d->front);
    kw_log(KW_LOG_WARN, "quarantine-cleared", KW_INT("inputs", inputs),
           KW_STR("why", "SIGUSR2"));
}

/* The configuration first: who waits for a word about the keyring has both then. */
static void reload_all(struct kw_daemon *d)
{
    kw_daemon_audit_rotate(d);
    kw_configuration_look(d);
    kw_reload(d, "SIGHUP");
}

static void signals_on_signal(evutil_socket_t fd, short what, void *ctx)
{
    struct kw_daemon *d = ctx;
    struct signalfd_siginfo info;
    (void)what;
    while (read(fd, &info, sizeof info) == sizeof info) {
        if (info.ssi_signo == SIGHUP)
            reload_all(d);
        else if (info.ssi_signo == SIGUSR1)
            wipe_caches(d);
        else if (info.ssi_signo == SIGUSR2)
            lift_quarantine(d);
        else
            kw_daemon_stop(d);
    }
}

/* Ten times a second: parked calls, ages, budgets, strays; while stopping, whether all that
 * was asked is answered. */
static void signals_on_tick(evutil_socket_t fd, short what, void *ctx)
{
    struct kw_daemon *d = ctx;
    (void)fd;
    (void)what;
    kw_daemon_audit_look(d);
    kw_kms_tick(d->kms);
    kw_strays_reap(d);
    kw_reload_settle(d);
    kw_status_notify(d);
    if (d->stopping)
        stop_go_on(d);
    else
        kw_flood_look(d);
}

kw_err kw_signals_watch(struct kw_daemon *d, struct kw_note *note)
{
    const struct timeval tenth = {0, 100000};
    d->signals =
        event_new(d->loop, d->signal_fd, EV_READ | EV_PERSIST, signals_on_signal, d);
    d->tick = event_new(d->loop, -1, EV_PERSIST, signals_on_tick, d);
    if (d->signals == NULL || d->tick == NULL || event_add(d->signals, NULL) != 0 ||
        event_add(d->tick, &tenth) != 0)
        return fail("event_new", note);
    return KW_OK;
}
