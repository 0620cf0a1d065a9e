/* SPDX-License-Identifier: Apache-2.0 */
#include "acl.h"
#include "check.h"

enum {
    US = 1000,
    USER_OBJ = 1,
    USER = 2,
    GROUP_OBJ = 4,
    GROUP = 8,
    MASK = 16,
    OTHER = 32
};
enum { R = 4, NOBODY = -1 };

/* The attribute as the kernel gives it. */
struct acl {
    uint8_t bytes[64];
    size_t len;
};

static void put(struct acl *a, unsigned tag, unsigned perm, int id)
{
    uint32_t n = (uint32_t)id;
    const uint8_t entry[] = {(uint8_t)tag,       (uint8_t)(tag >> 8), (uint8_t)perm,
                             (uint8_t)0,         (uint8_t)n,          (uint8_t)(n >> 8),
                             (uint8_t)(n >> 16), (uint8_t)(n >> 24)};
    kw_copy(a->bytes + a->len, sizeof a->bytes - a->len, kw_span_of(entry, sizeof entry));
    a->len += sizeof entry;
}

static struct acl header(void)
{
    return (struct acl){{2, 0, 0, 0}, 4};
}

/* What systemd writes for a service's user. */
static struct acl credential(void)
{
    struct acl a = header();
    put(&a, USER_OBJ, R, NOBODY);
    put(&a, USER, R, US);
    put(&a, GROUP_OBJ, 0, NOBODY);
    put(&a, MASK, R, NOBODY);
    put(&a, OTHER, 0, NOBODY);
    return a;
}

static bool ours(const struct acl *a)
{
    return kw_acl_is_only_for(kw_span_of(a->bytes, a->len), US);
}

TEST(acl__lets_in_others__no)
{
    static const struct {
        unsigned tag;
        int id;
    } more[] = {
        {USER, 1001}, {GROUP_OBJ, NOBODY}, {GROUP, 0}, {GROUP, US}, {OTHER, NOBODY}};
    for (size_t i = 0; i < sizeof more / sizeof more[0]; i++) {
        struct acl a = credential();
        CHECK(ours(&a));
        put(&a, more[i].tag, R, more[i].id);
        CHECK(!ours(&a));
        a = credential();
        put(&a, more[i].tag, 0, more[i].id);
        CHECK(ours(&a));
    }
}

TEST(acl__malformed__no)
{
    struct acl a = credential();
    for (size_t len = 0; len < a.len; len++)
        if (len % 8 != 4 || len == 4)
            CHECK(!kw_acl_is_only_for(kw_span_of(a.bytes, len), US));
    a.bytes[0] = 3;
    CHECK(!ours(&a));
    a = credential();
    put(&a, 64, 0, 0);
    CHECK(!ours(&a));
}

TEST(acl__of_a_credential__ours_and_nobody_elses)
{
    struct acl a = credential();
    CHECK(ours(&a));
    CHECK(!kw_acl_is_only_for(kw_span_of(a.bytes, a.len), US + 1));
    put(&a, USER, R, 0); /* root reads everything anyhow */
    CHECK(ours(&a));
}

KW_CASES("hsm/base/acl", CASE(acl__lets_in_others__no), CASE(acl__malformed__no),
         CASE(acl__of_a_credential__ours_and_nobody_elses))
