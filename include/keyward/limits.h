/* SPDX-License-Identifier: Apache-2.0 */
/* limits - every external size has its maximum here, with the reason beside it */
#ifndef KEYWARD_LIMITS_H
#define KEYWARD_LIMITS_H

/* KMS v2: kube-apiserver refuses an encrypted seed over 1024 bytes and a key_id over
 * 1024 bytes (k8s.io/apiserver v0.36.3, envelope/kmsv2/envelope.go,
 * encryptedDEKSourceMaxSize and KeyIDMaxSize; both inclusive). */
#define KW_CIPHERTEXT_MAX 1024u
#define KW_WIRE_KEY_ID_MAX 1024u

/* kube-apiserver sends 32-byte seeds (same file, GenerateTransformer).  Room for
 * larger ones, never for a payload. */
#define KW_SEED_MAX 256u

/* The request uid is a UUID of 36 characters; only for correlation. */
#define KW_UID_MAX 64u

/* "kw1-<N>-" and 24 hex digits.  N has at most 6 digits, so 35.  A second key of the
 * version is called <key_id>-mac: still within the 40 bytes that small HSMs allow for
 * CKA_LABEL. */
#define KW_KEY_ID_MAX 35u
#define KW_LABEL_MAX (KW_KEY_ID_MAX + 4u)
_Static_assert(KW_LABEL_MAX <= 40, "small HSMs take the longest label");
#define KW_VERSION_N_MAX 999999u

#define KW_SCOPE_MAX 32u  /* [a-z0-9-], in clear in every ciphertext    */
#define KW_DOMAIN_MAX 64u /* [a-z0-9.-], authenticated, never stored    */
#define KW_IV_MAX 16u     /* the largest of any mechanism; GCM uses 12  */
#define KW_INNER_DIGEST 16u
#define KW_GCM_TAG 16u

/* What goes into the token for one wrap: seed and inner digest. */
#define KW_INNER_MAX (KW_SEED_MAX + KW_INNER_DIGEST)
/* What comes out of it: the largest sealed part of any mechanism. */
#define KW_SEALED_MAX (KW_INNER_MAX + 48u)
/* The longest stored ciphertext: header (docs/FORMATS.md) and sealed part. */
#define KW_ENVELOPE_MAX (6u + KW_SCOPE_MAX + KW_IV_MAX + KW_SEALED_MAX)
/* "keyward", header, two length-prefixed names. */
#define KW_AAD_MAX 256u

#define KW_VERSIONS_MAX 64u           /* KEK versions in one keyring                    */
#define KW_KEYRING_MAX (1024u * 1024) /* bytes of the keyring file */
#define KW_CONFIG_MAX (256u * 1024)   /* bytes of the configuration file                */
#define KW_PIN_MAX 256u               /* bytes; PKCS#11 tokens allow far fewer          */
#define KW_CLASSES_MAX 16u
#define KW_TOKENS_MAX 4u
#define KW_WORKERS_MAX 16u  /* of one token                                        */
#define KW_SESSIONS_MAX 64u /* of one worker: each is a thread, and a line of its page */
#define KW_PATH_MAX 1024u
#define KW_CONNECTIONS_MAX 256u /* of one class; each costs two descriptors           */
#define KW_OVERFLOW_ID 65534u /* as which user_namespaces(7) shows an id without a name */
#define KW_STATUS_MAX (1024u * 1024) /* bytes of the status document                   */
#define KW_SOCKET_PATH_MAX 107u      /* sun_path less its NUL, unix(7) */

#endif
