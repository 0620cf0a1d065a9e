/* SPDX-License-Identifier: Apache-2.0 */
/* keyward state create - the state directory of a node that lost it, made again from the
 * keyring; what cannot be known is said aloud */
#include "cli.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <keyward/file.h>
#include <keyward/pin_source.h>
#include <keyward/state.h>

#include "child.h"
#include "context.h"
#include "held.h"
#include "next.h"
#include "place.h"
#include "trusted.h"

struct making {
    struct kw_placed made;
    const struct kw_cli *cli;
    const char *user, *operator_;
    struct kw_config *config;
    struct kw_keyring *ring;
    struct kw_blob bytes; /* of the keyring */
    struct kw_owner owner;
    struct kw_moment now;
    char who[64];
    bool has_activation, has_latch; /* their files were there: nothing of it is lost */
};

/* ---- whose is it to be? ---- */

static bool owner_at(const char *path, struct kw_owner *ret_owner)
{
    struct stat st;
    if (stat(path, &st) != 0)
        return false;
    *ret_owner = (struct kw_owner){st.st_uid, st.st_gid};
    return true;
}

static bool owner_of_pin(const struct kw_config *config, struct kw_owner *ret_owner)
{
    char path[KW_PATH_MAX];
    struct kw_note ignored;
    return !kw_failed(kw_pin_source_path(config->tokens[0].pin, path, &ignored)) &&
           owner_at(path, ret_owner);
}

static bool owner_of_sockets(const struct kw_config *config, struct kw_owner *ret_owner)
{
    char folder[KW_PATH_MAX];
    const char *socket =
        config->status != NULL ? config->status : config->classes[0].socket;
    kw_copy_str(folder, sizeof folder, kw_span_str(socket));
    char *slash = strrchr(folder, '/');
    if (slash == NULL || slash == folder)
        return false;
    *slash = '\0';
    return owner_at(folder, ret_owner);
}

/* The daemon's user: whose the PIN and the sockets' folder are.  They must agree. */
static kw_err find_owner(const struct making *m, struct kw_owner *ret_owner,
                         struct kw_note *note)
{
    struct kw_owner pin = {0}, sockets = {0};
    if (m->user != NULL || geteuid() != 0)
        return kw_place_owner(m->user, false, ret_owner, note);
    bool has_pin = owner_of_pin(m->config, &pin);
    bool has_sockets = owner_of_sockets(m->config, &sockets);
    if (!has_pin && !has_sockets) {
        kw_note_set(note, "nothing tells the daemon's user: neither a PIN file nor the "
                          "sockets' folder is there; name it with --user");
        return kw_err_at(KW_CODE_BAD_INPUT, "--user");
    }
    if (has_pin && has_sockets && pin.uid != sockets.uid) {
        kw_note_set(note,
                    "the PIN file belongs to uid %u and the sockets' folder to uid %u; "
                    "name the daemon's user with --user",
                    (unsigned)pin.uid, (unsigned)sockets.uid);
        return kw_err_at(KW_CODE_BAD_INPUT, "--user");
    }
    *ret_owner = has_pin ? pin : sockets;
    return KW_OK;
}

/* ---- may it be? ---- */

/* dst = the state directory's file. */
static void path_in(const struct making *m, const char *name, char dst[2 * KW_PATH_MAX])
{
    snprintf(dst, 2 * KW_PATH_MAX, "%s/%s", m->config->state, name);
}

/* What this node still remembers. */
struct remains {
    struct kw_marks marks;
    struct kw_activation act;
    struct kw_keyring *last;
};

static kw_err look_for_remains(const struct making *m, struct remains *ret,
                               struct kw_note *note)
{
    struct kw_state_dir *dir = NULL;
    struct kw_note ignored;
    *ret = (struct remains){.last = NULL};
    kw_err e = kw_state_open(m->config->state, &dir, note);
    if (e.code == KW_CODE_MISSING)
        return KW_OK;
    if (!kw_failed(e))
        e = kw_state_marks(dir, &ret->marks, note);
    if (!kw_failed(e))
        e = kw_state_activation(dir, &ret->act, note);
    if (!kw_failed(e) &&
        kw_failed(kw_state_last_keyring(dir, &ret->last, NULL, &ignored)))
        ret->last = NULL; /* then it is none */
    kw_state_close(dir);
    return e;
}

/* The way out, as every verb has it; without marks this one comes after each. */
static void add_cure(const struct making *m, const char *cure, bool has_marks,
                     struct kw_commands *next)
{
    static const char reload[] = "systemctl reload-or-restart keywardd";
    char config[KW_CLI_CONFIG_MAX];
    struct kw_commands all = {.len = 0};
    kw_cli_config(m->cli, config, sizeof config);
    kw_next_cure(cure, config, &all);
    for (char *rest = all.text, *line; (line = strsep(&rest, "\n")) != NULL;)
        if (!has_marks && strcmp(line, reload) == 0)
            kw_commands_add(next, "keyward state create%s", config);
        else if (line[0] != '\0')
            kw_commands_add(next, "%s", line);
}

/* There is none, or none that can be read; but the node remembers one.  -1: it does
 * not. */
static int lost_keyring(const struct making *m, bool damaged, const struct kw_note *why)
{
    struct remains r;
    struct kw_judgement j;
    struct kw_note note = {{0}};
    struct kw_commands next = {.len = 0};
    const struct kw_places places = {m->config->keyring, m->config->state};
    kw_err e = look_for_remains(m, &r, &note);
    if (kw_failed(e))
        return kw_fail(m->cli, e, &note);
    const struct kw_memory memory = {&r.marks, &r.act, r.last};
    if (damaged)
        kw_keyring_judge_damaged(why->text, m->config->domain, &memory, &places, &j);
    else
        kw_keyring_judge(NULL, m->config->domain, &memory, &places, &j);
    kw_keyring_give(r.last);
    if (r.marks.serial == 0 && r.act.n == 0 && !j.last_good)
        return -1;
    add_cure(m, j.cure, r.marks.serial != 0, &next);
    return kw_refuse_next(m->cli, j.why.text, next.text);
}

static void add_aside(const struct making *m, struct kw_commands *next)
{
    char aside[KW_PATH_MAX + 16];
    snprintf(aside, sizeof aside, "%s.refused", m->config->keyring);
    kw_commands_command(next,
                        (const char *const[]){"mv", m->config->keyring, aside, NULL});
}

static int no_keyring(const struct making *m, bool damaged, const struct kw_note *why)
{
    char config[KW_CLI_CONFIG_MAX], state[4 * KW_PATH_MAX + 3],
        text[sizeof why->text + 40];
    struct kw_commands next = {.len = 0};
    kw_cli_config(m->cli, config, sizeof config);
    kw_commands_add(&next, "# fetch the keyring from another node or a backup, as FROM:");
    kw_commands_install(&next, "FROM", m->config->keyring);
    kw_commands_add(&next, "keyward state create%s", config);
    kw_commands_add(
        &next,
        "# when the cluster never had one, or it is lost everywhere: then key create "
        "comes next, with --adopt KEY_ID for each key that is in the token:");
    if (damaged)
        add_aside(m, &next);
    (void)kw_shell_word(state, sizeof state, m->config->state);
    kw_commands_add(&next, "install -d -m 0700 -o %u -g %u %s", (unsigned)m->owner.uid,
                    (unsigned)m->owner.gid, state);
    if (!damaged)
        return kw_refuse_next(m->cli, why->text, next.text);
    snprintf(text, sizeof text, "%s; it cannot be read as a keyring", why->text);
    return kw_refuse_next(m->cli, text, next.text);
}

static int without_keyring(const struct making *m, bool damaged,
                           const struct kw_note *why)
{
    int code = lost_keyring(m, damaged, why);
    return code >= 0 ? code : no_keyring(m, damaged, why);
}

/* Whether the keyring follows from it cannot be told any more. */
static void say_spoilt(const char *path, struct kw_note *note)
{
    const struct kw_note why = *note;
    kw_note_set(note,
                "%.200s; it is no last good keyring to compare with: compare what "
                "lies in the keyring's place with another node's, then: mv %s "
                "%s.refused",
                why.text, path, path);
}

/* What the node remembers goes before what lies in the keyring's place. */
static kw_err nothing_to_lose(const struct making *m, struct kw_note *note)
{
    char path[2 * KW_PATH_MAX];
    struct kw_held last, now = {.ring = m->ring, .serial = m->ring->serial};
    struct stat st;
    path_in(m, "marks.json", path);
    if (stat(path, &st) == 0) {
        kw_note_set(note,
                    "%s is there already: this node remembers; keyward check says "
                    "whether all is well",
                    path);
        return kw_err_at(KW_CODE_DENIED, "state");
    }
    path_in(m, "keyring.json", path);
    if (stat(path, &st) != 0)
        return KW_OK;
    kw_err e = kw_held_file(path, &last, note);
    if (e.code == KW_CODE_BAD_INPUT)
        say_spoilt(path, note);
    if (kw_failed(e))
        return e;
    kw_copy_str(now.domain, sizeof now.domain, kw_span_str(m->ring->domain));
    kw_copy(now.sha256, sizeof now.sha256, kw_span_of(m->ring->sha256, 32));
    enum kw_relation is = kw_compare(&last, &now).is;
    kw_held_wipe(&last);
    if (is == KW_HELD_SAME || is == KW_HELD_BEHIND)
        return KW_OK;
    kw_note_set(note,
                "%s is the last keyring that this node took, and %s does not follow from "
                "it; put it back first: install -m 0644 %s %s.new && mv %s.new %s",
                path, m->config->keyring, path, m->config->keyring, m->config->keyring,
                m->config->keyring);
    return kw_err_at(KW_CODE_DENIED, "state");
}

/* ---- making ---- */

static kw_err state_create_remember(void *shared, struct kw_note *note)
{
    const struct making *m = shared;
    struct kw_state_dir *dir = NULL;
    kw_err e = kw_state_open(m->config->state, &dir, note);
    if (!kw_failed(e))
        e = kw_state_save_keyring(dir, kw_blob_peek(&m->bytes), note);
    if (!kw_failed(e))
        e = kw_state_rebuild(dir, m->ring, m->now, m->who, note);
    kw_state_close(dir);
    return e;
}

static bool has_file(const struct making *m, const char *name)
{
    char path[2 * KW_PATH_MAX];
    struct stat st;
    path_in(m, name, path);
    return stat(path, &st) == 0;
}

static kw_err make(struct making *m, struct kw_note *note)
{
    char operator_[64];
    m->has_activation = has_file(m, "activation.json");
    m->has_latch = has_file(m, "pin-latch.json");
    kw_err e = kw_operator_name(m->operator_, operator_, note);
    if (!kw_failed(e))
        e = kw_place_folder(&m->made, m->config->state, 0700, &m->owner, note);
    if (kw_failed(e))
        return e;
    snprintf(m->who, sizeof m->who, "%.30s, from serial %llu", operator_,
             (unsigned long long)m->ring->serial);
    m->now = kw_moment_now(&kw_clock_system);
    const struct kw_child child = {m->owner.uid, m->owner.gid, NULL, 0, 0};
    e = kw_child_run(&child, state_create_remember, m, note);
    if (kw_failed(e))
        kw_place_undo(&m->made);
    return e;
}

/* ---- telling ---- */

static void state_create_print(const struct making *m)
{
    char hex[13];
    kw_hex(hex, sizeof hex, kw_span_of(m->ring->sha256, 6));
    printf("%s: made again for uid %u, mode 0700\n"
           "known      %s as it lies there, serial %llu (sha256 %s...): an older one, or "
           "one of\n"
           "           another branch, is refused from now on; its versions are accepted "
           "here since now\n"
           "not known  whether that is the newest: what was put there before would not "
           "be noticed\n",
           m->config->state, (unsigned)m->owner.uid, m->config->keyring,
           (unsigned long long)m->ring->serial, hex);
    if (m->ring->active != 0 && !m->has_activation)
        printf(
            "not known  which version this node had activated by itself; it wraps with "
            "the baseline, %u\n",
            (unsigned)m->ring->active);
    if (!m->has_latch)
        puts("not known  whether the PIN works, or was refused: one login is tried");
}

static void state_create_add_next(const struct making *m, struct kw_commands *next)
{
    char config[KW_CLI_CONFIG_MAX];
    kw_cli_config(m->cli, config, sizeof config);
    kw_commands_add(next, "# FILE: what keyward status --json prints on another node:");
    kw_commands_command(next, (const char *const[]){"keyward", "keyring", "compare",
                                                    m->config->keyring, "--status",
                                                    "FILE", NULL});
    for (size_t i = 0; i < m->ring->count; i++) {
        const struct kw_version *v = &m->ring->versions[i];
        if (m->has_activation || v->n <= m->ring->active || v->state != KW_KEY_ACCEPTED)
            continue;
        kw_commands_add(next,
                        "# when this node had activated version %u by itself:", v->n);
        kw_commands_add(next, "keyward key activate %u --now%s", v->n, config);
    }
    kw_commands_add(next, "# then:");
    kw_commands_add(next, "keyward check%s", config);
    kw_commands_add(next, "systemctl reload-or-restart keywardd");
}

static json_t *not_known_json(const struct making *m)
{
    json_t *array = json_pack("[s]", "whether the keyring is the newest");
    if (!m->has_activation)
        json_array_append_new(array, json_string("this node's own activation"));
    if (!m->has_latch)
        json_array_append_new(array, json_string("whether the PIN works"));
    return array;
}

static int state_create_report(const struct making *m)
{
    char hex[65];
    struct kw_commands next = {.len = 0};
    kw_hex(hex, sizeof hex, kw_span_of(m->ring->sha256, 32));
    state_create_add_next(m, &next);
    if (!m->cli->json)
        state_create_print(m);
    return kw_done(m->cli,
                   json_pack("{s:b, s:s, s:i, s:I, s:s, s:i, s:o}", "ok", 1, "state",
                             m->config->state, "uid", (int)m->owner.uid, "serial",
                             (json_int_t)m->ring->serial, "sha256", hex, "baseline",
                             (int)m->ring->active, "not_known", not_known_json(m)),
                   next.text, KW_EXIT_GOOD);
}

static kw_err of_this_domain(const struct making *m, struct kw_note *note)
{
    if (strcmp(m->ring->domain, m->config->domain) == 0)
        return KW_OK;
    kw_note_set(note, "%s: its domain is \"%s\", the configuration's is \"%s\"",
                m->config->keyring, m->ring->domain, m->config->domain);
    return kw_err_at(KW_CODE_DENIED, "keyring domain");
}

/* What is remembered is served from there as the last good one. */
static kw_err load_keyring(struct making *m, struct kw_note *note)
{
    return kw_keyring_load_trusted(m->config->keyring, m->owner.uid, &m->ring, &m->bytes,
                                   note);
}

static int state_create_perform(struct making *m)
{
    struct kw_note note = {{0}};
    kw_err e = kw_config_load(m->cli->config, SIZE_MAX, &m->config, &note);
    if (!kw_failed(e))
        e = find_owner(m, &m->owner, &note);
    if (kw_failed(e))
        return kw_fail(m->cli, e, &note);
    int code = kw_trusted_config(m->cli, m->owner.uid);
    if (code >= 0)
        return code;
    e = load_keyring(m, &note);
    if (e.code == KW_CODE_DENIED)
        return kw_trusted_refuse(m->cli, &note, m->config->keyring);
    if (e.code == KW_CODE_MISSING || e.code == KW_CODE_BAD_INPUT)
        return without_keyring(m, e.code == KW_CODE_BAD_INPUT, &note);
    if (!kw_failed(e))
        e = of_this_domain(m, &note);
    if (!kw_failed(e))
        e = nothing_to_lose(m, &note);
    if (!kw_failed(e))
        e = make(m, &note);
    return kw_failed(e) ? kw_fail(m->cli, e, &note) : state_create_report(m);
}

int kw_verb_state_create(int argc, char **argv)
{
    struct kw_cli cli;
    struct making m = {.cli = &cli};
    const struct kw_option options[] = {
        {"user", "NAME",
         "the daemon's user (default: whose the PIN file and the sockets' folder are)",
         NULL, &m.user},
        {"operator", "NAME", "who does this (default: your login)", NULL, &m.operator_},
    };
    const struct kw_usage usage = {
        .verb = "state create",
        .operands = "",
        .summary = "Makes the state directory of a node that lost it: mode 0700, for the "
                   "daemon's "
                   "user,\nremembering the keyring that lies there.  It cannot know "
                   "whether that "
                   "is the newest\none, nor what this node had activated by itself, and "
                   "says so; "
                   "keyward check goes on\nsaying it.  Nothing that is remembered is "
                   "overwritten.",
        .options = options,
        .option_count = sizeof options / sizeof options[0],
    };
    int code = kw_cli_read(&usage, argc, argv, &cli);
    if (code >= 0)
        return code;
    code = state_create_perform(&m);
    kw_blob_wipe(&m.bytes);
    kw_keyring_give(m.ring);
    kw_config_free(m.config);
    return code;
}
