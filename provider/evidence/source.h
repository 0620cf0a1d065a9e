/* SPDX-License-Identifier: Apache-2.0 */
/* source - values out of a document that somebody collected
 *
 * The first value that is missing, or of another kind, is noted with its document's name, and
 * stays; until that is looked at, null stands in its place.
 */
#ifndef KEYWARD_EVIDENCE_SOURCE_H
#define KEYWARD_EVIDENCE_SOURCE_H

#include <keyward/evidence.h>

struct kw_source {
    const char *name; /* of the document */
    kw_err err;
    struct kw_note *note; /* where a failure is told */
};

/* The member of `in`, borrowed; never NULL.  `kind`: s text, t time, v outcome, b true or
 * false, i whole number, a list, o object; with a ? behind it null, or no such member, is good
 * as well.  Of an `in`
 * that is null, or none, it is null, and that is no failure. */
json_t *kw_source_get(struct kw_source *source, const json_t *in, const char *name,
                      const char *kind);
/* The same, as text; NULL: it is null. */
const char *kw_source_text(struct kw_source *source, const json_t *in, const char *name,
                           const char *kind);
/* Is `row`, an element of the list of this name, an object?  BAD_INPUT else; false also when
 * something failed before. */
KW_MUST_USE bool kw_source_is_row(struct kw_source *source, const json_t *row,
                                  const char *list);
/* Is it a document that says {"collected": what, "format": 1}?  BAD_INPUT else. */
KW_MUST_USE kw_err kw_source_begin(struct kw_source *source, const json_t *document,
                                   const char *what);

/* "true", "false", a number in decimal, a text as it is, else null: a new value. */
json_t *kw_source_as_text(const json_t *value);
/* A list of texts with this between them: a new value; NULL is out of memory. */
json_t *kw_source_joined(const json_t *list, const char *between);

/* A failure, when there are more: a document that somebody made may have any number. */
void kw_source_limit(struct kw_source *source, size_t count, size_t max, const char *of);

#endif
