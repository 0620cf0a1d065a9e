/* SPDX-License-Identifier: Apache-2.0 */
/* pin_place - where the operator's tool finds what `pin` of the configuration names
 *
 *   file:/path       there
 *   credential:NAME  with --unit UNIT in /run/credentials/UNIT, where systemd keeps the
 *                    credentials of a unit while it runs; without it in the folder that
 *                    CREDENTIALS_DIRECTORY names (keyward runs in a service itself), else
 *                    as if --unit keywardd.service or keyward.service were said
 *
 * A credential that is in none of them is never looked for as a file: what is said then
 * is the systemd-run line that gives it to this very command.
 *
 * The source is judged as the daemon's worker judges it (kw_file_judge_secret), by the
 * daemon's user, in a child.  A file is opened by that user too.  A credential's folder
 * may be open to root alone (systemd-run without User=), so this process opens it and its
 * children read the descriptor.
 *
 * Secrets:   nothing is read here.
 */
#ifndef KEYWARD_CLI_PIN_PLACE_H
#define KEYWARD_CLI_PIN_PLACE_H

#include <stdio.h>

#include <keyward/limits.h>

#include "login.h"

struct kw_pin_place {
    char path[KW_PATH_MAX];
    char source[KW_PATH_MAX + 32]; /* kw_token_options.pin, in a child of this process */
    int fd;                        /* a credential's; else -1 */
};
#define KW_PIN_PLACE_NONE ((struct kw_pin_place){.fd = -1})

/* MISSING    it is not there;  DENIED  this process may not look, or others may read it
 * BAD_INPUT  no regular file */
KW_MUST_USE kw_err kw_pin_place_open(const struct kw_config_token *token,
                                     const struct kw_owner *owner,
                                     struct kw_pin_place *ret_place,
                                     struct kw_note *note);
void kw_pin_place_close(struct kw_pin_place *place);

/* How keyward was called: for the line that is said, and --unit (NULL: not given).  Once,
 * by kw_args_read; its texts (argv of the verb, argv[0] its word) are borrowed as long as
 * the verb runs.  A unit without a suffix is a service.  false: not a unit's name. */
struct kw_invocation {
    const char *unit, *verb;
    int argc;
    char **argv;
};
bool kw_pin_place_called(const struct kw_invocation *call);

/* ---- for tests --------------------------------------------------------------------- */

/* Step by step as above, below `folder` instead of /run/credentials. */
KW_MUST_USE kw_err kw_pin_place_find(const char *folder, const char *unit,
                                     const char *name, char ret_path[KW_PATH_MAX],
                                     struct kw_note *note);
/* "systemd-run --pipe --wait --same-dir -p PROPERTY PROGRAM VERB …", quoted for a shell,
 * without --unit. */
void kw_pin_place_line(const struct kw_invocation *call, const char *program,
                       const char *property, FILE *out);

#endif
