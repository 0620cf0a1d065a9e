/* SPDX-License-Identifier: Apache-2.0 */
/* value - one scalar: read, judged, written back */
#include "settings.h"

#include <string.h>

#include <keyward/alloc.h>

/* Numbers, durations, choices and modes lie in members of different widths. */
static void store(void *target, size_t width, uint64_t v)
{
    if (width == sizeof(bool))
        *(bool *)target = v != 0;
    else if (width == sizeof(uint32_t))
        *(uint32_t *)target = (uint32_t)v;
    else
        *(uint64_t *)target = v;
}

static uint64_t config_value_fetch(const void *target, size_t width)
{
    if (width == sizeof(bool))
        return *(const bool *)target;
    if (width == sizeof(uint32_t))
        return *(const uint32_t *)target;
    return *(const uint64_t *)target;
}

static bool is_single(const struct kw_setting *s)
{
    return s->kind != KW_SETTING_MAP && s->kind != KW_SETTING_VARS;
}

/* ---- reading ----------------------------------------------------------------------- */

static bool is_no_value(kw_span s, bool plain)
{
    return s.len == 0 ||
           (plain && (kw_span_equal_str(s, "~") || kw_span_equal_str(s, "null") ||
                      kw_span_equal_str(s, "Null") || kw_span_equal_str(s, "NULL")));
}

static bool config_value_number_of(kw_span s, uint64_t base, uint64_t *ret_n)
{
    uint64_t n = 0;
    if (s.len == 0 || s.len > 18)
        return false;
    for (size_t i = 0; i < s.len; i++) {
        if (s.ptr[i] < '0' || s.ptr[i] >= '0' + base)
            return false;
        n = n * base + (uint64_t)(s.ptr[i] - '0');
    }
    *ret_n = n;
    return true;
}

static const char *number_fault(const struct kw_setting *s, kw_span text, bool plain,
                                uint64_t *ret_v)
{
    if (!plain)
        return "is quoted text, not a number";
    if (!config_value_number_of(text, 10, ret_v) || (text.len > 1 && text.ptr[0] == '0'))
        return "is not a number";
    if ((int64_t)*ret_v < s->lo || (int64_t)*ret_v > s->hi)
        return "is out of range";
    return NULL;
}

static const char *duration_fault(const struct kw_setting *s, kw_span text,
                                  uint64_t *ret_v)
{
    char spelled[32];
    int64_t ns;
    if (!kw_copy_str(spelled, sizeof spelled, text) || !kw_duration_parse(spelled, &ns))
        return "is not a duration";
    if (ns < s->lo || ns > s->hi)
        return "is out of range";
    *ret_v = (uint64_t)ns;
    return NULL;
}

static const char *choice_fault(const struct kw_setting *s, kw_span text, uint64_t *ret_v)
{
    const char *at = s->choices;
    for (uint64_t i = 0; *at != '\0'; i++) {
        size_t n = strcspn(at, "|");
        if (kw_span_equal(text, kw_span_of(at, n))) {
            *ret_v = i;
            return NULL;
        }
        at += n + (at[n] == '|');
    }
    return "is none of the choices";
}

static const char *mode_fault(kw_span text, uint64_t *ret_v)
{
    if (text.len != 4 || text.ptr[0] != '0' || !config_value_number_of(text, 8, ret_v))
        return "is not a mode of four octal digits that begins with 0";
    if ((*ret_v & 07) != 0)
        return "lets others in";
    if ((*ret_v & 0110) != 0)
        return "has an execute bit";
    if ((*ret_v & 0600) != 0600)
        return "does not let its owner read and write";
    return NULL;
}

static kw_err text_read(const struct kw_setting *s, kw_span text, char **target,
                        const char **ret_fault)
{
    const char *fault = s->text->fault(text);
    if (fault != NULL) {
        *ret_fault = fault;
        return kw_err_at(KW_CODE_BAD_INPUT, "config");
    }
    *target = kw_strdup(text);
    return *target == NULL ? kw_err_at(KW_CODE_NO_MEMORY, "config") : KW_OK;
}

kw_err kw_value_read(const struct kw_setting *s, kw_span text, bool plain, void *target,
                     const char **ret_fault)
{
    const char *fault = NULL;
    uint64_t v = 0;
    KW_INVARIANT(is_single(s));
    if (is_no_value(text, plain)) {
        *ret_fault = "has no value";
        return kw_err_at(KW_CODE_BAD_INPUT, "config");
    }
    switch (s->kind) {
    case KW_SETTING_TEXT: return text_read(s, text, target, ret_fault);
    case KW_SETTING_NUMBER: fault = number_fault(s, text, plain, &v); break;
    case KW_SETTING_DURATION: fault = duration_fault(s, text, &v); break;
    case KW_SETTING_CHOICE: fault = choice_fault(s, text, &v); break;
    case KW_SETTING_MODE: fault = mode_fault(text, &v); break;
    case KW_SETTING_MAP:
    case KW_SETTING_VARS: break;
    }
    if (fault != NULL) {
        *ret_fault = fault;
        return kw_err_at(KW_CODE_BAD_INPUT, "config");
    }
    store(target, s->width, v);
    return KW_OK;
}

/* ---- writing ----------------------------------------------------------------------- */

void kw_value_quote(const char *text, FILE *out)
{
    fputc('"', out);
    for (; *text != '\0'; text++) {
        if (*text == '"' || *text == '\\')
            fputc('\\', out);
        fputc(*text, out);
    }
    fputc('"', out);
}

static void choice_write(const struct kw_setting *s, uint64_t v, FILE *out)
{
    const char *at = s->choices;
    for (; v > 0; v--)
        at += strcspn(at, "|") + 1;
    fprintf(out, "%.*s", (int)strcspn(at, "|"), at);
}

void kw_value_write(const struct kw_setting *s, const void *target, FILE *out)
{
    char spelled[32];
    KW_INVARIANT(is_single(s));
    uint64_t v = s->kind == KW_SETTING_TEXT ? 0 : config_value_fetch(target, s->width);
    switch (s->kind) {
    case KW_SETTING_TEXT: kw_value_quote(*(char *const *)target, out); return;
    case KW_SETTING_NUMBER: fprintf(out, "%llu", (unsigned long long)v); return;
    case KW_SETTING_DURATION:
        kw_duration_text(spelled, sizeof spelled, (int64_t)v);
        fputs(spelled, out);
        return;
    case KW_SETTING_CHOICE: choice_write(s, v, out); return;
    case KW_SETTING_MODE: fprintf(out, "%04llo", (unsigned long long)v); return;
    case KW_SETTING_MAP:
    case KW_SETTING_VARS: break;
    }
}

bool kw_value_equal(const struct kw_setting *s, const void *a, const void *b)
{
    KW_INVARIANT(is_single(s));
    if (s->kind == KW_SETTING_TEXT)
        return strcmp(*(char *const *)a, *(char *const *)b) == 0;
    return config_value_fetch(a, s->width) == config_value_fetch(b, s->width);
}

bool kw_value_absent(const struct kw_setting *s, const void *target)
{
    bool optional = s->standard != NULL && s->standard[0] == '\0';
    return optional && s->kind == KW_SETTING_DURATION &&
           config_value_fetch(target, s->width) == 0;
}

/* ---- naming ------------------------------------------------------------------------ */

static void one_allowed(const struct kw_setting *s, char *dst, size_t cap)
{
    char lo[32], hi[32];
    switch (s->kind) {
    case KW_SETTING_MAP: snprintf(dst, cap, "mapping"); return;
    case KW_SETTING_VARS: snprintf(dst, cap, "mapping of NAME: text"); return;
    case KW_SETTING_TEXT: snprintf(dst, cap, "text: %s", s->text->allowed); return;
    case KW_SETTING_NUMBER:
        snprintf(dst, cap, "number %lld..%lld", (long long)s->lo, (long long)s->hi);
        return;
    case KW_SETTING_DURATION:
        kw_duration_text(lo, sizeof lo, s->lo);
        kw_duration_text(hi, sizeof hi, s->hi);
        snprintf(dst, cap, "duration %s..%s", lo, hi);
        return;
    case KW_SETTING_CHOICE: snprintf(dst, cap, "%s", s->choices); return;
    case KW_SETTING_MODE: snprintf(dst, cap, "octal such as 0600 or 0660"); return;
    }
}

void kw_value_allowed(const struct kw_setting *s, char dst[KW_ALLOWED_TEXT])
{
    char one[KW_ALLOWED_TEXT - 32];
    one_allowed(s, one, sizeof one);
    if (s->max > 0 && s->kind != KW_SETTING_VARS)
        snprintf(dst, KW_ALLOWED_TEXT, "list of %zu..%zu, each a %s", s->least, s->max,
                 one);
    else
        snprintf(dst, KW_ALLOWED_TEXT, "%s", one);
}
