/* SPDX-License-Identifier: Apache-2.0 */
#include "calls.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "watch.h"

/* Is the file of a line of maps (proc(5)) named so?  It is the last part of its path. */
static bool guard_is_of(const char *line, const char *name)
{
    const char *slash = strrchr(line, '/');
    return slash != NULL && strncmp(slash + 1, name, strlen(name)) == 0;
}

/* What speaks against this process's PKCS#11 module, or NULL.  The proxy of p11-kit stands
 * for every module that is configured, SoftHSM or not. */
static const char *guard_look(const char *proc, int32_t pid)
{
    char path[128], line[4400];
    bool any = false, softhsm = false, proxy = false;
    snprintf(path, sizeof path, "%s/%" PRId32 "/maps", proc, pid);
    FILE *maps = fopen(path, "re");
    while (maps != NULL && fgets(line, sizeof line, maps) != NULL) {
        any = true;
        softhsm = softhsm || guard_is_of(line, "libsofthsm2.so");
        proxy = proxy || guard_is_of(line, "p11-kit-proxy.so");
    }
    const bool whole = maps != NULL && any && ferror(maps) == 0;
    if (maps != NULL)
        fclose(maps);
    if (!whole)
        return "whose loaded modules this user cannot read: its token may be a real one; "
               "root can look";
    return softhsm && !proxy
               ? NULL
               : "whose PKCS#11 module is not libsofthsm2.so: its token may "
                 "be a real one";
}

#define WAY_OUT "; --yes when that token may be loaded"

kw_err kw_guard(const char *proc, int32_t pid, bool is_keyward, struct kw_note *note)
{
    const kw_err denied = kw_err_at(KW_CODE_DENIED, "guard");
    struct kw_watch seen;
    kw_watch_begin(&seen, proc, pid);
    if (!seen.known && is_keyward) {
        kw_note_set(note,
                    "a keyward answers and its process cannot be seen, so its token "
                    "may be a real one: --server-pid names it" WAY_OUT);
        return denied;
    }
    if (!seen.known || strcmp(seen.server.name, "keywardd") != 0)
        return KW_OK;
    for (size_t i = 0; i < seen.child_count; i++) {
        const char *why = guard_look(proc, seen.child[i].pid);
        if (why == NULL)
            continue;
        kw_note_set(
            note, "keywardd (pid %" PRId32 ") has a worker (pid %" PRId32 ") %s" WAY_OUT,
            pid, seen.child[i].pid, why);
        return denied;
    }
    if (seen.child_count > 0)
        return KW_OK;
    kw_note_set(
        note, "keywardd (pid %" PRId32 ") has no worker that could be looked at" WAY_OUT,
        pid);
    return denied;
}
