/* SPDX-License-Identifier: Apache-2.0 */
#include "traffic.h"

#include <signal.h>

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
        world_sealed(w, 1 + (uint32_t)(i % 2), &l->parcels[i]);
}

void load_run_killing(struct load *l, size_t kills)
{
    pid_t last = 0; /* it may take its time to die */
    size_t killed = 0;
    submit_more(l);
    while (l->flying > 0) {
        pid_t pid = ready_pid(l->w, 0);
        if (killed < kills && pid != 0 && pid != last &&
            l->good > (killed + 1) * l->wanted / (kills + 2)) {
            CHECK(kill(pid, SIGKILL) == 0);
            last = pid;
            killed++;
        }
        world_turn(l->w);
    }
    CHECK(killed == kills && l->wrong == 0 && l->good + l->failed == l->wanted);
}
