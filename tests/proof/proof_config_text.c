/* SPDX-License-Identifier: Apache-2.0 */
/* Target: what names, paths, URIs and PIN sources in the configuration may look like.
 * Input: a scalar of the YAML file, never empty (kw_value_read refuses that before).
 * Useful maximum: KW_PATH_MAX; the longest word that is
 * looked for has eleven bytes, the longest part of a path that is refused has two.
 * Claim: nothing outside the text is read. */
#include "proof.h"

#include <keyward/sha256.h>

#include "settings.h"

enum { SIZES = 13, PATHS = 6 };

int main(void)
{
    static uint8_t in[SIZES];
    static uint8_t digits[2 * KW_SHA256];
    PROOF_UNKNOWN(in);
    PROOF_UNKNOWN(digits);
    (void)kw_rule_sha256.fault(kw_span_of(digits, sizeof digits));
    (void)kw_rule_label.fault(kw_span_of(digits, sizeof digits));
    for (size_t len = 1; len <= SIZES; len++) {
        const kw_span s = kw_span_of(PROOF_TAIL(in, len), len);
        (void)kw_rule_domain.fault(s);
        (void)kw_rule_name.fault(s);
        if (len <= PATHS) {
            (void)kw_rule_path.fault(s);
            (void)kw_rule_socket.fault(s);
        }
        (void)kw_rule_uri.fault(s);
        (void)kw_rule_pin.fault(s);
        (void)kw_rule_var_name.fault(s);
        (void)kw_rule_var_value.fault(s);
        (void)kw_rule_label.fault(s);
    }
    return 0;
}
