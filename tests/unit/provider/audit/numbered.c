/* SPDX-License-Identifier: Apache-2.0 */
#include "numbered.h"

#include <dirent.h>
#include <stdio.h>
#include <string.h>

#include <keyward/file.h>
#include <keyward/sha256.h>

#include "check.h"

struct numbered numbered;
static bool seen[NUMBERED_MOST];
static struct {
    uint8_t sha256[256][KW_SHA256];
    size_t count;
} torn; /* as records say */

bool numbered_is_not(const char *what, const char *detail)
{
    snprintf(numbered.wrong, sizeof numbered.wrong, "%s: %s", what, detail);
    return false;
}

static bool numbered_read(struct kw_audit_chain *chain, const char *path)
{
    char line[KW_AUDIT_LINE_MAX + 1];
    struct kw_audit_record r;
    struct kw_note note = {{0}};
    bool ok = true;
    FILE *file = fopen(path, "re");
    CHECK(file != NULL);
    while (ok && fgets(line, sizeof line, file) != NULL) {
        unsigned number = 0;
        const kw_span s = kw_span_of(line, strcspn(line, "\n"));
        if (kw_failed(kw_audit_chain_take(chain, s, &r, &note)))
            ok = numbered_is_not(path, note.text);
        else if (r.kind == KW_AUDIT_LOG_LOST)
            ok = numbered_is_not(path, "more was remembered than was there");
        else if (r.kind == KW_AUDIT_TORN && torn.count < 256)
            KW_MUST(kw_unhex(torn.sha256[torn.count++], KW_SHA256,
                             r.value[KW_AUDIT_TORN_SHA256].text));
        else if (r.kind == KW_AUDIT_STOP &&
                 sscanf((const char *)r.value[KW_AUDIT_STOP_REASON].text.ptr, "r-%u",
                        &number) == 1 &&
                 number < NUMBERED_MOST)
            seen[number] = true;
    }
    fclose(file);
    return ok;
}

static bool numbered_ends_with(const struct dirent *d, const char *end)
{
    const char *dot = strrchr(d->d_name, '.');
    return dot != NULL && strcmp(dot, end) == 0;
}

static int numbered_is_file(const struct dirent *d)
{
    return numbered_ends_with(d, ".jsonl");
}

static int numbered_is_torn(const struct dirent *d)
{
    return numbered_ends_with(d, ".torn");
}

static bool numbered_is_on_record(const char *path)
{
    uint8_t sha256[KW_SHA256];
    struct kw_blob text = {0};
    CHECK_OK(kw_file_read(path, 1 << 20, &text, NULL));
    CHECK_OK(kw_sha256(kw_blob_peek(&text), sha256));
    kw_blob_wipe(&text);
    for (size_t i = 0; i < torn.count; i++)
        if (memcmp(torn.sha256[i], sha256, KW_SHA256) == 0)
            return true;
    return numbered_is_not("no record names it", path);
}

static bool numbered_torn_hold(const char *dir)
{
    struct dirent **found;
    bool ok = true;
    const int count = scandir(dir, &found, numbered_is_torn, alphasort);
    for (int i = 0; i < count; i++) {
        char path[400];
        snprintf(path, sizeof path, "%s/%s", dir, found[i]->d_name);
        ok = ok && numbered_is_on_record(path);
        free(found[i]);
    }
    free(found);
    return ok;
}

static bool numbered_chain_holds(const char *dir)
{
    struct kw_audit_chain chain = {0};
    struct dirent **found;
    bool ok = true;
    memset(seen, 0, sizeof seen);
    torn.count = 0;
    const int count = scandir(dir, &found, numbered_is_file, alphasort);
    CHECK(count > 0);
    for (int i = 0; i < count; i++) {
        char path[400];
        snprintf(path, sizeof path, "%s/%s", dir, found[i]->d_name);
        ok = ok && numbered_read(&chain, path);
        free(found[i]);
    }
    free(found);
    return ok && (chain.knows_its_beginning || numbered_is_not(dir, "has no beginning"));
}

static bool numbered_are_there(void)
{
    const unsigned to = numbered.is_lazy ? numbered.remembered : numbered.records;
    for (unsigned i = 0; i < to; i++)
        if (numbered.committed[i] && !seen[i]) {
            char number[16];
            snprintf(number, sizeof number, "%u", i);
            return numbered_is_not("a committed record is not there", number);
        }
    return true;
}

kw_err numbered_commit(struct kw_audit_log *log, unsigned count)
{
    static char reason[NUMBERED_BATCH][16];
    struct kw_audit_record r[NUMBERED_BATCH] = {{0}};
    const unsigned first = numbered.records;
    for (unsigned i = 0; i < count; i++) {
        CHECK(numbered.records < NUMBERED_MOST);
        snprintf(reason[i], sizeof reason[i], "r-%u", numbered.records++);
        r[i].kind = KW_AUDIT_STOP;
        r[i].value[KW_AUDIT_STOP_REASON] = kw_audit_text(reason[i]);
    }
    const kw_err e = kw_audit_log_commit(log, r, count);
    for (unsigned i = 0; i < count && !kw_failed(e); i++)
        numbered.committed[first + i] = true;
    return e;
}

kw_err numbered_remember(struct kw_audit_log *log)
{
    const kw_err e = kw_audit_log_remember(log);
    if (!kw_failed(e))
        numbered.remembered = numbered.records;
    return e;
}

void numbered_cut(void)
{
    for (unsigned i = numbered.remembered; numbered.is_lazy && i < numbered.records; i++)
        numbered.committed[i] = false;
}

bool numbered_hold(const char *dir)
{
    return numbered_chain_holds(dir) && numbered_are_there() && numbered_torn_hold(dir);
}

void numbered_begin(void)
{
    memset(&numbered, 0, sizeof numbered);
}
