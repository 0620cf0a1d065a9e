/* SPDX-License-Identifier: Apache-2.0 */
/* fault_module - puts the fault module (tests/fault) between a test and its SoftHSM
 *
 *   kw_fault_between(&hsm);                          hsm.module is the fault module now
 *   kw_fault_set(&hsm, "C_Decrypt rv=0x30 count=1\n");
 *   CHECK(kw_fault_count(&hsm, "C_Login") == 1);
 *
 * What can be told is in tests/fault/fault.h.  The variables are set for this process; a
 * worker needs them in its token's `env`. */
#ifndef KEYWARD_TESTS_SUPPORT_FAULT_H
#define KEYWARD_TESTS_SUPPORT_FAULT_H

#include "test_softhsm.h"

/* hsm->module becomes a copy of the fault module (hsm->fault), which is honest until told
 * otherwise; the control file is hsm->dir/control, the log hsm->dir/calls. */
void kw_fault_between(struct kw_softhsm *hsm);
/* Replaces the control file. */
void kw_fault_set(const struct kw_softhsm *hsm, const char *control);
/* How often the function was called so far, by any process. */
unsigned kw_fault_count(const struct kw_softhsm *hsm, const char *function);
/* The call log so far, for a look at order and return values; "" when none.
 * Valid until the next call. */
const char *kw_fault_calls(const struct kw_softhsm *hsm);

#endif
