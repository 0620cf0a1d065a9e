/* SPDX-License-Identifier: Apache-2.0 */
#include "twin.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <keyward/file.h>

#include "folder.h"

enum { PATH_CAP = 512, OBJECT_MAX = 1 << 20, WORKERS = 2 };

const char *twin_name(unsigned token)
{
    static const char *const names[TWINS_MAX] = {TWIN_FIRST, TWIN_SECOND, TWIN_THIRD};
    return names[token];
}

/* ---- its serial number ------------------------------------------------------------- */

/* SoftHSM's file of a token: attribute (8 bytes), kind (8), length (8), value; the serial
 * is 16 digits. */
static void change_serial(const char *object, unsigned token)
{
    static const uint8_t head[] = {0, 0, 0, 0, 0x80, 0, 0x53, 0x4a, 0, 0, 0, 0,
                                   0, 0, 0, 3, 0,    0, 0,    0,    0, 0, 0, 16};
    struct kw_blob b = {0};
    struct stat st;
    CHECK_OK(kw_file_read(object, OBJECT_MAX, &b, NULL));
    const uint8_t *at = memmem(b.ptr, b.len, head, sizeof head);
    CHECK(at != NULL);
    at += sizeof head;
    const char digit = (char)('0' + (*at - '0' + token) % 10); /* a letter's, too */
    CHECK(stat(object, &st) == 0 && chmod(object, 0600) == 0);
    int fd = open(object, O_WRONLY | O_CLOEXEC);
    CHECK(fd >= 0 && pwrite(fd, &digit, 1, at - b.ptr) == 1);
    close(fd);
    CHECK(chmod(object, st.st_mode & 07777) == 0);
    kw_blob_wipe(&b);
}

static void tokens_of(const struct instance *h, unsigned token, char dst[PATH_CAP])
{
    snprintf(dst, PATH_CAP, "%s", h->tokens);
    if (token != FIRST)
        snprintf(dst, PATH_CAP, "%s-%u", h->tokens, token + 1);
}

/* Its only folder. */
static void folder_of(const struct instance *h, unsigned token, char dst[2 * PATH_CAP])
{
    char tokens[PATH_CAP];
    tokens_of(h, token, tokens);
    DIR *d = opendir(tokens);
    CHECK(d != NULL);
    dst[0] = '\0';
    for (struct dirent *e; (e = readdir(d)) != NULL;)
        if (e->d_name[0] != '.')
            snprintf(dst, 2 * PATH_CAP, "%s/%s", tokens, e->d_name);
    closedir(d);
    CHECK(dst[0] != '\0');
}

/* A copy with another serial number. */
static void make_twin(const struct instance *h, unsigned token)
{
    char tokens[PATH_CAP], folder[2 * PATH_CAP], object[2 * PATH_CAP + 16];
    tokens_of(h, token, tokens);
    folder_copy(h->tokens, tokens);
    folder_of(h, token, folder);
    snprintf(object, sizeof object, "%s/token.object", folder);
    change_serial(object, token);
}

void twin_share_serial(struct instance *h)
{
    char folder[2 * PATH_CAP], object[2 * PATH_CAP + 16];
    folder_of(h, SECOND, folder);
    snprintf(object, sizeof object, "%s/token.object", folder);
    CHECK(chmod(folder, 0700) == 0 && unlink(object) == 0);
    twin_clone_again(h);
}

void twin_clone_again(struct instance *h)
{
    char tokens[PATH_CAP];
    for (unsigned token = SECOND; token < TWINS_MAX; token++) {
        tokens_of(h, token, tokens);
        if (access(tokens, F_OK) == 0) /* as many as were made */
            folder_copy(h->tokens, tokens);
    }
}

/* ---- the configuration ------------------------------------------------------------- */

static void control_path(const struct instance *h, unsigned token, char dst[PATH_CAP])
{
    snprintf(dst, PATH_CAP, "%s/twin/control-%u", h->dir, token);
}

void twin_fault_set(struct instance *h, unsigned token, const char *control)
{
    char path[PATH_CAP];
    control_path(h, token, path);
    CHECK_OK(kw_file_replace(path, kw_span_str(control), 0644, NULL));
}

static void write_conf(const struct instance *h, unsigned token, char ret_path[PATH_CAP])
{
    char text[PATH_CAP * 2], tokens[PATH_CAP];
    tokens_of(h, token, tokens);
    snprintf(ret_path, PATH_CAP, "%s/twin/softhsm2-%u.conf", h->dir, token);
    snprintf(text, sizeof text,
             "directories.tokendir = %s\nobjectstore.backend = file\nlog.level = ERROR\n"
             "slots.removable = false\n",
             tokens);
    CHECK_OK(kw_file_replace(ret_path, kw_span_str(text), 0644, NULL));
}

static void calls_path(const struct instance *h, unsigned token, char dst[PATH_CAP])
{
    snprintf(dst, PATH_CAP, "%s/twin/calls-%u", h->dir, token);
}

/* Empty, and the daemon's to write. */
static void begin_calls(const struct instance *h, unsigned token, char ret_env[PATH_CAP])
{
    char path[PATH_CAP];
    calls_path(h, token, path);
    CHECK_OK(kw_file_replace(path, kw_span_str(""), 0600, NULL));
    CHECK(chown(path, h->uid, (gid_t)-1) == 0);
    snprintf(ret_env, PATH_CAP, "KW_FAULT_LOG: %.200s, ", path);
}

/* What the entries of all tokens begin with. */
struct entry {
    char module[PATH_CAP], fault[512];
    const struct twin_shape *shape;
};

static void write_entry(struct instance *h, unsigned token, const struct entry *e,
                        char *dst, size_t cap)
{
    char conf[PATH_CAP], control[PATH_CAP], calls[PATH_CAP] = "";
    write_conf(h, token, conf);
    control_path(h, token, control);
    twin_fault_set(h, token, "");
    if (e->shape->calls)
        begin_calls(h, token, calls);
    CHECK((size_t)snprintf(dst, cap,
                           "    - uri: \"pkcs11:token=keyward\"\n"
                           "      module: %s\n"
                           "      pin: file:%s\n"
                           "      workers: %u\n"
                           "      sessions: %u\n"
                           "      env: {KW_FAULT_MODULE: %s, KW_FAULT_CONTROL: %s, "
                           "%sSOFTHSM2_CONF: %s}\n",
                           e->fault, h->pin, e->shape->workers, e->shape->sessions,
                           e->module, control, calls, conf) < cap);
}

/* The first token's entry as init wrote it becomes those of all. */
static void write_tokens(struct instance *h, const struct twin_shape *shape)
{
    struct entry e = {.shape = shape};
    char *config = instance_read(h->config), entries[8192] = "", old[PATH_CAP * 4];
    instance_value(h, "      module: ", e.module, sizeof e.module);
    char *begin = strstr(config, "    - uri: "), *end = strstr(config, "classes:");
    CHECK(begin != NULL && end != NULL);
    instance_lend(h, KW_FAULT_PATH, "twin/fault.so", e.fault);
    for (unsigned i = 0; i < shape->tokens; i++) {
        size_t len = strlen(entries);
        write_entry(h, i, &e, entries + len, sizeof entries - len);
    }
    snprintf(old, sizeof old, "%.*s", (int)(end - begin), begin);
    instance_edit(h, old, entries);
    free(config);
}

void twin_make_many(struct instance *h, const struct twin_shape *shape)
{
    char path[PATH_CAP], text[64];
    CHECK(shape->tokens <= TWINS_MAX);
    snprintf(path, sizeof path, "%s/twin", h->dir);
    CHECK(mkdir(path, 0755) == 0);
    for (unsigned token = SECOND; token < shape->tokens; token++)
        make_twin(h, token);
    write_tokens(h, shape);
    snprintf(text, sizeof text, "  order: %s\n  tokens:\n", shape->order);
    instance_edit(h, "  tokens:\n", text);
    instance_edit(h, "entries: 1024", "entries: 0");
    instance_edit(h, "entries: 4096", "entries: 0");
    instance_edit(h, "{level: debug}", "{level: info}");
}

void twin_make(struct instance *h, const char *order)
{
    twin_make_many(h,
                   &(struct twin_shape){.order = order, .tokens = 2, .workers = WORKERS});
}

unsigned twin_logins(struct instance *h, unsigned token)
{
    char path[PATH_CAP], *line = NULL;
    size_t cap = 0;
    unsigned begun = 0, ended = 0;
    calls_path(h, token, path);
    FILE *f = fopen(path, "re");
    CHECK(f != NULL);
    while (getline(&line, &cap, f) > 0) {
        begun += strncmp(line, "> C_Login ", 10) == 0;
        ended += strncmp(line, "< C_Login ", 10) == 0;
        if (begun > ended + 1)
            fail_msg("two logins at once to token %s: %s", twin_name(token), line);
    }
    free(line);
    CHECK(fclose(f) == 0);
    return begun;
}

/* ---- accidents --------------------------------------------------------------------- */

#define ALL_WORK(what)                                                                   \
    "C_OpenSession " what "\nC_EncryptInit " what "\nC_Encrypt " what                    \
    "\nC_DecryptInit " what "\nC_Decrypt " what "\n"

void twin_pull_out(struct instance *h, unsigned token)
{
    twin_fault_set(h, token, ALL_WORK("rv=0x32")); /* CKR_DEVICE_REMOVED */
}

void twin_be_honest(struct instance *h, unsigned token)
{
    twin_fault_set(h, token, "");
}

static void twin_rename(struct instance *h, unsigned token, bool away)
{
    char there[PATH_CAP], gone[PATH_CAP + 8];
    tokens_of(h, token, there);
    snprintf(gone, sizeof gone, "%s.away", there);
    CHECK(rename(away ? there : gone, away ? gone : there) == 0);
}

void twin_away(struct instance *h, unsigned token)
{
    twin_rename(h, token, true);
}

void twin_back(struct instance *h, unsigned token)
{
    twin_rename(h, token, false);
}

/* ---- workers ----------------------------------------------------------------------- */

struct found {
    size_t all, ready;
    pid_t pids[16]; /* of those that are ready */
};

static struct found find_workers(struct instance *h, unsigned token)
{
    static char doc[65536];
    char head[64];
    struct found found = {0};
    instance_status(h, doc, sizeof doc);
    const char *at = strstr(doc, "\"workers\":"), *end = strstr(doc, "\"jobs\":");
    CHECK(at != NULL && end != NULL);
    doc[end - doc] = '\0';
    snprintf(head, sizeof head, "{\"token\":\"%s\",\"pid\":", twin_name(token));
    while ((at = strstr(at, head)) != NULL && found.ready < 16) {
        char *rest;
        pid_t pid = (pid_t)strtol(at + strlen(head), &rest, 10);
        found.all++;
        if (strncmp(rest, ",\"state\":\"ready\"", 16) == 0)
            found.pids[found.ready++] = pid;
        at = rest;
    }
    return found;
}

void twin_await_workers(struct instance *h, unsigned token, size_t want)
{
    for (;;) {
        size_t mark = instance_mark(h);
        struct found found = find_workers(h, token);
        if (found.all == want && found.ready == want)
            return;
        instance_await(h, mark, NULL, NULL);
    }
}

void twin_signal_workers(struct instance *h, unsigned token, int signo)
{
    struct found found = find_workers(h, token);
    for (size_t i = 0; i < found.ready; i++)
        kill(found.pids[i], signo); /* one that ended meanwhile is as good */
}

void twin_await_status(struct instance *h, int want, const char *text)
{
    char out[16384];
    for (;;) {
        size_t mark = instance_mark(h);
        int status = instance_tool(h, out, sizeof out, "status", NULL);
        if (status == want && (text == NULL || strstr(out, text) != NULL))
            return;
        print_message("  keyward status: %d, not yet %d with \"%s\":\n%s", status, want,
                      text != NULL ? text : "", out);
        instance_await(h, mark, NULL, NULL);
    }
}
