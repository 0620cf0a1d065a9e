/* SPDX-License-Identifier: Apache-2.0 */
/* audit_node - what a log says of the node that writes it, in its first record
 *
 * Source:    hostname(7), machine-id(5), random(4) (boot_id).
 * Threads:   plain values; any.
 * Blocking:  read, on the files that it reads.
 */
#ifndef KEYWARD_AUDIT_NODE_H
#define KEYWARD_AUDIT_NODE_H

#include <keyward/audit.h>
#include <keyward/moment.h>

/* Each as its member wants it; "" where there is none. */
struct kw_audit_node {
    char name[65], boot[KW_BOOT_ID], machine[33];
    char configuration[2 * KW_SHA256 + 1]; /* SHA-256 of the file */
    char keyring[2 * KW_SHA256 + 1];       /* "": none, or it cannot be read */
};

/* MISSING, IO, BAD_INPUT  the configuration cannot be read; NO_MEMORY */
KW_MUST_USE kw_err kw_audit_node_read(const char *configuration, const char *keyring,
                                      struct kw_audit_node *ret_node,
                                      struct kw_note *note);
/* The values of a GENESIS that are the node's; they borrow from it. */
void kw_audit_node_genesis(const struct kw_audit_node *node,
                           struct kw_audit_value dst[KW_AUDIT_GENESIS_VALUES]);
/* Null for "". */
struct kw_audit_value kw_audit_text_or_null(const char *text);

#endif
