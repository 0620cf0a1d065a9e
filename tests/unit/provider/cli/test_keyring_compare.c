/* SPDX-License-Identifier: Apache-2.0 */
/* keyward keyring compare, on files in a folder and nothing else. */
#include "check.h"

#include <stdio.h>
#include <unistd.h>

#include <keyward/file.h>
#include <keyward/keyring.h>

#include "run.h"

static struct kw_run r;
static char dir[64];
static char a[96], b[96], c[96];

#define COMPARE(...)                                                                     \
    kw_run(&r, (const char *const[]){KEYWARD, "keyring", "compare", __VA_ARGS__, NULL})

static void copy(const char *from, const char *to)
{
    struct kw_blob file = {0};
    CHECK_OK(kw_file_read(from, KW_KEYRING_MAX, &file, NULL));
    CHECK_OK(kw_file_replace(to, kw_blob_peek(&file), 0644, NULL));
    kw_blob_wipe(&file);
}

/* One act more in the file at `path`; the first makes it. */
static void act(const char *path, const char *who)
{
    struct kw_keyring *ring = NULL, *next = NULL;
    bool there = access(path, F_OK) == 0;
    if (there) {
        CHECK_OK(kw_keyring_load(path, &ring, NULL, NULL));
        CHECK_OK(kw_keyring_dup(ring, &next));
    } else {
        CHECK_OK(kw_keyring_new("cluster", &next));
    }
    struct kw_history h = {.serial = next->serial + 1,
                           .act = "create",
                           .n = (uint32_t)next->serial + 1,
                           .at = "2026-11-26T12:00:00.000000Z",
                           .tool = "keyward 0.1.0"};
    snprintf(h.by, sizeof h.by, "%s", who);
    next->next_n = h.n + 1;
    CHECK_OK(kw_keyring_record(next, &h));
    CHECK_OK(kw_keyring_save(path, next, there ? ring->sha256 : NULL, NULL));
    kw_keyring_give(next);
    kw_keyring_give(ring);
}

static void begin(void)
{
    snprintf(dir, sizeof dir, "/tmp/keyward-compare-XXXXXX");
    CHECK(mkdtemp(dir) != NULL);
    snprintf(a, sizeof a, "%s/a.json", dir);
    snprintf(b, sizeof b, "%s/b.json", dir);
    snprintf(c, sizeof c, "%s/c.json", dir);
    act(a, "Ada");
    act(a, "Ada");
    copy(a, b);
}

static void end(void)
{
    static const char *const names[] = {"a.json", "b.json", "c.json", "a.json.lock",
                                        "b.json.lock"};
    char path[128];
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        snprintf(path, sizeof path, "%s/%s", dir, names[i]);
        unlink(path);
    }
    CHECK(rmdir(dir) == 0);
}

static void write_status(const char *path, const char *domain, unsigned serial,
                         const char *of)
{
    char hex[65] = "", text[256];
    struct kw_keyring *ring = NULL;
    if (of != NULL) {
        CHECK_OK(kw_keyring_load(of, &ring, NULL, NULL));
        kw_hex(hex, sizeof hex, kw_span_of(ring->sha256, 32));
        kw_keyring_give(ring);
    }
    snprintf(text, sizeof text,
             "{\"domain\": \"%s\", \"keyring\": {\"serial\": %u, \"sha256\": \"%s\"}}",
             domain, serial, hex);
    CHECK_OK(kw_file_replace(path, kw_span_str(text), 0644, NULL));
}

TEST(one_file_or_none__wrong_usage)
{
    begin();
    kw_run(&r, (const char *const[]){KEYWARD, "keyring", "compare", NULL});
    CHECK(r.status == 2);
    COMPARE(a);
    CHECK(r.status == 2);
    CHECK_HAS(r.err, "at least two");
    end();
}

TEST(file_that_is_none__its_name_and_nothing_compared)
{
    begin();
    COMPARE(a, c);
    CHECK(r.status == 3);
    CHECK_HAS(r.err, "c.json");
    CHECK_STR(r.out, "");
    CHECK_OK(kw_file_replace(c, kw_span_str("{}"), 0644, NULL));
    COMPARE(a, c);
    CHECK(r.status == 1);
    COMPARE(a, "--status", c);
    CHECK(r.status == 1);
    CHECK_HAS(r.err, "save what keyward status --json prints");
    write_status(c, "an\\u001b[31mother", 2, a); /* it would be shown */
    COMPARE(a, "--status", c);
    CHECK(r.status == 1);
    CHECK_HAS(r.err, "no status of a keyward");
    end();
}

TEST(all_the_same__zero)
{
    begin();
    write_status(c, "cluster", 2, a);
    COMPARE(a, b, "--status", c);
    CHECK(r.status == 0);
    CHECK_HAS(r.out, "same        ");
    CHECK(strstr(r.out, "next:") == NULL);
    COMPARE(a, "--status", c, "--json", "--config", "/nonexistent");
    CHECK(r.status == 0);
    CHECK_HAS(r.out, "\"ok\": true");
    CHECK_HAS(r.out, "\"kind\": \"status\"");
    end();
}

TEST(one_behind__since_which_act_and_the_copy)
{
    char want[256];
    begin();
    act(a, "Bob");
    act(a, "Cleo");
    COMPARE(b, a);
    CHECK(r.status == 1);
    CHECK_HAS(r.out, "behind      ");
    CHECK_HAS(r.out,
              "since then: create 3 by Bob (serial 3), create 4 by Cleo (serial 4)");
    snprintf(want, sizeof want, "  install -m 0644 %s KEYRING.new && mv KEYRING.new ", a);
    CHECK_HAS(r.out, want);
    CHECK(strstr(r.out, "trust") == NULL);
    write_status(c, "cluster", 2, b);
    COMPARE(a, "--status", c);
    CHECK_HAS(r.out,
              "since then: create 3 by Bob (serial 3), create 4 by Cleo (serial 4)");
    end();
}

TEST(changed_in_two_places__both_acts_and_the_last_common_serial)
{
    begin();
    act(a, "Bob");
    act(b, "Eve");
    act(b, "Eve");
    COMPARE(a, b);
    CHECK(r.status == 1);
    CHECK_HAS(r.out, "forked      ");
    CHECK_HAS(r.out, "both were made from serial 2\n");
    CHECK_HAS(r.out, "a.json did: create 3 by Bob (serial 3)\n");
    CHECK_HAS(r.out,
              "b.json did: create 3 by Eve (serial 3), create 4 by Eve (serial 4)");
    CHECK_HAS(r.out, "  keyward keyring trust ");
    COMPARE(a, b, "--json");
    CHECK_HAS(r.out, "\"is\": \"forked\"");
    CHECK_HAS(r.out, "\"common_serial\": 2");
    CHECK_HAS(r.out, "\"by\": \"Bob\"");
    COMPARE(a, b, "--config", "/etc/an other.yaml");
    CHECK_HAS(r.out, " --config '/etc/an other.yaml'\n");
    write_status(c, "cluster", 3, a); /* of a file that is there as well */
    COMPARE(a, b, "--status", c);
    CHECK_HAS(r.out, "  keyward keyring trust ");
    COMPARE(b, "--status", c); /* nobody knows what it seals under */
    CHECK(strstr(r.out, "keyring trust") == NULL);
    CHECK_HAS(r.out, "bring the keyring file of that node too");
    end();
}

TEST(help__says_what_config_is_for)
{
    COMPARE("--help");
    CHECK(r.status == 0);
    CHECK_HAS(r.out, "--config FILE            for the commands that it prints");
    CHECK(strstr(r.out, "the configuration (") == NULL);
}

TEST(of_no_file_given__not_known_and_said_so)
{
    begin();
    act(b, "Bob");
    write_status(c, "cluster", 3, b);
    COMPARE(a, "--status", c);
    CHECK(r.status == 1);
    CHECK_HAS(r.out, "later than every file given here");
    write_status(c, "cluster", 0, NULL);
    COMPARE(a, "--status", c);
    CHECK(r.status == 1);
    CHECK_HAS(r.out, "it has taken no keyring");
    write_status(c, "another", 2, a);
    COMPARE(a, "--status", c);
    CHECK(r.status == 1);
    CHECK_HAS(r.out, "of domain another");
    end();
}

KW_CASES("provider/cli/keyring_compare", CASE(one_file_or_none__wrong_usage),
         CASE(file_that_is_none__its_name_and_nothing_compared), CASE(all_the_same__zero),
         CASE(one_behind__since_which_act_and_the_copy),
         CASE(changed_in_two_places__both_acts_and_the_last_common_serial),
         CASE(help__says_what_config_is_for),
         CASE(of_no_file_given__not_known_and_said_so))
