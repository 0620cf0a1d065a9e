/* SPDX-License-Identifier: Apache-2.0 */
/* status_verb - a verb that speaks to the daemon of a status socket */
#ifndef KEYWARD_CLI_STATUS_VERB_H
#define KEYWARD_CLI_STATUS_VERB_H

#include "cli.h"

/* Reads the options of `usage`, to which --socket is added, finds the socket (that one, else
 * the configuration's) and performs.  Returns the exit status. */
int kw_status_verb(struct kw_usage usage, int argc, char **argv,
                   int (*perform)(const struct kw_cli *cli, const char *path));

#endif
