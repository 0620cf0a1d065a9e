/* SPDX-License-Identifier: Apache-2.0 */
/* The keyring as this node sees it. */
#include "inspect.h"

#include <string.h>

static void inspect_active(struct kw_report *r, const struct kw_desk *d)
{
    if (d->ring->active == 0)
        kw_report_add(r, KW_FOUND_WARN, "baseline",
                      "keyward key accept N, then keyward key activate N",
                      "no version is active: the daemon can wrap nothing");
    else
        kw_report_add(
            r, KW_FOUND_OK, "baseline", NULL, "version %u%s", (unsigned)d->ring->active,
            d->effective > d->ring->active ? ", and a later one is active here" : "");
}

static void inspect_copies(struct kw_report *r, const struct kw_desk *d)
{
    for (size_t i = 0; i < d->ring->count; i++) {
        const struct kw_version *v = &d->ring->versions[i];
        if (v->state == KW_KEY_ACTIVE &&
            kw_span_equal_str(kw_span_of(v->second_copy,
                                         strnlen(v->second_copy, sizeof "only-copy" - 1)),
                              "only-copy"))
            kw_report_add(r, KW_FOUND_WARN, "second copy",
                          "clone or back up the key, and prove that the copy opens",
                          "version %u: %s", (unsigned)v->n, v->second_copy);
    }
}

void kw_inspect_keyring(struct kw_report *r, const struct kw_desk *d)
{
    if (d->ring == NULL) {
        kw_report_add(r, KW_FOUND_FAIL, "keyring",
                      "keyward key create makes the first version", "%s: there is none",
                      d->config->keyring);
        return;
    }
    if (kw_failed(d->state_err))
        kw_report_err(r, "state marks", d->state_err, &d->state_why);
    else if (d->effective_why.text[0] != '\0')
        kw_report_add(r, KW_FOUND_FAIL, "state marks", NULL, "%s", d->effective_why.text);
    else
        kw_report_add(r, KW_FOUND_OK, "state marks", NULL,
                      "serial %llu, active here: version %u",
                      (unsigned long long)d->ring->serial, (unsigned)d->effective);
    inspect_active(r, d);
    inspect_copies(r, d);
}
