/* SPDX-License-Identifier: Apache-2.0 */
/* keyward-bench wall: the process wall and nothing else
 *
 * The product's own worker loop in processes of its own; where a module would be called each
 * session sleeps, and answers what it was asked.  No transport and no queue stands before
 * it: what keywardd does with a token that takes so long is this much at most. */
#include <errno.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <keyward/alloc.h>

#include "tool.h"
#include "worker_internal.h"

enum { ARENA = 128 * 1024, SESSION_ARENA = 16 * 1024 };

static const char verb[] = "wall";
static uint64_t workers = 2, sessions = 1, in_flight = 64;
static int64_t delay_ns, seconds_ns = 5 * KW_S_NS, warmup_ns = KW_S_NS;
static bool json;

static const struct kw_option options[] = {
    {"workers", "N", "processes, 1..16 (2)", .number = &workers, .least = 1,
     .most = KW_WORKERS_MAX},
    {"sessions", "N", "of each, a thread each, 1..64 (1)", .number = &sessions,
     .least = 1, .most = KW_SESSIONS_MAX},
    {"in-flight", "N", "jobs under way at once, 1..64 for each worker (64)",
     .number = &in_flight, .least = 1, .most = KW_WORKERS_MAX * KW_SESSIONS_MAX},
    {"delay", "TIME", "what a session sleeps for a job (0s)", .time_ns = &delay_ns,
     .most = 60 * KW_S_NS},
    {"seconds", "TIME", "how long to measure (5s)", .time_ns = &seconds_ns,
     .least = KW_MS_NS, .most = 3600 * KW_S_NS},
    {"warmup", "TIME", "before it, not counted (1s)", .time_ns = &warmup_ns,
     .most = 60 * KW_S_NS},
    {"json", NULL, "one JSON document instead of a table", .on = &json},
};

/* ---- a worker: loop.c is the product's, and asks these two --------------------------- */

kw_err kw_worker_prove(struct kw_hsm_session *s, size_t i, bool closely,
                       struct kw_worker_result *ret_result)
{
    return KW_OK;
}

void kw_worker_serve(struct kw_hsm_session *s, const struct kw_wire_job *job,
                     struct kw_served *ret)
{
    const struct timespec nap = {delay_ns / KW_S_NS, delay_ns % KW_S_NS};
    if (delay_ns > 0)
        (void)ppoll(NULL, 0, &nap, NULL);
    *ret = (struct kw_served){
        .answer = {.id = job->id, .hsm_ns = delay_ns, .output = job->input}};
}

static _Noreturn void worker_main(int socket)
{
    static struct kw_keyring none;
    struct kw_hsm_worker w = {.socket = socket, .ring = &none};
    struct kw_note note;
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
    w.sessions = kw_new(sessions, sizeof *w.sessions);
    kw_err e = kw_arena_open(ARENA + sessions * SESSION_ARENA, KW_ARENA_AUTO, &note);
    while (w.sessions != NULL && !kw_failed(e) && w.session_count < sessions) {
        struct kw_hsm_session *s = &w.sessions[w.session_count++];
        s->worker = &w;
        e = kw_session_buffers_init(&s->buffers, sessions == 1 ? KW_SESSION_IN : 1);
    }
    if (w.session_count == sessions && !kw_failed(e))
        kw_worker_loop(&w);
    _exit(0);
}

/* ---- the front: what a worker has answered is asked again, all of it the same job ------ */

enum { BATCH = 64 };
static struct mmsghdr in[BATCH], out[BATCH];
static struct iovec in_part[BATCH], out_part;
static uint8_t answers[BATCH][KW_WIRE_MAX], job[KW_WIRE_MAX];
static const uint8_t iv[12] = {1}, aad[76], input[32 + KW_INNER_DIGEST] = {2};

static struct pollfd worker[KW_WORKERS_MAX];
static pid_t pid[KW_WORKERS_MAX];
static uint64_t done;
static bool good = true; /* every answer was right */

static void front_prepare(void)
{
    const struct kw_wire_job all = {1,
                                    KW_WIRE_UNWRAP,
                                    INT64_MAX,
                                    kw_span_str("kw1-1-0123456789abcdef01234567"),
                                    kw_span_of(iv, sizeof iv),
                                    kw_span_of(aad, sizeof aad),
                                    kw_span_of(input, sizeof input)};
    kw_dst dst = kw_dst_of(job, sizeof job);
    KW_MUST(!kw_failed(kw_wire_encode_job(&all, &dst)));
    out_part = (struct iovec){job, dst.len};
    for (size_t i = 0; i < BATCH; i++) {
        in_part[i] = (struct iovec){answers[i], KW_WIRE_MAX};
        in[i].msg_hdr = (struct msghdr){.msg_iov = &in_part[i], .msg_iovlen = 1};
        out[i].msg_hdr = (struct msghdr){.msg_iov = &out_part, .msg_iovlen = 1};
    }
}

static kw_err front_start(size_t i)
{
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0)
        return kw_err_native(KW_CODE_IO, (uint32_t)errno, "socketpair");
    worker[i] = (struct pollfd){.fd = ends[0], .events = POLLIN};
    pid[i] = fork();
    if (pid[i] == 0)
        worker_main(ends[1]);
    close(ends[1]);
    return pid[i] > 0 ? KW_OK : kw_err_native(KW_CODE_IO, (uint32_t)errno, "fork");
}

static bool front_ask(int fd, uint64_t count)
{
    return sendmmsg(fd, out, (unsigned)count, MSG_NOSIGNAL) == (int)count;
}

static bool front_turn(int fd)
{
    struct kw_wire_answer a;
    const int n = recvmmsg(fd, in, BATCH, MSG_DONTWAIT, NULL);
    for (int i = 0; i < n; i++)
        if (kw_failed(kw_wire_decode_answer(kw_span_of(answers[i], in[i].msg_len), &a)) ||
            !kw_span_equal(a.output, kw_span_of(input, sizeof input)))
            return false;
    done += (uint64_t)(n > 0 ? n : 0);
    return n > 0 && front_ask(fd, (uint64_t)n);
}

static void front_pump(int64_t ns)
{
    const kw_deadline until = kw_deadline_in(&kw_clock_system, ns);
    done = 0;
    while (good && !kw_stop_asked() &&
           !kw_deadline_over(until, kw_mono_ns(&kw_clock_system))) {
        (void)poll(worker, workers, 100);
        for (size_t i = 0; i < workers && good; i++)
            good = worker[i].revents == 0 || front_turn(worker[i].fd);
    }
}

static json_t *front_measure(void)
{
    struct kw_watch begun, used;
    for (size_t i = 0; i < workers && good; i++)
        good = front_ask(worker[i].fd, (in_flight + i) / workers);
    kw_watch_begin(&begun, "/proc", getpid());
    front_pump(warmup_ns);
    kw_watch_again(&begun);
    const int64_t from_ns = kw_mono_ns(&kw_clock_system);
    front_pump(seconds_ns);
    const int64_t ns = kw_mono_ns(&kw_clock_system) - from_ns;
    kw_watch_end(&begun, &used);
    json_t *figures = json_pack("{s:f}", "calls_per_s", (double)done * 1e9 / (double)ns);
    bool fits = kw_document_cpu(figures != NULL, figures, &used, done);
    json_t *all = kw_document_head(
        verb, json_pack("{s:I, s:I, s:I, s:I}", "workers", (json_int_t)workers,
                        "sessions", (json_int_t)sessions, "in_flight",
                        (json_int_t)in_flight, "delay_ns", (json_int_t)delay_ns));
    json_t *rest =
        json_pack("{s:b, s:I, s:I, s:o}", "partial", kw_stop_asked(), "good",
                  (json_int_t)done, "elapsed_ns", (json_int_t)ns, "figures", figures);
    return kw_document_or_null(all, json_object_update_new(all, rest) == 0 && fits);
}

static int wall_run(void)
{
    const struct kw_note no_note = {{0}};
    json_t *document = NULL;
    kw_err e = KW_OK;
    size_t started = 0;
    front_prepare();
    while (started < workers && !kw_failed(e = front_start(started)))
        started++;
    if (!kw_failed(e))
        document = front_measure();
    for (size_t i = 0; i < started; i++)
        (void)shutdown(worker[i].fd, SHUT_RDWR);
    for (size_t i = 0; i < started; i++)
        while (pid[i] > 0 && waitpid(pid[i], NULL, 0) < 0 && errno == EINTR)
            ;
    if (kw_failed(e))
        return kw_bench_failed(verb, e, &no_note);
    if (!good)
        json_decref(document);
    if (!good)
        return kw_bench_unable(verb, "a worker ended, or answered what it was not asked");
    return kw_bench_document(verb, document, json,
                             kw_stop_asked() ? KW_BENCH_UNABLE : KW_BENCH_GOOD);
}

int kw_bench_wall(int argc, char **argv)
{
    struct kw_args args = KW_BENCH_ARGS(
        verb, options, "", NULL,
        "Measures the way to workers and back: their own loop, whose sessions sleep\n"
        "instead of calling a module.  A keywardd of the same shape on a token as slow\n"
        "does no more than this.",
        NULL);
    int code = kw_bench_read(&args, argc, argv);
    const struct kw_bench_rule too_many = {in_flight > workers * KW_SESSIONS_MAX,
                                           "--in-flight: at most 64 for each worker"};
    if (code < 0)
        code = kw_bench_rules(verb, &too_many, 1);
    if (code >= 0)
        return code;
    kw_stop_catch();
    (void)prctl(PR_SET_TIMERSLACK, 1000, 0, 0, 0); /* as a slowed token's naps */
    return wall_run();
}
