/* SPDX-License-Identifier: Apache-2.0 */
/* The verb without a daemon. */
#include "check.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "run.h"

static struct kw_run r;
static char dir[64], path[96];

static void begin(void)
{
    snprintf(dir, sizeof dir, "/tmp/kw-support-XXXXXX");
    CHECK(mkdtemp(dir) != NULL);
    snprintf(path, sizeof path, "%s/a.tar", dir);
}

static void end(void)
{
    unlink(path);
    CHECK(rmdir(dir) == 0);
}

#define RUN(...) kw_run(&r, (const char *const[]){KEYWARD, "support", __VA_ARGS__, NULL})

TEST(verb__wrong_usage__two)
{
    RUN("--config", "/nonexistent");
    CHECK(r.status == 2);
    CHECK_HAS(r.err, "--out FILE");
    RUN("--out", "x", "--at", "soon");
    CHECK(r.status == 2);
    RUN("--out", "x", "--unit", "/etc");
    CHECK(r.status == 2);
}

TEST(verb__file_is_there__refused_and_untouched)
{
    struct stat st;
    begin();
    FILE *f = fopen(path, "we");
    CHECK(f != NULL && fclose(f) == 0);
    RUN("--out", path, "--config", "/nonexistent");
    CHECK(r.status == 1);
    CHECK_HAS(r.err, path);
    CHECK(stat(path, &st) == 0 && st.st_size == 0);
    end();
}

TEST(verb__no_configuration_and_no_daemon__good_and_said)
{
    struct stat st;
    begin();
    RUN("--out", path, "--config", "/nonexistent/keyward.yaml", "--at", "2026-01-31");
    CHECK(r.status == 0);
    CHECK_HAS(r.err, "not looked at: the configuration: /nonexistent/keyward.yaml");
    CHECK_HAS(r.err, "not looked at: status: ");
    CHECK(stat(path, &st) == 0 && (st.st_mode & 07777) == 0600);
    kw_run(&r, (const char *const[]){"/bin/tar", "xOf", path,
                                     "keyward-support/README.txt", NULL});
    CHECK(r.status == 0);
    CHECK_HAS(r.out, "keyward support, 2026-01-31T00:00:00");
    CHECK_HAS(r.out, "Left out, always:");
    CHECK_HAS(r.out, "the configuration: /nonexistent/keyward.yaml");
    end();
}

KW_CASES("provider/cli/support_verb", CASE(verb__wrong_usage__two),
         CASE(verb__file_is_there__refused_and_untouched),
         CASE(verb__no_configuration_and_no_daemon__good_and_said))
