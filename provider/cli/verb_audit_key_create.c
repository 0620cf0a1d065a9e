/* SPDX-License-Identifier: Apache-2.0 */
/* keyward audit key create - the pair that signs the audit log's checkpoints
 *
 * It is no version of a KEK: nothing of it stands in the keyring.  What is to be kept of
 * it is a file, and two lines of the configuration.
 */
#include "cli.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <keyward/checkpoint.h>

#include "context.h"
#include "operator_log.h"
#include "place.h"

#define AUDIT_KEY_LABEL "keyward-audit"
#define AUDIT_KEY_FILE "audit.pem"

/* Shared with the token's child. */
struct audit_key {
    char label[KW_LABEL_MAX + 1];
    char token_label[33], token_serial[17];
    uint8_t spki[KW_SPKI];
    char dropped[128];
    bool made; /* it lies there now, or may */
};

struct audit_key_create {
    const struct kw_cli *cli;
    const char *label, *token_name, *ticket;
    struct kw_context context;
    const struct kw_config_token *token;
    char path[KW_PATH_MAX]; /* of the public half */
    struct audit_key *key;
};

/* ---- before ---- */

/* A KEK's label belongs to the keyring, and the label stands in the configuration. */
static int audit_key_judge_label(const char *label)
{
    const size_t len = strlen(label);
    bool plain = len >= 1 && len <= KW_LABEL_MAX && strncmp(label, "kw1-", 4) != 0 &&
                 isalpha((unsigned char)label[0]);
    for (size_t i = 0; plain && i < len; i++)
        plain = isalnum((unsigned char)label[i]) || strchr("-_.", label[i]) != NULL;
    return plain ? -1
                 : kw_usage_error("audit key create",
                                  "--label %s: it wants a letter and then letters, "
                                  "digits, - _ . (at most %u), and not kw1-",
                                  label, KW_LABEL_MAX);
}

/* Beside the keyring; better now than after the key was made. */
static kw_err audit_key_place(struct audit_key_create *c, struct kw_note *note)
{
    char folder[KW_PATH_MAX];
    struct stat st;
    const char *keyring = c->context.config->keyring, *slash = strrchr(keyring, '/');
    const size_t len = slash == NULL || slash == keyring ? 1 : (size_t)(slash - keyring);
    kw_copy_str(folder, sizeof folder, kw_span_of(slash != NULL ? keyring : ".", len));
    const int n = snprintf(c->path, sizeof c->path, "%s/" AUDIT_KEY_FILE,
                           strcmp(folder, "/") == 0 ? "" : folder);
    if (n < 0 || (size_t)n >= sizeof c->path || lstat(c->path, &st) == 0) {
        kw_note_set(note, "%s is there already; no key was made", c->path);
        return kw_err_at(KW_CODE_DENIED, AUDIT_KEY_FILE);
    }
    if (access(folder, W_OK) == 0)
        return KW_OK;
    const int saved = errno;
    kw_note_set(note, "%s: the keyring's folder cannot be written: %s; no key was made",
                folder, strerror(saved));
    return kw_err_native(KW_CODE_DENIED, (uint32_t)saved, AUDIT_KEY_FILE);
}

/* ---- in the token ---- */

/* After a failure: only what is known not to be there is not. */
static bool audit_key_lies_there(struct kw_token *token, const struct audit_key *key,
                                 kw_err e)
{
    uint8_t spki[KW_SPKI];
    struct kw_note ignored;
    if (e.code == KW_CODE_BAD_INPUT || e.code == KW_CODE_BUG)
        return false; /* it was not asked for */
    const kw_err look = kw_token_audit_key(token, key->label, spki, &ignored);
    return look.code != KW_CODE_MISSING;
}

static kw_err audit_key_make(struct kw_token *token, void *shared, struct kw_note *note)
{
    struct audit_key *key = shared;
    const struct kw_token_facts *facts = kw_token_facts(token);
    kw_copy_str(key->token_label, sizeof key->token_label, kw_span_str(facts->label));
    kw_copy_str(key->token_serial, sizeof key->token_serial, kw_span_str(facts->serial));
    kw_err e =
        kw_token_create_audit_key(token, key->label, key->spki, key->dropped, note);
    key->made = !kw_failed(e) || audit_key_lies_there(token, key, e);
    return e;
}

/* ---- after ---- */

static kw_err audit_key_write(struct audit_key_create *c, struct kw_note *note)
{
    static struct kw_placed made;
    char pem[KW_SPKI_PEM + 1];
    kw_spki_pem(c->key->spki, pem);
    return kw_place_bytes(&made, c->path, kw_span_str(pem), note);
}

static int audit_key_print(const struct audit_key_create *c, const char *sha256)
{
    printf("made      pair %s in token %s, serial %s; attributes read back and judged "
           "good\n"
           "proven    it signed a checkpoint, which verifies\n"
           "public    %s\n",
           c->key->label, c->key->token_label, c->key->token_serial, c->path);
    if (c->key->dropped[0] != '\0')
        printf("left out  the token does not know: %s\n", c->key->dropped);
    printf("into the configuration, under the audit: that is there:\n"
           "audit:\n"
           "  key: {label: %s, sha256: %s}\n"
           "next:\n"
           "  # keep audit.pem with whoever verifies the log, and when the line is in:\n"
           "  systemctl restart keywardd\n",
           c->key->label, sha256);
    return fflush(stdout) == 0 ? KW_EXIT_GOOD : KW_EXIT_BLIND;
}

static int audit_key_report(const struct audit_key_create *c)
{
    uint8_t sha256[KW_SHA256];
    char hex[2 * KW_SHA256 + 1], pem[KW_SPKI_PEM + 1];
    const kw_err e = kw_sha256(kw_span_of(c->key->spki, KW_SPKI), sha256);
    if (kw_failed(e))
        return kw_fail(c->cli, e, NULL);
    kw_hex(hex, sizeof hex, kw_span_of(sha256, sizeof sha256));
    kw_spki_pem(c->key->spki, pem);
    if (!c->cli->json)
        return audit_key_print(c, hex);
    return kw_json_out(json_pack("{s:b, s:s, s:s, s:s, s:s, s:s, s:s, s:s}", "ok", 1,
                                 "label", c->key->label, "sha256", hex, "path", c->path,
                                 "pem", pem, "token_label", c->key->token_label,
                                 "token_serial", c->key->token_serial, "dropped",
                                 c->key->dropped),
                       KW_EXIT_GOOD);
}

/* What lies in the token when it did not come to its end, is said. */
static int audit_key_failed(const struct audit_key_create *c, kw_err e,
                            const struct kw_note *why)
{
    struct kw_note note = *why;
    if (c->key->made)
        kw_note_set(
            &note,
            "%.400s; a pair %s lies in the token now: remove it with the HSM's own "
            "tool, or take another --label",
            why->text, c->key->label);
    return kw_fail(c->cli, e, &note);
}

static int audit_key_perform(struct audit_key_create *c)
{
    struct kw_note note = {{0}};
    struct kw_operator_act noted = {c->cli, c->context.config, "audit-key-create",
                                    .ticket = c->ticket};
    kw_err e = kw_context_token(&c->context, c->token_name, &c->token, &note);
    if (!kw_failed(e))
        e = audit_key_place(c, &note);
    if (kw_failed(e))
        return audit_key_failed(c, e, &note);
    int code = kw_operator_begin(&noted);
    if (code >= 0)
        return code;
    e = kw_login_run(c->context.config, c->token, KW_LOGIN_CEREMONY, audit_key_make,
                     c->key, &note);
    if (!kw_failed(e))
        e = audit_key_write(c, &note);
    kw_operator_end(&noted, e);
    code = kw_failed(e) ? audit_key_failed(c, e, &note) : audit_key_report(c);
    return kw_operator_code(&noted, code);
}

static int audit_key_run(struct audit_key_create *c)
{
    struct kw_note note = {{0}};
    const kw_err e = kw_context_open(c->cli, &c->context, &note);
    if (kw_failed(e))
        return kw_fail(c->cli, e, &note);
    int code = kw_context_remembers(c->cli, &c->context);
    if (code < 0)
        code = kw_context_trusts(c->cli, &c->context);
    if (code < 0)
        code = audit_key_perform(c);
    kw_context_close(&c->context);
    return code;
}

/* ---- the verb ---- */

int kw_verb_audit_key_create(int argc, char **argv)
{
    struct kw_cli cli;
    struct audit_key_create c = {.cli = &cli, .label = AUDIT_KEY_LABEL};
    const struct kw_option options[] = {
        {"label", "LABEL", "CKA_LABEL of the pair (default " AUDIT_KEY_LABEL ")", NULL,
         &c.label},
        {"token", "NAME", "which token of the configuration (default the first)", NULL,
         &c.token_name},
        KW_OPERATOR_TICKET(&c.ticket),
    };
    const struct kw_usage usage = {
        .verb = "audit key create",
        .operands = "",
        .summary =
            "Makes the key pair that signs the audit log's checkpoints, inside the "
            "token: ECDSA on\nP-256, for signing alone, and no version of a KEK.  Writes "
            "the public half as audit.pem\nbeside the keyring, and prints what is to "
            "stand in the configuration.",
        .options = options,
        .option_count = sizeof options / sizeof options[0],
        .logs_in = true,
    };
    int code = kw_cli_read(&usage, argc, argv, &cli);
    if (code < 0)
        code = audit_key_judge_label(c.label);
    if (code < 0)
        code = kw_operator_ticket(usage.verb, c.ticket);
    if (code >= 0)
        return code;
    c.key = kw_shared_new(sizeof *c.key);
    if (c.key == NULL)
        return kw_fail(&cli, kw_err_at(KW_CODE_NO_MEMORY, "mmap"), NULL);
    kw_copy_str(c.key->label, sizeof c.key->label, kw_span_str(c.label));
    code = audit_key_run(&c);
    kw_shared_free(c.key, sizeof *c.key);
    return code;
}
