/* SPDX-License-Identifier: Apache-2.0 */
/* keyward keyring trust - somebody says that this node shall take a file although nothing
 * shows that it follows from the last one taken here */
#include "cli.h"

#include <stdio.h>
#include <string.h>

#include "context.h"
#include "next.h"

struct trusting {
    const struct kw_cli *cli;
    const struct kw_context *context; /* its ring is the file's */
    const char *path, *sha256, *operator_;
    struct kw_marks marks;     /* as they are with the trust in them */
    struct kw_judgement after; /* and what the node says then        */
};

/* What the owner of the state directory is asked to do. */
struct job {
    const char *state;
    struct kw_trust trust;
};

static kw_err keyring_trust_record(void *shared, struct kw_note *note)
{
    const struct job *job = shared;
    struct kw_state_dir *dir = NULL;
    kw_err e = kw_state_open(job->state, &dir, note);
    if (!kw_failed(e))
        e = kw_state_trust(dir, &job->trust, note);
    kw_state_close(dir);
    return e;
}

static kw_err write_trust(const struct trusting *t, struct kw_note *note)
{
    struct kw_owner owner = {0};
    struct job job = {t->context->config->state, t->marks.trust};
    kw_err e = kw_owner_of(t->context->config, &owner, note);
    if (kw_failed(e))
        return e;
    const struct kw_child child = {owner.uid, owner.gid, NULL, 0, 0};
    return kw_child_run(&child, keyring_trust_record, &job, note);
}

/* The file must be the one that was looked at and compared. */
static kw_err same_bytes(const struct trusting *t, struct kw_note *note)
{
    char hex[65];
    kw_hex(hex, sizeof hex, kw_span_of(t->context->ring->sha256, 32));
    if (strcmp(hex, t->sha256) == 0)
        return KW_OK;
    kw_note_set(note,
                "%s: its sha256 is %s, and not the one that you name; look which file "
                "you have compared",
                t->path, hex);
    return kw_err_at(KW_CODE_DENIED, "--sha256");
}

static kw_err judge_after(struct trusting *t, struct kw_note *note)
{
    const struct kw_context *d = t->context;
    struct kw_act_facts facts;
    kw_err e = kw_context_facts(t->operator_, &facts, note);
    if (kw_failed(e))
        return e;
    t->marks = d->marks;
    t->marks.trust = (struct kw_trust){.sha256_len = 32};
    kw_copy(t->marks.trust.sha256, 32, kw_span_of(d->ring->sha256, 32));
    kw_copy_str(t->marks.trust.at, sizeof t->marks.trust.at, kw_span_str(facts.at));
    kw_copy_str(t->marks.trust.by, sizeof t->marks.trust.by, kw_span_str(facts.by));
    const struct kw_memory memory = {&t->marks, &d->act, d->last};
    const struct kw_places places = {d->config->keyring, d->config->state};
    kw_keyring_judge(d->ring, d->config->domain, &memory, &places, &t->after);
    return KW_OK;
}

/* The file says that it was destroyed before it was taken out. */
static bool keyring_trust_was_pruned(const struct kw_keyring *ring,
                                     const struct kw_mark *mark)
{
    for (size_t i = 0; i < ring->history_count; i++) {
        const struct kw_history *h = &ring->history[i];
        if (h->n == mark->id.n && strcmp(h->act, kw_act_name(KW_ACT_PRUNE)) == 0)
            return strncmp(h->proof, mark->id.key_id, strlen(mark->id.key_id)) == 0;
    }
    return false;
}

/* What the file has of it; NULL: nothing. */
static const char *state_there(const struct trusting *t, const struct kw_mark *mark)
{
    const struct kw_version *v = kw_keyring_by_n(t->context->ring, mark->id.n);
    if (v == NULL || strcmp(v->key_id, mark->id.key_id) != 0)
        return NULL;
    return v->state == KW_KEY_UNKNOWN ? v->unknown_state : kw_key_state_name(v->state);
}

static bool unwraps(const char *name)
{
    enum kw_key_state state;
    return kw_key_state_from_name(name, &state) && kw_key_state_unwraps(state);
}

/* Could something be read here that cannot be read with the file? */
static bool is_forgotten(const struct trusting *t, const struct kw_mark *mark)
{
    const char *there = state_there(t, mark);
    bool sealed = mark->wrapped || unwraps(mark->state);
    if (strcmp(mark->state, kw_key_state_name(KW_KEY_DESTROYED)) == 0)
        return false;
    if (there == NULL)
        return sealed || !keyring_trust_was_pruned(t->context->ring, mark);
    return sealed && !unwraps(there) && strcmp(there, mark->state) != 0;
}

static void keyring_trust_print(const struct trusting *t)
{
    const struct kw_marks *m = &t->marks;
    printf("serial %llu (sha256 %s): this node will take it once; said by %s\n",
           (unsigned long long)t->context->ring->serial, t->sha256, m->trust.by);
    for (size_t i = 0; i < m->count; i++) {
        const struct kw_mark *mark = &m->versions[i];
        const char *there = state_there(t, mark);
        if (is_forgotten(t, mark))
            printf("%s (version %u, %s here) is %s in it: what is sealed under it cannot "
                   "be read then\n",
                   mark->id.key_id, (unsigned)mark->id.n, mark->state,
                   there != NULL ? there : "not there");
    }
    if (t->context->ring->next_n < m->next_n)
        printf("it gives the numbers from %u on once more, to other keys than those that "
               "this node has seen\n",
               (unsigned)t->context->ring->next_n);
}

static json_t *forgotten_json(const struct trusting *t)
{
    json_t *list = json_array();
    for (size_t i = 0; i < t->marks.count; i++) {
        const struct kw_mark *mark = &t->marks.versions[i];
        if (is_forgotten(t, mark))
            json_array_append_new(list,
                                  json_pack("{s:i, s:s, s:s, s:s?}", "n", (int)mark->id.n,
                                            "key_id", mark->id.key_id, "state",
                                            mark->state, "there", state_there(t, mark)));
    }
    return list;
}

static bool is_in_place(const struct trusting *t)
{
    return kw_context_is_keyring(t->context, t->path);
}

static void keyring_trust_add_next(const struct trusting *t, struct kw_commands *next)
{
    char config[KW_CLI_CONFIG_MAX];
    kw_cli_config(t->cli, config, sizeof config);
    if (!is_in_place(t))
        kw_commands_install(next, t->path, t->context->config->keyring);
    if (t->after.refusal == KW_REFUSED_ACTIVE) {
        kw_commands_add(next, "# then there is one thing more: %s", t->after.why.text);
        kw_next_cure(t->after.cure, config, next);
    }
    kw_commands_add(next, "systemctl reload keywardd");
}

static int keyring_trust_report(const struct trusting *t, bool recorded)
{
    struct kw_commands next = {.len = 0};
    keyring_trust_add_next(t, &next);
    if (!t->cli->json && recorded)
        keyring_trust_print(t);
    else if (!t->cli->json)
        printf("serial %llu: this node takes it as it is; there is nothing to trust\n",
               (unsigned long long)t->context->ring->serial);
    return kw_done(t->cli,
                   json_pack("{s:b, s:b, s:I, s:s, s:o}", "ok", 1, "recorded", recorded,
                             "serial", (json_int_t)t->context->ring->serial, "sha256",
                             t->sha256, "forgotten", forgotten_json(t)),
                   next.text, KW_EXIT_GOOD);
}

/* Its versions are all there, though a later one may have to be made to wrap with. */
static bool is_taken(enum kw_refusal refusal)
{
    return refusal == KW_ADMITTED || refusal == KW_REFUSED_ACTIVE;
}

/* The way out is of the file in the keyring's place; of another one nothing came of
 * it. */
static int keyring_trust_refuse(const struct trusting *t)
{
    struct kw_commands next = {.len = 0};
    char config[KW_CLI_CONFIG_MAX];
    kw_cli_config(t->cli, config, sizeof config);
    if (is_in_place(t)) {
        kw_next_cure(t->after.cure, config, &next);
    } else {
        kw_commands_add(&next,
                        "# nothing was recorded or put in place; what this node has "
                        "now:");
        kw_commands_add(&next, "keyward key list%s", config);
    }
    return kw_refuse_next(t->cli, t->after.why.text, next.text);
}

static int keyring_trust_perform(struct trusting *t)
{
    struct kw_note note = {{0}};
    int code = kw_context_remembers(t->cli, t->context);
    if (code < 0)
        code = kw_context_trusts(t->cli, t->context);
    if (code >= 0)
        return code;
    kw_err e = same_bytes(t, &note);
    if (!kw_failed(e))
        e = judge_after(t, &note);
    if (kw_failed(e))
        return kw_fail(t->cli, e, &note);
    if (t->context->judgement.refusal == KW_ADMITTED)
        return keyring_trust_report(t, false);
    if (!is_taken(t->after.refusal))
        return keyring_trust_refuse(t);
    e = write_trust(t, &note);
    return kw_failed(e) ? kw_fail(t->cli, e, &note) : keyring_trust_report(t, true);
}

static int keyring_trust_run(const struct kw_cli *cli, const char *sha256,
                             const char *operator_)
{
    struct kw_context context = {0};
    struct kw_note note = {{0}};
    struct trusting t = {.cli = cli,
                         .context = &context,
                         .path = cli->operand[0],
                         .sha256 = sha256,
                         .operator_ = operator_};
    kw_err e = kw_context_open_with(cli, t.path, &context, &note);
    int code = kw_failed(e) ? kw_fail(cli, e, &note) : keyring_trust_perform(&t);
    kw_context_close(&context);
    return code;
}

int kw_verb_trust(int argc, char **argv)
{
    const char *sha256 = NULL, *operator_ = NULL;
    uint8_t digest[32];
    struct kw_cli cli;
    const struct kw_option options[] = {
        {"sha256", "HEX", "the digest of the file that was compared", NULL, &sha256},
        {"operator", "NAME", "who says so (default: your login)", NULL, &operator_},
    };
    const struct kw_usage usage = {
        .verb = "keyring trust",
        .operands = "FILE",
        .operand_count = 1,
        .summary =
            "Says that this node shall take FILE as its keyring although it does not "
            "follow from\nthe last one taken here: an older file, one that was changed "
            "in "
            "two places, or one\nfurther away than its 64 ancestors.  Compare it with "
            "the "
            "other nodes' first (keyward\nkeyring compare).  It is recorded, and good "
            "for "
            "this one file, once; a file that lacks\na version under which this node has "
            "wrapped is refused all the same.",
        .options = options,
        .option_count = sizeof options / sizeof options[0],
    };
    int code = kw_cli_read(&usage, argc, argv, &cli);
    if (code >= 0)
        return code;
    if (sha256 == NULL || !kw_unhex(digest, 32, kw_span_str(sha256)))
        return kw_usage_error(usage.verb,
                              "--sha256 says which file it is: 64 hex digits, "
                              "as sha256sum prints them");
    return keyring_trust_run(&cli, sha256, operator_);
}
