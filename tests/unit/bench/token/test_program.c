/* SPDX-License-Identifier: Apache-2.0 */
/* The command line: what is understood of it. */
#include "check.h"

#include "document.h"
#include "run.h"

TEST(options__or_their_defaults__understood)
{
    static struct kw_run r;
    static const struct {
        const char *words, *options;
    } rows[] = {
        {"", "operation = unwrap, key = token, processes = 1, threads = 1, sessions = 1, "
             "curve/# = 0, seconds_ns = 5e9, calls = 0, warmup_ns = 1e9, ramp_ns = 0, "
             "max_rate = 0, stop_p99_ns = 0"},
        {"--op find --key copy --processes 64 --threads 4 --sessions 1024 --calls 7 "
         "--warmup 0s --max-rate 10 --ramp 5s --stop-p99 20ms --cpu 0,1 --yes",
         "operation = find, key = copy, processes = 64, threads = 4, sessions = 1024, "
         "calls = 7, warmup_ns = 0, ramp_ns = 5e9, max_rate = 10, stop_p99_ns = 2e7"},
        {"--curve 1,2,4,64",
         "curve/# = 4, curve/0 = 1, curve/1 = 2, curve/2 = 4, curve/3 = 64"}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        kw_run_line(&r, 0, KEYWARD_BENCH,
                    "token --module /m.so --uri pkcs11:token=t --pin file:/p --dry-run "
                    "--json %s",
                    rows[i].words);
        kw_says(r.out, "dry_run = true");
        json_t *all = kw_parsed(r.out);
        kw_holds(json_incref(json_object_get(all, "options")), rows[i].options);
        json_decref(all);
    }
}

KW_CASES("bench/token/program", CASE(options__or_their_defaults__understood))
