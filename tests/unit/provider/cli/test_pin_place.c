/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"

#include <ftw.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include <keyward/env.h>
#include <keyward/file.h>

#include "pin_place.h"
#include "unit.h"

/* A folder as /run/credentials, and as a root with unit files. */
static char dir[64], path[KW_PATH_MAX];
static struct kw_note note;

static void make_folder(const char *name)
{
    snprintf(path, sizeof path, "%s/%s", dir, name);
    for (char *slash = path + 1; (slash = strchr(slash, '/')) != NULL; *slash++ = '/') {
        *slash = '\0';
        (void)mkdir(path, 0755);
    }
    (void)mkdir(path, 0755);
}

static void put(const char *folder, const char *file, const char *text)
{
    make_folder(folder);
    snprintf(path, sizeof path, "%s/%s/%s", dir, folder, file);
    CHECK_OK(kw_file_replace(path, kw_span_str(text), 0400, NULL));
}

static void begin(void)
{
    kw_env_clear();
    note = (struct kw_note){{0}};
    snprintf(dir, sizeof dir, "/tmp/keyward-place-XXXXXX");
    CHECK(mkdtemp(dir) != NULL);
}

static int take_away(const char *name, const struct stat *st, int kind, struct FTW *at)
{
    (void)st;
    (void)kind;
    (void)at;
    return remove(name);
}

static void end(void)
{
    CHECK(nftw(dir, take_away, 8, FTW_PHYS | FTW_DEPTH) == 0);
}

static void is_in(const char *unit, const char *want)
{
    char found[KW_PATH_MAX];
    snprintf(path, sizeof path, "%s/%s", dir, want);
    CHECK_OK(kw_pin_place_find(dir, unit, "pin", found, &note));
    CHECK_STR(found, path);
}

TEST(nobody_has_it__missing)
{
    char found[KW_PATH_MAX] = "untouched";
    begin();
    CHECK_CODE(kw_pin_place_find(dir, NULL, "pin", found, &note), KW_CODE_MISSING);
    put("keywardd.service", "another", "x");
    CHECK_CODE(kw_pin_place_find(dir, NULL, "pin", found, &note), KW_CODE_MISSING);
    put("pin", "pin", "x"); /* nor as a file of that name */
    CHECK_CODE(kw_pin_place_find(dir, NULL, "pin", found, &note), KW_CODE_MISSING);
    CHECK_STR(found, "untouched");
    end();
}

TEST(unit_named_has_it_not__missing_though_others_have)
{
    char found[KW_PATH_MAX];
    begin();
    put("keywardd.service", "pin", "x");
    put("own", "pin", "x");
    snprintf(path, sizeof path, "%s/own", dir);
    CHECK(kw_env_give("CREDENTIALS_DIRECTORY", path));
    CHECK_CODE(kw_pin_place_find(dir, "other.service", "pin", found, &note),
               KW_CODE_MISSING);
    end();
}

TEST(several_have_it__own_service_then_the_usual_ones)
{
    begin();
    put("keyward.service", "pin", "x");
    is_in(NULL, "keyward.service/pin");
    put("keywardd.service", "pin", "x");
    is_in(NULL, "keywardd.service/pin");
    put("own", "pin", "x");
    snprintf(path, sizeof path, "%s/own", dir);
    CHECK(kw_env_give("CREDENTIALS_DIRECTORY", path));
    is_in(NULL, "own/pin");
    put("another.service", "pin", "x");
    is_in("another.service", "another.service/pin");
    end();
}

TEST(unit_names__only_such)
{
    char *argv[] = {NULL};
    struct kw_invocation call = {.verb = "check", .argc = 0, .argv = argv};
    CHECK(kw_pin_place_called(&call));
    call.unit = "keywardd";
    CHECK(kw_pin_place_called(&call));
    call.unit = "kms@a-1.service";
    CHECK(kw_pin_place_called(&call));
    static const char *const bad[] = {"../x.service", "a/b.service", ".", "a b.service"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        call.unit = bad[i];
        CHECK(!kw_pin_place_called(&call));
    }
}

static void check_line(const struct kw_invocation *call, const char *property,
                       const char *want)
{
    char text[1024] = "";
    FILE *out = fmemopen(text, sizeof text, "w");
    CHECK(out != NULL);
    kw_pin_place_line(call, "/usr/bin/keyward", property, out);
    fclose(out);
    CHECK_STR(text, want);
}

TEST(line__as_the_shell_wants_it_and_without_unit)
{
    char *plain[] = {"create", "--config",  "/etc/keyward/keyward.yaml",
                     "--unit", "x.service", "--unit=y",
                     "--json"};
    char *odd[] = {"create", "--operator", "it's me; $(id)"};
    const struct kw_invocation a = {NULL, "key create", 7, plain};
    const struct kw_invocation b = {NULL, "key create", 3, odd};
    check_line(&a, "LoadCredential=pin:/etc/pin",
               "systemd-run --pipe --wait --same-dir -p LoadCredential=pin:/etc/pin "
               "/usr/bin/keyward key create --config /etc/keyward/keyward.yaml --json\n");
    check_line(&b, "LoadCredential=pin:/my pin",
               "systemd-run --pipe --wait --same-dir -p 'LoadCredential=pin:/my pin' "
               "/usr/bin/keyward key create --operator 'it'\\''s me; $(id)'\n");
}

TEST(unit_files__where_the_credential_comes_from)
{
    char property[KW_UNIT_PROPERTY_MAX] = "";
    begin();
    CHECK(!kw_unit_credential(dir, "k.service", "pin", property));
    put("usr/lib/systemd/system", "k.service",
        "[Service]\nLoadCredential=other:/x\nLoadCredential=pin:/vendor/pin\n"
        "SetCredential=pin:1234\n");
    CHECK(kw_unit_credential(dir, "k.service", "pin", property));
    CHECK_STR(property, "LoadCredential=pin:/vendor/pin");
    put("etc/systemd/system/k.service.d", "pin.conf",
        "[Service]\nLoadCredentialEncrypted=pin:/etc/keyward/pin.cred \r\n");
    CHECK(kw_unit_credential(dir, "k.service", "pin", property));
    CHECK_STR(property, "LoadCredentialEncrypted=pin:/etc/keyward/pin.cred");
    end();
}

/* A path of systemd's own making, a socket's name, a value in the unit itself. */
TEST(unit_files_say_it_otherwise__not_found)
{
    char property[KW_UNIT_PROPERTY_MAX];
    begin();
    put("etc/systemd/system", "k.service",
        "LoadCredential=pin:%d/pin\nLoadCredential=pin\nSetCredential=pin:1234\n"
        "#LoadCredential=pin:/x\nLoadCredential=pin:/x\x9b");
    CHECK(!kw_unit_credential(dir, "k.service", "pin", property));
    end();
}

KW_CASES("provider/cli/pin_place", CASE(nobody_has_it__missing),
         CASE(unit_named_has_it_not__missing_though_others_have),
         CASE(several_have_it__own_service_then_the_usual_ones),
         CASE(unit_names__only_such), CASE(line__as_the_shell_wants_it_and_without_unit),
         CASE(unit_files__where_the_credential_comes_from),
         CASE(unit_files_say_it_otherwise__not_found))
