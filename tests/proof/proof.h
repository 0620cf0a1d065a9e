/* SPDX-License-Identifier: Apache-2.0 */
/* proof - what the harnesses share: unknown input, and what an aborting check means here
 *
 * A harness is a main() that Frama-C reads and nobody ever runs.  README.md says what its
 * claim is worth. */
#ifndef KEYWARD_TESTS_PROOF_H
#define KEYWARD_TESTS_PROOF_H

#include <__fc_builtin.h>

#include <keyward/bytes.h>

/* An invariant that could break is an alarm: this must never be called. */
/*@ requires never: \false;
    assigns \nothing;
    ensures \false; */
_Noreturn void kw_invariant_broken(const char *what, const char *file, int line);

/* Any number of [low, high]. */
static inline size_t proof_size(size_t low, size_t high)
{
    return Frama_C_unsigned_long_interval(low, high);
}

static inline uint8_t proof_u8(void)
{
    return Frama_C_unsigned_char_interval(0, UINT8_MAX);
}

/* false and true, both looked at. */
static inline bool proof_bool(void)
{
    return Frama_C_interval(0, 1) == 1;
}

/* Fills an array with bytes of which nothing is known. */
#define PROOF_UNKNOWN(array) Frama_C_make_unknown((char *)(array), sizeof(array))

/* The last `len` bytes of an array: whoever reads one byte more reads outside of it. */
#define PROOF_TAIL(array, len) ((array) + sizeof(array) - (len))

#endif
