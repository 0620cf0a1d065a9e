/* SPDX-License-Identifier: Apache-2.0 */
/* kmsraw - KMS v2 calls by hand on one connection of h2raw: many at once, or broken
 *
 * Any failure here fails the case with a message. */
#ifndef KEYWARD_TESTS_KMSRAW_H
#define KEYWARD_TESTS_KMSRAW_H

#include "h2raw.h"

#define KMSRAW_STATUS "/v2.KeyManagementService/Status"
#define KMSRAW_ENCRYPT "/v2.KeyManagementService/Encrypt"
#define KMSRAW_DECRYPT "/v2.KeyManagementService/Decrypt"

/* A connected stream socket. */
int kmsraw_connect(const char *socket);
/* A connection that takes replies without end (a window of 1 GiB). */
struct h2raw *kmsraw_open(const char *socket);

/* Sends one call and returns its stream; timeout as in grpc-timeout ("100m"), or NULL. */
uint32_t kmsraw_status(struct h2raw *h);
uint32_t kmsraw_encrypt(struct h2raw *h, kw_span seed, const char *timeout);
uint32_t kmsraw_decrypt(struct h2raw *h, kw_span ciphertext, const char *key_id,
                        const char *timeout);
/* Waits for the end of a call; its gRPC status, -1 when it was reset without one. */
int kmsraw_outcome(struct h2raw *h, uint32_t stream);

#endif
