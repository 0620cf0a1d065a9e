/* SPDX-License-Identifier: Apache-2.0 */
/* From the document tree to the struct, row by row, and the checks across rows. */
#ifndef KEYWARD_CONFIG_READER_H
#define KEYWARD_CONFIG_READER_H

#include "tree.h"

struct kw_reader {
    struct kw_config_faults teller;
    yaml_document_t *doc;
    struct kw_config *config;
    /* Where each value stands; of one that was not written, where its mapping begins. */
    yaml_mark_t marks[KW_BLOCKS][KW_SETTINGS];
};

/* Fills config with what the document and the defaults say.  BAD_INPUT, NO_MEMORY. */
KW_MUST_USE kw_err kw_reader_run(struct kw_reader *r);

/* BAD_INPUT at the place of setting `s` of block `b`. */
kw_err kw_reader_fault(struct kw_reader *r, const struct kw_block *b,
                       const struct kw_setting *s, const char *fmt, ...) KW_PRINTF(4, 5);

/* BAD_INPUT at a key that `map` does not have, with what was meant or what there is. */
kw_err kw_reader_fault_unknown(struct kw_reader *r, const struct kw_block *b,
                               const struct kw_setting *map, const yaml_node_t *key);

/* What no row can say alone.  BAD_INPUT. */
KW_MUST_USE kw_err kw_check_all(struct kw_reader *r, size_t locked_max);

#endif
