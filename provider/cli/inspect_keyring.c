/* SPDX-License-Identifier: Apache-2.0 */
/* The keyring as this node sees it. */
#include "inspect.h"

#include <stdio.h>
#include <string.h>

#include "next.h"
#include "version.h"

static void inspect_active(struct kw_report *r, const struct kw_context *d)
{
    char config[KW_CLI_CONFIG_MAX], remedy[2 * KW_CLI_CONFIG_MAX + 64];
    kw_cli_config(r->cli, config, sizeof config);
    snprintf(remedy, sizeof remedy,
             "keyward key accept N%s, then keyward key activate N%s", config, config);
    if (d->ring->active == 0)
        kw_report_add(r, KW_FOUND_WARN, "baseline", remedy,
                      "no version is active: the daemon can wrap nothing");
    else
        kw_report_add(
            r, KW_FOUND_OK, "baseline", NULL, "version %u%s", (unsigned)d->ring->active,
            kw_context_active(d) > d->ring->active ? ", and a later one is active here"
                                                   : "");
}

/* Marks that were made from a keyring know no older one. */
static void inspect_memory(struct kw_report *r, const struct kw_context *d)
{
    if (!kw_failed(d->state_err) && d->marks.rebuilt[0] != '\0')
        kw_report_add(
            r, KW_FOUND_WARN, "memory",
            "compare the keyring with the other nodes' (keyward keyring compare)",
            "the marks were made anew: %s; whether an older keyring had been put "
            "there is not known",
            d->marks.rebuilt);
}

static void inspect_origins(struct kw_report *r, const struct kw_context *d)
{
    for (size_t i = 0; i < d->ring->count; i++) {
        const struct kw_version *v = &d->ring->versions[i];
        if (kw_version_unproven(v))
            kw_report_add(r, KW_FOUND_WARN, "origin",
                          "open something with it that was sealed before the keyring was "
                          "lost, or rotate away from it",
                          "version %u: %s", (unsigned)v->n, v->origin);
    }
}

static void inspect_copies(struct kw_report *r, const struct kw_context *d)
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

/* The way out, as the other verbs print it. */
static void inspect_keyring_refused(struct kw_report *r, const char *name,
                                    const struct kw_context *d)
{
    char config[KW_CLI_CONFIG_MAX];
    struct kw_commands next = {.len = 0};
    kw_cli_config(r->cli, config, sizeof config);
    kw_next_cure(d->judgement.cure, config, &next);
    kw_report_add(r, KW_FOUND_FAIL, name, next.text, "%s", d->judgement.why.text);
}

/* An ordinary user, who may not look there, was told so already. */
static void inspect_marks(struct kw_report *r, const struct kw_context *d)
{
    if (d->stranger)
        return;
    if (kw_failed(d->state_err))
        kw_report_err(r, "state marks", d->state_err, &d->state_why);
    else if (d->judgement.refusal != KW_ADMITTED)
        inspect_keyring_refused(r, "state marks", d);
    else
        kw_report_add(
            r, KW_FOUND_OK, "state marks", NULL, "serial %llu, active here: version %u",
            (unsigned long long)d->ring->serial, (unsigned)kw_context_active(d));
}

static void inspect_absent(struct kw_report *r, const struct kw_context *d)
{
    char config[KW_CLI_CONFIG_MAX], remedy[KW_CLI_CONFIG_MAX + 64];
    if (d->judgement.refusal != KW_ADMITTED) {
        inspect_keyring_refused(r, "keyring", d);
        return;
    }
    kw_cli_config(r->cli, config, sizeof config);
    snprintf(remedy, sizeof remedy, "keyward key create%s makes the first version",
             config);
    kw_report_add(r, KW_FOUND_FAIL, "keyring", remedy, "there is none yet");
}

void kw_inspect_keyring(struct kw_report *r, const struct kw_context *d)
{
    if (d->ring == NULL) {
        inspect_absent(r, d);
        return;
    }
    inspect_marks(r, d);
    inspect_memory(r, d);
    inspect_active(r, d);
    inspect_copies(r, d);
    inspect_origins(r, d);
}
