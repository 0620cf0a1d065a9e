/* SPDX-License-Identifier: Apache-2.0 */
/* said_at - the value at a path of a JSON document, as one line of JSON
 *
 *   CHECK_SAID(document, "versions/0/verdict", "\"pass\"");
 *
 * A path's parts are names, and numbers of an array's elements. */
#ifndef KEYWARD_TESTS_SAID_AT_H
#define KEYWARD_TESTS_SAID_AT_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

static inline const char *said_at(const json_t *document, const char *path)
{
    static char line[4096];
    char parts[128], *rest = parts;
    snprintf(parts, sizeof parts, "%s", path);
    for (const char *part; document != NULL && (part = strsep(&rest, "/")) != NULL;)
        document = json_is_array(document)
                       ? json_array_get(document, strtoul(part, NULL, 10))
                       : json_object_get(document, part);
    char *text = json_dumps(document, JSON_COMPACT | JSON_ENCODE_ANY);
    snprintf(line, sizeof line, "%s", text != NULL ? text : "(absent)");
    free(text);
    return line;
}
#define CHECK_SAID(document, path, want)                                                 \
    do {                                                                                 \
        if (strcmp(said_at(document, path), (want)) != 0)                                \
            fail_msg("%s is %s, not %s", (path), said_at(document, path), (want));       \
    } while (0)

#endif
