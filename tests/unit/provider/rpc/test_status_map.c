/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"

#include <ctype.h>
#include <stdio.h>

#include <keyward/file.h>

#include "status_map.h"

static const char *const status_names[] = {
    [GRPC_STATUS_OK] = "OK",
    [GRPC_STATUS_CANCELLED] = "CANCELLED",
    [GRPC_STATUS_INVALID_ARGUMENT] = "INVALID_ARGUMENT",
    [GRPC_STATUS_DEADLINE_EXCEEDED] = "DEADLINE_EXCEEDED",
    [GRPC_STATUS_NOT_FOUND] = "NOT_FOUND",
    [GRPC_STATUS_PERMISSION_DENIED] = "PERMISSION_DENIED",
    [GRPC_STATUS_RESOURCE_EXHAUSTED] = "RESOURCE_EXHAUSTED",
    [GRPC_STATUS_FAILED_PRECONDITION] = "FAILED_PRECONDITION",
    [GRPC_STATUS_INTERNAL] = "INTERNAL",
    [GRPC_STATUS_UNAVAILABLE] = "UNAVAILABLE",
};

/* docs/ERRORS.md is what operators act on: each code has its row, with this status. */
TEST(every_code__mapped__as_the_document_says)
{
    struct kw_blob manual = {0};
    static char text[1 << 17], row[128];
    CHECK_OK(kw_file_read(DOCS "/ERRORS.md", sizeof text - 1, &manual, NULL));
    CHECK(kw_copy_str(text, sizeof text, kw_blob_peek(&manual)));
    kw_blob_wipe(&manual);
    for (int i = 0; i < KW_CODE_COUNT; i++) {
        struct kw_rpc_status s = kw_rpc_status_of((enum kw_code)i);
        snprintf(row, sizeof row, "\n| `%s` | %s |", kw_code_name((enum kw_code)i),
                 status_names[s.code]);
        if (strstr(text, row) == NULL)
            fail_msg("docs/ERRORS.md has no row that begins \"%s\"", row + 1);
    }
}

static bool has_word(const char *text, const char *word)
{
    char lower[256] = {0};
    for (size_t i = 0; text[i] != '\0' && i < sizeof lower - 1; i++)
        lower[i] = (char)tolower((unsigned char)text[i]);
    return strstr(lower, word) != NULL;
}

/* The text ends up in errors that any client of the API server may read. */
TEST(every_text__read_by_an_api_user__no_detail)
{
    static const char *const forbidden[] = {"slot", "pin",    "pkcs", "ckr",
                                            "/",    "key_id", "kek",  "token",
                                            "uid",  "label",  "\n",   "0x"};
    for (int i = KW_CODE_OK + 1; i < KW_CODE_COUNT; i++) {
        const char *text = kw_rpc_status_of((enum kw_code)i).text;
        CHECK(strlen(text) > 10 && strlen(text) < 160);
        for (size_t w = 0; w < sizeof forbidden / sizeof forbidden[0]; w++)
            if (has_word(text, forbidden[w]))
                fail_msg("\"%s\" says \"%s\"", text, forbidden[w]);
        for (size_t c = 0; text[c] != '\0'; c++)
            CHECK(text[c] >= 0x20 && text[c] < 0x7f && text[c] != '%');
    }
}

/* What comes from outside the data must not make anybody delete an object. */
TEST(every_failure_of_ours__delete_nothing)
{
    for (int i = KW_CODE_OK + 1; i < KW_CODE_COUNT; i++) {
        struct kw_rpc_status s = kw_rpc_status_of((enum kw_code)i);
        bool about_the_request = s.code == GRPC_STATUS_INVALID_ARGUMENT;
        if (!about_the_request)
            CHECK_HAS(s.text, "the data is intact, delete nothing");
        if (s.code == GRPC_STATUS_UNAVAILABLE && i != KW_CODE_KEY_BAD)
            CHECK_HAS(s.text, "this is temporary");
    }
}

TEST(starting__says_so)
{
    CHECK_HAS(kw_rpc_status_of(KW_CODE_STARTING).text, "starting");
}

KW_CASES("provider/rpc/status_map", CASE(every_code__mapped__as_the_document_says),
         CASE(every_text__read_by_an_api_user__no_detail),
         CASE(every_failure_of_ours__delete_nothing), CASE(starting__says_so))
