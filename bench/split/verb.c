/* SPDX-License-Identifier: Apache-2.0 */
/* keyward-bench split */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include <keyward/bytes.h>

#include "split.h"
#include "tool.h"

enum { PREFIXES_MAX = 8 };

/* One operand: PREFIX, or PREFIX=COMMIT. */
struct part {
    char prefix[KW_RESULTS_NAME], commit[64];
};

static bool read_part(const char *text, struct part *ret_part)
{
    const char *equals = strchr(text, '=');
    const size_t len = equals != NULL ? (size_t)(equals - text) : strlen(text);
    *ret_part = (struct part){{0}, {0}};
    return kw_copy_str(ret_part->prefix, sizeof ret_part->prefix,
                       kw_span_of(text, len)) &&
           kw_results_is_name(ret_part->prefix) && ret_part->prefix[0] != '.' &&
           (equals == NULL ||
            (equals[1] != '\0' && kw_copy_str(ret_part->commit, sizeof ret_part->commit,
                                              kw_span_str(equals + 1))));
}

static kw_err make_folder(const char *path, struct kw_note *note)
{
    if (mkdir(path, 0755) == 0 || errno == EEXIST)
        return KW_OK;
    kw_note_set(note, "%s: %s", path, strerror(errno));
    return kw_err_native(KW_CODE_IO, (uint32_t)errno, "mkdir");
}

/* Reads the whole anew for each part, as the part is cut out of it. */
static kw_err write_part(const char *folder, const char *const prefixes[], size_t count,
                         size_t own, const char *commit, struct kw_note *note)
{
    char from[600], to[600];
    struct kw_results *r = NULL;
    snprintf(from, sizeof from, "%s/results.json", folder);
    snprintf(to, sizeof to, "%s/%s", folder, prefixes[own]);
    kw_err e = kw_results_read(from, &r, note);
    if (!kw_failed(e))
        e = kw_split_keep(r, prefixes, count, own, note);
    if (!kw_failed(e) && commit[0] != '\0')
        (void)kw_copy_str(r->environment.commit, sizeof r->environment.commit,
                          kw_span_str(commit));
    if (!kw_failed(e))
        e = make_folder(to, note);
    if (!kw_failed(e))
        e = kw_results_write(r, to, note);
    kw_results_free(r);
    return e;
}

int kw_bench_split(int argc, char **argv)
{
    const struct kw_verb v = {
        .name = "split",
        .operands = "FOLDER PREFIX[=COMMIT] PREFIX[=COMMIT]…",
        .summary = "Tells apart the things that one run measured by turns.",
        .operand_min = 3,
        .operand_max = 1 + PREFIXES_MAX,
        .more =
            "Of the run in FOLDER, the cells called PREFIX.NAME become a run of their "
            "own in\nFOLDER/PREFIX, called NAME there: the same session, the same "
            "rounds.  Cells with\nnone of the prefixes are in every part.  =COMMIT says "
            "what it is."};
    struct kw_note note = {{0}};
    int operands = 0, code = kw_args(&v, argc, argv, &operands);
    if (code >= 0)
        return code;
    const size_t count = (size_t)operands - 1;
    const char *prefixes[PREFIXES_MAX];
    struct part parts[PREFIXES_MAX];
    if (strlen(argv[1]) > 500)
        return kw_usage(&v, "FOLDER: a path of 1 to 500 bytes");
    for (size_t i = 0; i < count; i++) {
        if (!read_part(argv[2 + i], &parts[i]))
            return kw_usage(&v, "%s: a prefix has letters, digits and ._-", argv[2 + i]);
        prefixes[i] = parts[i].prefix;
    }
    for (size_t i = 0; i < count; i++) {
        kw_err e = write_part(argv[1], prefixes, count, i, parts[i].commit, &note);
        if (kw_failed(e))
            return kw_unable_err(&v, e, &note);
    }
    return KW_EXIT_GOOD;
}
