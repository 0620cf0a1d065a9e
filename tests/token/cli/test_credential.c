/* SPDX-License-Identifier: Apache-2.0 */
/* `pin: credential:NAME`: in a service, from a shell beside one, and from a shell
 * alone. */
#include "site.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <keyward/file.h>

static struct site s;
static char folder[128], file[160];

/* The PIN as a credential in `where`, as systemd lays it for root: 0400 in 0700. */
static void lay_credential(const char *where)
{
    struct kw_blob pin = {0};
    snprintf(folder, sizeof folder, "%s", where);
    snprintf(file, sizeof file, "%s/hsm-pin", folder);
    CHECK(mkdir(folder, 0700) == 0);
    CHECK_OK(kw_file_read(s.pin, 256, &pin, NULL));
    CHECK_OK(kw_file_replace(file, kw_blob_peek(&pin), 0400, NULL));
    kw_blob_wipe(&pin);
}

static void begin(void)
{
    char pin[192];
    unsetenv("CREDENTIALS_DIRECTORY");
    site_make(&s);
    snprintf(pin, sizeof pin, "pin: file:%s", s.pin);
    site_edit(&s, pin, "pin: credential:hsm-pin");
    CHECK(chdir(s.dir) == 0);
}

static void begin_in_a_service(void)
{
    char where[128];
    begin();
    snprintf(where, sizeof where, "%s/credentials", s.dir);
    lay_credential(where);
    CHECK(setenv("CREDENTIALS_DIRECTORY", folder, 1) == 0);
}

TEST(from_a_shell_alone__the_whole_line_is_said)
{
    char want[256];
    begin();
    /* A file of the credential's name is none. */
    CHECK_OK(kw_file_replace("hsm-pin", kw_span_str("123456"), 0600, NULL));
    KEYWARD_MUST(&s, 3, "key", "create", "--operator", "A B");
    snprintf(want, sizeof want, KEYWARD " key create --operator 'A B' --config %s\n",
             s.config);
    CHECK_HAS(s.run.err,
              "systemd-run --pipe --wait --same-dir -p LoadCredential=hsm-pin:");
    CHECK_HAS(s.run.err, want);
    CHECK_HAS(s.run.err, "--unit");
    CHECK(access(s.keyring, F_OK) != 0 && site_is_sealed(s.tokens));
    KEYWARD_MUST(&s, 1, "check");
    CHECK_HAS(s.run.out, "?     pin");
    KEYWARD_MUST(&s, 2, "key", "create", "--unit", "../x");
    KEYWARD_MUST(&s, 3, "key", "create", "--unit", "no-such-unit-of-ours");
    CHECK_HAS(s.run.err, "/run/credentials/no-such-unit-of-ours.service");
    site_remove(&s);
}

TEST(in_a_service__others_may_read_it__refused_as_by_the_daemon)
{
    begin_in_a_service();
    CHECK(chmod(file, 0440) == 0);
    KEYWARD_MUST(&s, 1, "key", "create");
    CHECK_HAS(s.run.err, "0440");
    CHECK(unlink(file) == 0 && symlink(s.pin, file) == 0);
    KEYWARD_MUST(&s, 1, "key", "create");
    CHECK_HAS(s.run.err, "symbolic link");
    CHECK(unlink(file) == 0 && mkdir(file, 0700) == 0);
    KEYWARD_MUST(&s, 1, "key", "create");
    CHECK_HAS(s.run.err, "not a regular file");
    CHECK(access(s.keyring, F_OK) != 0);
    site_remove(&s);
}

/* As root the folder is root's alone: the token's user reads what root opened. */
TEST(in_a_service__a_whole_ceremony)
{
    begin_in_a_service();
    KEYWARD_MUST(&s, 0, "key", "create");
    KEYWARD_MUST(&s, 0, "key", "accept", "1");
    KEYWARD_MUST(&s, 0, "key", "activate", "1", "--only-copy");
    KEYWARD_MUST(&s, 0, "check");
    CHECK_HAS(s.run.out, "ok    pin");
    CHECK_HAS(s.run.out, "check blob opens");
    site_remove(&s);
}

/* A unit of our own below /run/credentials, where only root may make one. */
TEST(beside_a_running_service__by_unit)
{
    char where[96], unit[64];
    kw_test_as_root();
    begin();
    bool made = mkdir("/run/credentials", 0755) == 0;
    CHECK(made || errno == EEXIST);
    snprintf(unit, sizeof unit, "keyward-test-%d", (int)getpid());
    snprintf(where, sizeof where, "/run/credentials/%s.service", unit);
    lay_credential(where);
    int status = KEYWARD_DO(&s, "key", "create", "--unit", unit);
    CHECK(unlink(file) == 0 && rmdir(folder) == 0);
    if (made)
        (void)rmdir("/run/credentials");
    CHECK(status == 0);
    site_remove(&s);
}

KW_CASES("token/cli/credential", CASE(from_a_shell_alone__the_whole_line_is_said),
         CASE(in_a_service__others_may_read_it__refused_as_by_the_daemon),
         CASE(in_a_service__a_whole_ceremony), CASE(beside_a_running_service__by_unit))
