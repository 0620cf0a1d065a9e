/* SPDX-License-Identifier: Apache-2.0 */
/* kms_rig - a kms between a client that is the test and an HSM that is a fake
 *
 * The fake "seals" by flipping bits and adding a checksum over aad, iv and text; jobs
 * wait until the test lets them run.  Time stands still until told. */
#ifndef KEYWARD_TESTS_KMS_RIG_H
#define KEYWARD_TESTS_KMS_RIG_H

#include "check.h"

#include <keyward/alloc.h>

#include <keyward/kms.h>
#include <keyward/log.h>

enum { RIG_JOBS = 64, RIG_CALLS = 64 };
#define RIG_KEY_1 "kw1-1-0123456789abcdef01234567"
#define RIG_KEY_2 "kw1-2-89abcdef0123456789abcdef"

struct rig_job {
    kw_hsm_ticket ticket; /* 0 = free */
    enum kw_hsm_op op;
    char key_id[KW_KEY_ID_MAX + 1];
    uint8_t iv[KW_IV_MAX], aad[KW_AAD_MAX], input[KW_SEALED_MAX];
    size_t iv_len, aad_len, input_len;
    kw_deadline until;
    kw_hsm_done *done;
    void *ctx;
};

struct kw_hsm {
    struct rig_job jobs[RIG_JOBS];
    unsigned verifies; /* of what was submitted */
    kw_hsm_ticket last;
    struct kw_hsm_health health;
    kw_err version_err;          /* what version() answers for RIG_KEY_2         */
    enum kw_hsm_refusal refusal; /* and why                             */
    const char *more;            /* another key_id that is as RIG_KEY_2, or NULL */
    bool away;                   /* and MISSING for RIG_KEY_1                    */
    kw_err submit_err;           /* what submit() answers                        */
    kw_err answer_err;           /* what an unwrap or wrap answers               */
    bool cut;                    /* the answer to a wrap is a byte short         */
    int flip_at;                 /* this byte of an answer is flipped; -1 = none */
    const char *token;           /* that answers                                 */
    const char *blamed;          /* by the last distrust()                       */
    unsigned submitted, flushed, cancelled, distrusted, extended, worked, wrapped;
    bool cancel_too_late; /* cancel() answers false                       */
    bool ended;           /* extend() does: the answer is on its way      */
};

/* An audit log whose disk is the test: what was put waits for rig_record. */
struct rig_audit {
    kw_err health, put_err;
    bool counts; /* put: as a number only */
    struct kw_request *waiting[RIG_CALLS];
    unsigned put, waits, refused;
    unsigned missed, withheld, withheld_late;
    enum kw_code missed_as, withheld_as, late_as, on_record; /* the last one's */
    uint64_t withheld_seq;
};

struct rig {
    struct kw_fake_clock time;
    struct kw_clock clock;
    struct kw_lock lock;
    struct kw_hsm hsm;
    struct rig_audit audit;
    struct kw_kms *kms;
    struct kw_request calls[RIG_CALLS];
    unsigned done[RIG_CALLS]; /* how often done was called for each call */
    int64_t until[RIG_CALLS]; /* deadline of the client, mono; 0 = none */
};

/* Two classes: 0 "secrets" (fail-closed, accepts scope "old"), 1 "bulk" (serve-cached for
 * 10 minutes); caches of 4 entries for 60 s; HSM up with RIG_KEY_1 active. */
struct rig *rig_open(void);
void rig_close(struct rig *r);
/* The same with an audit log. */
struct rig *rig_open_recorded(bool allow);
/* This became of the record that has waited for the longest time. */
void rig_record(struct rig *r, kw_err err);

struct kw_request *rig_status(struct rig *r, unsigned i, unsigned class_index);
struct kw_request *rig_encrypt(struct rig *r, unsigned i, unsigned class_index,
                               kw_span seed);
struct kw_request *rig_decrypt(struct rig *r, unsigned i, unsigned class_index,
                               const char *key_id, kw_span ciphertext);
/* The client's own deadline of a call that is yet to begin. */
static inline void rig_until(struct rig *r, unsigned i, int64_t mono_ns)
{
    r->until[i] = mono_ns;
}
/* Lets the fake answer everything that waits, and what that brings up. */
void rig_run(struct rig *r);
/* Lets it answer one job only. */
void rig_run_one(struct rig *r);
unsigned rig_waiting(const struct rig *r); /* jobs at the fake */

/* A ciphertext as Encrypt of this rig would make it, in out[KW_CIPHERTEXT_MAX]. */
kw_span rig_seal(struct rig *r, const char *scope, const char *key_id, kw_span seed,
                 uint8_t *out);
/* true when call i is done, once, with this code. */
bool rig_ended(struct rig *r, unsigned i, enum kw_code code);

#endif
