/* SPDX-License-Identifier: Apache-2.0 */
/* inspect - the parts of `keyward check`, each adding its findings to one report */
#ifndef KEYWARD_CLI_INSPECT_H
#define KEYWARD_CLI_INSPECT_H

#include "context.h"
#include "report.h"

/* Who runs this: an ordinary user sees too little of what the daemon's user sees, and is
 * told so.  false: nothing is looked at as the daemon's user. */
bool kw_inspect_user(struct kw_report *r, const struct kw_context *context);
/* As the daemon's user sees them, in a child of it: configuration, keyring, modules, the
 * folders above all of them; the state directory, where a file is written and removed;
 * the PINs' sources.  ret_fault[i], of the configuration's token i: NULL, or what forbids
 * to load its module. */
void kw_inspect_files(struct kw_report *r, const struct kw_config *config,
                      const char *config_path, const char *ret_fault[KW_TOKENS_MAX]);
/* The folders of the sockets: there, the daemon's, and nobody else may write them. */
void kw_inspect_sockets(struct kw_report *r, const struct kw_config *config);
/* RLIMIT_MEMLOCK and RLIMIT_NOFILE against what keywardd locks and opens: of the daemon that answers on the status
 * socket (its document names the process), else, and that is said, of this shell. */
void kw_inspect_limits(struct kw_report *r, const struct kw_config *config);
/* Versions that may not be read, and that the running daemon was asked for in the last hour (document_reads.h): a warning
 * each.  Nothing where none runs. */
void kw_inspect_reads(struct kw_report *r, const struct kw_config *config);
/* The keyring against what this node has seen. */
void kw_inspect_keyring(struct kw_report *r, const struct kw_context *context);
/* Times of the versions that tell of a wrong clock. */
void kw_inspect_times(struct kw_report *r, const struct kw_keyring *ring);
/* The seal on a SoftHSM token's files; nothing for another token, nor on the word of a
 * configuration that others could have changed.  No login. */
void kw_inspect_seal(struct kw_report *r, const struct kw_context *context,
                     const struct kw_config_token *token);
/* One login: mechanism self-test, every version's attributes and check blob.  fault: of
 * kw_inspect_files; nothing is loaded when there is one. */
void kw_inspect_token(struct kw_report *r, const struct kw_context *context,
                      const struct kw_config_token *token, const char *fault);

#endif
