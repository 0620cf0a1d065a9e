/* SPDX-License-Identifier: Apache-2.0 */
/* revision - an entry of etcd's bucket `key`: its name is a revision, its value a
 * mvccpb.KeyValue
 *
 * Threads:  pure functions.
 * Sources:  etcd-io/etcd: server/storage/mvcc/revision.go, api/mvccpb/kv.proto
 */
#ifndef KEYWARD_ETCD_REVISION_H
#define KEYWARD_ETCD_REVISION_H

#include <keyward/etcd_db.h>

struct kw_etcd_kv {
    kw_span key, value;
    uint64_t create_revision, version;
};

/* be64 main, '_', be64 sub; for a tombstone a 't' behind it.  false, and nothing written,
 * for anything else. */
bool kw_etcd_revision_read(kw_span name, struct kw_etcd_revision *ret_revision,
                           bool *ret_tombstone);

/* Fields in any order, the last of a number counts, those not known are skipped.  false,
 * and nothing written, for what is no such message. */
bool kw_etcd_kv_read(kw_span message, struct kw_etcd_kv *ret_kv);

/* -1, 0, 1 as a is before, the same as or after b. */
int kw_etcd_revision_compare(struct kw_etcd_revision a, struct kw_etcd_revision b);

#endif
