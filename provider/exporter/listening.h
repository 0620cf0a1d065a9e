/* SPDX-License-Identifier: Apache-2.0 */
/* listening - where the exporter is asked, and how it proves who it is
 *
 * Threads:   plain values.
 */
#ifndef KEYWARD_EXPORTER_LISTENING_H
#define KEYWARD_EXPORTER_LISTENING_H

#include <stdbool.h>

#include <netinet/in.h>
#include <openssl/types.h>

#include <keyward/err.h>

struct kw_listening_at {
    union {
        struct sockaddr any;
        struct sockaddr_in v4;
        struct sockaddr_in6 v6;
    } at;
    socklen_t len;
    bool is_local; /* 127.0.0.0/8 or ::1 */
};
/* "127.0.0.1:9464", "[::1]:9464": numbers alone, no name is looked up.  Port 0 is any that is
 * free.  BAD_INPUT */
KW_MUST_USE kw_err kw_listening_parse(const char *text, struct kw_listening_at *ret_at,
                                      struct kw_note *note);
/* Binds and listens.  IO */
KW_MUST_USE kw_err kw_listening_open(const struct kw_listening_at *at, const char *text,
                                     int *ret_fd, struct kw_note *note);
/* The port that it got. */
unsigned kw_listening_port(int fd);

struct kw_tls_files {
    const char *cert, *key, *client_ca; /* PEM */
};
/* TLS 1.2 or newer, and only for who has a certificate of that CA.
 * BAD_INPUT: a file is not what it should be;  NO_MEMORY */
KW_MUST_USE kw_err kw_tls_new(const struct kw_tls_files *files, SSL_CTX **ret_tls,
                              struct kw_note *note);
void kw_tls_free(SSL_CTX *tls); /* NULL does nothing */

#endif
