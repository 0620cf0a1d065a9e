/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"

#include <ctype.h>
#include <stdio.h>

#include "status_map.h"

/* The table of docs/ERRORS.md, once more and by hand. */
static const struct {
    enum kw_code code;
    grpc_status_code status;
} expected[] = {
    {KW_CODE_OK, GRPC_STATUS_OK},
    {KW_CODE_BAD_INPUT, GRPC_STATUS_INVALID_ARGUMENT},
    {KW_CODE_DENIED, GRPC_STATUS_PERMISSION_DENIED},
    {KW_CODE_UNKNOWN_KEY, GRPC_STATUS_NOT_FOUND},
    {KW_CODE_KEY_DISABLED, GRPC_STATUS_FAILED_PRECONDITION},
    {KW_CODE_KEY_BAD, GRPC_STATUS_UNAVAILABLE},
    {KW_CODE_FORGED, GRPC_STATUS_INVALID_ARGUMENT},
    {KW_CODE_UNSURE, GRPC_STATUS_UNAVAILABLE},
    {KW_CODE_WRONG_ANSWER, GRPC_STATUS_INTERNAL},
    {KW_CODE_QUARANTINED, GRPC_STATUS_FAILED_PRECONDITION},
    {KW_CODE_BUSY, GRPC_STATUS_RESOURCE_EXHAUSTED},
    {KW_CODE_DEADLINE, GRPC_STATUS_DEADLINE_EXCEEDED},
    {KW_CODE_CANCELLED, GRPC_STATUS_CANCELLED},
    {KW_CODE_STARTING, GRPC_STATUS_UNAVAILABLE},
    {KW_CODE_SESSION, GRPC_STATUS_UNAVAILABLE},
    {KW_CODE_HSM_BUSY, GRPC_STATUS_UNAVAILABLE},
    {KW_CODE_HSM_DOWN, GRPC_STATUS_UNAVAILABLE},
    {KW_CODE_HSM_CONFIG, GRPC_STATUS_UNAVAILABLE},
    {KW_CODE_PIN_STOP, GRPC_STATUS_UNAVAILABLE},
    {KW_CODE_NO_MEMORY, GRPC_STATUS_RESOURCE_EXHAUSTED},
    {KW_CODE_IO, GRPC_STATUS_INTERNAL},
    {KW_CODE_MISSING, GRPC_STATUS_INTERNAL},
    {KW_CODE_BUG, GRPC_STATUS_INTERNAL},
};

static void every_code__mapped__as_the_table_says(void **state)
{
    (void)state;
    assert_int_equal(sizeof expected / sizeof expected[0], KW_CODE_COUNT);
    for (size_t i = 0; i < KW_CODE_COUNT; i++) {
        assert_int_equal(expected[i].code, i);
        assert_int_equal(kw_rpc_status_of((enum kw_code)i).code, expected[i].status);
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
static void every_text__read_by_an_api_user__no_detail(void **state)
{
    static const char *const forbidden[] = {"slot", "pin",    "pkcs", "ckr",
                                            "/",    "key_id", "kek",  "token",
                                            "uid",  "label",  "\n",   "0x"};
    (void)state;
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
static void every_failure_of_ours__delete_nothing(void **state)
{
    (void)state;
    for (int i = KW_CODE_OK + 1; i < KW_CODE_COUNT; i++) {
        struct kw_rpc_status s = kw_rpc_status_of((enum kw_code)i);
        bool about_the_request = s.code == GRPC_STATUS_INVALID_ARGUMENT;
        if (!about_the_request)
            CHECK_HAS(s.text, "the data is intact, delete nothing");
        if (s.code == GRPC_STATUS_UNAVAILABLE && i != KW_CODE_KEY_BAD)
            CHECK_HAS(s.text, "this is temporary");
    }
}

static void starting__says_so(void **state)
{
    (void)state;
    CHECK_HAS(kw_rpc_status_of(KW_CODE_STARTING).text, "starting");
}

KW_CASES("provider/rpc/status_map", CASE(every_code__mapped__as_the_table_says),
         CASE(every_text__read_by_an_api_user__no_detail),
         CASE(every_failure_of_ours__delete_nothing), CASE(starting__says_so))
