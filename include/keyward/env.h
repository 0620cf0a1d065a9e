/* SPDX-License-Identifier: Apache-2.0 */
/* env - the one reader of the environment
 *
 * keyward takes no setting from the environment but these; no secret ever.
 *
 * Threads:  before threads start.
 */
#ifndef KEYWARD_ENV_H
#define KEYWARD_ENV_H

#include <stdbool.h>
#include <stddef.h>

enum kw_env {
    KW_ENV_ARENA,         /* KEYWARD_ARENA=mlock: force the arena's second backend    */
    KW_ENV_NOTIFY_SOCKET, /* sd_notify(3)                                             */
    KW_ENV_WATCHDOG_USEC, /* sd_watchdog_enabled(3)                                   */
    KW_ENV_WATCHDOG_PID,
    KW_ENV_LISTEN_FDS, /* sd_listen_fds(3)                                         */
    KW_ENV_LISTEN_PID,
    KW_ENV_LISTEN_FDNAMES,
    KW_ENV_CREDENTIALS, /* CREDENTIALS_DIRECTORY, systemd.exec(5)                   */
    KW_ENV_NO_COLOR,    /* https://no-color.org                                     */
    KW_ENV_TERM,
};

/* The value, or NULL when unset or empty. */
const char *kw_env_get(enum kw_env name);

/* The names, never the values, of at most `max` variables that are set: the one called
 * `pattern`, or where it ends in "*" those that begin like it. */
enum { KW_ENV_NAME_MAX = 64 };
size_t kw_env_names(const char *pattern, char dst[][KW_ENV_NAME_MAX], size_t max);

/* Sets a variable of a vendor library for this process (the worker, a tool's child).
 * name and value are copied.  false when out of memory. */
bool kw_env_give(const char *name, const char *value);

/* Removes every variable. */
void kw_env_clear(void);

#endif
