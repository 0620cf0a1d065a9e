/* SPDX-License-Identifier: Apache-2.0 */
/* Checks of the control planes and their configuration. */
#include <string.h>

#include "judge.h"

static bool nodes_is(const json_t *row, const char *column, const char *text)
{
    return strcmp(kw_row_text(row, column), text) == 0;
}

void kw_judge_complete(struct kw_judge *j)
{
    const json_t *row;
    size_t i;
    json_array_foreach(kw_evidence_rows(j->e, KW_EVIDENCE_NODES), i, row)
    {
        if (!kw_row_is(row, "collected"))
            continue; /* said for every check */
        if (kw_row_is(row, "complete"))
            kw_judge_say(j, kw_row_text(row, "node"), KW_OUTCOME_PASS, "collected %s",
                         kw_row_text(row, "time"));
        else
            kw_judge_say(j, kw_row_text(row, "node"), KW_OUTCOME_NOT_ANSWERED,
                         "not looked at: %s", kw_row_text(row, "not_looked_at"));
    }
}

/* ---- do they agree? ---- */

static const json_t *nodes_first(const struct kw_judge *j)
{
    const json_t *row;
    size_t i;
    json_array_foreach(kw_evidence_rows(j->e, KW_EVIDENCE_NODES), i, row)
    {
        if (kw_row_is(row, "collected"))
            return row;
    }
    return NULL;
}

/* Does it wrap with the baseline?  A rotation is the time in which it does not. */
static bool nodes_wraps_with_another(const struct kw_judge *j, const char *node)
{
    const json_t *row;
    size_t i;
    json_array_foreach(kw_evidence_rows(j->e, KW_EVIDENCE_KEYS), i, row)
    {
        if (nodes_is(row, "node", node) &&
            kw_row_is(row, "baseline") != kw_row_is(row, "active_here"))
            return true;
    }
    return false;
}

void kw_judge_agree(struct kw_judge *j)
{
    const json_t *first = nodes_first(j), *row;
    size_t i;
    json_array_foreach(kw_evidence_rows(j->e, KW_EVIDENCE_NODES), i, row)
    {
        const char *node = kw_row_text(row, "node");
        const char *keyring = kw_row_text(row, "keyring_sha256");
        if (!kw_row_is(row, "collected"))
            continue;
        if (keyring[0] == '\0')
            kw_judge_say(j, node, KW_OUTCOME_FAIL, "it has no keyring");
        else if (!nodes_is(first, "keyring_sha256", keyring))
            kw_judge_say(j, node, KW_OUTCOME_FAIL, "its keyring is not that of %s",
                         kw_row_text(first, "node"));
        else if (nodes_wraps_with_another(j, node))
            kw_judge_say(j, node, KW_OUTCOME_FAIL,
                         "it does not wrap with the keyring's baseline");
        else
            kw_judge_say(j, node, KW_OUTCOME_PASS, "keyring %s", keyring);
    }
}

/* ---- policy ---- */

/* The value of a setting of this node; NULL: it has none. */
static const char *nodes_setting(const struct kw_judge *j, const char *node,
                                 const char *setting)
{
    const json_t *row;
    size_t i;
    json_array_foreach(kw_evidence_rows(j->e, KW_EVIDENCE_CONFIGURATION), i, row)
    {
        if (nodes_is(row, "node", node) && nodes_is(row, "setting", setting))
            return kw_row_text(row, "value");
    }
    return NULL;
}

#define CLASSES_MAX 64

static void nodes_judge_classes(struct kw_judge *j, const char *node)
{
    for (unsigned i = 0; i < CLASSES_MAX; i++) {
        char setting[64], subject[KW_SUBJECT_MAX];
        snprintf(setting, sizeof setting, "configuration.classes[%u].scope", i);
        const char *scope = nodes_setting(j, node, setting);
        if (scope == NULL)
            return;
        if (strcmp(scope, "secrets") != 0)
            continue;
        snprintf(setting, sizeof setting, "configuration.classes[%u].on_hsm_loss", i);
        const char *policy = nodes_setting(j, node, setting);
        snprintf(subject, sizeof subject, "%s, classes[%u]", node, i);
        kw_judge_say(j, subject,
                     policy == NULL                       ? KW_OUTCOME_NOT_ANSWERED
                     : strcmp(policy, "fail-closed") == 0 ? KW_OUTCOME_PASS
                                                          : KW_OUTCOME_FAIL,
                     "on-hsm-loss: %s", policy != NULL ? policy : "not answered");
    }
}

void kw_judge_fail_closed(struct kw_judge *j)
{
    const json_t *row;
    size_t i;
    json_array_foreach(kw_evidence_rows(j->e, KW_EVIDENCE_NODES), i, row)
        nodes_judge_classes(j, kw_row_text(row, "node"));
}

void kw_judge_audit_fail_closed(struct kw_judge *j)
{
    const json_t *row;
    size_t i;
    json_array_foreach(kw_evidence_rows(j->e, KW_EVIDENCE_NODES), i, row)
    {
        const char *node = kw_row_text(row, "node");
        const char *on_failure = nodes_setting(j, node, "configuration.audit.on_failure");
        const char *durability = nodes_setting(j, node, "configuration.audit.durability");
        if (!kw_row_is(row, "collected"))
            continue;
        if (on_failure == NULL || durability == NULL)
            kw_judge_say(j, node, KW_OUTCOME_FAIL, "there is no audit log");
        else
            kw_judge_say(j, node,
                         strcmp(on_failure, "deny") == 0 &&
                                 strcmp(durability, "sync") == 0
                             ? KW_OUTCOME_PASS
                             : KW_OUTCOME_FAIL,
                         "on-failure: %s, durability: %s", on_failure, durability);
    }
}

void kw_judge_custody(struct kw_judge *j)
{
    const json_t *row;
    size_t i;
    json_array_foreach(kw_evidence_rows(j->e, KW_EVIDENCE_STATED), i, row)
    {
        if (nodes_is(row, "what", "custodians"))
            kw_judge_say(j, kw_row_text(row, "value"), KW_OUTCOME_PASS, "SHA-256 %s",
                         kw_row_text(row, "sha256"));
    }
}
