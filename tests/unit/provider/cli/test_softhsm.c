/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <keyward/file.h>

#include "softhsm.h"

/* dir/softhsm2.conf, and dir/tokens/one/token.object */
struct place {
    char dir[64], conf[96], tokens[96], one[112], object[128];
};

static void make(struct place *p)
{
    snprintf(p->dir, sizeof p->dir, "/tmp/keyward-cli-XXXXXX");
    CHECK(mkdtemp(p->dir) != NULL);
    snprintf(p->conf, sizeof p->conf, "%s/softhsm2.conf", p->dir);
    snprintf(p->tokens, sizeof p->tokens, "%s/tokens", p->dir);
    snprintf(p->one, sizeof p->one, "%s/one", p->tokens);
    snprintf(p->object, sizeof p->object, "%s/token.object", p->one);
    CHECK(mkdir(p->tokens, 0755) == 0 && mkdir(p->one, 0755) == 0);
    CHECK_OK(kw_file_replace(p->object, kw_span_str("x"), 0644, NULL));
}

static void remove_all(struct place *p)
{
    CHECK_OK(kw_softhsm_seal(p->tokens, false, NULL));
    unlink(p->object);
    unlink(p->conf);
    rmdir(p->one);
    rmdir(p->tokens);
    CHECK(rmdir(p->dir) == 0);
}

static unsigned mode_of(const char *path)
{
    struct stat st;
    CHECK(lstat(path, &st) == 0);
    return st.st_mode & 07777;
}

TEST(conf_without_tokendir_or_relative__bad_input)
{
    struct place p;
    char dir[KW_PATH_MAX] = "untouched";
    struct kw_note note = {{0}};
    make(&p);
    CHECK_OK(kw_file_replace(p.conf, kw_span_str("log.level = ERROR\n"), 0644, NULL));
    CHECK_CODE(kw_softhsm_tokendir(p.conf, dir, &note), KW_CODE_BAD_INPUT);
    CHECK_HAS(note.text, "directories.tokendir");
    CHECK_OK(kw_file_replace(p.conf, kw_span_str("directories.tokendir = here\n"), 0644,
                             NULL));
    CHECK_CODE(kw_softhsm_tokendir(p.conf, dir, &note), KW_CODE_BAD_INPUT);
    CHECK_STR(dir, "untouched");
    unlink(p.conf);
    CHECK_CODE(kw_softhsm_tokendir(p.conf, dir, &note), KW_CODE_MISSING);
    remove_all(&p);
}

TEST(conf__the_token_directory_without_blanks)
{
    struct place p;
    char dir[KW_PATH_MAX];
    make(&p);
    CHECK_OK(kw_file_replace(
        p.conf, kw_span_str("# x\nlog.level=ERROR\n directories.tokendir\t=  /a/b \r\n"),
        0644, NULL));
    CHECK_OK(kw_softhsm_tokendir(p.conf, dir, NULL));
    CHECK_STR(dir, "/a/b");
    remove_all(&p);
}

TEST(seal__files_0400_folders_0500_and_back)
{
    struct place p;
    struct kw_softhsm_look look;
    make(&p);
    CHECK_OK(kw_softhsm_look(p.tokens, &look, NULL));
    CHECK(!look.sealed && look.one_owner);
    CHECK_OK(kw_softhsm_seal(p.tokens, true, NULL));
    CHECK(mode_of(p.object) == 0400);
    CHECK(mode_of(p.one) == 0500 && mode_of(p.tokens) == 0500);
    CHECK_OK(kw_softhsm_look(p.tokens, &look, NULL));
    CHECK(look.sealed);
    CHECK_OK(kw_softhsm_seal(p.tokens, false, NULL));
    CHECK(mode_of(p.object) == 0400); /* no ceremony writes to it; logins would */
    CHECK(mode_of(p.one) == 0700 && mode_of(p.tokens) == 0700);
    remove_all(&p);
}

TEST(unseal__other_files_0600)
{
    struct place p;
    char key[sizeof p.object];
    make(&p);
    snprintf(key, sizeof key, "%s/1.object", p.one);
    CHECK(rename(p.object, key) == 0);
    CHECK_OK(kw_softhsm_seal(p.tokens, true, NULL));
    CHECK(mode_of(key) == 0400);
    CHECK_OK(kw_softhsm_seal(p.tokens, false, NULL));
    CHECK(mode_of(key) == 0600);
    CHECK(rename(key, p.object) == 0);
    remove_all(&p);
}

TEST(one_file_unsealed__the_look_names_it)
{
    struct place p;
    struct kw_softhsm_look look;
    make(&p);
    CHECK_OK(kw_softhsm_seal(p.tokens, true, NULL));
    CHECK(chmod(p.object, 0600) == 0);
    CHECK_OK(kw_softhsm_look(p.tokens, &look, NULL));
    CHECK(!look.sealed);
    CHECK_STR(look.example, "token.object");
    remove_all(&p);
}

TEST(symbolic_link__never_followed)
{
    struct place p;
    char outside[96], link[144];
    make(&p);
    snprintf(outside, sizeof outside, "%s/outside", p.dir);
    snprintf(link, sizeof link, "%s/link", p.one);
    CHECK_OK(kw_file_replace(outside, kw_span_str("x"), 0644, NULL));
    CHECK(symlink(outside, link) == 0);
    CHECK_OK(kw_softhsm_seal(p.tokens, true, NULL));
    CHECK(mode_of(outside) == 0644);
    CHECK_OK(kw_softhsm_seal(p.tokens, false, NULL));
    CHECK(unlink(link) == 0 && unlink(outside) == 0);
    remove_all(&p);
}

TEST(no_token_directory__missing)
{
    struct kw_softhsm_look look;
    struct kw_note note = {{0}};
    CHECK_CODE(kw_softhsm_seal("/nonexistent/tokens", true, &note), KW_CODE_MISSING);
    CHECK_CODE(kw_softhsm_look("/nonexistent/tokens", &look, &note), KW_CODE_MISSING);
}

TEST(which_module_is_softhsm)
{
    char other[] = "/opt/vendor/libcs.so", gone[] = "/usr/lib/other/libsofthsm2.so";
    char soft[128];
    char name[] = "SOFTHSM2_CONF", value[] = "/x/softhsm2.conf";
    struct kw_config_token t = {.module = other};
    CHECK(kw_softhsm_conf(&t) == NULL);
    t.module = gone; /* told as a module that is not there */
    CHECK(kw_softhsm_conf(&t) == NULL);
    struct place p;
    make(&p);
    snprintf(soft, sizeof soft, "%s/libsofthsm2.so", p.one);
    CHECK_OK(kw_file_replace(soft, kw_span_str("x"), 0644, NULL));
    t.module = soft;
    CHECK_STR(kw_softhsm_conf(&t), "/etc/softhsm/softhsm2.conf");
    CHECK(kw_softhsm_is_systems(kw_softhsm_conf(&t)));
    CHECK(unlink(soft) == 0);
    remove_all(&p);
    t.env[0] = (struct kw_config_var){name, value};
    t.env_count = 1;
    CHECK_STR(kw_softhsm_conf(&t), value);
    CHECK(!kw_softhsm_is_systems(value));
}

KW_CASES("provider/cli/softhsm", CASE(conf_without_tokendir_or_relative__bad_input),
         CASE(conf__the_token_directory_without_blanks),
         CASE(seal__files_0400_folders_0500_and_back), CASE(unseal__other_files_0600),
         CASE(one_file_unsealed__the_look_names_it), CASE(symbolic_link__never_followed),
         CASE(no_token_directory__missing), CASE(which_module_is_softhsm))
