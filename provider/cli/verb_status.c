/* SPDX-License-Identifier: Apache-2.0 */
/* keyward status - one document from the daemon's status socket */
#include "cli.h"

#include <stdio.h>

#include "status_read.h"
#include "status_verb.h"
#include "document.h"

static int status_show(const struct kw_cli *cli, const char *path, const char *text,
                       size_t len)
{
    json_error_t at;
    struct kw_note note = {{0}};
    struct kw_reasons why;
    json_t *d = json_loadb(text, len, JSON_REJECT_DUPLICATES, &at);
    if (!json_is_object(d)) {
        json_decref(d);
        kw_note_set(&note, "%s: the answer is no JSON object", path);
        return kw_fail(cli, kw_err_at(KW_CODE_IO, "status"), &note);
    }
    enum kw_exit code = kw_document_judge(d, &why);
    if (cli->json)
        return kw_json_out(d, code);
    kw_document_print(cli, d);
    json_decref(d);
    return fflush(stdout) == 0 ? (int)code : KW_EXIT_BLIND;
}

static int status_ask(const struct kw_cli *cli, const char *path)
{
    static char text[KW_STATUS_MAX];
    size_t len = 0;
    struct kw_note note = {{0}};
    kw_err e = kw_status_read(path, text, sizeof text, &len, NULL, &note);
    return kw_failed(e) ? kw_fail(cli, e, &note) : status_show(cli, path, text, len);
}

int kw_verb_status(int argc, char **argv)
{
    const struct kw_usage usage = {
        .verb = "status",
        .operands = "",
        .summary =
            "Asks the running daemon how it is.  Exit status 1 when the HSM, or one of "
            "several\ntokens, is not up, or one is out or has not proven all versions; "
            "the active version\nor one that decrypts is not good; something was found "
            "about a key in use; a version\nthat may not be read refused a Decrypt less "
            "than an hour ago; a reload was rejected or\nfound a configuration that no "
            "start would take; the state directory does not hold what\nit should; a PIN "
            "is latched or a ciphertext is quarantined; the audit log cannot "
            "be\nwritten; "
            "3 when nobody answers.  A configuration that only differs from what runs is "
            "no\nfault: what a restart would change is shown.  docs/ERRORS.md has every "
            "member.",
    };
    return kw_status_verb(usage, argc, argv, status_ask);
}
