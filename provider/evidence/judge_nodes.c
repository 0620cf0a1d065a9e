/* SPDX-License-Identifier: Apache-2.0 */
/* Checks of the control planes and their configuration. */
#include <string.h>

#include "judge.h"

const char *kw_judge_untimely(const struct kw_judge *j, const json_t *node)
{
    const struct kw_evidence_head *head = kw_evidence_head(j->e);
    int64_t time_us = 0;
    if (!kw_row_time(node, "time", &time_us))
        return "nobody knows when it was collected";
    if (time_us < head->to_us)
        return "it was collected before the period was over";
    return time_us > head->at_us
               ? "it was collected later than the bundle is said to be made"
               : NULL;
}

/* The control plane, named before this one, that has the same log; NULL: none. */
static const char *nodes_twin(const struct kw_judge *j, const char *node)
{
    const json_t *logs = kw_evidence_rows(j->e, KW_EVIDENCE_LOGS), *mine, *other;
    size_t i, k;
    json_array_foreach(logs, i, mine)
    {
        const char *id = kw_row_text(mine, "log_id");
        if (!kw_row_says(mine, "node", node) || id[0] == '\0')
            continue;
        json_array_foreach(logs, k, other)
        {
            if (k < i && kw_row_says(other, "log_id", id) &&
                !kw_row_says(other, "node", node))
                return kw_row_text(other, "node");
        }
    }
    return NULL;
}

void kw_judge_complete(struct kw_judge *j)
{
    const json_t *row;
    size_t i;
    json_array_foreach(kw_evidence_rows(j->e, KW_EVIDENCE_NODES), i, row)
    {
        if (!kw_row_is(row, "collected"))
            continue; /* said for every check */
        const char *untimely = kw_judge_untimely(j, row);
        const char *twin = nodes_twin(j, kw_row_text(row, "node"));
        if (twin != NULL)
            kw_judge_say(j, kw_row_text(row, "node"), KW_OUTCOME_FAIL,
                         "its log is that of %s: one control plane under two names",
                         twin);
        else if (untimely != NULL)
            kw_judge_say(j, kw_row_text(row, "node"), KW_OUTCOME_NOT_ANSWERED,
                         "collected %s: %s", kw_row_text(row, "time"), untimely);
        else if (kw_row_is(row, "complete") &&
                 kw_row_text(row, "not_looked_at")[0] == '\0')
            kw_judge_say(j, kw_row_text(row, "node"), KW_OUTCOME_PASS, "collected %s",
                         kw_row_text(row, "time"));
        else
            kw_judge_say(j, kw_row_text(row, "node"), KW_OUTCOME_NOT_ANSWERED,
                         "not looked at: %s", kw_row_text(row, "not_looked_at"));
    }
}

/* ---- do they agree? ---- */

/* The value of a setting of this node; NULL: it has none. */
static const char *nodes_setting(const struct kw_judge *j, const char *node,
                                 const char *setting)
{
    const json_t *row;
    size_t i;
    json_array_foreach(kw_evidence_rows(j->e, KW_EVIDENCE_CONFIGURATION), i, row)
    {
        if (kw_row_says(row, "node", node) && kw_row_says(row, "setting", setting))
            return kw_row_text(row, "value");
    }
    return NULL;
}

/* Whose keyring the tables of keyrings are of; the first one among equals, and of all when
 * nobody's was understood.  NULL: nobody has one. */
static const json_t *nodes_newest(const struct kw_judge *j)
{
    const json_t *row, *newest = NULL;
    size_t i;
    json_array_foreach(kw_evidence_rows(j->e, KW_EVIDENCE_NODES), i, row)
    {
        const bool is_understood = !kw_row_is_null(row, "keyring_serial");
        if (kw_row_text(row, "keyring_sha256")[0] == '\0')
            continue;
        if (newest == NULL ||
            (is_understood && (kw_row_is_null(newest, "keyring_serial") ||
                               kw_row_number(row, "keyring_serial") >
                                   kw_row_number(newest, "keyring_serial"))))
            newest = row;
    }
    return newest;
}

/* Does it wrap with the baseline?  A rotation is the time in which it does not. */
enum nodes_wraps { WRAPS_WITH_NONE, WRAPS_WITH_BASELINE, WRAPS_WITH_ANOTHER };

static enum nodes_wraps nodes_wraps(const struct kw_judge *j, const char *node)
{
    enum nodes_wraps wraps = WRAPS_WITH_NONE;
    const json_t *row;
    size_t i;
    json_array_foreach(kw_evidence_rows(j->e, KW_EVIDENCE_KEYS), i, row)
    {
        const bool is_baseline = kw_row_is(row, "baseline");
        if (!kw_row_says(row, "node", node))
            continue;
        if (is_baseline != kw_row_is(row, "active_here"))
            return WRAPS_WITH_ANOTHER;
        if (is_baseline)
            wraps = WRAPS_WITH_BASELINE;
    }
    return wraps;
}

/* The outcome, and why in words: does it take its keyring, and wrap with its baseline? */
static const char *nodes_judge_use(const struct kw_judge *j, const json_t *row,
                                   struct kw_note *ret_why)
{
    const char *node = kw_row_text(row, "node");
    const char *refused = nodes_setting(j, node, "keyring.refused_here");
    const char *doubt = nodes_setting(j, node, "keyring.doubt");
    const char *unknown = nodes_setting(j, node, "keyring.state_unknown");
    const enum nodes_wraps wraps = nodes_wraps(j, node);
    const char *outcome = KW_OUTCOME_NOT_ANSWERED;
    if (refused != NULL && refused[0] != '\0') {
        kw_note_set(ret_why, "it does not take its keyring: %s", refused);
        outcome = KW_OUTCOME_FAIL;
    } else if (doubt != NULL && doubt[0] != '\0') {
        kw_note_set(ret_why, "of its keyring it says: %s", doubt);
        outcome = KW_OUTCOME_FAIL;
    } else if (unknown != NULL && unknown[0] != '\0') {
        kw_note_set(ret_why, "what it wraps with is not known: %s", unknown);
    } else if (wraps == WRAPS_WITH_ANOTHER) {
        kw_note_set(ret_why, "it does not wrap with the keyring's baseline");
        outcome = KW_OUTCOME_FAIL;
    } else if (refused == NULL || doubt == NULL || unknown == NULL) {
        kw_note_set(ret_why, "what it does with its keyring was not asked");
    } else if (wraps == WRAPS_WITH_NONE) {
        kw_note_set(ret_why, "there is no baseline");
    } else {
        kw_note_set(ret_why, "keyring %s", kw_row_text(row, "keyring_sha256"));
        outcome = KW_OUTCOME_PASS;
    }
    return outcome;
}

/* The outcome, and why in words: is its keyring, and its use of it, that of the newest? */
static const char *nodes_judge_keyring(const struct kw_judge *j, const json_t *row,
                                       struct kw_note *ret_why)
{
    const char *keyring = kw_row_text(row, "keyring_sha256");
    const json_t *newest = nodes_newest(j);
    if (newest == NULL || keyring[0] == '\0')
        kw_note_set(ret_why, "it has no keyring");
    else if (!kw_row_says(newest, "keyring_sha256", keyring))
        kw_note_set(ret_why, "its keyring is not that of %s",
                    kw_row_text(newest, "node"));
    else if (!kw_row_is_null(row, "keyring_serial"))
        return nodes_judge_use(j, row, ret_why);
    else {
        kw_note_set(ret_why, "its keyring was not understood");
        return KW_OUTCOME_NOT_ANSWERED;
    }
    return KW_OUTCOME_FAIL;
}

void kw_judge_agree(struct kw_judge *j)
{
    const json_t *row;
    size_t i;
    json_array_foreach(kw_evidence_rows(j->e, KW_EVIDENCE_NODES), i, row)
    {
        struct kw_note why;
        if (!kw_row_is(row, "collected"))
            continue;
        const char *outcome = nodes_judge_keyring(j, row, &why);
        kw_judge_say(j, kw_row_text(row, "node"), outcome, "%s", why.text);
    }
}

void kw_judge_others(struct kw_judge *j)
{
    const json_t *row;
    size_t i;
    json_array_foreach(kw_evidence_rows(j->e, KW_EVIDENCE_NODES), i, row)
    {
        struct kw_note why;
        const char *node = kw_row_text(row, "node"), *untimely;
        if (!kw_row_is(row, "collected"))
            continue;
        if ((untimely = kw_judge_untimely(j, row)) != NULL)
            kw_judge_say(j, node, KW_OUTCOME_NOT_ANSWERED, "%s", untimely);
        else if (strcmp(nodes_judge_keyring(j, row, &why), KW_OUTCOME_PASS) != 0)
            kw_judge_say(j, node, KW_OUTCOME_NOT_ANSWERED, "%s", why.text);
    }
}

/* ---- policy ---- */

#define CLASSES_MAX 64
#define ACCEPTED_MAX 64

/* Is it of this scope, or does it decrypt what is? */
static bool nodes_class_is_of(const struct kw_judge *j, const char *node, unsigned i,
                              const char *scope)
{
    char setting[64];
    const char *is;
    snprintf(setting, sizeof setting, "configuration.classes[%u].scope", i);
    is = nodes_setting(j, node, setting);
    if (is != NULL && strcmp(is, scope) == 0)
        return true;
    for (unsigned k = 0; k < ACCEPTED_MAX; k++) {
        snprintf(setting, sizeof setting, "configuration.classes[%u].accept_scopes[%u]",
                 i, k);
        is = nodes_setting(j, node, setting);
        if (is == NULL || strcmp(is, scope) == 0)
            return is != NULL;
    }
    return false;
}

static void nodes_judge_classes(struct kw_judge *j, const char *node)
{
    const size_t before = j->said;
    for (unsigned i = 0; i < CLASSES_MAX; i++) {
        char setting[64], subject[KW_SUBJECT_MAX];
        snprintf(setting, sizeof setting, "configuration.classes[%u].scope", i);
        const char *scope = nodes_setting(j, node, setting);
        if (scope == NULL)
            break;
        if (!nodes_class_is_of(j, node, i, "secrets"))
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
    if (j->said == before)
        kw_judge_say(j, node, KW_OUTCOME_NOT_ANSWERED, "no class has the scope secrets");
}

void kw_judge_fail_closed(struct kw_judge *j)
{
    const json_t *row;
    size_t i;
    json_array_foreach(kw_evidence_rows(j->e, KW_EVIDENCE_NODES), i, row)
    {
        if (kw_row_is(row, "collected"))
            nodes_judge_classes(j, kw_row_text(row, "node"));
    }
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
        if (kw_row_says(row, "what", "custodians"))
            kw_judge_say(j, kw_row_text(row, "value"), KW_OUTCOME_PASS, "SHA-256 %s",
                         kw_row_text(row, "sha256"));
    }
}
