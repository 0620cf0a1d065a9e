/* SPDX-License-Identifier: Apache-2.0 */
/* What would run. */
#include <inttypes.h>
#include <stdio.h>

#include "rounds.h"

static void time_text(char *dst, size_t cap, int64_t ns)
{
    const int64_t s = (ns + KW_S_NS / 2) / KW_S_NS;
    if (s < 60)
        snprintf(dst, cap, "%" PRId64 " s", s);
    else if (s < 3600)
        snprintf(dst, cap, "%" PRId64 " min %02" PRId64 " s", s / 60, s % 60);
    else
        snprintf(dst, cap, "%" PRId64 " h %02" PRId64 " min", s / 3600, s % 3600 / 60);
}

/* By what the words of the cells say; how many say nothing. */
static size_t sum_of(const struct kw_rounds *r, int64_t *ret_ns)
{
    size_t unknown = 0;
    *ret_ns = 0;
    for (size_t i = 0; i < r->results->cell_count; i++) {
        *ret_ns += r->entry[i].expected_ns;
        unknown += r->entry[i].expected_ns == 0 ? 1 : 0;
    }
    return unknown;
}

void kw_rounds_dry(const struct kw_rounds *r)
{
    char text[48];
    int64_t round_ns = 0;
    const struct kw_results *all = r->results;
    const size_t unknown = sum_of(r, &round_ns);
    for (size_t i = 0; i < all->cell_count; i++) {
        const struct kw_results_cell *c = &all->cell[i];
        time_text(text, sizeof text, r->entry[i].expected_ns);
        printf("%s%s: keyward-bench %s  (%s)\n", c->name, c->primary ? "*" : "",
               c->command, r->entry[i].expected_ns > 0 ? text : "nobody knows how long");
    }
    printf("layout %s: %s\n", all->layout.name, all->layout.words);
    time_text(text, sizeof text, round_ns);
    printf("one round of %zu cells, the control among them: %s", all->cell_count, text);
    if (unknown > 0)
        printf(" and what %zu of them take whose words do not say it", unknown);
    if (r->until > 0) {
        time_text(text, sizeof text, r->for_ns);
        printf(
            "\nrounds until the primary cells' cpu_us is known to %.1f %%, at most %zu "
            "of them and %s\n",
            100 * r->until, r->wanted, text);
        return;
    }
    time_text(text, sizeof text, round_ns * (int64_t)r->wanted);
    printf("\n%zu rounds: %s%s\n", r->wanted, unknown > 0 ? "more than " : "", text);
}
