/* SPDX-License-Identifier: Apache-2.0 */
#include "guard.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "watch.h"

static const char way_out[] = "--yes when that token may be loaded";

enum loaded { LOADED_UNKNOWN, LOADED_OTHER, LOADED_SOFTHSM };

/* The last part of the path that ends a line of maps (proc(5)); "" when there is none. */
static const char *guard_file_of(const char *line)
{
    const char *slash = strrchr(line, '/');
    return slash != NULL ? slash + 1 : "";
}

static bool guard_begins(const char *text, const char *with)
{
    return strncmp(text, with, strlen(with)) == 0;
}

/* The proxy of p11-kit stands for every module that is configured, SoftHSM or not. */
static enum loaded guard_look(const char *proc, int32_t pid)
{
    char path[128], line[4400];
    bool any = false, softhsm = false, proxy = false;
    snprintf(path, sizeof path, "%s/%" PRId32 "/maps", proc, pid);
    FILE *maps = fopen(path, "re");
    if (maps == NULL)
        return LOADED_UNKNOWN;
    while (fgets(line, sizeof line, maps) != NULL) {
        any = true;
        softhsm = softhsm || guard_begins(guard_file_of(line), "libsofthsm2.so");
        proxy = proxy || guard_begins(guard_file_of(line), "p11-kit-proxy.so");
    }
    bool whole = ferror(maps) == 0;
    fclose(maps);
    if (!any || !whole)
        return LOADED_UNKNOWN;
    return softhsm && !proxy ? LOADED_SOFTHSM : LOADED_OTHER;
}

static kw_err guard_deny(struct kw_note *note, int32_t pid, const char *why)
{
    if (pid > 1)
        kw_note_set(note, "keywardd (pid %" PRId32 ") %s; %s", pid, why, way_out);
    else
        kw_note_set(note, "%s; %s", why, way_out);
    return kw_err_at(KW_CODE_DENIED, "guard");
}

static kw_err guard_judge_worker(const char *proc, int32_t pid, int32_t worker,
                                 struct kw_note *note)
{
    char why[192];
    switch (guard_look(proc, worker)) {
    case LOADED_SOFTHSM: return KW_OK;
    case LOADED_OTHER:
        snprintf(why, sizeof why,
                 "has a worker (pid %" PRId32 ") whose PKCS#11 module is not "
                 "libsofthsm2.so: its token may be a real one",
                 worker);
        return guard_deny(note, pid, why);
    case LOADED_UNKNOWN: break;
    }
    snprintf(why, sizeof why,
             "has a worker (pid %" PRId32 ") whose loaded modules this user cannot read: "
             "its token may be a real one; root can look",
             worker);
    return guard_deny(note, pid, why);
}

kw_err kw_guard(const char *proc, int32_t pid, bool is_keyward, struct kw_note *note)
{
    struct kw_process_usage server;
    int32_t worker[KW_WATCHED_MAX];
    if (pid <= 1 || !kw_process_usage_read(proc, pid, &server))
        return is_keyward
                   ? guard_deny(note, 0,
                                "a keyward answers and its process cannot be seen, so "
                                "its token may be a real one: --server-pid names it")
                   : KW_OK;
    if (strcmp(server.name, "keywardd") != 0)
        return KW_OK;
    size_t count = kw_process_children(proc, pid, worker, KW_WATCHED_MAX);
    if (count == 0)
        return guard_deny(note, pid, "has no worker that could be looked at");
    for (size_t i = 0; i < count; i++) {
        kw_err e = guard_judge_worker(proc, pid, worker[i], note);
        if (kw_failed(e))
            return e;
    }
    return KW_OK;
}
