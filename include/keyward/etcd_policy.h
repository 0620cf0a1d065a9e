/* SPDX-License-Identifier: Apache-2.0 */
/* etcd_policy - may an object be stored so?
 *
 * With an EncryptionConfiguration, as kube-apiserver under it: what it would write must
 * have been written by its first provider (its first key), and what it could not read
 * must not be there.  Without one: secrets are encrypted, by whom does not matter.
 *
 * A path of etcd's does not name the group of a built-in resource; where that is not
 * known and the configuration speaks of a whole group, the resource is taken to be of
 * it when that asks for encryption.
 *
 * Threads:  pure functions.
 * Sources:  kubernetes/apiserver: pkg/server/options/encryptionconfig/config.go
 */
#ifndef KEYWARD_ETCD_POLICY_H
#define KEYWARD_ETCD_POLICY_H

#include <keyward/encryption_config.h>
#include <keyward/etcd_value.h>

struct kw_etcd_policy {
    const struct kw_encryption_config *config; /* NULL: secrets must be encrypted */
};

/* The entry that counts for a resource; NULL when none does: it is stored in clear. */
const struct kw_encryption_rule *kw_etcd_policy_rule(const struct kw_etcd_policy *policy,
                                                     const struct kw_etcd_key *key);

/* A literal that says what is wrong, or NULL. */
const char *kw_etcd_policy_judge(const struct kw_etcd_policy *policy,
                                 const struct kw_etcd_key *key,
                                 const struct kw_stored *stored);

/* Of what kw_etcd_policy_judge said: nothing reads the object as it is stored, so that it
 * cannot be written again either.  NULL is not. */
bool kw_etcd_policy_is_unreadable(const char *why);

#endif
