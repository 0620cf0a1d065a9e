/* SPDX-License-Identifier: Apache-2.0 */
#include "tool.h"

#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include <keyward/bytes.h>

static int tool_usage(const char *verb, const char *words)
{
    fflush(stdout);
    fprintf(stderr, "keyward-bench %s: %s; try: keyward-bench %s --help\n", verb, words,
            verb);
    return KW_BENCH_USAGE;
}

int kw_bench_rules(const char *verb, const struct kw_bench_rule *rules, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (rules[i].broken)
            return tool_usage(verb, rules[i].words);
    return -1;
}

int kw_bench_unable(const char *verb, const char *fmt, ...)
{
    va_list ap;
    fflush(stdout);
    fprintf(stderr, "keyward-bench %s: ", verb);
    va_start(ap, fmt);
    vfprintf(stderr, fmt, ap);
    va_end(ap);
    fputc('\n', stderr);
    return KW_BENCH_UNABLE;
}

int kw_bench_failed(const char *verb, kw_err e, const struct kw_note *note)
{
    if (note != NULL && note->text[0] != '\0')
        return kw_bench_unable(verb, "%s", note->text);
    const bool known = e.native != 0 && e.code == KW_CODE_IO;
    return kw_bench_unable(verb, "%s at %s%s%s", kw_code_name(e.code),
                           e.where != NULL ? e.where : "?", known ? ": " : "",
                           known ? strerror((int)e.native) : "");
}

int kw_bench_pin(const char *verb, const char *text, uint64_t cpu)
{
    if (text == NULL || kw_pin((unsigned)cpu))
        return -1;
    return kw_bench_unable(verb, "there is no CPU %s for this process", text);
}

int kw_bench_read(struct kw_args *args, int argc, char **argv)
{
    bool help = false;
    struct kw_note note = {{0}};
    const struct kw_option common[] = {{"help", .on = &help}};
    args->program = "keyward-bench";
    args->exits =
        "0 good, 1 wrong replies or errors, 2 wrong usage, 3 could not run or not "
        "to its end";
    args->common = common;
    args->common_count = 1;
    args->column = 28;
    kw_err e = kw_args_read(args, argc, argv, &note);
    if (kw_failed(e))
        return tool_usage(args->verb, note.text);
    if (!help)
        return -1;
    return kw_args_help(args) ? KW_BENCH_GOOD : KW_BENCH_UNABLE;
}

int kw_bench_document(const char *verb, json_t *document, bool json,
                      enum kw_bench_exit code)
{
    struct kw_note note = {{0}};
    bool printed = document != NULL && !json && kw_analysis_table(verb, document, &note);
    if (!printed && note.text[0] != '\0')
        (void)kw_bench_unable(verb, "no table, but the document itself: %s", note.text);
    if (!printed &&
        (document == NULL || json_dumpf(document, stdout, JSON_INDENT(2)) != 0 ||
         putchar('\n') == EOF || fflush(stdout) != 0)) {
        fputs("keyward-bench: the JSON document could not be made or written\n", stderr);
        code = KW_BENCH_UNABLE;
    }
    json_decref(document);
    return (int)code;
}

json_t *kw_document_head(const char *verb, json_t *options)
{
    char tool[32];
    snprintf(tool, sizeof tool, "keyward-bench %s", verb);
    return json_pack("{s:s, s:i, s:s, s:o}", "tool", tool, "schema", 1, "version",
                     KW_VERSION, "options", options);
}

bool kw_document_set(bool good, json_t *to, const char *name, json_t *value)
{
    int failed = json_object_set_new(to, name, value); /* takes it in every case */
    return good && failed == 0;
}

json_t *kw_document_or_null(json_t *document, bool good)
{
    if (good)
        return document;
    json_decref(document);
    return NULL;
}

bool kw_document_percentiles(bool good, json_t *to, const struct kw_histogram *h,
                             const char *unit)
{
    static const struct {
        const char *name;
        uint32_t ppm;
    } told[] = {{"p50", 500000}, {"p90", 900000}, {"p99", 990000}, {"p99.9", 999000}};
    char name[16];
    uint64_t ns = 0;
    for (size_t i = 0; i < KW_COUNT(told); i++) {
        if (!kw_histogram_at(h, told[i].ppm, &ns))
            continue;
        snprintf(name, sizeof name, "%s_%s", told[i].name, unit);
        good = kw_document_set(good, to, name,
                               unit[0] == 'u' ? json_real((double)ns / 1e3)
                                              : json_integer((json_int_t)ns));
    }
    return good;
}

bool kw_document_cpu(bool good, json_t *to, const struct kw_watch *used, uint64_t calls)
{
    uint64_t workers_ns = 0, switches = used->server.switches;
    uint64_t pss_kib = used->server.pss_kib;
    bool pss_known = pss_kib > 0;
    for (size_t i = 0; i < used->child_count; i++) {
        workers_ns += used->child[i].cpu_ns;
        switches += used->child[i].switches;
        pss_kib += used->child[i].pss_kib;
        pss_known = pss_known && used->child[i].pss_kib > 0;
    }
    const double n = (double)calls, workers_us = (double)workers_ns / 1e3 / n;
    const double server_us = (double)used->server.cpu_ns / 1e3 / n;
    if (!used->known || calls == 0)
        return good;
    json_t *cpu = json_pack("{s:f, s:f, s:f, s:f, s:o*}", "cpu_us",
                            server_us + workers_us, "server_us", server_us, "workers_us",
                            workers_us, "switches", (double)switches / n, "pss_mib",
                            pss_known ? json_real((double)pss_kib / 1024) : NULL);
    return json_object_update_new(to, cpu) == 0 && good;
}

json_t *kw_document_histogram(const struct kw_histogram *h)
{
    json_t *all = json_array();
    for (unsigned i = 0; all != NULL && i < KW_HISTOGRAM_BUCKETS; i++)
        if (h->bucket[i] > 0)
            json_array_append_new(all,
                                  json_pack("[I, I]", (json_int_t)kw_histogram_top(i),
                                            (json_int_t)h->bucket[i]));
    return all;
}

static volatile sig_atomic_t stop_asked;

static void stop_note(int number)
{
    stop_asked = 1;
}

void kw_stop_catch(void)
{
    /* No SA_RESTART: whoever waits must look up. */
    struct sigaction act = {.sa_handler = stop_note};
    sigemptyset(&act.sa_mask);
    sigaction(SIGINT, &act, NULL);
    sigaction(SIGTERM, &act, NULL);
}

bool kw_stop_asked(void)
{
    return stop_asked != 0;
}

int kw_bench_start(const char *verb, const char *cpu_text, uint64_t cpu, bool silent,
                   struct kw_progress *ret_progress)
{
    if (kw_bench_pin(verb, cpu_text, cpu) >= 0)
        return KW_BENCH_UNABLE;
    *ret_progress = (struct kw_progress){.clock = &kw_clock_system,
                                         .out = silent ? NULL : stderr,
                                         .terminal = isatty(STDERR_FILENO) == 1,
                                         .verb = verb};
    kw_stop_catch();
    (void)prctl(PR_SET_TIMERSLACK, 1000, 0, 0, 0); /* naps of microseconds */
    return -1;
}

int kw_dial(const char *path, int64_t patience_ns)
{
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    const struct timeval patience = {patience_ns / KW_S_NS, patience_ns % KW_S_NS / 1000};
    if (!kw_copy_str(at.sun_path, sizeof at.sun_path, kw_span_str(path))) {
        errno = ENAMETOOLONG;
        return -1;
    }
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -1;
    if (connect(fd, (const struct sockaddr *)&at, sizeof at) == 0 &&
        setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience) == 0)
        return fd;
    int saved = errno;
    close(fd);
    errno = saved;
    return -1;
}

kw_err kw_status_read(const char *path, json_t **ret_status, struct kw_note *note)
{
    int fd = kw_dial(path, 5 * KW_S_NS);
    if (fd < 0) {
        int saved = errno;
        kw_note_set(note,
                    "--status %s: %s; it is what keywardd's configuration calls "
                    "`status`",
                    path, strerror(saved));
        return kw_err_native(KW_CODE_IO, (uint32_t)saved, "status");
    }
    *ret_status = json_loadfd(fd, 0, NULL);
    close(fd);
    return KW_OK;
}

static void progress_say(struct kw_progress *p, int64_t took_ns, uint64_t done,
                         uint64_t total)
{
    char left[48] = "";
    const double share = total > 0 ? (double)done / (double)total : 1;
    if (done > 0 && took_ns > 0)
        snprintf(left, sizeof left, ", %.0f s left",
                 (double)took_ns / 1e9 * (1 - share) / share);
    if (p->terminal)
        fprintf(p->out, "\r%s: %.0f %%%s\033[K", p->what, 100 * share, left);
    else
        fprintf(p->out, "keyward-bench %s: %s: %.0f %%%s\n", p->verb, p->what,
                100 * share, left);
    fflush(p->out);
    p->drawn = p->terminal;
}

void kw_progress_tell(struct kw_progress *p, const char *what, uint64_t done,
                      uint64_t total)
{
    if (p->out == NULL)
        return;
    const int64_t pause_ms = p->terminal ? KW_PROGRESS_DRAW_MS : KW_PROGRESS_LINE_MS;
    int64_t now_ns = kw_mono_ns(p->clock);
    if (p->what == NULL)
        p->told_ns = now_ns; /* what is over at once needs no word */
    if (p->what == NULL || strcmp(p->what, what) != 0)
        p->began_ns = now_ns;
    p->what = what;
    if (now_ns - p->told_ns < pause_ms * KW_MS_NS)
        return;
    p->told_ns = now_ns;
    progress_say(p, now_ns - p->began_ns, done < total ? done : total, total);
}

void kw_progress_end(struct kw_progress *p)
{
    if (!p->drawn)
        return;
    fputs("\r\033[K", p->out);
    fflush(p->out);
    p->drawn = false;
}
