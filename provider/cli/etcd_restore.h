/* SPDX-License-Identifier: Apache-2.0 */
/* etcd_restore - does everything that is current open with the keys that there are now?
 *
 * Each wrapped seed is judged as the daemon would judge a Decrypt of it: its provider's
 * endpoint is the socket of a class, whose scope it was sealed for; its key_id is of a
 * version of the keyring that unwraps.  What is left is unwrapped by a worker of the
 * tool's own, a child that logs in once under the uid that owns the token; it says yes or
 * no, and no seed leaves it.  No running daemon is asked.
 *
 * What another provider sealed is not judged, and then the whole is never restorable.
 *
 * Threads:   before the first thread.
 * Blocking:  as long as the vendor library does.
 * Secrets:   seeds, in the child's arena only.
 */
#ifndef KEYWARD_CLI_ETCD_RESTORE_H
#define KEYWARD_CLI_ETCD_RESTORE_H

#include <keyward/config.h>
#include <keyward/encryption_config.h>
#include <keyward/etcd_audit.h>
#include <keyward/keyring.h>

enum kw_restore_state {
    KW_RESTORE_NOT_JUDGED, /* not keyward's, by this configuration         */
    KW_RESTORE_REFUSED,    /* the daemon would refuse it, whatever the token has */
    KW_RESTORE_UNTRIED,    /* the token could not be asked                 */
    KW_RESTORE_FAILED,     /* the token was asked, and it does not open    */
    KW_RESTORE_OPENED,
};
const char *kw_restore_state_name(enum kw_restore_state state); /* "opens" */

/* `why` is a literal, "" for what opened. */
struct kw_restore_result {
    enum kw_restore_state state;
    uint32_t n; /* of the version that is to open it; 0: none */
    const char *why;
};

/* What parent and worker share. */
struct kw_restore_shared {
    char label[33], serial[17]; /* of the token that was asked; "" */
    struct kw_restore_result results[];
};

/* By what a provider's values are judged. */
struct kw_restore_by {
    const struct kw_encryption_config *encryption;
    const struct kw_config *config;
    const struct kw_keyring *ring;
};

/* One seed, without a token: UNTRIED with its version, REFUSED or NOT_JUDGED with why. */
struct kw_restore_result kw_restore_judge(const struct kw_restore_by *by,
                                          kw_span provider, kw_span key_id,
                                          kw_span wrapped, unsigned annotations);

/* Objects that are to be opened to the end: owned copies. */
#define KW_RESTORE_SAMPLE_BYTES                                                          \
    (64u << 20) /* of all of them; beyond, no more are taken */
struct kw_restore_sample {
    struct kw_restore_sample *next;
    kw_span key; /* in etcd */
    struct kw_stored stored;
    size_t i; /* its place among the results */
    uint8_t bytes[];
};

struct kw_restore {
    struct kw_restore_by by;
    const struct kw_config_token *token;
    uint64_t sample_wanted; /* of each row; 0: no object is opened */
    struct kw_restore_sample *samples;
    size_t sample_count, sample_bytes;
    bool samples_cut; /* there would have been more */
    /* Once it ran: */
    const struct kw_etcd_findings *findings;
    struct kw_restore_shared *shared;
    struct kw_restore_result *results; /* its: of the seeds, in their order, then of the
                                          samples */
    size_t result_count;
    kw_err token_err; /* why the token could not be asked */
    struct kw_note token_note;
};

/* kw_etcd_audit_options.sealed: takes the value when its row wants one more.  NO_MEMORY */
KW_MUST_USE kw_err kw_restore_take(struct kw_restore *restore, kw_span key,
                                   const struct kw_stored *stored,
                                   const struct kw_etcd_row *row);

/* Judges, and asks the token.  A token that cannot be asked is a result (token_err), no
 * failure.  NO_MEMORY */
KW_MUST_USE kw_err kw_restore_run(struct kw_restore *restore,
                                  const struct kw_etcd_findings *findings);
void kw_restore_free(struct kw_restore *restore);

/* What it comes to.  Seeds count when something current needs them. */
struct kw_restore_sum {
    uint64_t of[KW_RESTORE_OPENED + 1];      /* seeds that current objects need */
    uint64_t samples[KW_RESTORE_OPENED + 1]; /* objects */
    uint64_t others; /* current objects that no key of keyward's sealed */
};
enum kw_restore_verdict {
    KW_RESTORABLE,
    KW_RESTORE_PERHAPS, /* something was not judged, or could not be asked */
    KW_NOT_RESTORABLE,
};
const char *kw_restore_verdict_name(enum kw_restore_verdict verdict);
enum kw_restore_verdict kw_restore_verdict(const struct kw_restore *restore,
                                           struct kw_restore_sum *ret_sum);

#endif
