/* SPDX-License-Identifier: Apache-2.0 */
/* Judging and printing the daemon's status document. */
#include "document.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include <keyward/keyring.h>

#include "document_reads.h"

#define KW_OTHER_DAEMON "is it keywardd, and of this version? (version)"

static const char *text_at(const json_t *o, const char *first, const char *second)
{
    return json_string_value(json_object_get(json_object_get(o, first), second));
}

static const char *member(const json_t *o, const char *name)
{
    const char *text = json_string_value(json_object_get(o, name));
    return text != NULL ? text : "unknown";
}

/* One more reason, and what to do; what does not fit is left out, the exit code says it all
 * the same. */
static void document_add(struct kw_reasons *why, const char *remedy, const char *fmt, ...)
    KW_PRINTF(3, 4);
static void document_add(struct kw_reasons *why, const char *remedy, const char *fmt, ...)
{
    char text[1024];
    const size_t len = strlen(why->text), room = sizeof why->text - len;
    va_list list;
    va_start(list, fmt);
    vsnprintf(text, sizeof text, fmt, list);
    va_end(list);
    kw_copy_printable(text, sizeof text, kw_span_str(text));
    why->count++;
    const int n =
        snprintf(why->text + len, room, "%s\n" KW_REASON_REMEDY "%s\n", text, remedy);
    if (n < 0 || (size_t)n >= room)
        why->text[len] = '\0';
}

static void document_judge_health(const json_t *document, struct kw_reasons *why)
{
    const char *state = text_at(document, "health", "state");
    const char *reason = text_at(document, "health", "reason");
    if (state == NULL || strcasecmp(state, "up") != 0)
        document_add(why, "keyward check looks at it; docs/ERRORS.md has health.code",
                     "the HSM is %s%s%s", state != NULL ? state : "in no known state",
                     reason != NULL && reason[0] != '\0' ? ": " : "",
                     reason != NULL ? reason : "");
}

/* Of several tokens one may be away while the others serve: that is no outage, but what
 * stands between it and one. */
static void document_judge_token(const json_t *t, struct kw_reasons *why)
{
    const json_t *unproven = json_object_get(t, "unproven");
    if (strcmp(member(t, "state"), "up") != 0)
        document_add(why, "keyward check looks at it; the others serve meanwhile",
                     "token %.40s is %s: %.400s", member(t, "name"), member(t, "state"),
                     member(t, "reason"));
    else if (!json_is_false(json_object_get(t, "out")))
        document_add(why, "it is tried again by itself; keyward check looks at it",
                     "token %.40s failed several calls in a row and gets none",
                     member(t, "name"));
    else if (!json_is_integer(unproven) || json_integer_value(unproven) != 0)
        document_add(why, "keyward check says which, and why",
                     "token %.40s has not proven %" JSON_INTEGER_FORMAT
                     " of the keyring's versions",
                     member(t, "name"), json_integer_value(unproven));
}

static void judge_tokens(const json_t *document, struct kw_reasons *why)
{
    const json_t *tokens = json_object_get(document, "tokens");
    if (!json_is_array(tokens))
        document_add(why, KW_OTHER_DAEMON, "nothing is said of the tokens");
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
            why,
            "docs/ERRORS.md, keyring-rejected; keyward keyring compare shows who differs",
            "%s: %s",
            none ? "no keyring is in use, and the file was rejected"
                 : "the last reload was rejected and the keyring before it serves",
            json_is_string(rejected) ? json_string_value(rejected) : "nothing said");
    if (copy != NULL)
        document_add(why, "docs/ERRORS.md, last-good-refused",
                     "its last good copy is refused too: %s", copy);
}

/* What only differs from what runs is no fault: it waits for a restart. */
static void judge_configuration(const json_t *document, struct kw_reasons *why)
{
    const json_t *rejected =
        json_object_get(json_object_get(document, "configuration"), "rejected");
    if (!json_is_null(rejected))
        document_add(why, "mend the file; keyward check says when it is good",
                     "the configuration file is none to start with, and the next start "
                     "would fail: %s",
                     json_is_string(rejected) ? json_string_value(rejected)
                                              : "nothing said");
}

static void judge_memory(const json_t *document, struct kw_reasons *why)
{
    const char *reason = text_at(document, "keyring", "unremembered");
    if (reason != NULL)
        document_add(
            why, "docs/ERRORS.md, state-lost",
            "the state directory does not hold what it should, which the next start will "
            "meet: %s",
            reason);
}

/* null: there is no audit log. */
static void judge_audit(const json_t *document, struct kw_reasons *why)
{
    const json_t *audit = json_object_get(document, "audit");
    if (json_is_object(audit) && !json_is_false(json_object_get(audit, "ill")))
        document_add(why, "docs/ERRORS.md, audit",
                     "the audit log in %.200s cannot be written", member(audit, "dir"));
}

static void judge_quarantine(const json_t *document, struct kw_reasons *why)
{
    const json_t *held = json_object_get(document, "quarantine");
    size_t n = json_array_size(held);
    if (n > 0)
        document_add(why,
                     "docs/ERRORS.md, quarantined; keyward quarantine clear lifts it",
                     "%zu ciphertext%s that cost workers %s refused, until %.40s at the "
                     "latest",
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
        document_add(why, "docs/ERRORS.md, Findings",
                     "version %" JSON_INTEGER_FORMAT ", found at the token: %.80s",
                     json_integer_value(json_object_get(version, "n")),
                     json_is_string(found) ? json_string_value(found) : "nothing said");
}

static void judge_versions(const json_t *document, struct kw_reasons *why)
{
    const json_t *versions = json_object_get(document, "versions");
    const char *active = member(json_object_get(document, "active"), "code");
    if (strcmp(active, "ok") != 0)
        document_add(why, "keyward key list; docs/ERRORS.md has the code",
                     "the active version: %s", active);
    if (!json_is_array(versions))
        document_add(why, KW_OTHER_DAEMON, "nothing is said of the versions");
    for (size_t i = 0; i < json_array_size(versions); i++) {
        const json_t *v = json_array_get(versions, i);
        const char *verdict = member(v, "verdict");
        if (is_used(member(v, "state")) && strcmp(verdict, "ok") != 0 &&
            strcmp(verdict, "starting") != 0)
            document_add(why, "keyward check looks at it; docs/ERRORS.md has the code",
                         "version %" JSON_INTEGER_FORMAT " (%s) is %s: %.400s",
                         json_integer_value(json_object_get(v, "n")), member(v, "state"),
                         verdict, member(v, "reason"));
        judge_found(v, why);
    }
}

static void judge_read(void *ctx, const char *text, const char *remedy)
{
    document_add(ctx, remedy, "%s", text);
}

enum kw_exit kw_document_judge(const json_t *document, struct kw_reasons *ret_why)
{
    struct kw_reasons why = {{0}};
    document_judge_health(document, &why);
    if (!json_is_false(json_object_get(document, "pin_latched")))
        document_add(
            &why, "put the right PIN in its place, or keyward pin retry",
            "a PIN is latched: no login is tried until there is one that was not "
            "refused before");
    judge_tokens(document, &why);
    judge_audit(document, &why);
    judge_quarantine(document, &why);
    judge_configuration(document, &why);
    judge_keyring(document, &why);
    judge_memory(document, &why);
    judge_versions(document, &why);
    kw_document_reads(document, judge_read, &why);
    *ret_why = why;
    return why.text[0] == '\0' ? KW_EXIT_GOOD : KW_EXIT_PROBLEM;
}
