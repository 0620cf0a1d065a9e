/* SPDX-License-Identifier: Apache-2.0 */
#include "watch.h"

#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <keyward/bytes.h>

enum { TEXT = 4096 };

/* The file `folder`/`pid`/`name` as a string; false when it cannot be read. */
static bool process_slurp(const char *folder, int32_t pid, const char *name,
                          char text[TEXT])
{
    char path[192];
    snprintf(path, sizeof path, "%s/%" PRId32 "/%s", folder, pid, name);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd >= 0 ? read(fd, text, TEXT - 1) : -1;
    if (fd >= 0)
        close(fd);
    text[n > 0 ? n : 0] = '\0';
    return n > 0;
}

/* The number behind "\nkey:" of a status file, whose first line is the name. */
static uint64_t process_field(const char *text, const char *key)
{
    const char *at = strstr(text, key);
    return at != NULL ? strtoull(at + strlen(key), NULL, 10) : 0;
}

/* The next folder that is named by a number; 0: there is none. */
static int32_t process_next(DIR *all)
{
    for (const struct dirent *d = readdir(all); d != NULL; d = readdir(all)) {
        long n = strtol(d->d_name, NULL, 10);
        if (d->d_name[0] >= '1' && d->d_name[0] <= '9' && n <= INT32_MAX)
            return (int32_t)n;
    }
    return 0;
}

/* comm may hold anything, so the last bracket ends it. */
static bool process_read_stat(const char *proc, int32_t pid, struct kw_process_usage *u)
{
    char text[TEXT];
    if (!process_slurp(proc, pid, "stat", text))
        return false;
    const char *open = strchr(text, '('), *close = strrchr(text, ')');
    if (open == NULL || close == NULL || close < open)
        return false;
    (void)kw_copy_str(u->name, sizeof u->name,
                      kw_span_of(open + 1, (size_t)(close - open - 1)));
    return sscanf(close,
                  ") %*c %" SCNd32 " %*d %*d %*d %*d %*u %*u %*u %*u %*u %" SCNu64
                  " %" SCNu64,
                  &u->parent, &u->user_ticks, &u->system_ticks) == 3;
}

static void process_add_thread(const char *task, int32_t tid, struct kw_process_usage *u)
{
    char text[TEXT];
    if (!process_slurp(task, tid, "schedstat", text))
        return; /* it has just ended */
    u->cpu_ns += strtoull(text, NULL, 10);
    u->threads++;
    if (process_slurp(task, tid, "status", text))
        u->switches += process_field(text, "\nvoluntary_ctxt_switches:") +
                       process_field(text, "\nnonvoluntary_ctxt_switches:");
}

static bool process_read(const char *proc, int32_t pid,
                         struct kw_process_usage *ret_usage)
{
    char path[128], text[TEXT];
    struct kw_process_usage u = {.pid = pid};
    if (!process_read_stat(proc, pid, &u) || !process_slurp(proc, pid, "status", text))
        return false;
    u.resident_kib = process_field(text, "\nVmRSS:");
    u.resident_max_kib = process_field(text, "\nVmHWM:");
    if (process_slurp(proc, pid, "smaps_rollup", text))
        u.pss_kib = process_field(text, "\nPss:");
    snprintf(path, sizeof path, "%s/%" PRId32 "/task", proc, pid);
    DIR *tasks = opendir(path);
    if (tasks == NULL)
        return false;
    for (int32_t tid = process_next(tasks); tid != 0; tid = process_next(tasks))
        process_add_thread(path, tid, &u);
    closedir(tasks);
    *ret_usage = u;
    return true;
}

static bool process_is_below(const char *proc, int32_t pid, int32_t ancestor)
{
    struct kw_process_usage u = {.parent = pid};
    while (u.parent > 1 && u.parent != ancestor)
        if (!process_read_stat(proc, u.parent, &u))
            return false;
    return pid != ancestor && u.parent == ancestor;
}

void kw_watch_begin(struct kw_watch *w, const char *proc, int32_t pid)
{
    *w = (struct kw_watch){.proc = proc};
    w->known = pid > 1 && process_read(proc, pid, &w->server);
    DIR *all = w->known ? opendir(proc) : NULL;
    for (int32_t one = all != NULL ? process_next(all) : 0;
         one != 0 && w->child_count < KW_WATCHED_MAX; one = process_next(all))
        w->child_count += process_is_below(proc, one, pid) &&
                          process_read(proc, one, &w->child[w->child_count]);
    if (all != NULL)
        closedir(all);
}

/* Who is gone by now stays as he was: the second look finds out. */
void kw_watch_again(struct kw_watch *w)
{
    if (w->known)
        (void)process_read(w->proc, w->server.pid, &w->server);
    for (size_t i = 0; i < w->child_count; i++)
        (void)process_read(w->proc, w->child[i].pid, &w->child[i]);
}

static uint64_t watch_less(uint64_t now, uint64_t then)
{
    return now > then ? now - then : 0;
}

/* What came together since: a thread that ended took its share with it. */
static void watch_subtract(struct kw_process_usage *now,
                           const struct kw_process_usage *then)
{
    now->cpu_ns = watch_less(now->cpu_ns, then->cpu_ns);
    now->switches = watch_less(now->switches, then->switches);
    now->user_ticks = watch_less(now->user_ticks, then->user_ticks);
    now->system_ticks = watch_less(now->system_ticks, then->system_ticks);
    now->resident_before_kib = then->resident_kib;
}

void kw_watch_end(const struct kw_watch *begun, struct kw_watch *ret_used)
{
    struct kw_watch now;
    kw_watch_begin(&now, begun->proc, begun->server.pid);
    now.known = now.known && begun->known;
    now.lost = begun->known && !now.known;
    if (now.known)
        watch_subtract(&now.server, &begun->server);
    for (size_t i = 0; i < begun->child_count; i++) {
        size_t n = 0;
        while (n < now.child_count && now.child[n].pid != begun->child[i].pid)
            n++;
        if (n < now.child_count)
            watch_subtract(&now.child[n], &begun->child[i]);
        else
            now.lost = true;
    }
    *ret_used = now;
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
