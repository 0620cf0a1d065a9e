/* SPDX-License-Identifier: Apache-2.0 */
/* keyward evidence - a bundle for auditors out of what was collected of each control plane */
#include "cli.h"

#include <stdio.h>
#include <string.h>

#include <keyward/clock.h>

#include "bundle.h"
#include "commands.h"

enum { KW_EXIT_UNSATISFIED = 4 }; /* the bundle is there, and not every check passes */

/* ---- what it came to ---- */

static void evidence_print_checks(const struct kw_cli *cli, const struct kw_evidence *e,
                                  const char *outcome, enum kw_tint tint)
{
    const json_t *row;
    size_t i;
    json_array_foreach(kw_evidence_rows(e, KW_EVIDENCE_CHECKS), i, row)
    {
        if (strcmp(json_string_value(json_object_get(row, "outcome")), outcome) == 0)
            printf("%s%-12s%s %-22s %s: %s\n", kw_tint(cli, tint), outcome,
                   kw_tint(cli, KW_TINT_OFF),
                   json_string_value(json_object_get(row, "check")),
                   json_string_value(json_object_get(row, "subject")),
                   json_string_value(json_object_get(row, "why")));
    }
}

static int evidence_report(const struct kw_cli *cli, const struct kw_bundle_asked *asked,
                           const struct kw_bundle_made *made)
{
    const struct kw_evidence_sum sum = kw_evidence_count(made->evidence);
    const char *outcome = kw_evidence_outcome(made->evidence);
    const bool is_good = strcmp(outcome, KW_OUTCOME_PASS) == 0;
    const int code = is_good ? KW_EXIT_GOOD : KW_EXIT_UNSATISFIED;
    struct kw_commands next = {.len = 0};
    kw_commands_when(&next, "the audit key signs it, on a control plane:");
    kw_commands_command(
        &next, (const char *const[]){"keyward", "evidence", "sign", asked->out, NULL});
    if (cli->json) {
        const int said = kw_done(
            cli,
            json_pack("{s:b, s:s, s:I, s:s, s:I, s:I, s:I}", "ok", is_good, "folder",
                      asked->out, "files", (json_int_t)made->files, "outcome", outcome,
                      "pass", (json_int_t)sum.pass, "fail", (json_int_t)sum.fail,
                      "not_answered", (json_int_t)sum.not_answered),
            next.text, (enum kw_exit)code);
        return said;
    }
    evidence_print_checks(cli, made->evidence, KW_OUTCOME_FAIL, KW_TINT_BAD);
    evidence_print_checks(cli, made->evidence, KW_OUTCOME_NOT_ANSWERED, KW_TINT_WARN);
    printf("made %s, %zu files: %zu checks pass, %zu fail, %zu are not answered\n",
           asked->out, made->files, sum.pass, sum.fail, sum.not_answered);
    return kw_done(cli, NULL, next.text, (enum kw_exit)code);
}

/* ---- words ---- */

static int evidence_judge_at(const char *verb, const char *at,
                             struct kw_bundle_asked *asked)
{
    asked->at_us = kw_wall_ns(&kw_clock_system) / 1000;
    if (at == NULL)
        return -1;
    if (kw_moment_read(at, &asked->at_us))
        return -1;
    return kw_usage_error(
        verb,
        "--at %s: it wants a day or a time of UTC such as 2026-01-31 or "
        "2026-01-31T12:00:00Z",
        at);
}

static int evidence_judge_nodes(const char *verb, const struct kw_words *nodes)
{
    struct kw_bundle_node node, other;
    if (nodes->count == 0)
        return kw_usage_error(verb,
                              "--node NAME=DIR of each control plane; NAME alone of "
                              "one of which nothing was collected");
    for (size_t i = 0; i < nodes->count; i++) {
        if (!kw_bundle_node_named(nodes->at[i], &node))
            return kw_usage_error(verb,
                                  "--node %s: it wants NAME=DIR, or NAME alone; a "
                                  "name is 1 to 63 of a-z 0-9 . -",
                                  nodes->at[i]);
        for (size_t k = 0; k < i; k++)
            if (kw_bundle_node_named(nodes->at[k], &other) &&
                strcmp(node.name, other.name) == 0)
                return kw_usage_error(verb, "--node: '%s' is named twice", node.name);
    }
    return -1;
}

/* Each must be of a node that has a folder. */
static int evidence_judge_anchors(const char *verb, const struct kw_bundle_asked *asked)
{
    struct kw_bundle_node anchors, node;
    for (size_t i = 0; i < asked->anchors.count; i++) {
        const char *word = asked->anchors.at[i];
        bool is_known = false;
        if (!kw_bundle_node_named(word, &anchors) || anchors.dir == NULL)
            return kw_usage_error(verb, "--anchors %s: it wants NAME=FILE", word);
        for (size_t k = 0; k < asked->nodes.count; k++)
            is_known =
                is_known || (kw_bundle_node_named(asked->nodes.at[k], &node) &&
                             strcmp(node.name, anchors.name) == 0 && node.dir != NULL);
        if (!is_known)
            return kw_usage_error(verb, "--anchors %s: no --node NAME=DIR has this name",
                                  word);
    }
    return -1;
}

static int evidence_judge_words(const char *verb, const char *period, const char *at,
                                struct kw_bundle_asked *asked)
{
    if (asked->out == NULL || asked->out[0] == '\0')
        return kw_usage_error(verb, "--out DIR: where to; a new folder");
    if (period == NULL || !kw_period_read(period, &asked->period))
        return kw_usage_error(verb, "--period FROM..TO, two days or times of UTC such as "
                                    "2026-01-31 or 2026-01-31T12:00:00Z, the earlier one "
                                    "first");
    if (asked->encryption_config != NULL && asked->snapshots.count == 0)
        return kw_usage_error(verb, "--encryption-config goes with --snapshot");
    int code = evidence_judge_at(verb, at, asked);
    if (code < 0)
        code = evidence_judge_nodes(verb, &asked->nodes);
    return code < 0 ? evidence_judge_anchors(verb, asked) : code;
}

int kw_verb_evidence(int argc, char **argv)
{
    static const char summary[] =
        "Makes a bundle for auditors, a new folder, out of what keyward evidence collect "
        "made on each\ncontrol plane, and of etcd's files: tables as JSON and CSV, a "
        "page "
        "for people, and what each\ncheck and control comes to.  What is not answered is "
        "never a pass.  Works on files alone,\nanywhere: no token is asked, and the only "
        "clock is --at; equal inputs give equal bytes.\n--node is said of every control "
        "plane; "
        "it, --anchors, --key, --snapshot and --etcd-report\nmay be said several times.";
    static const char exits[] = "0 made, and every check passes, 1 refused, 2 wrong "
                                "usage, 3 could not look, 4 made, "
                                "and not every check passes";
    static const char more[] =
        "keyward evidence sign DIR signs it, keyward etcd audit --restorable makes a "
        "report that says\nwhether a backup opens.  docs/EVIDENCE.md has all of it, "
        "docs/COMPLIANCE.md which control\nis answered by what.";
    struct kw_cli cli;
    struct kw_bundle_asked asked = {.out = NULL};
    struct kw_bundle_made made = {.evidence = NULL};
    struct kw_note note = {{0}};
    const char *period = NULL, *at = NULL;
    const struct kw_option options[] = {
        {"out", "DIR", "the bundle, a new folder", .text = &asked.out},
        {"period", "FROM..TO",
         "what it is about, such as 2026-01-01..2026-02-01 (UTC), days or times; collect "
         "after its end",
         .text = &period},
        {"node", "NAME=DIR",
         "what keyward evidence collect --name NAME made; NAME alone: nothing was "
         "collected of it",
         .words = &asked.nodes},
        {"snapshot", "FILE", "a snapshot of etcd: what lies in it, and how",
         .words = &asked.snapshots},
        {"encryption-config", "FILE",
         "kube-apiserver's, by which snapshots are judged (default: secrets)",
         .text = &asked.encryption_config},
        {"etcd-report", "FILE", "what keyward etcd audit --json --out FILE wrote",
         .words = &asked.reports},
        {"anchors", "NAME=FILE", "checkpoints of a node's log that were kept elsewhere",
         .words = &asked.anchors},
        {"key", "FILE", "your own copy of audit.pem; without it log-signed does not pass",
         .words = &asked.keys},
        {"stated", "FILE",
         "what only you can say: certificates, custodians, cryptoperiod; JSON",
         .text = &asked.stated},
        {"at", "TIME", "when it is made (default: now)", .text = &at},
    };
    const struct kw_usage usage = {.verb = "evidence",
                                   .operands = "",
                                   .summary = summary,
                                   .config = "every verb's; it reads none",
                                   .exits = exits,
                                   .more = more,
                                   .options = options,
                                   .option_count = sizeof options / sizeof options[0]};
    int code = kw_cli_read(&usage, argc, argv, &cli);
    if (code < 0)
        code = evidence_judge_words(usage.verb, period, at, &asked);
    if (code >= 0)
        return code;
    const kw_err e = kw_bundle_make(&asked, &made, &note);
    code = kw_failed(e) ? kw_fail(&cli, e, &note) : evidence_report(&cli, &asked, &made);
    kw_evidence_free(made.evidence);
    return code;
}
