/* SPDX-License-Identifier: Apache-2.0 */
/* etcd_value - what kube-apiserver stored under a key: which resource, and how encrypted
 *
 * By its first bytes alone; nothing is decrypted.  Key and value are foreign bytes.
 *
 * Threads:   pure functions.
 * Secrets:   none are taken out of a value; a plaintext value is looked at and not kept.
 * Sources:   kubernetes/apiserver: pkg/server/options/encryptionconfig/config.go,
 *            pkg/storage/value/encrypt/{aes,secretbox,envelope,identity},
 *            pkg/storage/value/encrypt/envelope/kmsv2/v2/api.proto; kubernetes/apimachinery:
 *            pkg/runtime/serializer/{protobuf,cbor}; KEP-3299
 */
#ifndef KEYWARD_ETCD_VALUE_H
#define KEYWARD_ETCD_VALUE_H

#include <keyward/bytes.h>

enum kw_stored_kind {
    /* An object that everybody can read. */
    KW_STORED_PROTOBUF, /* begins with "k8s" and NUL                          */
    KW_STORED_JSON,     /* begins with "{"                                    */
    KW_STORED_CBOR,     /* begins with d9 d9 f7                               */
    /* k8s:enc:… */
    KW_STORED_AESCBC,
    KW_STORED_AESGCM,
    KW_STORED_SECRETBOX,
    KW_STORED_KMS_V1,
    KW_STORED_KMS_V2,
    KW_STORED_UNKNOWN, /* another provider or version, or a KMS v2 value that is no
                          EncryptedObject: kube-apiserver cannot read it      */
    KW_STORED_OTHER,   /* no object of Kubernetes: leases of masters, ranges  */
    KW_STORED_KINDS,   /* not a kind: how many there are                      */
};
const char *kw_stored_kind_name(enum kw_stored_kind kind); /* "kms-v2" */

static inline bool kw_stored_is_plain(enum kw_stored_kind kind)
{
    return kind <= KW_STORED_CBOR;
}

/* EncryptedObject.encryptedDEKSourceType */
enum {
    KW_STORED_TYPE_KEY = 0, /* an AES-GCM key, written before Kubernetes 1.29 */
    KW_STORED_TYPE_SEED = 1,
};

/* Spans borrow from the value, and are empty where the kind has no such thing. */
struct kw_stored {
    enum kw_stored_kind kind;
    kw_span name;         /* the provider's (KMS) or the key's (others)            */
    kw_span key_id;       /* KMS v2: EncryptResponse.key_id                        */
    kw_span wrapped;      /* KMS v2: encryptedDEKSource, EncryptResponse.ciphertext */
    kw_span data;         /* KMS v2: encryptedData                                 */
    uint64_t type;        /* KMS v2: KW_STORED_TYPE_…                              */
    unsigned annotations; /* KMS v2: how many; keyward writes none            */
};

/* Names of keys and of KMS v1 providers may hold a colon: of `known` the longest one that
 * fits is taken, else what stands before the first colon. */
void kw_stored_read(kw_span value, const kw_span *known, size_t known_count,
                    struct kw_stored *ret_stored);

/* A key as kube-apiserver makes it: <prefix>/<resource>/[<namespace>/]<name>.
 * Spans borrow. */
struct kw_etcd_key {
    kw_span group;      /* in the path: a custom resource's; "" for what is built in */
    kw_span resource;   /* as in the path: "secrets", "services/specs"         */
    kw_span name_space; /* "" when the path has none                           */
    kw_span name;
    const struct kw_etcd_builtin *builtin; /* NULL: none that is known          */
};
struct kw_etcd_builtin {
    const char *path, *plural, *group; /* "minions" is nodes of the group ""     */
};

/* false, and nothing written, for a key outside of the prefix, or without a name. */
bool kw_etcd_key_read(kw_span key, kw_span prefix, struct kw_etcd_key *ret_key);

#endif
