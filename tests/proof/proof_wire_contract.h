/* SPDX-License-Identifier: Apache-2.0 */
/* proof_wire_contract - what a harness knows of the one text in a message
 *
 * proof_wire_message.c proves the body for each place in a message and each size of room;
 * here it is this contract, as one text behind another of unknown length would have to be
 * looked at for every pair of lengths.  Used with -eva-use-spec. */
#ifndef KEYWARD_TESTS_PROOF_WIRE_CONTRACT_H
#define KEYWARD_TESTS_PROOF_WIRE_CONTRACT_H

#include "wire_internal.h"

/*@ requires reader: \valid(src) && src->at <= src->all.len;
    requires room: cap >= 1 && \valid(dst + (0 .. cap - 1));
    assigns src->at, src->bad, dst[0 .. cap - 1] \from \nothing;
    ensures within: src->at <= src->all.len;
    ensures latched: src->bad == 0 || src->bad == 1; */
void kw_wire_take_text(struct kw_src *src, char *dst, size_t cap);

#endif
