/* SPDX-License-Identifier: Apache-2.0 */
#include "probe_steps.h"

#include <stdio.h>

#include <keyward/alloc.h>

#include "percentile.h"
#include "probe_sample.h"
#include "rules.h"

enum { INVALID_ARGUMENT = 3 }; /* gRPC's, github.com/grpc/grpc, doc/statuscodes.md */

static const char probe_remedy[] = "keyward status, and the daemon's log, say why";

static void probe_rule(struct kw_probe *p, const char *name, const char *broken,
                       const char *shown)
{
    if (broken == NULL)
        kw_report_add(&p->report, KW_FOUND_OK, name, NULL, "%s", shown);
    else
        kw_report_add(&p->report, KW_FOUND_FAIL, name, broken, "%s", shown);
}

static kw_err probe_send(struct kw_probe *p, enum kw_probe_method method, size_t at,
                         size_t of, struct kw_client_reply *reply)
{
    const kw_span seed = kw_span_of(p->seed, KW_PROBE_SEED);
    const kw_span sealed = kw_span_of(p->encrypt->ciphertext, p->encrypt->ciphertext_len);
    return kw_probe_call(&p->caller, method, at, of,
                         method == KW_PROBE_DECRYPT ? sealed : seed, p->encrypt->key_id,
                         reply);
}

/* A call that should have succeeded.  false: for the caller to return. */
static bool probe_failed(struct kw_probe *p, enum kw_probe_method method,
                         const char *name, const char *which, kw_err e,
                         const struct kw_client_reply *reply)
{
    struct kw_note why = {{0}};
    kw_err dead = kw_probe_call_why(&p->caller, method, e, reply, &why);
    if (kw_failed(dead) && p->caller.answered == 0) {
        p->unreachable = dead;
        p->note = why;
    } else {
        kw_report_add(&p->report, KW_FOUND_FAIL, name,
                      kw_failed(dead) ? NULL : probe_remedy, "%s%s", which, why.text);
    }
    return false;
}

/* One call that should succeed; false when it did not. */
static bool probe_good(struct kw_probe *p, enum kw_probe_method method,
                       struct kw_client_reply *reply)
{
    const char *name = kw_probe_method_name[method];
    kw_err e = probe_send(p, method, 1, 1, reply);
    if (kw_failed(e) || reply->grpc_status != 0)
        return probe_failed(p, method, name, "", e, reply);
    if (method == KW_PROBE_STATUS)
        kw_report_add(&p->report, KW_FOUND_OK, name, NULL, "%.3f ms",
                      (double)reply->ns / 1e6);
    else
        kw_report_add(&p->report, KW_FOUND_OK, name, NULL, "%.3f ms, request %s",
                      (double)reply->ns / 1e6, p->caller.uid);
    return true;
}

static bool probe_status(struct kw_probe *p)
{
    if (!probe_good(p, KW_PROBE_STATUS, p->status))
        return false;
    probe_rule(p, "version", kw_rule_version(p->status), p->status->version);
    probe_rule(p, "healthz", kw_rule_healthz(p->status), p->status->healthz);
    probe_rule(p, "key_id", kw_rule_key_id(p->status), p->status->key_id);
    return true;
}

static bool probe_encrypt(struct kw_probe *p)
{
    char size[64];
    kw_random(p->seed, sizeof p->seed);
    if (!probe_good(p, KW_PROBE_ENCRYPT, p->encrypt))
        return false;
    snprintf(size, sizeof size, "%zu bytes for %d", p->encrypt->ciphertext_len,
             KW_PROBE_SEED);
    probe_rule(p, "same key_id", kw_rule_same_key_id(p->status, p->encrypt),
               p->encrypt->key_id);
    probe_rule(p, "ciphertext",
               kw_rule_ciphertext(p->encrypt, kw_span_of(p->seed, KW_PROBE_SEED)), size);
    probe_rule(p, "annotations", kw_rule_annotations(p->encrypt),
               p->encrypt->annotation_count == 0 ? "none" : "some");
    return p->encrypt->ciphertext_len > 0 &&
           p->encrypt->ciphertext_len <= KW_CIPHERTEXT_MAX;
}

static bool probe_decrypt(struct kw_probe *p)
{
    if (!probe_good(p, KW_PROBE_DECRYPT, p->decrypt))
        return false;
    const char *broken =
        kw_rule_plaintext(p->decrypt, kw_span_of(p->seed, KW_PROBE_SEED));
    probe_rule(p, "round trip", broken,
               broken == NULL ? "the same 32 bytes" : "other bytes");
    if (p->sample_path != NULL && broken == NULL)
        kw_probe_sample_keep(&p->report, p->sample_path, &p->sample, p->encrypt);
    return true;
}

/* Neither opened nor refused: dead, or in trouble. */
static bool probe_tampered_otherwise(struct kw_probe *p, kw_err e)
{
    struct kw_note why = {{0}};
    kw_err dead = kw_probe_call_why(&p->caller, KW_PROBE_DECRYPT, e, p->decrypt, &why);
    const bool ends = kw_failed(dead) || kw_failed(e);
    kw_report_add(&p->report, ends ? KW_FOUND_FAIL : KW_FOUND_WARN, "tampered",
                  ends ? NULL : "INVALID_ARGUMENT was expected; look at keyward status",
                  "%s%s", ends ? "" : "not decrypted, but: ", why.text);
    return !ends;
}

/* One flipped bit: a plaintext that was not authenticated would be cached for 24 hours
 * and make every object under its seed unreadable. */
static bool probe_tampered(struct kw_probe *p)
{
    static const char name[] = "tampered";
    uint8_t *last = p->encrypt->ciphertext + p->encrypt->ciphertext_len - 1;
    if (!p->is_negative) {
        kw_report_add(&p->report, KW_FOUND_NOT_TRIED, name, NULL,
                      "not tried: it must be refused, which the daemon logs and records "
                      "(--negative)");
        return true;
    }
    *last ^= 1;
    kw_err e = probe_send(p, KW_PROBE_DECRYPT, 1, 1, p->decrypt);
    *last ^= 1;
    const int status = p->decrypt->grpc_status;
    if (kw_failed(e) || (status != 0 && status != INVALID_ARGUMENT))
        return probe_tampered_otherwise(p, e);
    if (status == 0)
        kw_report_add(&p->report, KW_FOUND_FAIL, name,
                      "stop using this socket: it opens what nobody sealed",
                      "a ciphertext with one flipped bit was decrypted");
    else
        kw_report_add(&p->report, KW_FOUND_OK, name, NULL,
                      "refused: %s (%.3f ms), request %s", kw_client_status_name(status),
                      (double)p->decrypt->ns / 1e6, p->caller.uid);
    return true;
}

static void probe_latency(struct kw_probe *p, enum kw_probe_method method, int64_t p50,
                          int64_t p99, size_t failed)
{
    if (p->latency != NULL &&
        json_object_set_new(p->latency, kw_probe_method_name[method],
                            json_pack("{s:I, s:I, s:I}", "p50_ns", (json_int_t)p50,
                                      "p99_ns", (json_int_t)p99, "failed",
                                      (json_int_t)failed)) != 0)
        p->report.count[KW_FOUND_BLIND]++;
}

static bool probe_measure(struct kw_probe *p, enum kw_probe_method method, int64_t *ns)
{
    struct kw_client_reply *reply = method == KW_PROBE_STATUS ? p->status : p->decrypt;
    size_t done = 0;
    bool good = true;
    kw_err e = KW_OK;
    while (good && done < p->rounds) {
        e = probe_send(p, method, done + 1, p->rounds, reply);
        good = !kw_failed(e) && reply->grpc_status == 0;
        if (good)
            ns[done++] = reply->ns;
    }
    const int64_t p50 = kw_percentile(ns, done, 50), p99 = kw_percentile(ns, done, 99);
    char name[32], which[48];
    snprintf(name, sizeof name, "%s x %zu", kw_probe_method_name[method], p->rounds);
    snprintf(which, sizeof which, "call %zu of %zu: ", done + 1, p->rounds);
    probe_latency(p, method, p50, p99, good ? 0 : 1);
    if (!good)
        return probe_failed(p, method, name, which, e, reply);
    kw_report_add(&p->report, KW_FOUND_OK, name, NULL, "p50 %.3f ms, p99 %.3f ms",
                  (double)p50 / 1e6, (double)p99 / 1e6);
    return true;
}

static bool probe_rounds(struct kw_probe *p)
{
    bool goes_on = true;
    int64_t *ns = p->rounds > 0 ? kw_new(p->rounds, sizeof *ns) : NULL;
    if (p->rounds > 0 && ns == NULL)
        kw_report_err(&p->report, "rounds", kw_err_at(KW_CODE_NO_MEMORY, "probe"),
                      &(struct kw_note){{0}});
    for (int m = KW_PROBE_STATUS; goes_on && ns != NULL && m <= KW_PROBE_DECRYPT; m++)
        goes_on = probe_measure(p, (enum kw_probe_method)m, ns);
    kw_free(ns);
    return goes_on;
}

static const struct {
    const char *name;
    bool (*run)(struct kw_probe *p); /* false: no further call is of any use */
} probe_steps[] = {
    {"Status", probe_status},     {"Encrypt", probe_encrypt},
    {"Decrypt", probe_decrypt},   {"a tampered ciphertext", probe_tampered},
    {"the rounds", probe_rounds},
};
enum { STEPS = sizeof probe_steps / sizeof probe_steps[0] };

static void probe_not_tried(struct kw_probe *p, size_t from)
{
    char rest[128] = "";
    size_t len = 0;
    for (size_t i = from; i < STEPS; i++)
        len += (size_t)snprintf(rest + len, sizeof rest - len, "%s%s",
                                len > 0 ? ", " : "", probe_steps[i].name);
    if (len > 0)
        kw_report_add(&p->report, KW_FOUND_NOT_TRIED, "not tried", NULL, "%s", rest);
}

kw_err kw_probe_all(struct kw_probe *p, struct kw_note *note)
{
    size_t i = 0;
    while (i < STEPS && probe_steps[i].run(p))
        i++;
    if (kw_failed(p->unreachable))
        *note = p->note;
    else
        probe_not_tried(p, i + 1);
    return p->unreachable;
}
