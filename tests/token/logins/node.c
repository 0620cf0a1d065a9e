/* SPDX-License-Identifier: Apache-2.0 */
#include "node.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <keyward/file.h>

enum { PATH_CAP = 256 };
static unsigned counted;

static void path_in(const struct instance *h, const char *name, char dst[PATH_CAP])
{
    snprintf(dst, PATH_CAP, "%s/%s", h->dir, name);
}

void node_make_proven(struct instance *h)
{
    kw_test_arena(1 << 20);
    instance_build(h, NULL);
    instance_fault_between(h);
    counted = 0;
}

void node_make(struct instance *h)
{
    char path[PATH_CAP];
    node_make_proven(h);
    path_in(h, "state/pin-latch.json", path);
    CHECK(unlink(path) == 0);
}

void node_remove(struct instance *h)
{
    node_empty_disk();
    instance_destroy(h);
}

unsigned node_logins(struct instance *h)
{
    return instance_fault_count(h, "C_Login") - counted;
}

void node_forget_count(struct instance *h)
{
    counted = instance_fault_count(h, "C_Login");
}

/* ---- starts ------------------------------------------------------------------------ */

void node_start_daemon(struct instance *h)
{
    const char *line = "";
    size_t mark = instance_mark(h);
    instance_start(h, NULL);
    while (strstr(line, "event=worker-ended") == NULL &&
           strstr(line, "event=worker-ready") == NULL)
        mark = instance_await(h, mark, &line, "event=worker-", NULL);
    assert_int_equal(instance_stop(h), 0);
}

void node_start_tool(struct instance *h)
{
    char out[8192];
    (void)instance_tool(h, out, sizeof out, "check", NULL);
}

void node_start_mixed(struct instance *h, unsigned count)
{
    for (unsigned i = 0; i < count; i++)
        if (i % 2 == 0)
            node_start_daemon(h);
        else
            node_start_tool(h);
}

/* ---- what is remembered ------------------------------------------------------------ */

char *node_remembered(struct instance *h)
{
    char path[PATH_CAP];
    path_in(h, "state/pin-latch.json", path);
    return access(path, F_OK) == 0 ? instance_read(path) : strdup("");
}

void node_age(struct instance *h, int64_t ns)
{
    char path[PATH_CAP], old[64], new[64];
    path_in(h, "state/pin-latch.json", path);
    char *text = node_remembered(h), *at = strstr(text, "\"ended\": {");
    CHECK(at != NULL && (at = strstr(at, "\"at-ns\": ")) != NULL);
    long long was = strtoll(at + strlen("\"at-ns\": "), NULL, 10);
    snprintf(old, sizeof old, "\"at-ns\": %lld", was);
    snprintf(new, sizeof new, "\"at-ns\": %lld", was - (long long)ns);
    char *aged = instance_swap(text, "\"ended\": {", old, new);
    instance_write(path, aged);
    free(aged);
    free(text);
}

void node_close_state(struct instance *h)
{
    CHECK(chmod(h->state, 0500) == 0);
}

void node_fill_disk(struct instance *h)
{
    char full[512];
    instance_lend(h, KW_FULL_PATH, "full.so", full);
    CHECK(setenv("LD_PRELOAD", full, 1) == 0);
    CHECK(setenv("KW_FULL_FOLDER", h->state, 1) == 0);
    /* A sanitizer's runtime wants to be the first library otherwise. */
    CHECK(setenv("ASAN_OPTIONS", "verify_asan_link_order=0", 1) == 0);
}

void node_empty_disk(void)
{
    unsetenv("LD_PRELOAD");
    unsetenv("KW_FULL_FOLDER");
}
