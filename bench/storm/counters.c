/* SPDX-License-Identifier: Apache-2.0 */
#include "counters.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include <keyward/clock.h>

#include "tool.h"

/* false: it is not there, or is no number that counts. */
static bool take(const json_t *from, const char *name, uint64_t *sum)
{
    const json_t *n = json_object_get(from, name);
    if (!json_is_integer(n) || json_integer_value(n) < 0)
        return false;
    *sum += (uint64_t)json_integer_value(n);
    return true;
}

static bool add_class(const json_t *class, struct kw_counters *c, uint64_t *misses)
{
    const json_t *cache = json_object_get(class, "cache");
    return take(class, "joined", &c->joined) && take(cache, "hits", &c->hits) &&
           take(cache, "misses", misses) && take(cache, "entries", &c->entries);
}

bool kw_counters_parse(const json_t *all, struct kw_counters *ret_counters)
{
    const json_t *classes = json_object_get(all, "classes"), *class = NULL;
    struct kw_counters c = {0};
    uint64_t misses = 0;
    size_t i = 0;
    bool good = json_is_array(classes) &&
                take(json_object_get(all, "jobs"), "total", &c.hsm_jobs);
    json_array_foreach(classes, i, class) good = good && add_class(class, &c, &misses);
    if (!good || c.joined > misses)
        return false;
    c.unwraps = misses - c.joined;
    *ret_counters = c;
    return true;
}

kw_err kw_counters_read(const char *path, struct kw_counters *ret_counters,
                        struct kw_note *note)
{
    json_error_t why;
    int fd = kw_dial(path, 5 * KW_S_NS);
    if (fd < 0) {
        int saved = errno;
        kw_note_set(note,
                    "--status %s: %s; it is what keywardd's configuration calls "
                    "`status`",
                    path, strerror(saved));
        return kw_err_native(KW_CODE_IO, (uint32_t)saved, "status");
    }
    json_t *all = json_loadfd(fd, 0, &why);
    bool good = kw_counters_parse(all, ret_counters);
    json_decref(all);
    close(fd);
    if (good)
        return KW_OK;
    kw_note_set(note, "--status %s: what it says is not keywardd's status", path);
    return kw_err_at(KW_CODE_BAD_INPUT, "status");
}

bool kw_counters_between(const struct kw_counters *before,
                         const struct kw_counters *after, struct kw_counters *ret_done)
{
    if (after->unwraps < before->unwraps || after->hits < before->hits ||
        after->joined < before->joined || after->hsm_jobs < before->hsm_jobs)
        return false;
    *ret_done = (struct kw_counters){.unwraps = after->unwraps - before->unwraps,
                                     .hits = after->hits - before->hits,
                                     .joined = after->joined - before->joined,
                                     .entries = after->entries,
                                     .hsm_jobs = after->hsm_jobs - before->hsm_jobs};
    return true;
}
