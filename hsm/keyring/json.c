/* SPDX-License-Identifier: Apache-2.0 */
/* json - jansson with our allocator: documents in, canonical text out */
#include "keyring_layout.h"
#include "member.h"

#include <pthread.h>

#include <keyward/alloc.h>

/* jansson does not say in every case that memory was the reason, and 2.14 goes on after
 * some of its failures as if nothing had happened: a text whose memory was not there reads
 * as an empty one, or is written behind the end of a buffer that did not grow.  So memory
 * that was short once stays short to the end of the document, and nothing of it counts. */
static _Thread_local bool starved;

static void *json_new(size_t size)
{
    void *p = starved ? NULL : kw_new(size, 1);
    if (p == NULL)
        starved = true;
    return p;
}

static void set_allocator(void)
{
    json_set_alloc_funcs(json_new, kw_free);
}

static void keyring_json_begin(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    KW_MUST(pthread_once(&once, set_allocator) == 0);
    starved = false;
}

static kw_err parse(kw_span text, json_t **ret_root, struct kw_note *note)
{
    json_error_t error;
    json_t *root =
        json_loadb((const char *)text.ptr, text.len, JSON_REJECT_DUPLICATES, &error);
    if (root == NULL && starved)
        return kw_err_at(KW_CODE_NO_MEMORY, "json");
    if (root == NULL) {
        kw_note_set(note, "line %d, column %d: %s", error.line, error.column, error.text);
        return kw_err_at(KW_CODE_BAD_INPUT, "json");
    }
    *ret_root = root;
    return KW_OK;
}

kw_err kw_json_read(const struct kw_member *table, kw_span text, size_t max, void *base,
                    struct kw_note *note)
{
    json_t *root = NULL;

    if (text.len == 0 || text.len > max) {
        if (text.len == 0)
            kw_note_set(note, "empty");
        else
            kw_note_set(note, "larger than %zu bytes", max);
        return kw_err_at(KW_CODE_BAD_INPUT, "json size");
    }
    keyring_json_begin();
    kw_err e = parse(text, &root, note);
    if (!kw_failed(e))
        e = kw_members_read(table, root, base, note);
    json_decref(root);
    return starved ? kw_err_at(KW_CODE_NO_MEMORY, "json") : e;
}

kw_err kw_json_write(const struct kw_member *table, const void *base,
                     struct kw_blob *ret_text)
{
    struct kw_blob text = {0};
    keyring_json_begin();
    json_t *root = kw_members_write(table, base);
    if (root == NULL)
        return kw_err_at(starved ? KW_CODE_NO_MEMORY : KW_CODE_BAD_INPUT, "json");
    bool ok = kw_layout(root, &text) && !starved;
    json_decref(root);
    if (!ok) {
        kw_blob_wipe(&text);
        return kw_err_at(KW_CODE_NO_MEMORY, "json");
    }
    *ret_text = text;
    return KW_OK;
}
