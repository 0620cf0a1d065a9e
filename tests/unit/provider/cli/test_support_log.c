/* SPDX-License-Identifier: Apache-2.0 */
/* Which lines of the log are shown. */
#include "check.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support_look.h"

static struct kw_support_text shown;

TEST(log_lines__of_a_vendors_library__left_out_and_counted)
{
    char text[512] = "";
    kw_support_text_init(&shown, sizeof text - 1);
    CHECK(kw_support_log_lines(kw_span_str("a event=one\nb event=vendor-output text="
                                           "hunter2"
                                           "\n"
                                           "{\"event\":\"vendor-output\",\"text\":\""
                                           "hunter2"
                                           "\"}\nc\x1b[2J\nd"),
                               &shown) == 2);
    snprintf(text, sizeof text, "%.*s", (int)shown.len, shown.bytes);
    CHECK_HAS(text, "a event=one\nc");
    CHECK_HAS(text, "\nd\n");
    CHECK(strstr(text, "hunter2") == NULL && strchr(text, '\x1b') == NULL);
    kw_support_text_wipe(&shown);
}

TEST(log_lines__more_than_wanted__the_last)
{
    static char all[65536];
    size_t n = 0;
    for (int i = 0; i < KW_SUPPORT_LOG_LINES + 2; i++)
        n += (size_t)snprintf(all + n, sizeof all - n, "line %d\n", i);
    kw_support_text_init(&shown, sizeof all);
    CHECK(kw_support_log_lines(kw_span_of(all, n), &shown) == 0);
    CHECK(strncmp(shown.bytes, "line 2\n", 7) == 0);
    kw_support_text_wipe(&shown);
}

/* ---- whose log ---- */

static char log_path[64];
static pid_t process;

/* A process with `fd` where keywardd's log goes. */
static void process_begin(int fd)
{
    int ready[2];
    char byte;
    CHECK(pipe2(ready, O_CLOEXEC) == 0);
    process = fork();
    CHECK(process >= 0);
    if (process == 0) {
        if (dup2(fd, STDERR_FILENO) >= 0)
            (void)!write(ready[1], "r", 1);
        for (;;)
            pause();
    }
    close(ready[1]);
    CHECK(read(ready[0], &byte, 1) == 1);
    close(ready[0]);
}

static void process_end(void)
{
    kill(process, SIGKILL);
    waitpid(process, NULL, 0);
    unlink(log_path);
}

static void log_begin(const char *text, size_t fill)
{
    snprintf(log_path, sizeof log_path, "/tmp/kw-support-XXXXXX");
    const int fd = mkstemp(log_path);
    FILE *f = fd >= 0 ? fdopen(fd, "w") : NULL;
    CHECK(f != NULL);
    for (size_t i = 0; i < fill; i++)
        CHECK(putc('x', f) == 'x');
    CHECK(fputs(text, f) >= 0 && fclose(f) == 0);
}

static const char *log_of(int flags)
{
    static char text[65536];
    struct kw_support_text missed;
    const int fd = open(log_path, flags | O_CLOEXEC);
    CHECK(fd >= 0);
    process_begin(fd);
    kw_support_text_init(&shown, sizeof text - 1);
    kw_support_text_init(&missed, sizeof text - 1);
    (void)kw_support_log_of(process, &shown, &missed);
    snprintf(text, sizeof text, "%.*s", (int)shown.len, shown.bytes);
    kw_support_text_wipe(&shown);
    kw_support_text_wipe(&missed);
    process_end();
    close(fd);
    return text;
}

/* Anybody may call himself keywardd, and point at what he may not read. */
TEST(log__of_a_process_that_does_not_write_it__not_shown)
{
    log_begin("hunter2\n", 0);
    CHECK(strstr(log_of(O_PATH), "hunter2") == NULL);
    log_begin("hunter2\n", 0);
    CHECK(strstr(log_of(O_RDONLY), "hunter2") == NULL);
}

TEST(log__of_a_process_that_writes_it__shown)
{
    log_begin("event=one\n", 0);
    CHECK_HAS(log_of(O_WRONLY | O_APPEND), "event=one");
}

/* What begins before the end that is read may be a vendor's. */
TEST(log__begins_in_the_middle_of_a_line__from_the_next_on)
{
    log_begin("hunter2\nevent=two\n", 1024 * 1024);
    const char *text = log_of(O_WRONLY | O_APPEND);
    CHECK(strstr(text, "hunter2") == NULL);
    CHECK_HAS(text, "event=two");
}

KW_CASES("provider/cli/support_log",
         CASE(log__of_a_process_that_does_not_write_it__not_shown),
         CASE(log__of_a_process_that_writes_it__shown),
         CASE(log__begins_in_the_middle_of_a_line__from_the_next_on),
         CASE(log_lines__of_a_vendors_library__left_out_and_counted),
         CASE(log_lines__more_than_wanted__the_last))
