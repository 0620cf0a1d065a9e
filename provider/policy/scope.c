/* SPDX-License-Identifier: Apache-2.0 */
/* scope - may what was sealed for one class be opened through another? */
#include <keyward/policy.h>

kw_err kw_policy_scope(kw_span sealed_scope, const char *own_scope,
                       const char *const *accept_scopes, size_t accept_count,
                       bool *ret_foreign)
{
    bool own = kw_span_equal_str(sealed_scope, own_scope);
    bool accepted = false;
    for (size_t i = 0; i < accept_count && !own && !accepted; i++)
        accepted = kw_span_equal_str(sealed_scope, accept_scopes[i]);
    if (!own && !accepted)
        return kw_err_at(KW_CODE_DENIED, "scope");
    *ret_foreign = accepted;
    return KW_OK;
}
