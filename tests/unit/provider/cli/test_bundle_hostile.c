/* SPDX-License-Identifier: Apache-2.0 */
/* Inputs of a bundle that somebody made to deceive. */
#include "bundle_stated.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <keyward/file.h>

#include "check.h"

static char dir[64];
static struct kw_note note;

static const char *at(const char *name)
{
    static char path[256];
    snprintf(path, sizeof path, "%s/%s", dir, name);
    return path;
}

static void put(const char *name, const char *text)
{
    CHECK_OK(kw_file_replace(at(name), kw_span_str(text), 0600, NULL));
}

static void begin(void)
{
    snprintf(dir, sizeof dir, "/tmp/keyward-hostile-XXXXXX");
    CHECK(mkdtemp(dir) != NULL);
    note = (struct kw_note){{0}};
}

static void end(const char *const names[])
{
    for (size_t i = 0; names[i] != NULL; i++)
        CHECK(unlink(at(names[i])) == 0);
    CHECK(rmdir(dir) == 0);
}
#define END(...) end((const char *const[]){__VA_ARGS__, NULL})

/* ---- what is stated ---- */

static void stated_is_refused(const char *text, const char *why)
{
    json_t *stated = NULL;
    put("stated.json", text);
    const kw_err e = kw_bundle_stated(at("stated.json"), &stated, &note);
    CHECK(e.code == KW_CODE_BAD_INPUT && stated == NULL);
    CHECK_HAS(note.text, why);
}

TEST(stated__file_without_a_byte__refused)
{
    begin();
    put("custodians.pdf", "");
    stated_is_refused(
        "{\"files\": [{\"what\": \"custodians\", \"file\": \"custodians.pdf\"}]}",
        "custodians.pdf: it is empty");
    END("custodians.pdf", "stated.json");
}

TEST(stated__token_twice__refused)
{
    begin();
    stated_is_refused(
        "{\"tokens\": [{\"serial\": \"1\", \"standard\": \"FIPS 140-3\"}, "
        "{\"serial\": \"2\"}, {\"serial\": \"1\", \"standard\": \"none\"}]}",
        "1: a token is stated once");
    END("stated.json");
}

KW_SUITE("provider/cli/bundle_hostile")
