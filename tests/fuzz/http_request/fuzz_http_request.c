/* SPDX-License-Identifier: Apache-2.0 */
/* target: kw_request_read.
 * Input: what a connection said so far; attacker: whoever may connect.
 * Useful maximum: 8192 bytes.
 * Claim: no prefix of a request that is taken is refused, or taken as another one; a path
 * that is taken begins with a slash and is printable; bytes behind a request refuse it. */
#include <string.h>

#include "request.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void check_good(kw_span s, const struct kw_http_request *request)
{
    struct kw_http_request other;
    uint8_t longer[KW_REQUEST_MAX + 5];
    KW_INVARIANT(request->path[0] == '/' && strlen(request->path) <= KW_TARGET_MAX);
    KW_INVARIANT(kw_is_printable_text(kw_span_str(request->path)));
    for (size_t n = s.len > 64 ? s.len - 64 : 0; n < s.len; n++)
        KW_MUST(kw_request_read(kw_span_of(s.ptr, n), &other) == KW_REQUEST_MORE);
    kw_copy(longer, sizeof longer, s);
    longer[s.len] = 'x';
    KW_MUST(kw_request_read(kw_span_of(longer, s.len + 1), &other) == KW_REQUEST_BAD);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct kw_http_request request;
    const kw_span s = kw_span_of(data, len < KW_REQUEST_MAX ? len : KW_REQUEST_MAX - 1);
    if (kw_request_read(s, &request) == KW_REQUEST_GOOD)
        check_good(s, &request);
    return 0;
}
