/* SPDX-License-Identifier: Apache-2.0 */
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <keyward/file.h>

#include "token_fixture.h"

static kw_err open_with(struct fixture *f, const char *module, const char *uri)
{
    struct kw_token_options options = kw_softhsm_options(&f->hsm, KW_SOFTHSM_READ_ONLY);
    if (module != NULL)
        options.module = module;
    if (uri != NULL)
        options.uri = uri;
    struct kw_token *token = NULL;
    kw_err e = kw_token_open(&options, &token, &f->note);
    CHECK(kw_failed(e) == (token == NULL));
    kw_token_close(token);
    return e;
}

static void begin(struct fixture *f)
{
    *f = (struct fixture){0};
    kw_test_arena(1 << 16);
    kw_softhsm_make(&f->hsm);
}

static void file_in(struct fixture *f, const char *name, const char *text, char path[160])
{
    snprintf(path, 160, "%s/%s", f->hsm.dir, name);
    CHECK_OK(kw_file_replace(path, kw_span_str(text), 0700, &f->note));
}

TEST(open__module_path_wrong__missing)
{
    struct fixture f;
    begin(&f);
    CHECK_CODE(open_with(&f, "/nonexistent/libmodule.so", NULL), KW_CODE_MISSING);
    CHECK_HAS(f.note.text, "/nonexistent/libmodule.so");
    CHECK_CODE(open_with(&f, "libsofthsm2.so", NULL), KW_CODE_HSM_CONFIG);
    CHECK_HAS(f.note.text, "absolute");
    fixture_end(&f);
}

TEST(open__not_a_pkcs11_module__config)
{
    struct fixture f;
    char path[160];
    Dl_info libc;
    begin(&f);
    CHECK(dladdr((void *)(uintptr_t)&qsort, &libc) != 0 && libc.dli_fname[0] == '/');
    CHECK_CODE(open_with(&f, libc.dli_fname, NULL), KW_CODE_HSM_CONFIG);
    CHECK_HAS(f.note.text, "not a PKCS#11 module");
    file_in(&f, "text.so", "no library", path);
    CHECK_CODE(open_with(&f, path, NULL), KW_CODE_HSM_CONFIG);
    CHECK_HAS(f.note.text, "not a PKCS#11 module");
    CHECK_CODE(open_with(&f, f.hsm.dir, NULL), KW_CODE_HSM_CONFIG);
    CHECK_HAS(f.note.text, "not a regular file");
    fixture_end(&f);
}

TEST(open__the_spy_by_name_or_link__config)
{
    struct fixture f;
    char spy[160], link_path[160];
    begin(&f);
    file_in(&f, "pkcs11-spy.so", "not even loaded", spy);
    CHECK_CODE(open_with(&f, spy, NULL), KW_CODE_HSM_CONFIG);
    CHECK_HAS(f.note.text, "pkcs11-spy");
    snprintf(link_path, sizeof link_path, "%s/innocent.so", f.hsm.dir);
    CHECK(symlink(spy, link_path) == 0);
    CHECK_CODE(open_with(&f, link_path, NULL), KW_CODE_HSM_CONFIG);
    CHECK_HAS(f.note.text, "pkcs11-spy");
    fixture_end(&f);
}

/* Its constructor would run as whoever loads it: nothing is loaded, not even for a
 * look. */
static void not_loaded(struct fixture *f, const char *module, const char *why)
{
    CHECK_CODE(open_with(f, module, NULL), KW_CODE_HSM_CONFIG);
    CHECK_HAS(f->note.text, why);
    CHECK(dlopen(f->hsm.fault, RTLD_LAZY | RTLD_NOLOAD) == NULL);
}

TEST(open__module_that_others_could_change__config_and_not_loaded)
{
    struct fixture f;
    begin(&f);
    kw_fault_between(&f.hsm);
    CHECK(chmod(f.hsm.fault, 0666) == 0);
    not_loaded(&f, NULL, "fault.so: mode 0666 lets others change it; chmod go-w it");
    CHECK(chmod(f.hsm.fault, 0775) == 0);
    not_loaded(&f, NULL, "mode 0775 lets others change it");
    if (geteuid() == 0) { /* only root can give files away */
        CHECK(chmod(f.hsm.fault, 0755) == 0 && chown(f.hsm.fault, 4321, 0) == 0);
        not_loaded(&f, NULL, "belongs to uid 4321, who could change");
        CHECK_HAS(f.note.text, "chown it to root");
        CHECK(chown(f.hsm.fault, 0, 0) == 0);
    }
    CHECK(chmod(f.hsm.fault, 0755) == 0);
    CHECK_OK(open_with(&f, NULL, NULL));
    fixture_end(&f);
}

TEST(open__module_that_others_could_exchange__config_and_not_loaded)
{
    struct fixture f;
    char folder[160], link_path[200];
    begin(&f);
    kw_fault_between(&f.hsm);
    CHECK(chmod(f.hsm.dir, 0777) == 0);
    not_loaded(&f, NULL, "mode 0777 lets others exchange");
    CHECK_HAS(f.note.text, "chmod go-w the folder");
    CHECK(chmod(f.hsm.dir, 0755) == 0);
    /* A link is as good as the folder it lies in. */
    snprintf(folder, sizeof folder, "%s/shared", f.hsm.dir);
    snprintf(link_path, sizeof link_path, "%s/innocent.so", folder);
    CHECK(mkdir(folder, 0755) == 0 && symlink(f.hsm.fault, link_path) == 0);
    CHECK(chmod(folder, 0777) == 0);
    not_loaded(&f, link_path, "mode 0777 lets others exchange");
    if (geteuid() == 0) {
        CHECK(chmod(folder, 0755) == 0 && lchown(link_path, 4321, 0) == 0);
        not_loaded(&f, link_path, "belongs to uid 4321");
        CHECK(lchown(link_path, 0, 0) == 0);
    }
    CHECK(chmod(folder, 0755) == 0);
    CHECK_OK(open_with(&f, link_path, NULL));
    fixture_end(&f);
}

TEST(open__no_such_token__missing)
{
    struct fixture f;
    begin(&f);
    CHECK_CODE(open_with(&f, NULL, "pkcs11:token=elsewhere"), KW_CODE_MISSING);
    CHECK_HAS(f.note.text, "no token matches");
    CHECK_HAS(f.note.text, "there are: \"" KW_SOFTHSM_LABEL "\" (serial ");
    CHECK(strstr(f.note.text, "\"\"") == NULL); /* the slot without a token */
    CHECK_CODE(open_with(&f, NULL, "pkcs11:token=keyward-test;serial=0000000000000000"),
               KW_CODE_MISSING);
    fixture_end(&f);
}

TEST(open__no_slots__missing)
{
    struct fixture f;
    begin(&f);
    kw_fault_between(&f.hsm);
    kw_fault_set(&f.hsm, "emptyslots\n");
    CHECK_CODE(open_with(&f, NULL, NULL), KW_CODE_MISSING);
    CHECK_HAS(f.note.text, "shows none");
    fixture_end(&f);
}

TEST(open__two_tokens_match__config)
{
    struct fixture f;
    begin(&f);
    kw_softhsm_add_token(&f.hsm, KW_SOFTHSM_LABEL);
    CHECK_CODE(open_with(&f, NULL, NULL), KW_CODE_HSM_CONFIG);
    CHECK_HAS(f.note.text, "serial=");
    const char *first = strstr(f.note.text, "(serial ");
    CHECK(first != NULL && strstr(first + 1, "(serial ") != NULL);
    fixture_end(&f);
}

TEST(open__another_token_beside_it__found)
{
    struct fixture f;
    begin(&f);
    kw_softhsm_add_token(&f.hsm, "elsewhere");
    CHECK_OK(open_with(&f, NULL, NULL));
    CHECK_OK(open_with(&f, NULL, "pkcs11:token=elsewhere"));
    fixture_end(&f);
}

TEST(open__module_answers_errors__down)
{
    static const char *const lies[] = {"C_Initialize rv=0x30\n", "C_GetInfo rv=0x5\n",
                                       "C_GetSlotList rv=0x30\n",
                                       "C_GetTokenInfo rv=0x30\n"};
    struct fixture f;
    begin(&f);
    kw_fault_between(&f.hsm);
    for (size_t i = 0; i < sizeof lies / sizeof lies[0]; i++) {
        kw_fault_set(&f.hsm, lies[i]);
        CHECK_CODE(open_with(&f, NULL, NULL), KW_CODE_HSM_DOWN);
        CHECK_HAS(f.note.text, "CKR_");
    }
    kw_fault_set(&f.hsm, "");
    CHECK_OK(open_with(&f, NULL, NULL));
    fixture_end(&f);
}

TEST(open__token_not_present_in_its_slot__missing)
{
    struct fixture f;
    begin(&f);
    kw_fault_between(&f.hsm);
    kw_fault_set(&f.hsm, "C_GetTokenInfo rv=0xe0\n");
    CHECK_CODE(open_with(&f, NULL, NULL), KW_CODE_MISSING);
    fixture_end(&f);
}

TEST(open__softhsm__facts)
{
    struct fixture f;
    char uri[128];
    begin(&f);
    struct kw_token_options options = kw_softhsm_options(&f.hsm, KW_SOFTHSM_READ_ONLY);
    CHECK_OK(kw_token_open(&options, &f.token, &f.note));
    const struct kw_token_facts facts = *kw_token_facts(f.token);
    CHECK_STR(facts.label, KW_SOFTHSM_LABEL);
    CHECK_STR(facts.manufacturer, "SoftHSM project");
    CHECK(strlen(facts.serial) == 16);
    CHECK(facts.library[0] != '\0' && facts.library_version[0] != '\0');
    CHECK(facts.softhsm && facts.has_gcm && facts.has_aes_keygen && facts.login_required);
    CHECK(!facts.pin_count_low && !facts.pin_final_try && !facts.pin_locked);
    CHECK(facts.gcm_key_min == 16 && facts.gcm_key_max == 32);
    snprintf(uri, sizeof uri, "pkcs11:token=%s;serial=%s;manufacturer=SoftHSM%%20project",
             facts.label, facts.serial);
    kw_token_close(f.token);
    f.token = NULL;
    CHECK_OK(open_with(&f, NULL, uri));
    fixture_end(&f);
}

TEST(close__null__nothing)
{
    kw_token_close(NULL);
}

KW_CASES("open", CASE(open__module_path_wrong__missing),
         CASE(open__not_a_pkcs11_module__config),
         CASE(open__the_spy_by_name_or_link__config),
         CASE(open__module_that_others_could_change__config_and_not_loaded),
         CASE(open__module_that_others_could_exchange__config_and_not_loaded),
         CASE(open__no_such_token__missing), CASE(open__no_slots__missing),
         CASE(open__two_tokens_match__config), CASE(open__another_token_beside_it__found),
         CASE(open__module_answers_errors__down),
         CASE(open__token_not_present_in_its_slot__missing), CASE(open__softhsm__facts),
         CASE(close__null__nothing))
