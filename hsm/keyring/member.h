/* SPDX-License-Identifier: Apache-2.0 */
/* member - JSON objects as tables: one row a member, read and written by the same row
 *
 * An object is read strictly: every member of its table must be there, save those that
 * older programs did not write, and no other may.
 * Notes say which member is wrong and what it must be. */
#ifndef KEYWARD_KEYRING_MEMBER_H
#define KEYWARD_KEYRING_MEMBER_H

#include <stddef.h>

#include <jansson.h>

#include <keyward/bytes.h>
#include <keyward/file.h>

struct kw_member;

/* How values of a kind are read and written; reader and writer lie side by side. */
struct kw_member_kind {
    /* BAD_INPUT with *note saying what the value must be; NO_MEMORY. */
    kw_err (*read)(const struct kw_member *m, json_t *value, void *field,
                   struct kw_note *note);
    /* NULL when out of memory, or for what its reader would refuse. */
    json_t *(*write)(const struct kw_member *m, const void *field);
};

struct kw_member {
    const char *name;
    const struct kw_member_kind *kind;
    size_t offset; /* of the field in its struct                                    */
    size_t max;    /* text, hex: the field's bytes; number: the largest             */
    size_t len_at; /* hex, list: offset from the field to its size_t length         */
    bool nullable; /* null is "", 0, or an empty field                              */
    bool may_miss; /* a file that an older program wrote lacks it: as if it were null */
    const char *former; /* only pre-release builds wrote it: such a file is refused; what
                           to do with it, else NULL.  Nothing else of the row counts */
    bool newer; /* pre-release builds did not write it: a file without it is refused */
    const struct kw_member *table; /* object, list: its members, ended by a row without
                                      name */
    size_t stride; /* list: bytes of an element; max: how many there may be */
};

extern const struct kw_member_kind kw_kind_text;   /* char[max], printable (bytes.h) */
extern const struct kw_member_kind kw_kind_time;   /* char[max], RFC 3339 in UTC      */
extern const struct kw_member_kind kw_kind_hex;    /* uint8_t[max] and its length     */
extern const struct kw_member_kind kw_kind_u32;    /* 1..max                          */
extern const struct kw_member_kind kw_kind_u64;    /* 0..max                          */
extern const struct kw_member_kind kw_kind_i64;    /* any; a uint64_t keeps its bits  */
extern const struct kw_member_kind kw_kind_bool;   /* bool                            */
extern const struct kw_member_kind kw_kind_format; /* no field: the number must be max */
extern const struct kw_member_kind kw_kind_object; /* a struct with a table           */
extern const struct kw_member_kind kw_kind_moment; /* an object that begins with a text,
                                                      null when that is empty */
extern const struct kw_member_kind kw_kind_list;   /* an array of structs with a table */

/* Printable text (bytes.h) of 1..max - 1 bytes: what every text in these files must
 * be. */
bool kw_is_member_text(kw_span s, size_t max);

/* Fills the struct at `base` from a JSON object.  BAD_INPUT. */
KW_MUST_USE kw_err kw_members_read(const struct kw_member *table, json_t *object,
                                   void *base, struct kw_note *note);
/* The struct as a JSON object; NULL as a kind's write. */
json_t *kw_members_write(const struct kw_member *table, const void *base);

/* Puts "what: " in front of the note's text. */
void kw_note_prefix(struct kw_note *note, const char *what);
/* "element i: " */
void kw_note_element(struct kw_note *note, size_t i);

/* A whole document: at most `max` bytes, no duplicate members, nothing after it.
 * BAD_INPUT, NO_MEMORY.  What was filled in *base before a failure stays there. */
KW_MUST_USE kw_err kw_json_read(const struct kw_member *table, kw_span text, size_t max,
                                void *base, struct kw_note *note);
/* The canonical text (keyring_layout.h).  BAD_INPUT (text, time), NO_MEMORY. */
KW_MUST_USE kw_err kw_json_write(const struct kw_member *table, const void *base,
                                 struct kw_blob *ret_text);

#endif
