/* SPDX-License-Identifier: Apache-2.0 */
/* What a ceremony that failed has left in the token, and what to do about it. */
#include "create.h"

#include <stdio.h>

#include "softhsm.h"

static void explain_orphan(const struct kw_create *c)
{
    const struct kw_version *v = &c->job->v;
    const char *conf = kw_softhsm_conf(c->token);
    fprintf(stderr,
            "keyward: the object with CKA_LABEL %s is in token %s, and in no keyring; "
            "nothing uses it.\n"
            "  to finish:    keyward key create --config %s --adopt %s\n"
            "  to remove it: %s%s%spkcs11-tool --module %s --token-label %s --login "
            "--delete-object --type secrkey --label %s%s\n",
            v->key_id, c->token->name, c->cli->config, v->key_id,
            conf != NULL ? "SOFTHSM2_CONF=" : "", conf != NULL ? conf : "",
            conf != NULL ? " " : "", c->token->module, v->token.label, v->key_id,
            v->want_destroyable ? ""
                                : " (it is not destroyable by PKCS#11: the HSM's own "
                                  "administration must do it)");
}

int kw_create_failed(const struct kw_create *c, kw_err e, const struct kw_note *note)
{
    if (c->job->made)
        explain_orphan(c);
    return kw_fail(c->cli, e, note);
}
