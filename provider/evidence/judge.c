/* SPDX-License-Identifier: Apache-2.0 */
/* Which checks there are, and what they share. */
#include "judge.h"

#include <stdarg.h>
#include <string.h>

#include <keyward/bytes.h>
#include <keyward/clock.h>
#include <keyward/keyring.h>

#include "controls.h"
#include "source.h"

/* ---- rows ---- */

const char *kw_row_text(const json_t *row, const char *column)
{
    const char *text = json_string_value(json_object_get(row, column));
    return text != NULL ? text : "";
}

json_int_t kw_row_number(const json_t *row, const char *column)
{
    return json_integer_value(json_object_get(row, column));
}

bool kw_row_is(const json_t *row, const char *column)
{
    return json_is_true(json_object_get(row, column));
}

bool kw_row_says(const json_t *row, const char *column, const char *text)
{
    return strcmp(kw_row_text(row, column), text) == 0;
}

bool kw_row_is_null(const json_t *row, const char *column)
{
    return !json_object_get(row, column) || json_is_null(json_object_get(row, column));
}

bool kw_row_time(const json_t *row, const char *column, int64_t *ret_us)
{
    const kw_span text = kw_span_str(kw_row_text(row, column));
    if (!kw_is_time(text))
        return false;
    *ret_us = kw_time_us(text);
    return true;
}

bool kw_row_is_usable(const json_t *row)
{
    enum kw_key_state state;
    return kw_key_state_from_name(kw_row_text(row, "state"), &state) &&
           kw_key_state_unwraps(state);
}

bool kw_row_is_unknown(const json_t *row)
{
    enum kw_key_state state;
    return !kw_key_state_from_name(kw_row_text(row, "state"), &state);
}

void kw_judge_subject(const json_t *row, char dst[KW_SUBJECT_MAX])
{
    static const struct {
        const char *column, *before;
    } parts[] = {{"node", ""},   {"token", "token "}, {"report", ""},
                 {"key_id", ""}, {"attribute", ""},   {"setting", ""}};
    size_t len = 0;
    dst[0] = '\0';
    for (size_t i = 0; i < sizeof parts / sizeof parts[0] && len < KW_SUBJECT_MAX; i++) {
        const char *text = kw_row_text(row, parts[i].column);
        if (text[0] != '\0')
            len += (size_t)snprintf(dst + len, KW_SUBJECT_MAX - len, "%s%s%s",
                                    len > 0 ? ", " : "", parts[i].before, text);
    }
}

/* ---- what is said ---- */

void kw_judge_say(struct kw_judge *j, const char *subject, const char *outcome,
                  const char *fmt, ...)
{
    char why[512], of[KW_SUBJECT_MAX];
    va_list args;
    va_start(args, fmt);
    vsnprintf(why, sizeof why, fmt, args);
    va_end(args);
    kw_copy_printable(why, sizeof why, kw_span_str(why));
    kw_copy_printable(of, sizeof of, kw_span_str(subject));
    kw_evidence_add(j->e, KW_EVIDENCE_CHECKS,
                    json_pack("{s:s, s:s, s:s, s:s, s:s, s:s}", "check", j->check,
                              "subject", of, "outcome", outcome, "why", why, "tables",
                              j->tables, "command", j->command));
    j->said++;
}

void kw_judge_rule(struct kw_judge *j, const struct kw_judge_rule *rule)
{
    const json_t *row;
    size_t i;
    json_array_foreach(kw_evidence_rows(j->e, rule->table), i, row)
    {
        char subject[KW_SUBJECT_MAX];
        json_t *value = kw_source_as_text(json_object_get(row, rule->column));
        const char *text = json_string_value(value);
        kw_judge_subject(row, subject);
        kw_judge_say(j, subject,
                     text == NULL                      ? KW_OUTCOME_NOT_ANSWERED
                     : strcmp(text, rule->wanted) == 0 ? KW_OUTCOME_PASS
                                                       : KW_OUTCOME_FAIL,
                     "%s is %s; it must be %s", rule->column,
                     text != NULL ? text : "not answered", rule->wanted);
        json_decref(value);
    }
}

/* ---- the checks ---- */

#define COLLECT "keyward evidence collect"
#define KEYRING "keyward key create, activate, …"
#define ETCD_AUDIT "keyward etcd audit"
#define STATED "what the operator states"

static const struct {
    const char *check, *tables, *command, *nothing;
    kw_judge_run *run; /* NULL: by the rule */
    struct kw_judge_rule rule;
    bool is_apart; /* it asks nothing of the control planes */
} checks[] = {
    {"nodes-complete",
     "nodes logs",
     COLLECT,
     "no control plane was named",
     kw_judge_complete,
     {0}},
    {"nodes-agree",
     "nodes keys configuration",
     COLLECT,
     "no control plane was collected",
     kw_judge_agree,
     {0}},
    {"tokens-asked",
     "tokens",
     COLLECT,
     "there is no token",
     NULL,
     {KW_EVIDENCE_TOKENS, "asked", "true"}},
    {"hardware-token",
     "tokens",
     COLLECT,
     "there is no token",
     NULL,
     {KW_EVIDENCE_TOKENS, "softhsm", "false"}},
    {"hsm-certificate",
     "tokens stated",
     STATED,
     "there is no token",
     kw_judge_certificate,
     {0}},
    {"key-attributes",
     "tokens keys attributes",
     COLLECT,
     "there is no usable key",
     kw_judge_attributes,
     {0}},
    {"key-generated-in-token",
     "tokens keys attributes",
     COLLECT,
     "there is no usable key",
     kw_judge_generated,
     {0}},
    {"key-strength",
     "tokens keys attributes",
     COLLECT,
     "there is no usable key",
     kw_judge_strength,
     {0}},
    {"key-identity",
     "tokens keys",
     COLLECT,
     "there is no usable key",
     kw_judge_identity,
     {0}},
    {"cryptoperiod",
     "nodes keys configuration rotations",
     KEYRING,
     "no version was ever the baseline",
     kw_judge_cryptoperiod,
     {0}},
    {"key-ended",
     "nodes keys configuration rotations acts",
     KEYRING,
     "there is no keyring",
     kw_judge_ended,
     {0}},
    {"second-copy",
     "nodes keys configuration copies",
     "keyward key prove",
     "there is no usable key",
     kw_judge_second_copy,
     {0}},
    {"invocations",
     "calls logs",
     COLLECT,
     "no log has a call",
     kw_judge_invocations,
     {0}},
    {"algorithms",
     "tokens algorithms",
     COLLECT,
     "there is no token",
     NULL,
     {KW_EVIDENCE_TOKENS, "self_test", "true"}},
    {"iv-source",
     "tokens",
     COLLECT,
     "there is no token",
     NULL,
     {KW_EVIDENCE_TOKENS, "iv_source", "token"}},
    {"fail-closed",
     "nodes configuration",
     COLLECT,
     "no configuration has a class of secrets",
     kw_judge_fail_closed,
     {0}},
    {"audit-fail-closed",
     "configuration",
     COLLECT,
     "there is no configuration",
     kw_judge_audit_fail_closed,
     {0}},
    {"log-sound", "logs", COLLECT, "there is no log", kw_judge_sound, {0}},
    {"log-covers-period",
     "nodes logs coverage",
     COLLECT,
     "there is no log",
     kw_judge_covers,
     {0}},
    {"log-signed",
     "logs coverage stated",
     COLLECT,
     "there is no log",
     kw_judge_signed,
     {0}},
    {"log-anchored",
     "logs coverage",
     "what received the lines audit-checkpoint",
     "there is no log",
     kw_judge_anchored,
     {0}},
    {"clock-synchronised", "logs", COLLECT, "there is no log", kw_judge_clock, {0}},
    {"operator-log-sound",
     "logs",
     COLLECT,
     "there is no log",
     kw_judge_operator_sound,
     {0}},
    {"operator-tickets",
     "nodes acts logs",
     COLLECT,
     "there is no operators' log",
     kw_judge_tickets,
     {0}},
    {"etcd-encrypted",
     "rotations etcd objects",
     ETCD_AUDIT,
     "no report on etcd was given",
     kw_judge_encrypted,
     {0},
     true},
    {"etcd-no-leftovers",
     "rotations etcd objects",
     ETCD_AUDIT,
     "no report on etcd was given",
     kw_judge_leftovers,
     {0},
     true},
    {"backup-restorable",
     "rotations etcd objects",
     ETCD_AUDIT " --restorable",
     "no report of --restorable was given",
     kw_judge_restorable,
     {0},
     true},
    {"custody-stated",
     "stated",
     STATED,
     "no file of the custodians is named",
     kw_judge_custody,
     {0},
     true},
};

/* What was not collected passes nothing. */
static void judge_missing_nodes(struct kw_judge *j)
{
    const json_t *row;
    size_t i;
    json_array_foreach(kw_evidence_rows(j->e, KW_EVIDENCE_NODES), i, row)
    {
        if (!kw_row_is(row, "collected"))
            kw_judge_say(j, kw_row_text(row, "node"), KW_OUTCOME_NOT_ANSWERED,
                         "nothing was collected of it");
    }
}

void kw_evidence_judge(struct kw_evidence *e)
{
    for (size_t i = 0; i < sizeof checks / sizeof checks[0]; i++) {
        struct kw_judge j = {e, checks[i].check, checks[i].tables, checks[i].command, 0};
        if (checks[i].run != NULL)
            checks[i].run(&j);
        else
            kw_judge_rule(&j, &checks[i].rule);
        if (!checks[i].is_apart)
            judge_missing_nodes(&j);
        if (j.said == 0)
            kw_judge_say(&j, "all", KW_OUTCOME_NOT_ANSWERED, "%s", checks[i].nothing);
    }
    kw_evidence_controls(e);
}
