/* SPDX-License-Identifier: Apache-2.0 */
/* support_look - what a ticket needs to know of this machine's keyward, as text
 *
 * Each look writes into its text and never fails: what it could not see it says there, and as
 * a line of `missed`.  Of files: names, sizes, modes and owners; never what is in them, but a
 * log's last lines and its last checkpoint.
 *
 * Threads:   one.
 * Blocking:  on the disk; programs that are run have seconds.
 */
#ifndef KEYWARD_CLI_SUPPORT_LOOK_H
#define KEYWARD_CLI_SUPPORT_LOOK_H

#include <sys/types.h>

#include "support_redact.h"
#include "support_text.h"

enum { KW_SUPPORT_LOG_LINES = 1000 };

/* keyward's version and libraries, kernel, distribution, the vendors' modules. */
void kw_support_versions(const struct kw_support_redacted *config,
                         struct kw_support_text *dst, struct kw_support_text *missed);

/* State directory, audit log's folder, and those of keyring, status socket and
 * configuration.  A size is shown only of files that keyward makes: that of a PIN's file
 * tells how long the PIN is. */
void kw_support_files(const struct kw_support_redacted *config, const char *config_path,
                      struct kw_support_text *dst, struct kw_support_text *missed);

/* Each keywardd and keyward-hsm: status, limits, number of descriptors. */
void kw_support_processes(struct kw_support_text *dst, struct kw_support_text *missed);

/* The last checkpoint in the running file of the audit log. */
void kw_support_checkpoint(const char *audit_dir, struct kw_support_text *dst,
                           struct kw_support_text *missed);

/* The last lines of keywardd's log: the file that its standard error goes to, else what
 * journalctl has of `unit` (NULL: of whatever calls itself keywardd).  What a vendor's
 * library wrote (vendor-output) is left out. */
void kw_support_log(const char *unit, struct kw_support_text *dst,
                    struct kw_support_text *missed);

/* The end of the file that this process writes its standard error to, whole lines.  Anybody
 * may call himself keywardd: it is the very file that the process has open, and only when
 * it may write it.  false: it is none, or not for us. */
bool kw_support_log_of(pid_t pid, struct kw_support_text *dst,
                       struct kw_support_text *missed);

/* Pure: the last lines of `all` without what a vendor's library wrote; gives how many
 * such lines there were. */
unsigned kw_support_log_lines(kw_span all, struct kw_support_text *dst);

#endif
