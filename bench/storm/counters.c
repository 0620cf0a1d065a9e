/* SPDX-License-Identifier: Apache-2.0 */
#include "play.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include <keyward/clock.h>

#include "tool.h"

bool kw_counters_parse(json_t *status, struct kw_counters *ret_counters)
{
    struct kw_counters c = {0};
    json_t *classes = NULL, *class = NULL;
    size_t i = 0;
    if (json_unpack(status, "{s:{s:I}, s:o}", "jobs", "total", &c.hsm_jobs, "classes",
                    &classes) != 0 ||
        !json_is_array(classes))
        return false;
    json_array_foreach(classes, i, class)
    {
        json_int_t joined = 0, hits = 0, misses = 0, entries = 0;
        if (json_unpack(class, "{s:I, s:{s:I, s:I, s:I}}", "joined", &joined, "cache",
                        "hits", &hits, "misses", &misses, "entries", &entries) != 0 ||
            joined < 0 || joined > misses)
            return false;
        c.joined += joined;
        c.hits += hits;
        c.unwraps += misses - joined;
        c.entries += entries;
    }
    *ret_counters = c;
    return true;
}

kw_err kw_counters_read(const char *path, struct kw_counters *ret_counters,
                        struct kw_note *note)
{
    int fd = kw_dial(path, 5 * KW_S_NS);
    if (fd < 0) {
        int saved = errno;
        kw_note_set(note,
                    "--status %s: %s; it is what keywardd's configuration calls "
                    "`status`",
                    path, strerror(saved));
        return kw_err_native(KW_CODE_IO, (uint32_t)saved, "status");
    }
    json_t *all = json_loadfd(fd, 0, NULL);
    bool good = kw_counters_parse(all, ret_counters);
    json_decref(all);
    close(fd);
    if (good)
        return KW_OK;
    kw_note_set(note, "--status %s: what it says is not keywardd's status", path);
    return kw_err_at(KW_CODE_BAD_INPUT, "status");
}

bool kw_counters_since(const struct kw_counters *before, struct kw_counters *after)
{
    after->unwraps -= before->unwraps;
    after->hits -= before->hits;
    after->joined -= before->joined;
    after->hsm_jobs -= before->hsm_jobs;
    return after->unwraps >= 0 && after->hits >= 0 && after->joined >= 0 &&
           after->hsm_jobs >= 0;
}
