/* SPDX-License-Identifier: Apache-2.0 */
/* A file of its own: PKCS#11's header has macros of small letters. */
#include "token_fixture.h"

void world_make_twin(struct kw_token *token, const char *label, kw_span locator);

void world_make_twin(struct kw_token *token, const char *label, kw_span locator)
{
    (void)raw_key_at(token, label, locator, false);
}
