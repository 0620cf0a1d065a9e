/* SPDX-License-Identifier: Apache-2.0 */
#include "probe_call.h"

#include <stdio.h>

#include <keyward/clock.h>

#include "probe_connect.h"

/* gRPC's codes that a call has, too, when no server answers.
 * Source: github.com/grpc/grpc, doc/statuscodes.md */
enum { DEADLINE_EXCEEDED = 4, UNAVAILABLE = 14 };

const char *const kw_probe_method_name[3] = {"Status", "Encrypt", "Decrypt"};

kw_err kw_probe_caller_open(struct kw_probe_caller *c, const char *socket,
                            int64_t timeout_ns, FILE *out, struct kw_note *note)
{
    *c = (struct kw_probe_caller){.socket = socket, .timeout_ns = timeout_ns};
    kw_err e = kw_client_open(socket, &c->client);
    if (kw_failed(e)) {
        kw_note_set(note, "\"%s\": no path of a unix socket", socket);
        return e;
    }
    kw_probe_progress_begin(&c->progress, out, &kw_clock_system);
    kw_client_fail_fast(c->client);
    if (out != NULL)
        kw_client_tick(c->client, kw_probe_progress_tick, &c->progress);
    return KW_OK;
}

void kw_probe_caller_close(struct kw_probe_caller *c)
{
    kw_client_close(c->client);
    c->client = NULL;
}

/* A random UUID, as every request of kube-apiserver has one: records name it then.
 * Source: RFC 9562 5.4; k8s.io/apiserver, storage/value/encrypt/envelope/kmsv2. */
static void probe_call_uid(char uid[KW_PROBE_UID_TEXT])
{
    uint8_t r[16];
    kw_random(r, sizeof r);
    r[6] = (uint8_t)((r[6] & 0x0fu) | 0x40u);
    r[8] = (uint8_t)((r[8] & 0x3fu) | 0x80u);
    snprintf(uid, KW_PROBE_UID_TEXT,
             "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x", r[0],
             r[1], r[2], r[3], r[4], r[5], r[6], r[7], r[8], r[9], r[10], r[11], r[12],
             r[13], r[14], r[15]);
}

static kw_err probe_call_send(struct kw_probe_caller *c, enum kw_probe_method method,
                              kw_span input, const char *key_id,
                              struct kw_client_reply *reply)
{
    if (method == KW_PROBE_STATUS)
        return kw_client_status(c->client, c->timeout_ns, reply);
    probe_call_uid(c->uid);
    if (method == KW_PROBE_ENCRYPT)
        return kw_client_encrypt(c->client, input, c->uid, c->timeout_ns, reply);
    return kw_client_decrypt(c->client, input, kw_span_str(key_id), c->uid, c->timeout_ns,
                             reply);
}

kw_err kw_probe_call(struct kw_probe_caller *c, enum kw_probe_method method, size_t at,
                     size_t of, kw_span input, const char *key_id,
                     struct kw_client_reply *reply)
{
    kw_client_reply_wipe(reply);
    kw_probe_progress_step(&c->progress, kw_probe_method_name[method], at, of);
    kw_err e = probe_call_send(c, method, input, key_id, reply);
    if (at == of || kw_failed(e) || reply->grpc_status != 0)
        kw_probe_progress_clear(&c->progress);
    if (!kw_failed(e) && reply->grpc_status == 0)
        c->answered++;
    return e;
}

static kw_err probe_call_is_dead(const struct kw_probe_caller *c, struct kw_note *note)
{
    struct kw_note why = {{0}};
    kw_err e = kw_probe_connect(c->socket,
                                c->timeout_ns < KW_S_NS ? c->timeout_ns : KW_S_NS, &why);
    if (kw_failed(e))
        kw_note_set(note, "%s%s",
                    c->answered > 0 ? "the server went away in the middle of the run: "
                                    : "",
                    why.text);
    return e;
}

kw_err kw_probe_call_why(struct kw_probe_caller *c, enum kw_probe_method method, kw_err e,
                         const struct kw_client_reply *reply, struct kw_note *note)
{
    const int status = reply->grpc_status;
    char bound[32];
    if (kw_failed(e)) {
        kw_note_set(note, "%s: the answer is no message of KMS v2: %s at %s", c->socket,
                    kw_code_name(e.code), e.where != NULL ? e.where : "?");
        return KW_OK;
    }
    if (status == DEADLINE_EXCEEDED || status == UNAVAILABLE) {
        kw_err dead = probe_call_is_dead(c, note);
        if (kw_failed(dead))
            return dead;
    }
    kw_duration_text(bound, sizeof bound, c->timeout_ns);
    if (status == DEADLINE_EXCEEDED)
        kw_note_set(note, "%s: no answer to %s within %s", c->socket,
                    kw_probe_method_name[method], bound);
    else
        kw_note_set(note, "%s: %s: %s (%.1f ms)", c->socket,
                    kw_client_status_name(status), reply->message,
                    (double)reply->ns / 1e6);
    return KW_OK;
}
