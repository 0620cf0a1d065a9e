/* SPDX-License-Identifier: Apache-2.0 */
#include "bundle_keys.h"

#include <stdio.h>
#include <string.h>

#include "audit_signatures.h"

kw_err kw_bundle_keys_read(const struct kw_words *files, struct kw_bundle_keys *ret_keys,
                           struct kw_note *note)
{
    ret_keys->count = 0;
    for (size_t i = 0; i < files->count; i++) {
        struct kw_bundle_key *key = &ret_keys->at[ret_keys->count++];
        struct kw_signatures s = {.has_key = false};
        const kw_err e = kw_signatures_key(files->at[i], &s, note);
        if (kw_failed(e))
            return e;
        key->path = files->at[i];
        kw_hex(key->sha256, sizeof key->sha256, kw_span_of(s.sha256, sizeof s.sha256));
    }
    return KW_OK;
}

const char *kw_bundle_key_configured(const struct kw_bundle_node *node)
{
    const json_t *configuration = json_object_get(node->node, "configuration");
    const json_t *audit = json_object_get(configuration, "audit");
    return json_string_value(json_object_get(json_object_get(audit, "key"), "sha256"));
}

const char *kw_bundle_key_of(const struct kw_bundle_keys *keys,
                             const struct kw_bundle_node *node, char room[KW_PATH_MAX])
{
    const char *own = kw_bundle_key_configured(node);
    for (size_t i = 0; own != NULL && i < keys->count; i++)
        if (strcmp(keys->at[i].sha256, own) == 0)
            return keys->at[i].path;
    if (keys->count > 0)
        return keys->at[0].path;
    const int len = snprintf(room, KW_PATH_MAX, "%s/audit.pem", node->dir);
    return len < (int)KW_PATH_MAX && kw_bundle_node_has(node, "audit.pem") ? room : NULL;
}
