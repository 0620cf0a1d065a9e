/* SPDX-License-Identifier: Apache-2.0 */
/* text - a keyring from its bytes and back; nothing is written that would not be read */
#include "member_table.h"

#include <keyward/alloc.h>
#include <keyward/sha256.h>

static kw_err keyring_text_fill(kw_span json, struct kw_keyring *ring,
                                struct kw_note *note)
{
    kw_err e = kw_json_read(kw_keyring_table, json, KW_KEYRING_MAX, ring, note);
    if (!kw_failed(e))
        e = kw_keyring_rules(ring, note);
    if (!kw_failed(e))
        e = kw_sha256(json, ring->sha256);
    return e;
}

kw_err kw_keyring_parse(kw_span json, struct kw_keyring **ret_ring, struct kw_note *note)
{
    struct kw_note why = {{0}};
    struct kw_keyring *ring = kw_new(1, sizeof *ring);

    if (ring == NULL)
        return kw_err_at(KW_CODE_NO_MEMORY, "keyring");
    ring->refs = 1;
    kw_err e = keyring_text_fill(json, ring, &why);
    if (kw_failed(e)) {
        kw_keyring_give(ring);
        kw_note_set(note, "keyring: %s", why.text);
        return e;
    }
    *ret_ring = ring;
    return KW_OK;
}

kw_err kw_keyring_text(const struct kw_keyring *ring, struct kw_blob *ret_json,
                       struct kw_note *note)
{
    struct kw_blob json = {0};
    struct kw_keyring *again = NULL;

    kw_err e = kw_json_write(kw_keyring_table, ring, &json);
    if (kw_failed(e)) {
        kw_note_set(note, "keyring: cannot be written: %s", kw_code_name(e.code));
        return e;
    }
    e = kw_keyring_parse(kw_blob_peek(&json), &again, note);
    kw_keyring_give(again);
    if (kw_failed(e))
        kw_blob_wipe(&json);
    else
        *ret_json = json;
    return e;
}

kw_err kw_keyring_write(const struct kw_keyring *ring, struct kw_blob *ret_json)
{
    return kw_keyring_text(ring, ret_json, NULL);
}
