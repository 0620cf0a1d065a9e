/* SPDX-License-Identifier: Apache-2.0 */
/* The objects of a version: names, where each lies, who shares it. */
#include "ring.h"

#include <stdio.h>

TEST(roles__each__its_word)
{
    CHECK_STR(kw_object_role_name(KW_ROLE_KEK), "kek");
    CHECK_STR(kw_object_role_name(KW_ROLE_MAC), "mac");
    CHECK_STR(kw_object_role_name(KW_ROLE_PUBLIC), "public");
    CHECK_STR(kw_object_role_name(KW_ROLE_PRIVATE), "private");
    CHECK(kw_object_role_name((enum kw_object_role)4) == NULL);
}

static bool locator_is(const struct kw_object *o, const char *serial, uint8_t first,
                       size_t len)
{
    kw_span l = kw_object_locator(o, serial);
    return l.len == len && (len == 0 || l.ptr[0] == first);
}

TEST(locator__row_of_another_token_or_without_one__the_objects)
{
    struct kw_version v = good_version(5, KW_KEY_ACTIVE);
    struct kw_object *o = &v.objects[0];
    CHECK(locator_is(o, "", 5, 1) && locator_is(o, "0123456789abcdef", 5, 1));
    o->tokens[0].locator[0] = 0x77;
    o->tokens[0].locator_len = 2;
    CHECK(locator_is(o, "", 5, 1) && locator_is(o, "another", 5, 1));
    CHECK(locator_is(o, "0123456789abcdef", 0x77, 2));
    o->tokens[0].serial[0] = '\0'; /* a row without a serial is of no known token */
    CHECK(locator_is(o, "", 5, 1));
    o->locator_len = 0;
    CHECK(locator_is(o, "another", 0, 0));
}

TEST(rows__written__read_back_with_every_field)
{
    struct kw_keyring *ring = good_ring();
    struct kw_object *o = &ring->versions[0].objects[0];
    struct kw_object_token row = {.locator = {1, 2, 3}, .locator_len = 3};
    snprintf(row.label, sizeof row.label, "backup");
    snprintf(row.serial, sizeof row.serial, "0002");
    snprintf(row.proven, sizeof row.proven, "2026-02-01T00:00:00Z");
    snprintf(row.gone, sizeof row.gone, "said root 2026-03-01T00:00:00Z: shredded");
    o->tokens[o->token_count++] = row;
    o->tokens[o->token_count++] = (struct kw_object_token){0}; /* all null */
    const struct kw_object want = *o;
    ring = reread(ring);
    CHECK(memcmp(&ring->versions[0].objects[0], &want, sizeof want) == 0);
    kw_keyring_give(ring);
}

/* The versions that share the key of version n, as a text: "2 3 ". */
static const char *sharers(const struct kw_keyring *ring, uint32_t n)
{
    static char text[64];
    const struct kw_version *v = kw_keyring_by_n(ring, n);
    const struct kw_version *s = NULL;
    text[0] = '\0';
    while ((s = kw_keyring_sharer(ring, v, s)) != NULL)
        snprintf(text + strlen(text), sizeof text - strlen(text), "%u ", s->n);
    return text;
}

TEST(sharer__keys_of_their_own__none)
{
    struct kw_keyring *ring = good_ring();
    CHECK_STR(sharers(ring, 1), "");
    CHECK_STR(sharers(ring, 3), "");
    kw_keyring_give(ring);
}

TEST(sharer__same_key__each_that_is_not_destroyed)
{
    struct kw_keyring *ring = good_ring();
    for (uint32_t n = 2; n <= 3; n++) {
        struct kw_version *v = kw_keyring_edit(ring, n);
        v->objects[0] = ring->versions[0].objects[0];
        v->same_key_as = n - 1;
    }
    CHECK_STR(sharers(ring, 1), "2 3 ");
    CHECK_STR(sharers(ring, 2), "1 3 ");
    CHECK_STR(sharers(ring, 3), "1 2 ");
    kw_keyring_edit(ring, 1)->state = KW_KEY_DESTROYED;
    CHECK_STR(sharers(ring, 3), "2 ");
    kw_keyring_edit(ring, 2)->state = KW_KEY_DISABLED;
    CHECK_STR(sharers(ring, 1), "2 3 ");
    kw_keyring_give(ring);
}

/* First 16 bytes of SHA-256("keyward-locator" "demo" key_id), computed elsewhere. */
TEST(locator__made__as_the_formats_say)
{
    uint8_t got[KW_NEW_LOCATOR];
    uint8_t other[KW_NEW_LOCATOR];
    char hex[2 * KW_NEW_LOCATOR + 1];
    kw_locator_make("demo", "kw1-1-00112233445566778899aabb", got);
    kw_hex(hex, sizeof hex, kw_span_of(got, sizeof got));
    CHECK_STR(hex, "accb82abbc77892771e0879ecbdd10df");
    kw_locator_make("demo2", "kw1-1-00112233445566778899aabb", other);
    CHECK(memcmp(got, other, sizeof got) != 0);
}

KW_CASES("hsm/keyring/object", CASE(roles__each__its_word),
         CASE(locator__row_of_another_token_or_without_one__the_objects),
         CASE(rows__written__read_back_with_every_field),
         CASE(sharer__keys_of_their_own__none),
         CASE(sharer__same_key__each_that_is_not_destroyed),
         CASE(locator__made__as_the_formats_say))
