/* SPDX-License-Identifier: Apache-2.0 */
/* A key is not made beside others without a word: what lies there, and what to do. */
#include "create.h"

#include <stdio.h>

static size_t named(const struct kw_beside_names *names)
{
    return names->count < KW_BESIDE_NAMED ? names->count : KW_BESIDE_NAMED;
}

/* How many of those that are named could be adopted. */
static size_t count_open(const struct kw_create *c)
{
    size_t open = 0;
    const struct kw_beside_names *unknown = &c->job->beside.unknown;
    for (size_t i = 0; i < named(unknown); i++)
        open += kw_adopt_may_add(c, unknown->name[i]);
    return open;
}

static void adopt_each(const struct kw_create *c, struct kw_commands *w)
{
    const struct kw_beside_names *unknown = &c->job->beside.unknown;
    for (size_t i = 0; i < named(unknown); i++)
        if (kw_adopt_may_add(c, unknown->name[i]))
            kw_commands_command(
                w, (const char *const[]){"keyward", "key", "create", "--config",
                                         c->cli->config, "--token", c->token->name,
                                         "--adopt", unknown->name[i], NULL});
}

/* What would be refused is not advised, but named. */
static void explain_taken(const struct kw_create *c, struct kw_commands *w)
{
    const struct kw_beside_names *unknown = &c->job->beside.unknown;
    for (size_t i = 0; i < named(unknown); i++) {
        uint32_t n = 0;
        if (kw_adopt_may_add(c, unknown->name[i]) ||
            !kw_key_id_parse(kw_span_str(unknown->name[i]), &n))
            continue;
        const struct kw_version *v =
            c->context.ring != NULL ? kw_keyring_by_n(c->context.ring, n) : NULL;
        const struct kw_mark *mark = kw_marks_of(&c->context.marks, n);
        kw_commands_add(w,
                        "# version %u here is %s, so %s is of another keyring of this "
                        "domain, as after a fork: it cannot be adopted, and no keyring "
                        "that knows it is taken",
                        (unsigned)n,
                        v != NULL      ? v->key_id
                        : mark != NULL ? mark->id.key_id
                                       : "one that was pruned",
                        unknown->name[i]);
    }
}

/* They are of this domain: of a keyring that lies elsewhere, or of none. */
static int refuse_unknown(const struct kw_create *c)
{
    static struct kw_commands w;
    char names[512], text[KW_PATH_MAX + 1024];
    const char *keyring = c->context.config->keyring;
    const struct kw_beside_names *unknown = &c->job->beside.unknown;
    size_t open = count_open(c);
    kw_beside_text(unknown, names);
    snprintf(text, sizeof text,
             "token %s holds keys of domain %s that %s%s: %s; %s, and neither could read "
             "what the other sealed",
             c->token->name, c->job->domain, keyring,
             c->context.ring != NULL ? " does not know"
                                     : " would know, but it is not there",
             names,
             open > 0 ? "a version made here beside them would be another keyring of the "
                        "same domain"
                      : "they are of another keyring of the same domain");
    if (open == named(unknown))
        kw_commands_when(&w,
                         "another node has a keyring that knows them: copy that file to "
                         "%s, and make no key",
                         keyring);
    if (open > 0)
        kw_commands_when(&w,
                         "no node and no backup has it, or a ceremony stopped half way:");
    adopt_each(c, &w);
    explain_taken(c, &w);
    kw_commands_when(&w, "a key beside them is wanted all the same:");
    kw_create_command(c, NULL, (const char *const[]){"--beside-others", NULL}, &w);
    return kw_refuse_next(c->cli, text, w.text);
}

static int neighbours_refuse_others(const struct kw_create *c)
{
    static struct kw_commands w;
    char names[512], text[KW_PATH_MAX + 1024];
    kw_beside_text(&c->job->beside.others, names);
    if (c->job->beside.more)
        snprintf(text, sizeof text,
                 "token %s holds more than %u keys whose label begins with "
                 "%s: not all of them could be looked at",
                 c->token->name, KW_BESIDE_LISTED, KW_BESIDE_LABEL);
    else
        snprintf(text, sizeof text,
                 "token %s holds keys of other domains (%s), and there is no keyring of "
                 "domain %s yet",
                 c->token->name, names, c->job->domain);
    kw_commands_when(&w, "%s: its `domain` is right, and this is the first key of it:",
                     c->cli->config);
    kw_create_command(c, NULL, (const char *const[]){"--beside-others", NULL}, &w);
    return kw_refuse_next(c->cli, text, w.text);
}

int kw_create_not_beside(const struct kw_create *c)
{
    return c->job->beside.unknown.count > 0 ? refuse_unknown(c)
                                            : neighbours_refuse_others(c);
}
