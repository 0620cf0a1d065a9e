/* SPDX-License-Identifier: Apache-2.0 */
/* What the process gives up before it touches anything. */
#include "daemon_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <keyward/mutex.h>

/* Descriptors 0, 1 and 2 must be open, or a socket would become one of them. */
static bool fill_standard_descriptors(void)
{
    int fd;
    do
        fd = open("/dev/null", O_RDWR | O_CLOEXEC);
    while (fd >= 0 && fd <= STDERR_FILENO);
    if (fd >= 0)
        close(fd);
    return fd >= 0;
}

static kw_err confine_refuse(const char *what, const char *where, struct kw_note *note)
{
    const kw_err e = kw_err_native(KW_CODE_IO, (uint32_t)errno, where);
    kw_note_failed(note, what, e);
    return e;
}

kw_err kw_confine_early(struct kw_note *note)
{
    const struct rlimit none = {0, 0};
    umask(077);
    if (!fill_standard_descriptors())
        return confine_refuse("begin", "/dev/null", note);
    if (setrlimit(RLIMIT_CORE, &none) != 0 || prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0)
        return confine_refuse("switch core dumps off", "RLIMIT_CORE", note);
    return KW_OK;
}

size_t kw_confine_descriptors(size_t want)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
        return 0;
    if (limit.rlim_cur < want) {
        struct rlimit more = {limit.rlim_max < want ? limit.rlim_max : want,
                              limit.rlim_max};
        if (setrlimit(RLIMIT_NOFILE, &more) == 0)
            limit = more;
    }
    return limit.rlim_cur < INT_MAX ? (size_t)limit.rlim_cur : INT_MAX;
}

kw_err kw_confine_check_descriptors(struct kw_note *note)
{
    const size_t least = KW_FDS_STANDING + KW_FDS_KEPT + 1;
    const size_t have = kw_confine_descriptors(least);
    if (have >= least)
        return KW_OK;
    kw_note_set(note,
                "%zu descriptors are too few for any configuration, which wants %zu: %s",
                have, least, kw_errno_cure(EMFILE));
    return kw_err_native(KW_CODE_IO, EMFILE, "RLIMIT_NOFILE");
}

/* ---- threads ---- */

static void *task_wait(void *ctx)
{
    struct kw_mutex *gate = ctx;
    kw_mutex_lock(gate);
    kw_mutex_unlock(gate);
    return NULL;
}

/* 0, or the error of the first one that could not be; what was started has ended. */
static int tasks_start(size_t want)
{
    pthread_t threads[KW_TASKS_MAX];
    struct kw_mutex gate = KW_MUTEX_INIT;
    size_t started = 0;
    int error = 0;
    KW_INVARIANT(want <= KW_TASKS_MAX);
    kw_mutex_lock(&gate);
    while (started < want && error == 0) {
        error = pthread_create(&threads[started], NULL, task_wait, &gate);
        started += error == 0;
    }
    kw_mutex_unlock(&gate);
    for (size_t i = 0; i < started; i++)
        KW_MUST(pthread_join(threads[i], NULL) == 0);
    return error;
}

kw_err kw_confine_check_tasks(size_t want, struct kw_note *note)
{
    const int error = tasks_start(want);
    if (error == 0)
        return KW_OK;
    char what[64];
    snprintf(what, sizeof what, "start the %zu threads that keywardd may need", want);
    const kw_err e = kw_err_native(KW_CODE_IO, (uint32_t)error, "pthread_create");
    kw_note_failed(note, what, e);
    return e;
}

kw_err kw_confine_check_user(struct kw_note *note)
{
    if (geteuid() != 0 && getuid() != 0)
        return KW_OK;
    kw_note_set(note,
                "refuses to run as root: start it as its own user (User=keyward in the "
                "systemd unit, or setpriv --reuid keyward --regid keyward "
                "--clear-groups keywardd ...)");
    return kw_err_at(KW_CODE_DENIED, "uid 0");
}
