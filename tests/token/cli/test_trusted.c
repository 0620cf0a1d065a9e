/* SPDX-License-Identifier: Apache-2.0 */
/* A keyring or a configuration that others could have changed: keywardd does not read it,
 * so the tool copies it nowhere and changes nothing on its word. */
#include "words.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <keyward/file.h>

static struct site s;

static void make_one(void)
{
    site_make(&s);
    KEYWARD_MUST(&s, 0, "key", "create");
    site_take_ring(&s, 0, 0);
}

static void read_ring(struct kw_blob *ret)
{
    CHECK_OK(kw_file_read(s.keyring, KW_KEYRING_MAX, ret, NULL));
}

/* No verb that changes something does so, each says the reason and what is to be done. */
static void nothing_is_changed(const char *why)
{
    static const char *const verbs[][6] = {
        {"key", "create"},       {"key", "accept", "1"},
        {"key", "disable", "1"}, {"key", "destroy", "1"},
        {"key", "prune", "1"},   {"key", "activate", "1", "--only-copy"},
        {"key", "enable", "1"},  {"key", "prove", "1", "--token", "hsm"},
        {"key", "retire", "1"},  {"key", "create", "--same-key-as", "1"},
    };
    struct kw_blob before = {0}, after = {0};
    read_ring(&before);
    for (size_t i = 0; i < sizeof verbs / sizeof verbs[0]; i++) {
        CHECK(site_keyward(&s, verbs[i]) == 1);
        CHECK_HAS(s.run.err, why);
        CHECK_HAS(s.run.err, "keywardd does not read it so");
        CHECK_HAS(s.run.err, "\n  # ");
    }
    read_ring(&after);
    CHECK(kw_span_equal(kw_blob_peek(&before), kw_blob_peek(&after)));
    kw_blob_wipe(&before);
    kw_blob_wipe(&after);
}

TEST(keyring_that_its_group_writes__listed_and_not_changed)
{
    make_one();
    CHECK(chmod(s.keyring, 0664) == 0);
    nothing_is_changed("keyring.json: mode 0664 lets others change it; chmod go-w it");
    CHECK_HAS(s.run.err, "  keyward keyring compare ");
    KEYWARD_MUST(&s, 1, "key", "list");
    CHECK_HAS(s.run.out, "kw1-1-");
    CHECK_HAS(s.run.err, "keyring.json: mode 0664 lets others change it");
    KEYWARD_MUST(&s, 1, "key", "list", "--json");
    CHECK_HAS(s.run.out, "\"ok\": false");
    CHECK_HAS(s.run.out, "mode 0664 lets others change it");
    CHECK_HAS(s.run.out, "keyward keyring compare ");
    KEYWARD_MUST(&s, 0, "key", "show", "1");
    CHECK_HAS(s.run.out, "kw1-1-");
    CHECK_HAS(s.run.err, "mode 0664 lets others change it");
    CHECK(chmod(s.keyring, 0644) == 0);
    KEYWARD_MUST(&s, 0, "key", "list");
    CHECK_STR(s.run.err, "");
    KEYWARD_MUST(&s, 0, "key", "accept", "1");
    site_remove(&s);
}

/* A mode mended in place leaves the file to whoever opened it before. */
TEST(way_out__the_file_is_a_new_one)
{
    struct kw_blob ring = {0}, now = {0};
    char copy[2048], put[2048];
    make_one();
    read_ring(&ring);
    CHECK(chmod(s.keyring, 0666) == 0);
    int held = open(s.keyring, O_WRONLY | O_CLOEXEC);
    KEYWARD_MUST(&s, 1, "key", "accept", "1");
    printed_command(s.run.err, "a new file", 0, copy);
    printed_command(s.run.err, "they are the same", 0, put);
    CHECK(words_run(&s, copy) == 0 && words_run(&s, put) == 0);
    CHECK(held >= 0 && ftruncate(held, 0) == 0 && close(held) == 0);
    KEYWARD_MUST(&s, 0, "key", "list");
    CHECK_STR(s.run.err, "");
    read_ring(&now);
    CHECK(kw_span_equal(kw_blob_peek(&ring), kw_blob_peek(&now)));
    kw_blob_wipe(&ring);
    kw_blob_wipe(&now);
    site_remove(&s);
}

TEST(keyring_of_another_user__not_changed)
{
    kw_test_as_root();
    make_one();
    CHECK(chown(s.keyring, 4321, 0) == 0);
    nothing_is_changed("keyring.json: belongs to uid 4321, who could change");
    CHECK(chown(s.keyring, NOBODY, 0) == 0); /* the daemon's own user */
    KEYWARD_MUST(&s, 0, "key", "accept", "1");
    site_remove(&s);
}

TEST(folder_that_others_write__not_changed)
{
    make_one();
    CHECK(chmod(s.base, 0777) == 0);
    nothing_is_changed("mode 0777 lets others exchange");
    CHECK(chmod(s.base, 0755) == 0);
    site_remove(&s);
}

TEST(configuration_that_others_write__nothing_done_on_its_word)
{
    char file[160], hex[65];
    make_one();
    struct kw_keyring *ring = site_ring(&s);
    kw_hex(hex, sizeof hex, kw_span_of(ring->sha256, 32));
    kw_keyring_give(ring);
    CHECK(chmod(s.config, 0646) == 0);
    nothing_is_changed("keyward.yaml: mode 0646 lets others change it; chmod go-w it");
    KEYWARD_MUST(&s, 1, "key", "list");
    CHECK_HAS(s.run.out, "kw1-1-");
    KEYWARD_MUST(&s, 1, "keyring", "trust", s.keyring, "--sha256", hex);
    CHECK_HAS(s.run.err, "keyward.yaml: mode 0646");
    snprintf(file, sizeof file, "%s/marks.json", s.state);
    CHECK(unlink(file) == 0);
    KEYWARD_MUST(&s, 1, "state", "create");
    CHECK_HAS(s.run.err, "keyward.yaml: mode 0646");
    CHECK(access(file, F_OK) != 0);
    site_remove(&s);
}

/* What lies in the keyring's place is not taken by the daemon, whatever is said of it. */
TEST(trust__keyring_in_its_place_that_others_write__refused)
{
    char link_path[160], copy[160], hex[65];
    struct kw_blob ring_file = {0};
    make_one();
    struct kw_keyring *ring = site_ring(&s);
    kw_hex(hex, sizeof hex, kw_span_of(ring->sha256, 32));
    kw_keyring_give(ring);
    snprintf(link_path, sizeof link_path, "%s/link", s.dir);
    snprintf(copy, sizeof copy, "%s/copy", s.dir);
    CHECK(symlink(s.keyring, link_path) == 0 && chmod(s.keyring, 0666) == 0);
    const char *const names[] = {s.keyring, link_path};
    for (size_t i = 0; i < 2; i++) {
        KEYWARD_MUST(&s, 1, "keyring", "trust", names[i], "--sha256", hex);
        CHECK_HAS(s.run.err, "keyring.json: mode 0666 lets others change it; chmod go-w");
        CHECK_HAS(s.run.err, "  keyward keyring compare ");
        CHECK(strstr(s.run.out, "nothing to trust") == NULL);
    }
    /* The digest is what is trusted of a file that is still to be put there. */
    read_ring(&ring_file);
    CHECK_OK(kw_file_replace(copy, kw_blob_peek(&ring_file), 0666, NULL));
    kw_blob_wipe(&ring_file);
    KEYWARD_MUST(&s, 0, "keyring", "trust", copy, "--sha256", hex);
    CHECK(chmod(s.keyring, 0644) == 0);
    KEYWARD_MUST(&s, 0, "keyring", "trust", s.keyring, "--sha256", hex);
    CHECK_HAS(s.run.out, "nothing to trust");
    site_remove(&s);
}

TEST(pin_retry__configuration_that_others_write__nothing_lifted)
{
    char latch[160];
    struct kw_blob before = {0}, after = {0};
    make_one();
    CHECK_OK(kw_file_replace(s.pin, kw_span_str("not the PIN at all"), 0600, NULL));
    CHECK(KEYWARD_DO(&s, "key", "create", "--dry-run") != 0);
    snprintf(latch, sizeof latch, "%s/pin-latch.json", s.state);
    CHECK_OK(kw_file_read(latch, 1 << 20, &before, NULL));
    CHECK(chmod(s.config, 0666) == 0);
    KEYWARD_MUST(&s, 1, "pin", "retry");
    CHECK_HAS(s.run.err, "keyward.yaml: mode 0666 lets others change it; chmod go-w it");
    CHECK_HAS(s.run.err, "keywardd does not read it so");
    CHECK_OK(kw_file_read(latch, 1 << 20, &after, NULL));
    CHECK(kw_span_equal(kw_blob_peek(&before), kw_blob_peek(&after)));
    kw_blob_wipe(&before);
    kw_blob_wipe(&after);
    CHECK(chmod(s.config, 0644) == 0);
    KEYWARD_MUST(&s, 0, "pin", "retry");
    CHECK_HAS(s.run.out, "its PIN may be tried once more");
    site_remove(&s);
}

/* Its constructor alone could read the PIN. */
TEST(module_that_others_write__not_loaded)
{
    static const char *const verbs[][6] = {{"key", "create", "--dry-run"},
                                           {"key", "create"},
                                           {"key", "prove", "1", "--token", "keyward"}};
    char module[96];
    site_make_fault(&s);
    KEYWARD_MUST(&s, 0, "key", "create");
    snprintf(module, sizeof module, "%s/libfault.so", s.dir);
    CHECK(chmod(module, 0666) == 0);
    site_forget_calls(&s);
    for (size_t i = 0; i < sizeof verbs / sizeof verbs[0]; i++) {
        CHECK(site_keyward(&s, verbs[i]) == 1);
        CHECK_HAS(s.run.err,
                  "libfault.so: mode 0666 lets others change it; chmod go-w it");
        CHECK(!site_was_called(&s));
    }
    if (geteuid() == 0) { /* root's own is the daemon's user's to load, not the reverse */
        CHECK(chmod(module, 0755) == 0 && chown(module, 4321, 0) == 0);
        KEYWARD_MUST(&s, 1, "key", "create", "--dry-run");
        CHECK_HAS(s.run.err, "belongs to uid 4321, who could change");
        CHECK(!site_was_called(&s) && chown(module, NOBODY, 0) == 0);
    }
    CHECK(chmod(module, 0755) == 0);
    KEYWARD_MUST(&s, 0, "key", "create", "--dry-run");
    CHECK(site_was_called(&s));
    site_remove(&s);
}

/* The daemon would serve it from there as its last good one. */
TEST(state_create__keyring_that_others_write__not_remembered)
{
    make_one();
    kw_run(&s.run, (const char *const[]){"/bin/rm", "-r", s.state, NULL});
    CHECK(chmod(s.keyring, 0664) == 0);
    KEYWARD_MUST(&s, 1, "state", "create");
    CHECK_HAS(s.run.err, "keyring.json: mode 0664 lets others change it; chmod go-w it");
    CHECK_HAS(s.run.err, "keywardd does not read it so");
    CHECK_HAS(s.run.err, "  keyward keyring compare ");
    CHECK(access(s.state, F_OK) != 0);
    if (geteuid() == 0) {
        CHECK(chmod(s.keyring, 0644) == 0 && chown(s.keyring, 4321, 0) == 0);
        KEYWARD_MUST(&s, 1, "state", "create");
        CHECK_HAS(s.run.err, "belongs to uid 4321");
        CHECK(access(s.state, F_OK) != 0 && chown(s.keyring, NOBODY, 0) == 0);
    }
    CHECK(chmod(s.keyring, 0644) == 0);
    KEYWARD_MUST(&s, 0, "state", "create");
    site_remove(&s);
}

KW_CASES("token/cli/trusted", CASE(keyring_that_its_group_writes__listed_and_not_changed),
         CASE(way_out__the_file_is_a_new_one), CASE(keyring_of_another_user__not_changed),
         CASE(folder_that_others_write__not_changed),
         CASE(configuration_that_others_write__nothing_done_on_its_word),
         CASE(trust__keyring_in_its_place_that_others_write__refused),
         CASE(pin_retry__configuration_that_others_write__nothing_lifted),
         CASE(module_that_others_write__not_loaded),
         CASE(state_create__keyring_that_others_write__not_remembered))
