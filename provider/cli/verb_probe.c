/* SPDX-License-Identifier: Apache-2.0 */
/* keyward probe - what kube-apiserver will do to this socket, step by step */
#include "cli.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <keyward/alloc.h>
#include <keyward/client.h>
#include <keyward/clock.h>
#include <keyward/env.h>

#include "probe_sample.h"
#include "probe_socket.h"
#include "report.h"
#include "percentile.h"
#include "rules.h"

enum { SEED = 32, ROUNDS_DEFAULT = 100, ROUNDS_MAX = 1000000, ARENA = 256 * 1024 };

struct probe {
    struct kw_report report;
    struct kw_client *client;
    int64_t timeout_ns;
    size_t rounds;
    uint8_t seed[SEED]; /* random, sealed for nobody: no secret */
    struct kw_client_reply *status, *encrypt, *decrypt;
    json_t *latency;
    const char *sample_path; /* NULL: none is kept */
    struct kw_sample sample;
};

enum call { STATUS, ENCRYPT, DECRYPT };
static const char *const call_names[] = {"Status", "Encrypt", "Decrypt"};

static kw_err probe_call(struct probe *p, enum call what, kw_span ciphertext,
                         struct kw_client_reply *reply)
{
    static const char uid[] = "keyward-probe";
    kw_client_reply_wipe(reply);
    if (what == STATUS)
        return kw_client_status(p->client, p->timeout_ns, reply);
    if (what == ENCRYPT)
        return kw_client_encrypt(p->client, kw_span_of(p->seed, SEED), uid, p->timeout_ns,
                                 reply);
    return kw_client_decrypt(p->client, ciphertext, kw_span_str(p->encrypt->key_id), uid,
                             p->timeout_ns, reply);
}

static void rule(struct probe *p, const char *name, const char *broken, const char *shown)
{
    if (broken == NULL)
        kw_report_add(&p->report, KW_FOUND_OK, name, NULL, "%s", shown);
    else
        kw_report_add(&p->report, KW_FOUND_FAIL, name, broken, "%s", shown);
}

/* One call that should succeed; false when it did not. */
static bool probe_good(struct probe *p, enum call what, struct kw_client_reply *reply)
{
    const char *name = call_names[what];
    kw_err e = probe_call(
        p, what, kw_span_of(p->encrypt->ciphertext, p->encrypt->ciphertext_len), reply);
    if (kw_failed(e)) {
        struct kw_note note;
        kw_note_set(&note, "the answer is no message of KMS v2: %s at %s",
                    kw_code_name(e.code), e.where != NULL ? e.where : "?");
        kw_report_err(&p->report, name, e, &note);
        return false;
    }
    if (reply->grpc_status != 0) {
        kw_report_add(&p->report, KW_FOUND_FAIL, name,
                      "keyward status, and the daemon's log, say why", "%s: %s (%.1f ms)",
                      kw_client_status_name(reply->grpc_status), reply->message,
                      (double)reply->ns / 1e6);
        return false;
    }
    kw_report_add(&p->report, KW_FOUND_OK, name, NULL, "%.3f ms",
                  (double)reply->ns / 1e6);
    return true;
}

static bool probe_status(struct probe *p)
{
    if (!probe_good(p, STATUS, p->status))
        return false;
    rule(p, "version", kw_rule_version(p->status), p->status->version);
    rule(p, "healthz", kw_rule_healthz(p->status), p->status->healthz);
    rule(p, "key_id", kw_rule_key_id(p->status), p->status->key_id);
    return true;
}

static bool probe_encrypt(struct probe *p)
{
    char size[64];
    kw_random(p->seed, SEED);
    if (!probe_good(p, ENCRYPT, p->encrypt))
        return false;
    snprintf(size, sizeof size, "%zu bytes for %d", p->encrypt->ciphertext_len, SEED);
    rule(p, "same key_id", kw_rule_same_key_id(p->status, p->encrypt),
         p->encrypt->key_id);
    rule(p, "ciphertext", kw_rule_ciphertext(p->encrypt, kw_span_of(p->seed, SEED)),
         size);
    rule(p, "annotations", kw_rule_annotations(p->encrypt),
         p->encrypt->annotation_count == 0 ? "none" : "some");
    return p->encrypt->ciphertext_len > 0 &&
           p->encrypt->ciphertext_len <= KW_CIPHERTEXT_MAX;
}

static void probe_decrypt(struct probe *p)
{
    if (!probe_good(p, DECRYPT, p->decrypt))
        return;
    const char *broken = kw_rule_plaintext(p->decrypt, kw_span_of(p->seed, SEED));
    rule(p, "round trip", broken, broken == NULL ? "the same 32 bytes" : "other bytes");
    if (p->sample_path != NULL && broken == NULL)
        kw_probe_sample_keep(&p->report, p->sample_path, &p->sample, p->encrypt);
}

/* One flipped bit: a plaintext that was not authenticated would be cached for 24 hours
 * and make every object under its seed unreadable. */
static void probe_tampered(struct probe *p)
{
    uint8_t bad[KW_CIPHERTEXT_MAX];
    size_t len = p->encrypt->ciphertext_len;
    kw_copy(bad, sizeof bad, kw_span_of(p->encrypt->ciphertext, len));
    bad[len - 1] ^= 1;
    kw_err e = probe_call(p, DECRYPT, kw_span_of(bad, len), p->decrypt);
    int status = p->decrypt->grpc_status;
    const char *name = "tampered";
    if (kw_failed(e))
        kw_report_err(&p->report, name, e, &(struct kw_note){{0}});
    else if (status == 0)
        kw_report_add(&p->report, KW_FOUND_FAIL, name,
                      "stop using this socket: it opens what nobody sealed",
                      "a ciphertext with one flipped bit was decrypted");
    else if (status == 3)
        kw_report_add(&p->report, KW_FOUND_OK, name, NULL, "refused: %s (%.3f ms)",
                      kw_client_status_name(status), (double)p->decrypt->ns / 1e6);
    else
        kw_report_add(&p->report, KW_FOUND_WARN, name,
                      "INVALID_ARGUMENT was expected; look at keyward status",
                      "not decrypted, but: %s: %s", kw_client_status_name(status),
                      p->decrypt->message);
}

static void probe_latency(struct probe *p, enum call what, int64_t *ns)
{
    size_t done = 0, failed = 0;
    const kw_span stored = kw_span_of(p->encrypt->ciphertext, p->encrypt->ciphertext_len);
    struct kw_client_reply *reply = what == STATUS ? p->status : p->decrypt;
    for (size_t i = 0; i < p->rounds; i++) {
        kw_err e = probe_call(p, what, stored, reply);
        if (kw_failed(e) || reply->grpc_status != 0)
            failed++;
        else
            ns[done++] = reply->ns;
    }
    int64_t p50 = kw_percentile(ns, done, 50), p99 = kw_percentile(ns, done, 99);
    char name[32];
    snprintf(name, sizeof name, "%s x %zu", call_names[what], p->rounds);
    kw_report_add(&p->report, failed == 0 ? KW_FOUND_OK : KW_FOUND_FAIL, name,
                  "a healthy socket answers every one",
                  "p50 %.3f ms, p99 %.3f ms, %zu failed", (double)p50 / 1e6,
                  (double)p99 / 1e6, failed);
    if (p->latency != NULL &&
        json_object_set_new(p->latency, call_names[what],
                            json_pack("{s:I, s:I, s:I}", "p50_ns", (json_int_t)p50,
                                      "p99_ns", (json_int_t)p99, "failed",
                                      (json_int_t)failed)) != 0)
        p->report.count[KW_FOUND_BLIND]++;
}

static void probe_all(struct probe *p)
{
    if (!probe_status(p) || !probe_encrypt(p))
        return;
    probe_decrypt(p);
    probe_tampered(p);
    int64_t *ns = p->rounds > 0 ? kw_new(p->rounds, sizeof *ns) : NULL;
    for (int what = STATUS; ns != NULL && what <= DECRYPT; what++)
        probe_latency(p, (enum call)what, ns);
    kw_free(ns);
}

static kw_err open_all(struct probe *p, const char *socket, struct kw_note *note)
{
    const char *arena = kw_env_get(KW_ENV_ARENA);
    bool mlock = arena != NULL && strcmp(arena, "mlock") == 0;
    kw_err e = kw_arena_open(ARENA, mlock ? KW_ARENA_MLOCK : KW_ARENA_AUTO, note);
    if (kw_failed(e))
        return e;
    p->status = kw_new(3, sizeof *p->status);
    if (p->status == NULL)
        return kw_err_at(KW_CODE_NO_MEMORY, "probe");
    p->encrypt = p->status + 1;
    p->decrypt = p->status + 2;
    e = kw_client_open(socket, &p->client);
    if (kw_failed(e))
        kw_note_set(note, "%s: no path of a unix socket", socket);
    return e;
}

/* gRPC waits until somebody listens: whether anybody does is asked first. */
static kw_err somebody_listens(const char *path, struct kw_note *note)
{
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    if (!kw_copy_str(at.sun_path, sizeof at.sun_path, kw_span_str(path))) {
        kw_note_set(note, "%s: too long for a socket", path);
        return kw_err_at(KW_CODE_BAD_INPUT, "SOCKET");
    }
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    kw_err e = KW_OK;
    if (fd < 0 || connect(fd, (const struct sockaddr *)&at, sizeof at) != 0) {
        int saved = errno;
        kw_note_set(note, "%s: %s; is keywardd running? (systemctl status keywardd)",
                    path, strerror(saved));
        e = kw_err_native(KW_CODE_IO, (uint32_t)saved, "connect");
    }
    if (fd >= 0)
        close(fd);
    return e;
}

static int probe_run(const struct kw_cli *cli, struct probe *p)
{
    struct kw_note note = {{0}};
    char path[KW_PATH_MAX];
    int code;
    kw_err e = kw_probe_socket(cli, cli->operand[0], path, &note);
    if (!kw_failed(e) && p->sample_path != NULL)
        e = kw_probe_sample_begin(cli, p->sample_path, path, &p->sample, &note);
    if (!kw_failed(e))
        e = somebody_listens(path, &note);
    if (!kw_failed(e))
        e = open_all(p, path, &note);
    if (kw_failed(e)) {
        code = kw_fail(cli, e, &note);
    } else {
        kw_report_begin(&p->report, cli);
        p->latency = cli->json ? json_object() : NULL;
        probe_all(p);
        code = kw_report_end(&p->report, p->latency != NULL
                                             ? json_pack("{s:s, s:o}", "socket", path,
                                                         "latency", p->latency)
                                             : NULL);
    }
    for (int i = 0; p->status != NULL && i < 3; i++)
        kw_client_reply_wipe(p->status + i);
    kw_client_close(p->client);
    kw_free(p->status);
    return code;
}

static int read_rounds(const char *text, size_t *ret_rounds)
{
    char *end = NULL;
    unsigned long n = text != NULL ? strtoul(text, &end, 10) : ROUNDS_DEFAULT;
    if (text != NULL &&
        (text[0] < '0' || text[0] > '9' || *end != '\0' || n > ROUNDS_MAX))
        return kw_usage_error("probe", "--rounds wants a number from 0 to %d",
                              ROUNDS_MAX);
    *ret_rounds = n;
    return -1;
}

int kw_verb_probe(int argc, char **argv)
{
    struct kw_cli cli;
    struct probe p = {.timeout_ns = 3 * KW_S_NS};
    const char *rounds = NULL, *timeout = NULL;
    const struct kw_option options[] = {
        {"rounds", "N", "calls of each kind to measure (default 100)", NULL, &rounds},
        {"timeout", "TIME", "of one call, such as 500ms (default 3s, kube-apiserver's)",
         NULL, &timeout},
        {"sample", "FILE",
         "keep one ciphertext there (a new file, 0600): it proves the key when the "
         "keyring is lost",
         NULL, &p.sample_path},
    };
    const struct kw_usage usage = {
        .verb = "probe",
        .operands = "SOCKET",
        .operand_count = 1,
        .summary =
            "Does to a class's socket what kube-apiserver will do: Status, Encrypt, "
            "Decrypt,\nwith every rule it checks, then a tampered ciphertext, then the "
            "latencies.\nSOCKET is its path, kube-apiserver's endpoint (unix:///…), or a "
            "class of the configuration.",
        .more = "--sample also wants the configuration of the daemon behind SOCKET "
                "(--config): the\nsample has its domain, which stands in no ciphertext.",
        .options = options,
        .option_count = sizeof options / sizeof options[0],
    };
    int code = kw_cli_read(&usage, argc, argv, &cli);
    if (code < 0)
        code = read_rounds(rounds, &p.rounds);
    if (code < 0 && timeout != NULL &&
        (!kw_duration_parse(timeout, &p.timeout_ns) || p.timeout_ns <= 0))
        code = kw_usage_error("probe", "--timeout wants a time such as 500ms or 3s");
    return code >= 0 ? code : probe_run(&cli, &p);
}
