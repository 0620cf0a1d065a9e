/* SPDX-License-Identifier: Apache-2.0 */
/* reader - walks the document along the table
 *
 * Pairs are read in the order of the file, so that the first fault of the file is the one
 * that is told; what was not written then gets its default, in the order of the table. */
#include "reader.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <keyward/alloc.h>

static kw_err read_map(struct kw_reader *r, const struct kw_block *b,
                       const struct kw_setting *map, const yaml_node_t *node);
static kw_err fill_map(struct kw_reader *r, const struct kw_block *b,
                       const struct kw_setting *map, uint64_t written, yaml_mark_t at);

static const yaml_node_t *node_at(struct kw_reader *r, int i)
{
    return yaml_document_get_node(r->doc, i);
}

kw_err kw_reader_fault(struct kw_reader *r, const struct kw_block *b,
                       const struct kw_setting *s, const char *fmt, ...)
{
    char path[KW_SETTING_PATH], text[sizeof r->teller.note->text];
    va_list args;
    va_start(args, fmt);
    vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    kw_setting_path(b, s, path);
    return kw_config_fault(&r->teller, r->marks[b->number][kw_setting_index(s)], path,
                           "%s", text);
}

/* The common form: what is wrong with the value at `at`; what is allowed. */
static kw_err read_fault(struct kw_reader *r, const struct kw_block *b,
                         const struct kw_setting *s, yaml_mark_t at, const char *fault)
{
    char path[KW_SETTING_PATH], allowed[KW_ALLOWED_TEXT];
    kw_setting_path(b, s, path);
    kw_value_allowed(s, allowed);
    return kw_config_fault(&r->teller, at, path, "%s; allowed: %s", fault, allowed);
}

/* The same about a mapping as a whole, an item of a list of mappings too. */
static kw_err map_fault(struct kw_reader *r, const struct kw_block *b,
                        const struct kw_setting *map, yaml_mark_t at, const char *fault)
{
    char path[KW_SETTING_PATH];
    kw_setting_path(b, map, path);
    return kw_config_fault(&r->teller, at, path, "%s; allowed: mapping", fault);
}

static const char *wrong_type(const yaml_node_t *node)
{
    if (node->type == YAML_MAPPING_NODE)
        return "is a mapping";
    return node->type == YAML_SEQUENCE_NODE ? "is a list" : "is a single value";
}

/* ---- one value --------------------------------------------------------------------- */

static kw_err read_scalar(struct kw_reader *r, const struct kw_block *b,
                          const struct kw_setting *s, const yaml_node_t *node, size_t i)
{
    const char *fault = NULL;
    if (node->type != YAML_SCALAR_NODE)
        return read_fault(r, b, s, node->start_mark, wrong_type(node));
    bool plain = node->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
    kw_err e = kw_value_read(s, kw_scalar(node), plain, kw_block_target(b, s, i), &fault);
    if (e.code == KW_CODE_BAD_INPUT)
        return read_fault(r, b, s, node->start_mark, fault);
    return e;
}

/* ---- lists ------------------------------------------------------------------------- */

static bool said_before(struct kw_reader *r, const yaml_node_t *list, size_t upto)
{
    const yaml_node_item_t *items = list->data.sequence.items.start;
    kw_span text = kw_scalar(node_at(r, items[upto]));
    for (size_t i = 0; i < upto; i++)
        if (kw_span_equal(kw_scalar(node_at(r, items[i])), text))
            return true;
    return false;
}

static kw_err read_item(struct kw_reader *r, const struct kw_block *b,
                        const struct kw_setting *s, const yaml_node_t *list, size_t i)
{
    const yaml_node_t *node = node_at(r, list->data.sequence.items.start[i]);
    if (s->kind == KW_SETTING_MAP) {
        struct kw_block item = kw_block_item(r->config, s, i);
        return read_map(r, &item, s, node);
    }
    kw_err e = read_scalar(r, b, s, node, i);
    if (!kw_failed(e) && said_before(r, list, i))
        return read_fault(r, b, s, node->start_mark, "is there twice");
    return e;
}

static kw_err reader_read_list(struct kw_reader *r, const struct kw_block *b,
                               const struct kw_setting *s, const yaml_node_t *node)
{
    if (node->type != YAML_SEQUENCE_NODE)
        return read_fault(r, b, s, node->start_mark, wrong_type(node));
    const yaml_node_item_t *items = node->data.sequence.items.start;
    size_t count = (size_t)(node->data.sequence.items.top - items);
    if (count < s->least)
        return read_fault(r, b, s, node->start_mark, "is too short");
    if (count > s->max)
        return read_fault(r, b, s, node_at(r, items[s->max])->start_mark, "is too long");
    for (size_t i = 0; i < count; i++) {
        *kw_block_count(b, s) = i + 1; /* so that a half-read item is freed too */
        kw_err e = read_item(r, b, s, node, i);
        if (kw_failed(e))
            return e;
    }
    return KW_OK;
}

/* ---- variables --------------------------------------------------------------------- */

static const char *word_fault(const yaml_node_t *node, const struct kw_text_rule *rule)
{
    if (node->type != YAML_SCALAR_NODE)
        return wrong_type(node);
    return rule->fault(kw_scalar(node));
}

static kw_err read_word(struct kw_reader *r, const struct kw_block *b,
                        const struct kw_setting *s, const yaml_node_t *node,
                        const struct kw_text_rule *rule, char **ret_text)
{
    char path[KW_SETTING_PATH];
    const char *fault = word_fault(node, rule);
    if (fault != NULL) {
        kw_setting_path(b, s, path);
        return kw_config_fault(&r->teller, node->start_mark, path, "%s; allowed: %s",
                               fault, rule->allowed);
    }
    *ret_text = kw_strdup(kw_scalar(node));
    return *ret_text == NULL ? kw_err_at(KW_CODE_NO_MEMORY, "config") : KW_OK;
}

static kw_err read_var(struct kw_reader *r, const struct kw_block *b,
                       const struct kw_setting *s, const yaml_node_pair_t *pair)
{
    const yaml_node_t *name = node_at(r, pair->key);
    size_t count = (*kw_block_count(b, s))++;
    struct kw_config_var *vars = kw_block_target(b, s, 0);
    kw_err e = read_word(r, b, s, name, &kw_rule_var_name, &vars[count].name);
    for (size_t i = 0; i < count && !kw_failed(e); i++)
        if (strcmp(vars[i].name, vars[count].name) == 0)
            return read_fault(r, b, s, name->start_mark, "has this name twice");
    if (kw_failed(e))
        return e;
    return read_word(r, b, s, node_at(r, pair->value), &kw_rule_var_value,
                     &vars[count].value);
}

static kw_err read_vars(struct kw_reader *r, const struct kw_block *b,
                        const struct kw_setting *s, const yaml_node_t *node)
{
    if (node->type != YAML_MAPPING_NODE)
        return read_fault(r, b, s, node->start_mark, wrong_type(node));
    const yaml_node_pair_t *pair = node->data.mapping.pairs.start;
    for (; pair < node->data.mapping.pairs.top; pair++) {
        if (*kw_block_count(b, s) == s->max)
            return read_fault(r, b, s, node_at(r, pair->key)->start_mark, "is too long");
        kw_err e = read_var(r, b, s, pair);
        if (kw_failed(e))
            return e;
    }
    return KW_OK;
}

/* ---- keys -------------------------------------------------------------------------- */

static const struct kw_setting *reader_find(const struct kw_setting *map, kw_span key)
{
    for (size_t i = 0; i < KW_SETTINGS; i++) {
        const char *name = kw_setting_within(map, &kw_settings[i]);
        if (name != NULL && kw_span_equal_str(key, name))
            return &kw_settings[i];
    }
    return NULL;
}

static uint64_t bit_of(const struct kw_setting *s)
{
    return UINT64_C(1) << kw_setting_index(s);
}

static kw_err read_value(struct kw_reader *r, const struct kw_block *b,
                         const struct kw_setting *s, const yaml_node_t *node)
{
    r->marks[b->number][kw_setting_index(s)] = node->start_mark;
    *b->written |= bit_of(s);
    if (s->kind == KW_SETTING_VARS)
        return read_vars(r, b, s, node);
    if (s->max > 0)
        return reader_read_list(r, b, s, node);
    if (s->kind == KW_SETTING_MAP)
        return read_map(r, b, s, node);
    return read_scalar(r, b, s, node, 0);
}

static kw_err read_pair(struct kw_reader *r, const struct kw_block *b,
                        const struct kw_setting *map, const yaml_node_pair_t *pair)
{
    const yaml_node_t *key = node_at(r, pair->key);
    if (key->type != YAML_SCALAR_NODE)
        return map_fault(r, b, map, key->start_mark, "has a key that is no text");
    const struct kw_setting *s = reader_find(map, kw_scalar(key));
    if (s == NULL)
        return kw_reader_fault_unknown(r, b, map, key);
    if ((*b->written & bit_of(s)) != 0) {
        char path[KW_SETTING_PATH];
        kw_setting_path(b, s, path);
        return kw_config_fault(&r->teller, key->start_mark, path,
                               "is there twice; the first value stands in line %zu",
                               r->marks[b->number][kw_setting_index(s)].line + 1);
    }
    return read_value(r, b, s, node_at(r, pair->value));
}

static kw_err read_map(struct kw_reader *r, const struct kw_block *b,
                       const struct kw_setting *map, const yaml_node_t *node)
{
    if (node->type != YAML_MAPPING_NODE)
        return map_fault(r, b, map, node->start_mark, wrong_type(node));
    const yaml_node_pair_t *pair = node->data.mapping.pairs.start;
    for (; pair < node->data.mapping.pairs.top; pair++) {
        kw_err e = read_pair(r, b, map, pair);
        if (kw_failed(e))
            return e;
    }
    return fill_map(r, b, map, *b->written, node->start_mark);
}

/* ---- defaults ---------------------------------------------------------------------- */

/* "[0]" is a list of one, "[]" and "{}" are empty. */
static kw_err fill_value(const struct kw_block *b, const struct kw_setting *s)
{
    const char *fault = NULL;
    kw_span text = kw_span_str(s->standard);
    if (s->max > 0) {
        text = kw_span_of(text.ptr + 1, text.len - 2);
        *kw_block_count(b, s) = text.len > 0 ? 1 : 0;
    }
    if (text.len == 0)
        return KW_OK;
    kw_err e = kw_value_read(s, text, true, kw_block_target(b, s, 0), &fault);
    KW_INVARIANT(fault == NULL);
    return e;
}

static kw_err fill_map(struct kw_reader *r, const struct kw_block *b,
                       const struct kw_setting *map, uint64_t written, yaml_mark_t at)
{
    for (size_t i = 0; i < KW_SETTINGS; i++) {
        const struct kw_setting *s = &kw_settings[i];
        kw_err e = KW_OK;
        if (kw_setting_within(map, s) == NULL || (written & bit_of(s)) != 0 || s->whole)
            continue;
        r->marks[b->number][i] = at;
        if (s->standard == NULL)
            e = read_fault(r, b, s, at, "is missing");
        else if (s->kind == KW_SETTING_MAP)
            e = fill_map(r, b, s, written, at);
        else
            e = fill_value(b, s);
        if (kw_failed(e))
            return e;
    }
    return KW_OK;
}

kw_err kw_reader_run(struct kw_reader *r)
{
    struct kw_block file = kw_block_file(r->config);
    return read_map(r, &file, KW_SETTING_ROOT, yaml_document_get_root_node(r->doc));
}
