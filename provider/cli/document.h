/* SPDX-License-Identifier: Apache-2.0 */
/* document - what the daemon says of itself, judged and printed
 *
 * Unknown members are shown too: a newer daemon may say more.
 */
#ifndef KEYWARD_CLI_DOCUMENT_H
#define KEYWARD_CLI_DOCUMENT_H

#include "cli.h"

/* Everything that is wrong: a line each, and behind it what to do, a line that begins with
 * KW_REASON_REMEDY; "" = nothing. */
#define KW_REASON_REMEDY "  -> "
struct kw_reasons {
    char text[16384];
    size_t count; /* reasons; also those that do not fit */
};

/* PROBLEM, with every reason in *ret_why, when health.state is not "up", the active
 * version's code is not "ok", a version in a state that unwraps has another verdict than
 * "ok" or "starting", one in another state is needed (document_reads.h), keyring.rejected or configuration.rejected is not null, or pin_latched is true; also when one
 * of them is missing. */
enum kw_exit kw_document_judge(const json_t *document, struct kw_reasons *ret_why);

/* For people: the verdict, which agrees with the exit code; what is wrong, first; a table of
 * classes, tokens, versions and workers; everything else a line. */
void kw_document_print(const struct kw_cli *cli, const json_t *document);

#endif
