/* SPDX-License-Identifier: Apache-2.0 */
/* print - the effective values as YAML, and the table as text */
#include "settings.h"

#include <string.h>

static void print_map(const struct kw_block *b, const struct kw_setting *map, int indent,
                      bool begun, FILE *out);

static void print_list(const struct kw_block *b, const struct kw_setting *s, FILE *out)
{
    fputs(" [", out);
    for (size_t i = 0; i < *kw_block_count(b, s); i++) {
        fputs(i > 0 ? ", " : "", out);
        kw_value_write(s, kw_block_target(b, s, i), out);
    }
    fputc(']', out);
}

static void print_vars(const struct kw_block *b, const struct kw_setting *s, int indent,
                       FILE *out)
{
    const struct kw_config_var *vars = kw_block_target(b, s, 0);
    size_t count = *kw_block_count(b, s);
    if (count == 0)
        fputs(" {}", out);
    for (size_t i = 0; i < count; i++) {
        fprintf(out, "\n%*s%s: ", indent + 2, "", vars[i].name);
        kw_value_quote(vars[i].value, out);
    }
}

static void print_items(const struct kw_setting *list, struct kw_config *config,
                        int indent, FILE *out)
{
    struct kw_block file = kw_block_file(config);
    for (size_t i = 0; i < *kw_block_count(&file, list); i++) {
        struct kw_block item = kw_block_item(config, list, i);
        fprintf(out, "%*s- ", indent + 2, "");
        print_map(&item, list, indent + 4, true, out);
    }
}

static void print_leaf(const struct kw_block *b, const struct kw_setting *s, int indent,
                       FILE *out)
{
    if (s->kind == KW_SETTING_VARS)
        print_vars(b, s, indent, out);
    else if (s->max > 0)
        print_list(b, s, out);
    else {
        fputc(' ', out);
        kw_value_write(s, kw_block_target(b, s, 0), out);
    }
    bool written = (*b->written >> kw_setting_index(s) & 1) != 0;
    fputs(written ? "\n" : "  # default\n", out);
}

/* `begun`: the first line has its indentation already, a list's dash. */
static void print_map(const struct kw_block *b, const struct kw_setting *map, int indent,
                      bool begun, FILE *out)
{
    for (size_t i = 0; i < KW_SETTINGS; i++) {
        const struct kw_setting *s = &kw_settings[i];
        const char *name = kw_setting_within(map, s);
        const bool left_out = s->whole && (*b->written >> kw_setting_index(s) & 1) == 0;
        if (name == NULL || left_out ||
            (s->max == 0 && kw_value_absent(s, kw_block_target(b, s, 0))))
            continue;
        fprintf(out, "%*s%s:", begun ? 0 : indent, "", name);
        begun = false;
        if (s->kind != KW_SETTING_MAP) {
            print_leaf(b, s, indent, out);
            continue;
        }
        fputc('\n', out);
        if (s->max > 0)
            print_items(s, b->base, indent, out); /* lists of mappings are the file's */
        else
            print_map(b, s, indent + 2, false, out);
    }
}

void kw_config_print(const struct kw_config *config, FILE *out)
{
    struct kw_config copy = *config; /* blocks are for reading and writing alike */
    struct kw_block file = kw_block_file(&copy);
    print_map(&file, KW_SETTING_ROOT, 0, false, out);
}

static void describe_one(const struct kw_setting *s, FILE *out)
{
    char allowed[KW_ALLOWED_TEXT];
    kw_value_allowed(s, allowed);
    fprintf(out, "%s\n    %s", s->path, allowed);
    if (s->standard == NULL)
        fputs("; required", out);
    else if (s->standard[0] != '\0')
        fprintf(out, "; default %s", s->standard);
    else if (s->kind != KW_SETTING_MAP)
        fputs("; no default", out);
    fprintf(out, "\n    %s\n", s->help);
}

void kw_config_describe(FILE *out)
{
    for (size_t i = 1; i < KW_SETTINGS; i++)
        describe_one(&kw_settings[i], out);
}
