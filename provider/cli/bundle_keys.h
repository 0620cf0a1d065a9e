/* SPDX-License-Identifier: Apache-2.0 */
/* bundle_keys - the public keys by which the audit logs of a bundle are judged
 *
 * Each control plane may have a pair of its own: of those that were given the one is taken
 * that its configuration names by its SHA-256.
 *
 * Threads:   one.
 * Blocking:  on the disk.
 */
#ifndef KEYWARD_CLI_BUNDLE_KEYS_H
#define KEYWARD_CLI_BUNDLE_KEYS_H

#include <keyward/args.h>
#include <keyward/sha256.h>

#include "bundle_node.h"

struct kw_bundle_keys {
    struct kw_bundle_key {
        const char *path;               /* borrowed */
        char sha256[2 * KW_SHA256 + 1]; /* of the SubjectPublicKeyInfo */
    } at[KW_WORDS_MAX];
    size_t count;
};

/* As kw_signatures_key; the note names the file. */
KW_MUST_USE kw_err kw_bundle_keys_read(const struct kw_words *files,
                                       struct kw_bundle_keys *ret_keys,
                                       struct kw_note *note);

/* The file that judges this node's log: of the keys that were given its own, else the first;
 * without any the audit.pem of its folder, whose path goes into `room`.  NULL: there is none. */
const char *kw_bundle_key_of(const struct kw_bundle_keys *keys,
                             const struct kw_bundle_node *node, char room[KW_PATH_MAX]);

/* SHA-256 of the key that the node's configuration names; NULL: none. */
const char *kw_bundle_key_configured(const struct kw_bundle_node *node);

#endif
