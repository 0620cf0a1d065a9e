/* SPDX-License-Identifier: Apache-2.0 */
/* keyward key create - a new KEK version, from the plan to the keyring */
#include "cli.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "ceremony.h"
#include "desk.h"
#include "softhsm.h"

struct choices {
    const char *operator_, *token, *adopt, *same_key_as;
    bool destroyable, copyable, dry_run;
    uint32_t same_n; /* --same-key-as; 0 = a new key */
};

static kw_err find_token(const struct kw_config *config, const char *name,
                         const struct kw_config_token **ret_token, struct kw_note *note)
{
    for (size_t i = 0; i < config->token_count; i++)
        if (name == NULL || strcmp(config->tokens[i].name, name) == 0) {
            *ret_token = &config->tokens[i];
            return KW_OK;
        }
    kw_note_set(note, "the configuration has no token '%s'", name != NULL ? name : "");
    return kw_err_at(KW_CODE_MISSING, "--token");
}

/* A ceremony that stopped before the keyring was written: its object is in the token. */
static kw_err plan_adoption(const struct kw_desk *desk, const char *key_id,
                            struct kw_version *v, struct kw_note *note)
{
    if (!kw_key_id_parse(kw_span_str(key_id), &v->n)) {
        kw_note_set(note, "--adopt wants a key_id as key create printed it (kw1-N-…)");
        return kw_err_at(KW_CODE_BAD_INPUT, "--adopt");
    }
    if (desk->ring != NULL && kw_keyring_by_n(desk->ring, v->n) != NULL) {
        kw_note_set(note, "%s has a version %u already; that key_id cannot be added",
                    desk->config->keyring, (unsigned)v->n);
        return kw_err_at(KW_CODE_BAD_INPUT, "--adopt");
    }
    kw_copy_str(v->key_id, sizeof v->key_id, kw_span_str(key_id));
    kw_copy_str(v->objects[0].label, sizeof v->objects[0].label, kw_span_str(key_id));
    snprintf(v->origin, sizeof v->origin, KW_ORIGIN_UNPROVEN "%s, %s", v->operator_,
             v->created);
    return KW_OK;
}

/* No new key: the object of an earlier version, under a key_id of its own. */
static kw_err plan_same_key(const struct kw_desk *desk, uint32_t n, struct kw_version *v,
                            struct kw_note *note)
{
    const struct kw_version *of = NULL;
    kw_err e = kw_desk_version(desk, n, &of, note);
    if (kw_failed(e))
        return e;
    if (of->state == KW_KEY_DESTROYED || of->state == KW_KEY_UNKNOWN) {
        kw_note_set(note, "version %u is %s: its key cannot be used", (unsigned)n,
                    kw_key_state_name(of->state));
        return kw_err_at(KW_CODE_DENIED, "--same-key-as");
    }
    v->same_key_as = n;
    v->objects[0] = of->objects[0];
    v->want_destroyable = of->want_destroyable;
    v->want_copyable = of->want_copyable;
    return KW_OK;
}

static kw_err plan_new(const struct kw_desk *desk, const struct choices *c,
                       struct kw_version *v, struct kw_note *note)
{
    v->n = desk->ring != NULL ? desk->ring->next_n : 1;
    if (v->n > KW_VERSION_N_MAX ||
        (desk->ring != NULL && desk->ring->count >= KW_VERSIONS_MAX)) {
        kw_note_set(note, "%s is full: it holds %u versions", desk->config->keyring,
                    KW_VERSIONS_MAX);
        return kw_err_at(KW_CODE_BUSY, "keyring");
    }
    kw_key_id_make(v->n, v->key_id);
    if (c->same_n != 0)
        return plan_same_key(desk, c->same_n, v, note);
    kw_copy_str(v->objects[0].label, sizeof v->objects[0].label, kw_span_str(v->key_id));
    v->objects[0].locator_len = KW_NEW_LOCATOR;
    kw_locator_make(desk->config->domain, v->key_id, v->objects[0].locator);
    kw_copy_str(v->origin, sizeof v->origin, kw_span_str("made"));
    return KW_OK;
}

static kw_err plan(const struct kw_desk *desk, const struct choices *c,
                   struct kw_ceremony *job, struct kw_note *note)
{
    struct kw_version *v = &job->v;
    *v = (struct kw_version){.mechanism = KW_MECH_AES_256_GCM,
                             .format = KW_FORMAT_1,
                             .state = KW_KEY_CREATED,
                             .object_count = 1,
                             .want_destroyable = c->destroyable,
                             .want_copyable = c->copyable};
    job->adopt = c->adopt != NULL;
    kw_copy_str(job->domain, sizeof job->domain, kw_span_str(desk->config->domain));
    kw_time_text(v->created, kw_wall_ns(&kw_clock_system));
    snprintf(v->tool, sizeof v->tool, "keyward %s", KW_VERSION);
    kw_err e = kw_operator_name(c->operator_, v->operator_, note);
    if (kw_failed(e))
        return e;
    v->objects[0].role = KW_ROLE_KEK;
    kw_copy_str(v->objects[0].type, sizeof v->objects[0].type,
                kw_span_str(KW_TYPE_AES_256));
    return job->adopt ? plan_adoption(desk, c->adopt, v, note)
                      : plan_new(desk, c, v, note);
}

static void print_plan(const struct kw_desk *desk, const struct kw_config_token *token,
                       const struct kw_ceremony *job)
{
    char locator[2 * KW_LOCATOR_MAX + 1];
    const struct kw_version *v = &job->v;
    kw_hex(locator, sizeof locator,
           kw_span_of(v->objects[0].locator, v->objects[0].locator_len));
    printf("plan      %s version %u of domain %s\n"
           "token     %s (%s)\n"
           "module    %s\n"
           "key_id    %s\n"
           "CKA_LABEL %s\n"
           "CKA_ID    %s\n"
           "key       AES-256, %s; sensitive, not extractable; encrypt and decrypt only\n"
           "choices   %s, %s\n"
           "operator  %s\n"
           "keyring   %s\n",
           job->adopt ? "adopt" : "create", (unsigned)v->n, job->domain, token->name,
           token->uri, token->module, v->key_id, v->objects[0].label,
           v->objects[0].locator_len > 0 ? locator : "(whatever it has)",
           v->same_key_as != 0 ? "the one of an earlier version"
           : job->adopt        ? "found in the token"
                               : "made in the token",
           v->want_destroyable ? "destroyable" : "not destroyable (by PKCS#11)",
           v->want_copyable ? "copyable" : "not copyable", v->operator_,
           desk->config->keyring);
    fflush(stdout);
}

/* The end of a dry run: its key_id is not that of a later ceremony. */
static int report_plan(const struct kw_cli *cli, const struct kw_config_token *token,
                       const struct kw_ceremony *job)
{
    if (!cli->json)
        return KW_EXIT_GOOD;
    return kw_json_out(json_pack("{s:b, s:b, s:i, s:s, s:s, s:b, s:b}", "ok", 1,
                                 "dry_run", 1, "n", (int)job->v.n, "token", token->name,
                                 "operator", job->v.operator_, "destroyable",
                                 job->v.want_destroyable, "copyable",
                                 job->v.want_copyable),
                       KW_EXIT_GOOD);
}

/* Better now than after the key was made. */
static kw_err keyring_writable(const char *path, struct kw_note *note)
{
    char folder[KW_PATH_MAX];
    const char *slash = strrchr(path, '/');
    size_t len = slash == NULL || slash == path ? 1 : (size_t)(slash - path);
    kw_copy_str(folder, sizeof folder, kw_span_of(slash != NULL ? path : ".", len));
    if (access(folder, W_OK) == 0)
        return KW_OK;
    int saved = errno;
    kw_note_set(note, "%s: the keyring's folder cannot be written: %s; no key was made",
                folder, strerror(saved));
    return kw_err_native(KW_CODE_DENIED, (uint32_t)saved, "keyring");
}

static void explain_orphan(const struct kw_cli *cli, const struct kw_config_token *token,
                           const struct kw_version *v)
{
    const char *conf = kw_softhsm_conf(token);
    fprintf(stderr,
            "keyward: the object with CKA_LABEL %s is in token %s, and in no keyring; "
            "nothing uses it.\n"
            "  to finish:    keyward key create --config %s --adopt %s\n"
            "  to remove it: %s%s%spkcs11-tool --module %s --token-label %s --login "
            "--delete-object --type secrkey --label %s%s\n",
            v->key_id, token->name, cli->config, v->key_id,
            conf != NULL ? "SOFTHSM2_CONF=" : "", conf != NULL ? conf : "",
            conf != NULL ? " " : "", token->module, v->token.label, v->key_id,
            v->want_destroyable ? ""
                                : " (it is not destroyable by PKCS#11: the HSM's own "
                                  "administration must do it)");
}

static kw_err write_ring(const struct kw_desk *desk, const struct kw_ceremony *job,
                         struct kw_note *note)
{
    struct kw_keyring *ring = NULL;
    struct kw_act_facts facts;
    kw_err e = kw_desk_facts(job->v.operator_, &facts, note);
    if (!kw_failed(e))
        e = desk->ring != NULL ? kw_keyring_dup(desk->ring, &ring)
                               : kw_keyring_new(desk->config->domain, &ring);
    if (kw_failed(e))
        return e;
    kw_copy_str(facts.proof, sizeof facts.proof, kw_span_str(job->v.origin));
    e = kw_act_add(ring, job->adopt ? KW_ACT_ADOPT : KW_ACT_CREATE, &job->v, &facts);
    if (!kw_failed(e))
        e = kw_desk_save(desk, ring, note);
    kw_keyring_give(ring);
    return e;
}

static int report(const struct kw_cli *cli, const struct kw_ceremony *job)
{
    const struct kw_version *v = &job->v;
    if (cli->json)
        return kw_json_out(json_pack("{s:b, s:i, s:s, s:s, s:s, s:s, s:s}", "ok", 1, "n",
                                     (int)v->n, "key_id", v->key_id, "state",
                                     kw_key_state_name(v->state), "token_serial",
                                     v->token.serial, "dropped", job->dropped, "remarks",
                                     job->remarks.text),
                           KW_EXIT_GOOD);
    printf("%s in token %s, serial %s; attributes read back and judged good\n",
           v->same_key_as != 0 ? "found    " : "made     ", v->token.label,
           v->token.serial);
    if (job->dropped[0] != '\0')
        printf("left out  the token does not know: %s\n", job->dropped);
    if (job->remarks.text[0] != '\0')
        printf("remarks   %s\n", job->remarks.text);
    printf("proven    the check text was sealed and opened\n"
           "key_id %s\n"
           "next: keyward key accept %u, here, where the keyring is changed\n",
           v->key_id, (unsigned)v->n);
    return fflush(stdout) == 0 ? KW_EXIT_GOOD : KW_EXIT_BLIND;
}

static int perform(const struct kw_cli *cli, const struct kw_desk *desk,
                   const struct kw_config_token *token, struct kw_ceremony *job)
{
    struct kw_note note = {{0}};
    int code = kw_desk_may(cli, desk, job->adopt ? KW_ACT_ADOPT : KW_ACT_CREATE, 0);
    if (code >= 0)
        return code;
    kw_err e = keyring_writable(desk->config->keyring, &note);
    if (!kw_failed(e))
        e = kw_ceremony_run(desk->config, token, job, &note);
    if (!kw_failed(e))
        e = write_ring(desk, job, &note);
    if (!kw_failed(e))
        return report(cli, job);
    if (job->made)
        explain_orphan(cli, token, &job->v);
    return kw_fail(cli, e, &note);
}

static int run(const struct kw_cli *cli, const struct choices *c, struct kw_ceremony *job)
{
    struct kw_desk desk = {0};
    struct kw_note note = {{0}};
    const struct kw_config_token *token = NULL;
    kw_err e = kw_desk_open(cli, &desk, &note);
    if (!kw_failed(e))
        e = find_token(desk.config, c->token, &token, &note);
    if (!kw_failed(e))
        e = plan(&desk, c, job, &note);
    int code;
    if (kw_failed(e)) {
        code = kw_fail(cli, e, &note);
    } else {
        if (!cli->json)
            print_plan(&desk, token, job);
        code =
            c->dry_run ? report_plan(cli, token, job) : perform(cli, &desk, token, job);
    }
    kw_desk_close(&desk);
    return code;
}

/* -1 to go on. */
static int same_key_choice(struct choices *c)
{
    if (c->adopt != NULL || c->destroyable || c->copyable)
        return kw_usage_error("key create", "--same-key-as takes a key as it is: it goes "
                                            "with no --adopt, --destroyable, --copyable");
    return kw_args_number("key create", c->same_key_as, &c->same_n);
}

int kw_verb_create(int argc, char **argv)
{
    struct choices c = {0};
    struct kw_cli cli;
    const struct kw_option options[] = {
        {"operator", "NAME", "who does this (default: your login)", NULL, &c.operator_},
        {"token", "NAME", "which token of the configuration (default the first)", NULL,
         &c.token},
        {"destroyable", NULL, "the object may be destroyed by PKCS#11", &c.destroyable,
         NULL},
        {"copyable", NULL, "the object may be copied inside the token", &c.copyable,
         NULL},
        {"adopt", "KEY_ID", "finish a ceremony that made this object and then stopped",
         NULL, &c.adopt},
        {"same-key-as", "N", "no new key: version N's, under a new key_id", NULL,
         &c.same_key_as},
        {"dry-run", NULL, "print the plan and stop", &c.dry_run, NULL},
    };
    const struct kw_usage usage = {
        .verb = "key create",
        .operands = "",
        .summary =
            "Makes a KEK version inside the token, reads its attributes back, proves "
            "it\nwith a check text, and adds it to the keyring in state created.",
        .options = options,
        .option_count = sizeof options / sizeof options[0],
    };
    int code = kw_args_read(&usage, argc, argv, &cli);
    if (code < 0 && c.same_key_as != NULL)
        code = same_key_choice(&c);
    if (code >= 0)
        return code;
    struct kw_ceremony *job = kw_shared_new(sizeof *job);
    if (job == NULL)
        return kw_fail(&cli, kw_err_at(KW_CODE_NO_MEMORY, "mmap"), NULL);
    code = run(&cli, &c, job);
    kw_shared_free(job, sizeof *job);
    return code;
}
