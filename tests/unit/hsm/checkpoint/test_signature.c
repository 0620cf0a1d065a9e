/* SPDX-License-Identifier: Apache-2.0 */
/* r and s side by side, and as DER. */
#include "check.h"
#include "sample.h"

#define ZEROS_31 "00000000000000000000000000000000000000000000000000000000000000"
#define N "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551"
#define N_LESS_1 "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632550"

static uint8_t in[80], out[80];

static kw_span bytes_of(const char *hex)
{
    kw_dst dst = kw_dst_of(in, sizeof in);
    sample_unhex(&dst, hex);
    return kw_dst_span(&dst);
}

static void becomes(const char *plain, const char *der)
{
    char hex[2 * sizeof out + 1];
    kw_dst dst = kw_dst_of(out, sizeof out);
    CHECK(bytes_of(plain).len == KW_SIGNATURE);
    CHECK_OK(kw_signature_to_der(in, &dst));
    kw_hex(hex, sizeof hex, kw_dst_span(&dst));
    CHECK_STR(hex, der);
    CHECK(dst.len <= KW_SIGNATURE_DER_MAX);
    CHECK_OK(kw_signature_from_der(bytes_of(der), out));
    kw_hex(hex, sizeof hex, kw_span_of(out, KW_SIGNATURE));
    CHECK_STR(hex, plain);
}

TEST(both_ways__short_and_long_numbers__each_its_shortest_spelling)
{
    becomes(ZEROS_31 "01" ZEROS_31 "7f", "3006020101"
                                         "02017f");
    becomes(ZEROS_31 "80" ZEROS_31 "01", "300702020080"
                                         "020101");
    becomes(N_LESS_1 N_LESS_1, "3046022100" N_LESS_1 "022100" N_LESS_1);
}

TEST(to_der__zero_or_not_below_the_order__bad_input)
{
    static const char *const bad[] = {ZEROS_31 "00" ZEROS_31 "01",
                                      ZEROS_31 "01" ZEROS_31 "00", N ZEROS_31 "01",
                                      ZEROS_31 "01" N};
    kw_dst dst = kw_dst_of(out, sizeof out);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        (void)bytes_of(bad[i]);
        CHECK_CODE(kw_signature_to_der(in, &dst), KW_CODE_BAD_INPUT);
        CHECK(dst.len == 0);
    }
}

TEST(to_der__no_room__nothing_written)
{
    kw_dst dst = kw_dst_of(out, KW_SIGNATURE_DER_MAX - 1);
    (void)bytes_of(N_LESS_1 N_LESS_1);
    CHECK_CODE(kw_signature_to_der(in, &dst), KW_CODE_NO_MEMORY);
    CHECK(dst.len == 0);
}

/* Of equal numbers one spelling is taken; ECDSA readers that took several have let a
 * signature be changed. */
TEST(from_der__every_other_spelling__bad_input)
{
    static const char r_is_n[] = "3026022100" N "020101";
    static const char r_is_long[] = "3026022101" ZEROS_31 "00020101";
    static const char *const bad[] = {
        "",
        "30",
        "3006",
        "3106020101020101",       /* another tag            */
        "300602010102010100",     /* bytes behind           */
        "3007020101020101",       /* too long a length      */
        "3005020101020101",       /* too short a one        */
        "308106020101020101",     /* a length of two bytes  */
        "30800201010201010000",   /* no length            */
        "3006030101020101",       /* no INTEGER             */
        "3005020002017f",         /* none of its bytes      */
        "300702020001020101",     /* a zero too many        */
        "3006020180020101",       /* negative               */
        "3006020100020101",       /* r = 0                  */
        "3006020101020100",       /* s = 0                  */
        "3009020101020101020101", /* three numbers          */
        "3003020101",             /* one                    */
        r_is_n,                   /* r = n                  */
        r_is_long,                /* 33 bytes that count    */
        "300702810101020101",
    };
    memset(out, 7, sizeof out);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        if (!(kw_signature_from_der(bytes_of(bad[i]), out).code == KW_CODE_BAD_INPUT))
            fail_msg("%s was taken", bad[i]);
        CHECK(out[0] == 7 && out[KW_SIGNATURE - 1] == 7);
    }
}

TEST(from_der__any_byte_of_the_sample_missing__bad_input)
{
    const size_t len = bytes_of(sample_der).len;
    CHECK_OK(kw_signature_from_der(kw_span_of(in, len), out));
    for (size_t n = 0; n < len; n++)
        CHECK_CODE(kw_signature_from_der(kw_span_of(in, n), out), KW_CODE_BAD_INPUT);
}

KW_SUITE("hsm/checkpoint/signature")
