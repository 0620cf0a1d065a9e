/* SPDX-License-Identifier: Apache-2.0 */
/* A log that a test reads: a datagram socket, so that one receive is one write(2). */
#ifndef KEYWARD_TESTS_BASE_LOGGED_H
#define KEYWARD_TESTS_BASE_LOGGED_H

#include "check.h"

#include <sys/socket.h>
#include <unistd.h>

#include <keyward/log.h>

struct logged {
    int ends[2];
    struct kw_fake_clock fake;
    struct kw_clock clock;
    char line[8192]; /* the last one taken, without its newline */
};

static inline void logged_open(struct logged *l, enum kw_log_level least,
                               enum kw_log_format format)
{
    CHECK(socketpair(AF_UNIX, SOCK_DGRAM, 0, l->ends) == 0);
    l->fake = (struct kw_fake_clock){0};
    l->clock = kw_fake_clock(&l->fake);
    kw_log_setup(l->ends[1], least, format, &l->clock);
}

static inline void logged_close(struct logged *l)
{
    kw_log_setup(STDERR_FILENO, KW_LOG_INFO, KW_LOG_LOGFMT, NULL);
    close(l->ends[0]);
    close(l->ends[1]);
}

/* Takes the next line; false when none was written. */
static inline bool logged_take(struct logged *l)
{
    ssize_t n = recv(l->ends[0], l->line, sizeof l->line - 1, MSG_DONTWAIT);
    if (n <= 0)
        return false;
    CHECK(l->line[n - 1] == '\n');
    l->line[n - 1] = '\0';
    CHECK(strlen(l->line) == (size_t)n - 1 && strchr(l->line, '\n') == NULL);
    return true;
}

/* The next line is `want` after its time. */
static inline void logged_check(struct logged *l, const char *want)
{
    static const char time[] = "2026-01-01T00:00:00.000000Z ";
    CHECK(logged_take(l));
    CHECK(strncmp(l->line, time, strlen(time)) == 0);
    CHECK_STR(l->line + strlen(time), want);
}

#endif
