/* SPDX-License-Identifier: Apache-2.0 */
/* The curves as a picture, by gnuplot: no shell, no file but the one asked for. */
#include "room.h"

#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <keyward/limits.h>

static void put_series(FILE *out, const struct kw_plan_series *s, size_t number)
{
    fprintf(out, "$data%zu << EOD\n", number);
    for (size_t i = 0; i < s->count; i++)
        fprintf(out, "%.17g %.17g\n", s->point[i][0], s->point[i][1]);
    fprintf(out,
            "EOD\nset title \"%s\" noenhanced\nset xlabel \"%s\" noenhanced\n"
            "set ylabel \"%s\" noenhanced\nset yrange [0:*]\n"
            "plot $data%zu using 1:2 with linespoints pt 7 ps 0.4 notitle\n",
            s->name, s->x, s->y, number);
}

/* A file in memory, so that a gnuplot that dies early takes nobody along. */
static kw_err script(const struct kw_answer *a, int *ret_fd)
{
    int fd = memfd_create("plot", MFD_CLOEXEC);
    int other = fd < 0 ? -1 : fcntl(fd, F_DUPFD_CLOEXEC, 0);
    FILE *out = other < 0 ? NULL : fdopen(other, "w");
    bool good = out != NULL;
    if (good) {
        fprintf(out,
                "set terminal svg size 720,%d dynamic\nset grid\n"
                "set multiplot layout %d,1\n",
                KW_PLAN_SERIES * 320, KW_PLAN_SERIES);
        for (size_t i = 0; i < KW_PLAN_SERIES; i++)
            put_series(out, &a->series[i], i);
        fprintf(out, "unset multiplot\n");
        good = ferror(out) == 0;
        good = fclose(out) == 0 && good && lseek(fd, 0, SEEK_SET) == 0;
    } else if (other >= 0) {
        close(other);
    }
    if (good) {
        *ret_fd = fd;
        return KW_OK;
    }
    kw_err e = kw_err_native(KW_CODE_IO, (uint32_t)errno, "memfd");
    if (fd >= 0)
        close(fd);
    return e;
}

static kw_err run(int in, int out, struct kw_note *note)
{
    static const char *const words[] = {"gnuplot", "--default-settings", "-", NULL};
    static const char *const environment[] = {"LC_ALL=C", NULL};
    posix_spawn_file_actions_t actions;
    pid_t pid = 0;
    int status = 0, rc = posix_spawn_file_actions_init(&actions);
    if (rc == 0)
        rc = posix_spawn_file_actions_adddup2(&actions, in, STDIN_FILENO);
    if (rc == 0)
        rc = posix_spawn_file_actions_adddup2(&actions, out, STDOUT_FILENO);
    if (rc == 0)
        rc = posix_spawnp(&pid, words[0], &actions, NULL, (char *const *)(uintptr_t)words,
                          (char *const *)(uintptr_t)environment);
    posix_spawn_file_actions_destroy(&actions);
    if (rc != 0) {
        kw_note_set(note,
                    "gnuplot cannot be started (%s); install the package gnuplot-nox, or "
                    "leave --plot out",
                    strerror(rc));
        return kw_err_native(KW_CODE_MISSING, (uint32_t)rc, "gnuplot");
    }
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
        ;
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
        return KW_OK;
    kw_note_set(note, "gnuplot failed; what it says stands above");
    return kw_err_at(KW_CODE_IO, "gnuplot");
}

static kw_err unwritable(struct kw_note *note, const char *path)
{
    kw_err e = kw_err_native(KW_CODE_IO, (uint32_t)errno, "plot");
    kw_note_set(note, "%s: %s", path, strerror(errno));
    return e;
}

/* Under another name until it is whole. */
kw_err kw_plan_plot(const struct kw_answer *a, const char *path, struct kw_note *note)
{
    char beside[KW_PATH_MAX];
    int in = -1;
    if (snprintf(beside, sizeof beside, "%s.part", path) >= (int)sizeof beside) {
        errno = ENAMETOOLONG;
        return unwritable(note, path);
    }
    kw_err e = script(a, &in);
    if (kw_failed(e))
        return e;
    int out = open(beside, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    if (out < 0) {
        e = unwritable(note, beside);
        close(in);
        return e;
    }
    e = run(in, out, note);
    close(in);
    if (close(out) != 0 && !kw_failed(e))
        e = unwritable(note, beside);
    if (!kw_failed(e) && rename(beside, path) != 0)
        e = unwritable(note, path);
    if (kw_failed(e))
        (void)unlink(beside);
    return e;
}
