/* SPDX-License-Identifier: Apache-2.0 */
/* controls - which checks answer which control */
#ifndef KEYWARD_EVIDENCE_CONTROLS_H
#define KEYWARD_EVIDENCE_CONTROLS_H

#include <keyward/evidence.h>

void kw_evidence_controls(struct kw_evidence *e);

#endif
