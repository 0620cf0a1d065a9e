/* SPDX-License-Identifier: Apache-2.0 */
/* 30: keyward support of a real daemon that runs, hangs and is dead: what is looked for in
 * the bytes of the file, padding and all, is nowhere. */
#include "acts.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <keyward/file.h>

#include "run.h"

#define MARKER "planted-7Q2kX9"

static const uint8_t seed[32] = "seed-of-the-ticket-7Q2kX9-marker";
static struct kw_run r;
static char archive[160];

static void in_environment(void *unused)
{
    (void)unused;
    (void)setenv("SUPPORT_MARKER", MARKER, 1);
}

static void support_begin(struct instance *h)
{
    kw_test_arena(1 << 20);
    instance_build(h, NULL);
    instance_edit(h, "env: {", "env: {VENDOR_PASSWORD: " MARKER ", ");
    instance_edit(h, "domain: demo", "# " MARKER "\ndomain: demo");
    h->in_child = in_environment;
    snprintf(archive, sizeof archive, "%.100s/ticket.tar", h->dir);
}

static void make(struct instance *h)
{
    static char out[16384];
    const int status =
        instance_tool(h, out, sizeof out, "support", "--out", archive, NULL);
    if (status != 0)
        fail_msg("exit status %d:\n%s", status, out);
}

static const char *member(const char *name)
{
    char path[128];
    snprintf(path, sizeof path, "keyward-support/%s", name);
    kw_run(&r, (const char *const[]){"/bin/tar", "xOf", archive, path, NULL});
    CHECK(r.status == 0);
    return r.out;
}

static void has_not(kw_span all, kw_span what)
{
    if (memmem(all.ptr, all.len, what.ptr, what.len) != NULL)
        fail_msg("the archive has \"%.*s\"", (int)what.len, (const char *)what.ptr);
}

static void check_clean(const struct instance *h)
{
    struct kw_blob all = {0}, pin = {0};
    char hex[2 * sizeof seed + 1];
    CHECK_OK(kw_file_read(archive, (size_t)64 << 20, &all, NULL));
    CHECK_OK(kw_file_read(h->pin, 4096, &pin, NULL));
    CHECK(pin.len > 4);
    const size_t end = pin.len - (pin.ptr[pin.len - 1] == '\n');
    kw_hex(hex, sizeof hex, kw_span_of(seed, sizeof seed));
    has_not(kw_blob_peek(&all), kw_span_of(pin.ptr, end));
    has_not(kw_blob_peek(&all), kw_span_str(MARKER));
    has_not(kw_blob_peek(&all), kw_span_of(seed, sizeof seed));
    has_not(kw_blob_peek(&all), kw_span_str(hex));
    kw_blob_wipe(&all);
    kw_blob_wipe(&pin);
}

TEST(running__all_members_and_no_secret)
{
    static struct instance h;
    struct kw_client_reply sealed;
    support_begin(&h);
    instance_up(&h);
    struct kw_client *c = instance_client(&h, h.secrets);
    instance_encrypt(c, kw_span_of(seed, sizeof seed), &sealed);
    kw_client_close(c);
    make(&h);
    check_clean(&h);
    struct kw_blob all = {0};
    CHECK_OK(kw_file_read(archive, (size_t)64 << 20, &all, NULL));
    has_not(kw_blob_peek(&all), kw_span_of(sealed.ciphertext, sealed.ciphertext_len));
    kw_blob_wipe(&all);
    CHECK_HAS(member("status.json"), "\"state\":\"up\"");
    CHECK_HAS(member("check.json"), "\"findings\"");
    CHECK_HAS(member("keys.json"), "\"key_id_hash\": \"sha256:");
    CHECK_HAS(member("keyward.yaml"), "pin: file:[redacted]");
    CHECK_HAS(member("keyward.yaml"), "domain: demo\n");
    CHECK_HAS(member("versions.txt"), "libsofthsm2.so");
    CHECK_HAS(member("files.txt"), "marks.json");
    CHECK_HAS(member("processes.txt"), "VmLck:");
    CHECK_HAS(member("processes.txt"), "Max locked memory");
    CHECK_HAS(member("README.txt"), "Left out, always:");
    assert_int_equal(instance_stop(&h), 0);
    instance_destroy(&h);
}

TEST(hung__what_does_not_answer_is_said_and_the_rest_is_there)
{
    static struct instance h;
    support_begin(&h);
    instance_up(&h);
    instance_signal(&h, SIGSTOP);
    make(&h);
    instance_signal(&h, SIGCONT);
    check_clean(&h);
    CHECK_HAS(member("README.txt"), "status: ");
    CHECK_HAS(member("README.txt"), "no answer came: the daemon hangs");
    CHECK_HAS(member("processes.txt"), "stopped");
    CHECK_HAS(member("keys.json"), "\"versions\"");
    assert_int_equal(instance_stop(&h), 0);
    instance_destroy(&h);
}

/* The message of the configuration's error has the key that is none, and check.json the
 * message. */
TEST(dead__a_configuration_with_the_pin_in_it__still_no_secret)
{
    static struct instance h;
    struct kw_blob pin = {0};
    char with[256];
    support_begin(&h);
    CHECK_OK(kw_file_read(h.pin, 128, &pin, NULL));
    snprintf(with, sizeof with,
             "pin: %.*s\n      old-pin: ", (int)strcspn((const char *)pin.ptr, "\n"),
             (const char *)pin.ptr);
    instance_edit(&h, "pin: ", with);
    instance_edit(&h, "environment: test", MARKER ": 1\nenvironment: test");
    make(&h);
    check_clean(&h);
    CHECK_HAS(member("keyward.yaml"), "[unknown key]: [redacted]\nenvironment: test");
    CHECK_HAS(member("keyward.yaml"), "[unknown key]: [redacted]");
    CHECK_HAS(member("check.json"), "[redacted]");
    CHECK_HAS(member("README.txt"), "is keywardd running?");
    CHECK_HAS(member("files.txt"), "activation.json");
    kw_blob_wipe(&pin);
    instance_destroy(&h);
}

TEST(service_user__what_it_may_not_see_is_said)
{
    static struct instance h;
    char tool[512], uid[48], gid[48];
    kw_test_as_root();
    support_begin(&h);
    instance_lend(&h, KW_TOOL, "keyward", tool);
    instance_up(&h);
    snprintf(archive, sizeof archive, "%.100s/run/ticket.tar", h.dir);
    snprintf(uid, sizeof uid, "--reuid=%u", h.uid);
    snprintf(gid, sizeof gid, "--regid=%u", h.uid);
    kw_run(&r, (const char *const[]){"/usr/bin/setpriv", uid, gid, "--clear-groups", tool,
                                     "support", "--out", archive, "--config", h.config,
                                     NULL});
    if (r.status != 0)
        fail_msg("exit status %d:\n%s%s", r.status, r.out, r.err);
    check_clean(&h);
    CHECK_HAS(member("status.json"), "\"state\":\"up\"");
    CHECK_HAS(member("files.txt"), "marks.json");
    assert_int_equal(instance_stop(&h), 0);
    instance_destroy(&h);
}

KW_CASES("30-support", CASE(running__all_members_and_no_secret),
         CASE(hung__what_does_not_answer_is_said_and_the_rest_is_there),
         CASE(dead__a_configuration_with_the_pin_in_it__still_no_secret),
         CASE(service_user__what_it_may_not_see_is_said))
