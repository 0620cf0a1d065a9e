/* SPDX-License-Identifier: Apache-2.0 */
/* slot - finds the one slot whose token the URI names
 *
 * Slot numbers change between starts, and no slot at all is what a network HSM's library
 * shows when it cannot reach its peer: both are reasons to look by name each time.
 */
#include "token_internal.h"

#include <stdio.h>

#include <keyward/alloc.h>

enum { SLOTS_SPARE = 8, SLOTS_TRIES = 3 };

/* The list may grow between the two calls; give up after a few. */
static kw_err list(CK_FUNCTION_LIST *ck, CK_SLOT_ID **ret_slots, CK_ULONG *ret_count)
{
    CK_RV rv = CKR_BUFFER_TOO_SMALL;
    for (int i = 0; rv == CKR_BUFFER_TOO_SMALL && i < SLOTS_TRIES; i++) {
        CK_ULONG count = 0;
        rv = ck->C_GetSlotList(CK_TRUE, NULL, &count);
        if (rv != CKR_OK)
            break;
        count += SLOTS_SPARE;
        CK_SLOT_ID *slots = kw_new(count, sizeof *slots);
        if (slots == NULL)
            return kw_err_at(KW_CODE_NO_MEMORY, "C_GetSlotList");
        rv = ck->C_GetSlotList(CK_TRUE, slots, &count);
        if (rv == CKR_OK) {
            *ret_slots = slots;
            *ret_count = count;
            return KW_OK;
        }
        kw_free(slots);
    }
    return kw_ckr(rv, "C_GetSlotList");
}

struct hunt {
    unsigned matches;
    CK_SLOT_ID slot;
    CK_TOKEN_INFO info;
    kw_err silent;   /* the last slot whose token did not answer */
    char there[300]; /* labels and serials of the tokens, as many as fit */
    size_t there_len;
};

/* A slot may hold a token that nobody has initialised: it is no choice. */
static void slot_add_name(struct hunt *hunt, const CK_TOKEN_INFO *info)
{
    struct kw_token_facts facts = {0};
    char name[96];
    if ((info->flags & CKF_TOKEN_INITIALIZED) == 0)
        return;
    kw_facts_of_token(info, &facts);
    int len = snprintf(name, sizeof name, "%s\"%s\" (serial %s)",
                       hunt->there_len > 0 ? ", " : "", facts.label, facts.serial);
    if (len > 0 && (size_t)len < sizeof hunt->there - hunt->there_len) {
        kw_copy(hunt->there + hunt->there_len, sizeof hunt->there - hunt->there_len,
                kw_span_of(name, (size_t)len + 1));
        hunt->there_len += (size_t)len;
    }
}

static void slot_look(CK_FUNCTION_LIST *ck, const struct kw_token_uri *uri,
                      CK_SLOT_ID slot, struct hunt *hunt)
{
    CK_TOKEN_INFO info = {0};
    CK_RV rv = ck->C_GetTokenInfo(slot, &info);
    if (rv != CKR_OK) {
        if (rv != CKR_TOKEN_NOT_PRESENT && rv != CKR_TOKEN_NOT_RECOGNIZED)
            hunt->silent = kw_ckr(rv, "C_GetTokenInfo");
        return;
    }
    bool matches = kw_token_uri_matches(uri, &info);
    if (matches && hunt->matches == 0)
        hunt->there_len = 0; /* from now on those that match are of interest */
    if (matches || hunt->matches == 0)
        slot_add_name(hunt, &info);
    if (!matches)
        return;
    hunt->matches++;
    hunt->slot = slot;
    hunt->info = info;
}

static kw_err slot_judge(const struct hunt *hunt, CK_ULONG slots, struct kw_note *note)
{
    if (hunt->matches == 1)
        return KW_OK;
    if (hunt->matches > 1) {
        kw_note_set(note,
                    "%u tokens match the token's URI: add serial= to name exactly one: "
                    "%s",
                    hunt->matches, hunt->there);
        return kw_err_at(KW_CODE_HSM_CONFIG, "C_GetTokenInfo");
    }
    if (kw_failed(hunt->silent)) {
        kw_ckr_note(note, hunt->silent,
                    "a token did not answer, and no other one matches "
                    "the URI");
        return hunt->silent;
    }
    if (hunt->there_len > 0)
        kw_note_set(note, "no token matches the token's URI; there are: %s", hunt->there);
    else
        kw_note_set(
            note,
            "no token matches the token's URI: the module shows none (%lu slots): "
            "is the HSM reachable, and is its library's own configuration right?",
            slots);
    return kw_err_at(KW_CODE_MISSING, "C_GetSlotList");
}

kw_err kw_slot_find(CK_FUNCTION_LIST *ck, const struct kw_token_uri *uri,
                    CK_SLOT_ID *ret_slot, CK_TOKEN_INFO *ret_info, struct kw_note *note)
{
    CK_SLOT_ID *slots = NULL;
    CK_ULONG count = 0;
    struct hunt hunt = {0};
    kw_err e = list(ck, &slots, &count);
    if (kw_failed(e)) {
        kw_ckr_note(note, e, "the module does not list its slots");
        return e;
    }
    for (CK_ULONG i = 0; i < count; i++)
        slot_look(ck, uri, slots[i], &hunt);
    kw_free(slots);
    e = slot_judge(&hunt, count, note);
    if (kw_failed(e))
        return e;
    *ret_slot = hunt.slot;
    *ret_info = hunt.info;
    return KW_OK;
}
