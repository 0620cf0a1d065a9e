/* SPDX-License-Identifier: Apache-2.0 */
/* From bytes to a document of plain mappings, lists and scalars, and how a fault is
 * reported. */
#ifndef KEYWARD_CONFIG_TREE_H
#define KEYWARD_CONFIG_TREE_H

#include <yaml.h>

#include "settings.h"

struct kw_config_faults {
    const char *name; /* of the file, for messages */
    struct kw_note *note;
};

/* "<name>:<line>:<column>: <key>: <text>", and BAD_INPUT. */
kw_err kw_config_fault(const struct kw_config_faults *t, yaml_mark_t at, const char *key,
                       const char *fmt, ...) KW_PRINTF(4, 5);

/* The only document in `yaml`, free of aliases, anchors, tags and directives.  Its root
 * may be anything but missing.  yaml_document_delete it.
 * BAD_INPUT, NO_MEMORY */
KW_MUST_USE kw_err kw_tree_load(kw_span yaml, const struct kw_config_faults *t,
                                yaml_document_t *ret_doc);

static inline kw_span kw_scalar(const yaml_node_t *node)
{
    return kw_span_of(node->data.scalar.value, node->data.scalar.length);
}

#endif
