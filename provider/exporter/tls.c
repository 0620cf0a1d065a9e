/* SPDX-License-Identifier: Apache-2.0 */
/* Whoever asks from elsewhere shows a certificate of the client CA, or is shown nothing. */
#include "listening.h"

#include <openssl/err.h>
#include <openssl/ssl.h>

static kw_err tls_refuse(const char *option, const char *file, struct kw_note *note)
{
    const char *reason = ERR_reason_error_string(ERR_peek_last_error());
    kw_note_set(note, "%s %.200s: %s", option, file,
                reason != NULL ? reason : "not taken by OpenSSL");
    ERR_clear_error();
    return kw_err_at(KW_CODE_BAD_INPUT, "tls");
}

static kw_err tls_load(SSL_CTX *tls, const struct kw_tls_files *files,
                       struct kw_note *note)
{
    if (SSL_CTX_use_certificate_chain_file(tls, files->cert) != 1)
        return tls_refuse("--tls-cert", files->cert, note);
    if (SSL_CTX_use_PrivateKey_file(tls, files->key, SSL_FILETYPE_PEM) != 1 ||
        SSL_CTX_check_private_key(tls) != 1)
        return tls_refuse("--tls-key", files->key, note);
    STACK_OF(X509_NAME) *names = SSL_load_client_CA_file(files->client_ca);
    if (names == NULL || SSL_CTX_load_verify_file(tls, files->client_ca) != 1) {
        sk_X509_NAME_pop_free(names, X509_NAME_free);
        return tls_refuse("--client-ca", files->client_ca, note);
    }
    SSL_CTX_set_client_CA_list(tls, names);
    return KW_OK;
}

kw_err kw_tls_new(const struct kw_tls_files *files, SSL_CTX **ret_tls,
                  struct kw_note *note)
{
    SSL_CTX *tls = SSL_CTX_new(TLS_server_method());
    if (tls == NULL || SSL_CTX_set_min_proto_version(tls, TLS1_2_VERSION) != 1) {
        SSL_CTX_free(tls);
        kw_note_set(note, "TLS: out of memory");
        return kw_err_at(KW_CODE_NO_MEMORY, "tls");
    }
    SSL_CTX_set_verify(tls, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
    SSL_CTX_set_session_cache_mode(tls, SSL_SESS_CACHE_OFF);
    (void)SSL_CTX_set_num_tickets(tls, 0);
    SSL_CTX_set_options(tls, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_TICKET);
    kw_err e = tls_load(tls, files, note);
    if (kw_failed(e)) {
        SSL_CTX_free(tls);
        return e;
    }
    *ret_tls = tls;
    return KW_OK;
}

void kw_tls_free(SSL_CTX *tls)
{
    SSL_CTX_free(tls);
}
