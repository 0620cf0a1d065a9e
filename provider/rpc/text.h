/* SPDX-License-Identifier: Apache-2.0 */
/* text - are the strings of a message text?
 *
 * protobuf-c hands a string out as char * and neither checks its UTF-8 nor tells where a
 * NUL cut it (protobuf-c 1.4.1), so a key_id "a\0b" would be taken for "a".  This walks
 * the top level of the received bytes itself.
 *
 * Threads:   pure.
 */
#ifndef KEYWARD_RPC_TEXT_H
#define KEYWARD_RPC_TEXT_H

#include <keyward/bytes.h>

/* `fields` has bit n set for each string field number n (n below 32).  false when a value
 * of one of them is not text (kw_is_text), or when `message` is not well-formed up to its
 * last byte. */
bool kw_wire_strings_are_text(kw_span message, uint32_t fields);

#endif
