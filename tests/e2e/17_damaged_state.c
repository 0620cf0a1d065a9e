/* SPDX-License-Identifier: Apache-2.0 */
/* 17: a file of the state directory that no keyward wrote.  Log, status, check and the
 * answers name the file and what is wrong with it; nothing is guessed in its place, and a
 * good copy that is put back is enough. */
#include "acts.h"
#include "load.h"

#include <stdio.h>
#include <stdlib.h>

static struct kw_client_reply reply;

static void path_of(const struct instance *h, const char *name, char dst[256])
{
    snprintf(dst, 256, "%s/%s", h->state, name);
}

static void is_refused(struct instance *h)
{
    struct kw_client *c = instance_client(h, h->secrets);
    CHECK_OK(kw_client_encrypt(c, kw_span_str("a seed"), "uid", 10 * KW_S_NS, &reply));
    assert_int_equal(reply.grpc_status, GRPC_UNAVAILABLE);
    CHECK_HAS(reply.message, "the data is intact");
    kw_client_close(c);
}

/* A node that activated version 2 and stopped; what the file held. */
static char *node_with(struct instance *h, const char *name, char path[256])
{
    kw_test_arena(1 << 20);
    instance_build(h, NULL);
    instance_up(h);
    instance_rotate(h, "2");
    assert_int_equal(instance_stop(h), 0);
    path_of(h, name, path);
    return instance_read(path);
}

/* Cut in the middle of a member: what is wrong with it has a line and a column. */
static void damage(const char *path, char why[300])
{
    instance_write(path, "{\"broken\":");
    snprintf(why, 300, "%s: line 1, column 10", path);
}

static void check_says(struct instance *h, const char *why)
{
    static char out[16384];
    assert_int_equal(instance_tool(h, out, sizeof out, "check", NULL), 1);
    CHECK_HAS(out, why);
    CHECK_HAS(out, "put back a good copy");
}

/* Started with the damaged file: nothing serves, and `event` says why. */
static void start_damaged(const char *name, const char *event, const char *at)
{
    struct instance h;
    char path[256], why[300];
    char *good = node_with(&h, name, path);
    damage(path, why);
    size_t mark = instance_mark(&h);
    instance_start(&h, NULL);
    instance_await(&h, mark, NULL, event, at, why, NULL);
    is_refused(&h);
    CHECK_HAS(instance_read_status(&h, 1), why);
    check_says(&h, why);
    instance_write(path, good);
    instance_await(&h, mark, NULL, "event=hsm-state", "to=up", NULL);
    instance_await(&h, mark, NULL, "event=keyring-proven", "active=2", NULL);
    struct kw_client *c = instance_client(&h, h.secrets);
    instance_round_trip(c);
    kw_client_close(c);
    instance_read_status(&h, 0);
    assert_int_equal(instance_stop(&h), 0);
    instance_destroy(&h);
    free(good);
}

TEST(marks__damaged_at_the_start__named_and_served_when_it_is_mended)
{
    start_damaged("marks.json", "event=keyring-rejected", "at=marks.json");
}

TEST(activation__damaged_at_the_start__named_and_served_when_it_is_mended)
{
    start_damaged("activation.json", "event=keyring-rejected", "at=activation.json");
}

TEST(pin_latch__damaged_at_the_start__no_login_named_and_served_when_it_is_mended)
{
    start_damaged("pin-latch.json", "event=worker-failed", "at=pin-latch.json");
}

/* It goes on serving, as it knows what it needs; the next start would not. */
static void damage_while_it_serves(const char *name)
{
    struct instance h;
    char path[256], why[300];
    char *good = node_with(&h, name, path);
    size_t mark = instance_mark(&h);
    instance_start(&h, NULL);
    instance_await(&h, mark, NULL, "event=keyring-proven", "active=2", NULL);
    damage(path, why);
    instance_await(&h, mark, NULL, "event=state-lost", why, NULL);
    struct kw_client *c = instance_client(&h, h.secrets);
    instance_round_trip(c);
    kw_client_close(c);
    CHECK_HAS(instance_read_status(&h, 1), why);
    check_says(&h, why);
    assert_int_equal(instance_stop(&h), 0);
    char *left = instance_read(path);
    CHECK_STR(left, "{\"broken\":"); /* nothing is written over it */
    free(left);
    instance_destroy(&h);
    free(good);
}

TEST(marks__damaged_while_it_serves__named)
{
    damage_while_it_serves("marks.json");
}

TEST(activation__damaged_while_it_serves__named)
{
    damage_while_it_serves("activation.json");
}

TEST(pin_latch__damaged_while_it_serves__named)
{
    damage_while_it_serves("pin-latch.json");
}

KW_CASES(
    "17-damaged-state",
    CASE(marks__damaged_at_the_start__named_and_served_when_it_is_mended),
    CASE(activation__damaged_at_the_start__named_and_served_when_it_is_mended),
    CASE(pin_latch__damaged_at_the_start__no_login_named_and_served_when_it_is_mended),
    CASE(marks__damaged_while_it_serves__named),
    CASE(activation__damaged_while_it_serves__named),
    CASE(pin_latch__damaged_while_it_serves__named))
