/* SPDX-License-Identifier: Apache-2.0 */
/* encryption_config - kube-apiserver's EncryptionConfiguration: what is to be encrypted
 *
 * Read for what it says of resources, providers and their names.  The keys of aescbc,
 * aesgcm and secretbox are never looked at: a copy without them (`secret: ""`, or none)
 * reads the same, and is the better one to give.
 *
 * Threads:   pure but for the disk; any thread.
 * Blocking:  on the disk.
 * Secrets:   the file may hold keys of other providers; what was read of it is wiped
 *            before kw_encryption_config_read returns, but for libyaml's own buffers.
 * Sources:   kubernetes/apiserver: pkg/apis/apiserver/v1/types_encryption.go,
 *            pkg/server/options/encryptionconfig/config.go (the first entry that names a
 *            resource counts; its first provider writes)
 */
#ifndef KEYWARD_ENCRYPTION_CONFIG_H
#define KEYWARD_ENCRYPTION_CONFIG_H

#include <keyward/bytes.h>

#define KW_ENCRYPTION_CONFIG_MAX (1u << 20) /* bytes of a file */

enum kw_encryption_kind {
    KW_ENCRYPTION_IDENTITY,
    KW_ENCRYPTION_AESCBC,
    KW_ENCRYPTION_AESGCM,
    KW_ENCRYPTION_SECRETBOX,
    KW_ENCRYPTION_KMS_V1,
    KW_ENCRYPTION_KMS_V2,
};

struct kw_encryption_provider {
    enum kw_encryption_kind kind;
    char **names; /* KMS: its own, one; else of its keys, the first one writes */
    size_t name_count;
    char *endpoint; /* KMS: "unix:///run/…"; else NULL */
};

/* An entry of `resources`. */
struct kw_encryption_rule {
    char **resources; /* "secrets", "widgets.example.com", "*.apps", "*.", "*.*" */
    size_t resource_count;
    struct kw_encryption_provider *providers; /* at least one */
    size_t provider_count;
};

struct kw_encryption_config {
    struct kw_encryption_rule *rules;
    size_t rule_count;
};

/* MISSING, IO, NO_MEMORY
 * BAD_INPUT  no EncryptionConfiguration; a provider this program does not know; a
 *            resource without a provider; the note has line and column */
KW_MUST_USE kw_err kw_encryption_config_read(const char *path,
                                             struct kw_encryption_config *ret_config,
                                             struct kw_note *note);
void kw_encryption_config_free(struct kw_encryption_config *config);

#endif
