/* SPDX-License-Identifier: Apache-2.0 */
/* bundle_node - a folder of `keyward evidence collect`, taken into a bundle
 *
 * The folder is taken as it was collected: each file that node.json lists is there, with its
 * size and SHA-256, and no other is; and its documents speak of one keyring, the one in it, of
 * each version of it, and of a token at least.  That it was not made by somebody else, or
 * changed with its node.json, is not shown by this.
 *
 * Threads:   one.
 * Blocking:  on the disk: each file is read.
 * Secrets:   none.
 */
#ifndef KEYWARD_CLI_BUNDLE_NODE_H
#define KEYWARD_CLI_BUNDLE_NODE_H

#include <keyward/config.h>
#include <keyward/evidence.h>
#include <keyward/keyring.h>
#include <keyward/sha256.h>

#include "evidence_folder.h"
#include "evidence_node.h"

struct kw_bundle_node {
    char name[KW_EVIDENCE_NODE_NAME];
    const char *dir; /* NULL: nothing was collected of it */
    char sha256[2 * KW_SHA256 + 1];
    json_t *node;
    json_t *tokens[KW_TOKENS_MAX];
    size_t token_count;
    struct kw_keyring *ring; /* NULL: it has none */
};

/* "NAME=DIR", or "NAME": nothing was collected.  false: it is neither. */
KW_MUST_USE bool kw_bundle_node_named(const char *word, struct kw_bundle_node *ret_node);

/* Reads the folder, if there is to be one.
 * MISSING    no such folder, or it has no node.json
 * BAD_INPUT  it is not as it was collected, or of another node; the note names the file
 * IO, NO_MEMORY */
KW_MUST_USE kw_err kw_bundle_node_read(struct kw_bundle_node *node, struct kw_note *note);
void kw_bundle_node_free(struct kw_bundle_node *node);

/* Is this file there? */
bool kw_bundle_node_has(const struct kw_bundle_node *node, const char *name);

/* Copies into nodes/NAME/ all but the audit log, which may be long; what it is, node.json
 * says.  As kw_evidence_copy; BAD_INPUT  a file is not the one that was read */
KW_MUST_USE kw_err kw_bundle_node_copy(const struct kw_bundle_node *node,
                                       struct kw_evidence_folder *folder,
                                       struct kw_note *note);

#endif
