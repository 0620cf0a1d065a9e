/* SPDX-License-Identifier: Apache-2.0 */
/* keywardd and its workers in /proc, and where the log of the one goes. */
#include "support_process.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "support_look.h"

/* The first bytes of a file of /proc, which has no size of its own; empty: it is gone, or
 * not for us. */
static size_t support_process_read(pid_t pid, const char *name, char *dst, size_t cap)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/%s", (int)pid, name);
    FILE *f = fopen(path, "re");
    const size_t n = f != NULL ? fread(dst, 1, cap - 1, f) : 0;
    if (f != NULL)
        (void)fclose(f);
    dst[n] = '\0';
    return n;
}

size_t kw_support_process_find(const char *name, pid_t *ret_pids, size_t max)
{
    size_t found = 0;
    char comm[32];
    DIR *proc = opendir("/proc");
    if (proc == NULL)
        return 0;
    for (const struct dirent *e; found < max && (e = readdir(proc)) != NULL;) {
        char *end;
        const long pid = strtol(e->d_name, &end, 10);
        if (*end != '\0' || pid <= 0)
            continue;
        if (support_process_read((pid_t)pid, "comm", comm, sizeof comm) > 0) {
            comm[strcspn(comm, "\n")] = '\0';
            if (strcmp(comm, name) == 0)
                ret_pids[found++] = (pid_t)pid;
        }
    }
    closedir(proc);
    return found;
}

bool kw_support_process_writes(pid_t pid, int fd)
{
    static const char name[] = "\nflags:";
    char file[32], text[512];
    snprintf(file, sizeof file, "fdinfo/%d", fd);
    (void)support_process_read(pid, file, text, sizeof text);
    const char *at = strstr(text, name);
    const unsigned long flags =
        at != NULL ? strtoul(at + sizeof name - 1, NULL, 8) : O_PATH;
    return (flags & O_PATH) == 0 && (flags & O_ACCMODE) != O_RDONLY;
}

/* Lines that say nothing of what the process was told. */
static void process_status(pid_t pid, struct kw_support_text *dst)
{
    static const char *const wanted[] = {"Name:",       "State:",  "Pid:",    "PPid:",
                                         "Uid:",        "Gid:",    "FDSize:", "VmSize",
                                         "VmLck:",      "VmPeak",  "VmRSS:",  "Threads",
                                         "VmSwap:",     "SigBlk:", "SigIgn",  "SigCgt",
                                         "CapEff",      "NoNew",   "Seccomp", "voluntary",
                                         "nonvoluntary"};
    char text[8192];
    (void)support_process_read(pid, "status", text, sizeof text);
    for (char *line = text; *line != '\0';) {
        const size_t len = strcspn(line, "\n");
        for (size_t i = 0; i < sizeof wanted / sizeof wanted[0]; i++)
            if (strncmp(line, wanted[i], strlen(wanted[i])) == 0) {
                kw_support_say(dst, "%.*s\n", (int)len, line);
                break;
            }
        line += len + (line[len] == '\n');
    }
}

static void process_descriptors(pid_t pid, struct kw_support_text *dst)
{
    char path[64];
    unsigned n = 0;
    snprintf(path, sizeof path, "/proc/%d/fd", (int)pid);
    DIR *d = opendir(path);
    if (d == NULL) {
        kw_support_say(dst, "descriptors: %s\n", strerror(errno));
        return;
    }
    for (const struct dirent *e; (e = readdir(d)) != NULL;)
        n += e->d_name[0] != '.';
    closedir(d);
    kw_support_say(dst, "descriptors: %u\n", n);
}

static void process_show(pid_t pid, struct kw_support_text *dst)
{
    char limits[8192];
    process_status(pid, dst);
    process_descriptors(pid, dst);
    if (support_process_read(pid, "limits", limits, sizeof limits) > 0)
        kw_support_say(dst, "%s", limits);
    kw_support_say(dst, "\n");
}

void kw_support_processes(struct kw_support_text *dst, struct kw_support_text *missed)
{
    static const char *const names[] = {"keywardd", "keyward-hsm"};
    pid_t pids[KW_SUPPORT_PROCESSES_MAX];
    for (size_t i = 0; i < 2; i++) {
        const size_t n =
            kw_support_process_find(names[i], pids, KW_SUPPORT_PROCESSES_MAX);
        if (n == 0)
            kw_support_say(missed, "processes: no %s runs, or /proc does not show it\n",
                           names[i]);
        for (size_t k = 0; k < n; k++)
            process_show(pids[k], dst);
    }
}
