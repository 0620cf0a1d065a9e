/* SPDX-License-Identifier: Apache-2.0 */
/* What only the operator can say. */
#include "bundle_stated.h"

#include "check.h"

#include <stdio.h>
#include <unistd.h>

#include "collected.h"
#include "said_at.h"

static struct kw_note note;
static json_t *stated;

static void begin(void)
{
    collected_begin();
    note.text[0] = '\0';
    stated = NULL;
}

static void end(void)
{
    json_decref(stated);
    collected_end();
}

static kw_err say(const char *text)
{
    json_decref(stated);
    stated = NULL;
    note.text[0] = '\0';
    collected_put("stated.json", text);
    return kw_bundle_stated(collected_at("stated.json"), &stated, &note);
}

TEST(words_that_are_none__refused_and_named)
{
    static const struct {
        const char *text, *why;
    } bad[] = {
        {"", "no JSON object"},
        {"[]", "no JSON object"},
        {"{} {}", "no JSON object"},
        {"{\"tokens\": [], \"tokens\": []}", "a member stands twice"},
        {"{\"custodians\": \"c\"}", "custodians: no such member"},
        {"{\"tokens\": {}}", "tokens: no such member, or of another kind"},
        {"{\"files\": null}", "files: no such member"},
        {"{\"cryptoperiod_days\": 0}", "a number from 1 to 3650"},
        {"{\"cryptoperiod_days\": 3651}", "a number from 1 to 3650"},
        {"{\"cryptoperiod_days\": -1}", "a number from 1 to 3650"},
        {"{\"cryptoperiod_days\": 90.5}", "a number from 1 to 3650"},
        {"{\"cryptoperiod_days\": \"90\"}", "a number from 1 to 3650"},
        {"{\"cryptoperiod_days\": true}", "a number from 1 to 3650"},
        {"{\"cryptoperiod_days\": 18446744073709551706}", "no JSON object"},
        {"{\"tokens\": [null]}", "each of them is an object"},
        {"{\"tokens\": [[]]}", "each of them is an object"},
        {"{\"tokens\": [{}]}", "serial: it is missing"},
        {"{\"tokens\": [{\"level\": \"3\"}]}", "serial: it is missing"},
        {"{\"tokens\": [{\"serial\": 1}]}", "serial: it is a text"},
        {"{\"tokens\": [{\"serial\": \"\"}]}", "serial: it is a text"},
        {"{\"tokens\": [{\"serial\": \"1\", \"model\": \"m\"}]}",
         "model: there is no such"},
        {"{\"files\": [{\"what\": \"w\"}]}", "file: it is missing"},
        {"{\"files\": [{\"file\": \"f\"}]}", "what: it is missing"},
        {"{\"files\": [{\"what\": \"w\", \"file\": \"f\", \"sha256\": \"0\"}]}",
         "sha256: there is no such member"},
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        CHECK_CODE(say(bad[i].text), KW_CODE_BAD_INPUT);
        CHECK(stated == NULL);
        CHECK_HAS(note.text, bad[i].why);
        CHECK_HAS(note.text, "/stated.json: ");
    }
}

TEST(text_that_is_too_long__refused)
{
    char word[300], text[400];
    memset(word, 'x', sizeof word);
    for (size_t len = 255; len <= 256; len++) {
        snprintf(text, sizeof text, "{\"tokens\": [{\"serial\": \"%.*s\"}]}", (int)len,
                 word);
        CHECK_CODE(say(text), len == 255 ? KW_CODE_OK : KW_CODE_BAD_INPUT);
    }
}

TEST(file_that_is_missing_or_no_plain_one__said_by_its_path)
{
    CHECK_CODE(kw_bundle_stated(collected_at("none"), &stated, &note), KW_CODE_MISSING);
    CHECK_CODE(say("{\"files\": [{\"what\": \"w\", \"file\": \"none.pdf\"}]}"),
               KW_CODE_MISSING);
    CHECK_HAS(note.text, "/none.pdf");
    CHECK(collected_line("mkdir folder; mkfifo fifo") == 0);
    CHECK(kw_failed(say("{\"files\": [{\"what\": \"w\", \"file\": \"folder\"}]}")));
    CHECK(kw_failed(say("{\"files\": [{\"what\": \"w\", \"file\": \"fifo\"}]}")));
    CHECK(stated == NULL);
}

TEST(files__found_beside_the_document_wherever_it_is_read_from)
{
    char text[400];
    CHECK(collected_line("mkdir sub; printf abc >f; printf abc >sub/g") == 0);
    snprintf(
        text, sizeof text,
        "{\"files\": [{\"what\": \"a\", \"file\": \"f\"}, {\"what\": \"b\", \"file\":"
        " \"sub/g\"}, {\"what\": \"c\", \"file\": \"sub/../f\"},"
        " {\"what\": \"d\", \"file\": \"%s\"}]}",
        collected_at("f"));
    CHECK_OK(say(text));
    for (unsigned i = 0; i < 4; i++) { /* FIPS 180-2, appendix B.1 */
        char path[32];
        snprintf(path, sizeof path, "files/%u/sha256", i);
        CHECK_SAID(
            stated, path,
            "\"ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad\"");
    }
    CHECK_SAID(stated, "files/1/file", "\"sub/g\"");
    json_t *other = NULL;
    CHECK(chdir(collected_at("")) == 0);
    CHECK_OK(kw_bundle_stated("stated.json", &other, &note));
    CHECK(json_equal(other, stated));
    json_decref(other);
}

TEST(cryptoperiod__as_stated_or_the_standard)
{
    CHECK_OK(say("{}"));
    CHECK(kw_bundle_cryptoperiod(stated, 90) == 90);
    CHECK_OK(say("{\"cryptoperiod_days\": 3650}"));
    CHECK(kw_bundle_cryptoperiod(stated, 90) == 3650);
}

KW_SUITE_AROUND("provider/cli/bundle_stated", begin, end)
