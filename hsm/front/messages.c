/* SPDX-License-Identifier: Apache-2.0 */
/* What workers send.  Anything that is not exactly what may come now ends the worker. */
#include "front_internal.h"

#include <string.h>

#include <keyward/log.h>

/* A fact has one spelling on the wire, so equal bytes are equal facts. */
static bool facts_are_new(const struct kw_front_token *t, kw_span message)
{
    uint8_t buf[KW_WIRE_MAX];
    kw_dst dst = kw_dst_of(buf, sizeof buf);
    return !t->facts_known || kw_failed(kw_wire_encode_facts(&t->facts, &dst)) ||
           !kw_span_equal(kw_dst_span(&dst), message);
}

/* What a vendor is asked for first when something is wrong with a token. */
static void log_facts(const struct kw_front_token *token)
{
    const struct kw_wire_facts *t = &token->facts;
    kw_log(KW_LOG_INFO, "token-facts", KW_STR("token", token->o.name),
           KW_PEER("library", kw_span_str(t->library)),
           KW_PEER("library_version", kw_span_str(t->library_version)),
           KW_PEER("label", kw_span_str(t->label)),
           KW_PEER("serial", kw_span_str(t->serial)),
           KW_PEER("manufacturer", kw_span_str(t->manufacturer)),
           KW_PEER("model", kw_span_str(t->model)),
           KW_PEER("firmware", kw_span_str(t->firmware)),
           KW_STR("softhsm", t->softhsm ? "yes" : "no"),
           KW_STR("aes_gcm", t->gcm ? "yes" : "no"),
           KW_INT("aes_gcm_key_min", t->gcm_key_min),
           KW_INT("aes_gcm_key_max", t->gcm_key_max));
}

static bool facts(struct kw_worker *w, kw_span message)
{
    struct kw_front_token *t = w->token;
    struct kw_wire_facts facts;
    if (w->start.was_ready || w->start.facts_told ||
        kw_failed(kw_wire_decode_facts(message, &facts)))
        return false;
    w->start.facts_told = true;
    bool changed = facts_are_new(t, message);
    t->facts = facts;
    t->facts_known = true;
    if (changed)
        log_facts(t);
    return true;
}

static bool verdict(struct kw_worker *w, kw_span message)
{
    return !w->start.was_ready && w->start.verdict_count < KW_VERSIONS_MAX &&
           !kw_failed(kw_wire_decode_verdict(
               message, &w->start.verdicts[w->start.verdict_count++]));
}

/* By the table, which only what serves it walks: a newcomer may be refused. */
static bool may_be_ready(const struct kw_worker *w)
{
    struct kw_life life = {kw_worker_state_by_main(w), kw_worker_process_by_main(w)};
    return kw_life_happens(&life, KW_LIFE_READY);
}

static bool ready(struct kw_worker *w, kw_span message) KW_FREE
{
    struct kw_wire_ready ready;
    if (w->start.was_ready || !may_be_ready(w) || w->login.state != KW_LOGIN_ENDED ||
        kw_failed(kw_wire_decode_ready(message, &ready)) ||
        ready.verdicts != w->start.verdict_count)
        return false;
    if (kw_worker_state_by_main(w) ==
        KW_WORKER_STARTING) /* else it was told to leave meanwhile */
        kw_front_ready(w, &ready);
    return true;
}

static bool messages_failed(struct kw_worker *w, kw_span message)
{
    if (kw_failed(kw_wire_decode_failed(message, &w->start.failed)))
        return false;
    w->start.failed_told = true;
    if (strcmp(w->start.failed.err.where != NULL ? w->start.failed.err.where : "",
               "C_Login") != 0) /* told before, as the end of the login */
        kw_numbers_error(&w->token->counts.numbers, w->start.failed.err);
    /* One that was told to leave before it was ready has nothing to complain of. */
    kw_log(w->start.failed.err.code == KW_CODE_CANCELLED ? KW_LOG_INFO : KW_LOG_ERROR,
           "worker-failed", KW_STR("token", w->token->o.name),
           KW_INT("pid", w->process.pid), KW_ERR("err", w->start.failed.err),
           KW_STR("why", w->start.failed.note.text));
    return true;
}

static bool take_message(struct kw_worker *w, kw_span message) KW_FREE
{
    if (w->start.failed_told) /* that is the last word */
        return false;
    switch (kw_wire_kind_of(message)) {
    case KW_WIRE_FACTS: return facts(w, message);
    case KW_WIRE_VERDICT: return verdict(w, message);
    case KW_WIRE_READY: return ready(w, message);
    case KW_WIRE_FAILED: return messages_failed(w, message);
    case KW_WIRE_PIN: return kw_login_asked(w, message);
    case KW_WIRE_LOGIN: return kw_login_told(w, message);
    case KW_WIRE_JOB:
    case KW_WIRE_PERMIT:
    case KW_WIRE_ANSWER: break;
    }
    return false;
}

static void violation(struct kw_worker *w) KW_FREE
{
    kw_log(KW_LOG_ERROR, "worker-broke-protocol", KW_STR("token", w->token->o.name),
           KW_INT("pid", w->process.pid));
    kw_front_worker_end_of_socket(w);
    if (kw_page_phase(w->process.page) != KW_PAGE_LOGIN)
        kw_front_worker_kill(w);
}

/* Answers in a row are taken under one lock; they are nearly everything that comes. */
static size_t take_answers(struct kw_worker *w, size_t from) KW_FREE
{
    const struct kw_receiver *receiver = &w->front->receiver;
    size_t i = from;
    kw_lock_take(w->front->lock);
    while (i < receiver->count &&
           kw_wire_kind_of(receiver->messages[i]) == KW_WIRE_ANSWER &&
           kw_answer(w, receiver->messages[i]))
        i++;
    kw_lock_give(w->front->lock);
    return i;
}

/* false: it broke the protocol.  What comes after a word that ended the worker's socket
 * (kw_login_told) is not heard: it was to leave. */
static bool batch(struct kw_worker *w) KW_FREE
{
    struct kw_receiver *receiver = &w->front->receiver;
    bool ok = true;
    for (size_t i = 0; ok && !kw_worker_ended_by_main(w) && i < receiver->count;) {
        if (w->start.was_ready)
            i = take_answers(w, i);
        if (i < receiver->count)
            ok = take_message(w, receiver->messages[i++]);
    }
    kw_receiver_clear(receiver);
    return ok;
}

/* A batch that was not full emptied the socket: one call saved, as epoll tells us of what
 * comes next.  After a worker's death everything is read, up to the end. */
static bool messages_go_on(struct kw_worker *w, size_t taken)
{
    return !kw_worker_ended_by_main(w) &&
           (kw_worker_process_by_main(w) == KW_PROCESS_GONE || taken == KW_RECEIVE_MAX);
}

void kw_worker_read(struct kw_worker *w)
{
    size_t taken = KW_RECEIVE_MAX;
    while (messages_go_on(w, taken))
        switch (kw_receiver_read(&w->front->receiver, kw_worker_socket_by_main(w))) {
        case KW_READ_SOME:
            taken = w->front->receiver.count;
            if (!batch(w))
                violation(w);
            break;
        case KW_READ_EMPTY: return;
        case KW_READ_END: kw_front_worker_end_of_socket(w); return;
        case KW_READ_BROKEN: violation(w); return;
        }
}
