/* SPDX-License-Identifier: Apache-2.0 */
/* keyward-bench serve, and echo, which is `serve --work echo` */
#include <stdio.h>
#include <string.h>

#include <keyward/rpc.h>

#include "server.h"
#include "tool.h"
#include "watch.h"
#include "work.h"

struct words {
    const char *work, *module, *uri, *pin, *key, *cpu;
    bool no_verify, yes;
};

static kw_err open_all(const struct kw_verb *v, const char *socket,
                       const struct kw_work_options *o, struct kw_server **server,
                       struct kw_work *work, struct kw_note *note)
{
    kw_err e = kw_arena_open(kw_rpc_bytes() + KW_WORK_ARENA, KW_ARENA_AUTO, note);
    if (!kw_failed(e))
        e = kw_server_new(v->name, server);
    if (!kw_failed(e))
        e = kw_work_open(o, work, note);
    if (!kw_failed(e))
        e = kw_server_listen(*server, socket, &work->kms, note);
    return e;
}

/* The line on standard output says to whoever waits for it that calls may come. */
static int serve(const struct kw_verb *v, const char *socket,
                 const struct kw_work_options *o)
{
    struct kw_note note = {{0}};
    struct kw_server *server = NULL;
    struct kw_work work = {0};
    int code = KW_EXIT_GOOD;
    kw_rpc_process_init();
    kw_err e = open_all(v, socket, o, &server, &work, &note);
    if (kw_failed(e)) {
        code = kw_unable_err(v, e, &note);
    } else {
        printf("%s %s\n", v->name, socket);
        fflush(stdout);
        kw_server_run(server);
    }
    kw_server_free(server);
    e = kw_work_close(&work, &note);
    return kw_failed(e) ? kw_unable_err(v, e, &note) : code;
}

static int pin_cpu(const struct kw_verb *v, const char *text)
{
    uint64_t cpu = 0;
    int code = kw_args_number(v, "cpu", text, 0, 1023, &cpu);
    if (code < 0 && text != NULL && !kw_pin((unsigned)cpu))
        return kw_unable(v, "there is no CPU %s for this process", text);
    return code;
}

static int read_kind(const struct kw_verb *v, const char *text,
                     enum kw_work_kind *ret_kind)
{
    static const char *const names[] = {"echo", "software", "token"};
    for (unsigned i = 0; text != NULL && i < 3; i++)
        if (strcmp(text, names[i]) == 0) {
            *ret_kind = (enum kw_work_kind)i;
            return -1;
        }
    return kw_usage(v, "--work %s: echo, software or token", text != NULL ? text : "");
}

static int read_place(const struct kw_verb *v, const char *text,
                      enum kw_key_place *ret_place)
{
    static const char *const names[] = {"token", "session", "copy"};
    if (text == NULL)
        return -1;
    for (unsigned i = 0; i < 3; i++)
        if (strcmp(text, names[i]) == 0) {
            *ret_place = (enum kw_key_place)i;
            return -1;
        }
    return kw_usage(v, "--key %s: token, session or copy", text);
}

static int read_token(const struct kw_verb *v, const struct words *w,
                      struct kw_work_options *o)
{
    bool has_words =
        w->module != NULL || w->uri != NULL || w->pin != NULL || w->key != NULL;
    if (o->kind != KW_WORK_TOKEN)
        return has_words
                   ? kw_usage(v, "--module, --uri, --pin and --key are for --work token")
                   : -1;
    if (w->module == NULL || w->uri == NULL || w->pin == NULL)
        return kw_usage(v, "--work token wants --module, --uri and --pin");
    return read_place(v, w->key, &o->place);
}

static int read_options(const struct kw_verb *v, const struct words *w,
                        struct kw_work_options *o)
{
    int code = read_kind(v, w->work, &o->kind);
    if (code < 0)
        code = read_token(v, w, o);
    if (code < 0 && o->kind == KW_WORK_ECHO && w->no_verify)
        return kw_usage(v, "--work echo wraps nothing that --no-verify could leave out");
    o->module = w->module;
    o->uri = w->uri;
    o->pin = w->pin;
    o->no_verify = w->no_verify;
    o->any_token = w->yes;
    return code;
}

int kw_bench_serve(int argc, char **argv)
{
    struct words w = {0};
    struct kw_work_options o = {0};
    const struct kw_flag flags[] = {
        {"work", "WHICH", "echo, software or token: what stands behind the transport",
         NULL, &w.work},
        {"no-verify", NULL, "Encrypt does not unwrap and compare what it wrapped",
         &w.no_verify, NULL},
        {"module", "PATH", "token: the PKCS#11 module", NULL, &w.module},
        {"uri", "URI", "token: which, such as pkcs11:token=test", NULL, &w.uri},
        {"pin", "SOURCE", "token: file:/path", NULL, &w.pin},
        {"key", "WHERE",
         "token: where the throw-away key is: token, session or copy (token)", NULL,
         &w.key},
        {"yes", NULL, "token: also one that is no SoftHSM", &w.yes, NULL},
        {"cpu", "N", "run on CPU N only", NULL, &w.cpu},
    };
    const struct kw_verb v = {
        .name = "serve",
        .operands = "SOCKET",
        .summary = "Serves KMS v2 as keywardd does, with other work behind it, until "
                   "SIGTERM.",
        .operand_min = 1,
        .operand_max = 1,
        .flags = flags,
        .flag_count = sizeof flags / sizeof flags[0],
        .more =
            "echo frames its input; software seals with AES-256-GCM of OpenSSL; token\n"
            "does it in a token inside this very process, one session, no worker, no\n"
            "cache: what that costs less than keywardd is the price of the wall.\n"
            "Its keys end with it, so nothing that it sealed can be opened later: never\n"
            "point an API server at it.  Only this user may connect."};
    int operands = 0, code = kw_args(&v, argc, argv, &operands);
    if (code < 0)
        code = read_options(&v, &w, &o);
    if (code < 0)
        code = pin_cpu(&v, w.cpu);
    return code >= 0 ? code : serve(&v, argv[1], &o);
}

int kw_bench_echo(int argc, char **argv)
{
    const char *cpu = NULL;
    const struct kw_work_options o = {.kind = KW_WORK_ECHO};
    const struct kw_flag flags[] = {
        {"cpu", "N", "run on CPU N only", NULL, &cpu},
    };
    const struct kw_verb v = {
        .name = "echo",
        .operands = "SOCKET",
        .summary = "Serves KMS v2 without any work until SIGTERM: the ceiling of the "
                   "transport.",
        .operand_min = 1,
        .operand_max = 1,
        .flags = flags,
        .flag_count = 1,
        .more =
            "Only this user may connect.  What Encrypt answers is its input, readable:\n"
            "never point an API server at it."};
    int operands = 0, code = kw_args(&v, argc, argv, &operands);
    if (code < 0)
        code = pin_cpu(&v, cpu);
    return code >= 0 ? code : serve(&v, argv[1], &o);
}
