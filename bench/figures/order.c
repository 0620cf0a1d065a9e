/* SPDX-License-Identifier: Apache-2.0 */
#include "order.h"

#include <math.h>

#include <keyward/alloc.h>

uint64_t kw_draw(uint64_t *state)
{
    uint64_t z = (*state += UINT64_C(0x9e3779b97f4a7c15));
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

double kw_draw_unit(uint64_t *state)
{
    return (double)(kw_draw(state) >> 11) * 0x1p-53;
}

uint64_t kw_draw_below(uint64_t *state, uint64_t count)
{
    KW_INVARIANT(count > 0 && count <= UINT64_C(1) << 32);
    return (uint64_t)(kw_draw_unit(state) * (double)count);
}

static uint32_t common(uint32_t a, uint32_t b)
{
    while (b != 0) {
        uint32_t rest = a % b;
        a = b;
        b = rest;
    }
    return a;
}

void kw_deck_init(struct kw_deck *d, const uint32_t *weight, size_t kinds, uint64_t seed)
{
    uint64_t sum = 0;
    uint32_t divisor = 0;
    KW_INVARIANT(kinds <= 256);
    for (size_t i = 0; i < kinds; i++) {
        sum += weight[i];
        divisor = common(divisor, weight[i]);
    }
    KW_INVARIANT(sum > 0 && sum <= KW_DECK_MAX);
    *d = (struct kw_deck){.state = seed};
    for (size_t i = 0; i < kinds; i++)
        for (uint32_t n = 0; n < weight[i] / divisor; n++)
            d->card[d->count++] = (uint8_t)i;
    d->at = d->count;
}

/* Fisher and Yates. */
static void shuffle(struct kw_deck *d)
{
    for (size_t i = d->count - 1; i > 0; i--) {
        size_t j = (size_t)kw_draw_below(&d->state, i + 1);
        uint8_t card = d->card[i];
        d->card[i] = d->card[j];
        d->card[j] = card;
    }
    d->at = 0;
}

unsigned kw_deck_next(struct kw_deck *d)
{
    if (d->at == d->count)
        shuffle(d);
    return d->card[d->at++];
}

kw_err kw_zipf_init(struct kw_zipf *z, size_t count, double s)
{
    KW_INVARIANT(count > 0 && s >= 0);
    double all = 0;
    double *sum = kw_new(count, sizeof sum[0]);
    if (sum == NULL)
        return kw_err_at(KW_CODE_NO_MEMORY, "zipf");
    for (size_t i = 0; i < count; i++)
        sum[i] = all += pow((double)i + 1, -s);
    for (size_t i = 0; i < count; i++)
        sum[i] /= all;
    *z = (struct kw_zipf){count, sum};
    return KW_OK;
}

void kw_zipf_wipe(struct kw_zipf *z)
{
    kw_free(z->sum);
    *z = (struct kw_zipf){0};
}

size_t kw_zipf_at(const struct kw_zipf *z, double unit)
{
    size_t low = 0,
           high = z->count - 1; /* whatever the roundings, the last is the last */
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (z->sum[middle] > unit)
            high = middle;
        else
            low = middle + 1;
    }
    return low;
}
