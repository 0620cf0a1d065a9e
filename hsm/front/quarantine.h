/* SPDX-License-Identifier: Apache-2.0 */
/* quarantine - inputs that were being executed when a worker died
 *
 * One death is bad luck, a second one of the same input without a success in between is a
 * suspicion: the input is refused for a while.  Only unwraps are remembered (their input
 * is ciphertext); a wrap never comes twice.  Pure; the caller holds the lock. */
#ifndef KEYWARD_FRONT_QUARANTINE_H
#define KEYWARD_FRONT_QUARANTINE_H

#include <keyward/bytes.h>
#include <keyward/clock.h>
#include <keyward/limits.h>
#include <keyward/wire.h>

/* key_id, iv, aad and sealed part, as the job's message holds them. */
#define KW_SAMPLE_MAX (8u + KW_KEY_ID_MAX + KW_IV_MAX + KW_AAD_MAX + KW_SEALED_MAX)
#define KW_QUARANTINE_MAX 16u
#define KW_QUARANTINE_NS (INT64_C(600) * KW_S_NS) /* then it may try again */

struct kw_suspect {
    unsigned deaths; /* 0 = free */
    int64_t last_ns;
    size_t len;
    uint8_t sample[KW_SAMPLE_MAX];
};
struct kw_quarantine {
    size_t used; /* suspects with deaths > 0 */
    struct kw_suspect suspects[KW_QUARANTINE_MAX];
};

/* What is remembered of an unwrap; 0 for anything else.  dst has KW_SAMPLE_MAX bytes. */
size_t kw_sample_of(const struct kw_wire_job *job, uint8_t *dst);

/* A worker died over this input; the longest-ago suspect makes room.  Returns how many
 * workers did by now. */
unsigned kw_quarantine_strike(struct kw_quarantine *q, kw_span sample, int64_t now_ns);
/* It was served: no suspicion is left. */
void kw_quarantine_clear(struct kw_quarantine *q, kw_span sample);
/* Two deaths, the last one not long ago. */
bool kw_quarantine_holds(const struct kw_quarantine *q, kw_span sample, int64_t now_ns);

#endif
