/* SPDX-License-Identifier: Apache-2.0 */
/* block - finding rows in the table, and what their offsets are offsets of */
#include "settings.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

const char *kw_setting_within(const struct kw_setting *map, const struct kw_setting *s)
{
    size_t n = strlen(map->path);
    const char *name = s->path + n;
    if (s == map || strncmp(s->path, map->path, n) != 0)
        return NULL;
    if (map->max > 0) {
        if (strncmp(name, "[]", 2) != 0)
            return NULL;
        name += 2;
    }
    if (n > 0) {
        if (*name != '.')
            return NULL;
        name++;
    }
    return strchr(name, '.') == NULL ? name : NULL;
}

const struct kw_setting *kw_setting_at(const char *path)
{
    size_t i = 0;
    while (i < KW_SETTINGS && strcmp(kw_settings[i].path, path) != 0)
        i++;
    KW_INVARIANT(i < KW_SETTINGS);
    return &kw_settings[i];
}

struct kw_block kw_block_file(struct kw_config *config)
{
    return (struct kw_block){config, &config->written, 0, 0};
}

struct kw_block kw_block_item(struct kw_config *config, const struct kw_setting *list,
                              size_t i)
{
    if (list->offset == offsetof(struct kw_config, tokens)) {
        struct kw_config_token *t = &config->tokens[i];
        return (struct kw_block){t, &t->written, 1 + i, i};
    }
    struct kw_config_class *c = &config->classes[i];
    return (struct kw_block){c, &c->written, 1 + KW_TOKENS_MAX + i, i};
}

void kw_setting_path(const struct kw_block *b, const struct kw_setting *s,
                     char dst[KW_SETTING_PATH])
{
    const char *list = strstr(s->path, "[]");
    if (s == KW_SETTING_ROOT)
        snprintf(dst, KW_SETTING_PATH, "document");
    else if (list != NULL)
        snprintf(dst, KW_SETTING_PATH, "%.*s[%zu]%s", (int)(list - s->path), s->path,
                 b->item, list + 2);
    else if (b->number != 0)
        snprintf(dst, KW_SETTING_PATH, "%s[%zu]", s->path, b->item);
    else
        snprintf(dst, KW_SETTING_PATH, "%s", s->path);
}
