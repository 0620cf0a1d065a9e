/* SPDX-License-Identifier: Apache-2.0 */
/* One login to each token, and which row it answers for. */
#include "gone.h"

#include <stdio.h>
#include <string.h>

#include <keyward/token.h>

#include "login.h"
#include "second_copy.h"

/* Shared with the child. */
struct look {
    const struct kw_object *object;
    char label[33], serial[17]; /* of the token that was asked */
    uint64_t slot;
    bool asked, there;
    enum kw_answer destroyable;
};

/* Some HSMs give every partition the serial of the device: the label must agree too. */
static bool is_row(const struct kw_object_token *row, const struct look *l)
{
    return strcmp(row->serial, l->serial) == 0 && strcmp(row->label, l->label) == 0;
}

static kw_err gone_ask(struct kw_token *token, void *shared, struct kw_note *note)
{
    struct look *l = shared;
    struct kw_token_key *key = NULL;
    struct kw_key_attributes a;
    const struct kw_token_facts *f = kw_token_facts(token);
    kw_copy_str(l->label, sizeof l->label, kw_span_str(f->label));
    kw_copy_str(l->serial, sizeof l->serial, kw_span_str(f->serial));
    l->slot = f->slot;
    for (size_t i = 0; i < l->object->token_count && !l->asked; i++)
        l->asked = is_row(&l->object->tokens[i], l);
    if (!l->asked)
        return KW_OK;
    kw_err e = kw_token_find(token, l->object->label, (kw_span){0}, &key, note);
    if (e.code == KW_CODE_MISSING)
        return KW_OK;
    l->there = !kw_failed(e) || e.code == KW_CODE_HSM_CONFIG; /* one, or several */
    if (!kw_failed(e) && !kw_failed(kw_token_attributes(token, key, &a)))
        l->destroyable = a.destroyable;
    return l->there ? KW_OK : e;
}

/* A restored copy may have the serial of its original: who still has it outweighs who
 * has not. */
static void note_answer(const struct kw_config_token *token, const struct look *l,
                        struct kw_gone *gone)
{
    for (size_t i = 0; l->asked && i < l->object->token_count; i++) {
        struct kw_gone_row *row = &gone->rows[i];
        if (!is_row(&l->object->tokens[i], l))
            continue;
        if (l->there)
            *row =
                (struct kw_gone_row){KW_GONE_STILL_THERE, l->destroyable, token, l->slot};
        else if (row->answer == KW_GONE_NOT_ASKED)
            row->answer = KW_GONE_SEEN;
    }
}

kw_err kw_gone_look(const struct kw_config *config, const struct kw_version *v,
                    struct kw_gone *ret_gone)
{
    struct look *l = kw_shared_new(sizeof *l);
    if (l == NULL)
        return kw_err_at(KW_CODE_NO_MEMORY, "mmap");
    struct kw_gone gone = {.silent_count = 0};
    for (size_t i = 0; i < config->token_count; i++) {
        struct kw_note why = {{0}};
        *l = (struct look){.object = kw_version_kek(v),
                           .destroyable = kw_version_kek(v)->attributes.destroyable};
        kw_err e =
            kw_login_run(config, &config->tokens[i], KW_LOGIN_LOOK, gone_ask, l, &why);
        if (!kw_failed(e)) {
            note_answer(&config->tokens[i], l, &gone);
            continue;
        }
        if (why.text[0] == '\0')
            kw_note_set(&why, "%s at %s", kw_code_name(e.code),
                        e.where != NULL ? e.where : "?");
        gone.silent[gone.silent_count].token = &config->tokens[i];
        gone.silent[gone.silent_count++].why = why;
    }
    kw_shared_free(l, sizeof *l);
    *ret_gone = gone;
    return KW_OK;
}

/* ---- what the rows say ---- */

static bool has_object_of(const struct kw_version *other, const struct kw_version *v)
{
    return other->state != KW_KEY_UNKNOWN &&
           strcmp(kw_version_kek(other)->label, kw_version_kek(v)->label) == 0;
}

static const struct kw_object_token *gone_row_of(const struct kw_version *v,
                                                 const struct kw_object_token *row)
{
    const struct kw_object *o = kw_version_kek(v);
    for (size_t i = 0; i < o->token_count; i++)
        if (strcmp(o->tokens[i].serial, row->serial) == 0 &&
            strcmp(o->tokens[i].label, row->label) == 0)
            return &o->tokens[i];
    return NULL;
}

/* One object in one token ends once, whichever version's row says so. */
static bool has_end(const struct kw_keyring *ring, const struct kw_version *v,
                    const struct kw_object_token *row)
{
    for (size_t i = 0; i < ring->count; i++) {
        const struct kw_version *w = &ring->versions[i];
        const struct kw_object_token *same =
            has_object_of(w, v) ? gone_row_of(w, row) : NULL;
        if (same != NULL && same->gone[0] != '\0')
            return true;
    }
    return false;
}

const struct kw_object_token *kw_gone_open(const struct kw_keyring *ring,
                                           const struct kw_version *v,
                                           const struct kw_version **ret_of)
{
    for (size_t i = 0; i < ring->count; i++) {
        const struct kw_version *w = &ring->versions[i];
        for (size_t k = 0; has_object_of(w, v) && k < kw_version_kek(w)->token_count; k++)
            if (!has_end(ring, v, &kw_version_kek(w)->tokens[k])) {
                if (ret_of != NULL)
                    *ret_of = w;
                return &kw_version_kek(w)->tokens[k];
            }
    }
    return NULL;
}

bool kw_gone_everywhere(const struct kw_keyring *ring, const struct kw_version *v)
{
    return kw_version_kek(v)->token_count > 0 && kw_gone_open(ring, v, NULL) == NULL;
}

const struct kw_object_token *kw_gone_forgotten(const struct kw_keyring *ring,
                                                const struct kw_version *v)
{
    for (size_t k = 0; k < kw_version_kek(v)->token_count; k++) {
        const struct kw_object_token *row = &kw_version_kek(v)->tokens[k];
        bool kept = has_end(ring, v, row);
        for (size_t i = 0; i < ring->count && !kept; i++)
            kept = ring->versions[i].n != v->n && has_object_of(&ring->versions[i], v) &&
                   gone_row_of(&ring->versions[i], row) != NULL;
        if (!kept)
            return row;
    }
    return NULL;
}

/* "opened on token LABEL, serial SERIAL": is that another token than the ceremony's, with
 * a row that has an end, or has none, of its own? */
static bool has_row(const struct kw_version *v, const char *word)
{
    char opened[128];
    const struct kw_object *o = kw_version_kek(v);
    for (size_t i = 0; i < o->token_count; i++) {
        const struct kw_object_token *t = &o->tokens[i];
        bool ceremony = strcmp(t->serial, v->token.serial) == 0 &&
                        strcmp(t->label, v->token.label) == 0;
        int len = snprintf(opened, sizeof opened, KW_OPENED "%s, serial %s, ", t->label,
                           t->serial);
        if (!ceremony && strncmp(word, opened, (size_t)len) == 0)
            return true;
    }
    return false;
}

const char *kw_gone_copy(const struct kw_keyring *ring, const struct kw_version *v)
{
    for (size_t i = 0; i < ring->count; i++) {
        const struct kw_version *w = &ring->versions[i];
        if (has_object_of(w, v) &&
            kw_second_copy_rank(w->second_copy) > KW_COPY_NONE_THERE &&
            !has_row(w, w->second_copy))
            return w->second_copy;
    }
    return NULL;
}

void kw_gone_words(const struct kw_keyring *ring, const struct kw_version *v,
                   char dst[KW_GONE_WORDS_MAX])
{
    const struct kw_version *sharer = kw_keyring_sharer(ring, v, NULL);
    const char *copy = kw_gone_copy(ring, v);
    bool gone = kw_gone_everywhere(ring, v);
    if (sharer != NULL)
        snprintf(dst, KW_GONE_WORDS_MAX,
                 "key material gone: no; it must stay, as it is also the key of version "
                 "%u (%s, %s)",
                 (unsigned)sharer->n, sharer->key_id, kw_key_state_name(sharer->state));
    else if (gone && copy != NULL)
        snprintf(dst, KW_GONE_WORDS_MAX,
                 "key material gone: yes, from each of these tokens; of the second copy "
                 "(%s) nothing else is known",
                 copy);
    else
        snprintf(dst, KW_GONE_WORDS_MAX, "key material gone: %s", gone ? "yes" : "no");
}

json_t *kw_gone_json(const struct kw_keyring *ring, const struct kw_version *v)
{
    bool gone = kw_gone_everywhere(ring, v);
    return gone && kw_gone_copy(ring, v) != NULL ? json_null() : json_boolean(gone);
}
