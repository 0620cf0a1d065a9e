/* SPDX-License-Identifier: Apache-2.0 */
/* chain - does a ring follow from the last one that was taken here? */
#ifndef KEYWARD_KEYRING_CHAIN_H
#define KEYWARD_KEYRING_CHAIN_H

#include <keyward/state.h>

/* ADMITTED when it follows, file by file, or is the first that this node sees; else
 * OLDER, FORK or FAR.  Trust is not looked at. */
enum kw_refusal kw_chain(const struct kw_keyring *ring, const struct kw_marks *marks);
/* Of a fork: the first serial in which the last ring taken here and this one are
 * different files; 0: further back than they name. */
uint64_t kw_chain_parts(const struct kw_keyring *ring, const struct kw_marks *marks);
/* Is a file with this serial and digest the last one taken here, or one that it was made
 * from, or further back than can be told?  Then it is no fork of ours. */
bool kw_chain_is_before(uint64_t serial, const uint8_t sha256[32],
                        const struct kw_marks *marks);
/* Is it the file that somebody said to trust, or one made from it?  The latter not when
 * the last ring was made from it too: so is every fork of ours. */
bool kw_chain_is_trusted(const struct kw_keyring *ring, const struct kw_marks *marks);

#endif
