/* SPDX-License-Identifier: Apache-2.0 */
/* 22: ten versions in each of three tokens, for each token four workers of eight sessions.
 * Start, reload and log stay within their limits: one login at a time for each token, the
 * memory and the descriptors that keyward check reckons with, and twenty lines of one
 * event a second, at which no verdict is lost. */
#include "document.h"
#include "load.h"
#include "twin.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

/* A token may be slow for a while on a busy machine: an attempt is a third of this. */
static const char times[] = "  deadline: 2999ms\n"
                            "  patience: 2s\n"
                            "  suspect: 1s\n"
                            "  recover: 1s\n"
                            "  probe: {every: 1s, stale-after: 10s}\n";

enum { TOKENS = 3, WORKERS = 4, SESSIONS = 8, VERSIONS = 10, ALL = TOKENS * WORKERS };
enum { CALLERS = 16, ROUNDS = 400, NEXT = VERSIONS + 1 };

static const uint8_t seed[32] = "thirty-two bytes of a test seed";
#define SEED kw_span_of(seed, 32)
#define UID "d1dd4ffe-9db5-424a-84b8-96e50c45abd1"
static struct kw_client_reply sealed, reply;

/* ---- ten versions in three tokens -------------------------------------------------- */

/* By a daemon that knows version 1 alone, in one token. */
static void seal_under_the_first(struct instance *h)
{
    instance_up(h);
    struct kw_client *c = instance_client(h, h->secrets);
    instance_encrypt(c, SEED, &sealed);
    CHECK(strncmp(sealed.key_id, "kw1-1-", 6) == 0);
    kw_client_close(c);
    assert_int_equal(instance_stop(h), 0);
}

static void make_versions(struct instance *h)
{
    char n[8];
    for (unsigned i = 2; i <= VERSIONS; i++) {
        snprintf(n, sizeof n, "%u", i);
        instance_do(h, "key", "create", NULL);
        instance_do(h, "key", "accept", n, NULL);
    }
    instance_do(h, "key", "activate", n, "--baseline", "--only-copy", "--now", NULL);
}

/* Made in the first token, cloned, proven in the others. */
static void make_the_next(struct instance *h)
{
    instance_do(h, "key", "create", NULL);
    twin_clone_again(h);
    instance_do(h, "key", "prove", "11", "--token", TWIN_SECOND, NULL);
    instance_do(h, "key", "prove", "11", "--token", TWIN_THIRD, NULL);
    instance_do(h, "key", "accept", "11", NULL);
}

/* ---- memory and descriptors -------------------------------------------------------- */

struct limits {
    rlim_t locked, descriptors;
};

static rlim_t number_after(const char *text, const char *words)
{
    CHECK_HAS(text, words);
    return (rlim_t)strtoull(strstr(text, words) + strlen(words), NULL, 10);
}

static struct limits reckoned(struct instance *h)
{
    char out[16384];
    (void)instance_tool(h, out, sizeof out, "check", "--offline", NULL);
    return (struct limits){1024 * number_after(out, "keywardd locks "),
                           number_after(out, "keywardd wants ")};
}

static void have_no_more(void *ctx)
{
    const struct limits *l = ctx;
    const struct rlimit locked = {l->locked, l->locked},
                        descriptors = {l->descriptors, l->descriptors};
    if (setrlimit(RLIMIT_MEMLOCK, &locked) != 0 ||
        setrlimit(RLIMIT_NOFILE, &descriptors) != 0)
        _exit(100);
}

/* ---- what is waited for ------------------------------------------------------------ */

static void all_is_well(struct instance *h)
{
    for (unsigned token = FIRST; token < TOKENS; token++)
        twin_await_workers(h, token, WORKERS);
    twin_await_status(h, 0, NULL);
}

/* As keyward status --json tells it to whoever watches a node. */
static void all_is_known(struct instance *h, unsigned versions)
{
    static char doc[65536];
    char claims[512];
    assert_int_equal(instance_tool(h, doc, sizeof doc, "status", "--json", NULL), 0);
    snprintf(claims, sizeof claims, "tokens/# = %u, workers/# = %u, versions/# = %u",
             TOKENS, ALL, versions);
    kw_says(doc, claims);
    for (unsigned i = 0; i < TOKENS; i++) {
        snprintf(claims, sizeof claims,
                 "tokens/%u/state = up, tokens/%u/out = false, tokens/%u/unproven = 0", i,
                 i, i);
        kw_says(doc, claims);
    }
    for (unsigned i = 0; i < ALL; i++) {
        snprintf(claims, sizeof claims,
                 "workers/%u/state = ready, workers/%u/sessions = %u", i, i, SESSIONS);
        kw_says(doc, claims);
    }
    for (unsigned i = 0; i < versions; i++) {
        snprintf(claims, sizeof claims,
                 "versions/%u/n = %u, versions/%u/verdict = ok, versions/%u/found = null",
                 i, i + 1, i, i);
        kw_says(doc, claims);
    }
}

static void logins_are(struct instance *h, const unsigned before[TOKENS], unsigned more)
{
    for (unsigned token = FIRST; token < TOKENS; token++)
        assert_int_equal(twin_logins(h, token), before[token] + more);
}

/* ---- what the log has -------------------------------------------------------------- */

struct told {
    unsigned lines[TOKENS][NEXT + 1]; /* of each version of each token */
};

static unsigned token_of(const char *line)
{
    char name[64];
    const char *at = strstr(line, " token=");
    CHECK(at != NULL && sscanf(at, " token=%63s", name) == 1);
    unsigned token = FIRST;
    while (token < TOKENS && strcmp(name, twin_name(token)) != 0)
        token++;
    if (token == TOKENS)
        fail_msg("no token of ours: %s", line);
    return token;
}

static void note_verdict(const char *line, struct told *told)
{
    unsigned n;
    const char *at = strstr(line, " key_id=kw1-");
    CHECK(at != NULL && sscanf(at, " key_id=kw1-%u-", &n) == 1 && n <= NEXT);
    CHECK_HAS(line, " verdict=ok");
    told->lines[token_of(line)][n]++;
}

/* Waits for so many. */
static struct told await_verdicts(struct instance *h, size_t mark, unsigned count)
{
    struct told told = {0};
    const char *line;
    while (count-- > 0) {
        mark = instance_await(h, mark, &line, "event=key-verdict", NULL);
        note_verdict(line, &told);
    }
    return told;
}

static void each_has_one_line(const struct told *told)
{
    for (unsigned token = FIRST; token < TOKENS; token++)
        for (unsigned n = 1; n <= VERSIONS; n++)
            if (told->lines[token][n] != 1)
                fail_msg("version %u of token %s has %u lines", n, twin_name(token),
                         told->lines[token][n]);
}

/* One line of version 11 for each token. */
static void next_is_told(struct instance *h, size_t mark)
{
    char next[32];
    struct told told = {0};
    const char *line;
    snprintf(next, sizeof next, "key_id=kw1-%u-", NEXT);
    for (unsigned i = 0; i < TOKENS; i++) {
        mark = instance_await(h, mark, &line, "event=key-verdict", next, NULL);
        note_verdict(line, &told);
    }
    for (unsigned token = FIRST; token < TOKENS; token++)
        assert_int_equal(told.lines[token][NEXT], 1);
}

/* ---- reload ------------------------------------------------------------------------ */

/* The old ones have left, and nothing of them is left. */
static void await_replaced(struct instance *h, size_t mark)
{
    for (unsigned i = 0; i < ALL; i++)
        mark = instance_await(h, mark, NULL, "event=worker-ended", "status=0 signal=0",
                              NULL);
    all_is_well(h);
}

/* Of each token: the lines of one reload in the order in which they came. */
static void one_for_one(struct instance *h, size_t from, size_t to)
{
    unsigned started[TOKENS] = {0}, ready[TOKENS] = {0}, ended[TOKENS] = {0};
    for (size_t i = from; i < to; i++) {
        const char *line = h->lines[i];
        if (strstr(line, "event=worker-") == NULL)
            continue;
        const unsigned token = token_of(line);
        started[token] += strstr(line, "event=worker-started") != NULL;
        ready[token] += strstr(line, "event=worker-ready") != NULL;
        ended[token] += strstr(line, "event=worker-ended") != NULL;
        if (started[token] > ready[token] + 1 || ended[token] > ready[token])
            fail_msg("token %s: %u started, %u ready, %u ended: %s", twin_name(token),
                     started[token], ready[token], ended[token], line);
    }
    for (unsigned token = FIRST; token < TOKENS; token++) {
        assert_int_equal(started[token], WORKERS);
        assert_int_equal(ready[token], WORKERS);
        assert_int_equal(ended[token], WORKERS);
    }
}

/* Nothing failed, nothing was left out.  Where the case's own folder lies is its affair. */
static void nothing_happened(struct instance *h, size_t from, size_t to)
{
    static const char *const bad[] = {"level=error", "level=warn",
                                      "dropped_before=", "lost_before="};
    for (size_t i = from; i < to; i++)
        for (size_t k = 0; k < sizeof bad / sizeof bad[0]; k++)
            if (strstr(h->lines[i], bad[k]) != NULL &&
                strstr(h->lines[i], "event=pin-key-on-disk") == NULL)
                fail_msg("%s", h->lines[i]);
}

/* ---- the oldest version ------------------------------------------------------------ */

static void opens_what_the_first_sealed(struct kw_client *c)
{
    CHECK_OK(kw_client_decrypt(c, kw_span_of(sealed.ciphertext, sealed.ciphertext_len),
                               kw_span_str(sealed.key_id), UID, 10 * KW_S_NS, &reply));
    if (reply.grpc_status != GRPC_OK)
        fail_msg("Decrypt: gRPC status %d: %s", reply.grpc_status, reply.message);
    CHECK(kw_span_equal(kw_secret_peek(&reply.plaintext), SEED));
    kw_client_reply_wipe(&reply);
}

static void await_token(struct instance *h, size_t mark, unsigned token, const char *to)
{
    char of[64];
    snprintf(of, sizeof of, "token=%s ", twin_name(token));
    instance_await(h, mark, NULL, "event=token-state", of, to, NULL);
}

static void lose(struct instance *h, unsigned token)
{
    size_t mark = instance_mark(h);
    twin_pull_out(h, token);
    await_token(h, mark, token, "to=lost");
}

static void find(struct instance *h, unsigned token)
{
    size_t mark = instance_mark(h);
    twin_be_honest(h, token);
    await_token(h, mark, token, "to=up");
}

/* Whichever of the three is the only one left. */
static void oldest_opens_everywhere(struct instance *h)
{
    struct kw_client *c = instance_client(h, h->secrets);
    opens_what_the_first_sealed(c);
    lose(h, SECOND);
    lose(h, THIRD);
    for (unsigned only = FIRST; only < TOKENS; only++) {
        if (only > FIRST) {
            find(h, only);
            lose(h, only - 1);
        }
        opens_what_the_first_sealed(c);
    }
    kw_client_close(c);
}

/* ---- the scenario ------------------------------------------------------------------ */

static void build(struct instance *h, struct limits *limits)
{
    kw_test_arena(1 << 20);
    instance_build(h, times);
    seal_under_the_first(h);
    make_versions(h);
    twin_make_many(h, &(struct twin_shape){.order = "spread",
                                           .tokens = TOKENS,
                                           .workers = WORKERS,
                                           .sessions = SESSIONS,
                                           .calls = true});
    *limits = reckoned(h);
    h->in_child = have_no_more;
    h->in_child_ctx = limits;
}

static void starts(struct instance *h)
{
    static const unsigned none[TOKENS] = {0};
    size_t mark = instance_mark(h);
    instance_up(h);
    all_is_well(h);
    all_is_known(h, VERSIONS);
    logins_are(h, none, WORKERS);
    const struct told told = await_verdicts(h, mark, TOKENS * VERSIONS);
    each_has_one_line(&told);
}

/* Each token has four logins more; nothing is left open. */
static void reloads(struct instance *h)
{
    unsigned logins[TOKENS];
    for (unsigned token = FIRST; token < TOKENS; token++)
        logins[token] = twin_logins(h, token);
    const size_t descriptors = instance_descriptors(h->daemon), mark = instance_mark(h);
    instance_reload(h, "active=10");
    await_replaced(h, mark);
    all_is_known(h, NEXT);
    logins_are(h, logins, WORKERS);
    assert_int_equal(instance_descriptors(h->daemon), descriptors);
}

/* With version 11, which is not the active one; where in the log. */
static void reloads_under_load(struct instance *h, size_t *ret_from, size_t *ret_to)
{
    struct load_counts counts;
    struct load *load = load_start(h->secrets, CALLERS);
    load_await(load, ROUNDS);
    make_the_next(h);
    *ret_from = instance_mark(h);
    reloads(h);
    next_is_told(h, *ret_from);
    *ret_to = instance_mark(h);
    load_await(load, ROUNDS);
    load_stop(load, &counts);
    load_judge(&counts, 0);
}

TEST(ten_versions__three_tokens__four_workers_of_eight_sessions__all_within_the_limits)
{
    struct instance h;
    struct limits limits;
    size_t from, to;
    build(&h, &limits);
    size_t begin = instance_mark(&h);
    starts(&h);
    reloads_under_load(&h, &from, &to);
    const size_t end = instance_mark(&h);
    oldest_opens_everywhere(&h);
    assert_int_equal(instance_stop(&h), 0);
    nothing_happened(&h, begin, end);
    const unsigned verdicts = instance_count(&h, begin, "event=key-verdict");
    assert_int_equal(verdicts, TOKENS * NEXT); /* what is told is not told again */
    one_for_one(&h, from, to);
    instance_check_workers_gone(&h, begin);
    instance_destroy(&h);
}

KW_CASES(
    "22-many-of-each",
    CASE(
        ten_versions__three_tokens__four_workers_of_eight_sessions__all_within_the_limits))
