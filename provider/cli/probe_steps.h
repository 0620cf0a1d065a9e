/* SPDX-License-Identifier: Apache-2.0 */
/* probe_steps - what the probe does to a socket, in order
 *
 * Status, Encrypt and Decrypt, each with the rules that kube-apiserver checks; with
 * is_negative a ciphertext that must be refused; then `rounds` more of each.  The first
 * call that fails is the last.
 *
 * Threads:   one.
 * Blocking:  each call as probe_call says.
 */
#ifndef KEYWARD_CLI_PROBE_STEPS_H
#define KEYWARD_CLI_PROBE_STEPS_H

#include "probe_call.h"
#include "report.h"
#include "sample.h"

enum { KW_PROBE_SEED = 32 };

struct kw_probe {
    struct kw_report report;
    struct kw_probe_caller caller;
    size_t rounds;
    bool is_negative;
    uint8_t seed[KW_PROBE_SEED]; /* random, sealed for nobody: no secret */
    struct kw_client_reply *status, *encrypt, *decrypt;
    json_t *latency;         /* NULL: none is wanted */
    const char *sample_path; /* NULL: none is kept   */
    struct kw_sample sample;
    kw_err unreachable; /* of the first call: nothing is reported then */
    struct kw_note note;
};

/* Fails as kw_probe_connect does when nobody answered at all, and has reported nothing
 * then. */
KW_MUST_USE kw_err kw_probe_all(struct kw_probe *p, struct kw_note *note);

#endif
