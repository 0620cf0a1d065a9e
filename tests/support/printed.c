/* SPDX-License-Identifier: Apache-2.0 */
#include "printed.h"

#include <stdio.h>

#include "check.h"

static const char *next_line(const char *at)
{
    const char *end = strchr(at, '\n');
    return end != NULL ? end + 1 : at + strlen(at);
}

void printed_command(const char *text, const char *below, size_t n, char dst[2048])
{
    bool counts = below == NULL;
    for (const char *at = text; *at != '\0'; at = next_line(at)) {
        size_t len = strcspn(at, "\n");
        bool indented = strncmp(at, "  ", 2) == 0;
        bool comment = strncmp(at, "  # ", 4) == 0;
        snprintf(dst, 2048, "%.*s", (int)len, at);
        if (comment && !counts)
            counts = strstr(dst, below) != NULL;
        if (!indented || comment || !counts || n-- > 0)
            continue;
        snprintf(dst, 2048, "%.*s", (int)(len - 2), at + 2);
        return;
    }
    fail_msg("no such command%s%s in:\n%s", below != NULL ? " below " : "",
             below != NULL ? below : "", text);
}
