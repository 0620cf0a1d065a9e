/* SPDX-License-Identifier: Apache-2.0 */
#include "draw.h"

#include <keyward/err.h>

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
