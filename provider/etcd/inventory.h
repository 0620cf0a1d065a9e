/* SPDX-License-Identifier: Apache-2.0 */
/* inventory - the rows and the seeds of an audit, found again by what makes them
 *
 * Threads:  one thread a struct kw_etcd_inventory. */
#ifndef KEYWARD_ETCD_INVENTORY_H
#define KEYWARD_ETCD_INVENTORY_H

#include <keyward/etcd_audit.h>

#include "index.h"

/* Things of one size, each with a piece of owned bytes that its spans borrow from. */
struct kw_etcd_table {
    struct kw_etcd_index index;
    void *items;
    uint8_t **bytes;
    size_t size, count, cap, max;
    size_t kept; /* bytes that are owned */
};

struct kw_etcd_inventory {
    struct kw_etcd_table rows;  /* of struct kw_etcd_row  */
    struct kw_etcd_table seeds; /* of struct kw_etcd_seed */
};

/* NO_MEMORY: nothing to free */
KW_MUST_USE kw_err kw_etcd_inventory_init(struct kw_etcd_inventory *inventory);
void kw_etcd_inventory_free(struct kw_etcd_inventory *inventory);

/* The row of such an object, a new one with nothing counted.  key may be NULL.  Good until
 * the next call.  NO_MEMORY, BUSY (KW_ETCD_ROWS_MAX, KW_ETCD_KEPT_MAX) */
KW_MUST_USE kw_err kw_etcd_inventory_row(struct kw_etcd_inventory *inventory,
                                         const struct kw_etcd_key *key,
                                         const struct kw_stored *stored,
                                         struct kw_etcd_row **ret_row, bool *ret_is_new);
/* The seed that a KMS v2 value names; the same rules, BUSY for KW_ETCD_SEEDS_MAX
 * and KW_ETCD_KEPT_MAX. */
KW_MUST_USE kw_err kw_etcd_inventory_seed(struct kw_etcd_inventory *inventory,
                                          const struct kw_stored *stored,
                                          struct kw_etcd_seed **ret_seed);

/* Both in their order.  Nothing may be asked for behind that. */
void kw_etcd_inventory_sort(struct kw_etcd_inventory *inventory);

#endif
