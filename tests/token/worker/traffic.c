/* SPDX-License-Identifier: Apache-2.0 */
#include "traffic.h"

bool two_ready(struct world *w)
{
    return is_up(w) && ready_count(w) == 2;
}

void world_turn(struct world *w)
{
    CHECK(event_base_loop(w->loop, EVLOOP_ONCE) == 0);
}

void landed(void *ctx, struct kw_hsm_answer *a)
{
    struct flight *f = ctx;
    struct load *l = f->load;
    const struct parcel *p = &l->parcels[f->kind];
    l->flying--;
    if (kw_failed(a->err))
        *(a->err.code == KW_CODE_DEADLINE ? &l->late : &l->failed) += 1;
    else if (kw_span_equal(kw_secret_peek(a->output),
                           kw_span_of(p->plain, sizeof p->plain)))
        l->good++;
    else
        l->wrong++;
    submit_more(l);
}

void submit_more(struct load *l)
{
    static struct flight flights[FLIGHTS_MAX];
    while (l->flying < IN_FLIGHT && l->sent < l->wanted) {
        struct flight *f = &flights[l->sent];
        *f = (struct flight){l, l->sent % KINDS};
        l->sent++;
        l->flying++;
        CHECK_OK(world_submit_unwrap(l->w, &l->parcels[f->kind], landed, f, l->in_ns));
    }
}

void load_begin(struct load *l, struct world *w, size_t wanted)
{
    *l = (struct load){.w = w, .wanted = wanted, .in_ns = 5 * KW_S_NS};
    for (size_t i = 0; i < KINDS; i++)
        CHECK_OK(world_wrap(w, 1 + (uint32_t)(i % 2), &l->parcels[i]));
}
