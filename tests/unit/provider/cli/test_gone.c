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

static void no_token_is_named__nothing_is_known_to_be_gone(void **state)
{
    (void)state;
    put(0, 1, "key", NULL, NULL);
    CHECK(kw_gone_open(&ring, &versions[0], NULL) == NULL && !everywhere(0));
    CHECK(kw_gone_forgotten(&ring, &versions[0]) == NULL);
}

static void one_of_two_tokens__not_everywhere(void **state)
{
    const struct kw_version *of = NULL;
    (void)state;
    put(0, 1, "key", SEEN, "");
    CHECK(!everywhere(0));
    CHECK_STR(kw_gone_open(&ring, &versions[0], &of)->label, "B");
    CHECK(of == &versions[0]);
    CHECK_STR(kw_gone_forgotten(&ring, &versions[0])->label, "B");
}

static void seen_in_one_and_said_of_the_other__everywhere(void **state)
{
    (void)state;
    put(0, 1, "key", SEEN, SAID);
    CHECK(everywhere(0) && kw_gone_forgotten(&ring, &versions[0]) == NULL);
}

static void the_same_key_in_a_token_that_only_another_names__not_everywhere(void **state)
{
    const struct kw_version *of = NULL;
    (void)state;
    put(0, 1, "key", SEEN, NULL);
    put(1, 2, "key", "", ""); /* same-key-as 1, proven in B */
    CHECK(!everywhere(0) && !everywhere(1));
    CHECK_STR(kw_gone_open(&ring, &versions[0], &of)->label, "B");
    CHECK(of == &versions[1]);
    CHECK_STR(kw_gone_forgotten(&ring, &versions[1])->label, "B");
    put(1, 2, "key", "", SAID);
    CHECK(everywhere(0) && everywhere(1)); /* in A it was seen by the other */
}

static void another_key_in_that_token__no_matter(void **state)
{
    (void)state;
    put(0, 1, "key", SEEN, NULL);
    put(1, 2, "other", "", "");
    CHECK(everywhere(0) && !everywhere(1));
}

static void named_by_the_other_too__not_forgotten_with_one(void **state)
{
    (void)state;
    put(0, 1, "key", "", NULL);
    put(1, 2, "key", "", NULL);
    CHECK(kw_gone_forgotten(&ring, &versions[0]) == NULL);
    CHECK(!everywhere(0));
}

KW_CASES("provider/cli/gone", CASE(no_token_is_named__nothing_is_known_to_be_gone),
         CASE(one_of_two_tokens__not_everywhere),
         CASE(seen_in_one_and_said_of_the_other__everywhere),
         CASE(the_same_key_in_a_token_that_only_another_names__not_everywhere),
         CASE(another_key_in_that_token__no_matter),
         CASE(named_by_the_other_too__not_forgotten_with_one))
