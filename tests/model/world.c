/* SPDX-License-Identifier: Apache-2.0 */
/* world - the folder of a history, its dice and its story */
#include "model.h"

#include <dirent.h>
#include <malloc.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <keyward/alloc.h>

struct reach reach;

/* ---- dice ---- */

uint32_t pick(struct world *w, uint32_t below)
{
    uint64_t z = (w->dice += UINT64_C(0x9e3779b97f4a7c15));
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return (uint32_t)((z ^ (z >> 31)) >> 33) % below;
}

bool chance(struct world *w, uint32_t percent)
{
    return pick(w, 100) < percent;
}

/* ---- the story ---- */

static void append(struct world *w, const char *text, size_t len)
{
    if (w->story_len + len + 2 > w->story_cap) {
        size_t cap = 2 * w->story_cap + len + 4096;
        char *more = realloc(w->story, cap);
        if (more == NULL)
            return;
        w->story = more;
        w->story_cap = cap;
    }
    memcpy(w->story + w->story_len, text, len);
    w->story_len += len;
    w->story[w->story_len++] = '\n';
    w->story[w->story_len] = '\0';
}

void say(struct world *w, const char *fmt, ...)
{
    char line[1400];
    va_list args;
    va_start(args, fmt);
    int n = vsnprintf(line, sizeof line, fmt, args);
    va_end(args);
    append(w, line, n < (int)sizeof line ? (size_t)n : sizeof line - 1);
}

void broke(struct world *w, const char *fmt, ...)
{
    va_list args;
    if (w->broken[0] != '\0')
        return;
    va_start(args, fmt);
    vsnprintf(w->broken, sizeof w->broken, fmt, args);
    va_end(args);
    say(w, "!! %s", w->broken);
}

struct kw_moment world_now(const struct world *w)
{
    return (struct kw_moment){"model", w->now_ns, w->now_ns};
}

void world_time(const struct world *w, char dst[KW_TIME_TEXT])
{
    kw_time_text(dst, w->now_ns);
}

/* ---- raw files ---- */

struct kw_blob raw_read(const char *path)
{
    struct kw_blob b = {0};
    FILE *f = fopen(path, "re");
    if (f == NULL)
        return b;
    KW_INVARIANT(fseek(f, 0, SEEK_END) == 0);
    b.len = (size_t)ftell(f);
    rewind(f);
    b.ptr = kw_new(b.len, 1);
    KW_INVARIANT(b.ptr != NULL && fread(b.ptr, 1, b.len, f) == b.len);
    fclose(f);
    return b;
}

struct kw_blob raw_state(const struct node *node, const char *name)
{
    char path[192];
    snprintf(path, sizeof path, "%s/%s", node->state, name);
    return raw_read(path);
}

void raw_write(const char *path, kw_span bytes)
{
    FILE *f = fopen(path, "we");
    KW_INVARIANT(f != NULL && fwrite(bytes.ptr, 1, bytes.len, f) == bytes.len);
    KW_INVARIANT(fclose(f) == 0);
}

bool raw_same(const struct kw_blob *a, const struct kw_blob *b)
{
    return (a->ptr == NULL) == (b->ptr == NULL) &&
           kw_span_equal(kw_blob_peek(a), kw_blob_peek(b));
}

void judge_write(struct world *w, const struct node *node, const char *name,
                 const struct kw_blob *before, kw_err e)
{
    struct kw_blob now = raw_state(node, name);
    if (kw_failed(e) && !kw_file_is_written(e) && !seam_is_dead() &&
        !raw_same(before, &now))
        broke(w, "%s: the write says \"not written\", and the file is another one", name);
    if (!seam_is_dead() && !is_tidy(node))
        broke(w, "%s: something lies beside it", name);
    kw_blob_wipe(&now);
}

static bool is_expected(const char *name)
{
    static const char *const names[] = {
        ".",
        "..",
        "keyring.json",
        "keyring.json.lock",
        "keyring.json.refused",
        "state",
        "marks.json",
        "marks.json.forked",
        "keyring.json.forked",
        "activation.json",
        "lock",
    };
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (strcmp(name, names[i]) == 0)
            return true;
    return false;
}

/* The names in a folder that do not belong there; removes them when asked to. */
static size_t strangers(const char *folder, bool gone)
{
    size_t count = 0;
    DIR *d = opendir(folder);
    if (d == NULL)
        return 0;
    for (const struct dirent *e; (e = readdir(d)) != NULL;)
        if (!is_expected(e->d_name)) {
            count++;
            if (gone)
                unlinkat(dirfd(d), e->d_name, 0);
        }
    closedir(d);
    return count;
}

static void folder_of(const struct node *node, char dst[128])
{
    snprintf(dst, 128, "%s", node->keyring);
    *strrchr(dst, '/') = '\0';
}

bool is_tidy(const struct node *node)
{
    char folder[128];
    folder_of(node, folder);
    return strangers(folder, false) == 0 && strangers(node->state, false) == 0;
}

void sweep(const struct node *node)
{
    char folder[128];
    folder_of(node, folder);
    strangers(folder, true);
    strangers(node->state, true);
}

/* ---- a world ---- */

static bool make_folder(struct world *w)
{
    static const char *const places[] = {"/dev/shm", "/tmp"};
    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
        snprintf(w->folder, sizeof w->folder, "%s/keyward-model-XXXXXX", places[i]);
        if (mkdtemp(w->folder) != NULL)
            return true;
    }
    return false;
}

static bool make_node(struct world *w, size_t i)
{
    struct node *node = &w->nodes[i];
    char folder[128];
    snprintf(folder, sizeof folder, "%s/n%zu", w->folder, i);
    snprintf(node->keyring, sizeof node->keyring, "%s/n%zu/keyring.json", w->folder, i);
    snprintf(node->state, sizeof node->state, "%s/n%zu/state", w->folder, i);
    node->file = node->seen = node->trusted = node->trusted_once = NOBODY;
    return mkdir(folder, 0755) == 0 && mkdir(node->state, 0700) == 0;
}

bool world_open(struct world *w, uint64_t seed)
{
    /* Reading a keyring takes a mebibyte that is hardly touched: not to be zeroed. */
    mallopt(M_MMAP_THRESHOLD, 256 * 1024);
    memset(w, 0, sizeof *w);
    w->seed = w->dice = seed;
    w->now_ns = INT64_C(1767225600) * KW_S_NS; /* 2026-01-01 */
    lineage_begin(w);
    seam_seed(seed ^ UINT64_C(0x5bd1e995));
    if (!make_folder(w))
        return false;
    w->node_count = 2 + (chance(w, 25) ? 1 : 0);
    for (size_t i = 0; i < w->node_count; i++)
        if (!make_node(w, i))
            return false;
    return true;
}

static void remove_files(const char *folder)
{
    DIR *d = opendir(folder);
    if (d == NULL)
        return;
    for (const struct dirent *e; (e = readdir(d)) != NULL;)
        unlinkat(dirfd(d), e->d_name, 0);
    closedir(d);
    rmdir(folder);
}

void world_close(struct world *w)
{
    char folder[128];
    for (size_t i = 0; i < w->node_count; i++) {
        kw_keyring_give(w->nodes[i].ring);
        kw_blob_wipe(&w->nodes[i].bytes);
        folder_of(&w->nodes[i], folder);
        remove_files(w->nodes[i].state);
        remove_files(folder);
    }
    rmdir(w->folder);
    for (size_t i = 0; i < w->file_count; i++) {
        kw_blob_wipe(&w->files[i].bytes);
        kw_keyring_give(w->files[i].ring);
    }
    free(w->story);
    w->story = NULL;
}
