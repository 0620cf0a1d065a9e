/* SPDX-License-Identifier: Apache-2.0 */
/* envelope - the one reader and the one writer of the stored bytes
 *
 * Reader, writer and AAD judge the fields by the same two functions, so that nothing can
 * be written that would not be read, or bound that would not be stored. */
#include <keyward/envelope.h>

#define MAGIC "keyward"

enum {
    FIXED = 6, /* format, purpose, mechanism, scope length, seed length (2) */
    HEADER_MAX = FIXED + KW_SCOPE_MAX + KW_IV_MAX,
};
_Static_assert(sizeof MAGIC - 1 + HEADER_MAX + 2 + KW_KEY_ID_MAX + 2 + KW_DOMAIN_MAX <=
                   KW_AAD_MAX,
               "the longest AAD fits");
_Static_assert(HEADER_MAX + KW_SEALED_MAX == KW_ENVELOPE_MAX &&
                   KW_ENVELOPE_MAX <= KW_CIPHERTEXT_MAX,
               "kube-apiserver takes the longest envelope");

static bool is_alnum(uint8_t c)
{
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

static bool is_scope_char(uint8_t c)
{
    return is_alnum(c) || c == '-';
}

static bool envelope_is_domain_char(uint8_t c)
{
    return is_scope_char(c) || c == '.';
}

static bool envelope_is_name(kw_span s, size_t max, bool (*accept)(uint8_t))
{
    return s.len >= 1 && s.len <= max && kw_span_all(s, accept) && is_alnum(s.ptr[0]) &&
           is_alnum(s.ptr[s.len - 1]);
}

bool kw_is_scope(kw_span s)
{
    return envelope_is_name(s, KW_SCOPE_MAX, is_scope_char);
}

bool kw_is_domain(kw_span s)
{
    return envelope_is_name(s, KW_DOMAIN_MAX, envelope_is_domain_char);
}

/* A format or mechanism that is spoken for is told from one that never was: those bytes
 * are not broken, this program is too old for them. */
static const char *version_fault(const struct kw_envelope *env)
{
    if (env->format == KW_FORMAT_RESERVED)
        return "envelope format reserved";
    if (env->format != KW_FORMAT_1)
        return "envelope format";
    if (env->mechanism >= KW_MECH_RESERVED_FIRST &&
        env->mechanism <= KW_MECH_RESERVED_LAST)
        return "envelope mechanism reserved";
    return kw_mechanism_name(env->mechanism) == NULL ? "envelope mechanism" : NULL;
}

/* The field of the header that is wrong, or NULL. */
static const char *header_fault(const struct kw_envelope *env)
{
    const char *version = version_fault(env);
    if (version != NULL)
        return version;
    if (env->purpose != KW_PURPOSE_SEED && env->purpose != KW_PURPOSE_CHECK)
        return "envelope purpose";
    if (!kw_is_scope(env->scope))
        return "envelope scope";
    if (env->purpose == KW_PURPOSE_CHECK &&
        !kw_span_equal_str(env->scope, KW_CHECK_SCOPE))
        return "envelope scope of a check blob";
    if (env->seed_len < 1 || env->seed_len > KW_SEED_MAX)
        return "envelope seed length";
    if (env->iv.len != kw_mechanism_iv_len(env->mechanism))
        return "envelope iv";
    return NULL;
}

static const char *sealed_fault(const struct kw_envelope *env)
{
    size_t want =
        kw_mechanism_sealed_len(env->mechanism, env->seed_len + KW_INNER_DIGEST);
    return env->sealed.len == want ? NULL : "envelope sealed part";
}

kw_err kw_envelope_parse(kw_span stored, struct kw_envelope *ret_env)
{
    struct kw_src src = kw_src_of(stored);
    struct kw_envelope env = {0};

    /* A field that is cut off reads as zero or empty, which its own rule refuses. */
    env.format = kw_src_u8(&src);
    env.purpose = (enum kw_purpose)kw_src_u8(&src);
    env.mechanism = (enum kw_mechanism)kw_src_u8(&src);
    env.scope = kw_src_take(&src, kw_src_u8(&src));
    env.seed_len = kw_src_u16(&src);
    env.iv = kw_src_take(&src, kw_mechanism_iv_len(env.mechanism));
    const char *fault = header_fault(&env);
    if (fault != NULL)
        return kw_err_at(KW_CODE_BAD_INPUT, fault);

    env.sealed = kw_src_take(
        &src, kw_mechanism_sealed_len(env.mechanism, env.seed_len + KW_INNER_DIGEST));
    fault = sealed_fault(&env);
    if (fault != NULL)
        return kw_err_at(KW_CODE_BAD_INPUT, fault);
    if (!kw_src_done(&src))
        return kw_err_at(KW_CODE_BAD_INPUT, "envelope trailing bytes");
    *ret_env = env;
    return KW_OK;
}

static bool put_header(const struct kw_envelope *env, kw_dst *dst)
{
    return kw_dst_put_u8(dst, env->format) && kw_dst_put_u8(dst, (uint8_t)env->purpose) &&
           kw_dst_put_u8(dst, (uint8_t)env->mechanism) &&
           kw_dst_put_u8(dst, (uint8_t)env->scope.len) && kw_dst_put(dst, env->scope) &&
           kw_dst_put_u16(dst, (uint16_t)env->seed_len) && kw_dst_put(dst, env->iv);
}

/* All of it or nothing: what was appended of one that does not fit is dropped. */
static kw_err envelope_finish(kw_dst *dst, size_t before, bool fits)
{
    if (fits)
        return KW_OK;
    dst->len = before;
    return kw_err_at(KW_CODE_NO_MEMORY, "envelope room");
}

kw_err kw_envelope_write(const struct kw_envelope *env, kw_dst *dst)
{
    const char *fault = header_fault(env);
    if (fault == NULL)
        fault = sealed_fault(env);
    if (fault != NULL)
        return kw_err_at(KW_CODE_BAD_INPUT, fault);
    size_t before = dst->len;
    return envelope_finish(dst, before,
                           put_header(env, dst) && kw_dst_put(dst, env->sealed));
}

kw_err kw_envelope_aad(const struct kw_envelope *env, kw_span key_id, kw_span domain,
                       kw_dst *dst)
{
    const kw_span magic = kw_span_str(MAGIC);
    const char *fault = header_fault(env);
    if (fault == NULL && (key_id.len < 1 || key_id.len > KW_KEY_ID_MAX))
        fault = "envelope key_id";
    if (fault == NULL && (domain.len < 1 || domain.len > KW_DOMAIN_MAX))
        fault = "envelope domain";
    if (fault != NULL)
        return kw_err_at(KW_CODE_BAD_INPUT, fault);

    size_t before = dst->len;
    return envelope_finish(dst, before,
                           kw_dst_put(dst, magic) && put_header(env, dst) &&
                               kw_dst_put_sized(dst, key_id) &&
                               kw_dst_put_sized(dst, domain));
}
