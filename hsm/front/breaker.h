/* SPDX-License-Identifier: Apache-2.0 */
/* breaker - a token that failed several jobs in a row gets none while another one can
 *
 * It opens at the third failure with nothing good in between, or at an earlier one that all
 * its sessions had a part in (`most`), and closes at a canary that was asked after that.
 * With one token nobody asks it.
 *
 * Pure. */
#ifndef KEYWARD_FRONT_BREAKER_H
#define KEYWARD_FRONT_BREAKER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct kw_breaker {
    unsigned failures;  /* in a row                                        */
    bool open;          /* the token is out                                */
    uint64_t opened_id; /* no smaller wire id was asked after it opened    */
};
/* `now_id`: the newest wire id; `most`: it opens at the third failure, or at this one when
 * that is earlier.  true: it opened just now. */
bool kw_breaker_failed(struct kw_breaker *b, size_t most, uint64_t now_id);
void kw_breaker_good(struct kw_breaker *b);
/* A canary of the active version was good.  true: it closed just now. */
bool kw_breaker_proven(struct kw_breaker *b, uint64_t canary_id);

#endif
