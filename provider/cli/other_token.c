/* SPDX-License-Identifier: Apache-2.0 */
#include "other_token.h"

#include <string.h>

static kw_err other_token_bad(const struct kw_token_words *where, struct kw_note *note,
                              const char *what)
{
    kw_note_set(note, "--%s%s", where->option, what);
    return kw_err_at(KW_CODE_BAD_INPUT, "other token");
}

static bool other_token_put(char *dst, size_t cap, const char *given, char **field)
{
    if (given == NULL)
        return true;
    *field = dst;
    return given[0] != '\0' && kw_copy_str(dst, cap, kw_span_str(given));
}

static kw_err other_token_set_variable(struct kw_other_token *o,
                                       const struct kw_token_words *where,
                                       struct kw_note *note)
{
    const char *assignment = where->env;
    const char *equals = strchr(assignment, '=');
    size_t i = 0;
    if (equals == NULL || equals == assignment ||
        !kw_copy_str(o->name, sizeof o->name,
                     kw_span_of(assignment, (size_t)(equals - assignment))) ||
        !kw_copy_str(o->value, sizeof o->value, kw_span_str(equals + 1)))
        return other_token_bad(where, note, "env wants NAME=VALUE");
    while (i < o->token.env_count && strcmp(o->token.env[i].name, o->name) != 0)
        i++;
    if (i == KW_ENV_VARS_MAX)
        return other_token_bad(where, note, "env: there are too many variables");
    o->token.env[i] = (struct kw_config_var){o->name, o->value};
    if (i == o->token.env_count)
        o->token.env_count++;
    return KW_OK;
}

static kw_err other_token_named(const struct kw_config *config, const char *name,
                                struct kw_other_token *o, struct kw_note *note)
{
    for (size_t i = 0; i < config->token_count; i++)
        if (strcmp(config->tokens[i].name, name) == 0) {
            o->token = config->tokens[i];
            return KW_OK;
        }
    kw_note_set(note,
                "the configuration has no token '%s'; name one of its tokens, or give a "
                "PKCS#11 URI (pkcs11:token=LABEL)",
                name);
    return kw_err_at(KW_CODE_BAD_INPUT, "other token");
}

kw_err kw_other_token_find(const struct kw_config *config,
                           const struct kw_token_words *where, struct kw_other_token *o,
                           struct kw_note *note)
{
    if (where->name != NULL)
        return other_token_named(config, where->name, o, note);
    o->token = config->tokens[0];
    if (where->module != NULL)
        o->token.env_count = 0;
    kw_copy_str(o->token.name, sizeof o->token.name, kw_span_str("second-copy"));
    if (!other_token_put(o->uri, sizeof o->uri, where->uri, &o->token.uri))
        return other_token_bad(where, note, "token wants a PKCS#11 URI");
    if (!other_token_put(o->module, sizeof o->module, where->module, &o->token.module) ||
        o->token.module[0] != '/')
        return other_token_bad(where, note, "module wants an absolute path");
    if (!other_token_put(o->pin, sizeof o->pin, where->pin, &o->token.pin))
        return other_token_bad(where, note, "pin wants file:/path");
    return where->env != NULL ? other_token_set_variable(o, where, note) : KW_OK;
}
