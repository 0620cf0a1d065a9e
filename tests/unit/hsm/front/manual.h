/* SPDX-License-Identifier: Apache-2.0 */
/* manual - docs/ARCHITECTURE.md must show a table as the code has it */
#ifndef KEYWARD_TESTS_MANUAL_H
#define KEYWARD_TESTS_MANUAL_H

/* Fails the case, printing `text`, unless its lines stand there in a row. */
void manual_has(const char *text);

#endif
