/* SPDX-License-Identifier: Apache-2.0 */
/* A keyring that is in its place, and whose folder could not be made durable: nobody may
 * take it for a change that was not made. */
#include "site.h"

#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include <keyward/file.h>
#include <keyward/keyring.h>

static struct site s;
static char program[96];

/* A copy in the site: the daemon's user may not reach the build tree. */
static void copy_program(void)
{
    struct kw_blob file = {0};
    snprintf(program, sizeof program, "%s/keyward", s.dir);
    CHECK_OK(kw_file_read(KEYWARD, 256u << 20, &file, NULL));
    CHECK_OK(kw_file_replace(program, kw_blob_peek(&file), 0755, NULL));
    kw_blob_wipe(&file);
}

/* A folder that may be written and not read: rename works in it, and its fsync does not.
 * Not for root, for whom modes are nothing. */
static void hide_folder(void)
{
    char lock[160];
    snprintf(lock, sizeof lock, "%s.lock", s.keyring);
    if (geteuid() == 0)
        CHECK(chown(s.base, NOBODY, NOBODY) == 0 &&
              chown(s.keyring, NOBODY, NOBODY) == 0 && chown(lock, NOBODY, NOBODY) == 0);
    CHECK(chmod(s.base, 0300) == 0);
}

static int as_nobody(const char *const words[])
{
    const char *argv[16] = {"/usr/bin/setpriv", "--reuid", "65534",
                            "--regid",          "65534",   "--clear-groups"};
    size_t n = geteuid() == 0 ? 6 : 0;
    argv[n++] = program;
    for (size_t i = 0; words[i] != NULL; i++)
        argv[n++] = words[i];
    argv[n++] = "--config";
    argv[n++] = s.config;
    argv[n] = NULL;
    kw_run(&s.run, argv);
    return s.run.status;
}

TEST(folder_that_cannot_be_synced__written_and_three)
{
    struct kw_keyring *ring = NULL;
    site_make(&s);
    copy_program();
    KEYWARD_MUST(&s, 0, "key", "create");
    hide_folder();
    CHECK(as_nobody((const char *const[]){"key", "accept", "1", NULL}) == 3);
    CHECK_HAS(s.run.err, "written, not yet durable");
    CHECK_HAS(s.run.err, "do not make it again");
    CHECK(chmod(s.base, 0700) == 0);
    CHECK_OK(kw_keyring_load(s.keyring, &ring, NULL, NULL));
    CHECK(ring->versions[0].state == KW_KEY_ACCEPTED && ring->serial == 2);
    kw_keyring_give(ring);
    CHECK(chmod(s.base, 0300) == 0);
    CHECK(as_nobody((const char *const[]){"key", "disable", "1", "--json", WITHOUT_PROOF,
                                          NULL}) == 3);
    CHECK_HAS(s.run.out, "\"code\": \"not-durable\"");
    CHECK(chmod(s.base, 0755) == 0);
    site_remove(&s);
}

KW_CASES("token/cli/durable", CASE(folder_that_cannot_be_synced__written_and_three))
