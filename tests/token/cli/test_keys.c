/* SPDX-License-Identifier: Apache-2.0 */
/* A version's life, from its ceremony to its end. */
#include "site.h"

#include <stdio.h>
#include <unistd.h>

#include <keyward/file.h>
#include <keyward/keyring.h>
#include <keyward/state.h>

static struct site s;

static enum kw_key_state state_of(const struct site *site, uint32_t n)
{
    struct kw_keyring *ring = site_ring(site);
    const struct kw_version *v = kw_keyring_by_n(ring, n);
    CHECK(v != NULL);
    enum kw_key_state st = v->state;
    kw_keyring_give(ring);
    return st;
}

static uint32_t baseline_of(const struct site *site)
{
    struct kw_keyring *ring = site_ring(site);
    uint32_t n = ring->active;
    kw_keyring_give(ring);
    return n;
}

TEST(create__a_version_in_the_keyring_and_the_token_sealed)
{
    site_make(&s);
    KEYWARD_MUST(&s, 0, "key", "create", "--operator", "Ada");
    CHECK_HAS(s.run.out, "plan      create version 1");
    CHECK_HAS(s.run.out, "key_id kw1-1-");
    struct kw_keyring *ring = site_ring(&s);
    CHECK(ring->count == 1 && ring->serial == 1 && ring->active == 0);
    const struct kw_version *v = &ring->versions[0];
    CHECK(v->state == KW_KEY_CREATED && v->objects[0].locator_len == 16);
    CHECK(!v->want_destroyable && !v->want_copyable);
    CHECK_STR(v->operator_, "Ada");
    CHECK_STR(v->token.label, "keyward");
    CHECK(v->objects[0].attributes.extractable == KW_ANSWER_FALSE);
    CHECK(v->objects[0].attributes.destroyable == KW_ANSWER_FALSE);
    CHECK_HAS(s.run.out, v->key_id);
    kw_keyring_give(ring);
    CHECK(site_sealed(s.tokens) >= 5);
    site_remove(&s);
}

TEST(create_with_choices__recorded_and_read_back)
{
    site_make(&s);
    KEYWARD_MUST(&s, 0, "key", "create", "--destroyable", "--copyable");
    struct kw_keyring *ring = site_ring(&s);
    CHECK(ring->versions[0].want_destroyable && ring->versions[0].want_copyable);
    CHECK(ring->versions[0].objects[0].attributes.destroyable == KW_ANSWER_TRUE);
    CHECK(ring->versions[0].objects[0].attributes.copyable == KW_ANSWER_TRUE);
    kw_keyring_give(ring);
    site_remove(&s);
}

TEST(dry_run__the_plan_and_nothing_made)
{
    site_make(&s);
    KEYWARD_MUST(&s, 0, "key", "create", "--dry-run");
    CHECK_HAS(s.run.out, "plan      create version 1");
    CHECK_HAS(s.run.out, "login     good: token keyward, serial ");
    CHECK_HAS(s.run.out, "self-test AES-GCM");
    CHECK_HAS(s.run.out, "room      the token does not tell"); /* SoftHSM does not */
    CHECK_HAS(s.run.out, "label and locator are free");
    CHECK(strstr(s.run.out, "kw1-1-") == NULL && strstr(s.run.err, "kw1-1-") == NULL);
    KEYWARD_MUST(&s, 0, "key", "create", "--dry-run", "--json");
    CHECK_HAS(s.run.out, "\"token_serial\": \"");
    CHECK(strstr(s.run.out, "kw1-1-") == NULL);
    CHECK(access(s.keyring, F_OK) != 0);
    CHECK(site_sealed(s.tokens) == 5); /* folder, token, and its three files: no key */
    site_remove(&s);
}

/* What would stop the ceremony stops its rehearsal, and costs no more than a look. */
TEST(dry_run__what_would_stop_the_ceremony_is_found)
{
    struct kw_keyring *ring = NULL;
    char other[] = "kw1-9-000000000000000000000000";
    site_make_fault(&s);
    site_tell(&s, "C_EncryptInit rv=0x70\n");
    KEYWARD_MUST(&s, 1, "key", "create", "--dry-run");
    site_tell(&s, "C_Login rv=0xa0\n");
    KEYWARD_MUST(&s, 1, "key", "create", "--dry-run");
    CHECK_HAS(s.run.err, "CKR_PIN_INCORRECT");
    site_tell(&s, "\n");
    KEYWARD_MUST(&s, 0, "pin", "retry");
    KEYWARD_MUST(&s, 0, "key", "create");
    KEYWARD_MUST(&s, 0, "key", "create", "--dry-run", "--same-key-as", "1");
    CHECK_HAS(s.run.out, "its attributes pass");
    KEYWARD_MUST(&s, 3, "key", "create", "--dry-run", "--adopt", other, "--unproven");
    ring = site_ring(&s);
    CHECK(ring->count == 1);
    kw_keyring_give(ring);
    CHECK(site_is_sealed(s.tokens));
    site_remove(&s);
}

TEST(keyring_lost_after_the_ceremony__adopted_under_the_same_key_id)
{
    char key_id[KW_KEY_ID_MAX + 1];
    site_make(&s);
    KEYWARD_MUST(&s, 0, "key", "create");
    struct kw_keyring *ring = site_ring(&s);
    snprintf(key_id, sizeof key_id, "%s", ring->versions[0].key_id);
    kw_keyring_give(ring);
    CHECK(unlink(s.keyring) == 0);
    KEYWARD_MUST(&s, 0, "key", "create", "--adopt", key_id, "--unproven");
    ring = site_ring(&s);
    CHECK(ring->count == 1);
    CHECK_STR(ring->versions[0].key_id, key_id);
    kw_keyring_give(ring);
    KEYWARD_MUST(&s, 0, "key", "create", "--adopt", key_id,
                 "--unproven"); /* a second time: it is there */
    site_remove(&s);
}

TEST(first_activation__sets_the_baseline_by_itself)
{
    site_make(&s);
    KEYWARD_MUST(&s, 0, "key", "create");
    KEYWARD_MUST(&s, 0, "key", "accept", "1");
    KEYWARD_MUST(&s, 0, "key", "activate", "1", "--only-copy", "--operator", "Ada");
    CHECK_HAS(s.run.out, "systemctl reload keywardd");
    struct kw_keyring *ring = site_ring(&s);
    CHECK(ring->active == 1 && ring->versions[0].state == KW_KEY_ACTIVE);
    CHECK_HAS(ring->versions[0].second_copy, "only-copy: Ada, 20");
    kw_keyring_give(ring);
    KEYWARD_MUST(&s, 0, "key", "list");
    CHECK_HAS(s.run.out, "baseline  active here");
    site_remove(&s);
}

TEST(rotation__node_first_baseline_later_and_the_former_one_retires)
{
    struct kw_state_dir *dir = NULL;
    struct kw_activation act;
    site_make(&s);
    KEYWARD_MUST(&s, 0, "key", "create");
    KEYWARD_MUST(&s, 0, "key", "accept", "1");
    KEYWARD_MUST(&s, 0, "key", "activate", "1", "--only-copy");
    KEYWARD_MUST(&s, 0, "key", "create");
    KEYWARD_MUST(&s, 0, "key", "accept", "2");
    KEYWARD_MUST(&s, 0, "key", "activate", "2", "--second-copy", "opened on token B",
                 "--now");
    CHECK(baseline_of(&s) == 1);
    CHECK_OK(kw_state_open(s.state, &dir, NULL));
    CHECK_OK(kw_state_activation(dir, &act, NULL));
    kw_state_close(dir);
    CHECK(act.n == 2);
    CHECK_STR(act.proof, "stated: opened on token B");
    KEYWARD_MUST(&s, 0, "key", "activate", "2", "--second-copy", "opened on B",
                 "--baseline");
    CHECK(baseline_of(&s) == 2);
    CHECK(state_of(&s, 1) == KW_KEY_RETIRED && state_of(&s, 2) == KW_KEY_ACTIVE);
    CHECK(site_sealed(s.tokens) >= 6);
    site_remove(&s);
}

TEST(same_key_as__a_new_key_id_and_no_new_object)
{
    site_make(&s);
    KEYWARD_MUST(&s, 1, "key", "create", "--same-key-as", "1");
    CHECK_HAS(s.run.err, "no version 1");
    KEYWARD_MUST(&s, 0, "key", "create", "--destroyable");
    size_t names = site_sealed(s.tokens);
    KEYWARD_MUST(&s, 2, "key", "create", "--same-key-as", "1", "--copyable");
    KEYWARD_MUST(&s, 0, "key", "create", "--same-key-as", "1");
    KEYWARD_MUST(&s, 0, "key", "create", "--same-key-as", "2"); /* a chain */
    CHECK(site_sealed(s.tokens) == names);
    struct kw_keyring *ring = site_ring(&s);
    const struct kw_version *first = &ring->versions[0], *third = &ring->versions[2];
    CHECK(ring->count == 3 && third->state == KW_KEY_CREATED && third->want_destroyable);
    CHECK(ring->versions[1].same_key_as == 1 && third->same_key_as == 2);
    CHECK(strcmp(first->key_id, third->key_id) != 0);
    CHECK(kw_span_equal(
        kw_span_of(first->objects[0].locator, first->objects[0].locator_len),
        kw_span_of(third->objects[0].locator, third->objects[0].locator_len)));
    CHECK(!kw_span_equal(kw_span_of(first->check_blob, first->check_blob_len),
                         kw_span_of(third->check_blob, third->check_blob_len)));
    kw_keyring_give(ring);
    KEYWARD_MUST(&s, 0, "check", "--json");
    CHECK_HAS(s.run.out, "key 3");
    KEYWARD_MUST(&s, 0, "key", "destroy", "2"); /* its object is version 1's */
    CHECK_HAS(s.run.out, "it is also the key of version 1");
    CHECK_HAS(s.run.out, "it is also the key of version 3");
    KEYWARD_MUST(&s, 1, "key", "create", "--same-key-as", "2");
    CHECK_HAS(s.run.err, "destroyed");
    KEYWARD_MUST(&s, 1, "key", "prune", "2"); /* the chain of version 3 needs it */
    CHECK_HAS(s.run.err, "--same-key-as 2");
    site_remove(&s);
}

#define ACTIVATE_SEEN(want, ...)                                                         \
    KEYWARD_MUST(&s, want, "key", "activate", "1", "--second-copy-token",                \
                 "pkcs11:token=keyward", __VA_ARGS__)

TEST(second_copy__seen_to_open__recorded_with_its_serial)
{
    char env[160], want[64];
    site_make(&s);
    KEYWARD_MUST(&s, 0, "key", "create");
    KEYWARD_MUST(&s, 0, "key", "accept", "1");
    site_clone_token(&s, env, sizeof env);
    ACTIVATE_SEEN(0, "--second-copy-env", env);
    struct kw_keyring *ring = site_ring(&s);
    snprintf(want, sizeof want, "opened on token keyward, serial %s, 20",
             ring->versions[0].token.serial);
    CHECK_HAS(ring->versions[0].second_copy, want);
    kw_keyring_give(ring);
    CHECK(site_sealed(s.tokens) >= 5);
    site_remove(&s);
}

TEST(second_copy__without_the_key_or_the_same_token__refused)
{
    char env[160];
    site_make(&s);
    site_clone_token(&s, env, sizeof env); /* of before the ceremony */
    KEYWARD_MUST(&s, 0, "key", "create");
    KEYWARD_MUST(&s, 0, "key", "accept", "1");
    ACTIVATE_SEEN(1, "--second-copy-env", env);
    CHECK_HAS(s.run.err, "no secret key with label");
    ACTIVATE_SEEN(1, "--now");
    CHECK_HAS(s.run.err, "is the one of the ceremony itself");
    ACTIVATE_SEEN(1, "--second-copy-env", "nonsense");
    CHECK_HAS(s.run.err, "NAME=VALUE");
    ACTIVATE_SEEN(2, "--only-copy");
    KEYWARD_MUST(&s, 2, "key", "activate", "1", "--only-copy", "--second-copy-pin",
                 "file:/x");
    CHECK(baseline_of(&s) == 0);
    site_remove(&s);
}

TEST(disable_and_enable__back_to_the_state_before)
{
    site_make(&s);
    KEYWARD_MUST(&s, 0, "key", "create");
    KEYWARD_MUST(&s, 0, "key", "accept", "1");
    KEYWARD_MUST(&s, 0, "key", "disable", "1", WITHOUT_PROOF);
    CHECK(state_of(&s, 1) == KW_KEY_DISABLED);
    KEYWARD_MUST(&s, 0, "key", "enable", "1");
    CHECK(state_of(&s, 1) == KW_KEY_ACCEPTED);
    KEYWARD_MUST(&s, 0, "key", "retire", "1");
    CHECK(state_of(&s, 1) == KW_KEY_RETIRED);
    site_remove(&s);
}

TEST(show__the_attributes_as_read_back)
{
    site_make(&s);
    KEYWARD_MUST(&s, 0, "key", "create");
    KEYWARD_MUST(&s, 0, "key", "show", "1");
    CHECK_HAS(s.run.out, "CKA_EXTRACTABLE        false");
    KEYWARD_MUST(&s, 0, "key", "show", "1", "--json");
    CHECK_HAS(s.run.out, "\"CKA_ALWAYS_SENSITIVE\": true");
    site_remove(&s);
}

TEST(pin_retry_of_a_token_that_is_nobodys__refused)
{
    site_make(&s);
    KEYWARD_MUST(&s, 1, "pin", "retry", "--token", "keywrd");
    CHECK_HAS(s.run.err, "--token keywrd: no token of the configuration has this label");
    KEYWARD_MUST(&s, 0, "pin", "retry", "--token", "keyward");
    CHECK_HAS(s.run.out, "no login is stopped here");
    KEYWARD_MUST(&s, 0, "pin", "retry");
    site_remove(&s);
}

TEST(files_of_root__created_all_the_same)
{
    site_begin(&s);
    kw_run(&s.run, (const char *const[]){KEYWARD, "init", "--first", "--domain", "demo",
                                         "--softhsm", "--dir", s.base, NULL});
    CHECK(s.run.status == 0);
    if (geteuid() == 0)
        CHECK_HAS(s.run.err, "refuses to run as root");
    KEYWARD_MUST(&s, 0, "key", "create");
    CHECK(site_sealed(s.tokens) >= 5);
    site_remove(&s);
}

KW_CASES("token/cli/keys", CASE(create__a_version_in_the_keyring_and_the_token_sealed),
         CASE(create_with_choices__recorded_and_read_back),
         CASE(dry_run__the_plan_and_nothing_made),
         CASE(dry_run__what_would_stop_the_ceremony_is_found),
         CASE(keyring_lost_after_the_ceremony__adopted_under_the_same_key_id),
         CASE(first_activation__sets_the_baseline_by_itself),
         CASE(rotation__node_first_baseline_later_and_the_former_one_retires),
         CASE(same_key_as__a_new_key_id_and_no_new_object),
         CASE(second_copy__seen_to_open__recorded_with_its_serial),
         CASE(second_copy__without_the_key_or_the_same_token__refused),
         CASE(disable_and_enable__back_to_the_state_before),
         CASE(show__the_attributes_as_read_back),
         CASE(pin_retry_of_a_token_that_is_nobodys__refused),
         CASE(files_of_root__created_all_the_same))
