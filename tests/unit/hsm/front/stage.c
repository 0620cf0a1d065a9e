/* SPDX-License-Identifier: Apache-2.0 */
#include "stage.h"

#include <ftw.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <keyward/file.h>

enum { PID = 100000 };
static struct stage *on;

/* ---- seams ------------------------------------------------------------------------- */

static kw_err fake_spawn(const char *path, const char *label, char *const *envp,
                         const struct kw_brief *brief, struct kw_spawned *ret)
{
    (void)path;
    (void)envp;
    CHECK(on->started < FAKES_MAX);
    struct fake *f = &on->fakes[on->started];
    int pair[2], page = -1;
    CHECK(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair) == 0);
    *f = (struct fake){.token = strcmp(label, "tok2") == 0,
                       .socket = pair[1],
                       .process = eventfd(0, 0),
                       .has_pin_key = brief->pin_key.len == KW_PIN_KEY,
                       .active_n = brief->active_n};
    CHECK_OK(kw_page_make(&page, &ret->page));
    CHECK_OK(kw_page_map(page, &f->page));
    close(page);
    ret->pid = PID + (pid_t)on->started++;
    ret->pidfd = dup(f->process);
    ret->socket = pair[0];
    ret->output = eventfd(0, EFD_NONBLOCK); /* never says anything */
    return KW_OK;
}

static void end_process(struct fake *f)
{
    const uint64_t one = 1;
    if (f->socket < 0)
        return;
    close(f->socket);
    f->socket = -1;
    CHECK(write(f->process, &one, sizeof one) == sizeof one);
}

static void fake_kill(pid_t pid)
{
    struct fake *f = &on->fakes[pid - PID];
    f->killed = true;
    if (f->unkillable)
        on->time.now_ns += 10 * KW_S_NS;
    else
        end_process(f);
}

static int fake_reap(pid_t pid)
{
    struct fake *f = &on->fakes[pid - PID];
    close(f->process);
    kw_page_unmap(f->page);
    f->page = NULL;
    return f->killed ? SIGKILL : f->crashes ? SIGSEGV : 0;
}

/* Of a process that lives as long as the test. */
static bool fake_owner(pid_t pid, struct kw_pin_owner *ret)
{
    (void)pid;
    return kw_pin_owner_of(getpid(), ret);
}

static bool fake_bytes(pid_t pid, uint64_t *ret)
{
    *ret = on->fakes[pid - PID].bytes;
    return *ret != 0;
}

static void on_change(void *ctx)
{
    ((struct stage *)ctx)->changes++;
}

static void on_look(void *ctx)
{
    ((struct stage *)ctx)->looks++;
}

/* ---- the stage --------------------------------------------------------------------- */

void stage_begin(struct stage *s)
{
    *s = (struct stage){.time = {KW_S_NS}};
    on = s;
    kw_test_arena(2 << 20);
    snprintf(s->dir, sizeof s->dir, "/tmp/keyward-front-XXXXXX");
    CHECK(mkdtemp(s->dir) != NULL);
    snprintf(s->state_path, sizeof s->state_path, "%s/state", s->dir);
    snprintf(s->pin_path, sizeof s->pin_path, "%s/pin", s->dir);
    snprintf(s->pin, sizeof s->pin, "file:%s", s->pin_path);
    snprintf(s->status, sizeof s->status, "%s/run/status.sock", s->dir);
    CHECK(mkdir(s->state_path, 0700) == 0);
    char run[80];
    snprintf(run, sizeof run, "%s/run", s->dir);
    CHECK(mkdir(run, 0700) == 0);
    stage_write_pin(s, "1234");
    CHECK(pthread_mutex_init(&s->lock.mutex.native, NULL) == 0);
    s->clock = kw_fake_clock(&s->time);
    s->loop = event_base_new();
    s->tokens[0] = (struct kw_front_token_options){.name = "tok",
                                                   .uri = "pkcs11:token=tok",
                                                   .module = "/module.so",
                                                   .pin = s->pin,
                                                   .workers = 2};
    s->options = (struct kw_front_options){.worker_path = "/worker",
                                           .tokens = s->tokens,
                                           .token_count = 1,
                                           .domain = "test",
                                           .shares = 1,
                                           .queue_max = 64,
                                           .times = {.deadline_ns = KW_S_NS,
                                                     .patience_ns = 10 * KW_S_NS,
                                                     .suspect_ns = 10 * KW_S_NS,
                                                     .probe_every_ns = 10 * KW_S_NS,
                                                     .stale_after_ns = 30 * KW_S_NS,
                                                     .recover_ns = 10 * KW_S_NS},
                                           .status = s->status,
                                           .lock = &s->lock,
                                           .clock = &s->clock,
                                           .loop = s->loop,
                                           .changed = on_change,
                                           .look_again = on_look,
                                           .ctx = s};
}

void stage_two_tokens(struct stage *s)
{
    s->tokens[0].workers = 1;
    s->tokens[1] = s->tokens[0];
    s->tokens[1].name = "tok2";
    s->tokens[1].uri = "pkcs11:token=tok2";
    s->options.token_count = 2;
}

/* The active version as a file of a newer keyward shows it. */
static void make_unknown(struct kw_keyring *ring)
{
    struct kw_version *v = kw_keyring_edit(ring, 3);
    v->state = KW_KEY_UNKNOWN;
    kw_copy_str(v->unknown, sizeof v->unknown, kw_span_str("its mechanism is \"x\""));
}

static void use(struct stage *s, uint32_t active, bool future, enum kw_key_state first)
{
    struct kw_keyring *ring;
    CHECK_OK(kw_keyring_new("test", &ring));
    for (uint32_t n = 1; n <= active; n++) {
        struct kw_version v = {.n = n,
                               .mechanism = KW_MECH_AES_256_GCM,
                               .state = n < active ? KW_KEY_RETIRED : KW_KEY_ACTIVE};
        snprintf(v.key_id, sizeof v.key_id, "kw1-%u-0123456789abcdef01234567",
                 n); /* K1 */
        CHECK_OK(kw_keyring_add(ring, &v));
    }
    if (future)
        make_unknown(ring);
    kw_keyring_edit(ring, 1)->state = first;
    CHECK_OK(kw_front_use(s->front, ring, kw_span_str("bytes"), active));
    kw_keyring_give(ring);
}

void stage_open_without_keyring(struct stage *s)
{
    CHECK_OK(kw_state_open(s->state_path, &s->state, NULL));
    s->options.state = s->state;
    CHECK_OK(kw_front_new(&s->options, &s->front));
    s->front->seams =
        (struct kw_seams){fake_spawn, fake_kill, fake_reap, fake_owner, fake_bytes};
    s->door = kw_front_door(s->front);
}

void stage_open(struct stage *s)
{
    stage_open_without_keyring(s);
    use(s, 2, false, KW_KEY_RETIRED);
}

void stage_write_pin(struct stage *s, const char *pin)
{
    CHECK_OK(kw_file_replace(s->pin_path, kw_span_str(pin), 0600, NULL));
}

void stage_use_next(struct stage *s)
{
    use(s, 3, false, KW_KEY_RETIRED);
}

void stage_use_many(struct stage *s, uint32_t count)
{
    use(s, count, false, KW_KEY_RETIRED);
}

void stage_use_next_but_the_first(struct stage *s, enum kw_key_state state)
{
    use(s, 3, false, state);
}

void stage_use_future(struct stage *s)
{
    use(s, 3, true, KW_KEY_RETIRED);
}

void stage_close(struct stage *s)
{
    for (unsigned i = 0; i < s->started; i++)
        if (s->fakes[i].page != NULL)
            end_process(&s->fakes[i]);
    kw_front_stop(s->front, 0);
    kw_front_free(s->front);
    kw_state_close(s->state);
    s->front = NULL;
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *at)
{
    (void)st;
    (void)type;
    (void)at;
    return remove(path);
}

void stage_end(struct stage *s)
{
    if (s->front != NULL)
        stage_close(s);
    event_base_free(s->loop);
    CHECK(nftw(s->dir, remove_one, 4, FTW_DEPTH | FTW_PHYS) == 0);
}

void stage_spin(struct stage *s)
{
    enum { TURNS = 8 }; /* one thing leads to another, but not for ever */
    for (int i = 0; i < TURNS; i++)
        event_base_loop(s->loop, EVLOOP_NONBLOCK);
}

void stage_stand_still(struct stage *s, int64_t ns)
{
    s->time.now_ns += ns;
    kw_front_tick(s->front);
    stage_spin(s);
}

void stage_pass(struct stage *s, int64_t ns)
{
    for (; ns > KW_S_NS; ns -= KW_S_NS)
        stage_stand_still(s, KW_S_NS);
    stage_stand_still(s, ns);
}

struct kw_hsm_health stage_health(struct stage *s)
{
    struct kw_hsm_health h;
    kw_lock_take(&s->lock);
    s->door.ops->health(s->door.hsm, &h);
    kw_lock_give(&s->lock);
    return h;
}

kw_err stage_version(struct stage *s, const char *key_id)
{
    struct kw_hsm_version v = {0};
    kw_lock_take(&s->lock);
    kw_err e = s->door.ops->version(s->door.hsm, kw_span_str(key_id), &v);
    kw_lock_give(&s->lock);
    CHECK_STR(v.key_id, e.code == KW_CODE_UNKNOWN_KEY ? "" : key_id);
    CHECK((v.n == 0) == (e.code == KW_CODE_UNKNOWN_KEY));
    s->refusal = v.refusal;
    return e;
}

struct kw_front_status stage_status(struct stage *s)
{
    struct kw_front_status status;
    kw_front_status(s->front, &status);
    return status;
}

/* ---- what a fake worker says ------------------------------------------------------- */

void fake_say(struct stage *s, unsigned i, const void *bytes, size_t len)
{
    CHECK(send(s->fakes[i].socket, bytes, len, 0) == (ssize_t)len);
}

static void say(struct stage *s, unsigned i, const kw_dst *dst)
{
    fake_say(s, i, dst->ptr, dst->len);
}

/* What stands for the PIN here: its first bytes. */
static struct kw_pin_facts pin_facts(const struct stage *s, unsigned token)
{
    struct kw_pin_facts f = {.serial = "00cafe",
                             .label = "tok",
                             .count_low = s->count_low,
                             .final_try = s->final_try,
                             .mark = {.key_len = 8, .digest_len = 16}};
    struct kw_blob pin = {0};
    struct stat st;
    if (token == 1)
        kw_copy_str(f.serial, sizeof f.serial, kw_span_str("00beef"));
    CHECK(stat(s->pin_path, &st) == 0);
    f.source = kw_pin_source_of(&st);
    CHECK_OK(kw_file_read(s->pin_path, sizeof f.mark.digest, &pin, NULL));
    kw_copy(f.mark.digest, sizeof f.mark.digest, kw_blob_peek(&pin));
    kw_blob_wipe(&pin);
    return f;
}

bool fake_hears(struct stage *s, unsigned i, struct kw_wire_permit *ret)
{
    uint8_t buf[KW_WIRE_MAX];
    ssize_t n = recv(s->fakes[i].socket, buf, sizeof buf, MSG_DONTWAIT);
    if (n <= 0)
        return false;
    CHECK_OK(kw_wire_decode_permit(kw_span_of(buf, (size_t)n), ret));
    return true;
}

bool fake_asks(struct stage *s, unsigned i, struct kw_wire_permit *ret)
{
    uint8_t buf[KW_WIRE_MAX];
    kw_dst dst = kw_dst_of(buf, sizeof buf);
    struct kw_pin_facts facts = pin_facts(s, s->fakes[i].token);
    CHECK_OK(kw_wire_encode_pin(&facts, &dst));
    say(s, i, &dst);
    stage_spin(s);
    return fake_hears(s, i, ret);
}

void fake_in_login(struct stage *s, unsigned i)
{
    struct kw_wire_permit word;
    CHECK(fake_asks(s, i, &word));
    if (kw_failed(word.err))
        fail_msg("no login for fake %u: %s", i, word.note.text);
    kw_page_enter(s->fakes[i].page, KW_PAGE_LOGIN);
}

void fake_sends_login(struct stage *s, unsigned i, kw_err e, const char *why)
{
    uint8_t buf[KW_WIRE_MAX];
    kw_dst dst = kw_dst_of(buf, sizeof buf);
    struct kw_wire_login l = {.err = e};
    kw_page_enter(s->fakes[i].page, KW_PAGE_INIT);
    kw_note_set(&l.note, "%s", why);
    CHECK_OK(kw_wire_encode_login(&l, &dst));
    say(s, i, &dst);
    stage_spin(s);
}

void fake_login(struct stage *s, unsigned i, kw_err e, const char *why)
{
    fake_in_login(s, i);
    fake_sends_login(s, i, e, why);
    s->fakes[i].logged_in = !kw_failed(e);
    if (kw_failed(e))
        fake_failed(s, i, e, why);
}

void fake_logs_in(struct stage *s, unsigned i)
{
    fake_login(s, i, KW_OK, "");
    kw_page_enter(s->fakes[i].page, KW_PAGE_IDLE);
}

void fake_ready_found(struct stage *s, unsigned i, uint32_t n, kw_err e,
                      unsigned findings)
{
    uint8_t buf[KW_WIRE_MAX];
    uint32_t count = s->fakes[i].active_n;
    if (!s->fakes[i].logged_in)
        fake_logs_in(s, i);
    for (uint32_t k = 1; k <= count; k++) {
        kw_dst dst = kw_dst_of(buf, sizeof buf);
        const struct kw_wire_verdict v = {.n = k,
                                          .err = k == n ? e : KW_OK,
                                          .findings = k == n ? findings : 0,
                                          .reason = "said so"};
        CHECK_OK(kw_wire_encode_verdict(&v, &dst));
        say(s, i, &dst);
    }
    kw_dst dst = kw_dst_of(buf, sizeof buf);
    const struct kw_wire_ready r = {
        .verdicts = count,
        .sessions = s->sessions == 0 ? 1 : s->sessions}; /* the ring's hash is zero too */
    CHECK_OK(kw_wire_encode_ready(&r, &dst));
    say(s, i, &dst);
    stage_spin(s);
}

void fake_ready_but(struct stage *s, unsigned i, uint32_t n, kw_err e)
{
    fake_ready_found(s, i, n, e, 0);
}

void fake_ready(struct stage *s, unsigned i)
{
    fake_ready_but(s, i, 0, KW_OK);
}

void fake_failed(struct stage *s, unsigned i, kw_err e, const char *why)
{
    uint8_t buf[KW_WIRE_MAX];
    kw_dst dst = kw_dst_of(buf, sizeof buf);
    struct kw_wire_failed f = {.err = e};
    kw_note_set(&f.note, "%s", why);
    CHECK_OK(kw_wire_encode_failed(&f, &dst));
    say(s, i, &dst);
    fake_dies(s, i);
}

bool fake_job(struct stage *s, unsigned i, struct kw_wire_job *ret)
{
    static uint8_t buf[KW_WIRE_MAX];
    ssize_t n = recv(s->fakes[i].socket, buf, sizeof buf, MSG_DONTWAIT);
    if (n <= 0)
        return false;
    CHECK_OK(kw_wire_decode_job(kw_span_of(buf, (size_t)n), ret));
    kw_page_begin(s->fakes[i].page, 0, ret->id, s->time.now_ns);
    return true;
}

uint64_t fake_take(struct stage *s, unsigned i, enum kw_wire_op op)
{
    struct kw_wire_job job;
    CHECK(fake_job(s, i, &job));
    CHECK(job.op == op);
    return job.id;
}

static void put_answer(struct stage *s, unsigned i, const struct kw_wire_answer *a)
{
    uint8_t buf[KW_WIRE_MAX];
    kw_dst dst = kw_dst_of(buf, sizeof buf);
    CHECK_OK(kw_wire_encode_answer(a, &dst));
    kw_page_end(s->fakes[i].page, 0);
    say(s, i, &dst);
    stage_spin(s);
}

void fake_answer(struct stage *s, unsigned i, uint64_t id, kw_err e, const char *output)
{
    const struct kw_wire_answer a = {
        .id = id, .err = e, .hsm_ns = s->op_ns, .output = kw_span_str(output)};
    put_answer(s, i, &a);
}

void fake_looked(struct stage *s, unsigned i, uint64_t id, kw_err e, unsigned findings,
                 const char *output)
{
    const struct kw_wire_answer a = {.id = id,
                                     .err = e,
                                     .looked = true,
                                     .findings = findings,
                                     .reason = kw_span_str(kw_failed(e) ? "seen" : ""),
                                     .output = kw_span_str(output)};
    put_answer(s, i, &a);
}

void fake_dies(struct stage *s, unsigned i)
{
    end_process(&s->fakes[i]);
    stage_spin(s);
}

void fake_canaries(struct stage *s, unsigned i)
{
    struct kw_wire_job job;
    while (fake_job(s, i, &job)) {
        CHECK(job.op == KW_WIRE_CANARY);
        CHECK(job.also_wrap == (job.n == s->fakes[i].active_n));
        fake_answer(s, i, job.id, KW_OK, "");
    }
}

void start_two(struct stage *s)
{
    fake_ready(s, 0);
    fake_ready(s, 1);
    CHECK(stage_health(s).state == KW_HSM_UP);
}

/* ---- jobs -------------------------------------------------------------------------- */

static void on_done(void *ctx, struct kw_hsm_answer *a)
{
    struct outcome *o = ctx;
    CHECK(!o->done); /* exactly once */
    o->done = true;
    o->err = a->err;
    kw_copy_str(o->output, sizeof o->output, kw_secret_peek(a->output));
    if (!o->distrust)
        return;
    kw_lock_take(&o->stage->lock);
    o->stage->door.ops->distrust(o->stage->door.hsm,
                                 o->instead != NULL ? o->instead : a->token);
    kw_lock_give(&o->stage->lock);
}

kw_err ask(struct stage *s, const char *key_id, const char *text, struct outcome *ret)
{
    return ask_to(s, KW_HSM_UNWRAP, key_id, text, ret);
}

kw_err ask_to(struct stage *s, enum kw_hsm_op op, const char *key_id, const char *text,
              struct outcome *ret)
{
    const struct kw_hsm_job job = {.op = op,
                                   .key_id = key_id,
                                   .share = s->share,
                                   .verifies = s->verifies,
                                   .iv = kw_span_str("twelve bytes"),
                                   .aad = kw_span_str("aad"),
                                   .input = kw_span_str(text),
                                   .until = {s->time.now_ns + 2 * KW_S_NS},
                                   .done = on_done,
                                   .ctx = ret};
    *ret = (struct outcome){.stage = s};
    kw_lock_take(&s->lock);
    kw_err e = s->door.ops->submit(s->door.hsm, &job, &ret->ticket);
    kw_lock_give(&s->lock);
    s->door.ops->flush(s->door.hsm);
    CHECK(!ret->done); /* never from inside submit */
    return e;
}
