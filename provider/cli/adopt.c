/* SPDX-License-Identifier: Apache-2.0 */
/* Finding a key again: after a ceremony that stopped half way, or after the loss of the
 * keyring.
 *
 * A check blob that is made now opens under any key, so it says nothing about the key
 * under which data was sealed.  What does: the check blob of a keyring that had this
 * key_id, a sample; or nobody, and then somebody must say that it is so. */
#include "beside.h"
#include "create.h"

#include <stdio.h>
#include <string.h>

#define PUT(dst, src) kw_copy_str(dst, sizeof dst, kw_span_str(src))

/* ---- what there is ---- */

/* *ret_n: the number in the key_id.  It may be in the keyring already: then nothing is to
 * be done. */
static int read_key_id(const struct kw_create *c, uint32_t *ret_n)
{
    const struct kw_context *d = &c->context;
    if (!kw_key_id_parse(kw_span_str(c->adopt), ret_n))
        return kw_refuse(c->cli, "--adopt wants a key_id as key create printed it, "
                                 "kw1-N- and 24 hex digits");
    const struct kw_version *v =
        d->ring != NULL ? kw_keyring_by_n(d->ring, *ret_n) : NULL;
    if (v == NULL)
        return -1;
    if (strcmp(v->key_id, c->adopt) != 0)
        return kw_refuse(c->cli,
                         "version %u of %s is %s; another key_id with this number cannot "
                         "be added",
                         (unsigned)v->n, d->config->keyring, v->key_id);
    if (c->cli->json)
        return kw_json_out(json_pack("{s:b, s:i, s:s, s:s, s:b}", "ok", 1, "n", (int)v->n,
                                     "key_id", v->key_id, "state",
                                     kw_key_state_name(v->state), "already", 1),
                           KW_EXIT_GOOD);
    printf("version %u of %s is %s already; nothing was looked at, and nothing is to be "
           "done\n",
           (unsigned)v->n, d->config->keyring, v->key_id);
    return fflush(stdout) == 0 ? KW_EXIT_GOOD : KW_EXIT_BLIND;
}

static int read_backup(struct kw_create *c)
{
    struct kw_note note = {{0}};
    if (c->backup_path == NULL)
        return -1;
    kw_err e = kw_keyring_load(c->backup_path, &c->backup, NULL, &note);
    if (kw_failed(e))
        return kw_fail(c->cli, e, &note);
    if (strcmp(c->backup->domain, c->context.config->domain) == 0)
        return -1;
    return kw_refuse(c->cli, "%s: its domain is \"%s\", the configuration's is \"%s\"",
                     c->backup_path, c->backup->domain, c->context.config->domain);
}

static int read_sample(struct kw_create *c)
{
    struct kw_note note = {{0}};
    struct kw_sample *s = &c->job->sample;
    if (c->sample_path == NULL)
        return -1;
    kw_err e = kw_sample_load(c->sample_path, s, &note);
    if (kw_failed(e))
        return kw_fail(c->cli, e, &note);
    if (strcmp(s->domain, c->context.config->domain) != 0)
        return kw_refuse(c->cli,
                         "%s: was sealed in domain \"%s\", the configuration's is \"%s\"",
                         c->sample_path, s->domain, c->context.config->domain);
    if (strcmp(s->key_id, c->adopt) != 0)
        return kw_refuse(c->cli, "%s: was sealed under %s, and not under %s",
                         c->sample_path, s->key_id, c->adopt);
    return -1;
}

static const struct kw_version *recorded(const struct kw_create *c)
{
    return c->backup != NULL ? kw_keyring_by_key_id(c->backup, kw_span_str(c->adopt))
                             : NULL;
}

/* ---- a keyring that needs no adopting ---- */

void kw_create_judge(const struct kw_create *c, const struct kw_keyring *ring,
                     struct kw_judgement *ret)
{
    const struct kw_context *d = &c->context;
    const struct kw_memory memory = {&d->marks, &d->act, d->last};
    const struct kw_places places = {d->config->keyring, d->config->state};
    kw_keyring_judge(ring, d->config->domain, &memory, &places, ret);
}

/* A backup that has the key, and that this node takes as it is, goes into the keyring's
 * place. */
static int install_instead(const struct kw_create *c)
{
    struct kw_judgement j;
    struct kw_commands *w = &(struct kw_commands){{0}, 0};
    char text[KW_PATH_MAX + 256];
    const struct kw_context *d = &c->context;
    if (c->backup == NULL || recorded(c) == NULL)
        return -1;
    kw_create_judge(c, c->backup, &j);
    if (j.refusal != KW_ADMITTED)
        return -1;
    snprintf(text, sizeof text,
             "%s, serial %llu, is a keyring that this node takes as it is: put it in "
             "place, and nothing needs to be adopted",
             c->backup_path, (unsigned long long)c->backup->serial);
    kw_commands_install(w, c->backup_path, d->config->keyring);
    return kw_refuse_next(c->cli, text, w->text);
}

/* ---- the ring to build upon ---- */

static int base(struct kw_create *c)
{
    struct kw_note note = {{0}};
    const struct kw_context *d = &c->context;
    kw_err e;
    if (d->ring != NULL) {
        e = kw_keyring_dup(d->ring, &c->ring);
    } else {
        e = kw_act_rebuild(c->backup, d->config->domain, &d->marks, c->facts.at, &c->ring,
                           &note);
        /* Of a file that is none of those before the lost one only the record counts,
         * which its check blob proves. */
        if (e.code == KW_CODE_DENIED && recorded(c) != NULL)
            e = kw_act_rebuild(NULL, d->config->domain, &d->marks, c->facts.at, &c->ring,
                               &note);
    }
    if (kw_failed(e) && c->backup != NULL && recorded(c) == NULL)
        return kw_refuse(c->cli, "%s does not have %s; %s", c->backup_path, c->adopt,
                         note.text);
    if (!kw_failed(e))
        e = kw_act_may(KW_ACT_ADOPT, 0, c->ring, &d->judgement, &note);
    return kw_failed(e) ? kw_fail(c->cli, e, &note) : -1;
}

/* ---- the version ---- */

/* Where this node knows nothing of the version it begins anew. */
static void adopt_begin_anew(struct kw_version *v)
{
    char *const times[] = {v->accepted, v->activated, v->retired, v->disabled,
                           v->destroyed};
    v->state = KW_KEY_CREATED;
    v->disabled_from[0] = '\0';
    for (size_t i = 0; i < sizeof times / sizeof times[0]; i++)
        times[i][0] = '\0';
}

static bool is_marked(const struct kw_create *c, uint32_t n)
{
    const struct kw_mark *mark = kw_marks_of(&c->context.marks, n);
    return mark != NULL && strcmp(mark->id.key_id, c->adopt) == 0;
}

static int from_record(struct kw_create *c, const struct kw_version *rec)
{
    struct kw_version *v = &c->job->v;
    if (rec->state == KW_KEY_UNKNOWN)
        return kw_refuse(c->cli, "%s: version %u: %s", c->backup_path, (unsigned)rec->n,
                         rec->unknown);
    if (c->destroyable || c->copyable || c->same_key_as != NULL || c->unproven)
        return kw_refuse(c->cli,
                         "%s has the record of %s, which proves it and has its choices: "
                         "leave --destroyable, --copyable, --same-key-as and --unproven "
                         "out",
                         c->backup_path, c->adopt);
    *v = *rec;
    if (!is_marked(c, v->n))
        adopt_begin_anew(v);
    if (kw_keyring_by_n(c->ring, v->n) != NULL) /* the ring is the backup's */
        kw_keyring_remove(c->ring, v->n);
    const struct kw_version *of = kw_keyring_by_n(c->backup, v->same_key_as);
    if (of != NULL && kw_keyring_by_n(c->ring, of->n) == NULL)
        return kw_refuse(c->cli,
                         "%s uses the key of version %u, which is not in the keyring: "
                         "adopt %s first",
                         c->adopt, (unsigned)of->n, of->key_id);
    return -1;
}

/* Nothing is known but its name. */
static int from_name(struct kw_create *c, uint32_t n)
{
    struct kw_note note = {{0}};
    struct kw_version *v = &c->job->v;
    kw_create_blank(c);
    v->n = n;
    PUT(v->key_id, c->adopt);
    PUT(v->objects[0].label, c->adopt);
    v->objects[0].locator_len = KW_NEW_LOCATOR;
    kw_locator_make(c->context.config->domain, c->adopt, v->objects[0].locator);
    kw_err e = c->same_n != 0 ? kw_create_share(c, &note) : KW_OK;
    return kw_failed(e) ? kw_fail(c->cli, e, &note) : -1;
}

/* May a version of this number and name be added to the ring? */
static int number_is_free(const struct kw_create *c, uint32_t n)
{
    const struct kw_mark *mark = kw_marks_of(&c->context.marks, n);
    if (mark != NULL && !is_marked(c, n))
        return kw_refuse(c->cli,
                         "this node knows version %u as %s: %s is another key under the "
                         "same number",
                         (unsigned)n, mark->id.key_id, c->adopt);
    if (mark != NULL && strcmp(mark->state, kw_key_state_name(KW_KEY_DESTROYED)) == 0)
        return kw_refuse(
            c->cli,
            "version %u (%s) was destroyed, as this node remembers: it needs "
            "no adopting",
            (unsigned)n, c->adopt);
    if (mark == NULL && recorded(c) == NULL && n >= c->ring->next_n + KW_VERSIONS_MAX)
        return kw_refuse(c->cli,
                         "%s: number %u is far above the next one, %u, and nothing here "
                         "knows it; numbers never go back: adopt it with "
                         "--keyring-backup",
                         c->adopt, (unsigned)n, (unsigned)c->ring->next_n);
    if (mark == NULL && n < c->ring->next_n)
        return kw_refuse(c->cli,
                         "number %u was given before, and this node knows no version %s: "
                         "it was destroyed and pruned, or never taken into use here",
                         (unsigned)n, c->adopt);
    if (kw_keyring_by_n(c->ring, n) == NULL && c->ring->count >= KW_VERSIONS_MAX)
        return kw_refuse(c->cli, "the keyring is full: it holds %u versions",
                         KW_VERSIONS_MAX);
    return -1;
}

bool kw_adopt_may_add(const struct kw_create *c, const char *key_id)
{
    uint32_t n = 0;
    const struct kw_keyring *ring = c->context.ring;
    if (!kw_key_id_parse(kw_span_str(key_id), &n))
        return false;
    const struct kw_mark *mark = kw_marks_of(&c->context.marks, n);
    if (mark != NULL && strcmp(mark->id.key_id, key_id) != 0)
        return false;
    return ring == NULL ||
           (kw_keyring_by_n(ring, n) == NULL && (mark != NULL || n >= ring->next_n));
}

/* ---- what proves it ---- */

static int nothing_proves(const struct kw_create *c)
{
    struct kw_commands *w = &(struct kw_commands){{0}, 0};
    char text[KW_PATH_MAX + 256];
    snprintf(
        text, sizeof text,
        "%s%snothing shows that %s is the key under which data was sealed, and a new "
        "check blob would open under any key",
        c->backup != NULL ? c->backup_path : "",
        c->backup != NULL ? " does not have this key_id: " : "", c->adopt);
    kw_commands_when(w, "a keyring that has it is at hand (another node's, a backup):");
    kw_create_command(c, c->adopt,
                      (const char *const[]){"--keyring-backup", "FILE", NULL}, w);
    kw_commands_when(w, "a sample was kept (keyward probe SOCKET --sample FILE):");
    kw_create_command(c, c->adopt, (const char *const[]){"--sample", "FILE", NULL}, w);
    kw_commands_when(w, "neither: it is taken on your word, and every report says so");
    kw_create_command(c, c->adopt, (const char *const[]){"--unproven", NULL}, w);
    return kw_refuse_next(c->cli, text, w->text);
}

/* The operator's name is cut so that the time after it fits. */
static void say_unproven(struct kw_version *v, const struct kw_act_facts *f)
{
    size_t room =
        sizeof v->origin - sizeof KW_ORIGIN_UNPROVEN - sizeof ", " - strlen(f->at);
    size_t len = strnlen(f->by, room);
    while (len > 0 && (f->by[len] & 0xc0) == 0x80) /* never within a letter */
        len--;
    snprintf(v->origin, sizeof v->origin, KW_ORIGIN_UNPROVEN "%.*s, %s", (int)len, f->by,
             f->at);
}

static int proof(struct kw_create *c)
{
    struct kw_version *v = &c->job->v;
    struct kw_ceremony *job = c->job;
    job->has_sample = c->sample_path != NULL;
    if (recorded(c) != NULL) {
        job->proof = KW_PROOF_CHECK_BLOB;
        snprintf(c->facts.proof, sizeof c->facts.proof,
                 "adopted: opened the check blob of keyring serial %llu, %s",
                 (unsigned long long)c->backup->serial, c->facts.at);
        /* A check blob that was made on somebody's word proves no more than that word. */
        if (strncmp(v->origin, KW_ORIGIN_UNPROVEN, sizeof KW_ORIGIN_UNPROVEN - 1) != 0)
            PUT(v->origin, c->facts.proof);
        return -1;
    }
    job->proof = job->has_sample ? KW_PROOF_SAMPLE : KW_PROOF_NONE;
    if (job->has_sample)
        snprintf(v->origin, sizeof v->origin, "adopted: opened a sample, %s",
                 c->facts.at);
    else if (c->unproven)
        say_unproven(v, &c->facts);
    else
        return nothing_proves(c);
    PUT(c->facts.proof, v->origin);
    return -1;
}

/* ---- what is still to be adopted ---- */

static void next_command(const struct kw_create *c, const char *key_id, const char *proof,
                         const char *file, struct kw_commands *next)
{
    kw_commands_command(
        next, (const char *const[]){"keyward", "key", "create", "--config",
                                    c->cli->config, "--adopt", key_id, proof, file,
                                    c->token_name != NULL ? "--token" : NULL,
                                    c->token_name, NULL});
}

static void next_key(const struct kw_create *c, const struct kw_named *id,
                     struct kw_commands *next)
{
    const char *backup = c->backup_path;
    if (c->backup != NULL &&
        kw_keyring_by_key_id(c->backup, kw_span_str(id->key_id)) != NULL) {
        next_command(c, id->key_id, "--keyring-backup", backup, next);
        return;
    }
    kw_commands_add(next,
                    "# version %u, which %s%s; when a keyring that has it is at hand "
                    "(another node's, a backup):",
                    (unsigned)id->n, backup != NULL ? backup : "the keyring",
                    backup != NULL ? " does not have" : " lacks");
    next_command(c, id->key_id, "--keyring-backup", "FILE", next);
    kw_commands_add(next, "# when a sample of it was kept:");
    next_command(c, id->key_id, "--sample", "FILE", next);
}

void kw_adopt_next(const struct kw_create *c, struct kw_commands *next)
{
    const struct kw_marks *m = &c->context.marks;
    for (size_t i = 0; i < m->count; i++) {
        const struct kw_named *id = &m->versions[i].id;
        bool there = kw_keyring_by_key_id(c->ring, kw_span_str(id->key_id)) != NULL;
        bool ended =
            strcmp(m->versions[i].state, kw_key_state_name(KW_KEY_DESTROYED)) == 0;
        if (!there && !ended && !kw_beside_is_pruned(c->ring, id->key_id))
            next_key(c, id, next);
    }
}

int kw_adopt_plan(struct kw_create *c)
{
    uint32_t n = 0;
    const struct kw_context *d = &c->context;
    if (d->judgement.last_good && d->judgement.refusal != KW_ADMITTED)
        return kw_create_put_back(c);
    int code = read_key_id(c, &n);
    if (code < 0)
        code = read_backup(c);
    if (code < 0)
        code = read_sample(c);
    if (code < 0)
        code = install_instead(c);
    if (code < 0 && d->judgement.refusal == KW_REFUSED_DAMAGED)
        code = kw_context_refuse(c->cli, d); /* it is moved aside first */
    if (code < 0)
        code = base(c);
    if (code < 0)
        code = number_is_free(c, n);
    const struct kw_version *rec = code < 0 ? recorded(c) : NULL;
    if (code < 0)
        code = rec != NULL ? from_record(c, rec) : from_name(c, n);
    if (code < 0)
        code = proof(c);
    if (code < 0)
        kw_act_recall(c->ring, &c->job->v, &c->context.marks, c->facts.at);
    return code;
}
