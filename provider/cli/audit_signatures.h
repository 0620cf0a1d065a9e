/* SPDX-License-Identifier: Apache-2.0 */
/* audit_signatures - which checkpoints of a log that is being read are signed
 *
 * A signature covers all that lies before its checkpoint.  A stretch between two checkpoints
 * of which the later one has none of its own is unsigned, although a later signature covers
 * it, too: nobody who used the token said so at that time.
 */
#ifndef KEYWARD_CLI_AUDIT_SIGNATURES_H
#define KEYWARD_CLI_AUDIT_SIGNATURES_H

#include <keyward/audit_checkpoint.h>

struct kw_signatures {
    bool has_key; /* else they are counted, and that is all */
    uint8_t spki[KW_SPKI], sha256[KW_SHA256];
    struct {
        struct kw_checkpoint of;
        bool is_signed;
    } kept[KW_AUDIT_CHECKPOINTS_KEPT]; /* the oldest first */
    size_t count;
    bool knows_its_beginning;     /* no checkpoint lies before those that were read */
    uint64_t good, strangers;     /* by this key; by another one */
    uint64_t signed_to;           /* when one is good */
    bool has_news;                /* a record that is neither checkpoint nor signature */
    uint64_t news;                /* the last of these */
    uint64_t stretches;           /* unsigned, with a signed one behind */
    uint64_t from, to;            /* the last of them: what it does not cover, and does */
    bool is_unsigned;             /* the checkpoint that left `kept` last */
    bool has_left;                /* one did */
    uint64_t left, unsigned_from; /* what it covers; where the running stretch begins */
};

/* From the file of the public key.
 * IO, MISSING …  as kw_file_read;  BAD_INPUT  it is none; the note says so */
KW_MUST_USE kw_err kw_signatures_key(const char *path, struct kw_signatures *s,
                                     struct kw_note *note);

/* A record that was taken.  What is wrong with it is told in the note, which is left alone
 * otherwise. */
void kw_signatures_meet(struct kw_signatures *s, const struct kw_audit_record *r,
                        struct kw_note *note);
/* There are no more. */
void kw_signatures_end(struct kw_signatures *s);
/* After the end: is the last record covered, but for signatures and signed checkpoints? */
bool kw_signatures_cover_the_end(const struct kw_signatures *s);

#endif
