/* SPDX-License-Identifier: Apache-2.0 */
#include "site.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <keyward/file.h>

static struct site s;

static void something_is_there__refused_and_left_as_it_is(void **state)
{
    struct kw_blob before = {0}, after = {0};
    (void)state;
    site_make(&s);
    CHECK_OK(kw_file_read(s.config, 8192, &before, NULL));
    kw_run(&s.run,
           (const char *const[]){KEYWARD, "init", "--softhsm", "--dir", s.base, NULL});
    CHECK(s.run.status == 1);
    CHECK_HAS(s.run.err, "is there already");
    CHECK_OK(kw_file_read(s.config, 8192, &after, NULL));
    CHECK(kw_span_equal(kw_blob_peek(&before), kw_blob_peek(&after)));
    kw_blob_wipe(&before);
    kw_blob_wipe(&after);
    site_remove(&s);
}

static void others_may_write_the_folder__refused(void **state)
{
    (void)state;
    site_begin(&s);
    CHECK(mkdir(s.base, 0777) == 0 && chmod(s.base, 0777) == 0);
    kw_run(&s.run,
           (const char *const[]){KEYWARD, "init", "--softhsm", "--dir", s.base, NULL});
    CHECK(s.run.status == 1);
    CHECK_HAS(s.run.err, "0777");
    CHECK(access(s.pin, F_OK) != 0);
    site_remove(&s);
}

static void no_such_user__refused_before_anything_is_made(void **state)
{
    (void)state;
    site_begin(&s);
    kw_run(&s.run, (const char *const[]){KEYWARD, "init", "--softhsm", "--dir", s.base,
                                         "--user", "no-such-user-of-ours", NULL});
    CHECK(s.run.status == 1);
    CHECK_HAS(s.run.err, "no-such-user-of-ours");
    CHECK(access(s.base, F_OK) != 0);
    site_remove(&s);
}

/* mkdtemp's own mode: nobody else passes. */
static void daemons_user_cannot_pass__the_folder_to_open_is_named(void **state)
{
    (void)state;
    if (geteuid() != 0)
        return;
    site_begin(&s);
    CHECK(chmod(s.dir, 0700) == 0);
    kw_run(&s.run, (const char *const[]){KEYWARD, "init", "--softhsm", "--dir", s.base,
                                         "--user", "nobody", NULL});
    CHECK(s.run.status == 1);
    CHECK_HAS(s.run.err, "cannot reach");
    CHECK_HAS(s.run.err, "init stopped half-way");
    CHECK(access(s.config, F_OK) != 0);
    site_remove(&s);
}

static void all_made__modes_owners_and_the_seal(void **state)
{
    const unsigned owner = geteuid() == 0 ? NOBODY : geteuid();
    (void)state;
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

static void two_pins__long_random_and_nowhere_else(void **state)
{
    char pin[64] = {0}, so[64] = {0};
    FILE *f;
    (void)state;
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

static void json__one_document_with_the_paths(void **state)
{
    char want[192];
    (void)state;
    site_begin(&s);
    kw_run(&s.run, (const char *const[]){KEYWARD, "init", "--softhsm", "--json", "--dir",
                                         s.base, NULL});
    CHECK(s.run.status == 0);
    CHECK(s.run.out[0] == '{');
    snprintf(want, sizeof want, "\"config\": \"%s\"", s.config);
    CHECK_HAS(s.run.out, want);
    snprintf(want, sizeof want, "\"token_dir\": \"%s\"", s.tokens);
    CHECK_HAS(s.run.out, want);
    site_remove(&s);
}

static void an_hsm__its_pin_is_copied_from_a_safe_file_only(void **state)
{
    char source[128];
    (void)state;
    site_begin(&s);
    snprintf(source, sizeof source, "%s/given", s.dir);
    CHECK_OK(kw_file_replace(source, kw_span_str("hsm-pin-1\n"), 0644, NULL));
    const char *const words[] = {KEYWARD,      "init",        "--dir",   s.base,
                                 "--module",   "/opt/hsm.so", "--label", "slot-1",
                                 "--pin-file", source,        NULL};
    kw_run(&s.run, words);
    CHECK(s.run.status == 1);
    CHECK_HAS(s.run.err, "0644");
    site_remove(&s);

    site_begin(&s);
    snprintf(source, sizeof source, "%s/given", s.dir);
    CHECK_OK(kw_file_replace(source, kw_span_str("hsm-pin-1\n"), 0600, NULL));
    kw_run(&s.run, (const char *const[]){KEYWARD, "init", "--dir", s.base, "--module",
                                         "/opt/hsm.so", "--label", "slot-1", "--pin-file",
                                         source, NULL});
    CHECK(s.run.status == 0);
    struct kw_blob pin = {0};
    CHECK_OK(kw_file_read(s.pin, 64, &pin, NULL));
    CHECK(kw_span_equal_str(kw_blob_peek(&pin), "hsm-pin-1"));
    kw_blob_wipe(&pin);
    CHECK(site_mode(s.pin) == 0600);
    CHECK(access(s.tokens, F_OK) != 0);
    site_remove(&s);
}

KW_CASES("token/cli/init", CASE(something_is_there__refused_and_left_as_it_is),
         CASE(others_may_write_the_folder__refused),
         CASE(no_such_user__refused_before_anything_is_made),
         CASE(daemons_user_cannot_pass__the_folder_to_open_is_named),
         CASE(all_made__modes_owners_and_the_seal),
         CASE(two_pins__long_random_and_nowhere_else),
         CASE(json__one_document_with_the_paths),
         CASE(an_hsm__its_pin_is_copied_from_a_safe_file_only))
