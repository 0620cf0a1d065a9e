/* SPDX-License-Identifier: Apache-2.0 */
#include "load.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

enum { OLD = 8, SEED = 32, TIMEOUT_S = 5 };
static const char uid[] = "3b5d1c3e-52f1-4a57-9d2d-f1a4c0f6a9be";

struct sealed {
    uint8_t seed[SEED], ciphertext[KW_CIPHERTEXT_MAX];
    size_t len; /* 0 = none yet */
    char key_id[KW_KEY_ID_MAX + 1];
};
struct caller {
    struct load *load;
    pthread_t thread;
    struct kw_client *client;
    struct kw_client_reply reply;
    struct sealed old[OLD], fresh;
    unsigned turns;
};
struct load {
    pthread_mutex_t mutex;
    pthread_cond_t grew;
    bool stopping;
    struct load_counts counts;
    unsigned threads;
    struct caller callers[LOAD_THREADS_MAX];
};

/* ---- counting ---------------------------------------------------------------------- */

static void count_call(struct caller *c, const char *method)
{
    struct load_counts *n = &c->load->counts;
    unsigned status = (unsigned)c->reply.grpc_status;
    pthread_mutex_lock(&c->load->mutex);
    status = status < LOAD_STATUSES ? status : 2;
    if (status == GRPC_UNAVAILABLE && strcmp(c->reply.message, "GOAWAY received") == 0)
        n->unsent++;
    else
        n->by_status[status]++;
    n->encrypts += status == GRPC_OK && strcmp(method, "Encrypt") == 0;
    n->decrypts += status == GRPC_OK && strcmp(method, "Decrypt") == 0;
    if (status != GRPC_OK)
        snprintf(n->last_failure[status], sizeof n->last_failure[status], "%s: %.150s",
                 method, c->reply.message);
    pthread_mutex_unlock(&c->load->mutex);
}

static bool wrong(struct caller *c, const char *what, const char *more)
{
    struct load_counts *n = &c->load->counts;
    pthread_mutex_lock(&c->load->mutex);
    if (n->wrong++ == 0)
        snprintf(n->first_wrong, sizeof n->first_wrong, "%s %s", what, more);
    pthread_mutex_unlock(&c->load->mutex);
    return false;
}

/* Asked before every call, so that the end of a daemon is not waited for many times. */
static bool stopping(struct caller *c)
{
    pthread_mutex_lock(&c->load->mutex);
    bool stopping = c->load->stopping;
    pthread_mutex_unlock(&c->load->mutex);
    return stopping;
}

/* true when the reply is good so far. */
static bool came(struct caller *c, const char *method, kw_err e)
{
    if (kw_failed(e))
        return wrong(c, method, "is no KMS v2 reply");
    count_call(c, method);
    if (c->reply.grpc_status != GRPC_OK && c->reply.plaintext.len > 0)
        return wrong(c, method, "failed and gave a plaintext");
    return c->reply.grpc_status == GRPC_OK;
}

/* ---- one round --------------------------------------------------------------------- */

static bool status(struct caller *c, char key_id[KW_KEY_ID_MAX + 1])
{
    key_id[0] = '\0';
    if (stopping(c))
        return false;
    if (!came(c, "Status", kw_client_status(c->client, TIMEOUT_S * KW_S_NS, &c->reply)))
        return false;
    if (strcmp(c->reply.healthz, "ok") != 0 || strcmp(c->reply.version, "v2") != 0)
        return wrong(c, "Status says", c->reply.healthz);
    return kw_copy_str(key_id, KW_KEY_ID_MAX + 1, kw_span_str(c->reply.key_id)) ||
           wrong(c, "Status names", c->reply.key_id);
}

static bool encrypt(struct caller *c, struct sealed *s)
{
    kw_random(s->seed, sizeof s->seed);
    s->len = 0;
    if (stopping(c))
        return false;
    if (!came(c, "Encrypt",
              kw_client_encrypt(c->client, kw_span_of(s->seed, SEED), uid,
                                TIMEOUT_S * KW_S_NS, &c->reply)))
        return false;
    if (c->reply.annotation_count > 0 || c->reply.ciphertext_len == 0 ||
        c->reply.ciphertext_len > sizeof s->ciphertext ||
        !kw_copy_str(s->key_id, sizeof s->key_id, kw_span_str(c->reply.key_id)))
        return wrong(c, "Encrypt under", c->reply.key_id);
    s->len = c->reply.ciphertext_len;
    kw_copy(s->ciphertext, sizeof s->ciphertext, kw_span_of(c->reply.ciphertext, s->len));
    return true;
}

static bool decrypt(struct caller *c, const struct sealed *s)
{
    if (stopping(c))
        return false;
    kw_err e =
        kw_client_decrypt(c->client, kw_span_of(s->ciphertext, s->len),
                          kw_span_str(s->key_id), uid, TIMEOUT_S * KW_S_NS, &c->reply);
    bool good = came(c, "Decrypt", e);
    if (good &&
        !kw_span_equal(kw_secret_peek(&c->reply.plaintext), kw_span_of(s->seed, SEED)))
        good = wrong(c, "Decrypt gave another seed for", s->key_id);
    kw_client_reply_wipe(&c->reply);
    return good;
}

/* A swap of the active version may fall between the calls; then the two Status differ. */
static bool same_key(struct caller *c, const char *before, const char *after)
{
    if (before[0] == '\0' || strcmp(before, after) != 0 || c->fresh.len == 0 ||
        strcmp(c->fresh.key_id, before) == 0)
        return true;
    return wrong(c, "Status and Encrypt disagree:", c->fresh.key_id);
}

static bool one_round(struct caller *c)
{
    char before[KW_KEY_ID_MAX + 1], after[KW_KEY_ID_MAX + 1];
    struct sealed *old = &c->old[c->turns++ % OLD];
    bool good = status(c, before);
    good &= encrypt(c, &c->fresh);
    good &= status(c, after);
    good &= same_key(c, before, after);
    if (old->len > 0)
        good &= decrypt(c, old);
    if (c->fresh.len > 0) {
        good &= decrypt(c, &c->fresh);
        *old = c->fresh;
    }
    return good;
}

static void *work(void *ctx)
{
    struct caller *c = ctx;
    struct load *l = c->load;
    pthread_mutex_lock(&l->mutex);
    while (!l->stopping) {
        pthread_mutex_unlock(&l->mutex);
        bool good = one_round(c);
        pthread_mutex_lock(&l->mutex);
        l->counts.rounds += good;
        pthread_cond_broadcast(&l->grew);
    }
    pthread_mutex_unlock(&l->mutex);
    return NULL;
}

/* ---- the load ---------------------------------------------------------------------- */

struct load *load_start(const char *socket, unsigned threads)
{
    struct load *l = calloc(1, sizeof *l);
    CHECK(l != NULL && threads <= LOAD_THREADS_MAX);
    pthread_mutex_init(&l->mutex, NULL);
    pthread_cond_init(&l->grew, NULL);
    l->threads = threads;
    for (unsigned i = 0; i < threads; i++) {
        struct caller *c = &l->callers[i];
        c->load = l;
        CHECK_OK(kw_client_open(socket, &c->client));
        CHECK(pthread_create(&c->thread, NULL, work, c) == 0);
    }
    return l;
}

void load_await(struct load *l, uint64_t rounds)
{
    pthread_mutex_lock(&l->mutex);
    for (uint64_t want = l->counts.rounds + rounds; l->counts.rounds < want;)
        pthread_cond_wait(&l->grew, &l->mutex);
    pthread_mutex_unlock(&l->mutex);
}

void load_stop(struct load *l, struct load_counts *ret_counts)
{
    pthread_mutex_lock(&l->mutex);
    l->stopping = true;
    pthread_mutex_unlock(&l->mutex);
    for (unsigned i = 0; i < l->threads; i++) {
        pthread_join(l->callers[i].thread, NULL);
        kw_client_close(l->callers[i].client);
    }
    *ret_counts = l->counts;
    kw_wipe(l->callers, sizeof l->callers);
    free(l);
}

uint64_t load_failed(const struct load_counts *counts)
{
    uint64_t failed = 0;
    for (unsigned i = 1; i < LOAD_STATUSES; i++)
        failed += counts->by_status[i];
    return failed;
}

void load_judge(const struct load_counts *n, unsigned allowed)
{
    for (unsigned i = 0; i < LOAD_STATUSES; i++)
        if (n->by_status[i] > 0)
            print_message("  gRPC status %u: %llu calls%s%s\n", i,
                          (unsigned long long)n->by_status[i], i > 0 ? ", such as " : "",
                          n->last_failure[i]);
    if (n->wrong > 0)
        fail_msg("%llu wrong replies; the first: %s", (unsigned long long)n->wrong,
                 n->first_wrong);
    for (unsigned i = 1; i < LOAD_STATUSES; i++)
        if (n->by_status[i] > 0 && (allowed & LOAD_MAY(i)) == 0)
            fail_msg("%llu calls failed with gRPC status %u: %s",
                     (unsigned long long)n->by_status[i], i, n->last_failure[i]);
    CHECK(n->rounds > 0);
}
