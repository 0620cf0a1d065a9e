/* SPDX-License-Identifier: Apache-2.0 */
#include "world.h"
#include "object.h"

#include <ftw.h>
#include <stdio.h>
#include <unistd.h>
#include <sys/stat.h>

enum { SHARES = 2 };

static char control_path[160], log_path[160], real_module[KW_PATH_MAX];

/* ---- keys and the keyring ---------------------------------------------------------- */

const char *world_key_id(const struct world *w, uint32_t n)
{
    const struct kw_version *v = kw_keyring_by_n(w->ring, n);
    CHECK(v != NULL);
    return v->key_id;
}

static void fill(struct kw_version *v, uint32_t n, enum kw_key_state state)
{
    *v = (struct kw_version){
        .n = n, .mechanism = KW_MECH_AES_256_GCM, .format = KW_FORMAT_1, .state = state};
    kw_key_id_make(n, v->key_id);
    struct kw_object *o = kw_test_object(v);
    o->locator_len = 16;
    kw_random(o->locator, o->locator_len);
    kw_time_text(v->created, kw_wall_ns(&kw_clock_system));
    if (state != KW_KEY_CREATED)
        kw_copy_str(v->accepted, sizeof v->accepted, kw_span_str(v->created));
    if (state == KW_KEY_ACTIVE || state == KW_KEY_RETIRED)
        kw_copy_str(v->activated, sizeof v->activated, kw_span_str(v->created));
    if (state == KW_KEY_RETIRED)
        kw_copy_str(v->retired, sizeof v->retired, kw_span_str(v->created));
    kw_copy_str(v->tool, sizeof v->tool, kw_span_str("test"));
    kw_copy_str(v->token.label, sizeof v->token.label, kw_span_str(KW_SOFTHSM_LABEL));
}

static void seal_check(struct kw_token *token, struct kw_token_key *key,
                       struct kw_version *v)
{
    struct kw_check_making making;
    uint8_t sealed[KW_SEALED_MAX];
    kw_dst dst = kw_dst_of(sealed, sizeof sealed);
    CHECK_OK(kw_check_making_begin(v, DOMAIN_NAME, &making));
    CHECK_OK(kw_token_wrap(token, key, v->mechanism, making.env.iv,
                           kw_span_of(making.aad, making.aad_len),
                           kw_secret_peek(&making.inner), &dst));
    CHECK_OK(kw_check_making_end(&making, kw_dst_span(&dst), v));
    kw_check_making_wipe(&making);
}

void world_write_ring(struct world *w)
{
    struct kw_note note = {{0}};
    struct kw_keyring *ring = w->ring;
    ring->serial++;
    ring->ancestor_count =
        ring->serial - 1 < KW_ANCESTORS_MAX ? ring->serial - 1 : KW_ANCESTORS_MAX;
    kw_blob_wipe(&w->bytes);
    CHECK_OK(kw_keyring_write(ring, &w->bytes));
    kw_keyring_give(ring);
    if (kw_failed(kw_keyring_parse(kw_blob_peek(&w->bytes), &w->ring, &note)))
        fail_msg("%s", note.text);
}

static void editable(struct world *w)
{
    struct kw_keyring *copy;
    CHECK_OK(kw_keyring_dup(w->ring, &copy));
    kw_keyring_give(w->ring);
    w->ring = copy;
}

/* SoftHSM keeps one object a file; the label in it is encrypted, so the newest file is
 * looked for: the one that is not known yet. */
static struct world *searched;
static uint32_t searched_n;

static int look(const char *path, const struct stat *st, int type, struct FTW *at)
{
    (void)st;
    const char *name = path + at->base, *dot = strrchr(name, '.');
    if (type != FTW_F || dot == NULL || strcmp(dot, ".object") != 0 ||
        strcmp(name, "token.object") == 0)
        return 0;
    for (size_t i = 0; i < OBJECTS_MAX; i++)
        if (strcmp(searched->objects[i], path) == 0)
            return 0;
    CHECK(kw_copy_str(searched->objects[searched_n], sizeof searched->objects[0],
                      kw_span_str(path)));
    return 0;
}

static void note_object(struct world *w, uint32_t n)
{
    searched = w;
    searched_n = n;
    CHECK(n < OBJECTS_MAX && nftw(w->hsm.tokens, look, 8, FTW_PHYS) == 0);
    CHECK(w->objects[n][0] != '\0');
}

void world_forget_key(const struct world *w, uint32_t n)
{
    CHECK(unlink(w->objects[n]) == 0);
}

/* Before the fault module's log counts: with the real module. */
static struct kw_token *open_honest(const struct world *w)
{
    struct kw_softhsm hsm = w->hsm;
    if (real_module[0] != '\0')
        hsm.module = real_module;
    return kw_softhsm_open(&hsm, KW_SOFTHSM_READ_WRITE);
}

void world_make_key(struct world *w, uint32_t n)
{
    const struct kw_version *v = kw_keyring_by_n(w->ring, n);
    struct kw_token *token = open_honest(w);
    kw_softhsm_key(token, v->key_id,
                   kw_span_of(v->objects[0].locator, v->objects[0].locator_len));
    kw_token_close(token);
    note_object(w, n);
}

void world_add_twin(const struct world *w, uint32_t n)
{
    const struct kw_version *v = kw_keyring_by_n(w->ring, n);
    struct kw_token *token = open_honest(w);
    world_make_twin(token, v->key_id,
                    kw_span_of(v->objects[0].locator, v->objects[0].locator_len));
    kw_token_close(token);
}

void world_add_version(struct world *w, uint32_t n, enum kw_key_state state)
{
    struct kw_version v;
    fill(&v, n, state);
    struct kw_token *token = open_honest(w);
    struct kw_token_key *key = kw_softhsm_key(
        token, v.key_id, kw_span_of(v.objects[0].locator, v.objects[0].locator_len));
    seal_check(token, key, &v);
    kw_token_close(token);
    note_object(w, n);
    editable(w);
    CHECK_OK(kw_keyring_add(w->ring, &v));
    if (state == KW_KEY_ACTIVE)
        w->ring->active = n;
}

void world_activate(struct world *w, uint32_t n)
{
    editable(w);
    struct kw_version *old = kw_keyring_edit(w->ring, w->ring->active);
    struct kw_version *v = kw_keyring_edit(w->ring, n);
    old->state = KW_KEY_RETIRED;
    kw_copy_str(old->retired, sizeof old->retired, kw_span_str(old->created));
    v->state = KW_KEY_ACTIVE;
    kw_copy_str(v->activated, sizeof v->activated, kw_span_str(v->created));
    w->ring->active = n;
}

/* ---- the front --------------------------------------------------------------------- */

static void on_change(void *ctx)
{
    ((struct world *)ctx)->changes++;
}

static void on_look(void *ctx)
{
    ((struct world *)ctx)->looks++;
}

static void set_options(struct world *w)
{
    snprintf(control_path, sizeof control_path, "%s/control", w->hsm.dir);
    snprintf(log_path, sizeof log_path, "%s/calls", w->hsm.dir);
    snprintf(real_module, sizeof real_module, "%s", w->hsm.module);
    kw_fault_between(&w->hsm);
    w->env[0] = (struct kw_front_variable){"SOFTHSM2_CONF", w->hsm.conf};
    w->env[1] = (struct kw_front_variable){"KW_FAULT_MODULE", real_module};
    w->env[2] = (struct kw_front_variable){"KW_FAULT_CONTROL", control_path};
    w->env[3] = (struct kw_front_variable){"KW_FAULT_LOG", log_path};
    /* A worker gets no other variable; without this one a race in it would end nothing. */
    w->env[4] = (struct kw_front_variable){"TSAN_OPTIONS", getenv("TSAN_OPTIONS")};
    w->token =
        (struct kw_front_token_options){.name = "keyward-test",
                                        .uri = w->hsm.uri,
                                        .module = w->hsm.module,
                                        .pin = w->hsm.pin_source,
                                        .env = w->env,
                                        .env_count = w->env[4].value != NULL ? 5 : 4,
                                        .workers = 2};
    w->options = (struct kw_front_options){
        .worker_path = KW_WORKER_PROGRAM,
        .tokens = &w->token,
        .token_count = 1,
        .domain = DOMAIN_NAME,
        .shares = SHARES,
        .times = {.deadline_ns = 500 * KW_MS_NS,
                  .patience_ns = 500 * KW_MS_NS,
                  .suspect_ns = 600 * KW_S_NS, /* nobody is lost for being slow */
                  .probe_every_ns = 200 * KW_MS_NS,
                  .stale_after_ns = 60 * KW_S_NS,
                  .recover_ns = 200 * KW_MS_NS},
        .lock = &w->lock,
        .clock = &kw_clock_system,
        .changed = on_change,
        .look_again = on_look,
        .ctx = w};
}

void world_make_patient(struct world *w)
{
    world_make(w);
    w->options.times.deadline_ns = w->options.times.patience_ns = 30 * KW_S_NS;
}

void world_make(struct world *w)
{
    *w = (struct world){0};
    real_module[0] = '\0';
    kw_test_arena(1 << 20);
    CHECK(pthread_mutex_init(&w->lock.mutex.native, NULL) == 0);
    kw_softhsm_make(&w->hsm);
    CHECK_OK(kw_keyring_new(DOMAIN_NAME, &w->ring));
    world_add_version(w, 1, KW_KEY_RETIRED);
    world_add_version(w, 2, KW_KEY_ACTIVE);
    world_write_ring(w);
    set_options(w);
    snprintf(w->state_path, sizeof w->state_path, "%s/state", w->hsm.dir);
    CHECK(mkdir(w->state_path, 0700) == 0);
    snprintf(w->status_path, sizeof w->status_path, "%s/run", w->hsm.dir);
    CHECK(mkdir(w->status_path, 0700) == 0);
    snprintf(w->status_path, sizeof w->status_path, "%s/run/status.sock", w->hsm.dir);
    w->options.status = w->status_path;
    w->options.loop = w->loop = event_base_new();
    CHECK(w->loop != NULL);
}

void world_start(struct world *w)
{
    struct kw_note note = {{0}};
    if (kw_failed(kw_state_open(w->state_path, &w->state, &note)))
        fail_msg("%s", note.text);
    w->options.state = w->state;
    CHECK_OK(kw_front_new(&w->options, &w->front));
    w->door = kw_front_door(w->front);
    CHECK_OK(kw_front_use(w->front, w->ring, kw_blob_peek(&w->bytes), w->ring->active));
}

void world_stop(struct world *w)
{
    kw_front_stop(w->front, 2 * KW_S_NS);
    kw_front_free(w->front);
    w->front = NULL;
    kw_state_close(w->state);
}

void world_end(struct world *w)
{
    if (w->front != NULL)
        world_stop(w);
    event_base_free(w->loop);
    kw_keyring_give(w->ring);
    kw_blob_wipe(&w->bytes);
    kw_softhsm_remove(&w->hsm);
}

/* ---- looking and waiting ----------------------------------------------------------- */

void world_until(struct world *w, bool (*is_so)(struct world *w))
{
    while (!is_so(w))
        CHECK(event_base_loop(w->loop, EVLOOP_ONCE) == 0);
}

struct kw_hsm_health world_health(struct world *w)
{
    struct kw_hsm_health h;
    kw_lock_take(&w->lock);
    w->door.ops->health(w->door.hsm, &h);
    kw_lock_give(&w->lock);
    return h;
}

bool is_up(struct world *w)
{
    return world_health(w).state == KW_HSM_UP;
}

bool is_lost(struct world *w)
{
    return world_health(w).state == KW_HSM_LOST;
}

bool not_coming(struct world *w)
{
    struct kw_front_status s;
    kw_front_status(w->front, &s);
    return !s.coming_up;
}

size_t ready_count(struct world *w)
{
    struct kw_front_status s;
    size_t n = 0;
    kw_front_status(w->front, &s);
    for (size_t i = 0; i < s.worker_count; i++)
        n += strcmp(s.workers[i].state, "ready") == 0;
    return n;
}

pid_t ready_pid(struct world *w, size_t i)
{
    struct kw_front_status s;
    kw_front_status(w->front, &s);
    for (size_t k = 0; k < s.worker_count; k++)
        if (strcmp(s.workers[k].state, "ready") == 0 && i-- == 0)
            return s.workers[k].pid;
    return 0;
}

unsigned world_logins(const struct world *w)
{
    return kw_fault_count(&w->hsm, "C_Login");
}

/* ---- jobs -------------------------------------------------------------------------- */

struct waiting {
    bool done;
    kw_err err;
    struct kw_secret output;
};

static void on_done(void *ctx, struct kw_hsm_answer *answer)
{
    struct waiting *wait = ctx;
    wait->done = true;
    wait->err = answer->err;
    kw_secret_move(&wait->output, answer->output);
}

static kw_err submit(struct world *w, enum kw_hsm_op op, const struct parcel *p,
                     kw_span input, kw_hsm_done *done, void *ctx, int64_t in_ns)
{
    kw_hsm_ticket ticket;
    const struct kw_hsm_job job = {.op = op,
                                   .key_id = p->key_id,
                                   .iv = kw_span_of(p->iv, sizeof p->iv),
                                   .aad = kw_span_of(p->aad, p->aad_len),
                                   .input = input,
                                   .until = kw_deadline_in(&kw_clock_system, in_ns),
                                   .done = done,
                                   .ctx = ctx};
    kw_lock_take(&w->lock);
    kw_err e = w->door.ops->submit(w->door.hsm, &job, &ticket);
    kw_lock_give(&w->lock);
    w->door.ops->flush(w->door.hsm);
    return e;
}

static kw_err ask(struct world *w, enum kw_hsm_op op, const struct parcel *p,
                  kw_span input, struct waiting *wait)
{
    kw_err e = submit(w, op, p, input, on_done, wait, 5 * KW_S_NS);
    while (!kw_failed(e) && !wait->done)
        CHECK(event_base_loop(w->loop, EVLOOP_ONCE) == 0);
    return kw_failed(e) ? e : wait->err;
}

static struct parcel unsealed(struct world *w, uint32_t n)
{
    struct parcel p = {.aad_len = 20};
    kw_copy_str(p.key_id, sizeof p.key_id, kw_span_str(world_key_id(w, n)));
    kw_random(p.iv, sizeof p.iv);
    kw_random(p.aad, p.aad_len);
    kw_random(p.plain, sizeof p.plain);
    return p;
}

/* No worker wraps under a version that is not the active one: by the token itself. */
static void seal_in_its_time(struct world *w, struct parcel *p,
                             const struct kw_version *v)
{
    struct kw_note note = {{0}};
    struct kw_token *token = open_honest(w);
    struct kw_token_key *key = NULL;
    kw_dst dst = kw_dst_of(p->sealed, sizeof p->sealed);
    CHECK_OK(kw_token_find(token, v->key_id,
                           kw_span_of(v->objects[0].locator, v->objects[0].locator_len),
                           &key, &note));
    CHECK_OK(kw_token_wrap(token, key, v->mechanism, kw_span_of(p->iv, sizeof p->iv),
                           kw_span_of(p->aad, p->aad_len),
                           kw_span_of(p->plain, sizeof p->plain), &dst));
    p->sealed_len = dst.len;
    kw_token_close(token);
}

void world_sealed(struct world *w, uint32_t n, struct parcel *ret)
{
    if (n == w->ring->active) {
        CHECK_OK(world_wrap(w, n, ret));
        return;
    }
    *ret = unsealed(w, n);
    seal_in_its_time(w, ret, kw_keyring_by_n(w->ring, n));
}

kw_err world_wrap(struct world *w, uint32_t n, struct parcel *ret)
{
    struct waiting wait = {0};
    struct parcel p = unsealed(w, n);
    kw_err e = ask(w, KW_HSM_WRAP, &p, kw_span_of(p.plain, sizeof p.plain), &wait);
    p.sealed_len = wait.output.len;
    kw_copy(p.sealed, sizeof p.sealed, kw_secret_peek(&wait.output));
    kw_secret_wipe(&wait.output);
    *ret = p;
    return e;
}

kw_err world_unwrap(struct world *w, const struct parcel *p)
{
    struct waiting wait = {0};
    kw_err e = ask(w, KW_HSM_UNWRAP, p, kw_span_of(p->sealed, p->sealed_len), &wait);
    if (!kw_failed(e))
        CHECK(kw_span_equal(kw_secret_peek(&wait.output),
                            kw_span_of(p->plain, sizeof p->plain)));
    kw_secret_wipe(&wait.output);
    return e;
}

kw_err world_submit_unwrap(struct world *w, const struct parcel *p, kw_hsm_done *done,
                           void *ctx, int64_t in_ns)
{
    return submit(w, KW_HSM_UNWRAP, p, kw_span_of(p->sealed, p->sealed_len), done, ctx,
                  in_ns);
}
