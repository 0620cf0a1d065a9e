/* SPDX-License-Identifier: Apache-2.0 */
/* probe_sample - keeps one of the probe's ciphertexts as a sample */
#ifndef KEYWARD_CLI_PROBE_SAMPLE_H
#define KEYWARD_CLI_PROBE_SAMPLE_H

#include <keyward/client.h>

#include "report.h"
#include "sample.h"

/* Before anything is asked of the socket: nothing lies at `path`, and the socket is that
 * of a class of the configuration, whose domain and name go into *ret_sample. */
KW_MUST_USE kw_err kw_probe_sample_begin(const struct kw_cli *cli, const char *path,
                                         const char *socket, struct kw_sample *ret_sample,
                                         struct kw_note *note);

/* What Encrypt answered, and Decrypt opened, into the file: a finding either way. */
void kw_probe_sample_keep(struct kw_report *r, const char *path, struct kw_sample *sample,
                          const struct kw_client_reply *encrypt);

#endif
