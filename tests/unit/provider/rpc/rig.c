/* SPDX-License-Identifier: Apache-2.0 */
#include "rpc_rig.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <keyward/alloc.h>

const uint8_t rig_seed[32] = "a seed of thirty-two bytes here";

/* ---- the fake kms ---- */

static void lock(struct kw_kms *k)
{
    KW_MUST(pthread_mutex_lock(&k->mutex) == 0);
}

static void unlock(struct kw_kms *k)
{
    pthread_cond_broadcast(&k->changed);
    KW_MUST(pthread_mutex_unlock(&k->mutex) == 0);
}

/* Decrypt answers its input; of Encrypt the plaintext comes back as it is. */
static void echo(const char *key_id, struct kw_request *call)
{
    kw_span seed = kw_secret_peek(&call->seed);
    kw_copy_str(call->out_key_id, sizeof call->out_key_id,
                kw_span_str(key_id != NULL ? key_id : "kw1-0-echo"));
    call->err = KW_OK;
    kw_copy(call->out_ciphertext, sizeof call->out_ciphertext, seed);
    call->out_ciphertext_len = seed.len;
    if (call->method == KW_METHOD_DECRYPT)
        call->err = kw_secret_copy(&call->seed, call->ciphertext);
    call->done(call);
}

static void answer(struct kw_request *call, kw_err outcome)
{
    call->err = outcome;
    if (kw_failed(outcome)) {
        kw_secret_wipe(&call->seed);
    } else {
        kw_copy_str(call->out_key_id, sizeof call->out_key_id,
                    kw_span_str("kw1-1-0123456789abcdef01234567"));
        if (call->method == KW_METHOD_DECRYPT)
            KW_MUST(!kw_failed(
                kw_secret_copy(&call->seed, kw_span_of(rig_seed, sizeof rig_seed))));
        if (call->method == KW_METHOD_ENCRYPT) {
            call->out_ciphertext_len = call->seed.len;
            kw_copy(call->out_ciphertext, sizeof call->out_ciphertext,
                    kw_secret_peek(&call->seed));
            for (size_t i = 0; i < call->out_ciphertext_len; i++)
                call->out_ciphertext[i] ^= 0xffu;
            kw_secret_wipe(&call->seed);
        }
    }
    call->done(call);
}

static void remember(struct kw_kms *k, const struct kw_request *call)
{
    kw_span bytes = call->method == KW_METHOD_ENCRYPT ? kw_secret_peek(&call->seed)
                                                      : call->ciphertext;
    k->seen.call = *call;
    k->seen.call.seed = (struct kw_secret){0};
    kw_copy(k->seen.bytes, sizeof k->seen.bytes, bytes);
    k->seen.len = bytes.len;
}

static void *finish_one(void *call)
{
    answer(call, KW_OK);
    return NULL;
}

/* The main thread is quicker than begin's return. */
static void finish_from_another_thread(struct kw_request *call)
{
    pthread_t t;
    KW_MUST(pthread_create(&t, NULL, finish_one, call) == 0);
    KW_MUST(pthread_join(t, NULL) == 0);
}

void kw_kms_begin(struct kw_kms *k, struct kw_request *call)
{
    lock(k);
    bool status = call->method == KW_METHOD_STATUS;
    bool parks = status ? k->status_parks : k->parks;
    bool inside = k->finish_inside, echoes = k->echoes;
    const char *key_id = k->key_id;
    kw_err outcome = status ? KW_OK : k->answer;
    remember(k, call);
    k->begun++;
    if (parks) {
        call->work.next = k->parked;
        call->work.prev = &k->parked;
        if (k->parked != NULL)
            k->parked->work.prev = &call->work.next;
        k->parked = call;
        k->parked_count++;
    }
    pthread_cond_broadcast(&k->changed);
    while (status && k->stands)
        pthread_cond_wait(&k->changed, &k->mutex);
    unlock(k);
    if (inside)
        finish_from_another_thread(call);
    else if (echoes)
        echo(key_id, call);
    else if (!parks)
        answer(call, outcome);
}

/* Under the mutex. */
static void unpark(struct kw_kms *k, struct kw_request *call)
{
    *call->work.prev = call->work.next;
    if (call->work.next != NULL)
        call->work.next->work.prev = call->work.prev;
    call->work.prev = NULL;
    k->parked_count--;
}

void kw_kms_cancel(struct kw_kms *k, struct kw_request *call)
{
    lock(k);
    bool mine = call->work.prev != NULL;
    if (mine)
        unpark(k, call);
    k->watched_open = fcntl(k->watched, F_GETFD) != -1;
    unlock(k);
    if (!mine)
        return;
    answer(call, kw_err_at(KW_CODE_CANCELLED, "test"));
    lock(k);
    k->cancelled++;
    unlock(k);
}

void kw_kms_refused(struct kw_kms *k, struct kw_request *call)
{
    lock(k);
    k->refused++;
    k->refusal = *call;
    unlock(k);
}

size_t kms_refused(struct rig *r)
{
    lock(&r->kms);
    const size_t n = r->kms.refused;
    unlock(&r->kms);
    return n;
}

struct kw_request kms_refusal(struct rig *r)
{
    lock(&r->kms);
    struct kw_request last = r->kms.refusal;
    unlock(&r->kms);
    return last;
}

void kms_finish(struct rig *r, kw_err outcome)
{
    for (;;) {
        lock(&r->kms);
        struct kw_request *call = r->kms.parked;
        if (call != NULL)
            unpark(&r->kms, call);
        unlock(&r->kms);
        if (call == NULL)
            return;
        answer(call, outcome);
    }
}

size_t kms_begun(struct rig *r)
{
    lock(&r->kms);
    size_t n = r->kms.begun;
    unlock(&r->kms);
    return n;
}

struct kms_seen kms_seen(struct rig *r)
{
    lock(&r->kms);
    struct kms_seen seen = r->kms.seen;
    unlock(&r->kms);
    return seen;
}

static void await(struct rig *r, const size_t *counter, size_t count)
{
    lock(&r->kms);
    while (*counter < count)
        pthread_cond_wait(&r->kms.changed, &r->kms.mutex);
    unlock(&r->kms);
}

static void stand(struct rig *r, bool stands)
{
    lock(&r->kms);
    r->kms.stands = stands;
    unlock(&r->kms);
}

void kms_stand(struct rig *r)
{
    stand(r, true);
}

void kms_go_on(struct rig *r)
{
    stand(r, false);
}

void kms_await_begun(struct rig *r, size_t count)
{
    await(r, &r->kms.begun, count);
}

void kms_await_parked(struct rig *r, size_t count)
{
    await(r, &r->kms.parked_count, count);
}

void kms_await_cancelled(struct rig *r, size_t count)
{
    r->now_ns += KW_S_NS; /* long enough for what is parked to be watched */
    await(r, &r->kms.cancelled, count);
}

void kms_park(struct rig *r, bool parks)
{
    lock(&r->kms);
    r->kms.parks = parks;
    unlock(&r->kms);
}

/* ---- the rig ---- */

static const struct kw_peer someone = {1000, 1001, 4242, 77};

/* listen's part, without its rules. */
static void *accept_all(void *self)
{
    struct rig *r = self;
    for (;;) {
        int fd = accept4(r->listening, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd < 0)
            return NULL;
        kw_err e = kw_rpc_adopt(r->rpc, 0, fd, &someone);
        KW_INVARIANT(!kw_failed(e) || e.code == KW_CODE_CANCELLED);
    }
}

static int64_t now(void *self)
{
    return ((struct rig *)self)->now_ns;
}

static struct rig *new_rig(bool echoes)
{
    struct rig *r = kw_new(1, sizeof *r);
    static bool once;
    if (!once) {
        kw_rpc_process_init();
        kw_test_arena(kw_rpc_bytes() + (size_t)4 * 1024 * 1024);
        once = true;
    }
    pthread_mutex_init(&r->kms.mutex, NULL);
    pthread_cond_init(&r->kms.changed, NULL);
    r->kms.echoes = echoes;
    r->now_ns = 1000 * KW_S_NS;
    r->clock = (struct kw_clock){now, now, now, r};
    struct kw_rpc_options o = {.kms = &r->kms, .class_count = 2, .clock = &r->clock};
    CHECK_OK(kw_rpc_new(&o, &r->rpc));
    snprintf(r->dir, sizeof r->dir, "/tmp/kw-rpc-XXXXXX");
    CHECK(mkdtemp(r->dir) != NULL);
    /* A path with whatever a URI would take for its own. */
    snprintf(r->path, sizeof r->path, "%s/s %%41?#&=:@+", r->dir);
    struct sockaddr_un a = {.sun_family = AF_UNIX};
    kw_copy_str(a.sun_path, sizeof a.sun_path, kw_span_str(r->path));
    r->listening = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    CHECK(bind(r->listening, (struct sockaddr *)&a, sizeof a) == 0);
    CHECK(listen(r->listening, 16) == 0);
    CHECK(pthread_create(&r->acceptor, NULL, accept_all, r) == 0);
    CHECK_OK(kw_client_open(r->path, &r->client));
    return r;
}

struct rig *rig_new(void)
{
    return new_rig(false);
}

struct rig *rig_new_echo(void)
{
    return new_rig(true);
}

void rig_free_rpc(struct rig *r)
{
    if (r->rpc == NULL)
        return;
    shutdown(r->listening, SHUT_RDWR);
    pthread_join(r->acceptor, NULL);
    close(r->listening);
    kw_client_close(r->client);
    kw_rpc_free(r->rpc);
    r->rpc = NULL;
}

void rig_free(struct rig *r)
{
    rig_free_rpc(r);
    unlink(r->path);
    rmdir(r->dir);
    pthread_mutex_destroy(&r->kms.mutex);
    pthread_cond_destroy(&r->kms.changed);
    kw_free(r);
}

static kw_err adopt_pair(struct rig *r, size_t class_index, struct h2raw **ret_peer)
{
    int pair[2];
    CHECK(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) == 0);
    CHECK(fcntl(pair[0], F_SETFL, O_NONBLOCK) == 0);
    r->adopted = pair[0];
    kw_err e = kw_rpc_adopt(r->rpc, class_index, pair[0], &someone);
    *ret_peer = h2raw_new(pair[1]);
    return e;
}

struct h2raw *rig_raw(struct rig *r, size_t class_index)
{
    struct h2raw *h = NULL;
    CHECK_OK(adopt_pair(r, class_index, &h));
    return h;
}

struct h2raw *rig_raw_refused(struct rig *r, size_t class_index, enum kw_code why)
{
    struct h2raw *h = NULL;
    CHECK_CODE(adopt_pair(r, class_index, &h), why);
    return h;
}
