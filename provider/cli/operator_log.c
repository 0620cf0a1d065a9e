/* SPDX-License-Identifier: Apache-2.0 */
/* The tool's own log: who, what, of which key, and what came of it. */
#include "operator_log.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <keyward/audit_log.h>
#include <keyward/audit_node.h>
#include <keyward/moment.h>

#include "child.h"
#include "commands.h"
#include "login.h"

#define LOG_NAME "operator"

enum {
    TICKET_MAX = 64,
    TRIES = 250, /* while another tool writes, which takes it milliseconds */
    BETWEEN_MS = 20,
};

/* Beside the daemon's own log, or with all else that this node remembers. */
static const char *operator_folder(const struct kw_operator_act *act)
{
    return act->config->audit_dir != NULL ? act->config->audit_dir : act->config->state;
}

/* ---- what is written ---- */

/* All that the child needs: it is another user, and looks at nothing else. */
struct entry {
    struct kw_audit_log_options options;
    struct kw_audit_record record;
    struct kw_audit_node node;
    char key_id[KW_AUDIT_NAME];
};

static bool operator_is_said(uint8_t c)
{
    return c < 0x80 && kw_is_printable_char(c) && c != '"' && c != '\\';
}

int kw_operator_ticket(const char *verb, const char *ticket)
{
    const kw_span text = kw_span_str(ticket != NULL ? ticket : "-");
    if (text.len >= 1 && text.len <= TICKET_MAX && kw_span_all(text, operator_is_said))
        return -1;
    return kw_usage_error(verb,
                          "--ticket: it wants 1 to %d printable characters of ASCII "
                          "without \" and \\",
                          TICKET_MAX);
}

static struct kw_audit_value operator_text(const char *text)
{
    return text != NULL && text[0] != '\0' ? kw_audit_text(text) : KW_AUDIT_NULL;
}

/* Of the login that all this came from; su and sudo leave it as it is (pam_loginuid(8)). */
static struct kw_audit_value operator_login(void)
{
    char text[16], *end = text;
    int fd = open("/proc/self/loginuid", O_RDONLY | O_CLOEXEC);
    ssize_t n = fd >= 0 ? read(fd, text, sizeof text - 1) : -1;
    if (fd >= 0)
        close(fd);
    text[n > 0 ? n : 0] = '\0';
    const unsigned long uid = strtoul(text, &end, 10);
    const bool is_known = end != text && uid < UINT32_MAX;
    return is_known ? kw_audit_number(uid) : KW_AUDIT_NULL;
}

static kw_err operator_entry(const struct kw_operator_act *act, const char *outcome,
                             struct entry *x, struct kw_note *note)
{
    struct kw_audit_value *v = x->record.value;
    *x = (struct entry){.options = {.dir = operator_folder(act),
                                    .name = LOG_NAME,
                                    .clock = &kw_clock_system,
                                    .disk = &kw_audit_disk_system},
                        .record = {.kind = KW_AUDIT_OPERATOR}};
    kw_err e = kw_audit_node_read(act->cli->config, act->config->keyring, &x->node, note);
    kw_audit_node_genesis(&x->node, x->options.genesis);
    if (!kw_failed(e) && act->key_id != NULL)
        e = kw_audit_name(KW_AUDIT_KEY_ID, kw_span_str(act->key_id), x->key_id);
    v[KW_AUDIT_OPERATOR_ACT] = kw_audit_text(act->act);
    v[KW_AUDIT_OPERATOR_KEY_ID] = operator_text(x->key_id);
    v[KW_AUDIT_OPERATOR_UID] = kw_audit_number(getuid());
    v[KW_AUDIT_OPERATOR_LOGIN_UID] = operator_login();
    v[KW_AUDIT_OPERATOR_TICKET] = operator_text(act->ticket);
    v[KW_AUDIT_OPERATOR_OUTCOME] = kw_audit_text(outcome);
    return e;
}

/* ---- writing ---- */

static kw_err operator_append(void *shared, struct kw_note *note)
{
    struct entry *x = shared;
    struct kw_audit_log *log = NULL;
    kw_err e = kw_audit_log_open(&x->options, &log, note);
    for (int i = 0; i < TRIES && e.code == KW_CODE_BUSY; i++) {
        (void)poll(NULL, 0, BETWEEN_MS);
        e = kw_audit_log_open(&x->options, &log, note);
    }
    if (kw_failed(e))
        return e;
    e = kw_audit_log_commit(log, &x->record, 1);
    kw_audit_log_close(log);
    return e;
}

static kw_err operator_record(const struct kw_operator_act *act, const char *outcome,
                              struct kw_note *note)
{
    struct entry x;
    struct kw_owner owner = {0};
    kw_err e = kw_owner_of(act->config, &owner, note);
    if (!kw_failed(e))
        e = operator_entry(act, outcome, &x, note);
    if (kw_failed(e))
        return e;
    const struct kw_child child = {.uid = owner.uid, .gid = owner.gid, .stays = true};
    return kw_child_run(&child, operator_append, &x, note);
}

/* ---- before and after ---- */

static void operator_way_out(const struct kw_operator_act *act, kw_err e,
                             struct kw_commands *next)
{
    char file[KW_PATH_MAX + 32], aside[KW_PATH_MAX + 48];
    if (e.code == KW_CODE_BUSY) {
        kw_commands_when(next, "when the other one has ended, say it again");
        return;
    }
    if (e.code == KW_CODE_MISSING || e.code == KW_CODE_DENIED)
        return; /* the note says what to make, or whose it must be */
    snprintf(file, sizeof file, "%s/" LOG_NAME ".jsonl", operator_folder(act));
    snprintf(aside, sizeof aside, "%s.aside", file);
    kw_commands_when(next, "make room and say it again; a file that is damaged is "
                           "evidence, and a new log begins without it:");
    /* The folder is another user's: not into one that a link of his leads to. */
    kw_commands_command(next, (const char *const[]){"mv", "-nT", file, aside, NULL});
}

int kw_operator_begin(const struct kw_operator_act *act)
{
    struct kw_note why = {{0}}, note;
    struct kw_commands next = {.len = 0};
    kw_err e = operator_record(act, "begun", &why);
    if (!kw_failed(e))
        return -1;
    kw_note_set(&note,
                "%s/" LOG_NAME ".jsonl: the act cannot be put on record, so "
                "nothing was done: %s",
                operator_folder(act), why.text[0] != '\0' ? why.text : e.where);
    operator_way_out(act, e, &next);
    return kw_fail_with(act->cli, e, &note, next.text, NULL, NULL);
}

void kw_operator_end(struct kw_operator_act *act, kw_err e)
{
    struct kw_note why = {{0}}, note;
    const bool is_done = !kw_failed(e) || kw_file_is_written(e);
    kw_err noted = operator_record(act, is_done ? "done" : "failed", &why);
    act->is_unnoted = kw_failed(noted);
    if (!act->is_unnoted)
        return;
    kw_note_set(&note, "%s/" LOG_NAME ".jsonl: that the act %s is not on record: %s",
                operator_folder(act), is_done ? "was done" : "failed",
                why.text[0] != '\0' ? why.text : noted.where);
    fprintf(stderr, "keyward: %s\n", note.text);
}

int kw_operator_code(const struct kw_operator_act *act, int code)
{
    return act->is_unnoted && code == KW_EXIT_GOOD ? KW_EXIT_BLIND : code;
}
