/* SPDX-License-Identifier: Apache-2.0 */
/* compare - which settings two configurations have not in common */
#include "settings.h"

#include <string.h>

struct comparison {
    kw_config_told *told;
    void *ctx;
};

static void compare_tell(const struct comparison *c, const struct kw_block *b,
                         const struct kw_setting *s)
{
    char path[KW_SETTING_PATH];
    kw_setting_path(b, s, path);
    c->told(c->ctx, path);
}

bool kw_vars_equal(const struct kw_config_var *a, size_t a_count,
                   const struct kw_config_var *b, size_t b_count)
{
    size_t same = 0; /* no name is there twice */
    for (size_t i = 0; i < a_count; i++)
        for (size_t k = 0; k < b_count; k++)
            same +=
                strcmp(a[i].name, b[k].name) == 0 && strcmp(a[i].value, b[k].value) == 0;
    return a_count == b_count && same == a_count;
}

static bool same_list(const struct kw_block *a, const struct kw_block *b,
                      const struct kw_setting *s)
{
    const size_t n = *kw_block_count(a, s);
    bool same = n == *kw_block_count(b, s);
    for (size_t i = 0; same && i < n; i++)
        same = kw_value_equal(s, kw_block_target(a, s, i), kw_block_target(b, s, i));
    return same;
}

static bool same_leaf(const struct kw_block *a, const struct kw_block *b,
                      const struct kw_setting *s)
{
    if (s->kind == KW_SETTING_VARS)
        return kw_vars_equal(kw_block_target(a, s, 0), *kw_block_count(a, s),
                             kw_block_target(b, s, 0), *kw_block_count(b, s));
    if (s->max > 0)
        return same_list(a, b, s);
    return kw_value_equal(s, kw_block_target(a, s, 0), kw_block_target(b, s, 0));
}

static void compare_map(const struct comparison *c, const struct kw_block *a,
                        const struct kw_block *b, const struct kw_setting *map);

/* Lists of mappings are the file's. */
static void compare_items(const struct comparison *c, const struct kw_block *a,
                          const struct kw_block *b, const struct kw_setting *list)
{
    const size_t n = *kw_block_count(a, list), m = *kw_block_count(b, list);
    if (n != m)
        compare_tell(c, a, list);
    for (size_t i = 0; i < n && i < m; i++) {
        const struct kw_block item = kw_block_item(a->base, list, i);
        const struct kw_block other = kw_block_item(b->base, list, i);
        compare_map(c, &item, &other, list);
    }
}

static bool compare_has(const struct kw_block *b, const struct kw_setting *s)
{
    return !s->whole || (*b->written >> kw_setting_index(s) & 1) != 0;
}

static void compare_row(const struct comparison *c, const struct kw_block *a,
                        const struct kw_block *b, const struct kw_setting *s)
{
    if (s->kind == KW_SETTING_MAP && s->max > 0)
        compare_items(c, a, b, s);
    else if (s->kind == KW_SETTING_MAP)
        compare_map(c, a, b, s);
    else if (!same_leaf(a, b, s))
        compare_tell(c, a, s);
}

static void compare_map(const struct comparison *c, const struct kw_block *a,
                        const struct kw_block *b, const struct kw_setting *map)
{
    for (size_t i = 0; i < KW_SETTINGS; i++) {
        const struct kw_setting *s = &kw_settings[i];
        if (kw_setting_within(map, s) == NULL)
            continue;
        const bool here = compare_has(a, s);
        if (here != compare_has(b, s))
            compare_tell(c, a, s);
        else if (here)
            compare_row(c, a, b, s);
    }
}

void kw_config_compare(const struct kw_config *a, const struct kw_config *b,
                       kw_config_told *told, void *ctx)
{
    struct kw_config ours = *a,
                     theirs = *b; /* blocks are for reading and writing alike */
    const struct comparison c = {told, ctx};
    const struct kw_block file = kw_block_file(&ours), other = kw_block_file(&theirs);
    compare_map(&c, &file, &other, KW_SETTING_ROOT);
}
