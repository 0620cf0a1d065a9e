/* SPDX-License-Identifier: Apache-2.0 */
/* Pieces of time, settled, anchored, joined and put into order. */
#include "coverage_pieces.h"

#include <stdlib.h>

#include <keyward/alloc.h>

/* ---- as they come ---- */

static bool pieces_grow(struct kw_pieces *p)
{
    const size_t room = p->room == 0 ? 64 : 2 * p->room;
    struct kw_piece *at = kw_new(room, sizeof *at);
    if (at == NULL)
        return false;
    for (size_t i = 0; i < p->count; i++)
        at[i] = p->at[i];
    kw_free(p->at);
    p->at = at;
    p->room = room;
    return true;
}

void kw_pieces_free(struct kw_pieces *p)
{
    kw_free(p->at);
    *p = (struct kw_pieces){0};
}

static bool pieces_join_up(const struct kw_piece *a, const struct kw_piece *b)
{
    return a->to_us == b->from_us && a->range == b->range && a->proof == b->proof &&
           a->runs == b->runs;
}

/* From here on equal neighbours become one, also with the one before. */
static void pieces_join(struct kw_pieces *p, size_t from)
{
    size_t count = from;
    for (size_t i = from; i < p->count; i++)
        if (count > 0 && pieces_join_up(&p->at[count - 1], &p->at[i]))
            p->at[count - 1].to_us = p->at[i].to_us;
        else
            p->at[count++] = p->at[i];
    p->count = count;
    for (p->pending = from; p->pending < count && p->at[p->pending].range == 0;)
        p->pending++;
}

kw_err kw_pieces_put(struct kw_pieces *p, const struct kw_piece *piece)
{
    KW_INVARIANT(piece->from_us < piece->to_us);
    if (p->count > 0 && pieces_join_up(&p->at[p->count - 1], piece)) {
        p->at[p->count - 1].to_us = piece->to_us;
        return KW_OK;
    }
    if (p->is_more || p->count == KW_COVERAGE_MAX) {
        p->is_more = true;
        return KW_OK;
    }
    if (p->count == p->room && !pieces_grow(p))
        return kw_err_at(KW_CODE_NO_MEMORY, "coverage");
    if (p->pending == p->count && piece->range == 0)
        p->pending++;
    p->at[p->count++] = *piece;
    return KW_OK;
}

void kw_pieces_settle(struct kw_pieces *p, uint64_t range, enum kw_proof proof)
{
    for (size_t i = p->pending; i < p->count; i++)
        if (p->at[i].range == range) {
            p->at[i].range = 0;
            p->at[i].proof = p->at[i].proof > proof ? p->at[i].proof : proof;
        }
    pieces_join(p, p->pending);
}

void kw_pieces_anchor(struct kw_pieces *p)
{
    for (size_t i = p->unanchored; i < p->count; i++) {
        p->at[i].range = 0;
        if (p->at[i].proof != KW_PROOF_LOST)
            p->at[i].proof = KW_PROOF_ANCHORED;
    }
    pieces_join(p, p->unanchored);
    p->unanchored = p->count;
}

/* ---- in the order of time ---- */

/* Where a piece begins or ends. */
struct edge {
    int64_t at_us;
    const struct kw_piece *of;
    bool begins;
};

static int edges_order(const void *a, const void *b)
{
    const int64_t x = ((const struct edge *)a)->at_us,
                  y = ((const struct edge *)b)->at_us;
    return (x > y) - (x < y);
}

/* How many there are at a moment. */
struct edges_open {
    size_t of_proof[KW_PROOFS], running, all;
};

static void edges_pass(struct edges_open *open, const struct edge *e)
{
    const size_t one = e->begins ? 1 : (size_t)-1; /* unsigned: it wraps as it must */
    open->of_proof[e->of->proof] += one;
    open->running += e->of->runs ? one : 0;
    open->all += one;
}

static struct kw_piece edges_worst(const struct edges_open *open, int64_t from,
                                   int64_t to)
{
    struct kw_piece worst = {.from_us = from, .to_us = to, .runs = open->running > 0};
    while (open->of_proof[worst.proof] == 0)
        worst.proof++;
    return worst;
}

kw_err kw_pieces_flatten(const struct kw_pieces *p, struct kw_piece *dst,
                         size_t *ret_count)
{
    struct edges_open open = {.all = 0};
    size_t count = 0;
    struct edge *edge = kw_new(2 * p->count + 1, sizeof *edge);
    if (edge == NULL)
        return kw_err_at(KW_CODE_NO_MEMORY, "coverage");
    for (size_t i = 0; i < p->count; i++) {
        edge[2 * i] = (struct edge){p->at[i].from_us, &p->at[i], true};
        edge[2 * i + 1] = (struct edge){p->at[i].to_us, &p->at[i], false};
    }
    qsort(edge, 2 * p->count, sizeof *edge, edges_order);
    for (size_t i = 0; i + 1 < 2 * p->count; i++) {
        edges_pass(&open, &edge[i]);
        if (open.all > 0 && edge[i].at_us < edge[i + 1].at_us)
            dst[count++] = edges_worst(&open, edge[i].at_us, edge[i + 1].at_us);
    }
    kw_free(edge);
    *ret_count = count;
    return KW_OK;
}
