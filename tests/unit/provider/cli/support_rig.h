/* SPDX-License-Identifier: Apache-2.0 */
/* support_rig - a folder of a case's own, and where in it a support file is to lie */
#ifndef KEYWARD_TESTS_SUPPORT_RIG_H
#define KEYWARD_TESTS_SUPPORT_RIG_H

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "check.h"

static char dir[64], path[96];

static void begin(void)
{
    snprintf(dir, sizeof dir, "/tmp/kw-support-XXXXXX");
    CHECK(mkdtemp(dir) != NULL);
    snprintf(path, sizeof path, "%s/a.tar", dir);
}

/* Nothing but the file was left there. */
static void end(void)
{
    unlink(path);
    CHECK(rmdir(dir) == 0);
}

#endif
