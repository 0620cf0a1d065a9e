/* SPDX-License-Identifier: Apache-2.0 */
/* Controls, judged by the rows of the checks that they name. */
#include "controls.h"

#include <string.h>

static const struct kw_control_list *const control_lists[] = {
    &kw_controls_pci,
    &kw_controls_hipaa,
    &kw_controls_nist,
    &kw_controls_cis,
};

const struct kw_control *kw_evidence_control(size_t i)
{
    for (size_t list = 0; list < sizeof control_lists / sizeof control_lists[0]; list++) {
        if (i < control_lists[list]->count)
            return &control_lists[list]->controls[i];
        i -= control_lists[list]->count;
    }
    return NULL;
}

/* One row at least, and none that is no pass. */
static bool control_check_passes(const json_t *checks, const char *name, size_t len)
{
    size_t i;
    json_t *row;
    bool is_there = false;
    json_array_foreach(checks, i, row)
    {
        const char *check = json_string_value(json_object_get(row, "check"));
        const char *outcome = json_string_value(json_object_get(row, "outcome"));
        if (check == NULL || strlen(check) != len || strncmp(check, name, len) != 0)
            continue;
        if (outcome == NULL || strcmp(outcome, KW_OUTCOME_PASS) != 0)
            return false;
        is_there = true;
    }
    return is_there;
}

static const char *control_outcome(const struct kw_control *c, const json_t *checks)
{
    if (c->checks[0] == '\0')
        return KW_CONTROL_OPERATOR;
    for (const char *name = c->checks; *name != '\0';) {
        size_t len = strcspn(name, " ");
        if (!control_check_passes(checks, name, len))
            return KW_CONTROL_NOT_SATISFIED;
        name += len;
        name += strspn(name, " ");
    }
    return KW_CONTROL_SATISFIED;
}

void kw_evidence_controls(struct kw_evidence *e)
{
    const json_t *checks = kw_evidence_rows(e, KW_EVIDENCE_CHECKS);
    const struct kw_control *c;
    for (size_t i = 0; (c = kw_evidence_control(i)) != NULL; i++)
        kw_evidence_add(e, KW_EVIDENCE_CONTROLS,
                        json_pack("{ss ss ss ss ss ss}", "framework", c->framework,
                                  "control", c->number, "asks", c->asks, "outcome",
                                  control_outcome(c, checks), "checks", c->checks,
                                  "operator", c->yours));
}
