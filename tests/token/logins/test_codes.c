/* SPDX-License-Identifier: Apache-2.0 */
/* Whatever C_Login answers to a PIN that never worked here: one login in three starts. */
#include <stdio.h>
#include <unistd.h>

#include <keyward/token.h>

#include "node.h"

enum {
    CODES_MAX = 0x220,
    OK = 0,
    ALREADY = 0x100 /* CKR_USER_ALREADY_LOGGED_IN: success */
};
static struct instance h;

static bool has_name(uint32_t rv)
{
    char name[48];
    kw_ckr_name(rv, name);
    return strncmp(name, "CKR_0x", 6) != 0;
}

static void forget(void)
{
    char path[256];
    snprintf(path, sizeof path, "%s/pin-latch.json", h.state);
    CHECK(unlink(path) == 0);
    node_forget_count(&h);
}

static void one_in_three(uint32_t rv)
{
    char lie[64];
    snprintf(lie, sizeof lie, "C_Login rv=0x%x\n", rv);
    instance_fault_set(&h, lie);
    node_start_mixed(&h, 3);
    if (node_logins(&h) != 1)
        fail_msg("0x%x: %u logins in three starts", rv, node_logins(&h));
    forget();
}

/* The codes are dealt to the cases, so that they run beside each other. */
static void every_nth(unsigned first, unsigned step)
{
    unsigned nth = 0;
    node_make(&h);
    for (uint32_t rv = 0; rv < CODES_MAX; rv++)
        if (rv != OK && rv != ALREADY && has_name(rv) && nth++ % step == first)
            one_in_three(rv);
    node_remove(&h);
    CHECK(nth > 80); /* they have names */
}

TEST(each_code__first_third__one)
{
    every_nth(0, 3);
}

TEST(each_code__second_third__one)
{
    every_nth(1, 3);
}

TEST(each_code__last_third__one)
{
    every_nth(2, 3);
}

TEST(code_of_a_vendor_or_unknown__one)
{
    node_make(&h);
    one_in_three(0x80000000);
    one_in_three(0x8000cafe);
    one_in_three(0x7777);
    node_remove(&h);
}

KW_CASES("logins/codes", CASE(each_code__first_third__one),
         CASE(each_code__second_third__one), CASE(each_code__last_third__one),
         CASE(code_of_a_vendor_or_unknown__one))
