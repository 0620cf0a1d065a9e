/* SPDX-License-Identifier: Apache-2.0 */
#include "options.h"

#include <string.h>

#include <keyward/bytes.h>
#include <keyward/clock.h>

const char *const kw_op_names[KW_OPS] = {"unwrap", "wrap",    "find",
                                         "login",  "session", "random"};
const char *const kw_place_names[KW_PLACES] = {"token", "session", "copy"};

/* The index of text among the names; the first is the default. */
static int read_name(const struct kw_verb *v, const char *flag, const char *text,
                     const char *const *names, unsigned count, unsigned *ret_index)
{
    char all[96] = "";
    kw_dst list = kw_dst_of(all, sizeof all - 1);
    if (text == NULL)
        return -1;
    for (unsigned i = 0; i < count; i++) {
        if (strcmp(text, names[i]) == 0) {
            *ret_index = i;
            return -1;
        }
        const char *between = i == 0 ? "" : i + 1 == count ? " or " : ", ";
        if (!kw_dst_put(&list, kw_span_str(between)) ||
            !kw_dst_put(&list, kw_span_str(names[i])))
            break;
    }
    return kw_usage(v, "--%s %s: it wants %s", flag, text, all);
}

/* "1,2,4": numbers from least to most, at most KW_LIST_MAX. */
static int read_list(const struct kw_verb *v, const char *flag, const char *text,
                     uint64_t least, uint64_t most, uint64_t *ret_list, size_t *ret_count)
{
    size_t count = 0;
    for (const char *at = text; at != NULL;) {
        char one[24];
        const char *comma = strchr(at, ',');
        size_t len = comma != NULL ? (size_t)(comma - at) : strlen(at);
        if (count == KW_LIST_MAX || !kw_copy_str(one, sizeof one, kw_span_of(at, len)))
            return kw_usage(v, "--%s %s: it wants at most %d numbers with commas between",
                            flag, text, KW_LIST_MAX);
        int code = kw_args_number(v, flag, one, least, most, &ret_list[count++]);
        if (code >= 0)
            return code;
        at = comma != NULL ? comma + 1 : NULL;
    }
    *ret_count = count;
    return -1;
}

static int read_shape(const struct kw_verb *v, const struct kw_token_words *w,
                      struct kw_token_plan *p)
{
    int code =
        kw_args_number(v, "sessions", w->sessions, 1, KW_SESSIONS_MAX, &p->sessions);
    if (code < 0)
        code = kw_args_number(v, "threads", w->threads, 1, KW_THREADS_MAX, &p->threads);
    if (code < 0)
        code = kw_args_number(v, "processes", w->processes, 1, KW_PROCESSES_MAX,
                              &p->processes);
    if (code < 0)
        code = read_list(v, "curve", w->curve, 1, KW_PROCESSES_MAX, p->curve,
                         &p->curve_count);
    if (code < 0)
        code = read_list(v, "cpu", w->cpu, 0, 1023, p->cpu, &p->cpu_count);
    if (code < 0 && p->processes * p->threads > KW_LANES_MAX)
        return kw_usage(v, "at most %d threads in all processes together", KW_LANES_MAX);
    if (code < 0 && w->curve != NULL &&
        (w->processes != NULL || w->threads != NULL || w->sessions != NULL))
        return kw_usage(v, "--curve says itself how many processes of one session "
                           "there are: leave out --sessions, --threads, --processes");
    return code;
}

static int read_times(const struct kw_verb *v, const struct kw_token_words *w,
                      struct kw_token_plan *p)
{
    int code =
        kw_args_time(v, "seconds", w->seconds, KW_MS_NS, 3600 * KW_S_NS, &p->seconds_ns);
    if (code < 0)
        code = kw_args_number(v, "calls", w->calls, 1, 500000000, &p->calls);
    if (code < 0)
        code = kw_args_time(v, "warmup", w->warmup, 0, 60 * KW_S_NS, &p->warmup_ns);
    if (code < 0)
        code = kw_args_time(v, "ramp", w->ramp, KW_MS_NS, 600 * KW_S_NS, &p->ramp_ns);
    if (code < 0)
        code = kw_args_number(v, "max-rate", w->max_rate, 1, 10000000, &p->max_rate);
    if (code < 0)
        code = kw_args_time(v, "stop-p99", w->stop_p99, KW_MS_NS, 60 * KW_S_NS,
                            &p->stop_p99_ns);
    if (code < 0 && w->calls != NULL && w->seconds != NULL)
        return kw_usage(v, "--calls and --seconds are two ways to say when to end");
    if (code < 0 && w->ramp != NULL && w->max_rate == NULL)
        return kw_usage(v, "--ramp rises to --max-rate: say that too");
    return code;
}

/* A login is the whole process's: a second session would be logged out by it. */
static int check_login(const struct kw_verb *v, const struct kw_token_plan *p)
{
    if (p->op != KW_OP_LOGIN ||
        (p->sessions * p->threads * p->processes == 1 && p->curve_count == 0))
        return -1;
    return kw_usage(v, "--op login has one process, one thread and one session");
}

int kw_token_plan_read(const struct kw_verb *v, const struct kw_token_words *w,
                       struct kw_token_plan *ret_plan)
{
    struct kw_token_plan p = {.module = w->module,
                              .uri = w->uri,
                              .pin = w->pin,
                              .keyring = w->keyring,
                              .sessions = 1,
                              .threads = 1,
                              .processes = 1,
                              .seconds_ns = 5 * KW_S_NS,
                              .warmup_ns = KW_S_NS,
                              .any_token = w->yes,
                              .clean = w->clean,
                              .dry_run = w->dry_run,
                              .json = w->json};
    unsigned op = 0, place = 0;
    if (w->module == NULL || w->uri == NULL || w->pin == NULL)
        return kw_usage(v, "it wants --module, --uri and --pin");
    int code = read_name(v, "op", w->op, kw_op_names, KW_OPS, &op);
    if (code < 0)
        code = read_name(v, "key", w->key, kw_place_names, KW_PLACES, &place);
    p.op = (enum kw_op)op;
    p.place = (enum kw_place)place;
    if (code < 0 && w->key != NULL && !kw_op_wants_key(p.op))
        return kw_usage(v, "--op %s uses no key: leave out --key", kw_op_names[op]);
    if (code < 0)
        code = read_shape(v, w, &p);
    if (code < 0)
        code = read_times(v, w, &p);
    if (code < 0)
        code = check_login(v, &p);
    if (code < 0)
        *ret_plan = p;
    return code;
}
