/* SPDX-License-Identifier: Apache-2.0 */
/* trusted - what keywardd would not read, the tool copies nowhere and changes nothing on
 * its word
 *
 * The daemon's judgement (kw_file_read_trusted): nobody but root and its user can have
 * changed or exchanged the file.
 */
#ifndef KEYWARD_CLI_TRUSTED_H
#define KEYWARD_CLI_TRUSTED_H

#include <keyward/keyring.h>

#include "cli.h"

/* Would keywardd, whose user is `uid`, read this configuration?  -1 to go on, else the
 * exit code, and it has said why and what to do. */
int kw_trusted_config(const struct kw_cli *cli, uid_t uid);

/* The same of a copy that somebody brought here: besides root, the one who runs this
 * (and who logged in and became root by sudo or su) and the daemon's user, `service`, are
 * trusted with it.  DENIED: its folders count too. */
KW_MUST_USE kw_err kw_trusted_copy(const char *path, uid_t service,
                                   struct kw_keyring **ret_ring,
                                   struct kw_blob *ret_bytes, struct kw_note *note);
/* Refuses one, with the lines that make a copy nobody else can change; the exit code. */
int kw_trusted_refuse_copy(const struct kw_cli *cli, const struct kw_note *why,
                           const char *path);

/* Refuses what such a file would lead to; the exit code.  keyring: its path when it is
 * the keyring, NULL when it is the configuration. */
int kw_trusted_refuse(const struct kw_cli *cli, const struct kw_note *why,
                      const char *keyring);
/* What is to be done about it, one line each. */
json_t *kw_trusted_next(const char *keyring);

#endif
