/* SPDX-License-Identifier: Apache-2.0 */
/* What keywardd locks and opens against what it may: the one that runs, or one started
 * from here. */
#include "inspect.h"

#include <inttypes.h>
#include <stdio.h>
#include <sys/resource.h>
#include <unistd.h>

#include <keyward/file.h>

#include "running.h"
#include "locked_limit.h"

enum { PROC_MAX = 16 * 1024 };

#define REMEDY                                                                           \
    "keywardd does not start with less than it needs: raise LimitMEMLOCK= of its unit, " \
    "or RLIMIT_MEMLOCK (ulimit -l) where it starts"

/* 0: nobody answers. */
static pid_t running_daemon(const struct kw_config *config)
{
    json_t *document = kw_running_document(config);
    json_int_t pid = json_integer_value(json_object_get(document, "pid"));
    json_decref(document);
    return pid > 0 && pid <= INT32_MAX ? (pid_t)pid : 0;
}

static kw_err read_proc(pid_t pid, const char *name, struct kw_blob *ret_blob,
                        struct kw_note *note)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/%s", (int)pid, name);
    return kw_file_read(path, PROC_MAX, ret_blob, note);
}

static kw_err limit_of(pid_t pid, uint64_t *ret_bytes, struct kw_note *note)
{
    struct kw_blob limits = {0}, status = {0};
    uint64_t bytes = 0;
    kw_err e = read_proc(pid, "limits", &limits, note);
    if (!kw_failed(e))
        e = read_proc(pid, "status", &status, note);
    if (!kw_failed(e) && !kw_limits_locked(kw_blob_peek(&limits), &bytes)) {
        kw_note_set(note, "/proc/%d/limits does not tell", (int)pid);
        e = kw_err_at(KW_CODE_IO, "proc");
    }
    if (!kw_failed(e))
        *ret_bytes = kw_limits_may_lock_all(kw_blob_peek(&status)) ? KW_UNLIMITED : bytes;
    kw_blob_wipe(&limits);
    kw_blob_wipe(&status);
    return e;
}

static void inspect_running(struct kw_report *r, pid_t pid, uint64_t need)
{
    struct kw_note note = {{0}};
    uint64_t may = 0;
    kw_err e = limit_of(pid, &may, &note);
    if (kw_failed(e))
        kw_report_add(r, KW_FOUND_BLIND, "locked memory", "run keyward as root",
                      "the running keywardd, pid %d: %s", (int)pid, note.text);
    else if (may < need)
        kw_report_add(r, KW_FOUND_FAIL, "locked memory", REMEDY,
                      "with this configuration keywardd locks %" PRIu64
                      " KiB; the running one, pid %d, may lock %" PRIu64 " KiB",
                      need / 1024, (int)pid, may / 1024);
    else
        kw_report_add(r, KW_FOUND_OK, "locked memory", NULL,
                      "keywardd locks %" PRIu64
                      " KiB, and the running one, pid %d, may lock as many",
                      need / 1024, (int)pid);
}

/* An ordinary user does not see the processes of another one. */
static const char *not_seen(void)
{
    return geteuid() == 0 ? "it is not running" : "this user sees none running";
}

static void inspect_shell(struct kw_report *r, uint64_t need)
{
    struct rlimit limit = {.rlim_cur = RLIM_INFINITY};
    if (getrlimit(RLIMIT_MEMLOCK, &limit) == 0 && limit.rlim_cur < need)
        kw_report_add(r, KW_FOUND_WARN, "locked memory", REMEDY,
                      "keywardd locks %" PRIu64 " KiB; %s, and in this shell %" PRIu64
                      " KiB are allowed",
                      need / 1024, not_seen(), (uint64_t)limit.rlim_cur / 1024);
    else
        kw_report_add(r, KW_FOUND_OK, "locked memory", NULL,
                      "keywardd locks %" PRIu64 " KiB; %s, and in this shell it may lock "
                      "as many",
                      need / 1024, not_seen());
}

/* The hard limit: keywardd raises the soft one. */
static bool descriptors_of(pid_t pid, uint64_t *ret_count)
{
    struct kw_note ignored;
    struct kw_blob limits = {0};
    bool told =
        !kw_failed(read_proc(pid > 0 ? pid : getpid(), "limits", &limits, &ignored)) &&
        kw_limits_descriptors(kw_blob_peek(&limits), ret_count);
    kw_blob_wipe(&limits);
    return told;
}

static void inspect_descriptors(struct kw_report *r, const struct kw_config *config,
                                pid_t pid)
{
    const uint64_t want = kw_config_descriptors(config);
    const char *whose = pid > 0 ? "the running keywardd" : "this shell";
    uint64_t may = 0;
    if (!descriptors_of(pid, &may))
        kw_report_add(r, KW_FOUND_BLIND, "descriptors", "run keyward as root",
                      "how many %s may have is not told", whose);
    else if (may < want)
        kw_report_add(r, KW_FOUND_WARN, "descriptors",
                      "raise LimitNOFILE= of its unit, or RLIMIT_NOFILE (ulimit -Hn) "
                      "where it starts",
                      "keywardd wants %" PRIu64 "; with the %" PRIu64
                      " that %s may have, each class gets at most %u connections "
                      "instead of %u",
                      want, may, whose, kw_config_connections(config, (size_t)may),
                      KW_CONNECTIONS_MAX);
    else
        kw_report_add(r, KW_FOUND_OK, "descriptors", NULL,
                      "keywardd wants %" PRIu64 ", and %s may have as many", want, whose);
}

/* Whole pages: so the arena takes them, and the kernel counts them. */
static uint64_t locked_by(const struct kw_config *config)
{
    const uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE);
    return (kw_config_locked(config) + page - 1) / page * page;
}

void kw_inspect_limits(struct kw_report *r, const struct kw_config *config)
{
    const uint64_t need = locked_by(config);
    pid_t pid = running_daemon(config);
    if (pid > 0)
        inspect_running(r, pid, need);
    else
        inspect_shell(r, need);
    inspect_descriptors(r, config, pid);
}
