/* SPDX-License-Identifier: Apache-2.0 */
#include "inprocess.h"

#include <event2/event.h>
#include <stdatomic.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <keyward/alloc.h>

struct inprocess_job {
    struct kw_hsm_job job; /* its spans are borrowed no more: they point below */
    kw_hsm_ticket ticket;  /* 0: cancelled, or under way */
    uint8_t iv[KW_IV_MAX], aad[KW_AAD_MAX];
    struct kw_secret input;
    bool known; /* the input is the answer */
};

struct kw_inprocess {
    struct kw_inprocess_options o;
    struct event *wake;
    int fd; /* an eventfd: there is something to do */
    atomic_bool woken;
    kw_hsm_ticket first KW_UNDER_BIG_LOCK;
    kw_hsm_ticket next KW_UNDER_BIG_LOCK; /* those in the ring are first..next - 1 */
    const struct inprocess_job *wrapped KW_UNDER_BIG_LOCK; /* its answer is handed over */
    struct inprocess_job ring[KW_INPROCESS_JOBS] KW_UNDER_BIG_LOCK;
};

static struct kw_inprocess *of(struct kw_hsm *hsm)
{
    return (struct kw_inprocess *)(void *)hsm;
}

static struct inprocess_job *job_at(struct kw_inprocess *h,
                                    kw_hsm_ticket ticket) KW_LOCKED
{
    return &h->ring[ticket % KW_INPROCESS_JOBS];
}

/* ---- the door ----------------------------------------------------------------------- */

/* kms unwraps what it wrapped from inside the wrap's `done`: then the input is at hand. */
static bool is_proof(const struct kw_inprocess *h, const struct kw_hsm_job *job) KW_LOCKED
{
    return h->o.no_verify && h->wrapped != NULL && job->op == KW_HSM_UNWRAP &&
           kw_span_equal(job->iv, h->wrapped->job.iv);
}

static kw_err inprocess_submit(struct kw_hsm *hsm, const struct kw_hsm_job *job,
                               kw_hsm_ticket *ret_ticket) KW_LOCKED
{
    struct kw_inprocess *h = of(hsm);
    struct inprocess_job *j = job_at(h, h->next);
    if (h->next - h->first == KW_INPROCESS_JOBS)
        return kw_err_at(KW_CODE_BUSY, "in-process queue");
    if (job->iv.len > sizeof j->iv || job->aad.len > sizeof j->aad)
        return kw_err_at(KW_CODE_BUG, "job size");
    j->known = is_proof(h, job);
    kw_err e = kw_secret_copy(&j->input,
                              j->known ? kw_secret_peek(&h->wrapped->input) : job->input);
    if (kw_failed(e))
        return e;
    kw_copy(j->iv, sizeof j->iv, job->iv);
    kw_copy(j->aad, sizeof j->aad, job->aad);
    j->job = *job;
    j->job.iv = kw_span_of(j->iv, job->iv.len);
    j->job.aad = kw_span_of(j->aad, job->aad.len);
    j->ticket = *ret_ticket = h->next++;
    return KW_OK;
}

/* A job runs at the next turn, however late that is. */
static bool inprocess_extend(struct kw_hsm *hsm, kw_hsm_ticket ticket, kw_deadline until)
{
    return true;
}

static bool inprocess_cancel(struct kw_hsm *hsm, kw_hsm_ticket ticket) KW_LOCKED
{
    struct inprocess_job *j = job_at(of(hsm), ticket);
    if (j->ticket != ticket)
        return false;
    j->ticket = 0;
    return true;
}

static void inprocess_flush(struct kw_hsm *hsm)
{
    struct kw_inprocess *h = of(hsm);
    if (!atomic_exchange(&h->woken, true))
        (void)eventfd_write(h->fd, 1);
}

static void inprocess_health(struct kw_hsm *hsm, struct kw_hsm_health *ret_health)
{
    const struct kw_inprocess *h = of(hsm);
    *ret_health = (struct kw_hsm_health){.state = KW_HSM_UP,
                                         .now_boot_ns = kw_boot_ns(&kw_clock_system),
                                         .active_n = 1,
                                         .active_mechanism = KW_MECH_AES_256_GCM};
    kw_copy_str(ret_health->active_key_id, sizeof ret_health->active_key_id,
                kw_span_str(h->o.cipher->key_id));
}

static kw_err inprocess_version(struct kw_hsm *hsm, kw_span key_id,
                                struct kw_hsm_version *ret_version)
{
    if (!kw_span_equal_str(key_id, of(hsm)->o.cipher->key_id))
        return kw_err_at(KW_CODE_UNKNOWN_KEY, "key_id");
    *ret_version = (struct kw_hsm_version){.n = 1, .mechanism = KW_MECH_AES_256_GCM};
    kw_copy_str(ret_version->key_id, sizeof ret_version->key_id, key_id);
    return KW_OK;
}

/* It is always up. */
static void inprocess_worked(struct kw_hsm *hsm, const char *token, const char *key_id,
                             bool wrapped)
{
}

/* There is no worker to be replaced; the request has failed, aloud. */
static void inprocess_distrust(struct kw_hsm *hsm, const char *token)
{
}

static const struct kw_hsm_ops ops = {
    inprocess_submit, inprocess_extend,  inprocess_cancel,   inprocess_flush,
    inprocess_health, inprocess_version, inprocess_distrust, inprocess_worked};

struct kw_hsm_door kw_inprocess_door(struct kw_inprocess *hsm)
{
    return (struct kw_hsm_door){&ops, (struct kw_hsm *)(void *)hsm};
}

/* ---- the main loop's side ----------------------------------------------------------- */

static kw_err job_run(const struct kw_inprocess *h, struct inprocess_job *j,
                      struct kw_secret *ret_output)
{
    const struct kw_cipher *c = h->o.cipher;
    if (!j->known)
        return c->run(c->ctx, j->job.op, j->job.iv, j->job.aad, kw_secret_peek(&j->input),
                      ret_output);
    kw_secret_move(ret_output, &j->input);
    return KW_OK;
}

/* The oldest job that is not cancelled; NULL: none is left.  It keeps its place in the ring
 * until it is answered. */
static struct inprocess_job *job_take(struct kw_inprocess *h)
{
    struct inprocess_job *taken = NULL;
    kw_lock_take(h->o.lock);
    while (taken == NULL && h->first < h->next) {
        struct inprocess_job *j = job_at(h, h->first);
        if (j->ticket != 0) {
            j->ticket = 0;
            taken = j;
        } else {
            kw_secret_wipe(&j->input);
            h->first++;
        }
    }
    kw_lock_give(h->o.lock);
    return taken;
}

static void job_answer(struct kw_inprocess *h, struct inprocess_job *j)
{
    KW_AUTO_SECRET(output);
    int64_t begun_ns = kw_mono_ns(&kw_clock_system);
    struct kw_hsm_answer answer = {.err = job_run(h, j, &output), .output = &output};
    answer.hsm_ns = kw_mono_ns(&kw_clock_system) - begun_ns;
    answer.token = "in-process";
    kw_lock_take(h->o.lock);
    h->wrapped = j->job.op == KW_HSM_WRAP ? j : NULL;
    kw_lock_give(h->o.lock);
    j->job.done(j->job.ctx, &answer);
    kw_lock_take(h->o.lock);
    h->wrapped = NULL;
    kw_secret_wipe(&j->input);
    h->first++;
    kw_lock_give(h->o.lock);
}

static void inprocess_on_wake(evutil_socket_t fd, short what, void *ctx)
{
    struct kw_inprocess *h = ctx;
    struct inprocess_job *j;
    eventfd_t count = 0;
    (void)eventfd_read(fd, &count);
    atomic_store(&h->woken, false);
    while ((j = job_take(h)) != NULL)
        job_answer(h, j);
}

kw_err kw_inprocess_new(const struct kw_inprocess_options *options,
                        struct kw_inprocess **ret_hsm)
{
    struct kw_inprocess *h = kw_new(1, sizeof *h);
    if (h == NULL)
        return kw_err_at(KW_CODE_NO_MEMORY, "in-process HSM");
    h->o = *options;
    kw_lock_take(h->o.lock);
    h->first = h->next = 1; /* a ticket is never 0 */
    kw_lock_give(h->o.lock);
    h->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (h->fd >= 0)
        h->wake = event_new(h->o.loop, h->fd, EV_READ | EV_PERSIST, inprocess_on_wake, h);
    if (h->wake == NULL || event_add(h->wake, NULL) != 0) {
        kw_inprocess_free(h);
        return kw_err_at(KW_CODE_NO_MEMORY, "in-process HSM");
    }
    *ret_hsm = h;
    return KW_OK;
}

void kw_inprocess_free(struct kw_inprocess *hsm)
{
    if (hsm == NULL)
        return;
    for (size_t i = 0; i < KW_INPROCESS_JOBS; i++)
        kw_secret_wipe(&hsm->ring[i].input);
    if (hsm->wake != NULL)
        event_free(hsm->wake);
    if (hsm->fd >= 0)
        close(hsm->fd);
    kw_free(hsm);
}
