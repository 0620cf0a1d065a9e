/* SPDX-License-Identifier: Apache-2.0 */
/* gone - is a key's object really not in the tokens any more? */
#ifndef KEYWARD_CLI_GONE_H
#define KEYWARD_CLI_GONE_H

#include <keyward/config.h>

/* One login to each token.  DENIED when an object of this label is still there. */
KW_MUST_USE kw_err kw_gone_from_tokens(const struct kw_config *config, const char *key_id,
                                       struct kw_note *note);

#endif
