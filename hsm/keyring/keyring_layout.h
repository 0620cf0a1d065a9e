/* SPDX-License-Identifier: Apache-2.0 */
/* keyring_layout - a document as text, to the byte (docs/FORMATS.md)
 *
 * The text depends on the values and their order alone, not on what a program makes of
 * them: what is kept unread goes back as it came. */
#ifndef KEYWARD_KEYRING_LAYOUT_H
#define KEYWARD_KEYRING_LAYOUT_H

#include <jansson.h>

#include <keyward/file.h>

/* Members and elements one a line, two spaces a level, down to the members of a version
 * (level 3); what lies deeper, and an object that holds no list and no object, stands on
 * one line.  Ends in a newline.  false when out of memory; *ret_text is untouched then.
 */
KW_MUST_USE bool kw_layout(json_t *root, struct kw_blob *ret_text);

/* The same value on one line, of at most `cap` bytes and without a NUL; its length, or
 * more than cap.  0 when out of memory. */
KW_MUST_USE size_t kw_layout_line(const json_t *value, char *dst, size_t cap);
/* The same as a C string; NULL when out of memory.  kw_free it. */
KW_MUST_USE char *kw_layout_owned_line(const json_t *value);

#endif
