/* SPDX-License-Identifier: Apache-2.0 */
/* keyward-exporter: what keywardd says of itself, for Prometheus. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <keyward/args.h>
#include <keyward/limits.h>

#include "listening.h"
#include "serve.h"

#define SOCKET_DEFAULT "/run/keyward/status.sock"
#define LISTEN_DEFAULT "127.0.0.1:9464"
#define CRYPTOPERIOD_DAYS 90u /* KEP-3299: a KEK is rotated at least that often */

enum { EXIT_GOOD, EXIT_FAILED, EXIT_USAGE };

struct exporter_words {
    const char *socket, *listen, *textfile;
    struct kw_tls_files tls;
    uint64_t cryptoperiod_days;
    bool describe, version, help;
};

static int exporter_fail(int status, const struct kw_note *note)
{
    fprintf(stderr, "keyward-exporter: %s\n", note->text);
    return status;
}

/* >= 0: that is the exit status. */
static int exporter_read(int argc, char **argv, struct exporter_words *w)
{
    const struct kw_option options[] = {
        {"socket", "PATH", "the daemon's status socket (" SOCKET_DEFAULT ")",
         .text = &w->socket},
        {"listen", "ADDRESS:PORT",
         "where /metrics, /livez and /readyz are served (" LISTEN_DEFAULT
         "); not of this machine alone: with TLS only",
         .text = &w->listen},
        {"tls-cert", "FILE", "certificate chain, PEM", .text = &w->tls.cert},
        {"tls-key", "FILE", "its private key, PEM", .text = &w->tls.key},
        {"client-ca", "FILE", "who has no certificate of this CA is not served",
         .text = &w->tls.client_ca},
        {"textfile", "FILE",
         "writes the metrics to this file, once, for node_exporter; serves nothing",
         .text = &w->textfile},
        {"cryptoperiod-days", "N",
         "after so many days a KEK version should be replaced (90)",
         .number = &w->cryptoperiod_days, .least = 1, .most = 36500},
    };
    const struct kw_option common[] = {
        {"describe-metrics", NULL, "prints the table of docs/METRICS.md",
         .on = &w->describe},
        {"version", NULL, "prints the version", .on = &w->version},
        {"help", NULL, "this text", .on = &w->help},
    };
    const struct kw_args args = {
        .program = "keyward-exporter",
        .verb = "",
        .operands = "",
        .summary =
            "Serves what keywardd says of itself on its status socket to Prometheus "
            "(text format 0.0.4), and whether it is alive and ready. Runs as a user "
            "of its own in the group that may read the socket.",
        .exits = "0 ended by SIGTERM, or the file is written, 1 it cannot start or "
                 "write, 2 wrong usage",
        .options = options,
        .option_count = sizeof options / sizeof options[0],
        .common = common,
        .common_count = sizeof common / sizeof common[0],
        .column = 26};
    struct kw_note note = {{0}};
    if (kw_failed(kw_args_read(&args, argc, argv, &note)))
        return exporter_fail(EXIT_USAGE, &note);
    if (w->help)
        return kw_args_help(&args) ? EXIT_GOOD : EXIT_FAILED;
    if (w->version)
        return printf("keyward-exporter %s\n", KW_VERSION) > 0 ? EXIT_GOOD : EXIT_FAILED;
    if (w->describe)
        kw_metrics_describe(stdout);
    return w->describe ? fflush(stdout) == 0 ? EXIT_GOOD : EXIT_FAILED : -1;
}

static kw_err exporter_usage(struct kw_note *note, const char *text)
{
    kw_note_set(note, "%s", text);
    return kw_err_at(KW_CODE_BAD_INPUT, "options");
}

/* What is said in clear is for this machine. */
static kw_err exporter_judge(const struct exporter_words *w,
                             struct kw_listening_at *ret_at, struct kw_note *note)
{
    const int files =
        (w->tls.cert != NULL) + (w->tls.key != NULL) + (w->tls.client_ca != NULL);
    if (w->textfile != NULL && (files > 0 || w->listen != NULL))
        return exporter_usage(note, "--textfile serves nothing: it goes without --listen "
                                    "and TLS");
    if (strlen(w->socket) > KW_SOCKET_PATH_MAX)
        return exporter_usage(note, "--socket: too long for a socket");
    if (files != 0 && files != 3)
        return exporter_usage(note, "--tls-cert, --tls-key and --client-ca go together");
    const char *listen = w->listen != NULL ? w->listen : LISTEN_DEFAULT;
    kw_err e = kw_listening_parse(listen, ret_at, note);
    if (!kw_failed(e) && !ret_at->is_local && files == 0) {
        kw_note_set(note,
                    "--listen %.100s: not of this machine alone, so it wants --tls-cert, "
                    "--tls-key and --client-ca",
                    listen);
        e = kw_err_at(KW_CODE_BAD_INPUT, "--listen");
    }
    return e;
}

/* It reads one socket and needs no right beside: root's would be too many. */
static kw_err exporter_confine(struct kw_note *note)
{
    if (geteuid() == 0 || getuid() == 0) {
        kw_note_set(note, "refuses to run as root: start it as a user of its own, in the "
                          "group that may read the status socket");
        return kw_err_at(KW_CODE_DENIED, "uid 0");
    }
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
        prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0 || signal(SIGPIPE, SIG_IGN) == SIG_ERR) {
        kw_note_set(note, "prctl: %s", strerror(errno));
        return kw_err_at(KW_CODE_IO, "confine");
    }
    return KW_OK;
}

static kw_err exporter_serve(const struct exporter_words *w,
                             const struct kw_listening_at *at, struct kw_serve_options *o,
                             struct kw_note *note)
{
    const char *listen = w->listen != NULL ? w->listen : LISTEN_DEFAULT;
    kw_err e = w->tls.cert != NULL ? kw_tls_new(&w->tls, &o->tls, note) : KW_OK;
    if (!kw_failed(e))
        e = kw_listening_open(at, listen, &o->listening, note);
    if (!kw_failed(e)) {
        fprintf(stderr, "keyward-exporter: listening on %s, port %u\n", listen,
                kw_listening_port(o->listening));
        e = kw_serve(o, note);
        close(o->listening);
    }
    kw_tls_free(o->tls);
    return e;
}

int main(int argc, char **argv)
{
    struct exporter_words w = {.cryptoperiod_days = CRYPTOPERIOD_DAYS};
    struct kw_listening_at at = {.len = 0};
    struct kw_note note = {{0}};
    const int status = exporter_read(argc, argv, &w);
    if (status >= 0)
        return status;
    if (w.socket == NULL)
        w.socket = SOCKET_DEFAULT;
    if (kw_failed(exporter_judge(&w, &at, &note)))
        return exporter_fail(EXIT_USAGE, &note);
    struct kw_serve_options o = {
        .socket = w.socket,
        .metrics = {.cryptoperiod_us =
                        (int64_t)w.cryptoperiod_days * 24 * 3600 * 1000 * 1000},
        .listening = -1};
    kw_err e = exporter_confine(&note);
    if (!kw_failed(e))
        e = w.textfile != NULL ? kw_serve_file(&o, w.textfile, &note)
                               : exporter_serve(&w, &at, &o, &note);
    return kw_failed(e) ? exporter_fail(EXIT_FAILED, &note) : EXIT_GOOD;
}
