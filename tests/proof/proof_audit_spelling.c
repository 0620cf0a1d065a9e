/* SPDX-License-Identifier: Apache-2.0 */
/* Target: values and numbers in a line of an audit log.  Input: what stands between two
 * quotes, or where a number should.  Useful maximum: 45 bytes, the longest foreign name;
 * words, texts and digits of hex are looked at byte by byte however many there are.
 * Claim: nothing outside the text is read, and a number has digits and 63 bits. */
#include "proof.h"

#include "spelling.h"

enum { SIZES = 45 };

static void value_of(kw_span text)
{
    static const struct kw_audit_member members[] = {
        {"a", KW_AUDIT_WORD, 32},   {"b", KW_AUDIT_TEXT, 32},  {"c", KW_AUDIT_HEX, 16},
        {"d", KW_AUDIT_REQUEST, 0}, {"e", KW_AUDIT_KEY_ID, 0}, {"f", KW_AUDIT_NUMBER, 0}};
    for (size_t i = 0; i < sizeof members / sizeof members[0]; i++)
        (void)kw_audit_is_spelled(&members[i], text);
    (void)kw_audit_is_time(text);
}

static void number_of(kw_span text)
{
    uint8_t room[KW_AUDIT_DIGITS];
    struct kw_src src = kw_src_of(text);
    uint64_t number = 0;
    (void)kw_audit_take(&src, "kw1-");
    src = kw_src_of(text);
    bool ok = kw_audit_take_number(&src, &number);
    /*@ assert range: ok ==> number <= INT64_MAX; */
    /*@ assert digits: ok ==> src.at >= 1; */
    (void)kw_audit_digits(number, room);
}

static void made_writable(void)
{
    static char name[8];
    PROOF_UNKNOWN(name);
    name[sizeof name - 1] = '\0';
    kw_audit_make_text(name);
}

int main(void)
{
    static uint8_t in[SIZES];
    PROOF_UNKNOWN(in);
    static const uint8_t lens[] = {0, 1, 27, 36, 45};
    for (size_t i = 0; i < sizeof lens; i++)
        value_of(kw_span_of(PROOF_TAIL(in, lens[i]), lens[i]));
    made_writable();
    for (size_t len = 0; len <= 4; len++)
        number_of(kw_span_of(PROOF_TAIL(in, len), len));
    return 0;
}
