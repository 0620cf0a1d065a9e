/* SPDX-License-Identifier: Apache-2.0 */
/* keyward key create - a new KEK version, from the plan to the keyring */
#include "cli.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "create.h"
#include "next.h"
#include "operator_log.h"
#include "rehearse.h"

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

static int report_rehearsal(const struct kw_create *c, const struct kw_rehearsal *r)
{
    const struct kw_token_facts *f = &r->facts;
    const struct kw_version *v = &c->job->v;
    if (!c->cli->json) {
        kw_rehearse_print(r);
        return fflush(stdout) == 0 ? KW_EXIT_GOOD : KW_EXIT_BLIND;
    }
    return kw_json_out(
        json_pack("{s:b, s:b, s:i, s:s, s:s, s:b, s:b, s:s, s:s, s:b, s:o}", "ok", 1,
                  "dry_run", 1, "n", (int)v->n, "token", c->token->name, "operator",
                  v->operator_, "destroyable", v->want_destroyable, "copyable",
                  v->want_copyable, "token_label", f->label, "token_serial", f->serial,
                  "self_test", 1, "private_free_bytes",
                  f->private_free_bytes == KW_TOKEN_NOT_TOLD
                      ? json_null()
                      : json_integer((json_int_t)f->private_free_bytes)),
        KW_EXIT_GOOD);
}

/* All but the key; its key_id is not that of a later ceremony, so it is not shown. */
static int key_create_rehearse(const struct kw_create *c)
{
    struct kw_note note = {{0}};
    const struct kw_object *o = &c->job->v.objects[0];
    struct kw_rehearsal *r = kw_shared_new(sizeof *r);
    if (r == NULL)
        return kw_fail(c->cli, kw_err_at(KW_CODE_NO_MEMORY, "mmap"), NULL);
    kw_copy_str(r->label, sizeof r->label, kw_span_str(o->label));
    kw_copy(r->locator, sizeof r->locator, kw_span_of(o->locator, o->locator_len));
    r->locator_len = o->locator_len;
    r->is_there = c->job->adopt || c->job->v.same_key_as != 0;
    kw_err e = keyring_writable(c->context.config->keyring, &note);
    if (!kw_failed(e))
        e = kw_rehearse(c->context.config, c->token, r, &note);
    int code = kw_failed(e) ? kw_fail(c->cli, e, &note) : report_rehearsal(c, r);
    kw_shared_free(r, sizeof *r);
    return code;
}

static kw_err write_ring(struct kw_create *c, struct kw_note *note)
{
    enum kw_act act = c->job->adopt ? KW_ACT_ADOPT : KW_ACT_CREATE;
    if (!c->job->adopt)
        kw_copy_str(c->facts.proof, sizeof c->facts.proof, kw_span_str(c->job->v.origin));
    kw_err e = kw_act_add(c->ring, act, &c->job->v, &c->facts);
    return kw_failed(e) ? e : kw_context_save(&c->context, c->ring, note);
}

static json_t *names_json(const struct kw_beside_names *names)
{
    json_t *array = json_array();
    for (size_t i = 0; i < names->count && i < KW_BESIDE_NAMED; i++)
        json_array_append_new(array, json_string(names->name[i]));
    return array;
}

static void print_beside(const char *what, const struct kw_beside_names *names)
{
    char text[512];
    kw_beside_text(names, text);
    if (names->count > 0)
        printf("beside    keys %s: %s\n", what, text);
}

static json_t *document(const struct kw_create *c, const struct kw_judgement *after)
{
    const struct kw_version *v = &c->job->v;
    bool refused = after->refusal != KW_ADMITTED;
    return json_pack(
        "{s:b, s:i, s:s, s:s, s:s, s:s, s:s, s:s, s:s?, s:o, s:o}", "ok", 1, "n",
        (int)v->n, "key_id", v->key_id, "state", kw_key_state_name(v->state), "origin",
        v->origin, "token_serial", c->job->token_serial, "dropped", c->job->dropped,
        "remarks", c->job->remarks.text, "refused_here", refused ? after->why.text : NULL,
        "unknown_here", names_json(&c->job->beside.unknown), "others",
        names_json(&c->job->beside.others));
}

/* An adopted key may not be the last one that is missing. */
static void what_next(const struct kw_create *c, const struct kw_judgement *after,
                      struct kw_commands *next)
{
    const struct kw_version *v = &c->job->v;
    char config[KW_CLI_CONFIG_MAX];
    kw_cli_config(c->cli, config, sizeof config);
    if (c->adopt != NULL && after->refusal == KW_REFUSED_LOST) {
        kw_adopt_next(c, next);
    } else if (after->refusal != KW_ADMITTED) {
        kw_next_cure(after->cure, config, next);
    } else if (v->state == KW_KEY_CREATED) {
        kw_commands_add(next, "# here, where the keyring is changed:");
        kw_commands_add(next, "keyward key accept %u%s", (unsigned)v->n, config);
    } else {
        kw_next_hand_out(next, c->context.config->keyring);
    }
}

static int key_create_report(const struct kw_create *c)
{
    static struct kw_commands next;
    struct kw_judgement after;
    const struct kw_version *v = &c->job->v;
    kw_create_judge(c, c->ring, &after);
    what_next(c, &after, &next);
    if (c->cli->json)
        return kw_done(c->cli, document(c, &after), next.text, KW_EXIT_GOOD);
    bool there = c->job->adopt || v->same_key_as != 0;
    printf("%s in token %s, serial %s; attributes read back and judged good\n",
           there ? "found    " : "made     ", c->job->token_label, c->job->token_serial);
    if (c->job->dropped[0] != '\0')
        printf("left out  the token does not know: %s\n", c->job->dropped);
    if (c->job->remarks.text[0] != '\0')
        printf("remarks   %s\n", c->job->remarks.text);
    print_beside("of this domain that the keyring does not know",
                 &c->job->beside.unknown);
    print_beside("of other domains", &c->job->beside.others);
    if (c->job->adopt)
        printf("origin    %s\n", v->origin);
    if (c->job->proof != KW_PROOF_CHECK_BLOB)
        puts("proven    the check text was sealed and opened");
    printf("key_id %s\n", v->key_id);
    if (after.refusal != KW_ADMITTED)
        printf("this node does not take the keyring yet: %s\n", after.why.text);
    return kw_done(c->cli, NULL, next.text, KW_EXIT_GOOD);
}

static int key_create_perform(struct kw_create *c)
{
    struct kw_note note = {{0}};
    struct kw_operator_act noted = {c->cli, c->context.config, "key-create",
                                    c->job->v.key_id, c->ticket};
    kw_err e = keyring_writable(c->context.config->keyring, &note);
    if (kw_failed(e))
        return kw_create_failed(c, e, &note);
    int code = kw_operator_begin(&noted);
    if (code >= 0)
        return code;
    e = kw_ceremony_run(c->context.config, c->token, c->job, &note);
    if (!kw_failed(e))
        e = write_ring(c, &note);
    kw_operator_end(&noted, e);
    code = kw_failed(e) ? kw_create_failed(c, e, &note) : key_create_report(c);
    return kw_operator_code(&noted, code);
}

static int key_create_run(struct kw_create *c)
{
    struct kw_note note = {{0}};
    kw_err e = kw_context_open(c->cli, &c->context, &note);
    if (kw_failed(e))
        return kw_fail(c->cli, e, &note);
    enum kw_act act = c->adopt != NULL ? KW_ACT_ADOPT : KW_ACT_CREATE;
    int code = kw_context_may(c->cli, &c->context, act, 0);
    if (code < 0)
        code = kw_create_plan(c);
    if (code < 0 && !c->cli->json)
        kw_create_print_plan(c);
    if (code < 0)
        code = c->dry_run ? key_create_rehearse(c) : key_create_perform(c);
    kw_keyring_give(c->ring);
    kw_keyring_give(c->backup);
    kw_context_close(&c->context);
    return code;
}

/* Words that do not go together.  -1 to go on. */
static int judge_words(struct kw_create *c)
{
    if (c->same_key_as != NULL && (c->destroyable || c->copyable))
        return kw_usage_error("key create", "--same-key-as takes a key as it is: it goes "
                                            "with no --destroyable, --copyable");
    if (c->adopt == NULL &&
        (c->backup_path != NULL || c->sample_path != NULL || c->unproven))
        return kw_usage_error("key create",
                              "--keyring-backup, --sample and --unproven go "
                              "with --adopt KEY_ID");
    if (c->sample_path != NULL && c->unproven)
        return kw_usage_error("key create", "--sample and --unproven exclude each other");
    return c->same_key_as != NULL
               ? kw_cli_version_n("key create", c->same_key_as, &c->same_n)
               : -1;
}

int kw_verb_create(int argc, char **argv)
{
    struct kw_cli cli;
    struct kw_create c = {.cli = &cli};
    const struct kw_option options[] = {
        {"operator", "NAME", "who does this (default: your login)", NULL, &c.operator_},
        {"token", "NAME", "which token of the configuration (default the first)", NULL,
         &c.token_name},
        {"destroyable", NULL, "the object may be destroyed by PKCS#11", &c.destroyable,
         NULL},
        {"copyable", NULL, "the object may be copied inside the token", &c.copyable,
         NULL},
        {"adopt", "KEY_ID",
         "no new key: the object with this CKA_LABEL, whose ceremony stopped half way, "
         "or "
         "whose keyring is lost",
         NULL, &c.adopt},
        {"keyring-backup", "FILE",
         "with --adopt: a keyring that has this key_id; its check blob must open", NULL,
         &c.backup_path},
        {"sample", "FILE",
         "with --adopt: what keyward probe --sample wrote; it must open", NULL,
         &c.sample_path},
        {"unproven", NULL,
         "with --adopt: nothing shows that it is the old key; every report says so",
         &c.unproven, NULL},
        {"same-key-as", "N", "no new key: version N's, under a new key_id", NULL,
         &c.same_key_as},
        {"beside-others", NULL,
         "though the token holds keys of this domain that the keyring does not know",
         &c.beside_others, NULL},
        {"dry-run", NULL, "everything but the key: plan, login, self-test, room, names",
         &c.dry_run, NULL},
        KW_OPERATOR_TICKET(&c.ticket),
    };
    const struct kw_usage usage = {
        .verb = "key create",
        .operands = "",
        .summary =
            "Makes a KEK version inside the token, reads its attributes back, proves "
            "it\nwith a check text, and adds it to the keyring in state created.",
        .options = options,
        .option_count = sizeof options / sizeof options[0],
        .logs_in = true,
    };
    int code = kw_cli_read(&usage, argc, argv, &cli);
    if (code < 0)
        code = judge_words(&c);
    if (code < 0)
        code = kw_operator_ticket(usage.verb, c.ticket);
    if (code >= 0)
        return code;
    c.job = kw_shared_new(sizeof *c.job);
    if (c.job == NULL)
        return kw_fail(&cli, kw_err_at(KW_CODE_NO_MEMORY, "mmap"), NULL);
    code = key_create_run(&c);
    kw_shared_free(c.job, sizeof *c.job);
    return code;
}
