/* SPDX-License-Identifier: Apache-2.0 */
/* audit_anchors - checkpoints that were kept elsewhere, against a log that is being read
 *
 * Each must agree with the log: one with another hash tells of a log that was written anew or
 * forked, one beyond the end of a log that was cut off.  One from before the first record that
 * is read says nothing, and one of another log says that there is, or was, another one.
 */
#ifndef KEYWARD_CLI_AUDIT_ANCHORS_H
#define KEYWARD_CLI_AUDIT_ANCHORS_H

#include <keyward/audit_anchor.h>

struct kw_anchors {
    struct kw_audit_anchor *at; /* in the order of their numbers */
    size_t count, room;
    size_t next; /* the first that has not been met */
    uint64_t agreed, earlier, others;
    uint64_t anchored_to; /* the last that agreed, when there is one */
    uint64_t line;        /* while they are read */
};

/* Empty lines are none.
 * IO         as kw_audit_lines;  BAD_INPUT  a line is no anchor; the note says which
 * NO_MEMORY  */
KW_MUST_USE kw_err kw_anchors_read(const char *path, struct kw_anchors *a,
                                   struct kw_note *note);
/* One more of them, that came from elsewhere; then sorted, once.  NO_MEMORY */
KW_MUST_USE kw_err kw_anchors_add(struct kw_anchors *a,
                                  const struct kw_audit_anchor *anchor);
void kw_anchors_sort(struct kw_anchors *a);
void kw_anchors_free(struct kw_anchors *a);

/* A record that was taken: `chain` is as it is behind it.  An anchor that it does not agree with
 * is told in the note, which is left alone otherwise. */
void kw_anchors_meet(struct kw_anchors *a, const struct kw_audit_record *r,
                     const struct kw_audit_chain *chain, struct kw_note *note);
/* There are no more records.  An anchor beyond the last is told in the note. */
void kw_anchors_end(struct kw_anchors *a, const struct kw_audit_chain *chain,
                    struct kw_note *note);

#endif
