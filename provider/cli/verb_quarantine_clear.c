/* SPDX-License-Identifier: Apache-2.0 */
/* keyward quarantine clear - ciphertexts that cost workers may be tried again
 *
 * The daemon lifts them at SIGUSR2; who answers at the status socket gets it, so no pid
 * that somebody wrote down is believed.  The kernel lets root and the daemon's own user.
 */
#include "cli.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "commands.h"
#include "login.h"
#include "operator_log.h"
#include "status_read.h"
#include "trusted.h"

enum { LOOKS = 250, BETWEEN_MS = 20 };

/* What the daemon refuses now; who answers. */
struct held {
    size_t count;
    pid_t daemon;
};

static kw_err look(const char *path, struct held *ret, struct kw_note *note)
{
    static char text[KW_STATUS_MAX];
    size_t len = 0;
    kw_err e = kw_status_read(path, text, sizeof text, &len, &ret->daemon, note);
    if (kw_failed(e))
        return e;
    json_t *document = json_loadb(text, len, JSON_REJECT_DUPLICATES, NULL);
    const json_t *list = json_object_get(document, "quarantine");
    bool known = json_is_array(list);
    ret->count = json_array_size(list);
    json_decref(document);
    if (known)
        return KW_OK;
    kw_note_set(note,
                "%s: who answers there says nothing of a quarantine, and is not sent a "
                "signal that it might not know; a restart of keywardd lifts it",
                path);
    return kw_err_at(KW_CODE_BAD_INPUT, "status");
}

static kw_err tell(const struct held *h, struct kw_note *note)
{
    if (h->daemon > 1 && kill(h->daemon, SIGUSR2) == 0)
        return KW_OK;
    int saved = h->daemon > 1 ? errno : ESRCH;
    kw_note_set(note, "process %d: %s%s", (int)h->daemon, strerror(saved),
                saved == EPERM ? "; run it as root or as the daemon's user" : "");
    return kw_err_native(saved == EPERM ? KW_CODE_DENIED : KW_CODE_IO, (uint32_t)saved,
                         "kill");
}

/* Until the document says so. */
static kw_err await_none(const char *path, struct kw_note *note)
{
    struct held now = {.count = 1};
    kw_err e = KW_OK;
    for (int i = 0; i < LOOKS && !kw_failed(e); i++) {
        e = look(path, &now, note);
        if (!kw_failed(e) && now.count == 0)
            return KW_OK;
        (void)poll(NULL, 0, BETWEEN_MS);
    }
    if (kw_failed(e))
        return e;
    kw_note_set(note,
                "keywardd was told, and %zu are refused still or again: see "
                "keyward status and the log",
                now.count);
    return kw_err_at(KW_CODE_QUARANTINED, "status");
}

static int quarantine_clear_report(const struct kw_cli *cli, const struct held *h)
{
    if (cli->json)
        return kw_json_out(json_pack("{s:b, s:i}", "ok", 1, "cleared", (int)h->count),
                           KW_EXIT_GOOD);
    if (h->count == 0)
        puts("no ciphertext is refused");
    else
        printf("%zu ciphertext%s may be tried again\n", h->count,
               h->count > 1 ? "s" : "");
    return fflush(stdout) == 0 ? KW_EXIT_GOOD : KW_EXIT_BLIND;
}

/* Nobody else may say where it goes on record. */
static int quarantine_clear_begin(struct kw_operator_act *noted)
{
    struct kw_owner owner = {0};
    struct kw_note note = {{0}};
    kw_err e = kw_owner_of(noted->config, &owner, &note);
    int code = kw_failed(e) ? kw_fail(noted->cli, e, &note)
                            : kw_trusted_config(noted->cli, owner.uid);
    return code < 0 ? kw_operator_begin(noted) : code;
}

static int quarantine_clear_perform(struct kw_operator_act *noted, const char *path)
{
    struct held h = {0};
    struct kw_note note = {{0}};
    kw_err e = look(path, &h, &note);
    int code =
        kw_failed(e) ? kw_fail(noted->cli, e, &note) : quarantine_clear_begin(noted);
    if (code >= 0)
        return code;
    e = tell(&h, &note);
    if (!kw_failed(e) && h.count > 0)
        e = await_none(path, &note);
    kw_operator_end(noted, e);
    code = kw_failed(e) ? kw_fail(noted->cli, e, &note)
                        : quarantine_clear_report(noted->cli, &h);
    return kw_operator_code(noted, code);
}

/* Whichever socket it is: the configuration says where acts are on record. */
static int quarantine_clear_unread(const struct kw_cli *cli, kw_err e,
                                   const struct kw_note *note)
{
    struct kw_commands next = {.len = 0};
    kw_commands_when(&next, "mend it, or name the daemon's with --config: it says where "
                            "operator.jsonl lies, without which nothing is cleared; a "
                            "restart of the daemon lifts a quarantine too");
    return kw_fail_with(cli, e, note, next.text, NULL, NULL);
}

int kw_verb_quarantine_clear(int argc, char **argv)
{
    struct kw_cli cli;
    struct kw_config *config = NULL;
    struct kw_note note = {{0}};
    const char *path = NULL, *ticket = NULL;
    const struct kw_option options[] = {
        {"socket", "PATH", "the status socket (default: the configuration's)",
         .text = &path},
        KW_OPERATOR_TICKET(&ticket),
    };
    const struct kw_usage usage = {
        .verb = "quarantine clear",
        .operands = "",
        .summary =
            "Lets ciphertexts that cost workers be tried again before their ten minutes "
            "are over.\nkeyward status shows them.  First find out why the library died "
            "of them: one that\nstill does costs workers again.  Wants root or the "
            "daemon's user.",
        .options = options,
        .option_count = sizeof options / sizeof options[0],
    };
    int code = kw_cli_read(&usage, argc, argv, &cli);
    if (code < 0)
        code = kw_operator_ticket(usage.verb, ticket);
    if (code >= 0)
        return code;
    kw_err e = kw_config_load(cli.config, SIZE_MAX, &config, &note);
    struct kw_operator_act noted = {&cli, config, "quarantine-clear", .ticket = ticket};
    code = kw_failed(e)
               ? quarantine_clear_unread(&cli, e, &note)
               : quarantine_clear_perform(&noted, path != NULL ? path : config->status);
    kw_config_free(config);
    return code;
}
