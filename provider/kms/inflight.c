/* SPDX-License-Identifier: Apache-2.0 */
/* Equal requests share one unwrap: kube-apiserver sends as many equal Decrypts as it has
 * readers that miss its own cache at once.
 *
 * One waiter goes on with the answer (prove, remember); at share it hands the seed, or
 * the failure, to the others. */
#include "kms_internal.h"

#include <keyward/alloc.h>

static struct kw_flight **bucket(struct kw_kms *kms, const struct kw_cache_key *key)
{
    return &kms->flights[kw_cache_key_mark(key) % KW_FLIGHT_BUCKETS];
}

struct kw_flight *kw_flight_find(struct kw_kms *kms, const struct kw_request *request)
{
    const struct kw_cache_key key = kw_request_key(request);
    struct kw_flight *f = *bucket(kms, &key);
    while (f != NULL &&
           (f->class_index != request->class_index || !kw_cache_key_equal(&f->key, &key)))
        f = f->next;
    return f;
}

static struct kw_flight *new_flight(struct kw_kms *kms, const struct kw_request *request)
{
    struct kw_flight *f = kw_new(1, sizeof *f);
    if (f == NULL)
        return NULL;
    kw_dst name = kw_dst_of(f->name, sizeof f->name);
    KW_MUST(kw_dst_put(&name, request->key_id) && kw_dst_put(&name, request->ciphertext));
    f->kms = kms;
    f->class_index = request->class_index;
    f->key = (struct kw_cache_key){
        kw_span_of(f->name, request->key_id.len),
        kw_span_of(f->name + request->key_id.len, request->ciphertext.len)};
    f->until = request->work.until;
    return f;
}

static void add_waiter(struct kw_flight *flight, struct kw_request *request)
{
    request->work.flight = flight;
    request->work.follow = flight->waiters;
    flight->waiters = request;
}

void kw_flight_join(struct kw_flight *flight, struct kw_request *request)
{
    const struct kw_hsm_door *door = &flight->kms->options.door;
    add_waiter(flight, request);
    if (request->work.until.mono_ns > flight->until.mono_ns &&
        door->ops->extend(door->hsm, flight->ticket, request->work.until))
        flight->until = request->work.until;
}

static void remove_flight(struct kw_flight *flight)
{
    struct kw_flight **at = bucket(flight->kms, &flight->key);
    while (*at != flight)
        at = &(*at)->next;
    *at = flight->next;
}

void kw_flight_share(struct kw_kms *kms, struct kw_request *leader)
{
    struct kw_request *next = leader->work.follow;
    leader->work.follow = NULL;
    while (next != NULL) {
        struct kw_request *request = next;
        next = request->work.follow;
        request->work.follow = NULL;
        request->err = leader->err;
        request->step_name = leader->step_name;
        request->source =
            leader->source == KW_SOURCE_HSM ? KW_SOURCE_JOINED : leader->source;
        request->token = leader->token;
        request->work.hsm_ns = leader->work.hsm_ns;
        if (!kw_failed(request->err))
            request->err = kw_secret_copy(&request->seed, kw_secret_peek(&leader->seed));
        kw_steps_finish(kms, request);
    }
}

/* A failure of its time, not of the data: another attempt may end otherwise. */
static bool is_of_its_time(kw_err e)
{
    return e.code == KW_CODE_DEADLINE || e.code == KW_CODE_HSM_DOWN;
}

/* Who joined when the job had ended already, so that it was not extended for it, has not
 * had its attempt yet.  Where no job is taken it shares the failure.  true: there is a
 * new job. */
static bool inflight_again(struct kw_flight *flight) KW_LOCKED
{
    struct kw_kms *kms = flight->kms;
    struct kw_request *request, *next = flight->waiters;
    bool started = false;
    flight->waiters = NULL;
    while ((request = next) != NULL) {
        next = request->work.follow;
        bool late = request->work.until.mono_ns > flight->until.mono_ns;
        struct kw_flight *other = late ? kw_flight_find(kms, request) : NULL;
        if (other != NULL)
            kw_flight_join(other, request);
        else if (late && !kw_failed(kw_flight_start(kms, request)))
            started = true;
        else
            add_waiter(flight, request);
    }
    return started;
}

static void inflight_landed(void *ctx, struct kw_hsm_answer *answer) KW_FREE
{
    struct kw_flight *flight = ctx;
    struct kw_kms *kms = flight->kms;
    kw_lock_take(kms->options.lock);
    remove_flight(flight);
    bool again = is_of_its_time(answer->err) && inflight_again(flight);
    struct kw_request *leader = flight->waiters;
    for (struct kw_request *c = leader; c != NULL; c = c->work.follow) {
        kw_unpark(c);
        c->work.flight = NULL;
    }
    kw_lock_give(kms->options.lock);
    kw_free(flight);
    if (again)
        kms->options.door.ops->flush(kms->options.door.hsm);
    if (leader == NULL)
        return; /* everybody went away while the answer was under way */
    leader->err = answer->err;
    leader->source = kw_failed(answer->err) ? KW_SOURCE_NONE : KW_SOURCE_HSM;
    leader->token = answer->token;
    leader->work.hsm_ns = answer->hsm_ns;
    if (!kw_failed(answer->err))
        kw_secret_move(&leader->work.inner, answer->output);
    if (answer->err.code == KW_CODE_WRONG_ANSWER)
        kw_outcome_alarm(kms, leader, leader->token, "wrong-answer");
    if (kw_failed(answer->err))
        kw_steps_finish(kms, leader);
    else
        kw_steps_resume(kms, leader);
}

kw_err kw_flight_start(struct kw_kms *kms, struct kw_request *request)
{
    const struct kw_hsm_door *door = &kms->options.door;
    struct kw_request_work *w = &request->work;
    struct kw_flight *flight = new_flight(kms, request);
    if (flight == NULL)
        return kw_err_at(KW_CODE_NO_MEMORY, "unwrap");
    struct kw_hsm_job job = {
        .op = KW_HSM_UNWRAP,
        .key_id = w->version.key_id,
        .share = request->class_index,
        .iv = w->env.iv,
        .aad = kw_span_of(w->aad, w->aad_len),
        .input = w->env.sealed,
        .until = w->until,
        .done = inflight_landed,
        .ctx = flight,
    };
    /* hsm/front/door.c */
    kw_err e = door->ops->submit(door->hsm, &job, &flight->ticket);
    if (kw_failed(e)) {
        kw_free(flight);
        return e;
    }
    flight->next = *bucket(kms, &flight->key);
    *bucket(kms, &flight->key) = flight;
    add_waiter(flight, request);
    return KW_OK;
}

void kw_flight_leave(struct kw_kms *kms, struct kw_request *request)
{
    const struct kw_hsm_door *door = &kms->options.door;
    struct kw_flight *flight = request->work.flight;
    struct kw_request **at = &flight->waiters;
    while (*at != request)
        at = &(*at)->work.follow;
    *at = request->work.follow;
    request->work.follow = NULL; /* it hands nothing out any more */
    request->work.flight = NULL;
    if (flight->waiters == NULL && door->ops->cancel(door->hsm, flight->ticket)) {
        remove_flight(flight);
        kw_free(flight);
    }
}
