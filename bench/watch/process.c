/* SPDX-License-Identifier: Apache-2.0 */
/* One process, as /proc tells it. */
#include "watch.h"

#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <keyward/bytes.h>

enum { PATH = 128, TEXT = 4096 };

/* A whole small file as a string; false when it cannot be read. */
static bool process_slurp(const char *path, char text[TEXT])
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd >= 0 ? read(fd, text, TEXT - 1) : -1;
    if (fd >= 0)
        close(fd);
    text[n > 0 ? n : 0] = '\0';
    return n > 0;
}

/* The number after "key:" at the beginning of a line of /proc/<pid>/status. */
static uint64_t process_field(const char *text, const char *key)
{
    size_t len = strlen(key);
    for (const char *line = text; line != NULL; line = strchr(line, '\n')) {
        line += line[0] == '\n';
        if (strncmp(line, key, len) == 0 && line[len] == ':')
            return strtoull(line + len + 1, NULL, 10);
        if (line[0] == '\0')
            break;
    }
    return 0;
}

static bool process_is_pid(const char *name, int32_t *ret_pid)
{
    char *end = NULL;
    long n = strtol(name, &end, 10);
    if (name[0] < '1' || name[0] > '9' || *end != '\0' || n > INT32_MAX)
        return false;
    *ret_pid = (int32_t)n;
    return true;
}

static void process_add_thread(const char *task, int32_t tid, struct kw_process_usage *u)
{
    char path[PATH + 64], text[TEXT];
    snprintf(path, sizeof path, "%s/%" PRId32 "/schedstat", task, tid);
    if (!process_slurp(path, text))
        return; /* it has just ended */
    u->cpu_ns += strtoull(text, NULL, 10);
    u->threads++;
    snprintf(path, sizeof path, "%s/%" PRId32 "/status", task, tid);
    if (process_slurp(path, text))
        u->switches += process_field(text, "voluntary_ctxt_switches") +
                       process_field(text, "nonvoluntary_ctxt_switches");
}

/* Past "pid (comm) ": comm may hold anything, so the last bracket counts. */
static const char *process_after_name(const char *stat, struct kw_process_usage *u)
{
    const char *open = strchr(stat, '('), *close = strrchr(stat, ')');
    if (open == NULL || close == NULL || close < open || close[1] != ' ')
        return NULL;
    (void)kw_copy_str(u->name, sizeof u->name,
                      kw_span_of(open + 1, (size_t)(close - open - 1)));
    return close + 2;
}

static bool process_read_stat(const char *proc, int32_t pid, struct kw_process_usage *u,
                              int32_t *ret_parent)
{
    char path[PATH], text[TEXT];
    snprintf(path, sizeof path, "%s/%" PRId32 "/stat", proc, pid);
    if (!process_slurp(path, text))
        return false;
    const char *rest = process_after_name(text, u);
    return rest != NULL &&
           sscanf(rest,
                  "%*c %" SCNd32 " %*d %*d %*d %*d %*u %*u %*u %*u %*u %" SCNu64
                  " %" SCNu64,
                  ret_parent, &u->user_ticks, &u->system_ticks) == 3;
}

bool kw_process_usage_read(const char *proc, int32_t pid,
                           struct kw_process_usage *ret_usage)
{
    char path[PATH], text[TEXT];
    int32_t parent = 0, tid = 0;
    struct kw_process_usage u = {.pid = pid};
    snprintf(path, sizeof path, "%s/%" PRId32 "/status", proc, pid);
    if (!process_read_stat(proc, pid, &u, &parent) || !process_slurp(path, text))
        return false;
    u.resident_kib = process_field(text, "VmRSS");
    u.resident_max_kib = process_field(text, "VmHWM");
    snprintf(path, sizeof path, "%s/%" PRId32 "/task", proc, pid);
    DIR *tasks = opendir(path);
    if (tasks == NULL)
        return false;
    for (const struct dirent *d = readdir(tasks); d != NULL; d = readdir(tasks))
        if (process_is_pid(d->d_name, &tid))
            process_add_thread(path, tid, &u);
    closedir(tasks);
    *ret_usage = u;
    return true;
}

static bool process_has(const int32_t *pids, size_t count, int32_t pid)
{
    for (size_t i = 0; i < count; i++)
        if (pids[i] == pid)
            return true;
    return false;
}

/* Appends whoever has a parent among `pid` and pids[0..count). */
static size_t process_add_generation(const char *proc, int32_t pid, int32_t *pids,
                                     size_t count, size_t max)
{
    DIR *all = opendir(proc);
    int32_t one = 0, parent = 0;
    struct kw_process_usage u;
    size_t before = count;
    if (all == NULL)
        return count;
    for (const struct dirent *d = readdir(all); d != NULL; d = readdir(all))
        if (process_is_pid(d->d_name, &one) && count < max &&
            !process_has(pids, count, one) && process_read_stat(proc, one, &u, &parent) &&
            (parent == pid || process_has(pids, before, parent)))
            pids[count++] = one;
    closedir(all);
    return count;
}

size_t kw_process_children(const char *proc, int32_t pid, int32_t *pids, size_t max)
{
    size_t count = 0, before;
    do {
        before = count;
        count = process_add_generation(proc, pid, pids, count, max);
    } while (count > before);
    return count;
}
