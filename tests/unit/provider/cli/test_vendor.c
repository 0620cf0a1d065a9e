/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"

#include <stdio.h>

#include <keyward/env.h>

#include "vendor.h"

static char said[2048];

static size_t warn(const struct kw_config_var *given, size_t count)
{
    FILE *out = fmemopen(said, sizeof said, "w");
    CHECK(out != NULL);
    fputc('\0', out);
    rewind(out);
    size_t warned = kw_vendor_warn(given, count, out);
    fclose(out);
    return warned;
}

TEST(nothing_set_or_nothing_known__silent)
{
    kw_env_clear();
    CHECK(warn(NULL, 0) == 0);
    CHECK(kw_env_give("PATH", "/bin") && kw_env_give("SOFTHSM2_CONFIG", "/x"));
    CHECK(warn(NULL, 0) == 0 && said[0] == '\0');
}

TEST(set_in_the_shell_only__named_without_its_value)
{
    char name[] = "SOFTHSM2_CONF", value[] = "/given";
    const struct kw_config_var given = {name, value};
    kw_env_clear();
    CHECK(kw_env_give("SOFTHSM2_CONF", "/secret/place"));
    CHECK(kw_env_give("CKNFAST_LOADSHARING", "1"));
    CHECK(kw_env_give("ChrystokiConfigurationPath", "/x"));
    CHECK(warn(NULL, 0) == 3);
    CHECK_HAS(said, "SOFTHSM2_CONF (SoftHSM)");
    CHECK_HAS(said, "--env CKNFAST_LOADSHARING=\"$CKNFAST_LOADSHARING\"");
    CHECK(strstr(said, "/secret") == NULL);
    CHECK(warn(&given, 1) == 2);
    CHECK(strstr(said, "SOFTHSM2_CONF") == NULL);
}

KW_CASES("provider/cli/vendor", CASE(nothing_set_or_nothing_known__silent),
         CASE(set_in_the_shell_only__named_without_its_value))
