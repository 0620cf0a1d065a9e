/* SPDX-License-Identifier: Apache-2.0 */
/* The one reader of the environment. */
#include <keyward/env.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

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

size_t kw_env_names(const char *pattern, char dst[][KW_ENV_NAME_MAX], size_t max)
{
    size_t found = 0, len = strlen(pattern);
    bool begins = len > 0 && pattern[len - 1] == '*';
    if (begins)
        len--;
    for (char **v = environ; v != NULL && *v != NULL && found < max; v++) {
        const char *equals = strchr(*v, '=');
        size_t name = equals != NULL ? (size_t)(equals - *v) : 0;
        if (name >= len && name < KW_ENV_NAME_MAX && strncmp(*v, pattern, len) == 0 &&
            (begins || name == len)) {
            snprintf(dst[found], KW_ENV_NAME_MAX, "%.*s", (int)name, *v);
            found++;
        }
    }
    return found;
}

bool kw_env_give(const char *name, const char *value)
{
    return setenv(name, value, 1) == 0;
}

void kw_env_clear(void)
{
    clearenv();
}
