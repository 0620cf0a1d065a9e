/* SPDX-License-Identifier: Apache-2.0 */
/* Every algorithm between a Secret and the HSM; docs/FORMATS.md has the bytes. */
#include <keyward/evidence.h>

#include "limit_list.h"

static const struct {
    const char *purpose, *algorithm;
    int key_bits; /* 0: there is no key */
    const char *runs, *key_lies, *lasts, *standard;
} algorithms[] = {
    {"An object in etcd", "AES-256-GCM, nonce of 96 bits, tag of 128 bits", 256,
     "kube-apiserver", "kube-apiserver's memory; derived, used for one value",
     "one value", "SP 800-38D"},
    {"The key of an object", "HKDF-Expand with SHA-256, 32 bytes of info", 256,
     "kube-apiserver", "the seed: kube-apiserver's memory, keyward's locked memory",
     "until kube-apiserver starts anew or the key_id changes", "RFC 5869"},
    {"A seed in etcd",
     "AES-256-GCM (CKM_AES_GCM), random nonce of 96 bits, tag of 128 bits", 256,
     "the token", "the token: the KEK never leaves it", "the cryptoperiod",
     "SP 800-38D, SP 800-57 part 1 (key-wrapping key)"},
    {"Its nonce", "the first 96 bits of SHA-256(32 random bytes | seed)", 0,
     "keyward-hsm", "there is none", "one seed", "SP 800-38D, 8.2.2"},
    {"What the token opened is what was sealed",
     "the first 128 bits of SHA-256, within what the token encrypts", 0,
     "keyward-hsm and keywardd", "there is none", "-", "FIPS 180-4"},
    {"A seed that is kept for the next Decrypt",
     "none: locked memory, bounded in number and age, wiped", 0, "keywardd",
     "there is none", "the cache's ttl", "mlock(2), memfd_secret(2)"},
    {"Is it the key of this version?", "AES-256-GCM over a check text of 32 random bytes",
     256, "the token", "the token", "as the KEK", "SP 800-38D"},
    {"The audit log's chain", "SHA-256", 0, "keywardd", "there is none", "-",
     "FIPS 180-4"},
    {"A checkpoint of the audit log", "ECDSA with P-256 and SHA-256 (CKM_ECDSA)", 128,
     "the token", "the token: a pair of its own", "until the operator makes another",
     "FIPS 186-5"},
    {"The signature of this bundle", "ECDSA with P-256 and SHA-256 (CKM_ECDSA)", 128,
     "the token", "the token: the audit log's pair", "as before", "FIPS 186-5"},
    {"Keyrings and their ancestors, files of this bundle", "SHA-256", 0,
     "keyward and keywardd", "there is none", "-", "FIPS 180-4"},
    {"kube-apiserver to keywardd", "none: a unix socket, who asks by the kernel's word",
     0, "the kernel", "there is none", "-", "unix(7), SO_PEERCRED"},
    {"keyward-hsm to the token",
     "the vendor's library and what it speaks; not known to keyward", 0,
     "the vendor's library", "the vendor's", "the vendor's", "PKCS #11 v2.40"},
};

void kw_evidence_fill_design(struct kw_evidence *e)
{
    for (size_t i = 0; i < sizeof algorithms / sizeof algorithms[0]; i++)
        kw_evidence_add(
            e, KW_EVIDENCE_ALGORITHMS,
            json_pack("{s:s, s:s, s:o, s:s, s:s, s:s, s:s}", "purpose",
                      algorithms[i].purpose, "algorithm", algorithms[i].algorithm,
                      "key_bits",
                      algorithms[i].key_bits > 0 ? json_integer(algorithms[i].key_bits)
                                                 : json_null(),
                      "runs", algorithms[i].runs, "key_lies", algorithms[i].key_lies,
                      "lasts", algorithms[i].lasts, "standard", algorithms[i].standard));
    kw_evidence_limits(e);
}
