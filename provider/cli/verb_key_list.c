/* SPDX-License-Identifier: Apache-2.0 */
/* keyward key list, keyward key show - the versions as keyring and node see them */
#include "cli.h"

#include <stdio.h>
#include <string.h>

#include "context.h"
#include "gone.h"
#include "next.h"
#include "trusted.h"
#include "version.h"

/* keywardd will not read what was read here. */
static bool is_doubted(const struct kw_context *d)
{
    return d->doubt.text[0] != '\0';
}

/* The way out of a refusal, as the words have it. */
static json_t *way_out(const struct kw_cli *cli, const struct kw_context *d)
{
    char config[KW_CLI_CONFIG_MAX];
    struct kw_commands next = {.len = 0};
    if (is_doubted(d))
        return kw_trusted_next(d->doubts_config ? NULL : d->config->keyring);
    kw_cli_config(cli, config, sizeof config);
    kw_next_cure(d->judgement.cure, config, &next);
    return kw_next_json(next.text);
}

static int list_json(const struct kw_cli *cli, const struct kw_context *d)
{
    json_t *versions = json_array();
    for (size_t i = 0; d->ring != NULL && i < d->ring->count; i++)
        if (json_array_append_new(versions, kw_version_json(d, &d->ring->versions[i])) !=
            0) {
            json_decref(versions);
            return kw_json_out(NULL, KW_EXIT_BLIND);
        }
    bool refused = is_doubted(d) || d->judgement.refusal != KW_ADMITTED;
    const char *why = is_doubted(d) ? d->doubt.text
                      : refused     ? d->judgement.why.text
                                    : NULL;
    return kw_json_out(
        json_pack("{s:b, s:s, s:s, s:I, s:i, s:o, s:s?, s:s?, s:o, s:o}", "ok", !refused,
                  "domain", d->config->domain, "keyring", d->config->keyring, "serial",
                  d->ring != NULL ? (json_int_t)d->ring->serial : 0, "baseline",
                  d->ring != NULL ? (int)d->ring->active : 0, "active_here",
                  !kw_failed(d->state_err) ? json_integer(d->judgement.active)
                                           : json_null(),
                  "refused_here", why, "state_unknown",
                  kw_failed(d->state_err) ? d->state_why.text : NULL, "versions",
                  versions, "next", way_out(cli, d)),
        refused ? KW_EXIT_PROBLEM : KW_EXIT_GOOD);
}

static void print_line(const struct kw_cli *cli, const struct kw_context *d,
                       const struct kw_version *v)
{
    char age[16], hash[KW_KEY_ID_HASH];
    bool here = kw_context_active(d) == v->n;
    enum kw_tint tint = here                           ? KW_TINT_GOOD
                        : v->state == KW_KEY_DISABLED  ? KW_TINT_WARN
                        : v->state == KW_KEY_DESTROYED ? KW_TINT_DIM
                                                       : KW_TINT_OFF;
    kw_age_text(age, kw_version_since(v), kw_wall_ns(&kw_clock_system));
    printf("%s%4u  %-9s  %5s  %-35s  %-16s%s%s%s%s\n", kw_tint(cli, tint), (unsigned)v->n,
           kw_key_state_name(v->state), age, v->key_id, v->token.serial,
           d->ring->active == v->n ? "  baseline" : "", here ? "  active here" : "",
           kw_version_unproven(v) ? "  UNPROVEN" : "", kw_tint(cli, KW_TINT_OFF));
    kw_version_hash(v, hash);
    printf("%4s  %s\n", "", hash);
}

static int key_list_print_list(const struct kw_cli *cli, const struct kw_context *d)
{
    char config[KW_CLI_CONFIG_MAX];
    struct kw_commands next = {.len = 0};
    if (d->ring == NULL && d->judgement.refusal != KW_ADMITTED)
        return kw_context_refuse(cli, d);
    if (d->ring == NULL) {
        kw_cli_config(cli, config, sizeof config);
        kw_commands_add(&next, "# it makes the first version:");
        kw_commands_add(&next, "keyward key create%s", config);
        printf("no keyring yet: %s\n", d->config->keyring);
        return kw_done(cli, NULL, next.text, KW_EXIT_GOOD);
    }
    printf("domain %s, keyring %s, serial %llu\n", d->config->domain, d->config->keyring,
           (unsigned long long)d->ring->serial);
    printf("%4s  %-9s  %5s  %-35s  %s\n", "n", "state", "for", "key_id", "token serial");
    for (size_t i = 0; i < d->ring->count; i++)
        print_line(cli, d, &d->ring->versions[i]);
    fflush(stdout);
    if (kw_failed(d->state_err))
        fprintf(stderr, "keyward: what this node has active is not known: %s\n",
                d->state_why.text);
    int code = kw_context_trusts(cli, d);
    if (code < 0 && d->judgement.refusal != KW_ADMITTED)
        code = kw_context_refuse(cli, d);
    return code < 0 ? KW_EXIT_GOOD : code;
}

int kw_verb_list(int argc, char **argv)
{
    struct kw_cli cli;
    struct kw_context context = {0};
    struct kw_note note = {{0}};
    const struct kw_usage usage = {
        .verb = "key list",
        .operands = "",
        .summary =
            "All KEK versions: state, how long in it, key_id, token; which one is the\n"
            "cluster's baseline and which one this node wraps with; below each its "
            "key_id's\n"
            "hash, which is all that kube-apiserver's metrics say of it.",
    };
    int code = kw_cli_read(&usage, argc, argv, &cli);
    if (code >= 0)
        return code;
    kw_err e = kw_context_open(&cli, &context, &note);
    if (kw_failed(e))
        code = kw_fail(&cli, e, &note);
    else
        code = cli.json ? list_json(&cli, &context) : key_list_print_list(&cli, &context);
    kw_context_close(&context);
    return code;
}

static void print_time(const char *name, const char *time)
{
    if (time[0] != '\0')
        printf("%-14s %s\n", name, time);
}

static void print_attributes(const struct kw_key_attributes *attributes)
{
    static const char *const words[] = {[KW_ANSWER_FALSE] = "false",
                                        [KW_ANSWER_TRUE] = "true",
                                        [KW_ANSWER_NONE] = "not answered"};
    for (size_t i = 0; i < kw_attribute_fields_count; i++) {
        const struct kw_attribute_field *f = &kw_attribute_fields[i];
        const enum kw_answer *a = (const void *)((const char *)attributes + f->offset);
        printf("  %-22s %s\n", f->name, words[*a]);
    }
    printf("  %-22s %u bytes\n", "CKA_VALUE_LEN", (unsigned)attributes->value_len);
}

static void print_token(const struct kw_object_token *t)
{
    printf("  in token     %s, serial %s: %s%s%s%s\n", t->label, t->serial,
           t->gone[0] != '\0'     ? "gone, "
           : t->proven[0] != '\0' ? "opened the check blob "
                                  : "not proven",
           t->gone[0] != '\0' ? t->gone : t->proven,
           t->gone[0] != '\0' && t->proven[0] != '\0' ? "; had opened the check blob "
                                                      : "",
           t->gone[0] != '\0' ? t->proven : "");
}

static void print_object(const struct kw_object *o)
{
    char locator[2 * KW_LOCATOR_MAX + 1];
    kw_hex(locator, sizeof locator, kw_span_of(o->locator, o->locator_len));
    printf("object         %s, %s, CKA_LABEL %s, CKA_ID %s\n",
           kw_object_role_name(o->role), o->type, o->label,
           locator[0] != '\0' ? locator : "(any)");
    for (size_t i = 0; i < o->token_count; i++)
        print_token(&o->tokens[i]);
    printf("attributes as read back at the ceremony\n");
    print_attributes(&o->attributes);
}

static void key_list_print_gone(const struct kw_context *d, const struct kw_version *v)
{
    char words[KW_GONE_WORDS_MAX];
    kw_gone_words(d->ring, v, words);
    puts(words);
}

/* Who did what to it, and what was seen or said then. */
static void key_list_print_history(const struct kw_context *d, const struct kw_version *v)
{
    for (size_t i = 0; i < d->ring->history_count; i++) {
        const struct kw_history *h = &d->ring->history[i];
        if (h->n == v->n)
            printf("history        serial %llu, %s, %s%s%s%s%s\n",
                   (unsigned long long)h->serial, h->act, h->at,
                   h->by[0] != '\0' ? " by " : "", h->by, h->proof[0] != '\0' ? ": " : "",
                   h->proof);
    }
}

static void print_version(const struct kw_context *d, const struct kw_version *v)
{
    char hash[KW_KEY_ID_HASH];
    KW_INVARIANT(d->ring != NULL); /* v is one of it */
    kw_version_hash(v, hash);
    printf("version        %u\nkey_id         %s\n               %s\nstate          "
           "%s%s%s\nmechanism      %s\n",
           (unsigned)v->n, v->key_id, hash, kw_key_state_name(v->state),
           d->ring->active == v->n ? ", baseline" : "",
           kw_context_active(d) == v->n ? ", active here" : "",
           kw_mechanism_name(v->mechanism));
    print_time("created", v->created);
    print_time("accepted", v->accepted);
    print_time("activated", v->activated);
    print_time("retired", v->retired);
    print_time("disabled", v->disabled);
    print_time("destroyed", v->destroyed);
    printf("operator       %s\ntool           %s\n", v->operator_, v->tool);
    printf("token          %s, serial %s, %s %s, firmware %s\n", v->token.label,
           v->token.serial, v->token.manufacturer, v->token.model, v->token.firmware);
    printf("choices        %s, %s\n",
           v->want_destroyable ? "destroyable" : "not destroyable",
           v->want_copyable ? "copyable" : "not copyable");
    printf("origin         %s\n", v->origin[0] != '\0' ? v->origin : "not said");
    printf("second copy    %s\n",
           v->second_copy[0] != '\0' ? v->second_copy : "nothing said");
    if (v->same_key_as != 0)
        printf("same key as    %u\n", (unsigned)v->same_key_as);
    if (v->state == KW_KEY_DESTROYED)
        key_list_print_gone(d, v);
    for (size_t i = 0; i < v->object_count; i++)
        print_object(&v->objects[i]);
    key_list_print_history(d, v);
}

static void print_unknown(const struct kw_context *d, const struct kw_version *v)
{
    KW_INVARIANT(d->ring != NULL); /* v is one of it */
    printf(
        "version        %u\nkey_id         %s\nstate          %s in the file, unknown to "
        "this program%s\nwhy            %s\n",
        (unsigned)v->n, v->key_id, v->unknown_state,
        d->ring->active == v->n ? ", baseline" : "", v->unknown);
}

int kw_verb_show(int argc, char **argv)
{
    struct kw_cli cli;
    struct kw_context context = {0};
    struct kw_note note = {{0}};
    const struct kw_version *v = NULL;
    const struct kw_usage usage = {
        .verb = "key show",
        .operands = "N",
        .operand_count = 1,
        .summary = "All that the keyring says about one KEK version.",
    };
    uint32_t n = 0;
    int code = kw_cli_read(&usage, argc, argv, &cli);
    if (code < 0)
        code = kw_cli_version_n(usage.verb, cli.operand[0], &n);
    if (code >= 0)
        return code;
    kw_err e = kw_context_open(&cli, &context, &note);
    bool lost =
        !kw_failed(e) && context.ring == NULL && context.judgement.refusal != KW_ADMITTED;
    if (!kw_failed(e) && !lost)
        e = kw_context_version(&context, n, &v, &note);
    if (is_doubted(&context))
        fprintf(stderr, "keyward: %s; keywardd does not read it so\n",
                context.doubt.text);
    if (lost)
        code = kw_context_refuse(&cli, &context);
    else if (kw_failed(e))
        code = kw_fail(&cli, e, &note);
    else if (cli.json)
        code = kw_json_out(kw_version_json(&context, v), KW_EXIT_GOOD);
    else if (v->state == KW_KEY_UNKNOWN)
        print_unknown(&context, v);
    else
        print_version(&context, v);
    kw_context_close(&context);
    return code < 0 ? KW_EXIT_GOOD : code;
}
