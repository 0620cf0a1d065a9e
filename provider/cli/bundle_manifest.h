/* SPDX-License-Identifier: Apache-2.0 */
/* bundle_manifest - the last two files of a bundle of evidence: VERIFY.txt says to a person
 * without keyward how it is verified, manifest.json lists every other file and is signed
 *
 * The manifest is a pure function of what is given, and there is one spelling of it: a file
 * a line, so that sed(1) gives what sha256sum(1) takes (docs/FORMATS.md section 11).
 *
 * Threads:   one.
 * Blocking:  kw_bundle_finish on the disk; the others never.
 * Secrets:   none.
 */
#ifndef KEYWARD_CLI_BUNDLE_MANIFEST_H
#define KEYWARD_CLI_BUNDLE_MANIFEST_H

#include <keyward/manifest.h>
#include <keyward/file.h>

#include "evidence_folder.h"

#define KW_BUNDLE_MANIFEST "manifest.json"
#define KW_BUNDLE_SIGNATURE "manifest.sig"
#define KW_BUNDLE_VERIFY "VERIFY.txt"

#define KW_BUNDLE_NAME_MAX 255u
#define KW_BUNDLE_MANIFEST_MAX ((size_t)64 << 20)

/* A file's name in a bundle: 1 to KW_BUNDLE_NAME_MAX of A-Z a-z 0-9 . _ - @ and /, in parts
 * that are neither empty nor "." nor "..", and not the manifest's or its signature's; the
 * first part does not begin with a dash. */
bool kw_bundle_is_name(const char *name);

/* What the manifest says besides the files; all borrowed.  Texts are 1 to 255 printable
 * characters of ASCII without " and \. */
struct kw_bundle_head {
    const char *version;      /* keyward's */
    const char *at;           /* when it was made */
    const char *from, *to;    /* the period */
    const char *const *nodes; /* names, in this order */
    size_t node_count;
    const char *const *audit_keys; /* SHA-256 of each SubjectPublicKeyInfo, in hex */
    size_t audit_key_count;
};

/* The bytes of manifest.json for these files ([{name, size, sha256}], any order, borrowed).
 * The caller gives the blob back (kw_blob_wipe).
 * BAD_INPUT  a name or text that is none (the note says which), or a name that is there twice
 * BUSY       it would be longer than KW_BUNDLE_MANIFEST_MAX
 * NO_MEMORY */
KW_MUST_USE kw_err kw_bundle_manifest(const struct kw_bundle_head *head,
                                      const json_t *files, struct kw_blob *ret_manifest,
                                      struct kw_note *note);

/* Always the same text. */
kw_span kw_bundle_verify_text(void);

/* Writes both, the manifest as the last one, and all of it is durable then: nothing more is
 * put there.  After a failure the caller removes the folder.
 * as kw_bundle_manifest and kw_evidence_put */
KW_MUST_USE kw_err kw_bundle_finish(struct kw_evidence_folder *folder,
                                    const struct kw_bundle_head *head,
                                    struct kw_note *note);

#endif
