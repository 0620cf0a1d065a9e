/* SPDX-License-Identifier: Apache-2.0 */
/* mechanism - the numbers, names and sizes of the ways to wrap */
#include <keyward/envelope.h>

#include <string.h>

struct mechanism {
    enum kw_mechanism number;
    const char *name;
    size_t iv_len;
    size_t tag_len; /* what sealing adds to the inner plaintext */
};

static const struct mechanism mechanisms[] = {
    {KW_MECH_AES_256_GCM, "aes-256-gcm", 12, KW_GCM_TAG},
};

enum { MECHANISMS = sizeof mechanisms / sizeof mechanisms[0] };

static const struct mechanism *mechanism_find(enum kw_mechanism m)
{
    for (size_t i = 0; i < MECHANISMS; i++)
        if (mechanisms[i].number == m)
            return &mechanisms[i];
    return NULL;
}

const char *kw_mechanism_name(enum kw_mechanism m)
{
    const struct mechanism *found = mechanism_find(m);
    return found ? found->name : NULL;
}

bool kw_mechanism_from_name(const char *name, enum kw_mechanism *ret_mechanism)
{
    for (size_t i = 0; i < MECHANISMS; i++)
        if (strcmp(mechanisms[i].name, name) == 0) {
            *ret_mechanism = mechanisms[i].number;
            return true;
        }
    return false;
}

size_t kw_mechanism_iv_len(enum kw_mechanism m)
{
    const struct mechanism *found = mechanism_find(m);
    return found ? found->iv_len : 0;
}

size_t kw_mechanism_sealed_len(enum kw_mechanism m, size_t inner_len)
{
    const struct mechanism *found = mechanism_find(m);
    return found ? inner_len + found->tag_len : 0;
}
