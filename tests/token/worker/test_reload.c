/* SPDX-License-Identifier: Apache-2.0 */
/* Reload = replacement, with real processes. */
#include "world.h"

static struct world w;

static bool two_ready(struct world *x)
{
    return is_up(x) && ready_count(x) == 2;
}

static void use(void)
{
    world_write_ring(&w);
    CHECK_OK(kw_front_use(w.front, w.ring, kw_blob_peek(&w.bytes), w.ring->active));
}

TEST(new_version__accepted_then_active__nothing_fails_meanwhile)
{
    struct parcel old, p;
    world_make(&w);
    world_start(&w);
    world_until(&w, two_ready);
    CHECK_OK(world_wrap(&w, 2, &old));
    world_add_version(&w, 3, KW_KEY_ACCEPTED);
    use();
    CHECK(!not_coming(&w));
    while (!not_coming(&w))
        CHECK_OK(world_unwrap(&w, &old));
    CHECK(world_health(&w).active_n == 2);
    world_sealed(&w, 3, &p); /* readable everywhere before anybody writes with it */
    CHECK_OK(world_unwrap(&w, &p));
    world_activate(&w, 3);
    use();
    world_until(&w, not_coming);
    CHECK(world_health(&w).active_n == 3);
    CHECK_OK(world_unwrap(&w, &p));
    CHECK_OK(world_unwrap(&w, &old));
    CHECK(world_health(&w).losses == 0);
    world_end(&w);
}

static bool has_reason(struct world *x)
{
    struct kw_front_status s;
    kw_front_status(x->front, &s);
    return s.coming_up && s.reason[0] != '\0';
}

TEST(active_key_not_there__old_keyring_serves_on_then_a_cured_one)
{
    struct parcel old;
    world_make(&w);
    world_start(&w);
    world_until(&w, two_ready);
    CHECK_OK(world_wrap(&w, 2, &old));
    world_add_version(&w, 3, KW_KEY_ACCEPTED);
    world_activate(&w, 3);
    world_forget_key(&w, 3);
    use();
    world_until(&w, has_reason);
    CHECK(is_up(&w) && world_health(&w).active_n == 2);
    CHECK_OK(world_unwrap(&w, &old));
    world_activate(&w, 2);
    use(); /* replaces the one that does not come up */
    world_until(&w, not_coming);
    CHECK(is_up(&w) && world_health(&w).active_n == 2);
    CHECK_OK(world_unwrap(&w, &old));
    world_end(&w);
}

KW_CASES("worker/reload",
         CASE(new_version__accepted_then_active__nothing_fails_meanwhile),
         CASE(active_key_not_there__old_keyring_serves_on_then_a_cured_one))
