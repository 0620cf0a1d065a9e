/* SPDX-License-Identifier: Apache-2.0 */
#include "keep.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include <keyward/alloc.h>
#include <keyward/file.h>

#include "storm.h"

static const char tool[] = "keyward-bench storm --prepare";
enum {
    SCHEMA = 1,
    FILE_MOST = 1 << 30,
    HEX_MOST = 2 * KW_MESSAGE_MAX + 1,
};

/* ---- writing ----------------------------------------------------------------------- */

static json_t *keep_entry_out(const struct kw_corpus *c, size_t i)
{
    char seed[2 * KW_SEED + 1], decrypt[HEX_MOST];
    kw_hex(seed, sizeof seed, kw_span_of(c->entry[i].seed, KW_SEED));
    kw_hex(decrypt, sizeof decrypt, kw_corpus_decrypt(c, i));
    return json_pack("{s:s, s:s}", "seed", seed, "decrypt", decrypt);
}

static char *keep_text_of(const struct kw_corpus *c)
{
    json_t *seeds = json_array();
    bool good = seeds != NULL;
    for (size_t i = 0; i < c->count && good; i++)
        good = json_array_append_new(seeds, keep_entry_out(c, i)) == 0;
    if (!good) {
        json_decref(seeds);
        return NULL;
    }
    json_t *all = json_pack("{s:s, s:i, s:s, s:o}", "tool", tool, "schema", SCHEMA,
                            "version", KW_VERSION, "seeds", seeds);
    char *text = all != NULL ? json_dumps(all, JSON_INDENT(1)) : NULL;
    json_decref(all);
    return text;
}

kw_err kw_keep_write(const char *path, const struct kw_corpus *corpus,
                     struct kw_note *note)
{
    char *text = keep_text_of(corpus);
    if (text == NULL)
        return kw_err_at(KW_CODE_NO_MEMORY, "corpus file");
    kw_err e = kw_file_replace(path, kw_span_str(text), 0600, note);
    free(text); /* jansson's */
    return e;
}

/* ---- reading ----------------------------------------------------------------------- */

static bool keep_entry_in(const json_t *from, struct kw_corpus_entry *to)
{
    const char *seed = json_string_value(json_object_get(from, "seed"));
    const char *decrypt = json_string_value(json_object_get(from, "decrypt"));
    if (seed == NULL || decrypt == NULL || strlen(decrypt) % 2 != 0 ||
        strlen(decrypt) >= HEX_MOST || decrypt[0] == '\0')
        return false;
    size_t len = strlen(decrypt) / 2;
    uint8_t *bytes = kw_new(1, len);
    if (bytes == NULL || !kw_unhex(to->seed, KW_SEED, kw_span_str(seed)) ||
        !kw_unhex(bytes, len, kw_span_str(decrypt))) {
        kw_free(bytes);
        return false;
    }
    to->decrypt = bytes;
    to->len = to->cap = (uint32_t)len;
    return true;
}

static kw_err keep_bad(const char *path, const char *why, struct kw_note *note)
{
    kw_note_set(note,
                "--corpus %s: %s; make one with: keyward-bench storm SOCKET --prepare "
                "FILE",
                path, why);
    return kw_err_at(KW_CODE_BAD_INPUT, "corpus file");
}

static kw_err keep_all_in(const char *path, const json_t *seeds, size_t count,
                          struct kw_corpus *ret_corpus, struct kw_note *note)
{
    struct kw_corpus c = {.count = count};
    c.entry = kw_new(count, sizeof c.entry[0]);
    if (c.entry == NULL)
        return kw_err_at(KW_CODE_NO_MEMORY, "corpus file");
    for (size_t i = 0; i < count; i++)
        if (!keep_entry_in(json_array_get(seeds, i), &c.entry[i])) {
            char why[80];
            snprintf(why, sizeof why, "its seed number %zu is damaged", i);
            kw_corpus_wipe(&c);
            return keep_bad(path, why, note);
        }
    *ret_corpus = c;
    return KW_OK;
}

static kw_err keep_parse(const char *path, const json_t *all, size_t count,
                         struct kw_corpus *ret_corpus, struct kw_note *note)
{
    char why[80];
    const json_t *seeds = json_object_get(all, "seeds");
    const char *who = json_string_value(json_object_get(all, "tool"));
    if (who == NULL || strcmp(who, tool) != 0)
        return keep_bad(path, "it is no file of ciphertexts", note);
    json_int_t schema = json_integer_value(json_object_get(all, "schema"));
    if (schema != SCHEMA) {
        snprintf(why, sizeof why,
                 "it is of schema %" JSON_INTEGER_FORMAT ", this reads 1", schema);
        return keep_bad(path, why, note);
    }
    size_t has = json_array_size(seeds);
    if (has == 0 || has > KW_STORM_SEEDS_MAX || has < count) {
        snprintf(why, sizeof why, "it has %zu seeds, wanted are %zu", has, count);
        return keep_bad(path, why, note);
    }
    return keep_all_in(path, seeds, count == 0 ? has : count, ret_corpus, note);
}

kw_err kw_keep_read(const char *path, size_t count, struct kw_corpus *ret_corpus,
                    struct kw_note *note)
{
    struct kw_blob blob = {0};
    kw_err e = kw_file_read(path, FILE_MOST, &blob, note);
    if (kw_failed(e))
        return e;
    json_t *all = json_loadb((const char *)blob.ptr, blob.len, 0, NULL);
    kw_blob_wipe(&blob);
    e = keep_parse(path, all, count, ret_corpus, note);
    json_decref(all);
    return e;
}
