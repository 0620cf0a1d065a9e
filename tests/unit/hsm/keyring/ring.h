/* SPDX-License-Identifier: Apache-2.0 */
/* A good keyring of three versions, and ways to spoil it. */
#ifndef KEYWARD_TESTS_KEYRING_RING_H
#define KEYWARD_TESTS_KEYRING_RING_H

#include <keyward/act.h>
#include <keyward/keyring.h>
#include <keyward/moment.h>

#include "check.h"

/* Version 1 retired, 2 active, 3 accepted; serial 7; each key in one token. */
struct kw_keyring *good_ring(void);
/* The ring as a file that was written and read: with its digest.  Takes `ring`. */
struct kw_keyring *reread(struct kw_keyring *ring);
struct kw_version good_version(uint32_t n, enum kw_key_state state);
struct kw_keyring *good_file(void);
/* The next file, not yet written: a copy with the next serial, after `file`. */
struct kw_keyring *change(const struct kw_keyring *file);
/* The next file after this act of "ann", written and read. */
struct kw_keyring *acted(const struct kw_keyring *file, enum kw_act act, uint32_t n);
/* *file gives way to `next`. */
void becomes(struct kw_keyring **file, struct kw_keyring *next);
extern const struct kw_act_facts some_facts;

/* Its canonical text as a C string; until the next one. */
char *good_text(void);
char *text_of(struct kw_keyring *ring); /* takes it */

/* The text with the first `from` replaced by `to`; `from` must be there. */
char *swap(const char *text, const char *from, const char *to);

/* Parses; BAD_INPUT with each of the words in the note, and no ring. */
void refused(const char *json, const char *first, const char *second);
/* Writing the ring is refused, and so is what it would have read like. */
void cannot_be_written(const struct kw_keyring *ring);

/* A moment of this boot, by both clocks. */
struct kw_moment when(int64_t ns);

/* A folder of this process for the case; removed by folder_gone. */
const char *folder(void);
const char *in_folder(const char *name);
void folder_gone(void);
/* fsync(2) does nothing in these tests; while true, that of a folder fails with EIO:
 * after the rename, when the file is in its place already. */
extern bool folder_sync_fails;

#endif
