/* SPDX-License-Identifier: Apache-2.0 */
#include <keyward/pin_source.h>

#include <keyward/env.h>

#include "check.h"

static void refused(const char *source, const char *word)
{
    char path[KW_PATH_MAX] = "untouched";
    struct kw_note note = {{0}};
    kw_err e = kw_pin_source_path(source, path, &note);
    if (e.code != KW_CODE_BAD_INPUT)
        fail_msg("%s: %s", source ? source : "NULL", kw_code_name(e.code));
    CHECK_STR(path, "untouched");
    CHECK_HAS(note.text, word);
    CHECK_HAS(note.text, "\"file:/absolute/path\" or \"credential:NAME\"");
}

static void is_path(const char *source, const char *want)
{
    char path[KW_PATH_MAX];
    struct kw_note note = {{0}};
    if (kw_failed(kw_pin_source_path(source, path, &note)))
        fail_msg("%s: %s", source, note.text);
    CHECK_STR(path, want);
}

TEST(source__neither_file_nor_credential__refused)
{
    refused(NULL, "neither");
    refused("", "neither");
    refused("123456", "neither");
    refused("/etc/keyward/pin", "neither");
    refused("|cat /etc/pin", "neither");
    refused("env:PIN", "neither");
    refused("FILE:/etc/pin", "neither");
}

TEST(source__an_inline_pin__not_repeated)
{
    char path[KW_PATH_MAX];
    struct kw_note note = {{0}};
    CHECK_CODE(kw_pin_source_path("file:24680", path, &note), KW_CODE_BAD_INPUT);
    CHECK(strstr(note.text, "24680") == NULL);
    CHECK_CODE(kw_pin_source_path("24680", path, &note), KW_CODE_BAD_INPUT);
    CHECK(strstr(note.text, "24680") == NULL);
}

TEST(source__file_path_not_absolute__refused)
{
    char longer[KW_PATH_MAX + 16] = "file:/";
    refused("file:", "not absolute");
    refused("file:pin", "not absolute");
    refused("file:./pin", "not absolute");
    refused("file:~/pin", "not absolute");
    refused("file:|cat", "not absolute");
    refused("file://host/pin", "URL");
    refused("file:///etc/pin", "URL");
    refused("file:/etc/keyward/", "folder");
    memset(longer + 6, 'a', KW_PATH_MAX);
    refused(longer, "too long");
}

TEST(source__file__its_path)
{
    is_path("file:/etc/keyward/pin", "/etc/keyward/pin");
    is_path("file:/p", "/p");
}

TEST(source__credential_without_a_directory__refused)
{
    kw_env_clear();
    refused("credential:pin", "LoadCredential=");
}

TEST(source__credential_name_bad__refused)
{
    CHECK(kw_env_give("CREDENTIALS_DIRECTORY", "/run/credentials/keywardd.service"));
    refused("credential:", "name");
    refused("credential:..", "name");
    refused("credential:.pin", "name");
    refused("credential:a/b", "name");
    refused("credential:../../etc/shadow", "name");
    refused("credential:a b", "name");
}

TEST(source__credential__in_its_directory)
{
    CHECK(kw_env_give("CREDENTIALS_DIRECTORY", "/run/credentials/keywardd.service"));
    is_path("credential:pin", "/run/credentials/keywardd.service/pin");
    is_path("credential:Hsm_pin-1.txt",
            "/run/credentials/keywardd.service/Hsm_pin-1.txt");
}

TEST(source__a_descriptor__of_programs_only)
{
    char pin[KW_PATH_MAX + 32];
    const char *path = NULL;
    int fd = -1;
    kw_pin_source_of_descriptor(7, "/run/x/pin", pin);
    CHECK(kw_pin_source_descriptor(pin, &fd, &path) && fd == 7);
    CHECK_STR(path, "/run/x/pin");
    refused(pin, "neither a file nor a credential");
    CHECK(!kw_pin_source_descriptor("descriptor:-1:/x", &fd, &path));
    CHECK(!kw_pin_source_descriptor("descriptor:7", &fd, &path));
    CHECK(!kw_pin_source_descriptor("file:/descriptor:7:/x", &fd, &path));
}

TEST(source__its_credentials_name__or_refused)
{
    struct kw_note note = {{0}};
    const char *name = NULL;
    CHECK_OK(kw_pin_source_credential("credential:hsm-pin", &name, &note));
    CHECK_STR(name, "hsm-pin");
    CHECK_CODE(kw_pin_source_credential("credential:../x", &name, &note),
               KW_CODE_BAD_INPUT);
    CHECK_CODE(kw_pin_source_credential("file:/x", &name, &note), KW_CODE_BAD_INPUT);
}

TEST(source__a_credential__told_from_a_file)
{
    CHECK(kw_pin_source_is_credential("credential:pin"));
    CHECK(!kw_pin_source_is_credential("file:/credential:pin"));
    CHECK(!kw_pin_source_is_credential(NULL));
}

TEST(source__one_of_its_facts_differs__another)
{
    const struct stat st = {.st_dev = 1, .st_ino = 2, .st_ctim = {3, 4}, .st_size = 5};
    const struct kw_pin_source a = kw_pin_source_of(&st);
    struct kw_pin_source other[4] = {a, a, a, a};
    CHECK(a.ctime_ns == INT64_C(3000000004));
    CHECK(kw_pin_source_same(&a, &other[0]));
    other[0].dev++;
    other[1].ino++;
    other[2].ctime_ns++;
    other[3].size++;
    for (size_t i = 0; i < 4; i++)
        CHECK(!kw_pin_source_same(&a, &other[i]));
}

TEST(pin__a_control_byte__refused_by_its_kind_and_never_shown)
{
    for (unsigned c = 0; c < 256; c++) {
        uint8_t pin[] = {'s', '3', 'c', (uint8_t)c, 'r', 't'};
        struct kw_note note = {{0}};
        kw_err e = kw_pin_check(kw_span_of(pin, sizeof pin), "/etc/pin", &note);
        CHECK(kw_failed(e) == (c < 0x20 || c == 0x7f));
        if (kw_failed(e)) {
            CHECK(e.code == KW_CODE_BAD_INPUT);
            CHECK_HAS(note.text, "/etc/pin: the PIN has a control character");
            CHECK(strstr(note.text, "s3c") == NULL);
        }
    }
}

TEST(pin__line_end_of_windows__said_as_that)
{
    struct kw_note note = {{0}};
    CHECK_CODE(kw_pin_check(kw_span_str("1234\r"), "/etc/pin", &note), KW_CODE_BAD_INPUT);
    CHECK_HAS(note.text, "carriage return");
    CHECK(strstr(note.text, "1234") == NULL);
}

TEST(check__byte_order_mark__refused_and_said)
{
    struct kw_note note = {{0}};
    CHECK_CODE(kw_pin_check(kw_span_str("\xef\xbb\xbf"
                                        "1234"),
                            "/etc/pin", &note),
               KW_CODE_BAD_INPUT);
    CHECK_HAS(note.text, "byte order mark");
    CHECK(strstr(note.text, "1234") == NULL);
    CHECK_OK(kw_pin_check(kw_span_str("\xef\xbb\xbe"
                                      "1234"),
                          "/etc/pin", &note));
    CHECK_OK(kw_pin_check(kw_span_str("\xef\xbb"), "/etc/pin", &note));
}

KW_CASES("hsm/base/pin_source",
         CASE(pin__a_control_byte__refused_by_its_kind_and_never_shown),
         CASE(pin__line_end_of_windows__said_as_that),
         CASE(source__a_descriptor__of_programs_only),
         CASE(source__its_credentials_name__or_refused),
         CASE(source__a_credential__told_from_a_file),
         CASE(source__one_of_its_facts_differs__another),
         CASE(source__neither_file_nor_credential__refused),
         CASE(source__an_inline_pin__not_repeated),
         CASE(source__file_path_not_absolute__refused), CASE(source__file__its_path),
         CASE(source__credential_without_a_directory__refused),
         CASE(source__credential_name_bad__refused),
         CASE(source__credential__in_its_directory),
         CASE(check__byte_order_mark__refused_and_said))
