/* SPDX-License-Identifier: Apache-2.0 */
/* audit_checkpoints - when a checkpoint of the audit log is made, signed and told
 *
 * A minute after the first record that none covers, every 10,000 records, when a file
 * begins, and at the end; never of checkpoints and signatures alone.  The log has it first;
 * then the event audit-checkpoint tells it, for whoever keeps it elsewhere, and then the
 * token is asked to sign it.  Nothing waits for that: the signature comes into the log when it
 * comes, and those that were made meanwhile are signed then, in their order, as a token signs
 * none that covers less than one before.  Left out are those whose signature would likely come
 * too late for a reader, who remembers KW_AUDIT_CHECKPOINTS_KEPT of them.  One that failed is
 * asked for again every half a minute, for the last checkpoint alone: that says all that those
 * before it say.
 *
 * Threads:   main.
 * Blocking:  never.
 */
#ifndef KEYWARD_AUDIT_CHECKPOINTS_H
#define KEYWARD_AUDIT_CHECKPOINTS_H

#include <keyward/audit_writer.h>
#include <keyward/hsm.h>

struct kw_checkpoints_options {
    struct kw_audit_writer *writer; /* borrowed until the end */
    const struct kw_clock *clock;
    const char *node; /* as the genesis has it; borrowed */
    bool (*is_synchronised)(void *ctx);
    void (*counts)(void *ctx, uint64_t ret_counts[KW_CHECKPOINT_COUNTS]);
    /* As kw_hsm_ops.sign, and flush; FREE.  NULL: nothing signs. */
    kw_err (*sign)(void *ctx, const struct kw_hsm_sign *sign);
    uint8_t key[KW_SHA256]; /* of the SubjectPublicKeyInfo that signs */
    void *ctx;
};

/* Opaque; of its owner, who keeps it where it is until no signature is under way. */
struct kw_checkpoints {
    struct kw_checkpoints_options o;
    struct kw_checkpoint last; /* the last one in the log */
    uint64_t seen;             /* so many were            */
    bool signs, ends;          /* a signature is under way; of the last */
    bool has_signed;           /* since the start; and up to which record: */
    uint64_t signed_to;
    struct {
        struct kw_checkpoint what;
        uint64_t seen;
    } unsigned_[KW_AUDIT_CHECKPOINTS_KEPT]; /* that may still be signed, oldest first */
    size_t unsigned_count;
    struct kw_checkpoint signing;
    uint64_t signing_seen;
    int64_t again_ns; /* not before */
    enum kw_code failed;
};

void kw_checkpoints_begin(struct kw_checkpoints *c,
                          const struct kw_checkpoints_options *options);
/* Ten times a second, or more. */
void kw_checkpoints_look(struct kw_checkpoints *c);
/* From now on a checkpoint is made as soon as a record is there that none covers; `signs`
 * false: and none is signed. */
void kw_checkpoints_end(struct kw_checkpoints *c, bool signs);
/* After end: all that was put on record is covered, and that is signed, or will not be soon. */
bool kw_checkpoints_is_settled(struct kw_checkpoints *c);

#endif
