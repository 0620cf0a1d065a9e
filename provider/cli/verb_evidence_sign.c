/* SPDX-License-Identifier: Apache-2.0 */
/* keyward evidence sign - the audit log's key signs a bundle of evidence
 *
 * Order: the bundle is looked at, all of it · the act goes on record · one login, one
 * signature of the manifest's bytes as they were read · it is verified here, with the public
 * half that the configuration means · manifest.sig.
 */
#include "cli.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include <keyward/manifest.h>

#include "bundle_check.h"
#include "commands.h"
#include "context.h"
#include "operator_log.h"

/* Shared with the token's child. */
struct evidence_signing {
    struct kw_token_signer signer;
    kw_span manifest; /* in memory that the child has, too */
    struct kw_token_signed made;
};

struct evidence_sign {
    const struct kw_cli *cli;
    const char *dir, *token_name, *ticket;
    struct kw_context context;
    const struct kw_config_token *token;
    char path[KW_PATH_MAX]; /* of the signature */
    struct kw_bundle bundle;
    struct evidence_signing *signing;
};

/* ---- before ---- */

static kw_err evidence_sign_place(struct evidence_sign *s, struct kw_note *note)
{
    struct stat st;
    const int n = snprintf(s->path, sizeof s->path, "%s/" KW_BUNDLE_SIGNATURE, s->dir);
    if (n < 0 || (size_t)n >= sizeof s->path) {
        kw_note_set(note, "%s: %s", s->dir, strerror(ENAMETOOLONG));
        return kw_err_native(KW_CODE_IO, ENAMETOOLONG, "bundle");
    }
    if (lstat(s->path, &st) != 0)
        return KW_OK;
    kw_note_set(note,
                "%s is there already: this bundle was signed; verify it, or take that "
                "file away to have the bundle signed anew",
                s->path);
    return kw_err_native(KW_CODE_DENIED, EEXIST, "bundle");
}

static kw_err evidence_sign_key(const struct evidence_sign *s, struct kw_note *note)
{
    const struct kw_config *config = s->context.config;
    if (config->audit_key_label == NULL) {
        kw_note_set(note,
                    "%s names no audit.key, which would sign; keyward audit key "
                    "create makes the pair and says what is to stand there",
                    s->cli->config);
        return kw_err_at(KW_CODE_DENIED, "audit key");
    }
    s->signing->signer.label = config->audit_key_label;
    KW_MUST(kw_unhex(s->signing->signer.sha256, KW_SHA256,
                     kw_span_str(config->audit_key_sha256)));
    return KW_OK;
}

static kw_err evidence_sign_prepare(struct evidence_sign *s, struct kw_note *note)
{
    kw_err e = kw_context_token(&s->context, s->token_name, &s->token, note);
    if (!kw_failed(e))
        e = evidence_sign_key(s, note);
    if (!kw_failed(e))
        e = evidence_sign_place(s, note);
    if (!kw_failed(e))
        e = kw_bundle_check(s->dir, &s->bundle, note);
    if (!kw_failed(e))
        s->signing->manifest = kw_blob_peek(&s->bundle.manifest);
    return e;
}

/* ---- in the token ---- */

static kw_err evidence_sign_ask(struct kw_token *token, void *shared,
                                struct kw_note *note)
{
    struct evidence_signing *x = shared;
    return kw_token_sign_bundle(token, &x->signer, x->manifest, &x->made, note);
}

/* ---- after ---- */

/* The vendor's library was in the child: what it gave is proven here. */
static kw_err evidence_sign_verify(const struct evidence_signing *x, kw_dst *der,
                                   struct kw_note *note)
{
    uint8_t sha256[KW_SHA256];
    const kw_span spki = kw_span_of(x->made.spki, KW_SPKI);
    kw_err e = kw_sha256(spki, sha256);
    if (!kw_failed(e) &&
        !kw_span_equal(kw_span_of(sha256, sizeof sha256),
                       kw_span_of(x->signer.sha256, sizeof x->signer.sha256)))
        e = kw_err_at(KW_CODE_WRONG_ANSWER, "audit key");
    if (!kw_failed(e))
        e = kw_signature_to_der(x->made.signature, der);
    if (!kw_failed(e))
        e = kw_bundle_verify(x->manifest, spki, kw_dst_span(der));
    if (!kw_failed(e) || e.code == KW_CODE_NO_MEMORY)
        return e;
    kw_note_set(note, "what the token gave is no signature of the manifest by the audit "
                      "log's key; nothing was written");
    return kw_err_at(KW_CODE_WRONG_ANSWER, "signature");
}

static kw_err evidence_sign_make(struct evidence_sign *s, struct kw_note *note)
{
    uint8_t bytes[KW_SIGNATURE_DER_MAX];
    kw_dst der = kw_dst_of(bytes, sizeof bytes);
    kw_err e = kw_login_run(s->context.config, s->token, KW_LOGIN_LOOK, evidence_sign_ask,
                            s->signing, note);
    if (!kw_failed(e))
        e = evidence_sign_verify(s->signing, &der, note);
    return kw_failed(e) ? e : kw_file_replace(s->path, kw_dst_span(&der), 0600, note);
}

static void evidence_sign_next(const struct evidence_sign *s, struct kw_commands *next)
{
    char manifest[KW_PATH_MAX + sizeof KW_BUNDLE_MANIFEST];
    snprintf(manifest, sizeof manifest, "%s/" KW_BUNDLE_MANIFEST, s->dir);
    kw_commands_when(next, "with your own copy of the public key (" KW_BUNDLE_VERIFY
                           " has the rest):");
    kw_commands_command(next, (const char *const[]){"openssl", "dgst", "-sha256",
                                                    "-verify", "audit.pem", "-signature",
                                                    s->path, manifest, NULL});
}

static int evidence_sign_report(const struct evidence_sign *s)
{
    struct kw_commands next = {.len = 0};
    uint8_t sha256[KW_SHA256];
    char manifest[2 * KW_SHA256 + 1];
    const struct kw_config *config = s->context.config;
    const kw_err e = kw_bundle_hash(s->signing->manifest, sha256);
    if (kw_failed(e))
        return kw_fail(s->cli, e, NULL);
    kw_hex(manifest, sizeof manifest, kw_span_of(sha256, sizeof sha256));
    evidence_sign_next(s, &next);
    if (!s->cli->json)
        printf("signed    %s, which lists %zu files; SHA-256 %s\n"
               "by        %s in token %s; SHA-256 of its public half %s\n"
               "proven    the signature verifies\n"
               "written   %s\n",
               KW_BUNDLE_MANIFEST, s->bundle.files, manifest, config->audit_key_label,
               s->token->name, config->audit_key_sha256, s->path);
    return kw_done(s->cli,
                   json_pack("{s:b, s:s, s:s, s:I, s:s, s:s, s:s}", "ok", 1, "folder",
                             s->dir, "path", s->path, "files",
                             (json_int_t)s->bundle.files, "manifest_sha256", manifest,
                             "label", config->audit_key_label, "sha256",
                             config->audit_key_sha256),
                   next.text, KW_EXIT_GOOD);
}

/* ---- the whole ---- */

static int evidence_sign_perform(struct evidence_sign *s)
{
    struct kw_note note = {{0}};
    struct kw_operator_act noted = {s->cli, s->context.config, "evidence-sign",
                                    .ticket = s->ticket};
    kw_err e = evidence_sign_prepare(s, &note);
    if (kw_failed(e))
        return kw_fail(s->cli, e, &note);
    int code = kw_operator_begin(&noted);
    if (code >= 0)
        return code;
    e = evidence_sign_make(s, &note);
    kw_operator_end(&noted, e);
    code = kw_failed(e) ? kw_fail(s->cli, e, &note) : evidence_sign_report(s);
    return kw_operator_code(&noted, code);
}

/* A module is loaded on the configuration's word; the keyring is not used. */
static int evidence_sign_run(struct evidence_sign *s)
{
    struct kw_note note = {{0}};
    const kw_err e = kw_context_open(s->cli, &s->context, &note);
    int code = kw_failed(e) ? kw_fail(s->cli, e, &note)
                            : kw_context_remembers(s->cli, &s->context);
    if (code < 0 && s->context.doubts_config)
        code = kw_context_trusts(s->cli, &s->context);
    if (code < 0)
        code = evidence_sign_perform(s);
    kw_blob_wipe(&s->bundle.manifest);
    kw_context_close(&s->context);
    return code;
}

/* ---- the verb ---- */

int kw_verb_evidence_sign(int argc, char **argv)
{
    struct kw_cli cli;
    struct evidence_sign s = {.cli = &cli};
    const struct kw_option options[] = {
        {"token", "NAME",
         "which token of the configuration has the key (default the first)", NULL,
         &s.token_name},
        KW_OPERATOR_TICKET(&s.ticket),
    };
    const struct kw_usage usage = {
        .verb = "evidence sign",
        .operands = "DIR",
        .operand_count = 1,
        .summary =
            "Signs a bundle of evidence with the audit log's key (audit.key), inside the "
            "token: one\nlogin, and one signature of DIR/manifest.json, written to "
            "DIR/manifest.sig.  A bundle\nthat is not as its manifest says, or that is "
            "signed already, is refused.",
        .exits =
            "0 signed, and the signature verifies, 1 refused, 2 wrong usage, 3 could not "
            "look, write or put on record",
        .more = "Run it as root or the daemon's user, on a node whose configuration has "
                "audit.key.  Give the\nauditor audit.pem and its SHA-256 by another way "
                "than the "
                "bundle; VERIFY.txt in it says\nhow it is verified without keyward.",
        .options = options,
        .option_count = sizeof options / sizeof options[0],
        .logs_in = true,
    };
    int code = kw_cli_read(&usage, argc, argv, &cli);
    if (code < 0)
        code = kw_operator_ticket(usage.verb, s.ticket);
    if (code < 0 && cli.operand[0][0] == '\0')
        code = kw_usage_error(usage.verb, "DIR: the folder of a bundle");
    if (code >= 0)
        return code;
    s.dir = cli.operand[0];
    s.signing = kw_shared_new(sizeof *s.signing);
    if (s.signing == NULL)
        return kw_fail(&cli, kw_err_at(KW_CODE_NO_MEMORY, "mmap"), NULL);
    code = evidence_sign_run(&s);
    kw_shared_free(s.signing, sizeof *s.signing);
    return code;
}
