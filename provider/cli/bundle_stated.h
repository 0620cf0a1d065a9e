/* SPDX-License-Identifier: Apache-2.0 */
/* bundle_stated - what only the operator can say, out of a file of his (docs/EVIDENCE.md)
 *
 * Threads:   one.
 * Blocking:  on the disk: each file that is named is read.
 */
#ifndef KEYWARD_CLI_BUNDLE_STATED_H
#define KEYWARD_CLI_BUNDLE_STATED_H

#include <jansson.h>

#include <keyward/bytes.h>

/* The document; each file that it names, relative to its own folder, has its `sha256`.
 * BAD_INPUT  no JSON, a member that is not known, or of another kind; the note names it
 * MISSING    it, or a file that it names, is not there;  IO, NO_MEMORY */
KW_MUST_USE kw_err kw_bundle_stated(const char *path, json_t **ret_stated,
                                    struct kw_note *note);
/* Days; `standard` where it says nothing of it. */
uint32_t kw_bundle_cryptoperiod(const json_t *stated, uint32_t standard);

#endif
