/* SPDX-License-Identifier: Apache-2.0 */
/* Judging and printing the daemon's status document. */
#include "document.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

static const char *text_at(const json_t *o, const char *first, const char *second)
{
    return json_string_value(json_object_get(json_object_get(o, first), second));
}

enum kw_exit kw_document_judge(const json_t *document, struct kw_note *ret_why)
{
    const char *state = text_at(document, "health", "state");
    const char *reason = text_at(document, "health", "reason");
    const char *rejected = text_at(document, "keyring", "rejected");
    bool up = state != NULL && strcasecmp(state, "up") == 0;
    bool latched = !json_is_false(json_object_get(document, "pin_latched"));
    char health[256] = "", reload[256] = "";
    if (!up)
        snprintf(health, sizeof health, "the HSM is %s%s%s. ",
                 state != NULL ? state : "in no known state", reason != NULL ? ": " : "",
                 reason != NULL ? reason : "");
    if (rejected != NULL)
        snprintf(reload, sizeof reload,
                 "the last reload was rejected and the keyring before it serves: %s. ",
                 rejected);
    kw_note_set(ret_why, "%s%s%s", health, reload,
                latched ? "A PIN is latched: no login is tried until its file changes."
                        : "");
    return up && rejected == NULL && !latched ? KW_EXIT_GOOD : KW_EXIT_PROBLEM;
}

/* A scalar, or "" for what is printed otherwise. */
static void scalar(const json_t *v, char *dst, size_t cap)
{
    dst[0] = '\0';
    if (json_is_string(v))
        snprintf(dst, cap, "%s", json_string_value(v));
    else if (json_is_integer(v))
        snprintf(dst, cap, "%" JSON_INTEGER_FORMAT, json_integer_value(v));
    else if (json_is_real(v))
        snprintf(dst, cap, "%g", json_real_value(v));
    else if (json_is_boolean(v))
        snprintf(dst, cap, "%s", json_is_true(v) ? "yes" : "no");
    else if (json_is_null(v))
        snprintf(dst, cap, "-");
}

/* jansson's iteration wants a pointer to what is not const. */
static json_t *walkable(const json_t *o)
{
    return (json_t *)(uintptr_t)o;
}

/* One object on one line: name value, name value, name (name value); arrays further down
 * are left to --json. */
static void print_fields(const json_t *o, unsigned depth)
{
    const char *between = "";
    char text[256];
    for (void *it = json_object_iter(walkable(o)); it != NULL;
         it = json_object_iter_next(walkable(o), it)) {
        const json_t *v = json_object_iter_value(it);
        scalar(v, text, sizeof text);
        bool inner = json_is_object(v) && depth == 0;
        if (text[0] == '\0' && !inner)
            continue;
        printf("%s%s %s", between, json_object_iter_key(it), inner ? "(" : text);
        if (inner) {
            print_fields(v, depth + 1);
            putchar(')');
        }
        between = ", ";
    }
}

static void print_member(const char *name, const json_t *v)
{
    char text[256];
    scalar(v, text, sizeof text);
    if (json_is_object(v)) {
        printf("%-12s ", name);
        print_fields(v, 0);
        putchar('\n');
    } else if (!json_is_array(v)) {
        printf("%-12s %s\n", name, text);
    } else if (json_array_size(v) == 0) {
        printf("%-12s none\n", name);
    }
    for (size_t i = 0; json_is_array(v) && i < json_array_size(v); i++) {
        printf("%-12s ", name);
        print_fields(json_array_get(v, i), 0);
        putchar('\n');
    }
}

void kw_document_print(const struct kw_cli *cli, const json_t *document)
{
    struct kw_note why = {{0}};
    const char *state = text_at(document, "health", "state");
    bool good = kw_document_judge(document, &why) == KW_EXIT_GOOD;
    printf("%s%s%s\n", kw_tint(cli, good ? KW_TINT_GOOD : KW_TINT_BAD),
           state != NULL ? state : "?", kw_tint(cli, KW_TINT_OFF));
    for (void *it = json_object_iter(walkable(document)); it != NULL;
         it = json_object_iter_next(walkable(document), it))
        print_member(json_object_iter_key(it), json_object_iter_value(it));
}
