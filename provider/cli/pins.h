/* SPDX-License-Identifier: Apache-2.0 */
/* pins - how a PIN gets into its file without passing through argv, the environment or
 * the memory of the tool itself: a child does it, in locked memory */
#ifndef KEYWARD_CLI_PINS_H
#define KEYWARD_CLI_PINS_H

#include "node_layout.h"
#include "login.h"

/* Reads the PIN as kw_pin_copy will, and forgets it. */
KW_MUST_USE kw_err kw_pin_source_look(const char *source, struct kw_note *note);

/* Copies the PIN in `source` (a file that only its owner can read) to pin_fd. */
KW_MUST_USE kw_err kw_pin_copy(const char *source, int pin_fd, struct kw_note *note);

struct kw_softhsm_plan {
    const struct kw_layout *layout;
    const char *module;
    const char *label;
    int pin_fd, so_pin_fd;           /* open for writing */
    const struct kw_config_var *env; /* of the module, besides SOFTHSM2_CONF */
    size_t env_count;
};
/* Two random PINs into their files, and a token that has them, made and sealed by
 * `owner`. */
KW_MUST_USE kw_err kw_pin_softhsm(const struct kw_softhsm_plan *plan,
                                  const struct kw_owner *owner, struct kw_note *note);

#endif
