/* SPDX-License-Identifier: Apache-2.0 */
/* How an object is removed from an HSM: never by a line that would take another key. */
#include "check.h"

#include <stdio.h>

#include "removal.h"

static char module[] = "/opt/vendor/lib.so";
static struct kw_version versions[2];
static struct kw_keyring ring;
static struct kw_config config;
static struct kw_commands next;
static size_t locator_len = 2;

static void put(struct kw_version *v, uint32_t n, enum kw_key_state state)
{
    struct kw_object *o = &v->objects[0];
    *v = (struct kw_version){.n = n, .state = state, .object_count = 1};
    snprintf(v->key_id, sizeof v->key_id, "kw1-%u-0123456789abcdef01234567", (unsigned)n);
    snprintf(o->label, sizeof o->label, "%s", v->key_id);
    o->locator_len = locator_len;
    o->locator[0] = 0xab;
    o->locator[1] = (uint8_t)n;
    o->token_count = 1;
    snprintf(o->tokens[0].label, sizeof o->tokens[0].label, "partition");
    snprintf(o->tokens[0].serial, sizeof o->tokens[0].serial, "77");
}

/* Version 1 is destroyed; `other` is the state of version 2, in the same token. */
static const char *tell(enum kw_answer destroyable, enum kw_key_state other,
                        const char *label)
{
    static struct kw_config_token token;
    token = (struct kw_config_token){.module = module};
    config = (struct kw_config){.token_count = 1};
    put(&versions[0], 1, KW_KEY_DESTROYED);
    put(&versions[1], 2, other);
    snprintf(versions[0].objects[0].tokens[0].label,
             sizeof versions[0].objects[0].tokens[0].label, "%s", label);
    ring = (struct kw_keyring){.count = 2, .versions = versions};
    next = (struct kw_commands){.len = 0};
    const struct kw_gone_row found = {KW_GONE_STILL_THERE, destroyable, &token, 7};
    const struct kw_removal removal = {&config, &ring, &versions[0],
                                       &versions[0].objects[0].tokens[0], &found};
    kw_removal_commands(&removal, &next);
    return next.text;
}

TEST(undestroyable_beside_a_key_in_use__that_object_alone)
{
    const char *text = tell(KW_ANSWER_FALSE, KW_KEY_ACTIVE, "partition");
    CHECK_HAS(text, "CKA_DESTROYABLE is false: PKCS#11 never deletes it");
    CHECK_HAS(text, "remove the object with CKA_LABEL "
                    "kw1-1-0123456789abcdef01234567, CKA_ID ab01\n");
    CHECK_HAS(text, "never the whole token, and nothing else of it: version 2 "
                    "(kw1-2-0123456789abcdef01234567, active)");
    CHECK(strstr(text, "empty the whole token") == NULL);
    CHECK(strstr(text, "pkcs11-tool") == NULL);
}

TEST(a_version_that_is_not_understood__may_lie_there_too)
{
    const char *text = tell(KW_ANSWER_FALSE, KW_KEY_UNKNOWN, "partition");
    CHECK_HAS(text, "never the whole token");
    CHECK_HAS(text, "version 2 (kw1-2-0123456789abcdef01234567, unknown)");
}

/* The keyring does not know what else lies there: another domain's key, for one. */
TEST(undestroyable_and_alone__never_the_whole_token_of_an_hsm)
{
    const char *text = tell(KW_ANSWER_FALSE, KW_KEY_DESTROYED, "partition");
    CHECK_HAS(text, "remove the object with CKA_LABEL");
    CHECK(strstr(text, "whole token") == NULL);
}

TEST(destroyable_or_not_answered__by_label_and_id)
{
    const char *text = tell(KW_ANSWER_TRUE, KW_KEY_ACTIVE, "partition");
    CHECK_HAS(text, "\npkcs11-tool --module /opt/vendor/lib.so --slot 7 --login "
                    "--delete-object --type secrkey --label "
                    "'kw1-1-0123456789abcdef01234567' --id ab01\n");
    CHECK(strstr(text, "chmod") == NULL);
    CHECK_HAS(tell(KW_ANSWER_NONE, KW_KEY_ACTIVE, "partition"), "is not answered");
}

/* The first of several objects with the label may be another key. */
TEST(destroyable_and_no_locator__no_command)
{
    locator_len = 0;
    const char *text = tell(KW_ANSWER_TRUE, KW_KEY_ACTIVE, "partition");
    CHECK_HAS(text, "does not know its CKA_ID, so no command is safe");
    CHECK_HAS(text, "kw1-1-0123456789abcdef01234567");
    for (const char *line = text; line != NULL; line = strchr(line + 1, '\n'))
        CHECK(line[*line == '\n'] == '#' || strcmp(line, "\n") == 0);
    text = tell(KW_ANSWER_FALSE, KW_KEY_ACTIVE, "partition");
    CHECK_HAS(text, "CKA_ID not known to the keyring: is it the only one?");
    locator_len = 2;
}

/* Two tokens may have it, and a shell may run it. */
TEST(the_tokens_label__not_in_the_command)
{
    const char *text = tell(KW_ANSWER_TRUE, KW_KEY_ACTIVE, "x'; reboot; '");
    CHECK(strstr(strstr(text, "\npkcs11-tool"), "reboot") == NULL);
    CHECK(strstr(text, "--token-label") == NULL);
}

KW_CASES("provider/cli/removal",
         CASE(undestroyable_beside_a_key_in_use__that_object_alone),
         CASE(a_version_that_is_not_understood__may_lie_there_too),
         CASE(undestroyable_and_alone__never_the_whole_token_of_an_hsm),
         CASE(destroyable_or_not_answered__by_label_and_id),
         CASE(destroyable_and_no_locator__no_command),
         CASE(the_tokens_label__not_in_the_command))
