/* SPDX-License-Identifier: Apache-2.0 */
/* logs - a log in a folder of its own, and what stands in its files */
#ifndef KEYWARD_TESTS_AUDIT_LOGS_H
#define KEYWARD_TESTS_AUDIT_LOGS_H

#include <keyward/audit_log.h>

/* One at a time; a case sets what it wants before it opens. */
extern struct logs {
    char dir[64];
    char memory[96]; /* beside the folder; given to the log when remembers */
    bool remembers, reserves, is_lazy;
    bool keeps_lines;
    size_t taken;        /* bytes of lines that were taken */
    const char *name;    /* of its files; NULL: audit */
    const char *machine; /* 32 digits of hex, or NULL */
    uint64_t rotate_bytes;
    const struct kw_clock *clock;
    const struct kw_audit_disk *disk;
    struct kw_audit_log *log;
    struct kw_note note;
} logs;

#define LOGS_MACHINE "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

/* An empty folder; nothing is remembered. */
void logs_begin(void);
/* Folder and memory go, and the log is closed. */
void logs_end(void);
kw_err logs_open(struct kw_audit_log **ret);
void logs_close(void);
void logs_reopen(void);
kw_err logs_commit(size_t count);

/* Of a file in the folder; static, the last two. */
char *logs_path(const char *name);
/* The files' names in the order of their records: the running one is the last. */
size_t logs_names(char dst[16][64]);
bool logs_there_is(const char *name);
long logs_size(const char *name); /* -1: there is none */
void logs_append(const char *name, const char *text);
void logs_has_text(const char *name, const char *part);
/* Takes the lines that came into the log; the second: all that were taken are what stands in
 * the files, no more and in this order. */
void logs_take(void);
bool logs_taken_hold(void);
/* All files are one chain, whose kinds are these ("gsss f…": first letters), and whose head
 * is what the log says. */
void logs_chain_is(const char *kinds);

#endif
