/* SPDX-License-Identifier: Apache-2.0 */
/* target: kw_marks_parse, kw_marks_write, and what a refusal says of such marks.
 * Input: marks.json; attacker: nobody who is not the daemon's user or root; a torn disk,
 * a hand that edits.  Useful maximum: 64 KiB. Claim: refuses with a note and changes
 * nothing, or what it parsed writes back to equal marks, whose text is the same again;
 * and whatever the marks are, a missing keyring is judged with words and whole lines. */
#include <string.h>

#include <keyward/state.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void check_round_trip(const struct kw_marks *marks)
{
    static struct kw_marks back;
    struct kw_blob one = {0};
    struct kw_blob two = {0};
    KW_MUST(!kw_failed(kw_marks_write(marks, &one)));
    KW_MUST(!kw_failed(kw_marks_parse(kw_blob_peek(&one), &back, NULL)));
    KW_MUST(!kw_failed(kw_marks_write(&back, &two)));
    KW_INVARIANT(kw_span_equal(kw_blob_peek(&one), kw_blob_peek(&two)));
    kw_blob_wipe(&one);
    kw_blob_wipe(&two);
}

static void check_refusal(const struct kw_marks *marks)
{
    static struct kw_judgement j;
    static const struct kw_activation no_act;
    static const struct kw_places places = {"/etc/it's a keyring.json", "/var"};
    const struct kw_memory memory = {marks, &no_act, NULL};
    kw_keyring_judge(NULL, "demo", &memory, &places, &j);
    size_t end = strlen(j.cure);
    KW_INVARIANT((j.refusal == KW_ADMITTED) == (marks->serial == 0));
    KW_INVARIANT((j.refusal == KW_ADMITTED) == (end == 0));
    KW_INVARIANT(end == 0 || (end < sizeof j.cure && j.cure[end - 1] == '\n'));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    static struct kw_marks marks;
    static const struct kw_marks none;
    struct kw_note note = {{0}};
    marks = none;
    kw_err e = kw_marks_parse(kw_span_of(data, len), &marks, &note);
    if (kw_failed(e)) {
        KW_INVARIANT(memcmp(&marks, &none, sizeof none) == 0 && note.text[0] != '\0');
        return 0;
    }
    check_round_trip(&marks);
    check_refusal(&marks);
    return 0;
}
