/* SPDX-License-Identifier: Apache-2.0 */
/* Looking before making. */
#include "look.h"

#include <unistd.h>

#include <keyward/file.h>

#include "reach.h"

struct sight {
    const struct kw_look *look;
    struct kw_token_facts facts;
};

static kw_err look_at_module(const char *module, struct kw_note *note)
{
    struct kw_note why = {{0}};
    kw_err e = kw_reach_folders(module, &why);
    if (!kw_failed(e))
        e = kw_reach_file(module, &why);
    if (!kw_failed(e)) /* as whatever loads it later */
        e = kw_file_judge(module, geteuid(), &why);
    if (kw_failed(e))
        kw_note_set(note, "the PKCS#11 module: %s", why.text);
    return e;
}

static kw_err look_at_token(const struct kw_look *look, struct kw_token_facts *ret_facts,
                            struct kw_note *note)
{
    struct kw_token *token = NULL;
    const struct kw_token_options options = {
        .module = look->module, .uri = look->uri, .pin = ""};
    kw_err e = kw_token_open(&options, &token, note);
    if (!kw_failed(e))
        *ret_facts = *kw_token_facts(token);
    kw_token_close(token);
    return e;
}

static kw_err see(void *shared, struct kw_note *note)
{
    struct sight *s = shared;
    kw_err e = look_at_module(s->look->module, note);
    for (size_t i = 0; !kw_failed(e) && i < KW_LOOK_PATHS; i++)
        if (s->look->paths[i] != NULL)
            e = kw_reach_folders(s->look->paths[i], note);
    if (!kw_failed(e) && s->look->uri != NULL)
        e = look_at_token(s->look, &s->facts, note);
    return e;
}

kw_err kw_look(const struct kw_look *look, struct kw_token_facts *ret_facts,
               struct kw_note *note)
{
    const struct kw_child child = {.uid = look->owner.uid,
                                   .gid = look->owner.gid,
                                   .env = look->env,
                                   .env_count = look->env_count};
    struct sight *s = kw_shared_new(sizeof *s);
    if (s == NULL)
        return kw_err_at(KW_CODE_NO_MEMORY, "mmap");
    s->look = look;
    kw_err e = kw_child_run(&child, see, s, note);
    if (!kw_failed(e) && look->uri != NULL)
        *ret_facts = s->facts;
    kw_shared_free(s, sizeof *s);
    return e;
}
