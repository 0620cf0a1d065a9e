/* SPDX-License-Identifier: Apache-2.0 */
/* log_sample - an audit log that a test writes, record by record, in memory
 *
 * Any failure here fails the case. */
#ifndef KEYWARD_TESTS_LOG_SAMPLE_H
#define KEYWARD_TESTS_LOG_SAMPLE_H

#include <keyward/audit.h>

#define SAMPLE_KEY "kw1-1-00112233445566778899aabb"

enum { SAMPLE_MAX = 1 << 20 };
struct log_sample {
    uint8_t bytes[SAMPLE_MAX];
    size_t len;
    uint8_t hash[KW_SHA256]; /* of the last record */
    char id[2 * KW_SHA256 + 1];
    uint64_t next_seq;
};

/* With its genesis, at 2026-11-28T12:00:00Z; each byte of the id is `id`. */
void sample_log(struct log_sample *s, uint8_t id);
/* So many seconds later. */
void sample_put(struct log_sample *s, unsigned second, struct kw_audit_record record);
/* 2026-11-28T12:00:00.000000Z and so many seconds; good until the next call. */
const char *sample_time(unsigned second);

struct kw_audit_record sample_start(void);
struct kw_audit_record sample_stop(void);
/* key_id, login and ticket may be NULL; borrowed. */
struct kw_audit_record sample_act(const char *act, const char *key_id, const char *ticket,
                                  const char *outcome);
struct kw_audit_record sample_call(const char *method, const char *key_id, unsigned code,
                                   const char *reason);
struct kw_audit_record sample_checkpoint(struct log_sample *s, bool is_synchronised);
/* Where the other log stands; NULL: it is none.  Good until the next call. */
struct kw_audit_record sample_operator_log(const struct log_sample *operators);

#endif
