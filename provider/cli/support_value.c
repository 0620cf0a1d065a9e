/* SPDX-License-Identifier: Apache-2.0 */
#include "support_value.h"

#include <string.h>
#include <strings.h>

/* provider/config/settings.c has the keys; a test compares. */
static const struct {
    const char *key;
    enum kw_support_kind kind;
} support_keys[] = {
    {"domain", KW_SUPPORT_NAME},     {"environment", KW_SUPPORT_WORD},
    {"keyring", KW_SUPPORT_PATH},    {"state", KW_SUPPORT_PATH},
    {"status", KW_SUPPORT_PATH},     {"log", KW_SUPPORT_BLOCK},
    {"level", KW_SUPPORT_WORD},      {"format", KW_SUPPORT_WORD},
    {"hsm", KW_SUPPORT_BLOCK},       {"deadline", KW_SUPPORT_TIME},
    {"patience", KW_SUPPORT_TIME},   {"suspect", KW_SUPPORT_TIME},
    {"recover", KW_SUPPORT_TIME},    {"probe", KW_SUPPORT_BLOCK},
    {"every", KW_SUPPORT_TIME},      {"stale-after", KW_SUPPORT_TIME},
    {"order", KW_SUPPORT_WORD},      {"tokens", KW_SUPPORT_BLOCK},
    {"env", KW_SUPPORT_HIDDEN},      {"uri", KW_SUPPORT_URI},
    {"module", KW_SUPPORT_PATH},     {"pin", KW_SUPPORT_PIN},
    {"workers", KW_SUPPORT_NUMBER},  {"sessions", KW_SUPPORT_NUMBER},
    {"audit", KW_SUPPORT_BLOCK},     {"dir", KW_SUPPORT_PATH},
    {"durability", KW_SUPPORT_WORD}, {"on-failure", KW_SUPPORT_WORD},
    {"rotate", KW_SUPPORT_NUMBER},   {"copies", KW_SUPPORT_WORD},
    {"copies-to", KW_SUPPORT_PATH},  {"key", KW_SUPPORT_BLOCK},
    {"label", KW_SUPPORT_NAME},      {"sha256", KW_SUPPORT_HEX},
    {"classes", KW_SUPPORT_BLOCK},   {"name", KW_SUPPORT_NAME},
    {"scope", KW_SUPPORT_NAME},      {"accept-scopes", KW_SUPPORT_NAME},
    {"socket", KW_SUPPORT_PATH},     {"mode", KW_SUPPORT_NUMBER},
    {"peers", KW_SUPPORT_BLOCK},     {"uids", KW_SUPPORT_NUMBER},
    {"gids", KW_SUPPORT_NUMBER},     {"on-hsm-loss", KW_SUPPORT_WORD},
    {"max-outage", KW_SUPPORT_TIME}, {"cache", KW_SUPPORT_BLOCK},
    {"entries", KW_SUPPORT_NUMBER},  {"ttl", KW_SUPPORT_TIME},
};

static const char *const support_choices[] = {
    "production",  "test",   "debug",       "info",        "warn",
    "error",       "logfmt", "json",        "priority",    "spread",
    "sync",        "write",  "deny",        "allow",       "none",
    "checkpoints", "all",    "fail-closed", "serve-cached"};

#define LOWER "abcdefghijklmnopqrstuvwxyz"
#define LETTERS LOWER "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define DIGITS "0123456789"
#define COUNT(a) (sizeof(a) / sizeof(a)[0])

enum kw_support_kind kw_support_kind_of(kw_span key)
{
    for (size_t i = 0; i < COUNT(support_keys); i++)
        if (kw_span_equal_str(key, support_keys[i].key))
            return support_keys[i].kind;
    return KW_SUPPORT_UNKNOWN;
}

/* ---- where it ends ---- */

static kw_span value_trim(kw_span s)
{
    while (s.len > 0 && strchr(" \t", s.ptr[0]) != NULL)
        s = kw_span_of(s.ptr + 1, s.len - 1);
    while (s.len > 0 && strchr(" \t", s.ptr[s.len - 1]) != NULL)
        s.len--;
    return s;
}

/* How far a value was read.  A quote inside of a word is none, so whether one may begin is
 * known; what only a whole reader of YAML could tell is odd. */
struct value_scan {
    uint8_t quote, before; /* the one that is open; the character before this one */
    int depth;
    bool may_begin, is_odd;
};

static bool value_is_blank(uint8_t c)
{
    return c == ' ' || c == '\t';
}

/* Outside of quotes.  true: a comment begins. */
static bool value_scan_plain(struct value_scan *v, uint8_t c)
{
    const bool began = v->may_begin;
    if (value_is_blank(c)) {
        v->may_begin = began || (v->depth > 0 && v->before == ':');
        return false;
    }
    v->may_begin = c == '{' || c == '[' || (c == ',' && v->depth > 0);
    if (c == '#' && (v->before == '\0' || value_is_blank(v->before)))
        return true;
    if (c == '#') /* behind one of these libyaml takes it for a comment, too */
        v->is_odd = v->is_odd || strchr("[]{},\"'", v->before) != NULL;
    else if (c == '"' || c == '\'') {
        v->quote = c;
        v->is_odd = v->is_odd || !began;
    } else if (c == '{' || c == '[')
        v->depth++;
    else if (c == '}' || c == ']')
        v->is_odd = v->is_odd || --v->depth < 0;
    else if (c == '!') /* a tag: any sign may be in it */
        v->is_odd = v->is_odd || began;
    return false;
}

kw_span kw_support_value_of(kw_span raw, bool *ret_is_closed)
{
    struct value_scan v = {.may_begin = true};
    size_t i = 0;
    for (; i < raw.len; i++) {
        const uint8_t c = raw.ptr[i];
        const bool is_doubled =
            v.quote == '\'' && c == '\'' && i + 1 < raw.len && raw.ptr[i + 1] == '\'';
        if ((v.quote == '"' && c == '\\') || is_doubled)
            i++;
        else if (v.quote != 0)
            v.quote = c == v.quote ? 0 : v.quote;
        else if (value_scan_plain(&v, c))
            break;
        v.before = c;
    }
    *ret_is_closed = v.quote == 0 && v.depth == 0 && !v.is_odd;
    return value_trim(kw_span_of(raw.ptr, i < raw.len ? i : raw.len));
}

/* ---- one scalar ---- */

static bool value_is_of(kw_span s, const char *alphabet)
{
    for (size_t i = 0; i < s.len; i++)
        if (s.ptr[i] == '\0' || strchr(alphabet, s.ptr[i]) == NULL)
            return false;
    return s.len > 0;
}

static bool value_has_letter(kw_span s)
{
    for (size_t i = 0; i < s.len; i++)
        if (s.ptr[i] != '\0' && strchr(LETTERS, s.ptr[i]) != NULL)
            return true;
    return false;
}

static bool support_value_begins(kw_span s, const char *with)
{
    const kw_span w = kw_span_str(with);
    return s.len >= w.len && kw_span_equal(kw_span_of(s.ptr, w.len), w);
}

static bool value_is_choice(kw_span s)
{
    for (size_t i = 0; i < COUNT(support_choices); i++)
        if (kw_span_equal_str(s, support_choices[i]))
            return true;
    return false;
}

bool kw_support_is_common(kw_span word)
{
    static const char *const names[] = {
        "keyward", "keywardd",     "keyward-hsm", "pkcs11",    "true",
        "false",   "null",         "file",        "token",     "object",
        "serial",  "manufacturer", "model",       "pin-value", "pin-source"};
    for (size_t i = 0; i < COUNT(names); i++)
        if (kw_span_equal_str(word, names[i]))
            return true;
    return kw_support_kind_of(word) != KW_SUPPORT_UNKNOWN || value_is_choice(word);
}

static bool value_is_time(kw_span s)
{
    size_t digits = 0;
    while (digits < s.len && strchr(DIGITS, s.ptr[digits]) != NULL)
        digits++;
    const kw_span unit = kw_span_of(s.ptr + digits, s.len - digits);
    return digits > 0 && digits <= 6 &&
           (kw_span_equal_str(unit, "ms") || kw_span_equal_str(unit, "s") ||
            kw_span_equal_str(unit, "m") || kw_span_equal_str(unit, "h"));
}

static bool value_is_path(kw_span s)
{
    return support_value_begins(s, "/") && value_is_of(s, LETTERS DIGITS "/._+-");
}

static bool value_put(kw_dst *dst, const char *text)
{
    return kw_dst_put(dst, kw_span_str(text));
}

static bool value_show_pin(kw_span s, kw_dst *dst)
{
    const bool is_file = support_value_begins(s, "file:/");
    const bool is_credential = support_value_begins(s, "credential:");
    return (is_file || is_credential) &&
           value_put(dst, is_file ? "file:[redacted]" : "credential:[redacted]");
}

/* %3b, %3f, %3d, %26 or %25: what was escaped once too often may hide an attribute. */
static bool value_escapes_sign(kw_span s)
{
    static const char *const signs[] = {"3b", "3f", "3d", "26", "25"};
    for (size_t i = 0; i + 2 < s.len; i++)
        for (size_t k = 0; k < COUNT(signs); k++)
            if (s.ptr[i] == '%' &&
                strncasecmp((const char *)s.ptr + i + 1, signs[k], 2) == 0)
                return true;
    return false;
}

/* RFC 7512: attributes that name a token; all others, and the query, may have a PIN. */
static bool value_show_attribute(kw_span a, kw_dst *dst)
{
    static const char *const names[] = {
        "token=", "manufacturer=", "serial=", "model=", "slot-id="};
    if (value_escapes_sign(a))
        return value_put(dst, "[redacted]");
    for (size_t i = 0; i < COUNT(names); i++) {
        const size_t len = strlen(names[i]);
        if (support_value_begins(a, names[i]) &&
            value_is_of(kw_span_of(a.ptr + len, a.len - len), LETTERS DIGITS "%._~-"))
            return kw_dst_put(dst, a);
    }
    return value_put(dst, "[redacted]");
}

static bool value_show_uri(kw_span s, kw_dst *dst)
{
    if (!support_value_begins(s, "pkcs11:") || !value_put(dst, "pkcs11:"))
        return false;
    size_t from = strlen("pkcs11:");
    const uint8_t *query = memchr(s.ptr, '?', s.len);
    const size_t end = query != NULL ? (size_t)(query - s.ptr) : s.len;
    for (size_t i = from; i <= end; i++)
        if (i == end || s.ptr[i] == ';') {
            if (!value_show_attribute(kw_span_of(s.ptr + from, i - from), dst) ||
                (i < end && !value_put(dst, ";")))
                return false;
            from = i + 1;
        }
    return query == NULL || value_put(dst, "?[redacted]");
}

/* Without quotes; one with an escape or a quote in it is none that keywardd needs. */
static kw_span value_unquote(kw_span s)
{
    if (s.len >= 2 && (s.ptr[0] == '"' || s.ptr[0] == '\'') &&
        s.ptr[s.len - 1] == s.ptr[0])
        return kw_span_of(s.ptr + 1, s.len - 2);
    return s;
}

static bool value_show_scalar(enum kw_support_kind kind, kw_span s, kw_dst *dst)
{
    s = value_unquote(s);
    bool may = false;
    switch (kind) {
    case KW_SUPPORT_UNKNOWN:
    case KW_SUPPORT_HIDDEN:
    case KW_SUPPORT_BLOCK: return false;
    case KW_SUPPORT_URI: return value_show_uri(s, dst);
    case KW_SUPPORT_PIN: return value_show_pin(s, dst);
    case KW_SUPPORT_WORD: may = value_is_choice(s); break;
    case KW_SUPPORT_NUMBER: may = s.len <= 13 && value_is_of(s, DIGITS); break;
    case KW_SUPPORT_TIME: may = value_is_time(s); break;
    case KW_SUPPORT_PATH: may = value_is_path(s); break;
    case KW_SUPPORT_NAME:
        may = s.len <= 64 && value_has_letter(s) && value_is_of(s, LETTERS DIGITS "._-");
        break;
    case KW_SUPPORT_HEX: may = s.len == 64 && value_is_of(s, "0123456789abcdef"); break;
    }
    return may && kw_dst_put(dst, s);
}

/* ---- {key: value, key: [value, value]} ---- */

/* Up to the next comma that is not inside of anything. */
static kw_span value_piece(kw_span s, size_t *at)
{
    const size_t from = *at;
    uint8_t quote = 0;
    int depth = 0;
    for (; *at < s.len; (*at)++) {
        const uint8_t c = s.ptr[*at];
        if (quote != 0)
            quote = c == quote ? 0 : quote;
        else if (c == '"' || c == '\'')
            quote = c;
        else if (c == '{' || c == '[')
            depth++;
        else if (c == '}' || c == ']')
            depth--;
        else if (c == ',' && depth == 0)
            break;
    }
    const kw_span piece = value_trim(kw_span_of(s.ptr + from, *at - from));
    (*at)++;
    return piece;
}

static bool value_show_list(enum kw_support_kind kind, kw_span inside, kw_dst *dst)
{
    if (!value_put(dst, "["))
        return false;
    for (size_t at = 0; at < inside.len;) {
        const bool is_first = at == 0;
        const kw_span piece = value_piece(inside, &at);
        if ((!is_first && !value_put(dst, ", ")) || !value_show_scalar(kind, piece, dst))
            return false;
    }
    return value_put(dst, "]");
}

static bool value_show_any(enum kw_support_kind kind, kw_span s, kw_dst *dst)
{
    if (s.len >= 2 && s.ptr[0] == '[' && s.ptr[s.len - 1] == ']')
        return value_show_list(kind, value_trim(kw_span_of(s.ptr + 1, s.len - 2)), dst);
    return value_show_scalar(kind, s, dst);
}

static bool value_show_pair(kw_span piece, kw_dst *dst)
{
    const uint8_t *colon = memchr(piece.ptr, ':', piece.len);
    if (colon == NULL)
        return false;
    const kw_span key = kw_span_of(piece.ptr, (size_t)(colon - piece.ptr));
    const kw_span value = value_trim(kw_span_of(colon + 1, piece.len - key.len - 1));
    const enum kw_support_kind kind = kw_support_kind_of(key);
    return kind != KW_SUPPORT_UNKNOWN && kw_dst_put(dst, key) && value_put(dst, ": ") &&
           value_show_any(kind, value, dst);
}

static bool value_show_flow(kw_span inside, kw_dst *dst)
{
    if (!value_put(dst, "{"))
        return false;
    for (size_t at = 0; at < inside.len;) {
        const bool is_first = at == 0;
        const kw_span piece = value_piece(inside, &at);
        if ((!is_first && !value_put(dst, ", ")) || !value_show_pair(piece, dst))
            return false;
    }
    return value_put(dst, "}");
}

bool kw_support_show(enum kw_support_kind kind, kw_span value, kw_dst dst)
{
    const bool is_flow = kind == KW_SUPPORT_BLOCK && value.len >= 2 &&
                         value.ptr[0] == '{' && value.ptr[value.len - 1] == '}';
    const bool may =
        is_flow
            ? value_show_flow(value_trim(kw_span_of(value.ptr + 1, value.len - 2)), &dst)
            : value_show_any(kind, value, &dst);
    return may && kw_dst_put_u8(&dst, '\0');
}
