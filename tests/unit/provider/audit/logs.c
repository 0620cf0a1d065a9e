/* SPDX-License-Identifier: Apache-2.0 */
#include "logs.h"

#include <dirent.h>
#include <ftw.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include <keyward/alloc.h>
#include <keyward/file.h>

#include "check.h"

struct logs logs;
static char home[48]; /* with the folder and what is remembered */

#define H32 "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"

kw_err logs_open(struct kw_audit_log **ret)
{
    struct kw_audit_log_options o = {.dir = logs.dir,
                                     .name = logs.name,
                                     .clock = logs.clock,
                                     .disk = logs.disk,
                                     .memory = logs.remembers ? logs.memory : NULL,
                                     .rotate_bytes = logs.rotate_bytes,
                                     .is_lazy = logs.is_lazy,
                                     .reserves = logs.reserves,
                                     .keeps_lines = logs.keeps_lines};
    o.genesis[KW_AUDIT_GENESIS_NODE] = kw_audit_text("node-1");
    o.genesis[KW_AUDIT_GENESIS_BOOT] = kw_audit_text("unknown");
    o.genesis[KW_AUDIT_GENESIS_MACHINE] =
        logs.machine != NULL ? kw_audit_text(logs.machine) : KW_AUDIT_NULL;
    o.genesis[KW_AUDIT_GENESIS_VERSION] = kw_audit_text("0.1.0");
    o.genesis[KW_AUDIT_GENESIS_CONFIGURATION] = kw_audit_text(H32);
    o.genesis[KW_AUDIT_GENESIS_KEYRING] = KW_AUDIT_NULL;
    logs.note.text[0] = '\0';
    return kw_audit_log_open(&o, ret, &logs.note);
}

void logs_begin(void)
{
    logs = (struct logs){.disk = &kw_audit_disk_system, .clock = &kw_clock_system};
    snprintf(home, sizeof home, "/tmp/keyward-audit-XXXXXX");
    CHECK(mkdtemp(home) != NULL);
    snprintf(logs.dir, sizeof logs.dir, "%s/log", home);
    snprintf(logs.memory, sizeof logs.memory, "%s/audit-memory.json", home);
    CHECK(mkdir(logs.dir, 0750) == 0);
}

static int logs_remove(const char *path, const struct stat *st, int type,
                       struct FTW *where)
{
    (void)st;
    (void)type;
    (void)where;
    return remove(path);
}

void logs_end(void)
{
    logs_close();
    CHECK(nftw(home, logs_remove, 8, FTW_DEPTH | FTW_PHYS) == 0);
}

void logs_close(void)
{
    kw_audit_log_close(logs.log);
    logs.log = NULL;
}

void logs_reopen(void)
{
    logs_close();
    const kw_err e = logs_open(&logs.log);
    if (kw_failed(e))
        fail_msg("%s: %s", kw_code_name(e.code), logs.note.text);
}

char *logs_path(const char *name)
{
    static char path[2][192];
    static unsigned turn;
    char *at = path[turn++ % 2];
    snprintf(at, sizeof path[0], "%s/%s", logs.dir, name);
    return at;
}

kw_err logs_commit(size_t count)
{
    struct kw_audit_record r[8] = {{0}};
    for (size_t i = 0; i < count; i++) {
        r[i].kind = KW_AUDIT_STOP;
        r[i].value[KW_AUDIT_STOP_REASON] = kw_audit_text("test");
    }
    return kw_audit_log_commit(logs.log, r, count);
}

/* ---- what stands in the files ------------------------------------------------------------ */

static int logs_by_name(const void *a, const void *b)
{
    return strcmp(a, b);
}

size_t logs_names(char dst[16][64])
{
    const char *of = logs.name != NULL ? logs.name : "audit";
    char running[64];
    snprintf(running, sizeof running, "%s.jsonl", of);
    size_t n = 0;
    bool runs = false;
    DIR *d = opendir(logs.dir);
    CHECK(d != NULL);
    for (const struct dirent *e; (e = readdir(d)) != NULL;) {
        const char *dot = strrchr(e->d_name, '.');
        if (strcmp(e->d_name, running) == 0)
            runs = true;
        else if (dot != NULL && strcmp(dot, ".jsonl") == 0 &&
                 strncmp(e->d_name, of, strlen(of)) == 0)
            snprintf(dst[n++], 64, "%s", e->d_name);
    }
    closedir(d);
    qsort(dst, n, 64, logs_by_name);
    if (runs)
        snprintf(dst[n++], 64, "%s", running);
    return n;
}

void logs_chain_is(const char *kinds)
{
    static char name[16][64];
    struct kw_audit_chain chain = {0};
    struct kw_audit_head head;
    char got[256] = "";
    const size_t files = logs_names(name);
    for (size_t i = 0; i < files; i++) {
        char line[KW_AUDIT_LINE_MAX + 1];
        FILE *file = fopen(logs_path(name[i]), "re");
        CHECK(file != NULL);
        while (fgets(line, sizeof line, file) != NULL) {
            struct kw_audit_record r;
            const kw_span s = kw_span_of(line, strcspn(line, "\n"));
            if (kw_failed(kw_audit_chain_take(&chain, s, &r, &logs.note)))
                fail_msg("%s, after %s: %s", name[i], got, logs.note.text);
            const size_t len = strlen(got);
            snprintf(got + len, sizeof got - len, "%c", kw_audit_shape(r.kind)->name[0]);
        }
        fclose(file);
    }
    CHECK_STR(got, kinds);
    CHECK(chain.knows_its_beginning);
    kw_audit_log_head(logs.log, &head);
    assert_int_equal(head.next_seq, chain.next_seq);
    assert_memory_equal(head.hash, chain.head, KW_SHA256);
    assert_memory_equal(head.log, chain.log, KW_SHA256);
}

static char taken[1 << 20];

void logs_take(void)
{
    const size_t before = logs.taken;
    kw_dst dst = kw_dst_of(taken + before, sizeof taken - before);
    struct kw_audit_lines *next;
    for (struct kw_audit_lines *l = kw_audit_log_take_lines(logs.log); l; l = next) {
        next = l->next;
        CHECK(kw_dst_put(&dst, kw_dst_span(&l->text)));
        kw_free(l);
    }
    logs.taken = before + kw_dst_span(&dst).len;
}

bool logs_taken_hold(void)
{
    static char name[16][64];
    kw_span left = kw_span_of(taken, logs.taken);
    const size_t files = logs_names(name);
    for (size_t i = 0; i < files; i++) {
        struct kw_blob b = {0};
        CHECK_OK(kw_file_read(logs_path(name[i]), sizeof taken, &b, NULL));
        const size_t len = b.len;
        const bool same =
            len <= left.len && kw_span_equal(kw_blob_peek(&b), kw_span_of(left.ptr, len));
        kw_blob_wipe(&b);
        if (!same)
            return false;
        left = kw_span_of(left.ptr + len, left.len - len);
    }
    return left.len == 0;
}

void logs_has_text(const char *name, const char *part)
{
    struct kw_blob text = {0};
    CHECK_OK(kw_file_read(logs_path(name), 1 << 20, &text, NULL));
    if (memmem(text.ptr, text.len, part, strlen(part)) == NULL)
        fail_msg("%.*s has no %s", (int)text.len, (const char *)text.ptr, part);
    kw_blob_wipe(&text);
}

bool logs_there_is(const char *name)
{
    return access(logs_path(name), F_OK) == 0;
}

long logs_size(const char *name)
{
    struct stat st;
    return stat(logs_path(name), &st) == 0 ? (long)st.st_size : -1;
}

void logs_append(const char *name, const char *text)
{
    FILE *file = fopen(logs_path(name), "ae");
    CHECK(file != NULL && fputs(text, file) >= 0 && fclose(file) == 0);
}
