/* SPDX-License-Identifier: Apache-2.0 */
/* Laying out what the key verbs work on. */
#include "context.h"

#include <limits.h>
#include <pwd.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <keyward/clock.h>
#include <keyward/file.h>

#include "next.h"
#include "trusted.h"

/* Whom the daemon trusts besides root: its own user.  Without a state directory root does
 * not know that one; then nothing is changed anyway. */
static bool daemon_uid(const struct kw_context *context, uid_t *ret_uid)
{
    struct kw_owner owner = {.uid = geteuid()};
    struct kw_note ignored;
    if (kw_failed(kw_owner_of(context->config, &owner, &ignored)) && owner.uid == 0)
        return false;
    *ret_uid = owner.uid;
    return true;
}

static void doubt_config(struct kw_context *context, const char *path)
{
    uid_t uid = 0;
    struct kw_note why;
    if (!daemon_uid(context, &uid) || !kw_failed(kw_file_judge(path, uid, &why)))
        return;
    context->doubt = why;
    context->doubts_config = true;
}

bool kw_context_is_keyring(const struct kw_context *context, const char *path)
{
    char a[PATH_MAX], b[PATH_MAX];
    return realpath(path, a) != NULL && realpath(context->config->keyring, b) != NULL &&
           strcmp(a, b) == 0;
}

/* What lies there and is no keyring is judged as that. */
static kw_err load_ring(struct kw_context *context, const char *path,
                        struct kw_note *note)
{
    uid_t uid = 0;
    kw_err e = kw_err_at(KW_CODE_DENIED, "file owner");
    if (path != NULL && !kw_context_is_keyring(context, path))
        return kw_keyring_load(path, &context->ring, NULL, note);
    path = context->config->keyring;
    bool known = daemon_uid(context, &uid);
    if (known)
        e = kw_keyring_load_trusted(path, uid, &context->ring, NULL, note);
    if (e.code == KW_CODE_DENIED) {
        if (known && !context->doubts_config)
            context->doubt = *note;
        e = kw_keyring_load(path, &context->ring, NULL, note);
    }
    if (e.code == KW_CODE_BAD_INPUT)
        context->damage = *note;
    return e.code == KW_CODE_MISSING || e.code == KW_CODE_BAD_INPUT ? KW_OK : e;
}

/* An ordinary user is told who may look, not to take the folder for itself. */
static kw_err own_state(struct kw_context *context)
{
    struct kw_owner owner = {0};
    struct kw_note ignored;
    if (geteuid() == 0 || kw_failed(kw_owner_of(context->config, &owner, &ignored)) ||
        owner.uid == geteuid())
        return KW_OK;
    context->stranger = true;
    kw_note_set(&context->state_why,
                "%s is for uid %u alone, and this is uid %u: run keyward as root or as "
                "that user",
                context->config->state, (unsigned)owner.uid, (unsigned)geteuid());
    return kw_err_at(KW_CODE_DENIED, "state");
}

static void judge_ring(struct kw_context *context)
{
    const struct kw_memory memory = {&context->marks, &context->act, context->last};
    const struct kw_places places = {context->config->keyring, context->config->state};
    const char *domain = context->config->domain;
    if (context->damage.text[0] != '\0')
        kw_keyring_judge_damaged(context->damage.text, domain, &memory, &places,
                                 &context->judgement);
    else if (!kw_failed(context->state_err))
        kw_keyring_judge(context->ring, domain, &memory, &places, &context->judgement);
}

static void context_read_state(struct kw_context *context)
{
    struct kw_state_dir *dir = NULL;
    struct kw_note ignored;
    kw_err e = own_state(context);
    if (!kw_failed(e))
        e = kw_state_open(context->config->state, &dir, &context->state_why);
    if (!kw_failed(e))
        e = kw_state_marks(dir, &context->marks, &context->state_why);
    if (!kw_failed(e))
        e = kw_state_activation(dir, &context->act, &context->state_why);
    if (!kw_failed(e))
        context->last_err = kw_state_last_keyring(dir, &context->last, NULL, &ignored);
    kw_state_close(dir);
    context->state_err = e;
    judge_ring(context);
}

/* A killed ceremony leaves a token open: not longer than to the next verb. */
static void mend_seals(struct kw_context *context)
{
    struct kw_note ignored;
    for (size_t i = 0; i < context->config->token_count; i++)
        context->seal[i] =
            kw_window_mend(context->config, &context->config->tokens[i], &ignored);
}

static kw_err context_open_path(const struct kw_cli *cli, const char *path,
                                struct kw_context *context, struct kw_note *note)
{
    *context = (struct kw_context){0};
    kw_err e = kw_config_load(cli->config, SIZE_MAX, &context->config, note);
    if (kw_failed(e))
        return e;
    doubt_config(context, cli->config);
    if (!context->doubts_config)
        mend_seals(context);
    e = load_ring(context, path, note);
    if (!kw_failed(e))
        context_read_state(context);
    return e;
}

kw_err kw_context_open(const struct kw_cli *cli, struct kw_context *context,
                       struct kw_note *note)
{
    return context_open_path(cli, NULL, context, note);
}

kw_err kw_context_open_with(const struct kw_cli *cli, const char *path,
                            struct kw_context *context, struct kw_note *note)
{
    return context_open_path(cli, path, context, note);
}

void kw_context_close(struct kw_context *context)
{
    kw_keyring_give(context->ring);
    kw_keyring_give(context->last);
    kw_config_free(context->config);
    *context = (struct kw_context){0};
}

uint32_t kw_context_active(const struct kw_context *context)
{
    return kw_failed(context->state_err) ? 0 : context->judgement.active;
}

kw_err kw_context_version(const struct kw_context *context, uint32_t n,
                          const struct kw_version **ret_version, struct kw_note *note)
{
    const struct kw_version *v =
        context->ring != NULL ? kw_keyring_by_n(context->ring, n) : NULL;
    if (context->ring == NULL && context->judgement.refusal != KW_ADMITTED) {
        kw_note_set(note, "%s", context->judgement.why.text);
        return kw_err_at(KW_CODE_UNKNOWN_KEY, "N");
    }
    if (v == NULL) {
        kw_note_set(note, "%s %s version %u; see keyward key list",
                    context->config->keyring,
                    context->ring != NULL ? "has no" : "does not exist, so there is no",
                    (unsigned)n);
        return kw_err_at(KW_CODE_UNKNOWN_KEY, "N");
    }
    *ret_version = v;
    return KW_OK;
}

int kw_context_refuse(const struct kw_cli *cli, const struct kw_context *context)
{
    char config[KW_CLI_CONFIG_MAX];
    struct kw_commands next = {.len = 0};
    kw_cli_config(cli, config, sizeof config);
    kw_next_cure(context->judgement.cure, config, &next);
    return kw_refuse_next(cli, context->judgement.why.text, next.text);
}

/* Without its memory a node could be given an older keyring. */
int kw_context_remembers(const struct kw_cli *cli, const struct kw_context *context)
{
    char config[KW_CLI_CONFIG_MAX];
    struct kw_commands next = {.len = 0};
    if (!kw_failed(context->state_err))
        return -1;
    if (context->state_err.code != KW_CODE_MISSING)
        return kw_fail(cli, context->state_err, &context->state_why);
    kw_cli_config(cli, config, sizeof config);
    kw_commands_add(&next, "# it is made again by:");
    kw_commands_add(&next, "keyward state create%s", config);
    return kw_fail_with(cli, context->state_err, &context->state_why, next.text, NULL,
                        NULL);
}

int kw_context_trusts(const struct kw_cli *cli, const struct kw_context *context)
{
    if (context->doubt.text[0] == '\0')
        return -1;
    return kw_trusted_refuse(cli, &context->doubt,
                             context->doubts_config ? NULL : context->config->keyring);
}

int kw_context_may(const struct kw_cli *cli, const struct kw_context *context,
                   enum kw_act act, uint32_t n)
{
    struct kw_note note = {{0}};
    int code = kw_context_remembers(cli, context);
    if (code < 0)
        code = kw_context_trusts(cli, context);
    if (code >= 0)
        return code;
    kw_err e = kw_act_may(act, n, context->ring, &context->judgement, &note);
    if (!kw_failed(e))
        return -1;
    if (strcmp(note.text, context->judgement.why.text) == 0)
        return kw_context_refuse(cli, context);
    return kw_fail(cli, e, &note);
}

kw_err kw_context_facts(const char *operator_, struct kw_act_facts *ret_facts,
                        struct kw_note *note)
{
    struct kw_act_facts f = {{0}};
    kw_time_text(f.at, kw_wall_ns(&kw_clock_system));
    snprintf(f.tool, sizeof f.tool, "keyward %s", KW_VERSION);
    kw_err e = kw_operator_name(operator_, f.by, note);
    if (!kw_failed(e))
        *ret_facts = f;
    return e;
}

kw_err kw_context_save(const struct kw_context *context, struct kw_keyring *changed,
                       struct kw_note *note)
{
    return kw_keyring_save(context->config->keyring, changed,
                           context->ring != NULL ? context->ring->sha256 : NULL, note);
}

struct act_job {
    const char *state;
    struct kw_activation act;
};

static kw_err context_record(void *shared, struct kw_note *note)
{
    struct act_job *job = shared;
    struct kw_state_dir *dir = NULL;
    kw_err e = kw_state_open(job->state, &dir, note);
    if (!kw_failed(e))
        e = kw_state_activate(dir, &job->act, note);
    kw_state_close(dir);
    return e;
}

struct kw_moment kw_context_since(const struct kw_context *context, uint32_t n)
{
    struct kw_marks marks = context->marks;
    (void)kw_marks_raise(&marks, context->ring, 0, KW_NO_MOMENT);
    return kw_marks_of(&marks, n)->since;
}

kw_err kw_context_activate(const struct kw_context *context,
                           const struct kw_activation *act, struct kw_note *note)
{
    struct kw_owner owner = {0};
    struct act_job job = {context->config->state, *act};
    kw_err e = kw_owner_of(context->config, &owner, note);
    if (kw_failed(e))
        return e;
    const struct kw_child child = {owner.uid, owner.gid, NULL, 0, 0};
    return kw_child_run(&child, context_record, &job, note);
}

kw_err kw_operator_name(const char *given, char dst[64], struct kw_note *note)
{
    char login[64] = "";
    const struct passwd *pw = NULL;
    if (given == NULL && getlogin_r(login, sizeof login) != 0) {
        pw = getpwuid(getuid());
        given = pw != NULL ? pw->pw_name : "unknown";
    }
    kw_span name = kw_span_str(given != NULL ? given : login);
    char copy[64];
    if (name.len == 0 || !kw_is_printable_text(name) ||
        !kw_copy_str(copy, sizeof copy, name)) {
        kw_note_set(note, "--operator: 1 to 63 bytes of printable text");
        return kw_err_at(KW_CODE_BAD_INPUT, "--operator");
    }
    kw_copy_str(dst, 64, kw_span_str(copy));
    return KW_OK;
}

kw_err kw_context_token(const struct kw_context *context, const char *name,
                        const struct kw_config_token **ret_token, struct kw_note *note)
{
    const struct kw_config *config = context->config;
    for (size_t i = 0; i < config->token_count; i++)
        if (name == NULL || strcmp(config->tokens[i].name, name) == 0) {
            *ret_token = &config->tokens[i];
            return KW_OK;
        }
    kw_note_set(note, "the configuration has no token '%s'", name != NULL ? name : "");
    return kw_err_at(KW_CODE_MISSING, "--token");
}
