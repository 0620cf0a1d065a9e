/* SPDX-License-Identifier: Apache-2.0 */
/* node_layout - where `keyward init` puts things, and the texts that it writes
 *
 * Pure: names and texts only.
 */
#ifndef KEYWARD_CLI_NODE_LAYOUT_H
#define KEYWARD_CLI_NODE_LAYOUT_H

#include <stdint.h>
#include <stdio.h>

#include <keyward/config.h>
#include <keyward/err.h>
#include <keyward/limits.h>

struct kw_layout {
    char base[KW_PATH_MAX]; /* the folder of configuration and keyring */
    char config[KW_PATH_MAX];
    char keyring[KW_PATH_MAX];
    char pin[KW_PATH_MAX];
    char encryption[KW_PATH_MAX]; /* the EncryptionConfiguration */
    char state[KW_PATH_MAX];
    char audit[KW_PATH_MAX]; /* the audit log's folder */
    char run[KW_PATH_MAX];   /* the sockets' folder */
    char status[KW_PATH_MAX];
    char secrets[KW_PATH_MAX], bulk[KW_PATH_MAX]; /* sockets */
    /* of a SoftHSM only */
    char so_pin[KW_PATH_MAX];
    char softhsm_conf[KW_PATH_MAX];
    char tokens[KW_PATH_MAX];
};

/* Of characters that need no quotes anywhere: [A-Za-z0-9/._+=@%,~-]. */
bool kw_layout_is_plain(const char *path);

/* Everything below `dir` (absolute), or the system's places when dir is NULL.
 * BAD_INPUT  dir is not absolute, has a character outside [A-Za-z0-9/._+=@%,~-], or makes
 *            a socket's path longer than KW_SOCKET_PATH_MAX. */
KW_MUST_USE kw_err kw_layout_make(const char *dir, struct kw_layout *ret_layout,
                                  struct kw_note *note);

/* "pkcs11:token=LABEL" and, unless NULL, ";serial=SERIAL", percent-encoded (RFC 7512) as
 * far as needed.  false: it does not fit. */
bool kw_layout_uri(const char *label, const char *serial, char *dst, size_t cap);

/* Which module, token and users a configuration names. */
struct kw_first_config {
    const char *domain;
    const char *module;
    const char *uri;
    bool production;
    bool softhsm;  /* a token of init's own: SOFTHSM2_CONF is the layout's */
    uint32_t peer; /* besides root, who may connect; 0 = root alone */
    const struct kw_config_var *env; /* values: printable ASCII */
    size_t env_count;
};
void kw_layout_write_config(const struct kw_layout *layout,
                            const struct kw_first_config *first, FILE *out);
void kw_layout_write_softhsm_conf(const struct kw_layout *layout, FILE *out);

/* What kube-apiserver takes with --encryption-provider-config: one provider for each
 * sensitivity, each in an entry of its own, `identity` last so that what was stored in
 * clear stays readable until it is rewritten. */
void kw_layout_write_encryption(const struct kw_layout *layout, FILE *out);

#endif
