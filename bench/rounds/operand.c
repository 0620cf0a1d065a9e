/* SPDX-License-Identifier: Apache-2.0 */
/* A cell as it is typed: its name, its words, its place in the matrix. */
#include "rounds.h"

#include <stdlib.h>
#include <string.h>

#include <keyward/alloc.h>
#include <keyward/bytes.h>

static char program[] = "keyward-bench";
static char json_word[] = "--json";

/* What the verbs do when nothing is said. */
static const struct defaults {
    const char *verb;
    double in_flight;
    const char *method_flag, *method;
    int64_t seconds_ns, warmup_ns;
} verbs[] = {
    {"load", 64, "--mix", "decrypt", 5 * KW_S_NS, KW_S_NS},
    {"token", 1, "--op", "unwrap", 5 * KW_S_NS, KW_S_NS},
};

static kw_err bad(struct kw_note *note, const char *text, const char *what)
{
    kw_note_set(note, "'%s': %s", text, what);
    return kw_err_at(KW_CODE_BAD_INPUT, "operand");
}

/* "NAME" or "NAME*". */
static bool read_name(const char *text, size_t len, struct kw_results_cell *c)
{
    c->primary = len > 0 && text[len - 1] == '*';
    len -= c->primary ? 1 : 0;
    return kw_copy_str(c->name, sizeof c->name, kw_span_of(text, len)) &&
           kw_results_is_name(c->name) && strcmp(c->name, "control") != 0;
}

static bool read_number(const char *text, double *ret_number)
{
    char *end = NULL;
    double v = strtod(text, &end);
    if (text[0] < '0' || text[0] > '9' || *end != '\0' || !(v < 1e15))
        return false;
    *ret_number = v;
    return true;
}

/* "@subject=X" or "@token_delay_us=N"; false: neither. */
static bool read_axis(const char *word, struct kw_results_axes *a)
{
    static const char subject[] = "@subject=", delay[] = "@token_delay_us=";
    if (strncmp(word, subject, sizeof subject - 1) == 0)
        return kw_results_is_name(word + sizeof subject - 1) &&
               kw_copy_str(a->subject, sizeof a->subject,
                           kw_span_str(word + sizeof subject - 1));
    return strncmp(word, delay, sizeof delay - 1) == 0 &&
           read_number(word + sizeof delay - 1, &a->token_delay_us);
}

/* Words are what blanks separate. */
static kw_err cut(struct kw_entry *e, const char *text, struct kw_results_axes *a,
                  struct kw_note *note)
{
    char *rest = NULL;
    size_t count = 0;
    e->words[count++] = program;
    for (char *word = strtok_r(e->line, " \t", &rest); word != NULL;
         word = strtok_r(NULL, " \t", &rest)) {
        if (word[0] == '@' && !read_axis(word, a))
            return bad(note, text, "its axes are @subject=NAME and @token_delay_us=N");
        if (word[0] == '@')
            continue;
        if (count + 2 >= KW_WORDS_MAX)
            return bad(note, text, "it has more than 61 words");
        e->words[count++] = word;
    }
    if (count < 2)
        return bad(note, text, "no verb stands after the name: NAME=load SOCKET …");
    if (strcmp(e->words[1], "rounds") == 0 || strcmp(e->words[1], "echo") == 0 ||
        strcmp(e->words[1], "serve") == 0)
        return bad(note, text, "this verb is no measurement: load, token, storm … are");
    e->words[count] = json_word;
    return KW_OK;
}

/* The value of "--flag value" or "--flag=value"; NULL when it is not said. */
static const char *said(const struct kw_entry *e, const char *flag)
{
    const size_t len = strlen(flag);
    for (size_t i = 2; e->words[i] != NULL; i++) {
        if (strcmp(e->words[i], flag) == 0)
            return e->words[i + 1];
        if (strncmp(e->words[i], flag, len) == 0 && e->words[i][len] == '=')
            return e->words[i] + len + 1;
    }
    return NULL;
}

static void read_figure(const struct kw_entry *e, const char *flag, double otherwise,
                        double *ret_number)
{
    const char *text = said(e, flag);
    if (text == NULL || !read_number(text, ret_number))
        *ret_number = otherwise;
}

static void read_axes(const struct kw_entry *e, const struct defaults *d,
                      struct kw_results_axes *a)
{
    const char *method = d->method_flag != NULL ? said(e, d->method_flag) : NULL;
    if (method == NULL)
        method = d->method;
    kw_results_text(a->method, sizeof a->method, method);
    read_figure(e, "--in-flight", d->in_flight, &a->in_flight);
    read_figure(e, "--rate", 0, &a->rate);
}

/* How long it will take, when it goes by time. */
static int64_t expected(const struct kw_entry *e, const struct defaults *d)
{
    int64_t seconds = d->seconds_ns, warmup = d->warmup_ns;
    const char *text = said(e, "--seconds");
    if (said(e, "--calls") != NULL ||
        (text != NULL && !kw_duration_parse(text, &seconds)))
        return 0;
    text = said(e, "--warmup");
    if (text != NULL && !kw_duration_parse(text, &warmup))
        return 0;
    return seconds > 0 ? seconds + warmup : 0;
}

/* wall-cached of wall-cached-64. */
static void read_subject(const struct kw_results_cell *c, struct kw_results_axes *a)
{
    const char *dash = strrchr(c->name, '-');
    const size_t len =
        dash != NULL && dash > c->name ? (size_t)(dash - c->name) : strlen(c->name);
    (void)kw_copy_str(a->subject, sizeof a->subject, kw_span_of(c->name, len));
}

/* The words as they run, without the name of the program and --json. */
static char *command_of(const struct kw_entry *e)
{
    char *all = kw_results_text_dup(e->words[1]);
    for (size_t i = 2; all != NULL && e->words[i + 1] != NULL; i++) {
        char *word = kw_results_text_dup(e->words[i]);
        char *longer = word != NULL ? kw_format("%s %s", all, word) : NULL;
        kw_free(word);
        kw_free(all);
        all = longer;
    }
    return all;
}

static kw_err read_entry(const char *text, struct kw_entry *e, struct kw_results_cell *c,
                         struct kw_note *note)
{
    struct defaults d = {.method = ""};
    kw_err err = cut(e, text, &c->axes, note);
    if (kw_failed(err))
        return err;
    for (size_t i = 0; i < sizeof verbs / sizeof verbs[0]; i++)
        if (strcmp(verbs[i].verb, e->words[1]) == 0)
            d = verbs[i];
    read_axes(e, &d, &c->axes);
    if (c->axes.subject[0] == '\0')
        read_subject(c, &c->axes);
    e->expected_ns = expected(e, &d);
    c->command = command_of(e);
    return c->command != NULL ? KW_OK : kw_err_at(KW_CODE_NO_MEMORY, "operand");
}

/* As if nothing had been read. */
static void forget(struct kw_entry *e, struct kw_results_cell *c)
{
    kw_free(e->line);
    e->line = NULL;
    for (size_t i = 0; i < KW_WORDS_MAX; i++)
        e->words[i] = NULL;
    kw_free(c->command);
    c->command = NULL;
    c->name[0] = '\0';
    c->primary = false;
    c->axes = (struct kw_results_axes){{0}, {0}, 0, 0, 0};
}

static kw_err read_operand(const char *text, const struct kw_results *all,
                           struct kw_entry *e, struct kw_results_cell *c,
                           struct kw_note *note)
{
    const char *equals = strchr(text, '=');
    if (equals == NULL || !read_name(text, (size_t)(equals - text), c))
        return bad(note, text,
                   "it wants NAME=load SOCKET … (or another verb; NAME*= for a primary "
                   "cell), the name of at most 47 letters, digits and ._-; control is no "
                   "free name");
    if (kw_results_cell(all, c->name) != NULL)
        return bad(note, text, "this name is given twice");
    e->line = kw_strdup(kw_span_str(equals + 1));
    return e->line != NULL ? read_entry(text, e, c, note)
                           : kw_err_at(KW_CODE_NO_MEMORY, "operand");
}

kw_err kw_rounds_add(struct kw_rounds *r, const char *text, struct kw_note *note)
{
    struct kw_results *all = r->results;
    struct kw_entry *e = &r->entry[all->cell_count];
    struct kw_results_cell *c = &all->cell[all->cell_count];
    if (all->cell_count == KW_CELLS_MAX)
        return bad(note, text, "128 cells are the most");
    kw_err err = read_operand(text, all, e, c, note);
    if (kw_failed(err)) {
        forget(e, c);
        return err;
    }
    if (all->cell_count++ == 0)
        (void)kw_copy_str(all->base, sizeof all->base, kw_span_str(c->name));
    return KW_OK;
}

kw_err kw_rounds_add_control(struct kw_rounds *r)
{
    struct kw_results *all = r->results;
    struct kw_results_cell *c = &all->cell[all->cell_count];
    struct kw_entry *e = &r->entry[all->cell_count];
    for (size_t i = 0; i < KW_WORDS_MAX; i++)
        e->words[i] = r->entry[0].words[i];
    e->expected_ns = r->entry[0].expected_ns;
    c->command = kw_strdup(kw_span_str(all->cell[0].command));
    if (c->command == NULL)
        return kw_err_at(KW_CODE_NO_MEMORY, "control");
    (void)kw_copy_str(c->name, sizeof c->name, kw_span_str("control"));
    c->axes = all->cell[0].axes;
    c->control = true;
    (void)kw_copy_str(all->control, sizeof all->control, kw_span_str(all->base));
    all->cell_count++;
    return KW_OK;
}

void kw_rounds_wipe(struct kw_rounds *r)
{
    for (size_t i = 0; i < KW_RESULTS_CELLS; i++) {
        for (size_t n = 0; n < KW_ROUNDS_MAX; n++)
            kw_counts_wipe(&r->entry[i].histogram[n]);
        kw_free(r->entry[i].line);
        r->entry[i].line = NULL;
    }
}
