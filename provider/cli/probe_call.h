/* SPDX-License-Identifier: Apache-2.0 */
/* probe_call - the probe's calls, one after the other, and why one failed
 *
 * Threads:   one.
 * Blocking:  each call at most `timeout_ns`, and a second more when it failed.
 */
#ifndef KEYWARD_CLI_PROBE_CALL_H
#define KEYWARD_CLI_PROBE_CALL_H

#include <keyward/client.h>

#include "probe_progress.h"

enum kw_probe_method { KW_PROBE_STATUS, KW_PROBE_ENCRYPT, KW_PROBE_DECRYPT };
extern const char *const kw_probe_method_name[3];

#define KW_PROBE_UID_TEXT 37

struct kw_probe_caller {
    struct kw_client *client;
    const char *socket;
    int64_t timeout_ns;
    struct kw_probe_progress progress;
    unsigned answered;           /* calls that the server answered, however      */
    char uid[KW_PROBE_UID_TEXT]; /* of the last request, as kube-apiserver makes it */
};

/* Opens the client.  `out`: where the progress is shown, or NULL. */
KW_MUST_USE kw_err kw_probe_caller_open(struct kw_probe_caller *c, const char *socket,
                                        int64_t timeout_ns, FILE *out,
                                        struct kw_note *note);
void kw_probe_caller_close(struct kw_probe_caller *c);

/* Call `at` of `of`.  `input` is Encrypt's plaintext or Decrypt's ciphertext.  As
 * kw_client_status …: what the server said is in *reply. */
KW_MUST_USE kw_err kw_probe_call(struct kw_probe_caller *c, enum kw_probe_method method,
                                 size_t at, size_t of, kw_span input, const char *key_id,
                                 struct kw_client_reply *reply);

/* Whether somebody answers on the socket still, after a call that failed with `e` or with
 * the status in *reply.  KW_OK: the failure is the server's word, or its answer, and the
 * note says which; else what kw_probe_connect says. */
KW_MUST_USE kw_err kw_probe_call_why(struct kw_probe_caller *c,
                                     enum kw_probe_method method, kw_err e,
                                     const struct kw_client_reply *reply,
                                     struct kw_note *note);

#endif
