/* SPDX-License-Identifier: Apache-2.0 */
#include "fault_module.h"

#include <stdio.h>

#include <keyward/env.h>
#include <keyward/file.h>

#include "check.h"

enum { CALLS_MAX = 1 << 20 };

static void path_of(const struct kw_softhsm *hsm, const char *name, char dst[160])
{
    snprintf(dst, 160, "%s/%s", hsm->dir, name);
}

void kw_fault_set(const struct kw_softhsm *hsm, const char *control)
{
    char path[160];
    struct kw_note note = {{0}};
    path_of(hsm, "control", path);
    if (kw_failed(kw_file_replace(path, kw_span_str(control), 0600, &note)))
        fail_msg("%s", note.text);
}

/* The build tree may be another user's, or have folders that a group may write. */
static void copy_fault(const char *path)
{
    struct kw_blob module = {0};
    CHECK_OK(kw_file_read(kw_softhsm_fault, 64u << 20, &module, NULL));
    CHECK_OK(kw_file_replace(path, kw_blob_peek(&module), 0700, NULL));
    kw_blob_wipe(&module);
}

void kw_fault_between(struct kw_softhsm *hsm)
{
    char path[160];
    kw_fault_set(hsm, "");
    CHECK(kw_env_give("KW_FAULT_MODULE", hsm->module));
    path_of(hsm, "control", path);
    CHECK(kw_env_give("KW_FAULT_CONTROL", path));
    path_of(hsm, "calls", path);
    CHECK(kw_env_give("KW_FAULT_LOG", path));
    snprintf(hsm->fault, sizeof hsm->fault, "%s/fault.so", hsm->dir);
    copy_fault(hsm->fault);
    hsm->module = hsm->fault;
}

const char *kw_fault_calls(const struct kw_softhsm *hsm)
{
    static char text[CALLS_MAX + 1];
    char path[160];
    path_of(hsm, "calls", path);
    FILE *f = fopen(path, "re");
    size_t len = f != NULL ? fread(text, 1, CALLS_MAX, f) : 0;
    if (f != NULL)
        fclose(f);
    text[len] = '\0';
    return text;
}

unsigned kw_fault_count(const struct kw_softhsm *hsm, const char *function)
{
    char entry[64];
    unsigned count = 0;
    snprintf(entry, sizeof entry, "> %s pid=", function);
    for (const char *at = kw_fault_calls(hsm); (at = strstr(at, entry)) != NULL; at++)
        count++;
    return count;
}
