/* SPDX-License-Identifier: Apache-2.0 */
#include "window.h"

void kw_window_add(struct kw_window *w, int64_t took_ns)
{
    if (w->limit_ns == 0)
        return;
    w->count++;
    w->over += took_ns > w->limit_ns;
    if (w->count < KW_WINDOW)
        return;
    if (w->over > KW_WINDOW / 100 && w->broken == 0)
        w->broken = w->over;
    w->count = w->over = 0;
}
