/* SPDX-License-Identifier: Apache-2.0 */
/* keyward-bench rounds */
#include "rounds.h"

#include <keyward/alloc.h>
#include <keyward/bytes.h>

static int read_configurations(const struct kw_verb *v, char **words, size_t count,
                               struct kw_rounds *r)
{
    struct kw_note note = {{0}};
    for (size_t i = 0; i <= count; i++) {
        struct kw_configuration *c = &r->configuration[i];
        /* The control, last, is the first once more. */
        kw_err e = kw_configuration_parse(words[i % count], r->cpu, c, &note);
        if (kw_failed(e))
            return kw_usage(v, "%s", note.text);
        r->configuration_count++;
        if (i == count)
            (void)kw_copy_str(c->name, sizeof c->name, kw_span_str("control"));
    }
    return -1;
}

static int run(const struct kw_verb *v, struct kw_rounds *r, bool json)
{
    struct kw_note note = {{0}};
    enum kw_exit code = KW_EXIT_GOOD;
    kw_err e = kw_rounds_run(r, &note);
    if (r->done < r->wanted)
        code = KW_EXIT_UNABLE;
    else if (r->failures > 0)
        code = KW_EXIT_WRONG;
    if (kw_failed(e))
        (void)kw_unable_err(v, e, &note);
    if (json)
        return kw_document_out(kw_rounds_document(r), code);
    kw_rounds_table(r);
    return (int)code;
}

int kw_bench_rounds(int argc, char **argv)
{
    const char *rounds = NULL, *cpu = NULL;
    bool json = false;
    uint64_t wanted = 6, unused = 0;
    const struct kw_flag flags[] = {
        {"rounds", "N", "how many, 1..64 (6)", NULL, &rounds},
        {"cpu-client", "N", "run every client on CPU N only, unless it says --cpu itself",
         NULL, &cpu},
        {"json", NULL, "one JSON document instead of tables", &json, NULL},
    };
    const struct kw_verb v = {
        .name = "rounds",
        .operands = "'NAME=load SOCKET …' …",
        .summary =
            "Runs several measurements by turns and tells their ratios to the first.",
        .operand_min = 1,
        .operand_max = KW_CONFIGURATIONS_MAX,
        .flags = flags,
        .flag_count = sizeof flags / sizeof flags[0],
        .more =
            "Each operand is a name and a command line of load or token without quotes.\n"
            "The first one also runs as the control: the same thing twice."};
    int operands = 0, code = kw_args(&v, argc, argv, &operands);
    if (code < 0)
        code = kw_args_number(&v, "rounds", rounds, 1, KW_ROUNDS_MAX, &wanted);
    if (code < 0)
        code = kw_args_number(&v, "cpu-client", cpu, 0, 1023, &unused);
    if (code >= 0)
        return code;
    struct kw_rounds *r = kw_new(1, sizeof *r);
    if (r == NULL)
        return kw_unable(&v, "out of memory");
    r->wanted = wanted;
    r->cpu = cpu;
    kw_stop_catch();
    code = read_configurations(&v, argv + 1, (size_t)operands, r);
    if (code < 0)
        code = run(&v, r, json);
    for (size_t i = 0; i < r->configuration_count; i++)
        kw_free(r->configuration[i].line);
    kw_free(r);
    return code;
}
