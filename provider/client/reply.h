/* SPDX-License-Identifier: Apache-2.0 */
/* reply - what came back, taken apart
 *
 * Each wants the whole message as one span and a clear block; views end with the block.
 * BAD_INPUT  no such message, or a field that does not fit the reply. */
#ifndef KEYWARD_CLIENT_REPLY_H
#define KEYWARD_CLIENT_REPLY_H

#include <keyward/client.h>

#include "block.h"

typedef kw_err kw_reply_read(kw_span message, struct kw_pb_block *block,
                             struct kw_client_reply *reply);
kw_reply_read kw_reply_status, kw_reply_encrypt, kw_reply_decrypt;

#endif
