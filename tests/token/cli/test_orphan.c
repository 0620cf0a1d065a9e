/* SPDX-License-Identifier: Apache-2.0 */
/* A ceremony that fails after the token made the key: the object is named, and can be
 * adopted; the token is sealed whatever happened. */
#include "site.h"

#include <stdio.h>
#include <unistd.h>

#include <keyward/file.h>
#include <keyward/keyring.h>

static struct site s;
static char control[160];

/* A copy in the site: the daemon's user may not reach the build tree. */
static void put_liar_between(void)
{
    char liar[160], line[600];
    struct kw_blob module = {0};
    site_make(&s);
    snprintf(liar, sizeof liar, "%s/libliar.so", s.dir);
    snprintf(control, sizeof control, "%s/control", s.dir);
    CHECK_OK(kw_file_read(LIAR, 64u << 20, &module, NULL));
    CHECK_OK(kw_file_replace(liar, kw_blob_peek(&module), 0755, NULL));
    kw_blob_wipe(&module);
    CHECK_OK(kw_file_replace(control, kw_span_str("\n"), 0644, NULL));
    snprintf(line, sizeof line,
             "env: {KW_LIAR_MODULE: " SOFTHSM ", KW_LIAR_CONTROL: %s, SOFTHSM2_CONF:",
             control);
    site_edit(&s, "env: {SOFTHSM2_CONF:", line);
    site_edit(&s, "module: " SOFTHSM, "module: /liar");
    snprintf(line, sizeof line, "module: %s", liar);
    site_edit(&s, "module: /liar", line);
}

static void tell(const char *text)
{
    CHECK_OK(kw_file_replace(control, kw_span_str(text), 0644, NULL));
}

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
    tell("\n");
    KEYWARD_MUST(&s, 0, "key", "create", "--adopt", key_id);
    CHECK_OK(kw_keyring_load(s.keyring, &ring, NULL, NULL));
    CHECK(ring->count == 1);
    CHECK_STR(ring->versions[0].key_id, key_id);
    kw_keyring_give(ring);
}

static void honest_module__created(void **state)
{
    (void)state;
    put_liar_between();
    KEYWARD_MUST(&s, 0, "key", "create");
    site_remove(&s);
}

static void module_crashes_while_making__could_not_and_sealed(void **state)
{
    (void)state;
    put_liar_between();
    tell("C_GenerateKey crash\n");
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
    put_liar_between();
    tell("C_GetAttributeValue crash\n");
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
    put_liar_between();
    /* The first key of a ceremony is the self-test's. */
    tell("C_GenerateKey rv=0x30 after skip=1\n");
    KEYWARD_MUST(&s, 3, "key", "create");
    orphan_of(key_id);
    adopt(key_id);
    site_remove(&s);
}

static void key_comes_out_extractable__refused_and_named(void **state)
{
    char key_id[KW_KEY_ID_MAX + 1] = "";
    (void)state;
    put_liar_between();
    tell("fake=0x162:1\n"); /* CKA_EXTRACTABLE */
    KEYWARD_MUST(&s, 1, "key", "create");
    CHECK_HAS(s.run.err, "EXTRACTABLE");
    orphan_of(key_id);
    CHECK(access(s.keyring, F_OK) != 0);
    KEYWARD_MUST(&s, 1, "key", "create", "--adopt", key_id); /* adopting judges too */
    CHECK(access(s.keyring, F_OK) != 0);
    site_remove(&s);
}

static void token_makes_its_own_iv__no_key_is_made(void **state)
{
    (void)state;
    put_liar_between();
    tell("ivmode=2\n");
    KEYWARD_MUST(&s, 1, "key", "create");
    CHECK(strstr(s.run.err, "is in no keyring") == NULL);
    CHECK(access(s.keyring, F_OK) != 0);
    site_remove(&s);
}

static void device_error_at_the_login__check_could_not_look(void **state)
{
    (void)state;
    put_liar_between();
    KEYWARD_MUST(&s, 0, "key", "create");
    tell("C_Login rv=0x30\n"); /* CKR_DEVICE_ERROR */
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
         CASE(token_makes_its_own_iv__no_key_is_made),
         CASE(device_error_at_the_login__check_could_not_look))
