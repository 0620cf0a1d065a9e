/* SPDX-License-Identifier: Apache-2.0 */
/* probe_socket - which socket is meant
 *
 * Threads:   one.
 * Blocking:  on the disk.
 */
#ifndef KEYWARD_CLI_PROBE_SOCKET_H
#define KEYWARD_CLI_PROBE_SOCKET_H

#include <keyward/limits.h>

#include "cli.h"

/* The path of the socket: `word` is one, or kube-apiserver's spelling of one
 * (unix:///run/keyward/secrets.sock), or the name of a class of the configuration.  A word
 * without a slash is a path when there is a socket of that name.
 * MISSING    no class is called so; the note names those that are
 * BAD_INPUT  the path is too long; and what kw_config_load says */
KW_MUST_USE kw_err kw_probe_socket(const struct kw_cli *cli, const char *word,
                                   char ret_path[KW_PATH_MAX], struct kw_note *note);

#endif
