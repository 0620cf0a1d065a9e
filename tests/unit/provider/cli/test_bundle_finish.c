/* SPDX-License-Identifier: Apache-2.0 */
/* A bundle that is finished, and what a person finds with VERIFY.txt. */
#include "bundle_manifest.h"

#include "check.h"
#include "run.h"

#include <stdio.h>
#include <unistd.h>

static struct kw_note note;

static struct kw_bundle_head head_of_one(void)
{
    static const char *const nodes[] = {"cp-1"};
    return (struct kw_bundle_head){.version = "0.1.0",
                                   .at = "2026-07-01T12:00:00Z",
                                   .from = "2026-04-01T00:00:00Z",
                                   .to = "2026-07-01T00:00:00Z",
                                   .nodes = nodes,
                                   .node_count = 1};
}

/* ---- the folder, and the commands of VERIFY.txt in it ---- */

static char base[64];
static struct kw_evidence_folder folder;
static struct kw_run run;

static void begin(void)
{
    static const char abc[] = "abc";
    const struct kw_bundle_head head = head_of_one();
    char out[96];
    snprintf(base, sizeof base, "/tmp/keyward-bundle-XXXXXX");
    CHECK(mkdtemp(base) != NULL);
    snprintf(out, sizeof out, "%s/out", base);
    CHECK_OK(kw_evidence_folder_make(out, &folder, &note));
    CHECK_OK(kw_evidence_put(&folder, "nodes/cp-1/node.json", kw_span_str(abc), &note));
    CHECK_OK(kw_evidence_put(&folder, "index.html", kw_span_str(abc), &note));
    CHECK_OK(kw_bundle_finish(&folder, &head, &note));
}

static void end(void)
{
    kw_evidence_folder_remove(&folder);
    CHECK(rmdir(base) == 0);
}

/* The n-th command of VERIFY.txt, in the folder. */
static int follow(size_t n)
{
    char line[2048];
    const char *at = (const char *)kw_bundle_verify_text().ptr;
    for (size_t skip = n; at != NULL && (strncmp(at, "  ", 2) != 0 || skip-- > 0);)
        at = (at = strchr(at, '\n')) != NULL ? at + 1 : NULL;
    CHECK(at != NULL && at[2] != ' ');
    snprintf(line, sizeof line, "cd %s/out && %.*s", base, (int)strcspn(at, "\n"), at);
    kw_run(&run, (const char *const[]){"/bin/sh", "-c", line, NULL});
    return run.status;
}
enum { KEY, SIGNATURE, AS_LISTED, NONE_MORE };

/* In the folder. */
static void shell(const char *command)
{
    char line[512];
    snprintf(line, sizeof line, "cd %s/out && %s", base, command);
    kw_run(&run, (const char *const[]){"/bin/sh", "-c", line, NULL});
    CHECK(run.status == 0);
}

static void all_well(void)
{
    CHECK(follow(AS_LISTED) == 0 && run.out[0] == '\0' && run.err[0] == '\0');
    CHECK(follow(NONE_MORE) == 0 && run.out[0] == '\0' && run.err[0] == '\0');
}

TEST(finish__every_file_is_listed_but_the_manifest__and_the_commands_agree)
{
    begin();
    CHECK(json_array_size(folder.files) == 4); /* two, VERIFY.txt, manifest.json */
    shell("grep -c '\"name\"' manifest.json");
    CHECK_STR(run.out, "3\n");
    all_well();
    shell("touch manifest.sig");
    all_well();
    shell("rm manifest.sig");
    end();
}

TEST(finish__file_changed_or_gone__found_by_the_third_command)
{
    begin();
    shell("echo >nodes/cp-1/node.json");
    CHECK(follow(AS_LISTED) == 1);
    CHECK_HAS(run.out, "nodes/cp-1/node.json: FAILED");
    shell("printf abc >nodes/cp-1/node.json; mv index.html ..");
    CHECK(follow(AS_LISTED) == 1);
    CHECK_HAS(run.out, "index.html: FAILED open or read");
    CHECK(follow(NONE_MORE) == 0);
    CHECK_HAS(run.out, "1 index.html\n");
    shell("mv ../index.html .");
    all_well();
    end();
}

TEST(finish__file_or_link_more__found_by_the_fourth_command)
{
    begin();
    shell("touch nodes/more; ln -s index.html .hidden; mkdir nodes/manifest.sig;"
          "touch nodes/manifest.sig/x");
    CHECK(follow(NONE_MORE) == 0);
    CHECK_HAS(run.out, "1 nodes/more\n");
    CHECK_HAS(run.out, "1 .hidden\n");
    CHECK_HAS(run.out, "1 nodes/manifest.sig/x\n");
    shell("rm -r nodes/more .hidden nodes/manifest.sig");
    all_well();
    end();
}

/* A name with a line feed, which looks like two that are listed. */
TEST(finish__name_that_looks_like_two_others__found_by_the_fourth_command)
{
    begin();
    shell("mkdir 'index.html\n.' && touch 'index.html\n./VERIFY.txt'");
    CHECK(follow(NONE_MORE) == 0);
    CHECK_HAS(run.out, "3 VERIFY.txt\n");
    CHECK_HAS(run.out, "3 index.html\n");
    shell("rm -r 'index.html\n.'");
    all_well();
    end();
}

TEST(finish__name_that_is_none__bad_input)
{
    const struct kw_bundle_head head = head_of_one();
    char out[96];
    snprintf(base, sizeof base, "/tmp/keyward-bundle-XXXXXX");
    CHECK(mkdtemp(base) != NULL);
    snprintf(out, sizeof out, "%s/out", base);
    CHECK_OK(kw_evidence_folder_make(out, &folder, &note));
    CHECK_OK(kw_evidence_put(&folder, "a b", kw_span_str("x"), &note));
    CHECK_CODE(kw_bundle_finish(&folder, &head, &note), KW_CODE_BAD_INPUT);
    CHECK_HAS(note.text, "'a b' cannot be a file's name");
    end();
}

TEST(verify_text__plain_text_in_short_lines_but_for_commands)
{
    const kw_span text = kw_bundle_verify_text();
    size_t column = 0, commands = 0;
    bool is_command = false;
    for (size_t i = 0; i < text.len; i++) {
        const char c = (char)text.ptr[i];
        CHECK(c == '\n' || (c >= ' ' && c <= '~'));
        if (column < 2)
            is_command = (column == 0 || is_command) && c == ' ';
        commands += is_command && column == 1;
        column = c == '\n' ? 0 : column + 1;
        CHECK(column <= 90 || is_command);
    }
    CHECK(column == 0 && commands == 4);
}

/* Who does not trust the file in the folder takes them from there. */
TEST(verify_text__its_commands__are_in_the_documentation)
{
    struct kw_blob page = {NULL, 0};
    const kw_span text = kw_bundle_verify_text();
    size_t commands = 0, len = 0;
    CHECK_OK(kw_file_read(KW_VECTORS "/../../docs/FORMATS.md", 1 << 20, &page, NULL));
    for (size_t at = 0; at < text.len; at += len + 1) {
        const uint8_t *line = text.ptr + at;
        len = (size_t)((const uint8_t *)memchr(line, '\n', text.len - at) - line);
        if (len < 2 || memcmp(line, "  ", 2) != 0)
            continue;
        CHECK(memmem(page.ptr, page.len, line, len) != NULL);
        commands++;
    }
    CHECK(commands == 4);
    kw_blob_wipe(&page);
}

KW_SUITE("provider/cli/bundle_finish")
