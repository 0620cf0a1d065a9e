/* SPDX-License-Identifier: Apache-2.0 */
/* document - what the daemon says of itself, judged and printed
 *
 * Unknown members are shown too: a newer daemon may say more.
 */
#ifndef KEYWARD_CLI_DOCUMENT_H
#define KEYWARD_CLI_DOCUMENT_H

#include "cli.h"

/* Everything that is wrong, a sentence each; "" = nothing. */
struct kw_reasons {
    char text[4096];
};

/* PROBLEM, with every reason in *ret_why, when health.state is not "up", the active
 * version's code is not "ok", a version in a state that unwraps has another verdict than
 * "ok" or "starting", keyring.rejected or configuration.rejected is not null, or pin_latched is true; also when one
 * of them is missing. */
enum kw_exit kw_document_judge(const json_t *document, struct kw_reasons *ret_why);

void kw_document_print(const struct kw_cli *cli, const json_t *document);

#endif
