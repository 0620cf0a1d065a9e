/* SPDX-License-Identifier: Apache-2.0 */
#include "site.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <keyward/state.h>

static struct site s;

static void make_one(void)
{
    site_make(&s);
    KEYWARD_MUST(&s, 0, "key", "create");
    KEYWARD_MUST(&s, 0, "key", "accept", "1");
    KEYWARD_MUST(&s, 0, "key", "activate", "1", "--second-copy", "opened on token B");
}

static void all_well__zero_and_every_part_named(void **state)
{
    (void)state;
    make_one();
    KEYWARD_MUST(&s, 0, "check");
    CHECK_HAS(s.run.out, "AES-GCM");
    CHECK_HAS(s.run.out, "check blob opens");
    CHECK_HAS(s.run.out, "files 0400, folders 0500");
    CHECK(strstr(s.run.out, "FAIL") == NULL);
    CHECK(site_sealed(s.tokens) >= 5); /* a look leaves the seal as it is */
    site_remove(&s);
}

static void json__the_findings_as_one_document(void **state)
{
    (void)state;
    make_one();
    KEYWARD_MUST(&s, 0, "check", "--json");
    CHECK(s.run.out[0] == '{');
    CHECK_HAS(s.run.out, "\"ok\": true");
    CHECK_HAS(s.run.out, "\"name\": \"seal\"");
    CHECK_HAS(s.run.out, "\"result\": \"warn\""); /* environment: test */
    site_remove(&s);
}

static int unseal(const char *path, const struct stat *st, int kind, struct FTW *at)
{
    (void)st;
    (void)at;
    return chmod(path, kind == FTW_D ? 0700 : 0600);
}

static void unsealed_token__sealed_with_a_warning(void **state)
{
    (void)state;
    make_one();
    CHECK(nftw(s.tokens, unseal, 8, FTW_PHYS) == 0);
    KEYWARD_MUST(&s, 0, "check");
    CHECK_HAS(s.run.out, "warn  seal");
    CHECK_HAS(s.run.out, "0400");
    CHECK(site_sealed(s.tokens) >= 5);
    site_remove(&s);
}

static void the_keys_object_is_gone__fails_with_its_number(void **state)
{
    char aside[160];
    (void)state;
    make_one();
    /* Another token in its place: the same label, and no key. */
    snprintf(aside, sizeof aside, "%s.aside", s.tokens);
    struct site other;
    site_make(&other);
    CHECK(chmod(s.tokens, 0700) == 0 && chmod(other.tokens, 0700) == 0);
    CHECK(rename(s.tokens, aside) == 0 && rename(other.tokens, s.tokens) == 0);
    CHECK(rename(other.pin, s.pin) == 0);
    KEYWARD_MUST(&s, 1, "check");
    CHECK_HAS(s.run.out, "FAIL  key 1");
    site_remove(&other);
    site_remove(&s);
}

static void the_keys_object__copyable_or_not_alone_or_exposed__fails_and_says_so(
    void **state)
{
    struct kw_keyring *ring = NULL;
    char control[160];
    (void)state;
    site_make_liar(&s);
    KEYWARD_MUST(&s, 0, "key", "create");
    KEYWARD_MUST(&s, 0, "key", "create");
    CHECK_OK(kw_keyring_load(s.keyring, &ring, NULL, NULL));
    KEYWARD_MUST(&s, 0, "check");
    snprintf(control, sizeof control, "twin=%s:%s\n", ring->versions[0].key_id,
             ring->versions[1].key_id);
    kw_keyring_give(ring);
    site_tell(&s, control);
    KEYWARD_MUST(&s, 1, "check");
    CHECK_HAS(s.run.out, "FAIL  key 1");
    CHECK_HAS(s.run.out, "has its label too");
    CHECK_HAS(s.run.out, "remove none of them before a backup");
    CHECK(strstr(s.run.out, "FAIL  key 2") == NULL);
    site_tell(&s, "fake=0x171:1\n");
    KEYWARD_MUST(&s, 1, "check");
    CHECK_HAS(s.run.out, "CKA_COPYABLE is true");
    site_tell(&s, "fake=0x162:1\n");
    KEYWARD_MUST(&s, 1, "check");
    CHECK_HAS(s.run.out, "CKA_EXTRACTABLE is true");
    site_remove(&s);
}

static void others_may_write_the_socket_folder__fails(void **state)
{
    char run[160];
    (void)state;
    make_one();
    snprintf(run, sizeof run, "%s/run", s.base);
    CHECK(chmod(run, 0777) == 0);
    KEYWARD_MUST(&s, 1, "check");
    CHECK_HAS(s.run.out, "FAIL  socket folder");
    CHECK(chmod(run, 0755) == 0 && chmod(s.state, 0750) == 0);
    KEYWARD_MUST(&s, 1, "check", "--offline");
    CHECK_HAS(s.run.out, "0750");
    site_remove(&s);
}

/* What the daemon will refuse, check finds: mode, owner and folders. */
static void others_may_change_configuration_or_keyring__fails(void **state)
{
    (void)state;
    make_one();
    CHECK(chmod(s.config, 0646) == 0 && chmod(s.keyring, 0664) == 0);
    KEYWARD_MUST(&s, 1, "check", "--offline");
    CHECK_HAS(s.run.out, "FAIL  config file");
    CHECK_HAS(s.run.out, "mode 0646 lets others change it");
    CHECK_HAS(s.run.out, "FAIL  keyring file");
    CHECK(chmod(s.config, 0644) == 0 && chmod(s.keyring, 0644) == 0);
    CHECK(chmod(s.base, 0775) == 0);
    KEYWARD_MUST(&s, 1, "check", "--offline");
    CHECK_HAS(s.run.out, "mode 0775 lets others exchange");
    CHECK(chmod(s.base, 0755) == 0);
    if (geteuid() == 0) { /* only root can give files away */
        CHECK(chown(s.keyring, 12345, (gid_t)-1) == 0);
        KEYWARD_MUST(&s, 1, "check", "--offline");
        CHECK_HAS(s.run.out, "belongs to uid 12345");
        CHECK(chown(s.keyring, 0, (gid_t)-1) == 0);
    }
    KEYWARD_MUST(&s, 0, "check", "--offline");
    site_remove(&s);
}

static void too_little_locked_memory__a_warning_with_both_numbers(void **state)
{
    struct rlimit old, little;
    (void)state;
    make_one();
    CHECK(getrlimit(RLIMIT_MEMLOCK, &old) == 0);
    little = (struct rlimit){(rlim_t)64 * 1024, old.rlim_max};
    CHECK(setrlimit(RLIMIT_MEMLOCK, &little) == 0);
    KEYWARD_MUST(&s, 0, "check", "--offline");
    CHECK(setrlimit(RLIMIT_MEMLOCK, &old) == 0);
    CHECK_HAS(s.run.out, "warn  locked memory");
    CHECK_HAS(s.run.out, "64 KiB are allowed here");
    CHECK_HAS(s.run.out, "LimitMEMLOCK=");
    site_remove(&s);
}

static void no_version_active__a_warning(void **state)
{
    (void)state;
    site_make(&s);
    KEYWARD_MUST(&s, 0, "key", "create");
    KEYWARD_MUST(&s, 0, "check", "--offline");
    CHECK_HAS(s.run.out, "warn  baseline");
    CHECK(strstr(s.run.out, "login") == NULL);
    site_remove(&s);
}

static void no_keyring__fails(void **state)
{
    (void)state;
    site_make(&s);
    KEYWARD_MUST(&s, 1, "check");
    CHECK_HAS(s.run.out, "FAIL  keyring");
    site_remove(&s);
}

/* As the daemon does when it takes a keyring into use. */
static void raise_marks(void)
{
    struct kw_state_dir *dir = NULL;
    struct kw_keyring *ring = NULL;
    CHECK_OK(kw_keyring_load(s.keyring, &ring, NULL, NULL));
    CHECK_OK(kw_state_open(s.state, &dir, NULL));
    CHECK_OK(kw_state_raise(dir, ring, ring->active, kw_wall_ns(&kw_clock_system), NULL));
    kw_state_close(dir);
    kw_keyring_give(ring);
}

static void keyring_older_than_this_node_has_seen__fails(void **state)
{
    char old[160];
    (void)state;
    make_one();
    snprintf(old, sizeof old, "%s.old", s.keyring);
    CHECK(link(s.keyring, old) == 0);
    KEYWARD_MUST(&s, 0, "key", "create");
    KEYWARD_MUST(&s, 0, "key", "accept", "2");
    KEYWARD_MUST(&s, 0, "key", "activate", "2", "--only-copy", "--now", "--baseline");
    raise_marks();
    KEYWARD_MUST(&s, 0, "key", "list");
    CHECK(rename(old, s.keyring) == 0);
    KEYWARD_MUST(&s, 1, "key", "list");
    CHECK_HAS(s.run.err, "an older file was put back");
    KEYWARD_MUST(&s, 1, "check", "--offline");
    CHECK_HAS(s.run.out, "FAIL  state marks");
    site_remove(&s);
}

KW_CASES("token/cli/check", CASE(all_well__zero_and_every_part_named),
         CASE(json__the_findings_as_one_document),
         CASE(unsealed_token__sealed_with_a_warning),
         CASE(the_keys_object_is_gone__fails_with_its_number),
         CASE(the_keys_object__copyable_or_not_alone_or_exposed__fails_and_says_so),
         CASE(others_may_write_the_socket_folder__fails),
         CASE(others_may_change_configuration_or_keyring__fails),
         CASE(too_little_locked_memory__a_warning_with_both_numbers),
         CASE(no_version_active__a_warning), CASE(no_keyring__fails),
         CASE(keyring_older_than_this_node_has_seen__fails))
