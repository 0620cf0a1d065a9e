/* SPDX-License-Identifier: Apache-2.0 */
/* A ceremony that fails after the token made the key: the object is named, and can be
 * adopted; the token is sealed whatever happened. */
#include "site.h"

#include <stdio.h>
#include <unistd.h>

#include <keyward/keyring.h>

static struct site s;
/* The key_id that the tool says is an orphan. */
static void orphan_of(char key_id[KW_KEY_ID_MAX + 1])
{
    const char *at = strstr(s.run.err, "CKA_LABEL kw1-");
    CHECK(at != NULL);
    CHECK(sscanf(at, "CKA_LABEL %35s", key_id) == 1);
}

static void adopt(const char *key_id)
{
    struct kw_keyring *ring = NULL;
    site_tell(&s, "\n");
    KEYWARD_MUST(&s, 0, "key", "create", "--adopt", key_id);
    CHECK_OK(kw_keyring_load(s.keyring, &ring, NULL, NULL));
    CHECK(ring->count == 1);
    CHECK_STR(ring->versions[0].key_id, key_id);
    kw_keyring_give(ring);
}

static void honest_module__created(void **state)
{
    (void)state;
    site_make_liar(&s);
    KEYWARD_MUST(&s, 0, "key", "create");
    site_remove(&s);
}

static void module_crashes_while_making__could_not_and_sealed(void **state)
{
    (void)state;
    site_make_liar(&s);
    site_tell(&s, "C_GenerateKey crash\n");
    KEYWARD_MUST(&s, 3, "key", "create");
    CHECK_HAS(s.run.err, "signal 6");
    CHECK(access(s.keyring, F_OK) != 0);
    CHECK(site_sealed(s.tokens) >= 4);
    site_remove(&s);
}

static void module_crashes_after_making__orphan_named_and_adopted(void **state)
{
    char key_id[KW_KEY_ID_MAX + 1] = "";
    (void)state;
    site_make_liar(&s);
    site_tell(&s, "C_GetAttributeValue crash\n");
    KEYWARD_MUST(&s, 3, "key", "create");
    orphan_of(key_id);
    CHECK_HAS(s.run.err, "--delete-object");
    CHECK(site_sealed(s.tokens) >= 5);
    adopt(key_id);
    site_remove(&s);
}

static void reply_lost_after_making__orphan_named_and_adopted(void **state)
{
    char key_id[KW_KEY_ID_MAX + 1] = "";
    (void)state;
    site_make_liar(&s);
    /* The first key of a ceremony is the self-test's. */
    site_tell(&s, "C_GenerateKey rv=0x30 after skip=1\n");
    KEYWARD_MUST(&s, 3, "key", "create");
    orphan_of(key_id);
    adopt(key_id);
    site_remove(&s);
}

static void key_comes_out_extractable__refused_and_named(void **state)
{
    char key_id[KW_KEY_ID_MAX + 1] = "";
    (void)state;
    site_make_liar(&s);
    site_tell(&s, "fake=0x162:1\n"); /* CKA_EXTRACTABLE */
    KEYWARD_MUST(&s, 1, "key", "create");
    CHECK_HAS(s.run.err, "EXTRACTABLE");
    orphan_of(key_id);
    CHECK(access(s.keyring, F_OK) != 0);
    KEYWARD_MUST(&s, 1, "key", "create", "--adopt", key_id); /* adopting judges too */
    CHECK(access(s.keyring, F_OK) != 0);
    site_remove(&s);
}

static void keyring_changed_during_the_ceremony__not_overwritten_orphan_named(
    void **state)
{
    char key_id[KW_KEY_ID_MAX + 1] = "";
    struct kw_keyring *ring = NULL;
    (void)state;
    site_make_liar(&s);
    KEYWARD_MUST(&s, 0, "key", "create");
    site_watch_calls(&s);
    site_tell(&s, "C_GenerateKey hang skip=1\n");
    pid_t pid = SITE_START(&s, "key", "create");
    site_await_call(&s, "C_GenerateKey", 2);
    KEYWARD_MUST(&s, 0, "key", "accept", "1");
    site_tell(&s, "\n");
    CHECK(site_end(&s, pid) == 1);
    CHECK_HAS(s.run.err, "was changed by somebody else");
    orphan_of(key_id);
    CHECK_OK(kw_keyring_load(s.keyring, &ring, NULL, NULL));
    CHECK(ring->count == 1 && ring->versions[0].state == KW_KEY_ACCEPTED);
    kw_keyring_give(ring);
    KEYWARD_MUST(&s, 0, "key", "create", "--adopt", key_id);
    CHECK(site_sealed(s.tokens) >= 6);
    site_remove(&s);
}

static void token_makes_its_own_iv__no_key_is_made(void **state)
{
    (void)state;
    site_make_liar(&s);
    site_tell(&s, "ivmode=2\n");
    KEYWARD_MUST(&s, 1, "key", "create");
    CHECK(strstr(s.run.err, "is in no keyring") == NULL);
    CHECK(access(s.keyring, F_OK) != 0);
    site_remove(&s);
}

static void device_error_at_the_login__check_could_not_look(void **state)
{
    (void)state;
    site_make_liar(&s);
    KEYWARD_MUST(&s, 0, "key", "create");
    site_tell(&s, "C_Login rv=0x30\n"); /* CKR_DEVICE_ERROR */
    KEYWARD_MUST(&s, 3, "check");
    CHECK_HAS(s.run.out, "CKR_DEVICE_ERROR");
    CHECK_HAS(s.run.out, "?     login");
    site_remove(&s);
}

KW_CASES("token/cli/orphan", CASE(honest_module__created),
         CASE(module_crashes_while_making__could_not_and_sealed),
         CASE(module_crashes_after_making__orphan_named_and_adopted),
         CASE(reply_lost_after_making__orphan_named_and_adopted),
         CASE(key_comes_out_extractable__refused_and_named),
         CASE(keyring_changed_during_the_ceremony__not_overwritten_orphan_named),
         CASE(token_makes_its_own_iv__no_key_is_made),
         CASE(device_error_at_the_login__check_could_not_look))
