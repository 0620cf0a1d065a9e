/* SPDX-License-Identifier: Apache-2.0 */
/* keyward-bench token */
#include <stdio.h>
#include <sys/prctl.h>

#include <keyward/alloc.h>

#include "crew.h"
#include "say.h"
#include "watch.h"

static enum kw_exit judge(const struct kw_token_result *r)
{
    if (kw_result_wrong(r) > 0)
        return KW_EXIT_WRONG;
    /* It was measured, and then the token failed; our own limit is no error of it. */
    if (kw_failed(r->error))
        return r->error.code == KW_CODE_DEADLINE ? KW_EXIT_UNABLE : KW_EXIT_WRONG;
    return r->partial || kw_result_best(r) == NULL ? KW_EXIT_UNABLE : KW_EXIT_GOOD;
}

static int measure(const struct kw_verb *v, const struct kw_token_plan *p,
                   const struct kw_guard *g)
{
    struct kw_token_result *r = kw_new(1, sizeof *r);
    if (r == NULL)
        return kw_unable(v, "out of memory");
    kw_err e = kw_crew_run(p, g, r);
    int code = (int)judge(r);
    if (kw_failed(e) && kw_result_best(r) == NULL) {
        code = kw_unable_err(v, e, &r->fault);
    } else if (p->json) {
        code = kw_document_out(kw_token_document(p, g, r), (enum kw_exit)code);
    } else {
        kw_token_table(p, g, r);
        if (kw_failed(e))
            (void)kw_unable_err(v, e, &r->fault);
        else if (kw_result_best(r) == NULL)
            (void)kw_unable(v, "not one operation was measured");
    }
    kw_free(r);
    return code;
}

static void listed(void *ctx, const struct kw_sweep *s)
{
    const struct kw_token_plan *p = ctx;
    if (!p->json)
        kw_sweep_list(s);
}

static int clean(const struct kw_verb *v, struct kw_token_plan *p,
                 const struct kw_guard *g)
{
    struct kw_note note = {{0}};
    struct kw_sweep *s = kw_new(1, sizeof *s);
    if (s == NULL)
        return kw_unable(v, "out of memory");
    kw_err e = kw_broom_run(p, g, listed, p, s, &note);
    int code = kw_failed(e) || kw_stop_asked() ? KW_EXIT_UNABLE : KW_EXIT_GOOD;
    if (!p->json)
        kw_sweep_table(s);
    if (kw_failed(e))
        (void)kw_unable_err(v, e, &note);
    if (p->json)
        code = kw_document_out(kw_sweep_document(p, s, note.text), (enum kw_exit)code);
    kw_free(s);
    return code;
}

static int tell(const struct kw_token_plan *p, const struct kw_guard *g)
{
    if (p->json)
        return kw_document_out(kw_intent_document(p, g), KW_EXIT_GOOD);
    kw_token_intent(p, g);
    return KW_EXIT_GOOD;
}

/* Each is tried, so that none is missed later; threads choose among them. */
static int pin(const struct kw_verb *v, const struct kw_token_plan *p)
{
    for (size_t i = 0; i < p->cpu_count; i++)
        if (!kw_pin((unsigned)p->cpu[i]))
            return kw_unable(v, "there is no CPU %u for this process",
                             (unsigned)p->cpu[i]);
    return -1;
}

static int run(const struct kw_verb *v, struct kw_token_plan *p)
{
    struct kw_note note = {{0}};
    struct kw_guard g;
    kw_err e = kw_guard_open(p->keyring, KW_KEYRING_STANDARD, &g, &note);
    if (kw_failed(e))
        return kw_unable_err(v, e, &note);
    int code = p->dry_run && !p->clean ? tell(p, &g) : pin(v, p);
    if (code < 0)
        code = p->clean ? clean(v, p, &g) : measure(v, p, &g);
    kw_guard_close(&g);
    return code;
}

static const char more[] =
    "It makes an AES-256 key of its own, labelled kw-bench-…, and destroys it on every\n"
    "way out; no other key is touched, and none of the keyring could be.  A process of\n"
    "its own keeps the key, so that it goes also when the module crashes.  What is left\n"
    "after a crash of that one, or of the machine, --clean finds; so it does a key of a\n"
    "measurement that runs now.\n"
    "A process has a module and a login of its own, as keyward's workers have; a thread\n"
    "has one operation under way and uses its sessions by turns.  --key copy is faster\n"
    "on soft tokens and hides that a key was deleted: keyward does not do that.\n"
    "--op login says what a worker's login costs (flags, PIN file, C_Login), and logs\n"
    "out between; each rewrites a soft token's files.\n"
    "The module's own variables, such as SOFTHSM2_CONF, are those of this process.";

int kw_bench_token(int argc, char **argv)
{
    struct kw_token_words w = {0};
    struct kw_token_plan p = {0};
    const struct kw_flag flags[] = {
        {"module", "PATH", "the PKCS#11 module", NULL, &w.module},
        {"uri", "URI", "the token, such as pkcs11:token=test", NULL, &w.uri},
        {"pin", "SOURCE", "file:/path", NULL, &w.pin},
        {"op", "WHAT", "unwrap, wrap, find, login, session or random (unwrap)", NULL,
         &w.op},
        {"key", "WHERE", "token, session or copy: where the throw-away key is (token)",
         NULL, &w.key},
        {"processes", "P", "each with its own module and login, 1..64 (1)", NULL,
         &w.processes},
        {"threads", "T", "of each process, 1..64 (1)", NULL, &w.threads},
        {"sessions", "N", "of each thread, by turns, 1..1024 (1)", NULL, &w.sessions},
        {"curve", "LIST", "such as 1,2,4,8: so many processes of one session by turns",
         NULL, &w.curve},
        {"seconds", "TIME", "how long to measure (5s)", NULL, &w.seconds},
        {"calls", "N", "or how many operations, of all together", NULL, &w.calls},
        {"warmup", "TIME", "before it, not counted (1s)", NULL, &w.warmup},
        {"max-rate", "R", "at most R operations a second, all together", NULL,
         &w.max_rate},
        {"ramp", "TIME", "before the warm-up: from a tenth of that rate to all of it",
         NULL, &w.ramp},
        {"stop-p99", "TIME", "stop when more than 1 % of the operations take longer",
         NULL, &w.stop_p99},
        {"keyring", "FILE", "whose keys are not touched (/etc/keyward/keyring.json)",
         NULL, &w.keyring},
        {"cpu", "LIST", "run on these CPUs only; threads by turns on several", NULL,
         &w.cpu},
        {"yes", NULL, "also a token that is no SoftHSM", &w.yes, NULL},
        {"clean", NULL, "list keys that a crash left behind, and destroy them", &w.clean,
         NULL},
        {"dry-run", NULL, "say what would be done; with --clean, list only", &w.dry_run,
         NULL},
        {"json", NULL, "one JSON document instead of a table", &w.json, NULL},
    };
    const struct kw_verb v = {
        .name = "token",
        .operands = "",
        .summary = "Measures what a token gives: wraps, unwraps, finds, logins, sessions "
                   "or random\nbytes, in as many sessions as asked for.",
        .flags = flags,
        .flag_count = sizeof flags / sizeof flags[0],
        .more = more};
    int operands = 0, code = kw_args(&v, argc, argv, &operands);
    if (code < 0)
        code = kw_token_plan_read(&v, &w, &p);
    if (code >= 0)
        return code;
    kw_stop_catch();
    (void)prctl(PR_SET_TIMERSLACK, 1000, 0, 0, 0); /* --max-rate naps */
    return run(&v, &p);
}
