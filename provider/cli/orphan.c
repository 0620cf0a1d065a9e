/* SPDX-License-Identifier: Apache-2.0 */
/* What a run that failed has left: in the keyring, in the token, or nothing.
 *
 * An object is said to be deletable only when this very run made it and nothing here
 * knows its key_id: neither the keyring as it is now, nor the last good one, nor what
 * this node remembers; and nothing of that could not be read. */
#include "create.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define IS(version_key_id, key_id) (strcmp(version_key_id, key_id) == 0)

static bool in_ring(const struct kw_keyring *ring, const char *key_id)
{
    return ring != NULL && kw_keyring_by_key_id(ring, kw_span_str(key_id)) != NULL;
}

static bool in_marks(const struct kw_marks *m, const char *key_id)
{
    for (size_t i = 0; i < m->count; i++)
        if (IS(m->versions[i].id.key_id, key_id))
            return true;
    return IS(m->baseline.key_id, key_id) || IS(m->active.key_id, key_id);
}

/* Why the object must stay; NULL: nothing here knows it. */
static const char *why_it_stays(const struct kw_context *now, const char *key_id)
{
    if (in_ring(now->ring, key_id))
        return "the keyring has it";
    if (kw_failed(now->state_err))
        return "what this node remembers cannot be read";
    if (in_ring(now->last, key_id))
        return "this node's last good keyring has it";
    if (kw_failed(now->last_err) && now->last_err.code != KW_CODE_MISSING)
        return "this node's last good keyring cannot be read";
    if (in_marks(&now->marks, key_id))
        return "this node has taken a keyring that has it";
    if (IS(now->act.key_id, key_id))
        return "this node has activated it";
    return NULL;
}

/* The vendor's module wants its variables outside of keyward too. */
static void way_to_remove(const struct kw_create *c, struct kw_commands *w)
{
    static char assignments[KW_ENV_VARS_MAX][KW_PATH_MAX + 64];
    const char *words[KW_ENV_VARS_MAX + 20];
    char locator[2 * KW_LOCATOR_MAX + 1], slot[24];
    const struct kw_object *o = &c->job->v.objects[0];
    size_t n = 0;
    words[n++] = "env";
    for (size_t i = 0; i < c->token->env_count; i++) {
        snprintf(assignments[i], sizeof assignments[i], "%s=%s", c->token->env[i].name,
                 c->token->env[i].value);
        words[n++] = assignments[i];
    }
    kw_hex(locator, sizeof locator, kw_span_of(o->locator, o->locator_len));
    snprintf(slot, sizeof slot, "%" PRIu64, c->job->slot); /* two may have one label */
    const char *const rest[] = {
        "pkcs11-tool", "--module", c->token->module,  "--slot",  slot,
        "--login",     "--type",   "secrkey",         "--label", o->label,
        "--id",        locator,    "--delete-object", NULL};
    for (size_t i = 0; i < sizeof rest / sizeof rest[0]; i++)
        words[n++] = rest[i];
    kw_commands_command(w, words);
}

static bool number_is_taken(const struct kw_context *now, uint32_t n)
{
    return now->ring != NULL &&
           (kw_keyring_by_n(now->ring, n) != NULL || n < now->ring->next_n);
}

/* Of an object that this run made, or may have made, and that no keyring has. */
static void ways(const struct kw_create *c, const struct kw_context *now,
                 struct kw_commands *w, bool removable)
{
    uint32_t n = c->job->v.n;
    if (number_is_taken(now, n))
        kw_commands_when(w,
                         "it cannot be adopted any more: number %u is taken in %s by now",
                         (unsigned)n, c->context.config->keyring);
    else {
        kw_commands_when(
            w, "to finish (nothing is sealed under it, so nothing can prove it):");
        kw_create_command(c, c->job->v.key_id, (const char *const[]){"--unproven", NULL},
                          w);
    }
    if (!removable)
        return;
    kw_commands_when(
        w, "to remove it%s:",
        c->job->v.want_destroyable
            ? ""
            : " (it is not destroyable by PKCS#11: where this is refused, the "
              "HSM's own administration must do it)");
    way_to_remove(c, w);
}

static json_t *orphan_json(const struct kw_create *c, bool removable)
{
    const struct kw_version *v = &c->job->v;
    return json_pack("{s:s, s:s, s:s, s:s, s:o, s:b}", "key_id", v->key_id, "token",
                     c->token->name, "token_label", c->job->token_label, "token_serial",
                     c->job->token_serial, "made",
                     c->job->made == KW_MADE_A_KEY ? json_true() : json_null(),
                     "removable", removable);
}

static int say_orphan(const struct kw_create *c, const struct kw_context *now,
                      const char *stays, kw_err e, const struct kw_note *note)
{
    static struct kw_commands w;
    const struct kw_version *v = &c->job->v;
    bool removable = c->job->made == KW_MADE_A_KEY && stays == NULL;
    if (c->job->made == KW_MADE_PERHAPS)
        kw_commands_when(
            &w, "whether an object with CKA_LABEL %s is in token %s now is not known",
            v->key_id, c->token->name);
    else if (stays != NULL)
        kw_commands_when(&w, "the object with CKA_LABEL %s in token %s must stay: %s",
                         v->key_id, c->token->name, stays);
    else
        kw_commands_when(
            &w,
            "the object with CKA_LABEL %s is in token %s, and in no keyring; "
            "this run made it, and nothing uses it",
            v->key_id, c->token->name);
    if (!in_ring(now->ring, v->key_id))
        ways(c, now, &w, removable);
    return kw_fail_with(c->cli, e, note, w.text, "orphan", orphan_json(c, removable));
}

/* The new keyring lies in its place: nothing is undone, and nothing is an orphan. */
static int say_written(const struct kw_create *c, kw_err e, const struct kw_note *note)
{
    struct kw_commands *w = &(struct kw_commands){{0}, 0};
    const struct kw_version *v = &c->job->v;
    kw_commands_when(w,
                     "version %u (%s) is in the keyring; only a crash of the machine may "
                     "bring the file before it back",
                     (unsigned)v->n, v->key_id);
    kw_commands_command(w, (const char *const[]){"sync", NULL});
    kw_commands_command(w, (const char *const[]){"keyward", "key", "list", "--config",
                                                 c->cli->config, NULL});
    return kw_fail_with(c->cli, e, note, w->text, "written",
                        json_pack("{s:i, s:s, s:s}", "n", (int)v->n, "key_id", v->key_id,
                                  "keyring", c->context.config->keyring));
}

int kw_create_failed(const struct kw_create *c, kw_err e, const struct kw_note *note)
{
    struct kw_context now = {0};
    struct kw_note ignored;
    const char *stays = "the keyring cannot be read";
    if (c->job->in_the_way)
        return kw_create_not_beside(c);
    if (kw_file_is_written(e))
        return say_written(c, e, note);
    if (c->job->made == KW_MADE_NOTHING)
        return kw_fail(c->cli, e, note);
    if (!kw_failed(kw_context_open(c->cli, &now, &ignored)) &&
        now.judgement.refusal != KW_REFUSED_DAMAGED)
        stays = why_it_stays(&now, c->job->v.key_id);
    int code = say_orphan(c, &now, stays, e, note);
    kw_context_close(&now);
    return code;
}
