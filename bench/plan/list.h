/* SPDX-License-Identifier: Apache-2.0 */
/* list - things known by their number, in a row that any of them may leave
 *
 * The links lie in an array of the owner's, one for each number; a thing is in at most
 * one list of that array at a time.
 *
 * Threads:  plain values.
 */
#ifndef KEYWARD_BENCH_LIST_H
#define KEYWARD_BENCH_LIST_H

#include <stdint.h>

#define KW_NOBODY UINT32_MAX

struct kw_link {
    uint32_t prev, next;
};
struct kw_list {
    uint32_t first, last;
    struct kw_link *link; /* borrowed */
};

static inline struct kw_list kw_list_of(struct kw_link *link)
{
    return (struct kw_list){KW_NOBODY, KW_NOBODY, link};
}

static inline void kw_list_append(struct kw_list *l, uint32_t i)
{
    l->link[i] = (struct kw_link){l->last, KW_NOBODY};
    if (l->last == KW_NOBODY)
        l->first = i;
    else
        l->link[l->last].next = i;
    l->last = i;
}

/* i is in this list. */
static inline void kw_list_remove(struct kw_list *l, uint32_t i)
{
    struct kw_link at = l->link[i];
    if (at.prev == KW_NOBODY)
        l->first = at.next;
    else
        l->link[at.prev].next = at.next;
    if (at.next == KW_NOBODY)
        l->last = at.prev;
    else
        l->link[at.next].prev = at.prev;
}

#endif
