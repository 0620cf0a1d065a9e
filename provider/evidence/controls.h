/* SPDX-License-Identifier: Apache-2.0 */
/* controls - which controls a bundle speaks of, and by which checks
 *
 * What a control asks is said in our own words, as docs/COMPLIANCE.md has it, row by row.
 *
 * Threads:   one thread a struct kw_evidence; the list never changes.
 * Blocking:  never.
 * Secrets:   none come here.
 */
#ifndef KEYWARD_EVIDENCE_CONTROLS_H
#define KEYWARD_EVIDENCE_CONTROLS_H

#include <keyward/evidence.h>

#define KW_CONTROL_SATISFIED "satisfied"
#define KW_CONTROL_NOT_SATISFIED "not-satisfied"
#define KW_CONTROL_OPERATOR "operator"

struct kw_control {
    const char *framework;
    const char *number; /* within the framework, or a name where it has none    */
    const char *asks;   /* in our words                                         */
    const char *checks; /* names, a blank between; empty: nothing here shows it */
    const char *yours;  /* what no file of a bundle can show                    */
};
struct kw_control_list {
    const struct kw_control *controls;
    size_t count;
};
extern const struct kw_control_list kw_controls_pci;
extern const struct kw_control_list kw_controls_hipaa;
extern const struct kw_control_list kw_controls_nist;
extern const struct kw_control_list kw_controls_cis;

/* The i-th of all, those of a framework together; NULL behind the last. */
const struct kw_control *kw_evidence_control(size_t i);

/* A row of KW_EVIDENCE_CONTROLS for each, by the rows that KW_EVIDENCE_CHECKS has now:
 * satisfied when each of its checks has a row there, and none that is no pass; operator when
 * it names no check; else not-satisfied. */
void kw_evidence_controls(struct kw_evidence *e);

#endif
