/* SPDX-License-Identifier: Apache-2.0 */
#include "manual.h"

#include "check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Lines lose their blanks at the end: an editor takes them away. */
static void trim_lines(const char *text, char *dst)
{
    for (; *text != '\0';
         text += strcspn(text, "\n") + (text[strcspn(text, "\n")] != 0)) {
        size_t n = strcspn(text, "\n");
        while (n > 0 && text[n - 1] == ' ')
            n--;
        memcpy(dst, text, n);
        dst[n] = '\n';
        dst += n + 1;
    }
    *dst = '\0';
}

void manual_has(const char *text)
{
    static char manual[256 * 1024], wanted[8192];
    FILE *f = fopen(KW_ARCHITECTURE, "re");
    CHECK(f != NULL && strlen(text) < sizeof wanted - 1);
    manual[fread(manual, 1, sizeof manual - 1, f)] = '\0';
    fclose(f);
    trim_lines(text, wanted);
    if (strstr(manual, wanted) == NULL)
        fail_msg("docs/ARCHITECTURE.md does not have:\n%s", wanted);
}
