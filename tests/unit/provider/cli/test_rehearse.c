/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"

#include "rehearse.h"

static struct kw_note note;

TEST(room__protected_taken_or_full__refused)
{
    struct kw_token_facts f = {.label = "slot-1", .private_free_bytes = 1023};
    CHECK_CODE(kw_rehearse_room(&f, &note), KW_CODE_HSM_CONFIG);
    CHECK_HAS(note.text, "1023 bytes");
    CHECK_HAS(note.text, "slot-1");
    f.private_free_bytes = KW_TOKEN_NOT_TOLD;
    f.no_rw_session = true;
    CHECK_CODE(kw_rehearse_room(&f, &note), KW_CODE_HSM_CONFIG);
    CHECK_HAS(note.text, "session");
    f.write_protected = true;
    CHECK_CODE(kw_rehearse_room(&f, &note), KW_CODE_HSM_CONFIG);
    CHECK_HAS(note.text, "write-protected");
}

TEST(room__enough_or_not_told__good)
{
    struct kw_token_facts f = {.private_free_bytes = 1024};
    CHECK_OK(kw_rehearse_room(&f, &note));
    f.private_free_bytes = KW_TOKEN_NOT_TOLD;
    CHECK_OK(kw_rehearse_room(&f, &note));
}

KW_CASES("provider/cli/rehearse", CASE(room__protected_taken_or_full__refused),
         CASE(room__enough_or_not_told__good))
