/* SPDX-License-Identifier: Apache-2.0 */
/* split - one run of two things, told apart
 *
 * Two revisions that are compared are measured by turns in one run, their cells called
 * old.hit-64 and new.hit-64.  Each part of such a run is a run of its own, of the same
 * session and the same rounds, in which the cell is called hit-64: what pairs them by
 * their rounds finds everything as it was.
 *
 * Threads:   plain values.
 * Blocking:  never.
 */
#ifndef KEYWARD_BENCH_SPLIT_H
#define KEYWARD_BENCH_SPLIT_H

#include "results.h"

/* Leaves in *r what belongs to prefixes[own]: its cells, without the prefix and the dot
 * behind it, and those that have none of the prefixes, the control among them.  The base
 * is the part's own.
 * MISSING    no cell has this prefix
 * BAD_INPUT  two cells would be called alike */
KW_MUST_USE kw_err kw_split_keep(struct kw_results *r, const char *const prefixes[],
                                 size_t count, size_t own, struct kw_note *note);

#endif
