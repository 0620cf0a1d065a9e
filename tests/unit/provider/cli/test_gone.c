/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"

#include <stdio.h>

#include "gone.h"

#define SEEN "seen 2026-11-26T12:00:00.000000Z"
#define SAID "said Ada 2026-11-26T12:00:00.000000Z: sold"

static struct kw_version versions[2];
static struct kw_keyring ring;

/* A version with a row for each text, in tokens A and B; NULL: no such row. */
static void put(size_t slot, uint32_t n, const char *label, const char *in_a,
                const char *in_b)
{
    struct kw_version *v = &versions[slot];
    struct kw_object *o = &v->objects[0];
    const char *const given[2] = {in_a, in_b};
    *v = (struct kw_version){.n = n, .state = KW_KEY_DESTROYED, .object_count = 1};
    snprintf(o->label, sizeof o->label, "%s", label);
    for (size_t i = 0; i < 2; i++) {
        if (given[i] == NULL)
            continue;
        struct kw_object_token *t = &o->tokens[o->token_count++];
        snprintf(t->label, sizeof t->label, "%c", i == 0 ? 'A' : 'B');
        snprintf(t->serial, sizeof t->serial, "%zu", i);
        snprintf(t->gone, sizeof t->gone, "%s", given[i]);
    }
    ring = (struct kw_keyring){.count = slot + 1, .versions = versions};
}

static bool everywhere(size_t slot)
{
    return kw_gone_everywhere(&ring, &versions[slot]);
}

TEST(no_token_is_named__nothing_is_known_to_be_gone)
{
    put(0, 1, "key", NULL, NULL);
    CHECK(kw_gone_open(&ring, &versions[0], NULL) == NULL && !everywhere(0));
    CHECK(kw_gone_forgotten(&ring, &versions[0]) == NULL);
}

TEST(one_of_two_tokens__not_everywhere)
{
    const struct kw_version *of = NULL;
    put(0, 1, "key", SEEN, "");
    CHECK(!everywhere(0));
    CHECK_STR(kw_gone_open(&ring, &versions[0], &of)->label, "B");
    CHECK(of == &versions[0]);
    CHECK_STR(kw_gone_forgotten(&ring, &versions[0])->label, "B");
}

TEST(seen_in_one_and_said_of_the_other__everywhere)
{
    put(0, 1, "key", SEEN, SAID);
    CHECK(everywhere(0) && kw_gone_forgotten(&ring, &versions[0]) == NULL);
}

TEST(the_same_key_in_a_token_that_only_another_names__not_everywhere)
{
    const struct kw_version *of = NULL;
    put(0, 1, "key", SEEN, NULL);
    put(1, 2, "key", "", ""); /* same-key-as 1, proven in B */
    CHECK(!everywhere(0) && !everywhere(1));
    CHECK_STR(kw_gone_open(&ring, &versions[0], &of)->label, "B");
    CHECK(of == &versions[1]);
    CHECK_STR(kw_gone_forgotten(&ring, &versions[1])->label, "B");
    put(1, 2, "key", "", SAID);
    CHECK(everywhere(0) && everywhere(1)); /* in A it was seen by the other */
}

TEST(another_key_in_that_token__no_matter)
{
    put(0, 1, "key", SEEN, NULL);
    put(1, 2, "other", "", "");
    CHECK(everywhere(0) && !everywhere(1));
}

TEST(named_by_the_other_too__not_forgotten_with_one)
{
    put(0, 1, "key", "", NULL);
    put(1, 2, "key", "", NULL);
    CHECK(kw_gone_forgotten(&ring, &versions[0]) == NULL);
    CHECK(!everywhere(0));
}

static const char *words(size_t slot)
{
    static char dst[KW_GONE_WORDS_MAX];
    kw_gone_words(&ring, &versions[slot], dst);
    return dst;
}

static void say_copy(size_t slot, const char *word)
{
    snprintf(versions[slot].token.label, sizeof versions[slot].token.label, "A");
    snprintf(versions[slot].token.serial, sizeof versions[slot].token.serial, "0");
    snprintf(versions[slot].second_copy, sizeof versions[slot].second_copy, "%s", word);
}

TEST(a_copy_that_no_row_stands_for__not_known)
{
    static const char *const copies[] = {
        "stated: in the safe", "opened on token A, serial 0, 2026-11-26T12:00:00.000000Z",
        "opened on token C, serial 2, 2026-11-26T12:00:00.000000Z"};
    for (size_t i = 0; i < sizeof copies / sizeof copies[0]; i++) {
        put(0, 1, "key", SEEN, NULL);
        say_copy(0, copies[i]);
        CHECK_STR(kw_gone_copy(&ring, &versions[0]), copies[i]);
        CHECK_HAS(words(0), "yes, from each of these tokens; of the second copy (");
        CHECK(json_is_null(kw_gone_json(&ring, &versions[0])));
    }
    put(0, 1, "key", "", NULL);
    say_copy(0, copies[0]);
    CHECK_STR(words(0), "key material gone: no");
}

TEST(the_copys_own_row_has_its_end__all_is_known)
{
    put(0, 1, "key", SEEN, SEEN);
    say_copy(0, "opened on token B, serial 1, 2026-11-26T12:00:00.000000Z");
    CHECK(kw_gone_copy(&ring, &versions[0]) == NULL);
    CHECK_STR(words(0), "key material gone: yes");
    CHECK(json_is_true(kw_gone_json(&ring, &versions[0])));
    say_copy(0, "only-copy: Ada, 2026-11-26T12:00:00.000000Z");
    CHECK_STR(words(0), "key material gone: yes");
}

TEST(only_the_other_version_of_the_key_names_a_copy__said_of_both)
{
    put(0, 1, "key", SEEN, NULL);
    put(1, 2, "key", SEEN, NULL);
    say_copy(1, "stated: in the safe");
    CHECK_HAS(words(0), "stated: in the safe");
}

KW_CASES("provider/cli/gone", CASE(no_token_is_named__nothing_is_known_to_be_gone),
         CASE(one_of_two_tokens__not_everywhere),
         CASE(seen_in_one_and_said_of_the_other__everywhere),
         CASE(the_same_key_in_a_token_that_only_another_names__not_everywhere),
         CASE(another_key_in_that_token__no_matter),
         CASE(named_by_the_other_too__not_forgotten_with_one),
         CASE(a_copy_that_no_row_stands_for__not_known),
         CASE(the_copys_own_row_has_its_end__all_is_known),
         CASE(only_the_other_version_of_the_key_names_a_copy__said_of_both))
