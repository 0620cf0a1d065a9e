/* SPDX-License-Identifier: Apache-2.0 */
/* Two looks at a family of processes, and their difference. */
#include "watch.h"

#include <sched.h>

void kw_watch_begin(struct kw_watch *w, const char *proc, int32_t pid)
{
    int32_t pids[KW_WATCHED_MAX];
    *w = (struct kw_watch){.proc = proc};
    w->known = pid > 1 && kw_process_usage_read(proc, pid, &w->server);
    if (!w->known)
        return;
    size_t count = kw_process_children(proc, pid, pids, KW_WATCHED_MAX);
    for (size_t i = 0; i < count; i++)
        if (kw_process_usage_read(proc, pids[i], &w->child[w->child_count]))
            w->child_count++;
}

/* Who is gone by now stays as he was: the second look finds out. */
void kw_watch_again(struct kw_watch *w)
{
    if (w->known)
        (void)kw_process_usage_read(w->proc, w->server.pid, &w->server);
    for (size_t i = 0; i < w->child_count; i++)
        (void)kw_process_usage_read(w->proc, w->child[i].pid, &w->child[i]);
}

static const struct kw_process_usage *find(const struct kw_watch *w, int32_t pid)
{
    for (size_t i = 0; i < w->child_count; i++)
        if (w->child[i].pid == pid)
            return &w->child[i];
    return NULL;
}

static uint64_t less(uint64_t now, uint64_t then)
{
    return now > then ? now - then : 0;
}

/* What came together since: a thread that ended took its share with it. */
static void subtract(struct kw_process_usage *now, const struct kw_process_usage *then)
{
    now->cpu_ns = less(now->cpu_ns, then->cpu_ns);
    now->switches = less(now->switches, then->switches);
    now->user_ticks = less(now->user_ticks, then->user_ticks);
    now->system_ticks = less(now->system_ticks, then->system_ticks);
    now->resident_before_kib = then->resident_kib;
}

void kw_watch_end(const struct kw_watch *begun, struct kw_watch *ret_used)
{
    struct kw_watch now;
    kw_watch_begin(&now, begun->proc, begun->server.pid);
    now.known = now.known && begun->known;
    now.lost = begun->known && !now.known;
    if (now.known)
        subtract(&now.server, &begun->server);
    for (size_t i = 0; i < now.child_count; i++) {
        const struct kw_process_usage *then = find(begun, now.child[i].pid);
        if (then != NULL)
            subtract(&now.child[i], then);
    }
    for (size_t i = 0; i < begun->child_count; i++)
        if (find(&now, begun->child[i].pid) == NULL)
            now.lost = true;
    *ret_used = now;
}

struct kw_process_usage kw_watch_children(const struct kw_watch *w)
{
    struct kw_process_usage all = {0};
    for (size_t i = 0; i < w->child_count; i++) {
        const struct kw_process_usage *u = &w->child[i];
        all.cpu_ns += u->cpu_ns;
        all.switches += u->switches;
        all.user_ticks += u->user_ticks;
        all.system_ticks += u->system_ticks;
        all.resident_kib += u->resident_kib;
        all.resident_max_kib += u->resident_max_kib;
        all.resident_before_kib += u->resident_before_kib;
        all.threads += u->threads;
    }
    return all;
}

/* Placement decides more than code (sched_setaffinity(2)). */
bool kw_pin(unsigned cpu)
{
    cpu_set_t set;
    if (cpu >= CPU_SETSIZE)
        return false;
    CPU_ZERO(&set);
    CPU_SET(cpu, &set);
    return sched_setaffinity(0, sizeof set, &set) == 0;
}
