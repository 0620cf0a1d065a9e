/* SPDX-License-Identifier: Apache-2.0 */
#include "inventory.h"

#include <stdlib.h>

#include <keyward/alloc.h>

enum { TABLE_FIRST = 64, TABLE_SPANS = 4, TABLE_SPAN_MAX = 512 };

/* ---- a table ---- */

static kw_err table_init(struct kw_etcd_table *table, size_t size, size_t max)
{
    *table = (struct kw_etcd_table){.size = size, .max = max};
    return kw_etcd_index_init(&table->index, TABLE_FIRST);
}

static void table_free(struct kw_etcd_table *table)
{
    for (size_t i = 0; i < table->count; i++)
        kw_free(table->bytes[i]);
    kw_free((void *)table->bytes);
    kw_free(table->items);
    kw_etcd_index_free(&table->index);
}

static void *table_at(const struct kw_etcd_table *table, size_t i)
{
    return (uint8_t *)table->items + i * table->size;
}

static kw_err table_make_room(struct kw_etcd_table *table)
{
    if (table->count >= table->max)
        return kw_err_at(KW_CODE_BUSY, "etcd inventory");
    if (table->count < table->cap)
        return KW_OK;
    const size_t cap = table->cap == 0 ? TABLE_FIRST : 2 * table->cap;
    void *items = kw_new(cap, table->size);
    uint8_t **bytes = (uint8_t **)kw_new(cap, sizeof *bytes);
    if (items == NULL || bytes == NULL) {
        kw_free(items);
        kw_free((void *)bytes);
        return kw_err_at(KW_CODE_NO_MEMORY, "etcd inventory");
    }
    if (table->count > 0) {
        kw_copy(items, cap * table->size,
                kw_span_of(table->items, table->count * table->size));
        kw_copy((void *)bytes, cap * sizeof *bytes,
                kw_span_of((void *)table->bytes, table->count * sizeof *bytes));
    }
    kw_free(table->items);
    kw_free((void *)table->bytes);
    table->items = items;
    table->bytes = bytes;
    table->cap = cap;
    return KW_OK;
}

/* Copies what the spans point at into one owned piece, and points them there. */
static kw_err table_own(struct kw_etcd_table *table, kw_span *const spans[TABLE_SPANS],
                        uint8_t **ret_bytes)
{
    size_t len = 0;
    for (size_t i = 0; i < TABLE_SPANS; i++)
        len += spans[i]->len;
    if (len > KW_ETCD_KEPT_MAX - table->kept)
        return kw_err_at(KW_CODE_BUSY, "etcd inventory");
    uint8_t *bytes = kw_new(len, 1);
    if (bytes == NULL)
        return kw_err_at(KW_CODE_NO_MEMORY, "etcd inventory");
    kw_dst dst = kw_dst_of(bytes, len);
    for (size_t i = 0; i < TABLE_SPANS; i++) {
        const uint8_t *at = bytes + dst.len;
        KW_MUST(kw_dst_put(&dst, *spans[i]));
        spans[i]->ptr = at;
    }
    *ret_bytes = bytes;
    return KW_OK;
}

/* A span as part of a spelling: its length and its bytes; of a long one, which nothing
 * bounds, its hash. */
static kw_err table_spell(kw_dst *dst, kw_span s)
{
    uint8_t hash[KW_ETCD_HASH];
    kw_span as = s;
    if (s.len > TABLE_SPAN_MAX) {
        kw_err e = kw_etcd_hash(s, hash);
        if (kw_failed(e))
            return e;
        as = kw_span_of(hash, sizeof hash);
    }
    KW_MUST(kw_dst_put_u64(dst, s.len) && kw_dst_put(dst, as));
    return KW_OK;
}

/* What tells one thing from another: its spans and two numbers. */
static kw_err table_hash(kw_span *const spans[TABLE_SPANS], uint64_t first,
                         uint64_t second, uint8_t ret_hash[KW_ETCD_HASH])
{
    uint8_t bytes[TABLE_SPANS * (TABLE_SPAN_MAX + 8) + 16];
    kw_dst dst = kw_dst_of(bytes, sizeof bytes);
    kw_err e = KW_OK;
    for (size_t i = 0; !kw_failed(e) && i < TABLE_SPANS; i++)
        e = table_spell(&dst, *spans[i]);
    if (kw_failed(e))
        return e;
    KW_MUST(kw_dst_put_u64(&dst, first) && kw_dst_put_u64(&dst, second));
    return kw_etcd_hash(kw_dst_span(&dst), ret_hash);
}

/* Room for one more, found by its hash; its spans point at bytes of the table's. */
static kw_err table_add(struct kw_etcd_table *table, const uint8_t hash[KW_ETCD_HASH],
                        kw_span *const spans[TABLE_SPANS])
{
    uint8_t *bytes = NULL;
    kw_err e = table_make_room(table);
    if (!kw_failed(e))
        e = table_own(table, spans, &bytes);
    if (!kw_failed(e))
        e = kw_etcd_index_put(&table->index, hash, (uint32_t)table->count + 1);
    if (kw_failed(e)) {
        kw_free(bytes);
        return e;
    }
    table->bytes[table->count++] = bytes;
    for (size_t i = 0; i < TABLE_SPANS; i++)
        table->kept += spans[i]->len;
    return KW_OK;
}

/* ---- rows and seeds ---- */

kw_err kw_etcd_inventory_init(struct kw_etcd_inventory *inventory)
{
    kw_err e = table_init(&inventory->rows, sizeof(struct kw_etcd_row), KW_ETCD_ROWS_MAX);
    if (!kw_failed(e))
        e = table_init(&inventory->seeds, sizeof(struct kw_etcd_seed), KW_ETCD_SEEDS_MAX);
    if (kw_failed(e))
        table_free(&inventory->rows);
    return e;
}

void kw_etcd_inventory_free(struct kw_etcd_inventory *inventory)
{
    table_free(&inventory->rows);
    table_free(&inventory->seeds);
}

kw_err kw_etcd_inventory_row(struct kw_etcd_inventory *inventory,
                             const struct kw_etcd_key *key,
                             const struct kw_stored *stored, struct kw_etcd_row **ret_row,
                             bool *ret_is_new)
{
    struct kw_etcd_table *table = &inventory->rows;
    uint8_t hash[KW_ETCD_HASH];
    struct kw_etcd_row row = {.kind = stored->kind,
                              .name = stored->name,
                              .key_id = stored->key_id,
                              .type = stored->type};
    if (key != NULL) {
        row.group = key->group;
        row.resource = key->resource;
        row.builtin = key->builtin;
    }
    kw_span *const spans[TABLE_SPANS] = {&row.group, &row.resource, &row.name,
                                         &row.key_id};
    kw_err e = table_hash(spans, stored->kind, stored->type, hash);
    if (kw_failed(e))
        return e;
    const uint32_t *number = kw_etcd_index_find(&table->index, hash);
    *ret_is_new = number == NULL;
    if (number != NULL) {
        *ret_row = table_at(table, *number - 1);
        return KW_OK;
    }
    e = table_add(table, hash, spans);
    if (kw_failed(e))
        return e;
    *ret_row = table_at(table, table->count - 1);
    **ret_row = row;
    return KW_OK;
}

kw_err kw_etcd_inventory_seed(struct kw_etcd_inventory *inventory,
                              const struct kw_stored *stored,
                              struct kw_etcd_seed **ret_seed)
{
    struct kw_etcd_table *table = &inventory->seeds;
    uint8_t hash[KW_ETCD_HASH];
    kw_span none = {NULL, 0};
    struct kw_etcd_seed seed = {.name = stored->name,
                                .key_id = stored->key_id,
                                .wrapped = stored->wrapped,
                                .type = stored->type,
                                .annotations = stored->annotations};
    kw_span *const spans[TABLE_SPANS] = {&seed.name, &seed.key_id, &seed.wrapped, &none};
    kw_err e = table_hash(spans, stored->type, stored->annotations, hash);
    if (kw_failed(e))
        return e;
    const uint32_t *number = kw_etcd_index_find(&table->index, hash);
    if (number != NULL) {
        *ret_seed = table_at(table, *number - 1);
        return KW_OK;
    }
    e = kw_sha256(stored->wrapped, seed.sha256);
    if (!kw_failed(e))
        e = table_add(table, hash, spans);
    if (kw_failed(e))
        return e;
    *ret_seed = table_at(table, table->count - 1);
    **ret_seed = seed;
    return KW_OK;
}

/* ---- their order ---- */

/* By their bytes; the shorter one first where it begins the other. */
static int inventory_compare_spans(kw_span a, kw_span b)
{
    for (size_t i = 0; i < a.len && i < b.len; i++)
        if (a.ptr[i] != b.ptr[i])
            return a.ptr[i] < b.ptr[i] ? -1 : 1;
    return (a.len > b.len) - (a.len < b.len);
}

static int inventory_compare_rows(const void *left, const void *right)
{
    const struct kw_etcd_row *a = left, *b = right;
    int order = inventory_compare_spans(a->group, b->group);
    if (order == 0)
        order = inventory_compare_spans(a->resource, b->resource);
    if (order == 0)
        order = (a->kind > b->kind) - (a->kind < b->kind);
    if (order == 0)
        order = inventory_compare_spans(a->name, b->name);
    if (order == 0)
        order = inventory_compare_spans(a->key_id, b->key_id);
    return order != 0 ? order : (a->type > b->type) - (a->type < b->type);
}

static int inventory_compare_seeds(const void *left, const void *right)
{
    const struct kw_etcd_seed *a = left, *b = right;
    int order = inventory_compare_spans(a->name, b->name);
    if (order == 0)
        order = inventory_compare_spans(a->key_id, b->key_id);
    if (order == 0)
        order = inventory_compare_spans(kw_span_of(a->sha256, KW_SHA256),
                                        kw_span_of(b->sha256, KW_SHA256));
    if (order == 0)
        order = (a->type > b->type) - (a->type < b->type);
    return order != 0
               ? order
               : (a->annotations > b->annotations) - (a->annotations < b->annotations);
}

/* The index would lead astray now. */
static void table_sort(struct kw_etcd_table *table,
                       int (*compare)(const void *, const void *))
{
    if (table->count > 0)
        qsort(table->items, table->count, table->size, compare);
    kw_etcd_index_free(&table->index);
}

void kw_etcd_inventory_sort(struct kw_etcd_inventory *inventory)
{
    table_sort(&inventory->rows, inventory_compare_rows);
    table_sort(&inventory->seeds, inventory_compare_seeds);
}
