/* SPDX-License-Identifier: Apache-2.0 */
/* The one table of settings, and what a row can say. */
#ifndef KEYWARD_CONFIG_SETTINGS_H
#define KEYWARD_CONFIG_SETTINGS_H

#include <keyward/config.h>

enum kw_setting_kind {
    KW_SETTING_MAP,      /* a mapping with rows of its own                       */
    KW_SETTING_VARS,     /* a mapping of NAME: text, as many as `max`            */
    KW_SETTING_TEXT,     /* judged by `text`                                     */
    KW_SETTING_NUMBER,   /* lo..hi                                               */
    KW_SETTING_DURATION, /* lo..hi in ns                                         */
    KW_SETTING_CHOICE,   /* one of `choices`; its place among them is the value  */
    KW_SETTING_MODE,     /* octal                                                */
};

/* What a text may be.  `fault` gives NULL or a literal that says what is wrong; it never
 * repeats the text, which may be somebody's PIN in the wrong place. */
struct kw_text_rule {
    const char *allowed;
    const char *(*fault)(kw_span text);
};
extern const struct kw_text_rule kw_rule_domain, kw_rule_name, kw_rule_path,
    kw_rule_socket, kw_rule_uri, kw_rule_pin, kw_rule_var_name, kw_rule_var_value,
    kw_rule_label, kw_rule_sha256;

struct kw_setting {
    const char *path; /* "classes[].cache.ttl"; "" is the whole document */
    enum kw_setting_kind kind;
    const struct kw_text_rule *text;
    const char *choices; /* "test|production" */
    int64_t lo, hi;
    const char *standard; /* the default as it would be written; "" = may be left out,
                             NULL = must be said */
    bool whole;           /* a mapping that may be left out, and with it all its rows */
    const char *help;
    size_t offset, width; /* in the row's block; of one item for a list       */
    size_t least, max;    /* a list of least..max items when max is not 0     */
    size_t count_offset;  /* of a list's count                                */
};

#define KW_SETTINGS 50u
extern const struct kw_setting kw_settings[KW_SETTINGS];
#define KW_SETTING_ROOT (&kw_settings[0])

static inline size_t kw_setting_index(const struct kw_setting *s)
{
    return (size_t)(s - kw_settings);
}

/* ---- block.c ----------------------------------------------------------------------- */

/* The name of `s` within `map` when it is one of its keys, else NULL. */
const char *kw_setting_within(const struct kw_setting *map, const struct kw_setting *s);
/* The row of this path; a path that is no row is a bug. */
const struct kw_setting *kw_setting_at(const char *path);

/* Which struct a row's offsets are of: the file, one token or one class. */
struct kw_block {
    void *base;
    uint64_t *written;
    size_t number; /* 0 the file, else counted through all tokens and classes */
    size_t item;   /* place in its list                                       */
};
#define KW_BLOCKS (1u + KW_TOKENS_MAX + KW_CLASSES_MAX)
struct kw_block kw_block_file(struct kw_config *config);
/* Block of the i-th item of a list of mappings. */
struct kw_block kw_block_item(struct kw_config *config, const struct kw_setting *list,
                              size_t i);
static inline void *kw_block_target(const struct kw_block *b, const struct kw_setting *s,
                                    size_t i)
{
    return (uint8_t *)b->base + s->offset + i * s->width;
}
static inline size_t *kw_block_count(const struct kw_block *b, const struct kw_setting *s)
{
    return (size_t *)(void *)((uint8_t *)b->base + s->count_offset);
}

/* "classes[1].cache.ttl": the path of `s` in block `b`; of a list in the block of one of
 * its items, that item's: "classes[1]". */
#define KW_SETTING_PATH 64
void kw_setting_path(const struct kw_block *b, const struct kw_setting *s,
                     char dst[KW_SETTING_PATH]);

/* ---- compare.c --------------------------------------------------------------------- */

/* In whatever order they are written. */
bool kw_vars_equal(const struct kw_config_var *a, size_t a_count,
                   const struct kw_config_var *b, size_t b_count);

/* ---- value.c ----------------------------------------------------------------------- */

/* "a duration 1s..5m": what may stand there. */
#define KW_ALLOWED_TEXT 160
void kw_value_allowed(const struct kw_setting *s, char dst[KW_ALLOWED_TEXT]);
/* Reads one scalar into its target.  `plain` says that it was written without quotes.
 * BAD_INPUT with *ret_fault a literal; NO_MEMORY. */
KW_MUST_USE kw_err kw_value_read(const struct kw_setting *s, kw_span text, bool plain,
                                 void *target, const char **ret_fault);
/* Writes one scalar as YAML. */
void kw_value_write(const struct kw_setting *s, const void *target, FILE *out);
void kw_value_quote(const char *text, FILE *out);
bool kw_value_equal(const struct kw_setting *s, const void *a, const void *b);
/* Nothing was said and there is no default. */
bool kw_value_absent(const struct kw_setting *s, const void *target);

#endif
