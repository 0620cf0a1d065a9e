/* SPDX-License-Identifier: Apache-2.0 */
/* The one reader of the environment. */
#include <keyward/env.h>

#include <stdbool.h>
#include <stdlib.h>

static const char *const names[] = {
    [KW_ENV_ARENA] = "KEYWARD_ARENA",
    [KW_ENV_NOTIFY_SOCKET] = "NOTIFY_SOCKET",
    [KW_ENV_WATCHDOG_USEC] = "WATCHDOG_USEC",
    [KW_ENV_WATCHDOG_PID] = "WATCHDOG_PID",
    [KW_ENV_LISTEN_FDS] = "LISTEN_FDS",
    [KW_ENV_LISTEN_PID] = "LISTEN_PID",
    [KW_ENV_LISTEN_FDNAMES] = "LISTEN_FDNAMES",
    [KW_ENV_CREDENTIALS] = "CREDENTIALS_DIRECTORY",
    [KW_ENV_NO_COLOR] = "NO_COLOR",
    [KW_ENV_TERM] = "TERM",
};

const char *kw_env_get(enum kw_env name)
{
    const char *value = getenv(names[name]);
    return value != NULL && value[0] != '\0' ? value : NULL;
}

bool kw_env_give(const char *name, const char *value)
{
    return setenv(name, value, 1) == 0;
}

void kw_env_clear(void)
{
    clearenv();
}
