/* SPDX-License-Identifier: Apache-2.0 */
/* tree - YAML to a document tree, after a first pass over its events
 *
 * The document tree has exact positions, but what is refused here (aliases, anchors,
 * tags, directives, a second document) is no longer visible in it. */
#include "tree.h"

#include <stdarg.h>
#include <stdio.h>

#define DEPTH_MAX 16 /* the deepest setting lies at 5 */

static kw_err bad_input(void)
{
    return kw_err_at(KW_CODE_BAD_INPUT, "config");
}

kw_err kw_config_fault(const struct kw_config_faults *t, yaml_mark_t at, const char *key,
                       const char *fmt, ...)
{
    char text[sizeof t->note->text];
    va_list args;
    va_start(args, fmt);
    vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    kw_note_set(t->note, "%s:%zu:%zu: %s: %s", t->name, at.line + 1, at.column + 1, key,
                text);
    return bad_input();
}

/* Where a byte lies; columns count characters, as libyaml's marks do. */
static yaml_mark_t mark_of(kw_span yaml, size_t offset)
{
    yaml_mark_t at = {.index = offset};
    for (size_t i = 0; i < offset && i < yaml.len; i++) {
        if (yaml.ptr[i] == '\n') {
            at.line++;
            at.column = 0;
        } else if ((yaml.ptr[i] & 0xc0) != 0x80)
            at.column++;
    }
    return at;
}

static kw_err parser_fault(const yaml_parser_t *p, kw_span yaml,
                           const struct kw_config_faults *t)
{
    if (p->error == YAML_MEMORY_ERROR)
        return kw_err_at(KW_CODE_NO_MEMORY, "config");
    bool unread = p->error == YAML_READER_ERROR;
    yaml_mark_t at = unread ? mark_of(yaml, p->problem_offset) : p->problem_mark;
    return kw_config_fault(t, at, "yaml", "%s",
                           p->problem != NULL ? p->problem : "cannot be read");
}

static kw_err parser_open(yaml_parser_t *p, kw_span yaml)
{
    if (yaml_parser_initialize(p) == 0)
        return kw_err_at(KW_CODE_NO_MEMORY, "config");
    yaml_parser_set_encoding(p, YAML_UTF8_ENCODING); /* never guess UTF-16 */
    yaml_parser_set_input_string(p, yaml.len > 0 ? yaml.ptr : (const uint8_t *)"",
                                 yaml.len);
    return KW_OK;
}

/* ---- first pass -------------------------------------------------------------------- */

struct events {
    unsigned documents, depth;
    bool ended;
};

static const char *node_fault(const yaml_char_t *anchor, const yaml_char_t *tag)
{
    if (anchor != NULL)
        return "anchors are not allowed; write the value where it belongs";
    return tag != NULL ? "tags are not allowed; leave the tag out" : NULL;
}

static const char *document_fault(const yaml_event_t *e, struct events *seen)
{
    if (e->data.document_start.version_directive != NULL ||
        e->data.document_start.tag_directives.start !=
            e->data.document_start.tag_directives.end)
        return "directives are not allowed; leave the line with % out";
    return seen->documents++ > 0 ? "a second document; only one is allowed" : NULL;
}

static const char *deeper(struct events *seen)
{
    return ++seen->depth > DEPTH_MAX ? "nested too deeply" : NULL;
}

static const char *event_fault(const yaml_event_t *e, struct events *seen)
{
    const char *fault = NULL;
    switch (e->type) {
    case YAML_ALIAS_EVENT:
        return "aliases are not allowed; write the value where it belongs";
    case YAML_SCALAR_EVENT: return node_fault(e->data.scalar.anchor, e->data.scalar.tag);
    case YAML_SEQUENCE_START_EVENT:
        fault = node_fault(e->data.sequence_start.anchor, e->data.sequence_start.tag);
        return fault != NULL ? fault : deeper(seen);
    case YAML_MAPPING_START_EVENT:
        fault = node_fault(e->data.mapping_start.anchor, e->data.mapping_start.tag);
        return fault != NULL ? fault : deeper(seen);
    case YAML_SEQUENCE_END_EVENT:
    case YAML_MAPPING_END_EVENT: seen->depth--; return NULL;
    case YAML_DOCUMENT_START_EVENT: return document_fault(e, seen);
    case YAML_STREAM_END_EVENT: seen->ended = true; return NULL;
    case YAML_NO_EVENT:
    case YAML_STREAM_START_EVENT:
    case YAML_DOCUMENT_END_EVENT: return NULL;
    }
    return NULL;
}

static kw_err look_through(kw_span yaml, const struct kw_config_faults *t)
{
    yaml_parser_t parser;
    struct events seen = {0};
    kw_err err = parser_open(&parser, yaml);
    if (kw_failed(err))
        return err;
    while (!kw_failed(err) && !seen.ended) {
        yaml_event_t event;
        if (yaml_parser_parse(&parser, &event) == 0) {
            err = parser_fault(&parser, yaml, t);
            break;
        }
        const char *fault = event_fault(&event, &seen);
        if (fault != NULL)
            err = kw_config_fault(t, event.start_mark, "yaml", "%s", fault);
        yaml_event_delete(&event);
    }
    yaml_parser_delete(&parser);
    return err;
}

/* ---- second pass ------------------------------------------------------------------- */

/* YAML allows a byte order mark at the beginning; told its encoding, libyaml trips on
 * it. */
static kw_span without_bom(kw_span yaml)
{
    struct kw_src src = kw_src_of(yaml);
    return kw_span_equal_str(kw_src_take(&src, 3), "\xef\xbb\xbf") ? kw_src_rest(&src)
                                                                   : yaml;
}

kw_err kw_tree_load(kw_span yaml, const struct kw_config_faults *t,
                    yaml_document_t *ret_doc)
{
    yaml_parser_t parser;
    yaml_document_t doc;
    yaml = without_bom(yaml);
    kw_err err = look_through(yaml, t);
    if (kw_failed(err))
        return err;
    err = parser_open(&parser, yaml);
    if (kw_failed(err))
        return err;
    if (yaml_parser_load(&parser, &doc) == 0)
        err = parser_fault(&parser, yaml, t);
    else if (yaml_document_get_root_node(&doc) == NULL) {
        yaml_document_delete(&doc);
        err = kw_config_fault(t, (yaml_mark_t){0}, "yaml", "the file is empty");
    } else
        *ret_doc = doc;
    yaml_parser_delete(&parser);
    return err;
}
