/* SPDX-License-Identifier: Apache-2.0 */
/* Which ring this node takes, and which version it wraps with. */
#include "ring.h"

#include <keyward/state.h>

static void not_admitted(const struct kw_keyring *ring, const char *domain,
                         const struct kw_marks *marks, const char *word)
{
    struct kw_note note = {{0}};
    CHECK_CODE(kw_keyring_admit(ring, domain, marks, &note), KW_CODE_BAD_INPUT);
    CHECK_HAS(note.text, word);
}

static void admit__other_domain__refused(void **state)
{
    (void)state;
    struct kw_keyring *ring = good_ring();
    const struct kw_marks marks = {0};
    not_admitted(ring, "demo2", &marks, "domain");
    kw_keyring_give(ring);
}

static void admit__older_serial__refused(void **state)
{
    (void)state;
    struct kw_keyring *ring = good_ring();
    const struct kw_marks marks = {.serial_max = 8};
    not_admitted(ring, "demo", &marks, "serial is 7");
    kw_keyring_give(ring);
}

static void admit__lower_baseline__refused(void **state)
{
    (void)state;
    struct kw_keyring *ring = good_ring();
    const struct kw_marks marks = {.serial_max = 7, .baseline_max = 3};
    not_admitted(ring, "demo", &marks, "active version is 2");
    kw_keyring_give(ring);
}

static struct kw_marks marks_of(uint64_t serial, uint8_t digest)
{
    struct kw_marks marks = {.serial_max = serial, .serial_sha256_len = 32};
    memset(marks.serial_sha256, digest, sizeof marks.serial_sha256);
    return marks;
}

static void admit__same_serial_other_content__refused(void **state)
{
    (void)state;
    struct kw_keyring *ring = good_ring();
    const struct kw_marks marks = marks_of(7, 0xab);
    memset(ring->sha256, 0xac, sizeof ring->sha256);
    not_admitted(ring, "demo", &marks, "its content is another");
    not_admitted(ring, "demo", &marks, "last good one");
    memset(ring->sha256, 0xab, sizeof ring->sha256);
    CHECK_OK(kw_keyring_admit(ring, "demo", &marks, NULL));
    kw_keyring_give(ring);
}

static void admit__next_serial_of_another_file__refused(void **state)
{
    (void)state;
    struct kw_keyring *ring = good_ring();
    const struct kw_marks marks = marks_of(6, 0xab);
    memset(ring->prev_sha256, 'a', 64);
    not_admitted(ring, "demo", &marks, "prev-sha256");
    ring->prev_sha256[0] = '\0'; /* null: made from nothing */
    not_admitted(ring, "demo", &marks, "prev-sha256");
    kw_hex(ring->prev_sha256, 65, kw_span_of(marks.serial_sha256, 32));
    CHECK_OK(kw_keyring_admit(ring, "demo", &marks, NULL));
    kw_keyring_give(ring);
}

static void admit__serials_missed__taken(void **state)
{
    (void)state;
    struct kw_keyring *ring = good_ring();
    const struct kw_marks marks = marks_of(5, 0xab);
    memset(ring->prev_sha256, 'a', 64);
    CHECK_OK(kw_keyring_admit(ring, "demo", &marks, NULL));
    kw_keyring_give(ring);
}

static void admit__seen_before_or_newer__taken(void **state)
{
    (void)state;
    struct kw_keyring *ring = good_ring();
    const struct kw_marks fresh = {0};
    const struct kw_marks same = {.serial_max = 7, .baseline_max = 2, .active_max = 3};
    CHECK_OK(kw_keyring_admit(ring, "demo", &fresh, NULL));
    CHECK_OK(kw_keyring_admit(ring, "demo", &same, NULL));
    kw_keyring_give(ring);
}

static struct kw_activation act_of(uint32_t n)
{
    struct kw_activation act = {.n = n};
    struct kw_version v = good_version(n, KW_KEY_CREATED);
    CHECK(kw_copy_str(act.key_id, sizeof act.key_id, kw_span_str(v.key_id)));
    return act;
}

static void wraps_with(const struct kw_keyring *ring, const struct kw_activation *act,
                       uint32_t want)
{
    uint32_t n = 77;
    const struct kw_marks marks = {0};
    CHECK_OK(kw_keyring_effective(ring, act, &marks, &n, NULL));
    CHECK(n == want);
}

static void effective__lower_than_seen__refused(void **state)
{
    (void)state;
    uint32_t n = 77;
    struct kw_note note = {{0}};
    struct kw_keyring *ring = good_ring();
    const struct kw_activation none = {0};
    const struct kw_marks marks = {.active_max = 3};
    CHECK_CODE(kw_keyring_effective(ring, &none, &marks, &n, &note), KW_CODE_BAD_INPUT);
    CHECK_HAS(note.text, "version 2");
    CHECK_HAS(note.text, "accept version 3");
    CHECK(n == 77);
    kw_keyring_give(ring);
}

static void effective__act_not_usable_here__baseline(void **state)
{
    (void)state;
    struct kw_keyring *ring = good_ring();
    struct kw_activation act = act_of(9); /* unknown */
    wraps_with(ring, &act, 2);
    act = act_of(3);
    act.key_id[10] = 'f'; /* another key under that number */
    wraps_with(ring, &act, 2);
    act = act_of(3);
    static const enum kw_key_state not_usable[] = {KW_KEY_CREATED, KW_KEY_RETIRED,
                                                   KW_KEY_DISABLED, KW_KEY_DESTROYED};
    for (size_t i = 0; i < 4; i++) {
        kw_keyring_edit(ring, 3)->state = not_usable[i];
        wraps_with(ring, &act, 2);
    }
    kw_keyring_give(ring);
}

static void effective__act_or_baseline__the_higher(void **state)
{
    (void)state;
    struct kw_keyring *ring = good_ring();
    const struct kw_activation none = {0};
    struct kw_activation act = act_of(3);
    wraps_with(ring, &none, 2);
    wraps_with(ring, &act, 3);
    kw_keyring_edit(ring, 1)->state = KW_KEY_ACCEPTED;
    act = act_of(1);
    wraps_with(ring, &act, 2);
    kw_keyring_give(ring);
}

static void effective__nobody_active__none_yet(void **state)
{
    (void)state;
    struct kw_keyring *ring = NULL;
    const struct kw_activation none = {0};
    CHECK_OK(kw_keyring_new("demo", &ring));
    wraps_with(ring, &none, 0);
    kw_keyring_give(ring);
}

KW_CASES("hsm/keyring/admit", CASE(admit__other_domain__refused),
         CASE(admit__older_serial__refused), CASE(admit__lower_baseline__refused),
         CASE(admit__same_serial_other_content__refused),
         CASE(admit__next_serial_of_another_file__refused),
         CASE(admit__serials_missed__taken), CASE(admit__seen_before_or_newer__taken),
         CASE(effective__lower_than_seen__refused),
         CASE(effective__act_not_usable_here__baseline),
         CASE(effective__act_or_baseline__the_higher),
         CASE(effective__nobody_active__none_yet))
