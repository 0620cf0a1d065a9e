/* SPDX-License-Identifier: Apache-2.0 */
/* A ceremony that fails after the token made the key: the object is named, and can be
 * adopted; the token is sealed whatever happened. */
#include "site.h"

#include <stdio.h>
#include <unistd.h>

#include <keyward/file.h>
#include <keyward/keyring.h>
#include <keyward/state.h>

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
    KEYWARD_MUST(&s, 0, "key", "create", "--adopt", key_id, "--unproven");
    CHECK_OK(kw_keyring_load(s.keyring, &ring, NULL, NULL));
    CHECK(ring->count == 1);
    CHECK_STR(ring->versions[0].key_id, key_id);
    kw_keyring_give(ring);
}

TEST(honest_module__created)
{
    site_make_fault(&s);
    KEYWARD_MUST(&s, 0, "key", "create");
    site_remove(&s);
}

TEST(module_crashes_while_making__could_not_and_sealed)
{
    site_make_fault(&s);
    site_tell(&s, "C_GenerateKey crash\n");
    KEYWARD_MUST(&s, 3, "key", "create");
    CHECK_HAS(s.run.err, "signal 6");
    CHECK(access(s.keyring, F_OK) != 0);
    CHECK(site_sealed(s.tokens) >= 4);
    site_remove(&s);
}

TEST(module_crashes_after_making__orphan_named_and_adopted)
{
    char key_id[KW_KEY_ID_MAX + 1] = "";
    site_make_fault(&s);
    site_tell(&s, "C_GetAttributeValue crash\n");
    KEYWARD_MUST(&s, 3, "key", "create");
    orphan_of(key_id);
    CHECK_HAS(s.run.err, "--delete-object");
    CHECK(site_sealed(s.tokens) >= 5);
    adopt(key_id);
    site_remove(&s);
}

TEST(reply_lost_after_making__orphan_named_and_adopted)
{
    char key_id[KW_KEY_ID_MAX + 1] = "";
    site_make_fault(&s);
    /* The first key of a ceremony is the self-test's. */
    site_tell(&s, "C_GenerateKey rv=0x30 after skip=1\n");
    KEYWARD_MUST(&s, 3, "key", "create");
    orphan_of(key_id);
    adopt(key_id);
    site_remove(&s);
}

TEST(key_comes_out_extractable__refused_and_named)
{
    char key_id[KW_KEY_ID_MAX + 1] = "";
    site_make_fault(&s);
    site_tell(&s, "fake=0x162:1\n"); /* CKA_EXTRACTABLE */
    KEYWARD_MUST(&s, 1, "key", "create");
    CHECK_HAS(s.run.err, "EXTRACTABLE");
    orphan_of(key_id);
    CHECK(access(s.keyring, F_OK) != 0);
    KEYWARD_MUST(&s, 1, "key", "create", "--adopt", key_id,
                 "--unproven"); /* adopting judges too */
    CHECK_HAS(s.run.err, "EXTRACTABLE");
    CHECK(strstr(s.run.err, "--delete-object") == NULL);
    CHECK(strstr(s.run.err, "in no keyring") == NULL);
    CHECK(access(s.keyring, F_OK) != 0);
    site_remove(&s);
}

/* The child died in the call that makes the key: the object may be there or not. */
TEST(module_crashes_in_the_making__not_known_and_nothing_to_delete)
{
    site_make_fault(&s);
    site_tell(&s, "C_GenerateKey crash skip=1\n");
    KEYWARD_MUST(&s, 3, "key", "create");
    CHECK_HAS(s.run.err, "is not known");
    CHECK_HAS(s.run.err, "--adopt kw1-1-");
    CHECK(strstr(s.run.err, "--delete-object") == NULL);
    site_remove(&s);
}

/* Starts a ceremony that waits before the key is sealed with; its key_id is known. */
static pid_t ceremony_with(const char *choice, char key_id[KW_KEY_ID_MAX + 1])
{
    site_make_fault(&s);
    site_watch_calls(&s);
    site_tell(&s, "C_GetAttributeValue hang\n");
    pid_t pid = SITE_START(&s, "key", "create", choice);
    site_await_call(&s, "C_GetAttributeValue", 1);
    site_listen(&s);
    const char *at = strstr(s.run.out, "key_id    ");
    CHECK(at != NULL && sscanf(at, "key_id %35s", key_id) == 1);
    return pid;
}

TEST(node_knows_the_key_by_now__no_deletion)
{
    struct kw_activation act = {.n = 1};
    struct kw_state_dir *dir = NULL;
    pid_t pid = ceremony_with("--destroyable", act.key_id);
    CHECK_OK(kw_state_open(s.state, &dir, NULL));
    CHECK_OK(kw_state_activate(dir, &act, NULL));
    kw_state_close(dir);
    site_tell(&s, "C_GetAttributeValue crash\n");
    CHECK(site_end(&s, pid) == 3);
    CHECK_HAS(s.run.err, "this node has activated it");
    CHECK(strstr(s.run.err, "--delete-object") == NULL);
    site_remove(&s);
}

TEST(state_cannot_be_read_any_more__no_deletion)
{
    char key_id[KW_KEY_ID_MAX + 1], marks[160];
    pid_t pid = ceremony_with("--destroyable", key_id);
    snprintf(marks, sizeof marks, "%s/marks.json", s.state);
    CHECK_OK(kw_file_replace(marks, kw_span_str("{"), 0644, NULL));
    site_tell(&s, "C_GetAttributeValue crash\n");
    CHECK(site_end(&s, pid) == 3);
    CHECK_HAS(s.run.err, "CKA_LABEL kw1-1-");
    CHECK(strstr(s.run.err, "--delete-object") == NULL);
    site_remove(&s);
}

TEST(keyring_written_but_not_durable__said_so_and_no_orphan)
{
    struct kw_keyring *ring = NULL;
    site_make(&s);
    site_no_sync(s.base);
    KEYWARD_MUST(&s, 3, "key", "create", "--json");
    site_no_sync(NULL);
    CHECK_HAS(s.run.err, "written, not yet durable");
    CHECK(strstr(s.run.err, "CKA_LABEL") == NULL);
    CHECK(strstr(s.run.err, "--delete-object") == NULL);
    CHECK_OK(kw_keyring_load(s.keyring, &ring, NULL, NULL));
    CHECK(ring->count == 1);
    CHECK_HAS(s.run.out, "\"written\"");
    CHECK_HAS(s.run.out, ring->versions[0].key_id);
    kw_keyring_give(ring);
    site_remove(&s);
}

/* What is printed runs as it stands, and the key is what was chosen. */
TEST(choices__stand_in_the_command_that_finishes)
{
    char key_id[KW_KEY_ID_MAX + 1] = "", want[512];
    site_make_fault(&s);
    site_tell(&s, "C_GetAttributeValue crash\n");
    KEYWARD_MUST(&s, 3, "key", "create", "--destroyable", "--copyable", "--json");
    orphan_of(key_id);
    snprintf(want, sizeof want,
             "keyward key create --config %s --adopt %s --destroyable --copyable "
             "--unproven",
             s.config, key_id);
    CHECK_HAS(s.run.err, want);
    CHECK_HAS(s.run.err, "--delete-object");
    CHECK_HAS(s.run.out, "\"orphan\"");
    snprintf(want, sizeof want, "\"key_id\": \"%s\"", key_id);
    CHECK_HAS(s.run.out, want);
    site_remove(&s);
}

/* The printed deletion finds the object that the run made, and nothing else. */
TEST(printed_deletion__removes_the_object_of_the_run)
{
    char line[1024] = "";
    site_make_fault(&s);
    KEYWARD_MUST(&s, 0, "key", "create", "--destroyable");
    size_t names = site_sealed(s.tokens);
    site_tell(&s, "fake=0x162:1\n"); /* CKA_EXTRACTABLE */
    KEYWARD_MUST(&s, 1, "key", "create", "--destroyable");
    site_tell(&s, "\n");
    CHECK(site_sealed(s.tokens) > names);
    const char *at = strstr(s.run.err, "env ");
    CHECK(at != NULL && sscanf(at, "%1000[^\n]", line) == 1);
    site_unseal(&s);
    size_t len = strlen(line);
    snprintf(line + len, sizeof line - len, " --pin \"$(cat %s)\"", s.pin);
    kw_run(&s.run, (const char *const[]){"/bin/sh", "-c", line, NULL});
    if (s.run.status != 0)
        fail_msg("%s: %s", line, s.run.err);
    CHECK(site_names(s.tokens) == names);
    site_remove(&s);
}

TEST(keyring_changed_during_the_ceremony__not_overwritten_orphan_named)
{
    char key_id[KW_KEY_ID_MAX + 1] = "";
    struct kw_keyring *ring = NULL;
    site_make_fault(&s);
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
    KEYWARD_MUST(&s, 0, "key", "create", "--adopt", key_id, "--unproven");
    CHECK(site_sealed(s.tokens) >= 6);
    site_remove(&s);
}

TEST(token_makes_its_own_iv__no_key_is_made)
{
    site_make_fault(&s);
    site_tell(&s, "ivmode=2\n");
    KEYWARD_MUST(&s, 1, "key", "create");
    CHECK(strstr(s.run.err, "is in no keyring") == NULL);
    CHECK(access(s.keyring, F_OK) != 0);
    site_remove(&s);
}

TEST(device_error_at_the_login__check_could_not_look)
{
    site_make_fault(&s);
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
         CASE(module_crashes_in_the_making__not_known_and_nothing_to_delete),
         CASE(node_knows_the_key_by_now__no_deletion),
         CASE(state_cannot_be_read_any_more__no_deletion),
         CASE(keyring_written_but_not_durable__said_so_and_no_orphan),
         CASE(choices__stand_in_the_command_that_finishes),
         CASE(printed_deletion__removes_the_object_of_the_run),
         CASE(keyring_changed_during_the_ceremony__not_overwritten_orphan_named),
         CASE(token_makes_its_own_iv__no_key_is_made),
         CASE(device_error_at_the_login__check_could_not_look))
