/* SPDX-License-Identifier: Apache-2.0 */
/* coverage_pieces - stretches of time as an audit log tells them, and how well each is proven
 *
 * Pieces come in the order of the log, each with the range it lies in: what one checkpoint
 * covers and the one before does not.  A range is settled when its checkpoint is signed or can
 * be no more; an anchor proves all that came before it.  Neighbours that are equal are one.
 *
 * Pure.  Blocks on nothing.
 */
#ifndef KEYWARD_CLI_COVERAGE_PIECES_H
#define KEYWARD_CLI_COVERAGE_PIECES_H

#include <stddef.h>

#include <keyward/err.h>

enum { KW_COVERAGE_MAX = 16384 }; /* pieces, and intervals */

enum kw_proof {
    KW_PROOF_LOST, /* that nothing is known of it, which no signature makes better */
    KW_PROOF_NONE,
    KW_PROOF_SIGNED,
    KW_PROOF_ANCHORED,
    KW_PROOFS
};

struct kw_piece {
    int64_t from_us, to_us;
    uint64_t range; /* 0: settled */
    enum kw_proof proof;
    bool runs; /* else it is stopped */
};

struct kw_pieces {
    struct kw_piece *at;
    size_t count, room;
    size_t pending;    /* none before it wants to be settled */
    size_t unanchored; /* all before it are anchored */
    bool is_more;      /* there was no room for all of them */
};

void kw_pieces_free(struct kw_pieces *p);

/* One that is not empty, behind those that are there.  NO_MEMORY. */
KW_MUST_USE kw_err kw_pieces_put(struct kw_pieces *p, const struct kw_piece *piece);
/* Those of this range have this proof, unless a better one. */
void kw_pieces_settle(struct kw_pieces *p, uint64_t range, enum kw_proof proof);
void kw_pieces_anchor(struct kw_pieces *p);

/* All of them in the order of time, without overlaps: what two tell is proven as the worse of
 * them is, and runs when one does.  Gives at most 2 * count of them, into room for as many.
 * NO_MEMORY. */
KW_MUST_USE kw_err kw_pieces_flatten(const struct kw_pieces *p, struct kw_piece *dst,
                                     size_t *ret_count);

#endif
