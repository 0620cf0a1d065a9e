/* SPDX-License-Identifier: Apache-2.0 */
/* object - the one object that a version of AES-256-GCM has, for tests that make
 * versions */
#ifndef KEYWARD_TESTS_OBJECT_H
#define KEYWARD_TESTS_OBJECT_H

#include <stdio.h>

#include <keyward/keyring.h>

/* Role, type and label; without a locator.  v->key_id is filled in. */
static inline struct kw_object *kw_test_object(struct kw_version *v)
{
    struct kw_object *o = &v->objects[0];
    v->object_count = 1;
    o->role = KW_ROLE_KEK;
    snprintf(o->type, sizeof o->type, KW_TYPE_AES_256);
    snprintf(o->label, sizeof o->label, "%s", v->key_id);
    return o;
}

#endif
