/* SPDX-License-Identifier: Apache-2.0 */
/* revisions - what is reachable, so that what is not can be told from it
 *
 * 24 bytes a revision (it and a hash of its value), and the latest one of each key by the key's hash.
 *
 * Threads:  one thread a struct kw_etcd_revisions. */
#ifndef KEYWARD_ETCD_REVISIONS_H
#define KEYWARD_ETCD_REVISIONS_H

#include <keyward/etcd_db.h>

#include "index.h"

enum { KW_ETCD_VALUE_HASH = 8 };

struct kw_etcd_revisions {
    struct kw_etcd_revision *all; /* in their order */
    uint8_t (*values)[KW_ETCD_VALUE_HASH];
    size_t count, cap;
    struct kw_etcd_index
        latest;                /* hash of a key: 2 * its place in `all`, + 2, and + 1 for
                                    a tombstone */
    struct kw_etcd_index seen; /* hash of an entry that is not reachable, once met */
};

/* Room for so many reachable ones, at most UINT32_MAX / 2 - 1: BUSY beyond.  NO_MEMORY */
KW_MUST_USE kw_err kw_etcd_revisions_init(struct kw_etcd_revisions *revisions,
                                          size_t reachable);
void kw_etcd_revisions_free(struct kw_etcd_revisions *revisions);

/* The next reachable one.  BAD_INPUT: there are more than were counted, so that the file
 * changed meanwhile; NO_MEMORY */
KW_MUST_USE kw_err kw_etcd_revisions_add(struct kw_etcd_revisions *revisions,
                                         const struct kw_etcd_entry *entry);

/* Is the i-th reachable entry, which this is, what a read of its key gives?  BAD_INPUT: it
 * was another one when it was added; NO_MEMORY */
KW_MUST_USE kw_err kw_etcd_revisions_is_current(const struct kw_etcd_revisions *revisions,
                                                size_t i,
                                                const struct kw_etcd_entry *entry,
                                                bool *ret_is_current);

/* Its revision is not reachable with this value, and it was not asked for before as it is:
 * bytes that somebody stored may look like a page, and must not hide what has their
 * revision.  A copy may be of another history.
 * NO_MEMORY */
KW_MUST_USE kw_err kw_etcd_revisions_is_new(struct kw_etcd_revisions *revisions,
                                            const struct kw_etcd_entry *entry,
                                            bool *ret_is_new);

#endif
