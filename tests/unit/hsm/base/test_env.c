/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"

#include <stdlib.h>
#include <unistd.h>

#include <keyward/env.h>

static const struct {
    enum kw_env which;
    const char *name;
} known[] = {{KW_ENV_ARENA, "KEYWARD_ARENA"},
             {KW_ENV_NOTIFY_SOCKET, "NOTIFY_SOCKET"},
             {KW_ENV_WATCHDOG_USEC, "WATCHDOG_USEC"},
             {KW_ENV_WATCHDOG_PID, "WATCHDOG_PID"},
             {KW_ENV_LISTEN_FDS, "LISTEN_FDS"},
             {KW_ENV_LISTEN_PID, "LISTEN_PID"},
             {KW_ENV_LISTEN_FDNAMES, "LISTEN_FDNAMES"},
             {KW_ENV_CREDENTIALS, "CREDENTIALS_DIRECTORY"},
             {KW_ENV_NO_COLOR, "NO_COLOR"},
             {KW_ENV_TERM, "TERM"}};
enum { KNOWN = sizeof known / sizeof known[0] };

TEST(get__unset_or_empty__null)
{
    kw_env_clear();
    for (unsigned i = 0; i < KNOWN; i++) {
        CHECK(kw_env_get(known[i].which) == NULL);
        setenv(known[i].name, "", 1);
        CHECK(kw_env_get(known[i].which) == NULL);
    }
}

TEST(get__set__its_own_value)
{
    kw_env_clear();
    for (unsigned i = 0; i < KNOWN; i++)
        setenv(known[i].name, known[i].name, 1);
    for (unsigned i = 0; i < KNOWN; i++)
        CHECK_STR(kw_env_get(known[i].which), known[i].name);
}

TEST(give__any__copied_and_replaced)
{
    char name[] = "SOFTHSM2_CONF", value[] = "/one";
    CHECK(kw_env_give(name, value));
    name[0] = value[1] = 'x';
    CHECK_STR(getenv("SOFTHSM2_CONF"), "/one");
    CHECK(kw_env_give("SOFTHSM2_CONF", "/two"));
    CHECK_STR(getenv("SOFTHSM2_CONF"), "/two");
}

TEST(give__no_name__false)
{
    CHECK(!kw_env_give("", "x"));
    CHECK(!kw_env_give("A=B", "x"));
}

TEST(clear__anything__nothing_left)
{
    setenv("LEFT", "over", 1);
    kw_env_clear();
    CHECK(getenv("LEFT") == NULL && getenv("PATH") == NULL);
    CHECK(environ == NULL || environ[0] == NULL);
    CHECK(kw_env_give("AFTER", "1")); /* still usable */
    CHECK_STR(getenv("AFTER"), "1");
}

TEST(names__of_one_or_of_all_that_begin_so)
{
    char found[4][KW_ENV_NAME_MAX];
    kw_env_clear();
    CHECK(kw_env_names("CKNFAST_*", found, 4) == 0);
    setenv("CKNFAST_DEBUG", "3", 1);
    setenv("CKNFAST_LOADSHARING", "1", 1);
    setenv("NOT_CKNFAST_X", "1", 1);
    setenv("SOFTHSM2_CONF", "/x", 1);
    setenv("SOFTHSM2_CONF_OTHER", "/x", 1);
    CHECK(kw_env_names("CKNFAST_*", found, 4) == 2);
    CHECK(strncmp(found[0], "CKNFAST_", 8) == 0 && strcmp(found[0], found[1]) != 0);
    CHECK(kw_env_names("CKNFAST_*", found, 1) == 1);
    CHECK(kw_env_names("SOFTHSM2_CONF", found, 4) == 1);
    CHECK_STR(found[0], "SOFTHSM2_CONF");
}

KW_CASES("hsm/base/env", CASE(names__of_one_or_of_all_that_begin_so),
         CASE(get__unset_or_empty__null), CASE(get__set__its_own_value),
         CASE(give__any__copied_and_replaced), CASE(give__no_name__false),
         CASE(clear__anything__nothing_left))
