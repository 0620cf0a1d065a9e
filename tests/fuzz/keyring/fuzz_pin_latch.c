/* SPDX-License-Identifier: Apache-2.0 */
/* target: kw_pin_records_parse, kw_pin_records_text, kw_pin_records_put, kw_pin_judge.
 * Input: pin-latch.json; attacker: nobody who is not the daemon's user or root; a torn
 * disk, a hand that edits.  Useful maximum: 64 KiB.  Claim: refuses with a note and gives
 * nothing, or what it parsed writes back to equal records, whose text is the same again;
 * and whatever is remembered of a token, no latched PIN may log in. */
#include <string.h>

#include "pin_file.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void check_round_trip(const struct kw_pin_records *records)
{
    static struct kw_pin_records back;
    struct kw_blob one = {0};
    struct kw_blob two = {0};
    KW_INVARIANT(!kw_failed(kw_pin_records_text(records, &one)));
    KW_MUST(!kw_failed(kw_pin_records_parse(kw_blob_peek(&one), &back, NULL)));
    KW_INVARIANT(!kw_failed(kw_pin_records_text(&back, &two)));
    KW_INVARIANT(kw_span_equal(kw_blob_peek(&one), kw_blob_peek(&two)));
    kw_blob_wipe(&one);
    kw_blob_wipe(&two);
}

/* The PIN that the record is about, asked for again. */
static void check_latch(const struct kw_pin_record *r)
{
    static struct kw_pin_verdict v;
    static struct kw_pin_facts facts;
    const struct kw_pin_owner asker = {.boot = "b", .pid = 7, .start = 7};
    const struct kw_moment now = {.boot = "b", .boot_ns = 1, .wall_ns = 1};
    facts = (struct kw_pin_facts){.mark = r->mark};
    memcpy(facts.serial, r->serial, sizeof facts.serial);
    memcpy(facts.label, r->label, sizeof facts.label);
    kw_pin_judge(r, &facts, false, &asker, &now, &v);
    KW_INVARIANT(!r->latched || r->retry || v.word != KW_PIN_GO);
    KW_INVARIANT((v.word == KW_PIN_GO) == (v.why.text[0] == '\0'));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    static struct kw_pin_records records;
    struct kw_note note = {{0}};
    kw_err e = kw_pin_records_parse(kw_span_of(data, len), &records, &note);
    if (kw_failed(e)) {
        KW_INVARIANT(records.count == 0 && note.text[0] != '\0');
        return 0;
    }
    check_round_trip(&records);
    for (size_t i = 0; i < records.count; i++)
        check_latch(&records.list[i]);
    return 0;
}
