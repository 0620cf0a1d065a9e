/* SPDX-License-Identifier: Apache-2.0 */
/* vectors - the lines of the golden log, which is in two files */
#ifndef KEYWARD_TESTS_AUDIT_VECTORS_H
#define KEYWARD_TESTS_AUDIT_VECTORS_H

#include <keyward/audit.h>

enum { VECTORS_FIRST = 6, VECTORS_LATER = 19, VECTORS = VECTORS_FIRST + VECTORS_LATER };

/* Without their line feeds; static. */
const kw_span *vectors(void);

#endif
