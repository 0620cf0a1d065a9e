/* SPDX-License-Identifier: Apache-2.0 */
/* keyward probe - what kube-apiserver will do to this socket, step by step */
#include "cli.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <keyward/alloc.h>
#include <keyward/client.h>
#include <keyward/clock.h>
#include <keyward/env.h>

#include "probe_sample.h"
#include "probe_socket.h"
#include "probe_steps.h"

enum { ROUNDS_DEFAULT = 100, ROUNDS_MAX = 1000000, ARENA = 256 * 1024 };

static kw_err probe_open(struct kw_probe *p, const char *socket, int64_t timeout_ns,
                         struct kw_note *note)
{
    const char *arena = kw_env_get(KW_ENV_ARENA);
    bool mlock = arena != NULL && strcmp(arena, "mlock") == 0;
    kw_err e = kw_arena_open(ARENA, mlock ? KW_ARENA_MLOCK : KW_ARENA_AUTO, note);
    if (kw_failed(e))
        return e;
    p->status = kw_new(3, sizeof *p->status);
    if (p->status == NULL)
        return kw_err_at(KW_CODE_NO_MEMORY, "probe");
    p->encrypt = p->status + 1;
    p->decrypt = p->status + 2;
    return kw_probe_caller_open(&p->caller, socket, timeout_ns,
                                isatty(STDERR_FILENO) == 1 ? stderr : NULL, note);
}

static void probe_close(struct kw_probe *p)
{
    for (int i = 0; p->status != NULL && i < 3; i++)
        kw_client_reply_wipe(p->status + i);
    kw_probe_caller_close(&p->caller);
    kw_free(p->status);
}

static int probe_end(const struct kw_cli *cli, struct kw_probe *p, const char *socket)
{
    if (!cli->json)
        return kw_report_end(&p->report, NULL);
    return kw_report_end(
        &p->report, json_pack("{s:s, s:O}", "socket", socket, "latency", p->latency));
}

static int probe_run(const struct kw_cli *cli, struct kw_probe *p, int64_t timeout_ns)
{
    struct kw_note note = {{0}};
    char path[KW_PATH_MAX];
    kw_err e = kw_probe_socket(cli, cli->operand[0], path, &note);
    if (!kw_failed(e) && p->sample_path != NULL)
        e = kw_probe_sample_begin(cli, p->sample_path, path, &p->sample, &note);
    if (!kw_failed(e))
        e = probe_open(p, path, timeout_ns, &note);
    kw_report_begin(&p->report, cli);
    p->latency = cli->json ? json_object() : NULL;
    if (!kw_failed(e))
        e = kw_probe_all(p, &note);
    int code = kw_failed(e) ? kw_fail(cli, e, &note) : probe_end(cli, p, path);
    if (kw_failed(e))
        json_decref(p->report.items);
    json_decref(p->latency);
    probe_close(p);
    return code;
}

static int probe_read_rounds(const char *text, size_t *ret_rounds)
{
    char *end = NULL;
    unsigned long n = text != NULL ? strtoul(text, &end, 10) : ROUNDS_DEFAULT;
    if (text != NULL &&
        (text[0] < '0' || text[0] > '9' || *end != '\0' || n > ROUNDS_MAX))
        return kw_usage_error("probe", "--rounds wants a number from 0 to %d",
                              ROUNDS_MAX);
    *ret_rounds = n;
    return -1;
}

static const char probe_more[] =
    "What it sends, one call after the other on one connection, each when the one before "
    "was\nanswered: Status, Encrypt of 32 random bytes, Decrypt of what came back; then "
    "N "
    "more of\neach (--rounds), so 3 + 3 x N calls in all, 303 of them by default. All of "
    "them must\nsucceed. With --negative one more Decrypt, of a ciphertext with a "
    "flipped "
    "bit, which must\nbe refused: it leaves a warning in the daemon's log (call-failed), "
    "a "
    "refused call in the\naudit log, and one more of failed_calls. Decrypts of one "
    "ciphertext may come from the\ndaemon's cache.\n\n"
    "keywardd counts, logs and records these calls as it does kube-apiserver's: each has "
    "a "
    "UUID,\nand keyward audit show --pid finds them.\n\n"
    "A call ends after --timeout, and the first that fails is the last: where nobody "
    "answers,\nthe probe ends within --timeout and a second. Where all are answered, it "
    "takes as long as\nthey do, at most 3 + 3 x N times --timeout. On a terminal a line "
    "on "
    "standard error says\nwhat it waits for, after a second.\n\n"
    "--sample also wants the configuration of the daemon behind SOCKET (--config): the\n"
    "sample has its domain, which stands in no ciphertext.";

int kw_verb_probe(int argc, char **argv)
{
    struct kw_cli cli;
    struct kw_probe p = {0};
    int64_t timeout_ns = 3 * KW_S_NS;
    const char *rounds = NULL, *timeout = NULL;
    const struct kw_option options[] = {
        {"rounds", "N", "calls of each kind to measure (default 100; 0: none)", NULL,
         &rounds},
        {"timeout", "TIME", "of one call, such as 500ms (default 3s, kube-apiserver's)",
         NULL, &timeout},
        {"negative", NULL, "also a ciphertext that must be refused", &p.is_negative,
         NULL},
        {"sample", "FILE",
         "keep one ciphertext there (a new file, 0600): it proves the key when the "
         "keyring is lost",
         NULL, &p.sample_path},
    };
    const struct kw_usage usage = {
        .verb = "probe",
        .operands = "SOCKET",
        .operand_count = 1,
        .summary =
            "Does to a class's socket what kube-apiserver will do: Status, Encrypt, "
            "Decrypt,\nwith every rule it checks, and then the latencies.\nSOCKET is its "
            "path, kube-apiserver's endpoint (unix:///…), or a class of the "
            "configuration.",
        .more = probe_more,
        .options = options,
        .option_count = sizeof options / sizeof options[0],
    };
    int code = kw_cli_read(&usage, argc, argv, &cli);
    if (code < 0)
        code = probe_read_rounds(rounds, &p.rounds);
    if (code < 0 && timeout != NULL &&
        (!kw_duration_parse(timeout, &timeout_ns) || timeout_ns <= 0))
        code = kw_usage_error("probe", "--timeout wants a time such as 500ms or 3s");
    return code >= 0 ? code : probe_run(&cli, &p, timeout_ns);
}
