/* SPDX-License-Identifier: Apache-2.0 */
/* unit - what a systemd unit's files say about a credential
 *
 * Reads the unit file and its drop-ins where systemd.unit(5) looks for them; asks nobody.
 */
#ifndef KEYWARD_CLI_UNIT_H
#define KEYWARD_CLI_UNIT_H

#include <stdbool.h>

#include <keyward/limits.h>

enum { KW_UNIT_PROPERTY_MAX = KW_PATH_MAX + 64 };

/* A unit's name: [A-Za-z0-9:_.@-], not beginning with a dot, with a suffix. */
bool kw_is_unit(const char *text);

/* "LoadCredential=NAME:/path" or "LoadCredentialEncrypted=NAME:/path", as `unit` has it
 * for this name.  false when no file of it does, or when the path has a specifier. `root`
 * is "" (tests: another root folder). */
bool kw_unit_credential(const char *root, const char *unit, const char *name,
                        char ret_property[KW_UNIT_PROPERTY_MAX]);

#endif
