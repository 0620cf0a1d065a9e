/* SPDX-License-Identifier: Apache-2.0 */
/* text - what names, paths, URIs and PIN sources may look like */
#include "settings.h"

#include <string.h>

#include <keyward/sha256.h>

static bool is_lower_or_digit(uint8_t c)
{
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

static bool is_name_char(uint8_t c)
{
    return is_lower_or_digit(c) || c == '-';
}

static bool config_text_is_domain_char(uint8_t c)
{
    return is_name_char(c) || c == '.';
}

static bool is_var_char(uint8_t c)
{
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
           c == '_';
}

static bool is_credential_char(uint8_t c)
{
    return config_text_is_domain_char(c) || (c >= 'A' && c <= 'Z') || c == '_';
}

/* Everything a value may hold.  Printed values are then their own YAML, and no value can
 * break a log line or a terminal. */
static bool is_printable(uint8_t c)
{
    return c >= 0x20 && c <= 0x7e;
}

static bool config_text_begins(kw_span s, const char *with)
{
    size_t n = strlen(with);
    return s.len >= n && kw_span_equal_str(kw_span_of(s.ptr, n), with);
}

static kw_span config_text_after(kw_span s, size_t n)
{
    return kw_span_of(s.ptr + n, s.len - n);
}

/* ---- names ------------------------------------------------------------------------- */

/* The alphabets are those of the envelope, which this module does not see: a scope is
 * stored in every ciphertext, a domain is authenticated with it. */
static const char *name_fault(kw_span s, size_t max, bool (*accept)(uint8_t))
{
    if (s.len > max)
        return "is too long";
    if (!kw_span_all(s, accept))
        return "has a character that is not allowed";
    if (!is_lower_or_digit(s.ptr[0]) || !is_lower_or_digit(s.ptr[s.len - 1]))
        return "begins or ends in a character that may only stand inside";
    return NULL;
}

static const char *scope_fault(kw_span s)
{
    return name_fault(s, KW_SCOPE_MAX, is_name_char);
}

static const char *domain_fault(kw_span s)
{
    return name_fault(s, KW_DOMAIN_MAX, config_text_is_domain_char);
}

static const char *var_name_fault(kw_span s)
{
    if (s.len == 0 || !kw_span_all(s, is_var_char) ||
        (s.ptr[0] >= '0' && s.ptr[0] <= '9'))
        return "is no name of a variable";
    return s.len < 128 ? NULL : "is too long";
}

static const char *var_value_fault(kw_span s)
{
    if (!kw_span_all(s, is_printable))
        return "has a character that is not printable ASCII";
    return s.len < KW_PATH_MAX ? NULL : "is too long";
}

/* ---- paths ------------------------------------------------------------------------- */

/* One spelling per file: two sockets are then the same exactly when their texts are. */
static const char *path_fault_upto(kw_span s, size_t max)
{
    if (!kw_span_all(s, is_printable))
        return "has a character that is not printable ASCII";
    if (s.ptr[0] != '/')
        return "is not absolute";
    if (s.len > max)
        return "is too long";
    for (size_t at = 0; at < s.len;) {
        const size_t slash = at++;
        while (at < s.len && s.ptr[at] != '/')
            at++;
        kw_span part = kw_span_of(s.ptr + slash + 1, at - slash - 1);
        if (part.len == 0 || kw_span_equal_str(part, ".") ||
            kw_span_equal_str(part, ".."))
            return "has an empty part, . or ..";
    }
    return NULL;
}

static const char *path_fault(kw_span s)
{
    return path_fault_upto(s, KW_PATH_MAX - 1);
}

static const char *socket_fault(kw_span s)
{
    return path_fault_upto(s, KW_SOCKET_PATH_MAX);
}

/* ---- the token --------------------------------------------------------------------- */

static bool holds(kw_span s, const char *word)
{
    size_t n = strlen(word);
    for (size_t i = 0; i + n <= s.len; i++)
        if (strncasecmp((const char *)s.ptr + i, word, n) == 0)
            return true;
    return false;
}

static const char *uri_fault(kw_span s)
{
    if (holds(s, "pin-value") || holds(s, "pin-source"))
        return "holds a PIN or its source, which belongs under pin as file: or "
               "credential:";
    if (holds(s, "module-path") || holds(s, "module-name"))
        return "names a module, which belongs under module";
    if (!config_text_begins(s, "pkcs11:"))
        return "does not begin with pkcs11:";
    if (!kw_span_all(s, is_printable) || holds(s, " "))
        return "has a character that is not allowed; write it as %XX";
    return s.len < KW_PATH_MAX ? NULL : "is too long";
}

static const char *pin_fault(kw_span s)
{
    if (config_text_begins(s, "file:")) {
        kw_span path = config_text_after(s, strlen("file:"));
        return path.len == 0 ? "names no file" : path_fault(path);
    }
    if (config_text_begins(s, "credential:")) {
        kw_span name = config_text_after(s, strlen("credential:"));
        bool good = name.len > 0 && name.len < 128 && name.ptr[0] != '.' &&
                    kw_span_all(name, is_credential_char);
        return good ? NULL : "names no credential";
    }
    return "does not say where the PIN lies (if this was the PIN itself, change it now)";
}

/* As keyward audit key create has it: the label of a KEK is the keyring's. */
static const char *label_fault(kw_span s)
{
    if (s.len > KW_LABEL_MAX)
        return "is too long";
    for (size_t i = 0; i < s.len; i++)
        if (!is_var_char(s.ptr[i]) && s.ptr[i] != '-' && s.ptr[i] != '.')
            return "has a character that is not allowed";
    if (is_lower_or_digit(s.ptr[0]) ? s.ptr[0] <= '9' : s.ptr[0] < 'A' || s.ptr[0] > 'Z')
        return "does not begin with a letter";
    return config_text_begins(s, "kw1-") ? "is that of a key-encryption key" : NULL;
}

static const char *sha256_fault(kw_span s)
{
    uint8_t hash[KW_SHA256];
    return kw_unhex(hash, sizeof hash, s) ? NULL : "is not of that form";
}

const struct kw_text_rule kw_rule_domain = {
    "1..64 of [a-z0-9.-], beginning and ending in [a-z0-9]", domain_fault};
const struct kw_text_rule kw_rule_name = {
    "1..32 of [a-z0-9-], beginning and ending in [a-z0-9]", scope_fault};
const struct kw_text_rule kw_rule_path = {"an absolute path without empty parts, . or ..",
                                          path_fault};
const struct kw_text_rule kw_rule_socket = {
    "an absolute path of at most 107 bytes without empty parts, . or ..", socket_fault};
const struct kw_text_rule kw_rule_uri = {
    "pkcs11:token=LABEL or other attributes of RFC 7512, no PIN, no module", uri_fault};
const struct kw_text_rule kw_rule_pin = {"file:/absolute/path or credential:NAME",
                                         pin_fault};
const struct kw_text_rule kw_rule_var_name = {"[A-Za-z_][A-Za-z0-9_]*", var_name_fault};
const struct kw_text_rule kw_rule_label = {
    "a letter and then letters, digits, - _ and ., 40 in all, not kw1-…", label_fault};
const struct kw_text_rule kw_rule_sha256 = {"64 lower-case digits of hex", sha256_fault};
const struct kw_text_rule kw_rule_var_value = {"printable ASCII", var_value_fault};
