/* SPDX-License-Identifier: Apache-2.0 */
/* target: kw_text_first, kw_is_text, kw_is_printable_text, kw_copy_printable.
 * Input: a name or a message as a token, a peer or a file gave it; attacker: any of them.
 * Useful maximum: 256 bytes.
 * Claim: the characters add up to the input; a copy is printable, never longer, the same
 * when nothing had to be replaced, and stays as it is when it is copied again; every cut
 * falls between two characters. */
#include <string.h>

#include <keyward/bytes.h>

enum { USEFUL = 256 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void walk(kw_span s)
{
    bool text = true;
    for (kw_span rest = s; rest.len > 0;) {
        uint32_t point;
        size_t n = kw_text_first(rest, &point);
        KW_INVARIANT(n >= 1 && n <= 4 && n <= rest.len);
        KW_INVARIANT(point == KW_NO_CHARACTER ? n == 1 : point <= 0x10ffff);
        text = text && point != KW_NO_CHARACTER && point != 0;
        rest = kw_span_of(rest.ptr + n, rest.len - n);
    }
    KW_INVARIANT(kw_is_text(s) == text);
    KW_INVARIANT(text || !kw_is_printable_text(s));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    char copy[USEFUL + 1], again[USEFUL + 1];
    kw_span s = kw_span_of(data, len < USEFUL ? len : USEFUL);
    walk(s);
    bool same = kw_copy_printable(copy, sizeof copy, s);
    kw_span got = kw_span_str(copy);
    KW_INVARIANT(same == kw_is_printable_text(s));
    KW_INVARIANT(got.len <= s.len && kw_is_printable_text(got));
    KW_INVARIANT(!same || kw_span_equal(got, s));
    KW_MUST(kw_copy_printable(again, sizeof again, got) && kw_span_equal_str(got, again));
    for (size_t cap = 1; cap <= got.len; cap++) {
        KW_MUST(!kw_copy_printable(again, cap, got));
        KW_INVARIANT(kw_is_printable_text(kw_span_str(again)));
        KW_INVARIANT(strncmp(copy, again, strlen(again)) == 0);
    }
    return 0;
}
