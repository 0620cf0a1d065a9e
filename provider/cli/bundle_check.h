/* SPDX-License-Identifier: Apache-2.0 */
/* bundle_check - is a bundle of evidence what its manifest says?
 *
 * The manifest is read once, and what is signed is what was read.  Nobody else than the
 * bundle's owner is expected to write there meanwhile; what is changed later is what the
 * signature shows.
 *
 * Threads:   one.
 * Blocking:  on the disk: each file is read.
 * Secrets:   none.
 */
#ifndef KEYWARD_CLI_BUNDLE_CHECK_H
#define KEYWARD_CLI_BUNDLE_CHECK_H

#include "bundle_manifest.h"

struct kw_bundle {
    struct kw_blob manifest; /* the bytes of manifest.json */
    size_t files;            /* so many does it list */
};

/* Its manifest is in the one spelling (kw_bundle_manifest); each listed file is there, a
 * regular one, with its size and SHA-256; nothing else is but folders and manifest.sig.  The
 * caller gives the blob back (kw_blob_wipe).
 * MISSING    no such folder, or no manifest in it
 * BAD_INPUT  it is not so; the note names the first thing
 * IO         something cannot be read;  NO_MEMORY */
KW_MUST_USE kw_err kw_bundle_check(const char *dir, struct kw_bundle *ret_bundle,
                                   struct kw_note *note);

/* Each file of the list, whoever made it, is an object of name, size and SHA-256, and no name
 * stands twice; each is there, a regular one, with its size and SHA-256; nothing else is but
 * folders and what `but` names (ended by NULL).
 * BAD_INPUT  it is not so, the note names the first thing;  IO, NO_MEMORY */
KW_MUST_USE kw_err kw_bundle_files(const char *dir, const json_t *files,
                                   const char *const but[], struct kw_note *note);

#endif
