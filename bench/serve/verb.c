/* SPDX-License-Identifier: Apache-2.0 */
/* keyward-bench serve; echo, which is `serve --work echo`, is a program of its own */
#include <event2/event.h>
#include <unistd.h>

#include <keyward/kms.h>
#include <keyward/log.h>
#include <keyward/rpc.h>

#include "inprocess.h"
#include "bench_server.h"
#include "tool.h"

static const char verb[] = "serve";

enum work { WORK_ECHO, WORK_SOFTWARE, WORK_TOKEN };
static const char *const works[] = {"echo", "software", "token", NULL};

static struct kw_token_cipher_options o;
static const char *work_text, *key_text, *cpu_text, *socket_path;
static unsigned work, key;
static bool no_verify;
static uint64_t cpu;

static const struct kw_option options[] = {
    {"work", "WHICH", "echo, software or token: what stands behind the transport",
     .text = &work_text, .choices = works, .choice = &work},
    {"no-verify", NULL, "Encrypt does not unwrap and compare what it wrapped",
     .on = &no_verify},
    {"module", "PATH", "token: the PKCS#11 module", .text = &o.module},
    {"uri", "URI", "token: which, such as pkcs11:token=test", .text = &o.uri},
    {"pin", "SOURCE", "token: file:/path", .text = &o.pin},
    {"key", "WHERE", "token: where the throw-away key is: token, session or copy (token)",
     .text = &key_text, .choices = kw_bench_key_names, .choice = &key},
    {"yes", NULL, "token: also one that is no SoftHSM", .on = &o.any_token},
    {"cpu", "N", "run on CPU N only", .text = &cpu_text, .number = &cpu, .most = 1023},
};

static int serve_check(void)
{
    const bool of_token =
        o.module != NULL || o.uri != NULL || o.pin != NULL || key_text != NULL;
    const struct kw_bench_rule rules[] = {
        {work_text == NULL, "it wants --work echo, software or token"},
        {work != WORK_TOKEN && of_token,
         "--module, --uri, --pin and --key are for --work token"},
        {work == WORK_TOKEN && (o.module == NULL || o.uri == NULL || o.pin == NULL),
         "--work token wants --module, --uri and --pin"},
        {work == WORK_ECHO && no_verify,
         "--work echo wraps nothing that --no-verify could leave out"}};
    o.key = (enum kw_bench_key)key;
    return kw_bench_rules(verb, rules, KW_COUNT(rules));
}

/* ---- the server --------------------------------------------------------------------- */

static struct serve {
    struct kw_lock lock;
    struct kw_bench_server *server;
    struct kw_cipher cipher;
    struct kw_inprocess *hsm;
    struct kw_kms *kms;
    struct event *tick;
} s = {.lock = {KW_MUTEX_INIT}};

/* Deadlines of requests that wait, as in keywardd. */
static void serve_on_tick(evutil_socket_t fd, short what, void *ctx)
{
    kw_kms_tick(ctx);
}

static kw_err serve_open_hsm(struct kw_note *note)
{
    kw_err e = work == WORK_SOFTWARE ? kw_software_open(&s.cipher)
                                     : kw_token_cipher_open(&o, &s.cipher, note);
    const struct kw_inprocess_options inside = {.cipher = &s.cipher,
                                                .no_verify = no_verify,
                                                .lock = &s.lock,
                                                .loop = kw_server_loop(s.server)};
    return kw_failed(e) ? e : kw_inprocess_new(&inside, &s.hsm);
}

/* Without a cache: what is measured is the work, each time. */
static kw_err serve_open_kms(void)
{
    static const struct kw_class_options class = {
        .name = "bench", .scope = "bench", .on_loss = KW_ON_LOSS_FAIL_CLOSED};
    const struct timeval tenth = {0, 100000};
    const struct kw_kms_options kms = {.domain = "bench",
                                       .classes = &class,
                                       .class_count = 1,
                                       .door = kw_inprocess_door(s.hsm),
                                       .lock = &s.lock,
                                       .clock = &kw_clock_system,
                                       .deadline_ns = 10 * KW_S_NS,
                                       .status_hold_ns = KW_S_NS,
                                       .call_hold_ns = KW_S_NS};
    kw_err e = kw_kms_new(&kms, &s.kms);
    if (kw_failed(e))
        return e;
    s.tick = event_new(kw_server_loop(s.server), -1, EV_PERSIST, serve_on_tick, s.kms);
    return s.tick != NULL && event_add(s.tick, &tenth) == 0
               ? KW_OK
               : kw_err_at(KW_CODE_NO_MEMORY, "event_new");
}

static kw_err serve_open(struct kw_note *note)
{
    kw_err e = kw_arena_open(kw_rpc_bytes() + KW_INPROCESS_ARENA, KW_ARENA_AUTO, note);
    if (!kw_failed(e))
        e = kw_server_new(verb, &s.server);
    if (!kw_failed(e))
        e = serve_open_hsm(note);
    if (!kw_failed(e))
        e = serve_open_kms();
    if (!kw_failed(e))
        e = kw_server_listen(s.server, socket_path, s.kms, note);
    return e;
}

/* Whoever waits for the HSM is answered first: the server waits for its requests. */
static kw_err serve_close(struct kw_note *note)
{
    kw_server_stop(s.server);
    if (s.tick != NULL)
        event_free(s.tick);
    kw_kms_free(s.kms);
    kw_inprocess_free(s.hsm);
    kw_err e = s.cipher.close != NULL ? s.cipher.close(s.cipher.ctx, note) : KW_OK;
    kw_server_free(s.server);
    return e;
}

static int serve_run(void)
{
    struct kw_note note = {{0}};
    int code = KW_BENCH_GOOD;
    kw_rpc_process_init();
    kw_log_setup(STDERR_FILENO, KW_LOG_ERROR, KW_LOG_LOGFMT, &kw_clock_system);
    kw_err e = serve_open(&note);
    if (kw_failed(e))
        code = kw_bench_failed(verb, e, &note);
    else
        kw_server_run(s.server);
    e = serve_close(&note);
    return kw_failed(e) ? kw_bench_failed(verb, e, &note) : code;
}

int kw_bench_serve(int argc, char **argv)
{
    struct kw_args args = KW_BENCH_ARGS(
        verb, options, "SOCKET", &socket_path,
        "Serves KMS v2 as keywardd does, with other work behind it, until SIGTERM.",
        "echo frames its input; software seals with AES-256-GCM of OpenSSL; token\n"
        "does it in a token inside this very process, one session, no worker, no\n"
        "cache: what that costs less than keywardd is the price of the wall.\n"
        "Its keys end with it, so nothing that it sealed can be opened later: never\n"
        "point an API server at it.  Only this user may connect.");
    int code = kw_bench_read(&args, argc, argv);
    if (code < 0)
        code = serve_check();
    if (code < 0 && work == WORK_ECHO)
        return kw_beside_exec("keyward-bench-echo", argv); /* it reads the same words */
    if (code < 0)
        code = kw_bench_pin(verb, cpu_text, cpu);
    return code >= 0 ? code : serve_run();
}
