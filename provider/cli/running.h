/* SPDX-License-Identifier: Apache-2.0 */
/* running - the document of the daemon that runs with a configuration
 *
 * Blocking:  some seconds at most for each part of the answer.
 */
#ifndef KEYWARD_CLI_RUNNING_H
#define KEYWARD_CLI_RUNNING_H

#include <jansson.h>

#include <keyward/config.h>

/* NULL: there is no status socket, nobody answers there, or not with JSON; json_decref it. */
json_t *kw_running_document(const struct kw_config *config);

#endif
