/* SPDX-License-Identifier: Apache-2.0 */
/* audit_verification - does each record of an audit log follow the one before, and what more
 * is known of the log
 *
 *   struct kw_verification v;
 *   kw_err e = kw_verification_begin(&v, &asked, note);
 *   if (!kw_failed(e))
 *       e = kw_verification_files(&v, files, note);
 *   if (!kw_failed(e))
 *       … kw_verification_verdict(&v) …
 *   kw_verification_free(&v);
 *
 * Threads:   one.
 * Blocking:  on the files.  Memory does not grow with the log: with the anchors, and up to
 *            KW_COVERAGE_MAX intervals.
 */
#ifndef KEYWARD_CLI_AUDIT_VERIFICATION_H
#define KEYWARD_CLI_AUDIT_VERIFICATION_H

#include <limits.h>

#include "audit_anchors.h"
#include "audit_coverage.h"
#include "audit_files.h"
#include "audit_signatures.h"

struct kw_verification_asked {
    const char *anchors;            /* path; NULL: none are asked for                 */
    struct kw_anchors *at_hand;     /* sorted, and taken; NULL: only those of the file */
    const char *key;                /* path of the public key; NULL: nobody is asked  */
    const struct kw_period *period; /* NULL: coverage is not asked for     */
    struct kw_audit_chain from;     /* {0}: its first record says where it begins */
    /* Each record that was taken, in their order; NULL: nobody wants them.  The record is
     * borrowed until it returns. */
    void (*each)(void *self, const struct kw_audit_record *record);
    void *self;
};

struct kw_verification {
    void (*each)(void *self, const struct kw_audit_record *record);
    void *self;
    char file[PATH_MAX]; /* that is being read */
    struct kw_audit_chain chain;
    uint64_t files, first, records, of_kind[KW_AUDIT_KINDS];
    uint64_t line, offset; /* in the file: where the last record that was taken ends */
    bool is_unended;       /* the last line of all has no line feed */
    bool wants_anchors;
    struct kw_anchors
        anchors; /* whoever has them otherwise puts them here, and says so */
    struct kw_signatures signatures;
    bool wants_period;
    struct kw_coverage coverage;
    struct kw_covered covered; /* of a log that is not broken */
    kw_err err;                /* it cannot go on, whatever the log is */
    struct kw_note why;        /* what is broken; "" */
};

/* Reads anchors and key.  To be freed also when it fails.
 * Errors are those of kw_anchors_read and kw_signatures_key. */
KW_MUST_USE kw_err kw_verification_begin(struct kw_verification *v,
                                         const struct kw_verification_asked *asked,
                                         struct kw_note *note);
/* Reads up to the end, or to what is broken.  That is a verdict, no failure.
 * Errors are those of kw_audit_files. */
KW_MUST_USE kw_err kw_verification_files(struct kw_verification *v,
                                         const struct kw_words *files,
                                         struct kw_note *note);
/* The same of the log of this name in a folder (kw_audit_folder): without a file, or a
 * record, nothing is broken. */
KW_MUST_USE kw_err kw_verification_folder(struct kw_verification *v, const char *folder,
                                          const char *name, struct kw_note *note);
void kw_verification_free(struct kw_verification *v);

enum kw_audit_verdict {
    KW_AUDIT_VERDICT_SOUND,
    KW_AUDIT_VERDICT_INCOMPLETE, /* each record follows, and something is missing, was not as it
                              had been left, or is not said by whom it was to be */
    KW_AUDIT_VERDICT_BROKEN, /* a record does not follow, or there is none */
};
/* "sound" … */
const char *kw_audit_verdict_word(enum kw_audit_verdict verdict);
enum kw_audit_verdict kw_verification_verdict(const struct kw_verification *v);

/* A record does not follow: behind `line` and `offset` of `file`, as `why` has it. */
bool kw_verification_is_broken(const struct kw_verification *v);
/* Anchors were given, and none agreed, or there were those of another log. */
bool kw_verification_lacks_anchors(const struct kw_verification *v);
/* A key was given, and not all is signed by it, each stretch in its time. */
bool kw_verification_lacks_signatures(const struct kw_verification *v);

/* Records that say that something is not as a log that was never touched has it. */
enum { KW_VERIFICATION_MARKS = 5 };
struct kw_verification_mark {
    enum kw_audit_kind kind;
    const char *words;
};
extern const struct kw_verification_mark kw_verification_marks[KW_VERIFICATION_MARKS];

#endif
