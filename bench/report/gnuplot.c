/* SPDX-License-Identifier: Apache-2.0 */
/* gnuplot in a process of its own: the script is a file, the picture comes by a pipe. */
#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <keyward/file.h>

#include "plot.h"

enum { SVG_MAX = 16 * 1024 * 1024, WORDS_MAX = 64 * 1024 };

struct folder {
    char path[32], script[48], words[48]; /* words: what gnuplot says of errors */
};

static kw_err folder_open(struct folder *f, struct kw_note *note)
{
    snprintf(f->path, sizeof f->path, "/tmp/kw-report-XXXXXX");
    if (mkdtemp(f->path) == NULL) {
        kw_err e = kw_err_native(KW_CODE_IO, (uint32_t)errno, "mkdtemp");
        kw_note_set(note, "/tmp: no folder for gnuplot could be made there: %s",
                    strerror((int)e.native));
        return e;
    }
    snprintf(f->script, sizeof f->script, "%s/script", f->path);
    snprintf(f->words, sizeof f->words, "%s/words", f->path);
    return KW_OK;
}

static void folder_close(const struct folder *f)
{
    (void)unlink(f->script);
    (void)unlink(f->words);
    (void)rmdir(f->path);
}

static int actions_of(posix_spawn_file_actions_t *actions, const struct folder *f,
                      int out)
{
    int rc =
        posix_spawn_file_actions_addopen(actions, STDIN_FILENO, f->script, O_RDONLY, 0);
    if (rc == 0)
        rc = posix_spawn_file_actions_adddup2(actions, out, STDOUT_FILENO);
    if (rc == 0)
        rc = posix_spawn_file_actions_addopen(actions, STDERR_FILENO, f->words,
                                              O_WRONLY | O_CREAT | O_TRUNC, 0600);
    if (rc == 0)
        rc = posix_spawn_file_actions_addchdir_np(actions, f->path);
    return rc;
}

/* Nobody's settings: C numbers, no start-up file, no home. */
static kw_err start(const struct folder *f, int out, pid_t *ret_pid, struct kw_note *note)
{
    static char name[] = "gnuplot", no_settings[] = "-d", numbers[] = "LANG=C",
                letters[] = "LC_CTYPE=C.UTF-8";
    char home[48];
    snprintf(home, sizeof home, "HOME=%s", f->path);
    char *words[] = {name, no_settings, NULL},
         *environment[] = {numbers, letters, home, NULL};
    posix_spawn_file_actions_t actions;
    int rc = posix_spawn_file_actions_init(&actions);
    if (rc == 0) {
        rc = actions_of(&actions, f, out);
        if (rc == 0)
            rc = posix_spawnp(ret_pid, name, &actions, NULL, words, environment);
        posix_spawn_file_actions_destroy(&actions);
    }
    if (rc == 0)
        return KW_OK;
    kw_note_set(note,
                "gnuplot, which draws the plots, could not be started: %s; install it: "
                "ci/install --bench, or apt-get install gnuplot-nox",
                rc == ENOENT ? "it is not in PATH" : strerror(rc));
    return kw_err_native(rc == ENOENT ? KW_CODE_MISSING : KW_CODE_IO, (uint32_t)rc,
                         "posix_spawnp");
}

static kw_err read_all(int fd, struct kw_html *ret_svg, struct kw_note *note)
{
    char bytes[16384];
    for (;;) {
        ssize_t n = read(fd, bytes, sizeof bytes);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return kw_err_native(KW_CODE_IO, (uint32_t)errno, "read");
        if (n == 0)
            return ret_svg->failed ? kw_err_at(KW_CODE_NO_MEMORY, "gnuplot") : KW_OK;
        if (ret_svg->len > SVG_MAX) {
            kw_note_set(note, "gnuplot wrote more than %d bytes for one plot", SVG_MAX);
            return kw_err_at(KW_CODE_IO, "gnuplot");
        }
        kw_html_raw_span(ret_svg, kw_span_of(bytes, (size_t)n));
    }
}

static int wait_for(pid_t pid)
{
    int status = 0;
    while (waitpid(pid, &status, 0) < 0)
        if (errno != EINTR)
            return -1;
    return status;
}

/* The last line with words of what it said: warnings come before what ended it. */
static kw_err failure(const struct folder *f, int status, struct kw_note *note)
{
    struct kw_blob said = {0};
    char line[200] = "";
    if (!kw_failed(kw_file_read(f->words, WORDS_MAX, &said, NULL)) && said.len > 0) {
        size_t end = said.len, from = 0;
        while (end > 0 && said.ptr[end - 1] <= ' ')
            end--;
        for (from = end; from > 0 && said.ptr[from - 1] != '\n';)
            from--;
        while (from < end && said.ptr[from] <= ' ')
            from++;
        (void)kw_copy_str(line, sizeof line, kw_span_of(said.ptr + from, end - from));
    }
    kw_blob_wipe(&said);
    if (WIFEXITED(status))
        kw_note_set(note, "gnuplot ended with exit status %d: %s", WEXITSTATUS(status),
                    line);
    else
        kw_note_set(note, "gnuplot was ended by signal %d: %s", WTERMSIG(status), line);
    return kw_err_at(KW_CODE_IO, "gnuplot");
}

static kw_err run_in(const struct folder *f, kw_span script, struct kw_html *ret_svg,
                     struct kw_note *note)
{
    int ends[2], status = 0;
    pid_t pid = 0;
    kw_err e = kw_file_replace(f->script, script, 0600, note);
    if (kw_failed(e))
        return e;
    if (pipe2(ends, O_CLOEXEC) != 0)
        return kw_err_native(KW_CODE_IO, (uint32_t)errno, "pipe2");
    e = start(f, ends[1], &pid, note);
    close(ends[1]);
    kw_err heard = kw_failed(e) ? e : read_all(ends[0], ret_svg, note);
    close(ends[0]); /* if it still writes, that ends it */
    if (kw_failed(e))
        return e;
    status = wait_for(pid);
    if (kw_failed(heard))
        return heard;
    return status == 0 ? KW_OK : failure(f, status, note);
}

kw_err kw_gnuplot_run(kw_span script, struct kw_html *ret_svg, struct kw_note *note)
{
    struct folder f;
    struct kw_html svg = {0};
    kw_err e = folder_open(&f, note);
    if (kw_failed(e))
        return e;
    e = run_in(&f, script, &svg, note);
    folder_close(&f);
    if (kw_failed(e)) {
        kw_html_wipe(&svg);
        return e;
    }
    *ret_svg = svg;
    return KW_OK;
}
