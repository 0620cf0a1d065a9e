/* SPDX-License-Identifier: Apache-2.0 */
#include "split.h"

#include <string.h>

#include <keyward/alloc.h>
#include <keyward/bytes.h>

/* The name behind "PREFIX."; NULL when it does not begin so. */
static const char *behind(const char *name, const char *prefix)
{
    const size_t len = strlen(prefix);
    return strncmp(name, prefix, len) == 0 && name[len] == '.' && name[len + 1] != '\0'
               ? name + len + 1
               : NULL;
}

/* The place of its prefix; `count` when it has none of them. */
static size_t owner(const char *name, const char *const prefixes[], size_t count)
{
    size_t i = 0;
    while (i < count && behind(name, prefixes[i]) == NULL)
        i++;
    return i;
}

/* In place; a name without any of the prefixes stays. */
static void strip(char name[KW_RESULTS_NAME], const char *const prefixes[], size_t count)
{
    char shorter[KW_RESULTS_NAME] = "";
    const size_t at = owner(name, prefixes, count);
    if (at == count)
        return;
    (void)kw_copy_str(shorter, sizeof shorter, kw_span_str(behind(name, prefixes[at])));
    (void)kw_copy_str(name, KW_RESULTS_NAME, kw_span_str(shorter));
}

static void drop(struct kw_results_cell *c)
{
    kw_free(c->command);
    c->command = NULL;
    kw_counts_wipe(&c->histogram);
}

static void move(struct kw_results *r, size_t to, size_t from)
{
    if (to == from)
        return;
    r->cell[to] = r->cell[from];
    r->cell[from].command = NULL;
    r->cell[from].histogram = (struct kw_counts){0};
    for (size_t n = 0; n < r->rounds; n++)
        r->pulse_ns[n][to] = r->pulse_ns[n][from];
}

static kw_err check_names(const struct kw_results *r, struct kw_note *note)
{
    for (size_t i = 0; i < r->cell_count; i++)
        if (kw_results_cell(r, r->cell[i].name) != &r->cell[i]) {
            kw_note_set(note, "two cells would be called %s", r->cell[i].name);
            return kw_err_at(KW_CODE_BAD_INPUT, "split");
        }
    return KW_OK;
}

kw_err kw_split_keep(struct kw_results *r, const char *const prefixes[], size_t count,
                     size_t own, struct kw_note *note)
{
    size_t kept = 0, owned = 0;
    for (size_t i = 0; i < r->cell_count; i++) {
        struct kw_results_cell *c = &r->cell[i];
        const size_t at = owner(c->name, prefixes, count);
        if (at != own && at != count) {
            drop(c);
            continue;
        }
        owned += at == own ? 1 : 0;
        strip(c->name, prefixes, count);
        strip(c->axes.subject, prefixes, count);
        move(r, kept++, i);
    }
    r->cell_count = kept;
    strip(r->base, prefixes, count);
    strip(r->control, prefixes, count);
    if (owned > 0)
        return check_names(r, note);
    kw_note_set(note, "no cell's name begins with %s.", prefixes[own]);
    return kw_err_at(KW_CODE_MISSING, "split");
}
