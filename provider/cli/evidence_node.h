/* SPDX-License-Identifier: Apache-2.0 */
/* evidence_node - what a folder of evidence says of its node: node.json, and the copies of
 * configuration and keyring
 *
 * Neither a PIN nor its place leaves the node by node.json; the copy of the configuration
 * has its place, and the values of a token's variables only where they are places.
 *
 * Threads:   one.
 * Blocking:  on the disk.
 */
#ifndef KEYWARD_CLI_EVIDENCE_NODE_H
#define KEYWARD_CLI_EVIDENCE_NODE_H

#include <keyward/clock.h>
#include <keyward/sha256.h>

#include "context.h"
#include "evidence_folder.h"

#define KW_EVIDENCE_NODE_NAME 64u

/* 1 to 63 of a-z 0-9 . -, and neither "." nor "..": it is a folder's name, too */
bool kw_evidence_is_node_name(const char *name);

struct kw_evidence_node {
    char name[KW_EVIDENCE_NODE_NAME];
    char time[KW_TIME_TEXT];
    char configuration[2 * KW_SHA256 + 1]; /* of the file as it was read  */
    char keyring[2 * KW_SHA256 + 1];       /* of that; "": there is none  */
    json_t *redacted; /* names of what was taken out of the copy; [] : none was */
    json_t *audit;    /* what was copied of the logs, or why not */
    json_t *blind;    /* what could not be looked at, a text each */
};

/* Puts keyward.yaml there.
 * BUSY  it is another file by now than the one that was read;  errors of kw_file_read and
 *       of writing */
KW_MUST_USE kw_err kw_evidence_configuration(struct kw_evidence_folder *folder,
                                             const struct kw_context *context,
                                             const char *path,
                                             struct kw_evidence_node *node,
                                             struct kw_note *note);
/* Puts keyring.json there, if there is a keyring; BUSY as above. */
KW_MUST_USE kw_err kw_evidence_keyring(struct kw_evidence_folder *folder,
                                       const struct kw_context *context,
                                       struct kw_evidence_node *node,
                                       struct kw_note *note);
/* One more thing that could not be looked at. */
KW_MUST_USE kw_err kw_evidence_blind(struct kw_evidence_node *node, const char *fmt, ...)
    KW_PRINTF(2, 3);

/* A value that is no place of this machine is replaced in `config`; its name goes into
 * `redacted`.  NO_MEMORY */
KW_MUST_USE kw_err kw_evidence_redact(struct kw_config *config, json_t *redacted);

/* Pure: the document; NULL is out of memory.  Takes the lists of `node`, which are NULL
 * then; `files` is borrowed. */
json_t *kw_evidence_node_json(const struct kw_context *context,
                              struct kw_evidence_node *node, json_t *files);

#endif
