/* SPDX-License-Identifier: Apache-2.0 */
#include "shim.h"

#include <cstdio>

#include <benchmark/benchmark.h>

namespace
{

void (*own_help)();
bool failed; /* a case of this process was */

void print_help()
{
    own_help();
    benchmark::PrintDefaultHelp();
}

const char *turns_failure(benchmark::State &state, const kw_micro_case *c)
{
    std::uint64_t n = 0;
    bool good = true;
    while (good && state.KeepRunning())
        good = c->turn(n++);
    if (c->teardown != nullptr && !c->teardown(n))
        return "its part did not do what is measured";
    return good ? nullptr : "a turn failed";
}

void run_case(benchmark::State &state, const kw_micro_case *c)
{
    const char *failure = "it could not be set up";
    if (c->setup == nullptr || c->setup(c->argument != nullptr ? state.range(0) : 0))
        failure = turns_failure(state, c);
    else if (c->teardown != nullptr)
        c->teardown(0);
    if (failure == nullptr)
        return;
    failed = true;
    state.SkipWithError(failure);
}

} // namespace

extern "C" {

void kw_micro_register(const kw_micro_case *cases)
{
    for (const kw_micro_case *c = cases; c->name != nullptr; c++) {
        benchmark::internal::Benchmark *b = benchmark::RegisterBenchmark(
            c->name, [c](benchmark::State &state) { run_case(state, c); });
        if (c->argument != nullptr)
            b->ArgName(c->argument);
        for (std::size_t i = 0; i < c->value_count; i++)
            b->Arg(c->values[i]);
    }
}

void kw_micro_context(const char *key, const char *value)
{
    benchmark::AddCustomContext(key, value);
}

int kw_micro_main(int argc, char **argv, void (*help)(void))
{
    own_help = help;
    benchmark::Initialize(&argc, argv, print_help);
    if (benchmark::ReportUnrecognizedArguments(argc, argv))
        return 2;
    const std::size_t matched = benchmark::RunSpecifiedBenchmarks();
    benchmark::Shutdown();
    if (matched > 0)
        return failed ? 1 : 0;
    std::fputs("keyward-bench micro: no case matches the filter; "
               "--benchmark_list_tests=true names all of them\n",
               stderr);
    return 2;
}

} /* extern "C" */
