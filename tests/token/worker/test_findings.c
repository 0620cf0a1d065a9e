/* SPDX-License-Identifier: Apache-2.0 */
/* What happens to a key object while it is in use, with real processes. */
#include <signal.h>
#include <stdio.h>

#include "world.h"

static struct world w;

static bool two_ready(struct world *x)
{
    return is_up(x) && ready_count(x) == 2;
}

static void begin(void)
{
    world_make_patient(&w);
    world_start(&w);
    world_until(&w, two_ready);
}

/* The fault module: before, the version's label, after. */
static void tell(const char *before, uint32_t n, const char *after)
{
    char control[256];
    snprintf(control, sizeof control, "%s%s\n%s", before, world_key_id(&w, n), after);
    kw_fault_set(&w.hsm, control);
}

static kw_err version(uint32_t n)
{
    struct kw_hsm_version v;
    kw_lock_take(&w.lock);
    kw_err e = w.door.ops->version(w.door.hsm, kw_span_str(world_key_id(&w, n)), &v);
    kw_lock_give(&w.lock);
    return e;
}

static struct kw_front_version_status row(uint32_t n)
{
    static struct kw_front_status s;
    kw_front_status(w.front, &s);
    return s.versions[n - 1];
}

static bool is_bad_2(struct world *x)
{
    (void)x;
    return version(2).code == KW_CODE_KEY_BAD;
}

static bool is_good_1(struct world *x)
{
    (void)x;
    return !kw_failed(version(1));
}

static bool is_good_2(struct world *x)
{
    (void)x;
    return !kw_failed(version(2));
}

static bool is_duplicate_2(struct world *x)
{
    (void)x;
    return strcmp(row(2).found, "duplicate-label") == 0;
}

static bool nothing_found_2(struct world *x)
{
    (void)x;
    return row(2).found[0] == '\0';
}

/* So many calls of it from now on, by any worker. */
static void await_calls(const char *function, unsigned more)
{
    unsigned until = kw_fault_count(&w.hsm, function) + more;
    while (kw_fault_count(&w.hsm, function) < until)
        CHECK(event_base_loop(w.loop, EVLOOP_ONCE) == 0);
}

static void await_canaries(void)
{
    await_calls("C_Decrypt", 12);
}

/* Whichever worker a job goes to. */
static void nothing_is_done_under(uint32_t n, const struct parcel *old)
{
    struct parcel p;
    for (int i = 0; i < 6; i++) {
        CHECK(kw_failed(world_wrap(&w, n, &p)));
        CHECK(p.sealed_len == 0);
        CHECK(kw_failed(world_unwrap(&w, old)));
    }
}

static void all_is_done_under(uint32_t n, const struct parcel *old)
{
    struct parcel p;
    for (int i = 0; i < 6; i++) {
        world_sealed(&w, n, &p);
        CHECK_OK(world_unwrap(&w, &p));
        CHECK_OK(world_unwrap(&w, old));
    }
}

/* ---- a key that may leave the token ---- */

TEST(extractable_since__ends_at_every_worker_and_comes_back)
{
    struct parcel one, two;
    begin();
    world_sealed(&w, 1, &one);
    CHECK_OK(world_wrap(&w, 2, &two));
    tell("fake=0x162:1\nfakefor=", 2, "");
    world_until(&w, is_bad_2);
    CHECK_STR(row(2).found, "exposed");
    CHECK_HAS(row(2).reason, "CKA_EXTRACTABLE is true");
    CHECK(world_health(&w).active_err.code == KW_CODE_KEY_BAD);
    nothing_is_done_under(2, &two);
    all_is_done_under(1, &one);
    CHECK(is_up(&w) && world_health(&w).losses == 0);
    kw_fault_set(&w.hsm, "");
    world_until(&w, is_good_2);
    all_is_done_under(2, &two);
    CHECK(world_logins(&w) == 2); /* no new worker was needed for any of it */
    world_end(&w);
}

TEST(extractable_for_one_worker__the_others_canaries_lift_nothing)
{
    struct parcel two;
    char only[64];
    begin();
    CHECK_OK(world_wrap(&w, 2, &two));
    pid_t finder = ready_pid(&w, 0);
    snprintf(only, sizeof only, "only=%d\nC_Login hang\n", (int)finder);
    tell("fake=0x162:1\nfakefor=", 2, only);
    world_until(&w, is_bad_2);
    nothing_is_done_under(2, &two);
    CHECK(kill(finder, SIGKILL) == 0);
    await_canaries(); /* of the other one, which has seen nothing: it is asked now */
    CHECK_CODE(version(2), KW_CODE_KEY_BAD);
    nothing_is_done_under(2, &two);
    kw_fault_set(&w.hsm, "");
    world_until(&w, is_good_2); /* the successor is through its login, and looked */
    all_is_done_under(2, &two);
    world_end(&w);
}

/* No canary is near. */
TEST(session_lost__what_is_found_again_may_leave_the_token__nothing_released)
{
    struct parcel one, two;
    world_make_patient(&w);
    w.options.times.probe_every_ns = 60 * KW_S_NS;
    world_start(&w);
    world_until(&w, two_ready);
    world_sealed(&w, 1, &one);
    CHECK_OK(world_wrap(&w, 2, &two));
    tell("C_DecryptInit rv=0xb3 count=1\nfake=0x162:1\nfakefor=", 1, "");
    CHECK_CODE(world_unwrap(&w, &one), KW_CODE_KEY_BAD);
    CHECK_CODE(version(1), KW_CODE_KEY_BAD);
    CHECK_STR(row(1).found, "exposed");
    nothing_is_done_under(1, &one);
    all_is_done_under(2, &two);
    CHECK(world_logins(&w) == 2 && is_up(&w));
    world_end(&w);
}

/* ---- another object ---- */

TEST(replaced_while_in_use__nothing_released_under_the_new_one)
{
    struct parcel two;
    begin();
    CHECK_OK(world_wrap(&w, 2, &two));
    world_forget_key(&w, 2);
    world_make_key(&w, 2); /* the same label and locator, other bytes */
    nothing_is_done_under(2, &two);
    world_until(&w, is_bad_2);
    CHECK_STR(row(2).found, "replaced");
    CHECK(is_lost(&w));
    world_end(&w);
}

TEST(replaced_for_one_worker__the_others_canaries_are_no_proof)
{
    struct parcel two;
    char only[64];
    begin();
    CHECK_OK(world_wrap(&w, 2, &two));
    pid_t finder = ready_pid(&w, 0);
    snprintf(only, sizeof only, ":%s\nonly=%d\nC_Login hang\n", world_key_id(&w, 1),
             (int)finder);
    char control[256];
    snprintf(control, sizeof control, "swap=%s%s", world_key_id(&w, 2), only);
    kw_fault_set(&w.hsm, control);
    world_until(&w, is_lost);
    CHECK_CODE(version(2), KW_CODE_KEY_BAD);
    CHECK(kill(finder, SIGKILL) == 0);
    await_canaries();
    CHECK(is_lost(&w));
    CHECK_CODE(version(2), KW_CODE_KEY_BAD);
    kw_fault_set(&w.hsm, "");
    world_until(&w, is_up);
    all_is_done_under(2, &two);
    world_end(&w);
}

TEST(duplicate_label__told_and_served_on__also_by_new_workers)
{
    struct parcel two;
    begin();
    CHECK_OK(world_wrap(&w, 2, &two));
    for (int i = 0; i < 3; i++) /* some of them will be found before ours */
        world_add_twin(&w, 2);
    world_until(&w, is_duplicate_2);
    all_is_done_under(2, &two);
    for (int i = 0; i < 2; i++) {
        CHECK(kill(ready_pid(&w, 0), SIGKILL) == 0);
        while (ready_count(&w) == 2)
            CHECK(event_base_loop(w.loop, EVLOOP_ONCE) == 0);
        world_until(&w, two_ready);
    }
    CHECK(is_duplicate_2(&w));
    all_is_done_under(2, &two);
    CHECK(world_health(&w).losses == 0);
    world_end(&w);
}

TEST(duplicate_label__gone_again__told_no_more)
{
    char control[256];
    begin();
    snprintf(control, sizeof control, "twin=%s:%s\n", world_key_id(&w, 2),
             world_key_id(&w, 1));
    kw_fault_set(&w.hsm, control);
    world_until(&w, is_duplicate_2);
    kw_fault_set(&w.hsm, "");
    world_until(&w, nothing_found_2);
    CHECK(is_good_2(&w));
    world_end(&w);
}

/* ---- one version that the token, or the keyring's file, is odd about ---- */

TEST(unused_version_makes_the_token_stumble__others_serve_and_workers_stay)
{
    struct parcel two;
    world_make_patient(&w);
    tell("deadkey=", 1, "");
    world_start(&w);
    world_until(&w, two_ready);
    CHECK_CODE(version(1), KW_CODE_KEY_BAD);
    CHECK_HAS(row(1).reason, "version 1 alone");
    CHECK_OK(world_wrap(&w, 2, &two));
    await_canaries();
    all_is_done_under(2, &two);
    CHECK(world_logins(&w) == 2 && world_health(&w).losses == 0);
    kw_fault_set(&w.hsm, "");
    world_until(&w, is_good_1);
    CHECK(world_logins(&w) == 2);
    world_end(&w);
}

TEST(check_blob_of_zero_iv__only_that_version_is_bad)
{
    struct kw_envelope env;
    struct parcel two;
    world_make_patient(&w);
    struct kw_version *v = kw_keyring_edit(w.ring, 1);
    CHECK_OK(kw_envelope_parse(kw_span_of(v->check_blob, v->check_blob_len), &env));
    memset(v->check_blob + (env.iv.ptr - v->check_blob), 0, env.iv.len);
    world_write_ring(&w);
    world_start(&w);
    world_until(&w, two_ready);
    CHECK_CODE(version(1), KW_CODE_KEY_BAD);
    CHECK_STR(row(1).found, "replaced");
    CHECK_OK(world_wrap(&w, 2, &two));
    await_canaries();
    all_is_done_under(2, &two);
    CHECK(world_logins(&w) == 2 && world_health(&w).losses == 0);
    world_end(&w);
}

KW_CASES("worker/findings", CASE(extractable_since__ends_at_every_worker_and_comes_back),
         CASE(extractable_for_one_worker__the_others_canaries_lift_nothing),
         CASE(session_lost__what_is_found_again_may_leave_the_token__nothing_released),
         CASE(replaced_while_in_use__nothing_released_under_the_new_one),
         CASE(replaced_for_one_worker__the_others_canaries_are_no_proof),
         CASE(duplicate_label__told_and_served_on__also_by_new_workers),
         CASE(duplicate_label__gone_again__told_no_more),
         CASE(unused_version_makes_the_token_stumble__others_serve_and_workers_stay),
         CASE(check_blob_of_zero_iv__only_that_version_is_bad))
