/* SPDX-License-Identifier: Apache-2.0 */
/* audit_door - what kms asks of the audit log
 *
 * An Encrypt or a Decrypt is put on record before its answer leaves: put, and what became of
 * the record is told.  What cannot be put on record is counted instead (missed), and what was
 * on record as released and then was not is told after it (withhold, withhold_late): the log
 * may claim more releases than there were, never fewer.
 *
 * Threads:   any, unless said otherwise.  None wants the big lock, none minds it.
 * Blocking:  never: the disk is somebody else's (audit_writer.h).
 */
#ifndef KEYWARD_AUDIT_DOOR_H
#define KEYWARD_AUDIT_DOOR_H

#include <keyward/err.h>

struct kw_request;

/* The record of this request: `seq` is its number, 0 when it has none (yet).
 * OK        it is on the disk
 * DEADLINE  it took too long: it may come into the log yet; what is answered is known before
 *           this returns, and told by withhold_late if it is another code than OK
 * AUDIT     it is not in the log
 * Main thread, once for each successful put. */
typedef void kw_audit_told(struct kw_request *request, kw_err err, uint64_t seq);

struct kw_audit_ops {
    /* OK, or AUDIT: nothing can be put on record now. */
    kw_err (*health)(void *audit);
    /* The request stays as it is until it is told of.  *ret_waits false: it is one of many
     * refusals that are recorded as a number, within a second or so; nothing is told.
     * AUDIT  nothing is put on record; count it */
    kw_err (*put)(void *audit, struct kw_request *request, bool *ret_waits);
    /* Of a request that was refused before it came to kms, from its filled facts and err; it
     * is not kept, and nobody is told.  What cannot be put on record is counted. */
    void (*refuse)(void *audit, const struct kw_request *request);
    /* It is not on record, and was answered with this code. */
    void (*missed)(void *audit, const struct kw_request *request, enum kw_code code);
    /* Record `seq` says OK, but this was answered. */
    void (*withhold)(void *audit, uint64_t seq, enum kw_code code);
    /* The record that is being told of as late says OK, but this is answered: that follows it
     * when it comes into the log, and is counted when it does not.  Main thread. */
    void (*withhold_late)(void *audit, enum kw_code code);
};
struct kw_audit_door {
    const struct kw_audit_ops *ops; /* NULL: there is no audit log */
    void *audit;
    bool allow; /* on-failure: answers leave without a record */
};

#endif
