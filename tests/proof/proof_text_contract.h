/* SPDX-License-Identifier: Apache-2.0 */
/* proof_text_contract - what a harness knows of text that another one proves
 *
 * proof_text.c proves that these functions read their span and nothing else; here they
 * want a span that can be read, and answer anything. */
#ifndef KEYWARD_TESTS_PROOF_TEXT_CONTRACT_H
#define KEYWARD_TESTS_PROOF_TEXT_CONTRACT_H

#include <keyward/bytes.h>

/*@ requires readable: s.len == 0 || \valid_read(s.ptr + (0 .. s.len - 1));
    assigns \result \from \nothing;
    ensures answer: \result == 0 || \result == 1; */
bool kw_is_text(kw_span s);

/*@ requires readable: s.len == 0 || \valid_read(s.ptr + (0 .. s.len - 1));
    assigns \result \from \nothing;
    ensures answer: \result == 0 || \result == 1; */
bool kw_is_printable_text(kw_span s);

#endif
