/* SPDX-License-Identifier: Apache-2.0 */
#include "log_sample.h"

#include <stdio.h>

#include "check.h"

#define ZEROES "0000000000000000000000000000000000000000000000000000000000000000"

const char *sample_time(unsigned second)
{
    static char text[KW_AUDIT_TIME + 1];
    snprintf(text, sizeof text, "2026-11-28T%02u:%02u:%02u.000000Z",
             12 + second / 3600 % 12, second / 60 % 60, second % 60);
    return text;
}

void sample_put(struct log_sample *s, unsigned second, struct kw_audit_record record)
{
    kw_dst dst = {s->bytes, sizeof s->bytes, s->len};
    record.seq = s->next_seq++;
    record.time = kw_span_str(sample_time(second));
    record.mono_us = second * UINT64_C(1000000);
    CHECK_OK(kw_audit_write(&record, s->hash, &dst, s->hash));
    s->len = dst.len;
}

void sample_log(struct log_sample *s, uint8_t id)
{
    struct kw_audit_record r = {.kind = KW_AUDIT_GENESIS};
    s->len = 0;
    s->next_seq = 0;
    memset(s->hash, id, sizeof s->hash);
    kw_hex(s->id, sizeof s->id, kw_span_of(s->hash, sizeof s->hash));
    r.value[KW_AUDIT_GENESIS_FORMAT] = kw_audit_number(1);
    r.value[KW_AUDIT_GENESIS_LOG] = kw_audit_text(s->id);
    r.value[KW_AUDIT_GENESIS_NODE] = kw_audit_text("node-1");
    r.value[KW_AUDIT_GENESIS_BOOT] = kw_audit_text("unknown");
    r.value[KW_AUDIT_GENESIS_MACHINE] = KW_AUDIT_NULL;
    r.value[KW_AUDIT_GENESIS_VERSION] = kw_audit_text("0.1.0");
    r.value[KW_AUDIT_GENESIS_CONFIGURATION] = kw_audit_text(ZEROES);
    r.value[KW_AUDIT_GENESIS_KEYRING] = KW_AUDIT_NULL;
    r.value[KW_AUDIT_GENESIS_BEFORE] = KW_AUDIT_NULL;
    sample_put(s, 0, r);
}

/* ---- records ---- */

static struct kw_audit_value text_or_null(const char *text)
{
    return text != NULL ? kw_audit_text(text) : KW_AUDIT_NULL;
}

struct kw_audit_record sample_start(void)
{
    struct kw_audit_record r = {.kind = KW_AUDIT_START};
    r.value[KW_AUDIT_START_VERSION] = kw_audit_text("0.1.0");
    r.value[KW_AUDIT_START_BOOT] = kw_audit_text("unknown");
    r.value[KW_AUDIT_START_PID] = kw_audit_number(1);
    r.value[KW_AUDIT_START_CONFIGURATION] = kw_audit_text(ZEROES);
    r.value[KW_AUDIT_START_KEYRING] = KW_AUDIT_NULL;
    return r;
}

struct kw_audit_record sample_stop(void)
{
    struct kw_audit_record r = {.kind = KW_AUDIT_STOP};
    r.value[KW_AUDIT_STOP_REASON] = kw_audit_text("signal");
    return r;
}

struct kw_audit_record sample_act(const char *act, const char *key_id, const char *ticket,
                                  const char *outcome)
{
    struct kw_audit_record r = {.kind = KW_AUDIT_OPERATOR};
    r.value[KW_AUDIT_OPERATOR_ACT] = kw_audit_text(act);
    r.value[KW_AUDIT_OPERATOR_KEY_ID] = text_or_null(key_id);
    r.value[KW_AUDIT_OPERATOR_UID] = kw_audit_number(0);
    r.value[KW_AUDIT_OPERATOR_LOGIN_UID] = kw_audit_number(1000);
    r.value[KW_AUDIT_OPERATOR_TICKET] = text_or_null(ticket);
    r.value[KW_AUDIT_OPERATOR_OUTCOME] = kw_audit_text(outcome);
    return r;
}

struct kw_audit_record sample_call(const char *method, const char *key_id, unsigned code,
                                   const char *reason)
{
    struct kw_audit_record r = {.kind = KW_AUDIT_CALL};
    for (size_t i = 0; i < KW_AUDIT_CALL_VALUES; i++)
        r.value[i] = KW_AUDIT_NULL;
    r.value[KW_AUDIT_CALL_METHOD] = kw_audit_text(method);
    r.value[KW_AUDIT_CALL_CLASS] = kw_audit_text("secrets");
    r.value[KW_AUDIT_CALL_REQUEST] =
        kw_audit_text("6b770000-0000-4000-8000-000000000001");
    r.value[KW_AUDIT_CALL_KEY_ID] = text_or_null(key_id);
    r.value[KW_AUDIT_CALL_SOURCE] = kw_audit_text(code == 0 ? "hsm" : "none");
    r.value[KW_AUDIT_CALL_CODE] = kw_audit_number(code);
    r.value[KW_AUDIT_CALL_REASON] = kw_audit_text(reason);
    r.value[KW_AUDIT_CALL_TOOK_US] = kw_audit_number(1);
    return r;
}

struct kw_audit_record sample_checkpoint(struct log_sample *s, bool is_synchronised)
{
    static char head[2 * KW_SHA256 + 1];
    struct kw_audit_record r = {.kind = KW_AUDIT_CHECKPOINT};
    kw_hex(head, sizeof head, kw_span_of(s->hash, sizeof s->hash));
    r.value[KW_AUDIT_CHECKPOINT_LOG] = kw_audit_text(s->id);
    r.value[KW_AUDIT_CHECKPOINT_NODE] = kw_audit_text("node-1");
    r.value[KW_AUDIT_CHECKPOINT_COVERED] = kw_audit_number(s->next_seq - 1);
    r.value[KW_AUDIT_CHECKPOINT_HEAD] = kw_audit_text(head);
    r.value[KW_AUDIT_CHECKPOINT_RECORDS] = KW_AUDIT_NULL;
    r.value[KW_AUDIT_CHECKPOINT_SYNCHRONISED] = kw_audit_number(is_synchronised);
    return r;
}

struct kw_audit_record sample_operator_log(const struct log_sample *operators)
{
    static char head[2 * KW_SHA256 + 1];
    struct kw_audit_record r = {.kind = KW_AUDIT_OPERATOR_LOG};
    for (size_t i = 0; i < KW_AUDIT_OPERATOR_LOG_VALUES; i++)
        r.value[i] = KW_AUDIT_NULL;
    if (operators == NULL)
        return r;
    kw_hex(head, sizeof head, kw_span_of(operators->hash, KW_SHA256));
    r.value[KW_AUDIT_OPERATOR_LOG_LOG] = kw_audit_text(operators->id);
    r.value[KW_AUDIT_OPERATOR_LOG_LAST] = kw_audit_number(operators->next_seq - 1);
    r.value[KW_AUDIT_OPERATOR_LOG_HEAD] = kw_audit_text(head);
    return r;
}
