/* SPDX-License-Identifier: Apache-2.0 */
#include "site.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <keyward/file.h>

static struct site s;

TEST(something_is_there__refused_and_left_as_it_is)
{
    struct kw_blob before = {0}, after = {0};
    site_make(&s);
    CHECK_OK(kw_file_read(s.config, 8192, &before, NULL));
    kw_run(&s.run, (const char *const[]){KEYWARD, "init", "--first", "--domain", "demo",
                                         "--softhsm", "--dir", s.base, NULL});
    CHECK(s.run.status == 1);
    CHECK_HAS(s.run.err, "is there already");
    CHECK_OK(kw_file_read(s.config, 8192, &after, NULL));
    CHECK(kw_span_equal(kw_blob_peek(&before), kw_blob_peek(&after)));
    kw_blob_wipe(&before);
    kw_blob_wipe(&after);
    site_remove(&s);
}

TEST(others_may_write_the_folder__refused)
{
    site_begin(&s);
    CHECK(mkdir(s.base, 0777) == 0 && chmod(s.base, 0777) == 0);
    kw_run(&s.run, (const char *const[]){KEYWARD, "init", "--first", "--domain", "demo",
                                         "--softhsm", "--dir", s.base, NULL});
    CHECK(s.run.status == 1);
    CHECK_HAS(s.run.err, "0777");
    CHECK(access(s.pin, F_OK) != 0);
    site_remove(&s);
}

TEST(no_such_user__refused_before_anything_is_made)
{
    site_begin(&s);
    kw_run(&s.run, (const char *const[]){KEYWARD, "init", "--first", "--domain", "demo",
                                         "--softhsm", "--dir", s.base, "--user",
                                         "no-such-user-of-ours", NULL});
    CHECK(s.run.status == 1);
    CHECK_HAS(s.run.err, "no-such-user-of-ours");
    CHECK(access(s.base, F_OK) != 0);
    site_remove(&s);
}

/* mkdtemp's own mode: nobody else passes. */
TEST(daemons_user_cannot_pass__the_folder_to_open_is_named)
{
    kw_test_as_root();
    site_begin(&s);
    CHECK(chmod(s.dir, 0700) == 0);
    kw_run(&s.run,
           (const char *const[]){KEYWARD, "init", "--first", "--domain", "demo",
                                 "--softhsm", "--dir", s.base, "--user", "nobody", NULL});
    CHECK(s.run.status == 1);
    CHECK_HAS(s.run.err, "cannot pass this folder");
    CHECK_HAS(s.run.err, s.dir);
    CHECK(access(s.base, F_OK) != 0);
    site_remove(&s);
}

TEST(all_made__modes_owners_and_the_seal)
{
    const unsigned owner = geteuid() == 0 ? NOBODY : geteuid();
    site_make(&s);
    CHECK(site_mode(s.state) == 0700 && site_owner(s.state) == owner);
    CHECK(site_mode(s.pin) == 0600 && site_owner(s.pin) == owner);
    CHECK(site_mode(s.so_pin) == 0600 && site_owner(s.so_pin) == geteuid());
    CHECK(site_mode(s.config) == 0644 && site_owner(s.config) == geteuid());
    CHECK(site_owner(s.tokens) == owner);
    CHECK(site_sealed(s.tokens) >= 4); /* tokens, one token, its files */
    CHECK_HAS(s.run.out, "kind: EncryptionConfiguration");
    CHECK_HAS(s.run.out, "name: keyward-secrets");
    site_remove(&s);
}

TEST(two_pins__long_random_and_nowhere_else)
{
    char pin[64] = {0}, so[64] = {0};
    FILE *f;
    site_make(&s);
    CHECK((f = fopen(s.pin, "r")) != NULL);
    CHECK(fread(pin, 1, sizeof pin - 1, f) == 24);
    fclose(f);
    CHECK((f = fopen(s.so_pin, "r")) != NULL);
    CHECK(fread(so, 1, sizeof so - 1, f) == 24);
    fclose(f);
    CHECK(strcmp(pin, so) != 0);
    CHECK(strstr(s.run.out, pin) == NULL && strstr(s.run.err, pin) == NULL);
    CHECK(strstr(s.run.out, so) == NULL && strstr(s.run.err, so) == NULL);
    site_remove(&s);
}

TEST(json__one_document_with_the_paths)
{
    char want[192];
    site_begin(&s);
    kw_run(&s.run, (const char *const[]){KEYWARD, "init", "--first", "--domain", "demo",
                                         "--softhsm", "--json", "--dir", s.base, NULL});
    CHECK(s.run.status == 0);
    CHECK(s.run.out[0] == '{');
    snprintf(want, sizeof want, "\"config\": \"%s\"", s.config);
    CHECK_HAS(s.run.out, want);
    snprintf(want, sizeof want, "\"token_dir\": \"%s\"", s.tokens);
    CHECK_HAS(s.run.out, want);
    site_remove(&s);
}

/* ---- an HSM that is there: another site's SoftHSM ---------------------------------- */

static struct site hsm;
static char given[128], conf[160];

/* The HSM, its PIN in a file, and an empty place to put keyward into. */
static void begin_with_an_hsm(void)
{
    struct kw_blob pin = {0};
    unsetenv("SOFTHSM2_CONF");
    site_make(&hsm);
    site_begin(&s);
    snprintf(given, sizeof given, "%s/given", s.dir);
    snprintf(conf, sizeof conf, "SOFTHSM2_CONF=%s/softhsm2.conf", hsm.base);
    CHECK_OK(kw_file_read(hsm.pin, 64, &pin, NULL));
    CHECK_OK(kw_file_replace(given, kw_blob_peek(&pin), 0600, NULL));
    kw_blob_wipe(&pin);
}

static void end_with_an_hsm(void)
{
    site_remove(&hsm);
    site_remove(&s);
}

static int init_hsm(const char *module, const char *label, const char *env)
{
    const char *const as_root = geteuid() == 0 ? "--user=nobody" : NULL;
    const char *argv[24] = {KEYWARD, "init",       "--first",  "--domain", "demo",
                            "--dir", s.base,       "--module", module,     "--label",
                            label,   "--pin-file", given};
    size_t n = 13;
    if (env != NULL) {
        argv[n++] = "--env";
        argv[n++] = env;
    }
    argv[n] = as_root;
    kw_run(&s.run, argv);
    return s.run.status;
}

/* A second node: with a copy of the first one's keyring, at the same token. */
static int join_hsm(const char *ring, const char *domain)
{
    const char *argv[24] = {KEYWARD, "init",     "--join",     ring,      "--dir",
                            s.base,  "--module", SOFTHSM,      "--label", "keyward",
                            "--env", conf,       "--pin-file", given};
    size_t n = 14;
    if (domain != NULL) {
        argv[n++] = "--domain";
        argv[n++] = domain;
    }
    argv[n] = geteuid() == 0 ? "--user=nobody" : NULL;
    kw_run(&s.run, argv);
    return s.run.status;
}

TEST(further_node__has_the_first_ones_keyring_and_domain)
{
    begin_with_an_hsm();
    KEYWARD_MUST(&hsm, 0, "key", "create");
    KEYWARD_MUST(&hsm, 0, "key", "accept", "1");
    KEYWARD_MUST(&hsm, 0, "key", "activate", "1", "--only-copy", "--now", "--baseline");
    CHECK(join_hsm(hsm.keyring, "other") == 1);
    CHECK_HAS(s.run.err, "--domain is \"other\"");
    CHECK_HAS(s.run.err, "is of domain \"demo\"");
    CHECK(access(s.base, F_OK) != 0);
    CHECK(join_hsm(given, NULL) == 1); /* that is no keyring */
    CHECK(access(s.base, F_OK) != 0);
    CHECK(join_hsm(hsm.keyring, NULL) == 0);
    CHECK_HAS(s.run.out, "next: keyward check --config ");
    kw_run(&s.run, (const char *const[]){"/usr/bin/cmp", hsm.keyring, s.keyring, NULL});
    CHECK(s.run.status == 0);
    KEYWARD_MUST(&s, 0, "check");
    CHECK_HAS(s.run.out, "version 1");
    end_with_an_hsm();
}

TEST(wrong_module__told_as_that_and_nothing_made)
{
    begin_with_an_hsm();
    CHECK(init_hsm("/usr/lib/nowhere/libsofthsm2.so", "keyward", conf) == 3);
    CHECK_HAS(s.run.err, "the PKCS#11 module: /usr/lib/nowhere");
    CHECK(strstr(s.run.err, "chown") == NULL && strstr(s.run.err, "/var/lib") == NULL);
    CHECK(access(s.base, F_OK) != 0);
    CHECK(init_hsm("/etc/passwd", "keyward", conf) == 1);
    CHECK_HAS(s.run.err, "not a PKCS#11 module");
    CHECK(access(s.base, F_OK) != 0);
    end_with_an_hsm();
}

/* A configuration from elsewhere, or a library that was removed. */
TEST(wrong_module_in_the_configuration__told_as_that)
{
    site_make(&s);
    site_edit(&s, "module: " SOFTHSM, "module: /usr/lib/nowhere/libsofthsm2.so");
    site_edit(&s, "env: {SOFTHSM2_CONF: ", "env: {OTHER: ");
    KEYWARD_MUST(&s, 3, "key", "create");
    CHECK_HAS(s.run.err, "/usr/lib/nowhere/libsofthsm2.so");
    CHECK(strstr(s.run.err, "chown") == NULL);
    site_remove(&s);
}

/* Its carriage return would be a byte of the PIN, and cost a login. */
TEST(pin_file_of_windows__refused_and_nothing_made)
{
    begin_with_an_hsm();
    CHECK_OK(kw_file_replace(given, kw_span_str("hsm-pin-1\r\n"), 0600, NULL));
    CHECK(init_hsm(SOFTHSM, "keyward", conf) == 1);
    CHECK_HAS(s.run.err, "carriage return");
    CHECK(strstr(s.run.err, "hsm-pin-1") == NULL);
    CHECK(access(s.base, F_OK) != 0);
    end_with_an_hsm();
}

/* Root is given somebody's file; an ordinary user one of root's. */
TEST(pin_file_of_somebody_else__a_copy_is_wanted)
{
    char want[160];
    begin_with_an_hsm();
    if (geteuid() == 0)
        CHECK(chown(given, 12345, 12345) == 0);
    else
        snprintf(given, sizeof given, "/etc/shadow");
    CHECK(init_hsm(SOFTHSM, "keyward", conf) == 1);
    snprintf(want, sizeof want, "install -o %u -m 0400 %s /run/keyward-pin",
             (unsigned)geteuid(), given);
    CHECK_HAS(s.run.err, want);
    CHECK(strstr(s.run.err, "chown") == NULL);
    CHECK(access(s.base, F_OK) != 0);
    end_with_an_hsm();
}

TEST(no_such_token__those_that_are_there_are_listed)
{
    begin_with_an_hsm();
    CHECK(init_hsm(SOFTHSM, "elsewhere", conf) == 3);
    CHECK_HAS(s.run.err, "there are: \"keyward\" (serial ");
    CHECK(access(s.base, F_OK) != 0);
    end_with_an_hsm();
}

TEST(variable_of_the_shell_only__named_and_not_used)
{
    begin_with_an_hsm();
    CHECK(setenv("SOFTHSM2_CONF", strchr(conf, '=') + 1, 1) == 0);
    CHECK(init_hsm(SOFTHSM, "keyward", NULL) != 0);
    CHECK_HAS(s.run.err, "SOFTHSM2_CONF (SoftHSM) is set in this shell only");
    CHECK(access(s.base, F_OK) != 0);
    CHECK(init_hsm(SOFTHSM, "keyward", conf) == 0);
    CHECK(strstr(s.run.err, "in this shell only") == NULL);
    end_with_an_hsm();
}

TEST(pin_in_an_unsafe_or_empty_file__nothing_made)
{
    begin_with_an_hsm();
    CHECK(chmod(given, 0644) == 0);
    CHECK(init_hsm(SOFTHSM, "keyward", conf) == 1);
    CHECK_HAS(s.run.err, "0644");
    CHECK_OK(kw_file_replace(given, kw_span_str("\n"), 0600, NULL));
    CHECK(init_hsm(SOFTHSM, "keyward", conf) == 1);
    CHECK_HAS(s.run.err, "empty");
    CHECK(access(s.base, F_OK) != 0);
    end_with_an_hsm();
}

TEST(an_hsm__from_init_to_its_first_key)
{
    struct kw_blob pin = {0}, was = {0}, config = {0};
    char text[8192];
    begin_with_an_hsm();
    CHECK(init_hsm(SOFTHSM, "keyward", conf) == 0);
    CHECK_HAS(s.run.err, "the token is a SoftHSM");
    CHECK_OK(kw_file_read(s.pin, 64, &pin, NULL));
    CHECK_OK(kw_file_read(given, 64, &was, NULL));
    CHECK(kw_span_equal(kw_blob_peek(&pin), kw_blob_peek(&was)));
    CHECK(site_mode(s.pin) == 0600);
    CHECK(access(s.tokens, F_OK) != 0 && access(s.so_pin, F_OK) != 0);
    CHECK_OK(kw_file_read(s.config, sizeof text - 1, &config, NULL));
    snprintf(text, sizeof text, "%.*s", (int)config.len, (const char *)config.ptr);
    CHECK_HAS(text, "environment: test");
    CHECK_HAS(text, "domain: demo");
    CHECK_HAS(text, "env: {SOFTHSM2_CONF: \"/");
    KEYWARD_MUST(&s, 0, "key", "create");
    CHECK(site_is_sealed(hsm.tokens));
    kw_blob_wipe(&pin);
    kw_blob_wipe(&was);
    kw_blob_wipe(&config);
    end_with_an_hsm();
}

/* Where it came from is not asked; that nobody could change it since, is. */
TEST(join__keyring_that_others_write__refused_with_the_way_out)
{
    char ring[128];
    struct kw_blob file = {0};
    begin_with_an_hsm();
    KEYWARD_MUST(&hsm, 0, "key", "create");
    snprintf(ring, sizeof ring, "%s/ring", s.dir);
    CHECK_OK(kw_file_read(hsm.keyring, KW_KEYRING_MAX, &file, NULL));
    CHECK_OK(kw_file_replace(ring, kw_blob_peek(&file), 0666, NULL));
    kw_blob_wipe(&file);
    CHECK(join_hsm(ring, NULL) == 1);
    CHECK_HAS(s.run.err, "ring: mode 0666 lets others change it; chmod go-w it");
    CHECK_HAS(s.run.err, "nothing was made");
    CHECK(access(s.base, F_OK) != 0);
    CHECK(chmod(ring, 0644) == 0 && chmod(s.dir, 0777) == 0);
    CHECK(join_hsm(ring, NULL) == 1);
    CHECK_HAS(s.run.err, "mode 0777 lets others exchange");
    CHECK(access(s.base, F_OK) != 0 && chmod(s.dir, 0755) == 0);
    CHECK(join_hsm(ring, NULL) == 0);
    end_with_an_hsm();
}

/* Root, whoever calls, and the daemon's user: nobody else. */
TEST(join__keyring_of_another_user__refused_with_a_line_that_copies)
{
    char ring[128], line[256];
    struct kw_blob file = {0};
    kw_test_as_root();
    begin_with_an_hsm();
    KEYWARD_MUST(&hsm, 0, "key", "create");
    snprintf(ring, sizeof ring, "%s/ring", s.dir);
    CHECK_OK(kw_file_read(hsm.keyring, KW_KEYRING_MAX, &file, NULL));
    CHECK_OK(kw_file_replace(ring, kw_blob_peek(&file), 0644, NULL));
    kw_blob_wipe(&file);
    CHECK(chown(ring, 4321, 0) == 0);
    CHECK(join_hsm(ring, NULL) == 1);
    CHECK_HAS(s.run.err, "belongs to uid 4321, who could change");
    snprintf(line, sizeof line, "\n  install -m 0644 %s /run/keyward-keyring.json\n",
             ring);
    CHECK_HAS(s.run.err, line);
    CHECK(access(s.base, F_OK) != 0);
    CHECK(chown(ring, NOBODY, 0) == 0);
    CHECK(join_hsm(ring, NULL) == 0);
    end_with_an_hsm();
}

/* ---- half-way ---------------------------------------------------------------------- */

/* The fault module makes the token, and fails or hangs at it. */
static void begin_with_a_fault_module(const char *control, char env[3][160])
{
    struct kw_blob module = {0};
    site_begin(&s);
    snprintf(s.control, sizeof s.control, "%s/control", s.dir);
    snprintf(s.calls, sizeof s.calls, "%s/calls", s.dir);
    snprintf(given, sizeof given, "%s/libfault.so", s.dir);
    CHECK_OK(kw_file_read(FAULT, 64u << 20, &module, NULL));
    CHECK_OK(kw_file_replace(given, kw_blob_peek(&module), 0755, NULL));
    kw_blob_wipe(&module);
    site_tell(&s, control);
    snprintf(env[0], 160, "KW_FAULT_MODULE=%s", SOFTHSM);
    snprintf(env[1], 160, "KW_FAULT_CONTROL=%s", s.control);
    snprintf(env[2], 160, "KW_FAULT_LOG=%s", s.calls);
}

TEST(fails_half_way__what_was_there_is_as_it_was)
{
    char env[3][160], run[160], old[160];
    begin_with_a_fault_module("C_Login rv=0x30\n", env);
    const char *const argv[] = {
        KEYWARD,    "init",  "--first",
        "--domain", "demo",  "--softhsm",
        "--dir",    s.base,  "--module",
        given,      "--env", env[0],
        "--env",    env[1],  geteuid() == 0 ? "--user=nobody" : NULL,
        NULL};
    kw_run(&s.run, argv);
    CHECK(s.run.status == 3);
    CHECK_HAS(s.run.err, "CKR_DEVICE_ERROR");
    CHECK_HAS(s.run.err, "taken back");
    CHECK(access(s.base, F_OK) != 0);
    snprintf(run, sizeof run, "%s/run", s.base);
    snprintf(old, sizeof old, "%s/run/old", s.base);
    CHECK(mkdir(s.base, 0755) == 0 && mkdir(run, 0750) == 0);
    CHECK_OK(kw_file_replace(old, kw_span_str("x"), 0600, NULL));
    kw_run(&s.run, argv);
    CHECK(s.run.status == 3);
    CHECK(site_mode(run) == 0750 && site_owner(run) == geteuid());
    CHECK(site_mode(old) == 0600);
    CHECK(access(s.state, F_OK) != 0 && access(s.tokens, F_OK) != 0 &&
          access(s.pin, F_OK) != 0 && access(s.so_pin, F_OK) != 0);
    site_tell(&s, "\n");
    kw_run(&s.run, argv);
    CHECK(s.run.status == 0);
    site_remove(&s);
}

TEST(interrupted_half_way__taken_back)
{
    char env[3][160];
    begin_with_a_fault_module("C_Login hang\n", env);
    site_watch_calls(&s);
    pid_t pid = geteuid() == 0
                    ? SITE_START(&s, "init", "--first", "--domain", "demo", "--softhsm",
                                 "--dir", s.base, "--module", given, "--env", env[0],
                                 "--env", env[1], "--env", env[2], "--user", "nobody")
                    : SITE_START(&s, "init", "--first", "--domain", "demo", "--softhsm",
                                 "--dir", s.base, "--module", given, "--env", env[0],
                                 "--env", env[1], "--env", env[2]);
    (void)site_await_call(&s, "C_Login", 1);
    CHECK(kill(pid, SIGTERM) == 0);
    site_tell(&s, "\n");
    CHECK(site_end(&s, pid) == 3);
    CHECK_HAS(s.run.err, "interrupted");
    CHECK_HAS(s.run.err, "taken back");
    CHECK(access(s.base, F_OK) != 0);
    site_remove(&s);
}

KW_CASES("token/cli/init", CASE(something_is_there__refused_and_left_as_it_is),
         CASE(others_may_write_the_folder__refused),
         CASE(no_such_user__refused_before_anything_is_made),
         CASE(daemons_user_cannot_pass__the_folder_to_open_is_named),
         CASE(all_made__modes_owners_and_the_seal),
         CASE(two_pins__long_random_and_nowhere_else),
         CASE(json__one_document_with_the_paths),
         CASE(join__keyring_that_others_write__refused_with_the_way_out),
         CASE(join__keyring_of_another_user__refused_with_a_line_that_copies),
         CASE(wrong_module__told_as_that_and_nothing_made),
         CASE(wrong_module_in_the_configuration__told_as_that),
         CASE(pin_file_of_windows__refused_and_nothing_made),
         CASE(pin_file_of_somebody_else__a_copy_is_wanted),
         CASE(no_such_token__those_that_are_there_are_listed),
         CASE(variable_of_the_shell_only__named_and_not_used),
         CASE(pin_in_an_unsafe_or_empty_file__nothing_made),
         CASE(an_hsm__from_init_to_its_first_key),
         CASE(further_node__has_the_first_ones_keyring_and_domain),
         CASE(fails_half_way__what_was_there_is_as_it_was),
         CASE(interrupted_half_way__taken_back))
