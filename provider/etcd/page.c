/* SPDX-License-Identifier: Apache-2.0 */
#include "page.h"

#define BOLT_MAGIC 0xED0CDAEDu
#define BOLT_MAGIC_SWAPPED 0xEDDA0CEDu
#define FNV_OFFSET 0xcbf29ce484222325u
#define FNV_PRIME 0x100000001b3u
enum { BOLT_VERSION = 2, BOLT_SUMMED = 56, BOLT_FREE_ID = 8 };

static uint64_t bolt_take(struct kw_src *src, unsigned width)
{
    const kw_span s = kw_src_take(src, width);
    uint64_t n = 0;
    for (size_t i = s.len; i > 0; i--)
        n = n << 8 | s.ptr[i - 1];
    return n;
}

static uint16_t bolt_u16(struct kw_src *src)
{
    return (uint16_t)bolt_take(src, 2);
}

static uint32_t bolt_u32(struct kw_src *src)
{
    return (uint32_t)bolt_take(src, 4);
}

static uint64_t bolt_u64(struct kw_src *src)
{
    return bolt_take(src, 8);
}

struct kw_bolt_header kw_bolt_header_of(kw_span page)
{
    struct kw_src src = kw_src_of(page);
    struct kw_bolt_header h = {0};
    h.id = bolt_u64(&src);
    h.flags = bolt_u16(&src);
    h.count = bolt_u16(&src);
    h.overflow = bolt_u32(&src);
    KW_INVARIANT(!src.bad);
    return h;
}

bool kw_bolt_is_head(const struct kw_bolt_header *h, uint64_t id)
{
    return h->id == id && (h->flags == KW_BOLT_BRANCH || h->flags == KW_BOLT_LEAF ||
                           h->flags == KW_BOLT_FREELIST);
}

static uint64_t bolt_fnv(kw_span s)
{
    uint64_t sum = FNV_OFFSET;
    for (size_t i = 0; i < s.len; i++)
        sum = (sum ^ s.ptr[i]) * FNV_PRIME;
    return sum;
}

static bool bolt_is_page_size(uint32_t n)
{
    return n >= KW_BOLT_PAGE_MIN && n <= KW_BOLT_PAGE_MAX && (n & (n - 1)) == 0;
}

const char *kw_bolt_meta_read(kw_span page, struct kw_bolt_meta *ret_meta)
{
    struct kw_src src = kw_src_of(page);
    (void)kw_src_take(&src, KW_BOLT_HEADER);
    const kw_span summed = {kw_src_rest(&src).ptr, BOLT_SUMMED};
    if (kw_src_left(&src) < KW_BOLT_META)
        return "the file ends before it";
    const uint32_t magic = bolt_u32(&src);
    if (magic == BOLT_MAGIC_SWAPPED)
        return "it was written by a big-endian machine";
    if (magic != BOLT_MAGIC)
        return "it is no bbolt file";
    if (bolt_u32(&src) != BOLT_VERSION)
        return "it has another version than bbolt's 2";
    struct kw_bolt_meta m = {0};
    m.page_size = bolt_u32(&src);
    (void)kw_src_take(&src, 4); /* flags: none are defined */
    m.root = bolt_u64(&src);
    (void)kw_src_take(&src, 8); /* the sequence of the root bucket */
    m.freelist = bolt_u64(&src);
    m.pages = bolt_u64(&src);
    m.txid = bolt_u64(&src);
    if (bolt_u64(&src) != bolt_fnv(summed))
        return "its checksum differs";
    if (!bolt_is_page_size(m.page_size))
        return "it has an impossible page size";
    *ret_meta = m;
    return NULL;
}

size_t kw_bolt_table_end(uint16_t count)
{
    return KW_BOLT_HEADER + (size_t)count * KW_BOLT_ELEMENT;
}

/* Where element i stands; it is there. */
static struct kw_src bolt_element(kw_span run, uint16_t i)
{
    struct kw_src src = kw_src_of(run);
    (void)kw_src_take(&src, kw_bolt_table_end(i));
    return src;
}

/* `size` bytes at `pos` behind element i, behind all elements and within the run. */
static bool bolt_place(kw_span run, uint16_t count, uint16_t i, uint64_t pos,
                       uint64_t size, struct kw_bolt_element *e)
{
    const uint64_t begin = (uint64_t)kw_bolt_table_end(i) + pos;
    const uint64_t end = begin + size;
    if (begin < kw_bolt_table_end(count) || end > run.len)
        return false;
    e->begin = (size_t)begin;
    e->end = (size_t)end;
    return true;
}

const char *kw_bolt_leaf_at(kw_span run, uint16_t count, uint16_t i,
                            struct kw_bolt_element *ret_element)
{
    struct kw_src src = bolt_element(run, i);
    struct kw_bolt_element e = {0};
    e.flags = bolt_u32(&src);
    const uint32_t pos = bolt_u32(&src);
    const uint32_t key = bolt_u32(&src);
    const uint32_t value = bolt_u32(&src);
    if (src.bad)
        return "more elements than fit";
    if (!bolt_place(run, count, i, pos, (uint64_t)key + value, &e))
        return "an element lies outside of its page";
    src = kw_src_of(run);
    (void)kw_src_take(&src, e.begin);
    e.key = kw_src_take(&src, key);
    e.value = kw_src_take(&src, value);
    *ret_element = e;
    return NULL;
}

const char *kw_bolt_branch_at(kw_span run, uint16_t count, uint16_t i,
                              struct kw_bolt_element *ret_element)
{
    struct kw_src src = bolt_element(run, i);
    struct kw_bolt_element e = {0};
    const uint32_t pos = bolt_u32(&src);
    const uint32_t key = bolt_u32(&src);
    e.child = bolt_u64(&src);
    if (src.bad)
        return "more elements than fit";
    if (!bolt_place(run, count, i, pos, key, &e))
        return "an element lies outside of its page";
    src = kw_src_of(run);
    (void)kw_src_take(&src, e.begin);
    e.key = kw_src_take(&src, key);
    *ret_element = e;
    return NULL;
}

const char *kw_bolt_bucket_read(kw_span value, uint64_t *ret_root, kw_span *ret_inline)
{
    struct kw_src src = kw_src_of(value);
    const uint64_t root = bolt_u64(&src);
    (void)kw_src_take(&src, 8); /* its sequence */
    if (src.bad)
        return "a bucket without a header";
    const kw_span page = kw_src_rest(&src);
    if (root == 0) {
        if (page.len < KW_BOLT_HEADER)
            return "an inline bucket without a page";
        const struct kw_bolt_header h = kw_bolt_header_of(page);
        if (h.id != 0 || h.flags != KW_BOLT_LEAF || h.overflow != 0)
            return "an inline bucket without a page";
    }
    *ret_root = root;
    *ret_inline = page;
    return NULL;
}

size_t kw_bolt_freelist_end(kw_span run, uint16_t count)
{
    struct kw_src src = kw_src_of(run);
    (void)kw_src_take(&src, KW_BOLT_HEADER);
    uint64_t ids = count;
    if (count == KW_BOLT_FREE_LONG)
        ids = bolt_u64(&src);
    if (src.bad || ids > kw_src_left(&src) / BOLT_FREE_ID)
        return 0;
    return src.at + (size_t)ids * BOLT_FREE_ID;
}
