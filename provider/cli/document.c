/* SPDX-License-Identifier: Apache-2.0 */
/* Judging and printing the daemon's status document. */
#include "document.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include <keyward/keyring.h>

static const char *text_at(const json_t *o, const char *first, const char *second)
{
    return json_string_value(json_object_get(json_object_get(o, first), second));
}

static const char *member(const json_t *o, const char *name)
{
    const char *text = json_string_value(json_object_get(o, name));
    return text != NULL ? text : "unknown";
}

/* One more reason; what does not fit is left out, the exit code says it all the same. */
static void document_add(struct kw_reasons *why, const char *fmt, ...) KW_PRINTF(2, 3);
static void document_add(struct kw_reasons *why, const char *fmt, ...)
{
    size_t len = strlen(why->text);
    va_list list;
    va_start(list, fmt);
    vsnprintf(why->text + len, sizeof why->text - len, fmt, list);
    va_end(list);
    kw_copy_printable(why->text, sizeof why->text, kw_span_str(why->text));
}

static void document_judge_health(const json_t *document, struct kw_reasons *why)
{
    const char *state = text_at(document, "health", "state");
    const char *reason = text_at(document, "health", "reason");
    if (state == NULL || strcasecmp(state, "up") != 0)
        document_add(why, "the HSM is %s%s%s. ",
                     state != NULL ? state : "in no known state",
                     reason != NULL && reason[0] != '\0' ? ": " : "",
                     reason != NULL ? reason : "");
}

/* Of several tokens one may be away while the others serve: that is no outage, but what
 * stands between it and one. */
static void document_judge_token(const json_t *t, struct kw_reasons *why)
{
    const json_t *unproven = json_object_get(t, "unproven");
    if (strcmp(member(t, "state"), "up") != 0)
        document_add(why, "token %.40s is %s: %.200s. ", member(t, "name"),
                     member(t, "state"), member(t, "reason"));
    else if (!json_is_false(json_object_get(t, "out")))
        document_add(why, "token %.40s failed several calls in a row and gets none. ",
                     member(t, "name"));
    else if (!json_is_integer(unproven) || json_integer_value(unproven) != 0)
        document_add(why,
                     "token %.40s has not proven %" JSON_INTEGER_FORMAT
                     " of the keyring's versions. ",
                     member(t, "name"), json_integer_value(unproven));
}

static void judge_tokens(const json_t *document, struct kw_reasons *why)
{
    const json_t *tokens = json_object_get(document, "tokens");
    if (!json_is_array(tokens))
        document_add(why, "nothing is said of the tokens. ");
    for (size_t i = 0; json_array_size(tokens) > 1 && i < json_array_size(tokens); i++)
        document_judge_token(json_array_get(tokens, i), why);
}

static void judge_keyring(const json_t *document, struct kw_reasons *why)
{
    const json_t *keyring = json_object_get(document, "keyring");
    const json_t *rejected = json_object_get(keyring, "rejected");
    const json_t *serial = json_object_get(keyring, "serial");
    const char *copy = text_at(document, "keyring", "last_good_refused");
    bool none = json_is_integer(serial) && json_integer_value(serial) == 0;
    if (!json_is_null(rejected))
        document_add(
            why, "%s: %s. ",
            none ? "no keyring is in use, and the file was rejected"
                 : "the last reload was rejected and the keyring before it serves",
            json_is_string(rejected) ? json_string_value(rejected) : "nothing said");
    if (copy != NULL)
        document_add(why, "Its last good copy is refused too: %s. ", copy);
}

/* What only differs from what runs is no fault: it waits for a restart. */
static void judge_configuration(const json_t *document, struct kw_reasons *why)
{
    const json_t *rejected =
        json_object_get(json_object_get(document, "configuration"), "rejected");
    if (!json_is_null(rejected))
        document_add(why,
                     "the configuration file is none to start with, and the next start "
                     "would fail: %s. ",
                     json_is_string(rejected) ? json_string_value(rejected)
                                              : "nothing said");
}

static void judge_memory(const json_t *document, struct kw_reasons *why)
{
    const char *reason = text_at(document, "keyring", "unremembered");
    if (reason != NULL)
        document_add(
            why,
            "the state directory does not hold what it should, which the next start will "
            "meet: %s. ",
            reason);
}

/* null: there is no audit log. */
static void judge_audit(const json_t *document, struct kw_reasons *why)
{
    const json_t *audit = json_object_get(document, "audit");
    if (json_is_object(audit) && !json_is_false(json_object_get(audit, "ill")))
        document_add(
            why, "the audit log in %.200s cannot be written (docs/ERRORS.md, audit). ",
            member(audit, "dir"));
}

static void judge_quarantine(const json_t *document, struct kw_reasons *why)
{
    const json_t *held = json_object_get(document, "quarantine");
    size_t n = json_array_size(held);
    if (n > 0)
        document_add(why,
                     "%zu ciphertext%s that cost workers %s refused, until %.40s at the "
                     "latest (docs/ERRORS.md, quarantined; keyward quarantine clear "
                     "lifts it). ",
                     n, n > 1 ? "s" : "", n > 1 ? "are" : "is",
                     member(json_array_get(held, n - 1), "until"));
}

static bool is_used(const char *state)
{
    enum kw_key_state s;
    return !kw_key_state_from_name(state, &s) || kw_key_state_unwraps(s);
}

/* What workers found about a version's key object while it was in use. */
static void judge_found(const json_t *version, struct kw_reasons *why)
{
    const json_t *found = json_object_get(version, "found");
    if (found != NULL && !json_is_null(found))
        document_add(why,
                     "version %" JSON_INTEGER_FORMAT
                     ", found at the token: %.80s (docs/ERRORS.md, Findings). ",
                     json_integer_value(json_object_get(version, "n")),
                     json_is_string(found) ? json_string_value(found) : "nothing said");
}

static void judge_versions(const json_t *document, struct kw_reasons *why)
{
    const json_t *versions = json_object_get(document, "versions");
    const char *active = member(json_object_get(document, "active"), "code");
    if (strcmp(active, "ok") != 0)
        document_add(why, "the active version: %s. ", active);
    if (!json_is_array(versions))
        document_add(why, "nothing is said of the versions. ");
    for (size_t i = 0; i < json_array_size(versions); i++) {
        const json_t *v = json_array_get(versions, i);
        const char *verdict = member(v, "verdict");
        if (is_used(member(v, "state")) && strcmp(verdict, "ok") != 0 &&
            strcmp(verdict, "starting") != 0)
            document_add(why, "version %" JSON_INTEGER_FORMAT " (%s) is %s. ",
                         json_integer_value(json_object_get(v, "n")), member(v, "state"),
                         verdict);
        judge_found(v, why);
    }
}

enum kw_exit kw_document_judge(const json_t *document, struct kw_reasons *ret_why)
{
    struct kw_reasons why = {{0}};
    document_judge_health(document, &why);
    if (!json_is_false(json_object_get(document, "pin_latched")))
        document_add(
            &why, "A PIN is latched: no login is tried until there is one that was not "
                  "refused before, or keyward pin retry is said. ");
    judge_tokens(document, &why);
    judge_audit(document, &why);
    judge_quarantine(document, &why);
    judge_configuration(document, &why);
    judge_keyring(document, &why);
    judge_memory(document, &why);
    judge_versions(document, &why);
    *ret_why = why;
    return why.text[0] == '\0' ? KW_EXIT_GOOD : KW_EXIT_PROBLEM;
}

/* Those of an array, as many as fit; "" when it has something else. */
static void texts(const json_t *list, char *dst, size_t cap)
{
    static const char more[] = " ...";
    size_t len =
        (size_t)snprintf(dst, cap, "%s", json_array_size(list) == 0 ? "none" : "");
    for (size_t i = 0; i < json_array_size(list); i++) {
        const char *text = json_string_value(json_array_get(list, i));
        if (text == NULL) {
            dst[0] = '\0';
            return;
        }
        if (len + 1 + strlen(text) + sizeof more > cap) {
            snprintf(dst + len, cap - len, "%s", more);
            break;
        }
        len += (size_t)snprintf(dst + len, cap - len, "%s%s", i > 0 ? " " : "", text);
    }
    kw_copy_printable(dst, cap, kw_span_str(dst));
}

/* A scalar, or "" for what is printed otherwise. */
static void scalar(const json_t *v, char *dst, size_t cap)
{
    dst[0] = '\0';
    if (json_is_string(v))
        kw_copy_printable(dst, cap,
                          kw_span_of(json_string_value(v), json_string_length(v)));
    else if (json_is_integer(v))
        snprintf(dst, cap, "%" JSON_INTEGER_FORMAT, json_integer_value(v));
    else if (json_is_real(v))
        snprintf(dst, cap, "%g", json_real_value(v));
    else if (json_is_boolean(v))
        snprintf(dst, cap, "%s", json_is_true(v) ? "yes" : "no");
    else if (json_is_null(v))
        snprintf(dst, cap, "-");
    else if (json_is_array(v))
        texts(v, dst, cap);
}

/* jansson's iteration wants a pointer to what is not const. */
static json_t *walkable(const json_t *o)
{
    return (json_t *)(uintptr_t)o;
}

/* A member's name, fit to be shown: the document is whatever the socket gave. */
struct shown {
    char text[64];
};
static struct shown shown(const char *name)
{
    struct shown s;
    kw_copy_printable(s.text, sizeof s.text, kw_span_str(name));
    return s;
}

/* One object on one line: name value, name value, name (name value); arrays further down
 * are left to --json, but for those of texts. */
static void print_fields(const json_t *o, unsigned depth)
{
    const char *between = "";
    char text[sizeof(struct kw_note)];
    for (void *it = json_object_iter(walkable(o)); it != NULL;
         it = json_object_iter_next(walkable(o), it)) {
        const json_t *v = json_object_iter_value(it);
        scalar(v, text, sizeof text);
        bool inner = json_is_object(v) && depth == 0;
        if (text[0] == '\0' && !inner)
            continue;
        printf("%s%s %s", between, shown(json_object_iter_key(it)).text,
               inner ? "(" : text);
        if (inner) {
            print_fields(v, depth + 1);
            putchar(')');
        }
        between = ", ";
    }
}

static void print_member(const char *name, const json_t *v)
{
    char text[sizeof(struct kw_note)];
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
    struct kw_reasons why = {{0}};
    const char *state = text_at(document, "health", "state");
    bool good = kw_document_judge(document, &why) == KW_EXIT_GOOD;
    printf("%s%s%s\n", kw_tint(cli, good ? KW_TINT_GOOD : KW_TINT_BAD),
           state != NULL ? shown(state).text : "?", kw_tint(cli, KW_TINT_OFF));
    for (void *it = json_object_iter(walkable(document)); it != NULL;
         it = json_object_iter_next(walkable(document), it))
        print_member(shown(json_object_iter_key(it)).text, json_object_iter_value(it));
}
