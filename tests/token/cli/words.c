/* SPDX-License-Identifier: Apache-2.0 */
#include "words.h"

#include <stdio.h>
#include <stdlib.h>

int words_run(struct site *s, const char *command)
{
    static char line[4096];
    const char *slash = strrchr(KEYWARD, '/');
    int n = snprintf(line, sizeof line, "PATH=%.*s:$PATH; %s", (int)(slash - KEYWARD),
                     KEYWARD, command);
    CHECK(n > 0 && (size_t)n < sizeof line);
    kw_run(&s->run, (const char *const[]){"/bin/sh", "-c", line, NULL});
    return s->run.status;
}
