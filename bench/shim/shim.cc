/* SPDX-License-Identifier: Apache-2.0 */
#include "shim.h"

#include <cstdio>
#include <exception>

#include <benchmark/benchmark.h>

namespace
{

const kw_micro_program *program;
enum { NEW, BEGUN, UNABLE } stage = NEW;
bool failed; /* a case of this process was */

void print_help()
{
    program->help();
    benchmark::PrintDefaultHelp();
}

} // namespace

/* One run; lives as long as the library's own object. */
struct kw_micro {
    benchmark::State &state;
    const kw_micro_case *c;
};

namespace
{

void run(benchmark::State &state, const kw_micro_case *c)
{
    kw_micro m{state, c};
    if (stage == NEW)
        stage = program->begin() ? BEGUN : UNABLE;
    if (stage == UNABLE) {
        kw_micro_fail(&m, "the program could not begin");
        return;
    }
    if (c->setup != nullptr && !c->setup(&m))
        return;
    c->run(&m);
    if (c->teardown != nullptr)
        c->teardown();
}

int run_all(int argc, char **argv)
{
    benchmark::Initialize(&argc, argv, print_help);
    if (benchmark::ReportUnrecognizedArguments(argc, argv))
        return 2;
    const std::size_t matched = benchmark::RunSpecifiedBenchmarks();
    benchmark::Shutdown();
    if (matched == 0) {
        std::fputs("keyward-bench micro: no case matches the filter; "
                   "--benchmark_list_tests=true names all of them\n",
                   stderr);
        return 2;
    }
    if (stage == UNABLE)
        return 3;
    return failed ? 1 : 0;
}

} // namespace

extern "C" {

void kw_micro_register(const kw_micro_case *cases)
{
    for (const kw_micro_case *c = cases; c->name != nullptr; c++) {
        benchmark::internal::Benchmark *b = benchmark::RegisterBenchmark(
            c->name, [c](benchmark::State &state) { run(state, c); });
        if (c->waits)
            b->UseRealTime();
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

int kw_micro_main(int argc, char **argv, const kw_micro_program *p)
{
    program = p;
    try {
        return run_all(argc, argv);
    } catch (const std::exception &e) {
        std::fprintf(stderr, "keyward-bench micro: %s\n", e.what());
    }
    return 3;
}

bool kw_micro_next(kw_micro *m)
{
    return m->state.KeepRunning();
}

int64_t kw_micro_argument(const kw_micro *m)
{
    return m->c->argument != nullptr ? m->state.range(0) : 0;
}

int64_t kw_micro_iterations(const kw_micro *m)
{
    return static_cast<int64_t>(m->state.iterations());
}

void kw_micro_pause(kw_micro *m)
{
    m->state.PauseTiming();
}

void kw_micro_resume(kw_micro *m)
{
    m->state.ResumeTiming();
}

void kw_micro_items(kw_micro *m, int64_t items)
{
    m->state.SetItemsProcessed(items);
}

void kw_micro_bytes(kw_micro *m, int64_t bytes)
{
    m->state.SetBytesProcessed(bytes);
}

void kw_micro_count(kw_micro *m, const char *name, double value)
{
    m->state.counters[name] = benchmark::Counter(value);
}

void kw_micro_fail(kw_micro *m, const char *why)
{
    failed = true;
    if (!m->state.error_occurred())
        m->state.SkipWithError(why);
}

} /* extern "C" */
