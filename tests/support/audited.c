/* SPDX-License-Identifier: Apache-2.0 */
#include "audited.h"

#include <glob.h>
#include <stdio.h>
#include <string.h>

#include <keyward/file.h>

#include "run.h"

static char audited[1 << 20];

/* A file that is not there (any more) is none. */
static void audited_add(const char *path, kw_dst *dst)
{
    struct kw_blob b = {0};
    if (kw_failed(kw_file_read(path, sizeof audited, &b, NULL)))
        return;
    CHECK(kw_dst_put(dst, kw_blob_peek(&b)));
    kw_blob_wipe(&b);
}

const char *audited_text(const char *dir)
{
    char pattern[200];
    glob_t found = {0};
    kw_dst dst = kw_dst_of(audited, sizeof audited - 1);
    snprintf(pattern, sizeof pattern, "%s/audit-*.jsonl", dir);
    (void)glob(pattern, 0, NULL, &found); /* in the order of their names */
    for (size_t i = 0; i < found.gl_pathc; i++)
        audited_add(found.gl_pathv[i], &dst);
    globfree(&found);
    snprintf(pattern, sizeof pattern, "%s/audit.jsonl", dir);
    audited_add(pattern, &dst);
    audited[kw_dst_span(&dst).len] = '\0';
    return audited;
}

unsigned audited_lines(const char *dir, const char *what)
{
    unsigned n = 0;
    for (const char *at = audited_text(dir); (at = strstr(at, what)) != NULL; at++)
        n++;
    return n;
}

void audited_verify(struct instance *h, const char *dir, int want)
{
    static struct kw_run run;
    char whole[160];
    snprintf(whole, sizeof whole, "%s/whole", h->dir);
    CHECK_OK(kw_file_replace(whole, kw_span_str(audited_text(dir)), 0644, NULL));
    kw_run_line(&run, want, KW_VECTORS "/verify-audit", "%s", whole);
    assert_int_equal(
        instance_tool(h, audited, sizeof audited, "audit", "verify", dir, NULL), want);
}

/* ---- signed and anchored ---- */

void audited_sign_too(struct instance *h, const char *line)
{
    char block[AUDITED_KEY_LINE + 16];
    snprintf(block, sizeof block, "audit:\n%s\n", line);
    instance_edit(h, "audit:\n", block);
}

void audited_sign(struct instance *h, char ret_line[AUDITED_KEY_LINE])
{
    static char said[8192];
    assert_int_equal(instance_tool(h, said, sizeof said, "audit", "key", "create", NULL),
                     0);
    const char *key = strstr(said, "  key: {label: ");
    CHECK(key != NULL);
    snprintf(ret_line, AUDITED_KEY_LINE, "%.*s", (int)strcspn(key, "\n"), key);
    audited_sign_too(h, ret_line);
}

unsigned audited_keep_anchors(const struct instance *h, const char *path)
{
    unsigned found = 0;
    CHECK(h->daemon == 0);
    FILE *kept = fopen(path, "we");
    CHECK(kept != NULL);
    for (size_t i = 0; i < h->line_count; i++)
        if (strstr(h->lines[i], "event=audit-checkpoint ") != NULL) {
            fprintf(kept, "%s\n", h->lines[i]);
            found++;
        }
    CHECK(fclose(kept) == 0);
    return found;
}
