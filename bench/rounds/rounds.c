/* SPDX-License-Identifier: Apache-2.0 */
#include "rounds.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <keyward/alloc.h>
#include <keyward/bytes.h>

static char program[] = "keyward-bench";
static char json_word[] = "--json";
static char cpu_word[] = "--cpu";

static bool add(struct kw_configuration *c, size_t *count, char *word)
{
    if (*count + 1 >= KW_WORDS_MAX)
        return false;
    c->words[(*count)++] = word;
    return true;
}

/* Words are what blanks separate; there is no quoting. */
static bool cut(struct kw_configuration *c, char *line, size_t *count)
{
    char *rest = NULL;
    for (char *word = strtok_r(line, " \t", &rest); word != NULL;
         word = strtok_r(NULL, " \t", &rest))
        if (!add(c, count, word))
            return false;
    return true;
}

kw_err kw_configuration_parse(const char *text, const char *cpu,
                              struct kw_configuration *ret_configuration,
                              struct kw_note *note)
{
    const char *equals = strchr(text, '=');
    struct kw_configuration c = {.line = NULL};
    size_t count = 0;
    if (equals == NULL ||
        !kw_copy_str(c.name, sizeof c.name, kw_span_of(text, (size_t)(equals - text))) ||
        c.name[0] == '\0' || strcmp(c.name, "control") == 0) {
        kw_note_set(note,
                    "'%s': it wants NAME=load SOCKET … or NAME=token …; control is "
                    "no free name",
                    text);
        return kw_err_at(KW_CODE_BAD_INPUT, "configuration");
    }
    c.line = kw_strdup(kw_span_str(equals + 1));
    if (c.line == NULL)
        return kw_err_at(KW_CODE_NO_MEMORY, "configuration");
    bool fits =
        add(&c, &count, program) && cut(&c, c.line, &count) && add(&c, &count, json_word);
    if (fits && cpu != NULL && strstr(text, " --cpu ") == NULL)
        fits = add(&c, &count, cpu_word) && add(&c, &count, (char *)(uintptr_t)cpu);
    bool known = fits && count > 2 &&
                 (strcmp(c.words[1], "load") == 0 || strcmp(c.words[1], "token") == 0);
    if (!known) {
        kw_note_set(note, "%s: it begins with load or token, and has at most %d words",
                    c.name, KW_WORDS_MAX - 5);
        kw_free(c.line);
        return kw_err_at(KW_CODE_BAD_INPUT, "configuration");
    }
    *ret_configuration = c;
    return KW_OK;
}

static void progress(const struct kw_rounds *r, size_t at)
{
    if (isatty(STDERR_FILENO) == 1 || at == 0)
        fprintf(stderr, "round %zu of %zu: %s\n", r->done + 1, r->wanted,
                r->configuration[at].name);
}

/* The order is turned round every time, so that nobody always comes first. */
static kw_err one_round(struct kw_rounds *r, struct kw_note *note)
{
    for (size_t i = 0; i < r->configuration_count && !kw_stop_asked(); i++) {
        size_t at = r->done % 2 == 0 ? i : r->configuration_count - 1 - i;
        progress(r, at);
        kw_err e = kw_configuration_measure(&r->configuration[at], r->done, note);
        if (e.code == KW_CODE_WRONG_ANSWER)
            r->failures++;
        else if (kw_failed(e))
            return e;
    }
    return KW_OK;
}

kw_err kw_rounds_run(struct kw_rounds *r, struct kw_note *note)
{
    while (r->done < r->wanted) {
        kw_err e = one_round(r, note);
        if (kw_stop_asked())
            return KW_OK; /* the round is not whole: it does not count */
        if (kw_failed(e))
            return e;
        r->done++;
    }
    return KW_OK;
}
