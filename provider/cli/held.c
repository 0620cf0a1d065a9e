/* SPDX-License-Identifier: Apache-2.0 */
/* Two kinds of file, one kind of item. */
#include "held.h"

#include <jansson.h>
#include <string.h>

#include <keyward/file.h>

#define STATUS_MAX (256u * 1024)

kw_err kw_held_file(const char *path, struct kw_held *ret_item, struct kw_note *note)
{
    struct kw_keyring *ring = NULL;
    kw_err e = kw_keyring_load(path, &ring, NULL, note);
    if (kw_failed(e))
        return e;
    struct kw_held item = {.name = path, .ring = ring, .serial = ring->serial};
    kw_copy_str(item.domain, sizeof item.domain, kw_span_str(ring->domain));
    kw_copy(item.sha256, sizeof item.sha256, kw_span_of(ring->sha256, 32));
    *ret_item = item;
    return KW_OK;
}

/* A daemon that has taken none says serial 0 and no digest. */
static bool read_document(const json_t *document, struct kw_held *item)
{
    const json_t *keyring = json_object_get(document, "keyring");
    const json_t *serial = json_object_get(keyring, "serial");
    const char *domain = json_string_value(json_object_get(document, "domain"));
    const char *sha256 = json_string_value(json_object_get(keyring, "sha256"));
    json_int_t n = json_integer_value(serial);
    if (domain == NULL || !kw_is_domain(kw_span_str(domain)) ||
        !json_is_integer(serial) || n < 0 || (uint64_t)n > KW_SERIAL_MAX ||
        !kw_copy_str(item->domain, sizeof item->domain, kw_span_str(domain)))
        return false;
    item->serial = (uint64_t)n;
    return n == 0 || (sha256 != NULL && kw_unhex(item->sha256, 32, kw_span_str(sha256)));
}

kw_err kw_held_status(const char *path, struct kw_held *ret_item, struct kw_note *note)
{
    struct kw_blob file = {0};
    struct kw_held item = {.name = path};
    json_error_t at;
    kw_err e = kw_file_read(path, STATUS_MAX, &file, note);
    if (kw_failed(e))
        return e;
    json_t *document =
        json_loadb((const char *)file.ptr, file.len, JSON_REJECT_DUPLICATES, &at);
    bool ok = read_document(document, &item);
    json_decref(document);
    kw_blob_wipe(&file);
    if (!ok) {
        kw_note_set(note,
                    "%s: no status of a keyward: save what keyward status --json prints",
                    path);
        return kw_err_at(KW_CODE_BAD_INPUT, "--status");
    }
    *ret_item = item;
    return KW_OK;
}

void kw_held_wipe(struct kw_held *item)
{
    kw_keyring_give((struct kw_keyring *)(uintptr_t)item->ring);
    *item = (struct kw_held){.ring = NULL};
}
