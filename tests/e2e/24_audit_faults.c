/* SPDX-License-Identifier: Apache-2.0 */
/* 24: the audit log's disk hangs, fails, and is taken away while keywardd runs.  Nothing is
 * released meanwhile, Status answers all the time, and the log says afterwards what it does
 * not have. */
#include "acts.h"
#include "audited.h"
#include "bad_disk.h"
#include "kmsraw.h"
#include "load.h"
#include "run.h"
#include "scan.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define CANNOT "the audit log cannot be written now"
#define SEED "0123456789abcdef0123456789abcdef"

static struct kw_client_reply sealed, reply;
static struct bad_disk disk;
static struct kw_client *client;
static char dir[160];

static void begin(struct instance *h)
{
    snprintf(dir, sizeof dir, "%s/audit", h->dir);
    bad_disk_between(&disk, h);
    instance_up(h);
    client = instance_client(h, h->secrets);
    /* Else a late worker's own record may be the one that meets the fault. */
    instance_await_workers(h, 2);
}

static void end(struct instance *h, int verdict)
{
    kw_client_close(client);
    assert_int_equal(instance_stop(h), 0);
    audited_verify(h, dir, verdict);
    instance_destroy(h);
}

static int decrypt_status(void)
{
    CHECK_OK(kw_client_decrypt(client,
                               kw_span_of(sealed.ciphertext, sealed.ciphertext_len),
                               kw_span_str(sealed.key_id), "uid", 10 * KW_S_NS, &reply));
    const int status = reply.grpc_status;
    CHECK((reply.plaintext.len > 0) == (status == 0));
    if (status == 0)
        kw_client_reply_wipe(&reply);
    return status;
}

static int encrypt_status(void)
{
    CHECK_OK(
        kw_client_encrypt(client, kw_span_str("a seed"), "uid", 10 * KW_S_NS, &reply));
    CHECK((reply.ciphertext_len > 0) == (reply.grpc_status == 0));
    return reply.grpc_status;
}

static int ask_status(void)
{
    CHECK_OK(kw_client_status(client, 10 * KW_S_NS, &reply));
    return reply.grpc_status;
}

static void denied(int status)
{
    assert_int_equal(status, GRPC_UNAVAILABLE);
    CHECK_HAS(reply.message, CANNOT);
}

static uint64_t counted(struct instance *h, const char *member)
{
    static char doc[65536];
    instance_status(h, doc, sizeof doc);
    const char *at = strstr(doc, "\"audit\":{");
    CHECK(at != NULL && (at = strstr(at, member)) != NULL);
    return strtoull(at + strlen(member), NULL, 10);
}

/* ---- it hangs ------------------------------------------------------------------------ */

TEST(fdatasync_hangs__nothing_is_released_and_status_answers)
{
    INSTANCE_AND_ARENA(h, NULL);
    begin(&h);
    instance_encrypt(client, kw_span_str(SEED), &sealed);
    size_t mark = instance_mark(&h);
    bad_disk_hang(&disk);
    denied(decrypt_status()); /* on its way to the disk */
    instance_await(&h, mark, NULL, "event=disk-hangs", NULL);
    instance_await(&h, mark, NULL, "event=audit-failed", "audit commit", NULL);
    denied(ask_status());
    denied(encrypt_status());
    denied(decrypt_status());
    denied(ask_status());
    bad_disk_go_on(&disk);
    instance_await(&h, mark, NULL, "event=audit-back", NULL);
    assert_int_equal(ask_status(), 0);
    assert_int_equal(decrypt_status(), 0);
    CHECK(audited_lines(dir, "\"kind\":\"withheld\"") == 1);
    CHECK(audited_lines(dir,
                        "\"kind\":\"unrecorded\",\"method\":\"encrypt\",\"class\":"
                        "\"secrets\",\"code\":14,\"reason\":\"audit\",\"count\":1") == 1);
    CHECK(audited_lines(dir,
                        "\"kind\":\"unrecorded\",\"method\":\"decrypt\",\"class\":"
                        "\"secrets\",\"code\":14,\"reason\":\"audit\",\"count\":1") == 1);
    end(&h, 4);
}

TEST(fdatasync_hangs__what_is_in_memory_is_refused_too)
{
    INSTANCE_AND_ARENA(h, NULL);
    begin(&h);
    instance_encrypt(client, kw_span_str(SEED), &sealed);
    for (unsigned i = 0; i < 2; i++)
        assert_int_equal(decrypt_status(), 0);
    CHECK(audited_lines(dir, "\"source\":\"cache\"") == 1);
    size_t mark = instance_mark(&h);
    bad_disk_hang(&disk);
    denied(decrypt_status());
    instance_await(&h, mark, NULL, "event=disk-hangs", NULL);
    denied(decrypt_status());
    bad_disk_go_on(&disk);
    instance_await(&h, mark, NULL, "event=audit-back", NULL);
    assert_int_equal(decrypt_status(), 0);
    CHECK(audited_lines(dir, "\"source\":\"cache\"") >= 2);
    CHECK(audited_lines(dir, "\"kind\":\"withheld\"") == 1);
    end(&h, 4);
}

TEST(fdatasync_hangs_at_the_end__sigterm_ends_it_all_the_same)
{
    INSTANCE_AND_ARENA(h, NULL);
    begin(&h);
    size_t mark = instance_mark(&h);
    bad_disk_hang(&disk);
    denied(encrypt_status());
    instance_await(&h, mark, NULL, "event=disk-hangs", NULL);
    instance_signal(&h, SIGTERM);
    instance_await(&h, mark, NULL, "event=stopped", NULL);
    instance_await(&h, mark, NULL, "event=audit-unfinished", NULL);
    assert_int_equal(instance_wait_end(&h), 0);
    instance_check_workers_gone(&h, 0);
    bad_disk_go_on(&disk);
    kw_client_close(client);
    instance_up(&h); /* and what it left is put right */
    client = instance_client(&h, h.secrets);
    assert_int_equal(encrypt_status(), 0);
    end(&h, 0);
}

/* Its thread is left behind, and goes on among what the end takes away. */
TEST(fdatasync_hangs_and_fails_at_the_very_end__the_end_is_clean)
{
    INSTANCE_AND_ARENA(h, NULL);
    begin(&h);
    size_t mark = instance_mark(&h);
    bad_disk_hang(&disk);
    denied(encrypt_status());
    instance_await(&h, mark, NULL, "event=disk-hangs", NULL);
    bad_disk_is(&disk, BAD_DISK_EIO);
    instance_signal(&h, SIGTERM);
    instance_await(&h, mark, NULL, "event=audit-unfinished", NULL);
    bad_disk_go_on(&disk);
    assert_int_equal(instance_wait_end(&h), 0);
    kw_client_close(client);
    instance_destroy(&h);
}

/* A fresh seed, which is known only as a needle afterwards. */
static struct scan *seal_unknown(void)
{
    uint8_t seed[32];
    struct scan *scan = scan_new();
    kw_random(seed, sizeof seed);
    scan_add(scan, kw_span_of(seed, sizeof seed));
    instance_encrypt(client, kw_span_of(seed, sizeof seed), &sealed);
    kw_wipe(seed, sizeof seed);
    return scan;
}

/* The daemon stands still while it is looked through. */
static void only_in_the_arena(struct instance *h, const struct scan *scan)
{
    static char doc[65536];
    instance_status(h, doc, sizeof doc);
    const bool is_readable = strstr(doc, "\"backend\":\"mlock\"") != NULL;
    while (counted(h, "\"waiting\":") == 0)
        ;
    instance_signal(h, SIGSTOP);
    const unsigned hits = scan_process(scan, h->daemon, NULL),
                   elsewhere = scan_unlocked(scan, h->daemon, "keywardd");
    instance_signal(h, SIGCONT);
    CHECK(is_readable ? hits > 0 : hits == 0);
    assert_int_equal(elsewhere, 0);
}

TEST(fdatasync_hangs__a_seed_that_waits_lies_in_the_arena_alone)
{
    kw_test_as_root();
    INSTANCE_AND_ARENA(h, NULL);
    begin(&h);
    CHECK(scan_may(h.daemon));
    struct scan *scan = seal_unknown();
    struct h2raw *raw = kmsraw_open(h.secrets);
    size_t mark = instance_mark(&h);
    bad_disk_hang(&disk);
    const uint32_t stream = kmsraw_decrypt(
        raw, kw_span_of(sealed.ciphertext, sealed.ciphertext_len), sealed.key_id, NULL);
    instance_await(&h, mark, NULL, "event=disk-hangs", NULL);
    only_in_the_arena(&h, scan);
    assert_int_equal(kmsraw_outcome(raw, stream), GRPC_UNAVAILABLE);
    assert_int_equal(scan_process(scan, h.daemon, "keywardd"), 0); /* nor in a cache */
    h2raw_free(raw);
    bad_disk_go_on(&disk);
    instance_await(&h, mark, NULL, "event=audit-back", NULL);
    scan_free(scan);
    end(&h, 0);
}

/* ---- it fails ------------------------------------------------------------------------ */

TEST(fdatasync_fails_once__a_new_file_says_so)
{
    INSTANCE_AND_ARENA(h, NULL);
    begin(&h);
    instance_encrypt(client, kw_span_str(SEED), &sealed);
    size_t mark = instance_mark(&h);
    bad_disk_is(&disk, BAD_DISK_EIO_ONCE);
    denied(decrypt_status());
    instance_await(&h, mark, NULL, "event=audit-failed", "audit fdatasync", NULL);
    instance_await(&h, mark, NULL, "event=audit-back", NULL);
    assert_int_equal(decrypt_status(), 0);
    CHECK(audited_lines(dir, "\"kind\":\"file\"") == 1);
    CHECK(audited_lines(dir, "\"kind\":\"unsynced\"") == 1);
    end(&h, 4);
}

static void fails_until_it_is_lifted(enum bad_disk_state state, const char *where)
{
    INSTANCE_AND_ARENA(h, NULL);
    begin(&h);
    instance_encrypt(client, kw_span_str(SEED), &sealed);
    size_t mark = instance_mark(&h);
    bad_disk_is(&disk, state);
    denied(decrypt_status());
    instance_await(&h, mark, NULL, "event=audit-failed", where, NULL);
    denied(encrypt_status());
    denied(decrypt_status());
    denied(ask_status());
    bad_disk_is(&disk, BAD_DISK_GOOD);
    instance_await(&h, mark, NULL, "event=audit-back", NULL);
    assert_int_equal(decrypt_status(), 0);
    assert_int_equal(ask_status(), 0);
    CHECK(counted(&h, "\"unrecorded\":") == 3);
    end(&h, 4);
}

TEST(fdatasync_fails_for_ever__denied_until_it_does_not)
{
    fails_until_it_is_lifted(BAD_DISK_EIO, "audit fdatasync");
}

TEST(write_is_cut_short__denied_until_there_is_room)
{
    fails_until_it_is_lifted(BAD_DISK_FULL, "audit write");
}

/* ---- it is not there ----------------------------------------------------------------- */

TEST(folder_is_taken_away__denied_until_there_is_one_again)
{
    static struct kw_run run;
    INSTANCE_AND_ARENA(h, NULL);
    begin(&h);
    instance_encrypt(client, kw_span_str(SEED), &sealed);
    size_t mark = instance_mark(&h);
    instance_signal(&h, SIGSTOP); /* else it may make a file while they go */
    kw_run_line(&run, 0, "/bin/rm", "-r %s", dir);
    instance_signal(&h, SIGCONT);
    denied(decrypt_status());
    instance_await(&h, mark, NULL, "event=audit-failed", "audit folder", NULL);
    CHECK(mkdir(dir, 0777) == 0 && chmod(dir, 0777) == 0);
    CHECK(chown(dir, h.uid, (gid_t)-1) == 0);
    instance_await(&h, mark, NULL, "event=audit-failed", "denied", NULL);
    denied(encrypt_status());
    CHECK(chmod(dir, 0750) == 0);
    instance_await(&h, mark, NULL, "event=audit-back", NULL);
    assert_int_equal(decrypt_status(), 0);
    CHECK(audited_lines(dir, "\"kind\":\"file\"") == 1);
    CHECK(audited_lines(dir, "\"kind\":\"tampered\",\"what\":\"moved\"") == 1);
    CHECK(audited_lines(dir, "\"reason\":\"ok\"") == 1);
    end(&h, 4);
}

KW_SUITE("24-audit-faults")
