/* SPDX-License-Identifier: Apache-2.0 */
/* Asking every token for a key that should not be there. */
#include "gone.h"

#include <keyward/token.h>

#include "login.h"

struct question {
    const char *key_id;
    const char *token;
};

static kw_err ask(struct kw_token *token, void *shared, struct kw_note *note)
{
    const struct question *q = shared;
    struct kw_token_key *key = NULL;
    kw_err e = kw_token_find(token, q->key_id, (kw_span){0}, &key, note);
    if (e.code == KW_CODE_MISSING)
        return KW_OK;
    if (!kw_failed(e) || e.code == KW_CODE_HSM_CONFIG) {
        kw_note_set(note,
                    "token %s still holds an object with CKA_LABEL %s; remove it with "
                    "the HSM's own tools first",
                    q->token, q->key_id);
        return kw_err_at(KW_CODE_DENIED, "destroy");
    }
    return e;
}

kw_err kw_gone_from_tokens(const struct kw_config *config, const char *key_id,
                           struct kw_note *note)
{
    kw_err e = KW_OK;
    for (size_t i = 0; !kw_failed(e) && i < config->token_count; i++) {
        struct question q = {key_id, config->tokens[i].name};
        e = kw_login_run(config, &config->tokens[i], KW_LOGIN_LOOK, ask, &q, note);
    }
    return e;
}
