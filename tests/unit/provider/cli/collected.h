/* SPDX-License-Identifier: Apache-2.0 */
/* collected - folders of control planes as `keyward evidence collect` makes them, with the golden
 * keyring and the golden audit log
 *
 * Any failure here fails the case. */
#ifndef KEYWARD_TESTS_CLI_COLLECTED_H
#define KEYWARD_TESTS_CLI_COLLECTED_H

#include <jansson.h>

#include <keyward/bytes.h>

void collected_begin(void); /* a fresh folder */
void collected_end(void);   /* with all that lies in it */
/* "<folder>/<name>"; good for the next seven calls, too. */
const char *collected_at(const char *name);
void collected_put(const char *name, const char *text);

/* The folder `name`, of the control plane of that name. */
void collected_node(const char *name);
/* node.json once more: as it is, but for `changes` (taken, NULL: none), and with the files that
 * are there. */
void collected_seal(const char *name, json_t *changes);

/* The status of a line of a shell in the folder that finds this build's keyward; `collected_said`
 * is all that it said. */
int collected_line(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
extern const char *collected_said;

#endif
