/* SPDX-License-Identifier: Apache-2.0 */
/* Files as chains of digests: file k of branch `b` has the digest {k, b}. */
#include "check.h"

#include <stdio.h>

#include "compare.h"

enum { FILES = 4 };
static struct kw_keyring rings[FILES];

static void digest(uint8_t dst[32], uint64_t serial, uint64_t forked_at, uint8_t branch)
{
    memset(dst, 0, 32);
    dst[0] = (uint8_t)serial;
    dst[1] = serial > forked_at ? branch : 0;
}

/* A file with this serial that left the trunk after `forked_at`. */
static struct kw_held file(size_t slot, uint64_t serial, uint64_t forked_at,
                           uint8_t branch)
{
    struct kw_keyring *ring = &rings[slot];
    struct kw_held h = {.name = "file", .ring = ring, .domain = "d", .serial = serial};
    *ring = (struct kw_keyring){.serial = serial};
    for (uint64_t k = serial - 1; k > 0 && ring->ancestor_count < KW_ANCESTORS_MAX; k--)
        digest(ring->ancestors[ring->ancestor_count++], k, forked_at, branch);
    digest(h.sha256, serial, forked_at, branch);
    return h;
}

static struct kw_held status(uint64_t serial, uint64_t forked_at, uint8_t branch)
{
    struct kw_held h = {.name = "status", .domain = "d", .serial = serial};
    digest(h.sha256, serial, forked_at, branch);
    return h;
}

static void is(struct kw_held item, struct kw_held to, enum kw_relation want,
               uint64_t common)
{
    struct kw_relative r = kw_compare(&item, &to);
    if (r.is != want || r.common != common)
        fail_msg("%s at %u, not %s at %u", kw_relation_name(r.is), (unsigned)r.common,
                 kw_relation_name(want), (unsigned)common);
}

TEST(of_another_domain__foreign_whatever_the_bytes)
{
    struct kw_held a = file(0, 5, 9, 0), b = file(1, 5, 9, 0);
    snprintf(a.domain, sizeof a.domain, "e");
    is(a, b, KW_HELD_FOREIGN, 0);
}

TEST(nothing_taken__none)
{
    is(status(0, 9, 0), file(0, 5, 9, 0), KW_HELD_NONE, 0);
}

TEST(same_serial_other_bytes__forked_since_the_last_common_one)
{
    is(file(0, 5, 4, 1), file(1, 5, 4, 2), KW_HELD_FORKED, 4);
    is(file(0, 5, 2, 1), file(1, 5, 2, 2), KW_HELD_FORKED, 2);
    is(file(0, 1, 0, 1), file(1, 1, 0, 2), KW_HELD_FORKED, 0);
}

TEST(other_serial_and_no_ancestor__forked)
{
    is(file(0, 5, 3, 1), file(1, 9, 3, 2), KW_HELD_FORKED, 3);
    is(file(0, 9, 3, 1), file(1, 5, 3, 2), KW_HELD_FORKED, 3);
    is(status(5, 3, 1), file(1, 9, 3, 2), KW_HELD_FORKED, 0); /* it names no ancestors */
}

TEST(an_ancestor__behind_and_the_other_way_ahead)
{
    is(file(0, 5, 99, 0), file(1, 9, 99, 0), KW_HELD_BEHIND, 5);
    is(file(0, 9, 99, 0), file(1, 5, 99, 0), KW_HELD_AHEAD, 5);
    is(status(5, 99, 0), file(1, 9, 99, 0), KW_HELD_BEHIND, 5);
    is(file(0, 5, 99, 0), file(1, 5, 99, 0), KW_HELD_SAME, 5);
    is(status(5, 99, 0), status(5, 99, 0), KW_HELD_SAME, 5);
}

TEST(the_last_ancestor_and_one_further__behind_and_unknown)
{
    is(file(0, 6, 99, 0), file(1, 70, 99, 0), KW_HELD_BEHIND, 6);
    is(file(0, 5, 99, 0), file(1, 70, 99, 0), KW_HELD_UNKNOWN, 0);
}

TEST(a_status_ahead_of_every_file__unknown)
{
    is(status(9, 99, 0), file(1, 5, 99, 0), KW_HELD_UNKNOWN, 0);
    is(status(9, 99, 0), status(5, 99, 0), KW_HELD_UNKNOWN, 0);
}

TEST(reference__the_highest_file_then_the_first)
{
    struct kw_held items[4] = {status(9, 99, 0), file(0, 5, 99, 0), file(1, 7, 99, 0),
                               file(2, 7, 99, 0)};
    CHECK(kw_compare_reference(items, 4) == 2);
    CHECK(kw_compare_reference(items, 2) == 1);
    CHECK(kw_compare_reference(items, 1) == 0);
}

/* ---- what was sealed on either side ---- */

static struct kw_version versions[2];

/* Each side has a version 1 in a file of its own, made from the same one. */
static void two_sides(struct kw_held *a, enum kw_key_state is, bool accepted,
                      struct kw_held *b, enum kw_key_state there)
{
    struct kw_held *const sides[] = {a, b};
    const enum kw_key_state states[] = {is, there};
    *a = file(0, 5, 4, 1);
    *b = file(1, 6, 4, 2);
    for (size_t i = 0; i < 2; i++) {
        struct kw_keyring *ring = &rings[i];
        struct kw_version *v = &versions[i];
        *v = (struct kw_version){.n = 1, .state = states[i]};
        snprintf(v->key_id, sizeof v->key_id, "kw1-1-000000000000000000000001");
        snprintf(ring->domain, sizeof ring->domain, "d");
        memcpy(ring->sha256, sides[i]->sha256, 32);
        ring->versions = v;
        ring->count = 1;
        ring->next_n = 2;
    }
    if (accepted)
        snprintf(versions[0].accepted, KW_TIME_TEXT, "2026-01-01T00:00:00.000000Z");
}

/* A node may have activated by itself what is only accepted, and the file tells nothing
 * of it. */
TEST(sealed__accepted_here_and_not_opened_there__apart)
{
    static const struct {
        enum kw_key_state is;
        bool accepted;
        enum kw_key_state there;
        bool apart;
    } rows[] = {
        {KW_KEY_ACCEPTED, true, KW_KEY_CREATED, true},
        {KW_KEY_ACCEPTED, true, KW_KEY_DISABLED, true},
        {KW_KEY_ACCEPTED, true, KW_KEY_DESTROYED, true},
        {KW_KEY_ACCEPTED, true, KW_KEY_RETIRED, false},
        {KW_KEY_RETIRED, true, KW_KEY_DISABLED, true},
        {KW_KEY_DISABLED, true, KW_KEY_DESTROYED, true},
        {KW_KEY_DISABLED, true, KW_KEY_DISABLED, false},
        {KW_KEY_DESTROYED, true, KW_KEY_CREATED, false},
        {KW_KEY_CREATED, false, KW_KEY_DESTROYED, false},
    };
    struct kw_held a, b;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        two_sides(&a, rows[i].is, rows[i].accepted, &b, rows[i].there);
        if ((kw_compare_sealed_apart(&a, &b) != NULL) != rows[i].apart)
            fail_msg("row %zu", i);
    }
    two_sides(&a, KW_KEY_ACCEPTED, true, &b, KW_KEY_ACCEPTED);
    rings[1].count = 0;
    CHECK(kw_compare_sealed_apart(&a, &b) == &versions[0]);
}

TEST(may_trust__destroys_what_was_accepted_here__no)
{
    struct kw_held a, b;
    two_sides(&a, KW_KEY_ACCEPTED, true, &b, KW_KEY_ACCEPTED);
    CHECK(kw_compare_may_trust(&a, &b));
    two_sides(&a, KW_KEY_ACCEPTED, true, &b, KW_KEY_DESTROYED);
    CHECK(!kw_compare_may_trust(&a, &b));
    two_sides(&a, KW_KEY_ACCEPTED, true, &b, KW_KEY_CREATED);
    CHECK(!kw_compare_may_trust(&a, &b));
    two_sides(&a, KW_KEY_CREATED, false, &b, KW_KEY_DESTROYED);
    CHECK(kw_compare_may_trust(&a, &b));
}

KW_CASES("provider/cli/compare", CASE(sealed__accepted_here_and_not_opened_there__apart),
         CASE(may_trust__destroys_what_was_accepted_here__no),
         CASE(of_another_domain__foreign_whatever_the_bytes), CASE(nothing_taken__none),
         CASE(same_serial_other_bytes__forked_since_the_last_common_one),
         CASE(other_serial_and_no_ancestor__forked),
         CASE(an_ancestor__behind_and_the_other_way_ahead),
         CASE(the_last_ancestor_and_one_further__behind_and_unknown),
         CASE(a_status_ahead_of_every_file__unknown),
         CASE(reference__the_highest_file_then_the_first))
