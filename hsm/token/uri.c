/* SPDX-License-Identifier: Apache-2.0 */
/* uri - a PKCS#11 URI (RFC 7512) that names a token and nothing else
 *
 * p11-kit decodes and matches.  What it lets through silently is refused before it: query
 * attributes it does not know, duplicates, and attributes that our settings have a place
 * of their own for.  A refused URI is never repeated in the note: it may hold a PIN.
 */
#include "token_internal.h"

#include <string.h>

#include <p11-kit/uri.h>

#include <keyward/alloc.h>

struct kw_token_uri {
    P11KitUri *uri;
};

static const char *const allowed[] = {"token", "serial", "manufacturer", "model"};
enum { ALLOWED = sizeof allowed / sizeof allowed[0] };

static kw_err uri_refuse(struct kw_note *note, const char *why)
{
    kw_note_set(note,
                "the token's URI %s; it looks like \"pkcs11:token=LABEL\" or "
                "\"pkcs11:token=LABEL;serial=NUMBER\"",
                why);
    return kw_err_at(KW_CODE_HSM_CONFIG, "uri");
}

static const char *query_refusal(const char *query)
{
    if (strstr(query, "pin-value") != NULL)
        return "holds a pin-value: a PIN belongs into a file that `pin` names, and this "
               "one "
               "is to be changed now";
    if (strstr(query, "pin-source") != NULL)
        return "has a pin-source: write it under `pin`";
    if (strstr(query, "module-") != NULL)
        return "has a module-path or module-name: write the path under `module`";
    return "has query attributes (after \"?\"), and none is known here";
}

/* Which of the allowed names the attribute has; ALLOWED when none. */
static unsigned uri_name_of(kw_span attribute)
{
    const uint8_t *eq = memchr(attribute.ptr, '=', attribute.len);
    if (eq == NULL)
        return ALLOWED;
    unsigned i = 0;
    kw_span name = kw_span_of(attribute.ptr, (size_t)(eq - attribute.ptr));
    while (i < ALLOWED && !kw_span_equal_str(name, allowed[i]))
        i++;
    return i;
}

static kw_err uri_check_path(const char *path, struct kw_note *note)
{
    bool seen[ALLOWED] = {false};
    while (*path != '\0') {
        size_t len = strcspn(path, ";");
        unsigned name = uri_name_of(kw_span_of(path, len));
        if (name == ALLOWED)
            return uri_refuse(note,
                              "has an attribute other than token, serial, manufacturer "
                              "and model");
        if (seen[name])
            return uri_refuse(note, "has an attribute twice");
        if (path[len - 1] == '=')
            return uri_refuse(note, "has an empty attribute");
        seen[name] = true;
        path += len;
        if (*path == ';' && *++path == '\0')
            return uri_refuse(note, "ends in \";\"");
    }
    if (!seen[0] && !seen[1])
        return uri_refuse(note, "names neither token nor serial");
    return KW_OK;
}

static kw_err check_text(const char *text, struct kw_note *note)
{
    static const char scheme[] = "pkcs11:";
    if (text == NULL || strncmp(text, scheme, sizeof scheme - 1) != 0)
        return uri_refuse(note, "does not begin with \"pkcs11:\"");
    const char *query = strchr(text, '?');
    if (query != NULL)
        return uri_refuse(note, query_refusal(query));
    return uri_check_path(text + sizeof scheme - 1, note);
}

kw_err kw_token_uri_parse(const char *text, struct kw_token_uri **ret_uri,
                          struct kw_note *note)
{
    kw_err e = check_text(text, note);
    if (kw_failed(e))
        return e;
    struct kw_token_uri *uri = kw_new(1, sizeof *uri);
    if (uri == NULL)
        return kw_err_at(KW_CODE_NO_MEMORY, "uri");
    uri->uri = p11_kit_uri_new();
    if (uri->uri == NULL) {
        e = kw_err_at(KW_CODE_NO_MEMORY, "uri");
    } else {
        int rc = p11_kit_uri_parse(text, P11_KIT_URI_FOR_TOKEN, uri->uri);
        if (rc != P11_KIT_URI_OK || p11_kit_uri_any_unrecognized(uri->uri))
            e = uri_refuse(note, "is malformed or has a value that is too long");
    }
    if (kw_failed(e)) {
        kw_token_uri_free(uri);
        return e;
    }
    *ret_uri = uri;
    return KW_OK;
}

void kw_token_uri_free(struct kw_token_uri *uri)
{
    if (uri == NULL)
        return;
    p11_kit_uri_free(uri->uri);
    kw_free(uri);
}

bool kw_token_uri_matches(const struct kw_token_uri *uri, const CK_TOKEN_INFO *info)
{
    return p11_kit_uri_match_token_info(uri->uri, info) != 0;
}
