/* SPDX-License-Identifier: Apache-2.0 */
/* client - a small KMS v2 client for `keyward probe`, the tests and the benchmarks
 *
 * Does what kube-apiserver does: plain HTTP/2 over a unix socket, :authority localhost,
 * wait for ready until the deadline (unless kw_client_fail_fast).
 *
 * Threads:   one client may be used from any number of threads; each call blocks its own.
 * Blocking:  until the reply or the timeout.
 * Secrets:   plaintexts are in the arena; messages are wiped.
 */
#ifndef KEYWARD_CLIENT_H
#define KEYWARD_CLIENT_H

#include <keyward/bytes.h>
#include <keyward/limits.h>
#include <keyward/secret.h>

struct kw_client;

/* Does not connect yet.  BAD_INPUT: path empty or over KW_SOCKET_PATH_MAX. */
KW_MUST_USE kw_err kw_client_open(const char *socket_path, struct kw_client **ret_client);
void kw_client_close(struct kw_client *client); /* NULL does nothing */

/* Both before the first call. */
/* A call for which there is no connection, and none can be made, ends at once, as
 * UNAVAILABLE. */
void kw_client_fail_fast(struct kw_client *client);
/* While a call waits for its answer, `tick` is called on the caller's thread, four times a
 * second. */
void kw_client_tick(struct kw_client *client, void (*tick)(void *ctx), void *ctx);

/* What came back, whatever it was. */
struct kw_client_reply {
    int grpc_status;   /* 0 = OK, the numbers of gRPC's status codes */
    char message[512]; /* status message, cut                        */
    int64_t ns;        /* from the call to the reply                 */
    /* Status */
    char version[32], healthz[128];
    /* Status, Encrypt */
    char key_id[KW_WIRE_KEY_ID_MAX + 1];
    /* Encrypt */
    uint8_t ciphertext[KW_CIPHERTEXT_MAX * 2];
    size_t ciphertext_len;
    size_t annotation_count;
    /* Decrypt */
    struct kw_secret plaintext;
};
void kw_client_reply_wipe(struct kw_client_reply *reply);
/* "OK", "UNAVAILABLE" …, "?" for a number that is none.
 * Source: github.com/grpc/grpc, doc/statuscodes.md */
const char *kw_client_status_name(int grpc_status);

/* Each fails only for reasons of its own side (NO_MEMORY, or a reply that is no KMS v2
 * message: BAD_INPUT); what the server said is in *reply. */
KW_MUST_USE kw_err kw_client_status(struct kw_client *client, int64_t timeout_ns,
                                    struct kw_client_reply *reply);
KW_MUST_USE kw_err kw_client_encrypt(struct kw_client *client, kw_span plaintext,
                                     const char *uid, int64_t timeout_ns,
                                     struct kw_client_reply *reply);
KW_MUST_USE kw_err kw_client_decrypt(struct kw_client *client, kw_span ciphertext,
                                     kw_span key_id, const char *uid, int64_t timeout_ns,
                                     struct kw_client_reply *reply);

/* Any method path and any bytes as the request message, for tests that break rules.
 * reply_bytes may be NULL. */
KW_MUST_USE kw_err kw_client_raw(struct kw_client *client, const char *method_path,
                                 kw_span message, int64_t timeout_ns, kw_dst *reply_bytes,
                                 struct kw_client_reply *reply);

#endif
