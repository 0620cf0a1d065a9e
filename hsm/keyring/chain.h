/* SPDX-License-Identifier: Apache-2.0 */
/* chain - does a ring follow, file by file, from what a node knows? */
#ifndef KEYWARD_KEYRING_CHAIN_H
#define KEYWARD_KEYRING_CHAIN_H

#include <keyward/state.h>

/* From the last ring taken here: ADMITTED; or OLDER, FORK, FAR. */
enum kw_refusal kw_chain(const struct kw_keyring *ring, const struct kw_marks *marks);
/* Is it the file that somebody said to trust, or one made from it?  A file that was ours
 * already is trusted alone, without what others made from it. */
bool kw_chain_is_trusted(const struct kw_keyring *ring, const struct kw_marks *marks);

#endif
