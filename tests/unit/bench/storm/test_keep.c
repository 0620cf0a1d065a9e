/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"

#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include <keyward/file.h>

#include "keep.h"

static char folder[40], path[64];
static struct kw_corpus c, back;
static struct kw_note note;

static void begin(void)
{
    CHECK(kw_copy_str(folder, sizeof folder, kw_span_str("/tmp/kw-keep-XXXXXX")));
    CHECK(mkdtemp(folder) != NULL);
    snprintf(path, sizeof path, "%s/corpus.json", folder);
    note = (struct kw_note){{0}};
}

static void end(void)
{
    unlink(path);
    CHECK(rmdir(folder) == 0);
}

static void file(const char *text)
{
    CHECK_OK(kw_file_replace(path, kw_span_str(text), 0600, &note));
}

/* Three seeds that a plugin has answered with themselves. */
static void fill(void)
{
    static const uint8_t head[] = {0, 0, 0, 0, 37, 10, 32};
    CHECK_OK(kw_corpus_init(&c, 3));
    for (size_t i = 0; i < 3; i++) {
        uint8_t body[128];
        kw_dst dst = kw_dst_of(body, sizeof body);
        CHECK(kw_dst_put(&dst, kw_span_of(head, sizeof head)) &&
              kw_dst_put(&dst, kw_span_of(c.entry[i].seed, KW_SEED)) &&
              kw_dst_put(&dst, kw_span_str("\x12\x01k")));
        CHECK(kw_corpus_judge(&c, KW_ENCRYPT, i, kw_dst_span(&dst)));
    }
}

TEST(read__no_file__missing)
{
    begin();
    CHECK_CODE(kw_keep_read(path, 0, &back, &note), KW_CODE_MISSING);
    CHECK_HAS(note.text, path);
    end();
}

TEST(read__other_files__said_what_is_wrong)
{
    static const struct {
        const char *text, *why;
    } bad[] = {
        {"no JSON", "no file of ciphertexts"},
        {"[]", "no file of ciphertexts"},
        {"{\"tool\":\"keyward-bench load\",\"schema\":1}", "no file of ciphertexts"},
        {"{\"tool\":\"keyward-bench storm --prepare\",\"schema\":2,\"seeds\":[]}",
         "of schema 2, this reads 1"},
        {"{\"tool\":\"keyward-bench storm --prepare\",\"schema\":1,\"seeds\":[]}",
         "it has 0 seeds"},
        {"{\"tool\":\"keyward-bench storm --prepare\",\"schema\":1,\"seeds\":[{}]}",
         "seed number 0 is damaged"},
        {"{\"tool\":\"keyward-bench storm --prepare\",\"schema\":1,\"seeds\":[{\"seed\":"
         "\"00\",\"decrypt\":\"00\"}]}",
         "seed number 0 is damaged"},
    };
    begin();
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        file(bad[i].text);
        CHECK_CODE(kw_keep_read(path, 0, &back, &note), KW_CODE_BAD_INPUT);
        CHECK_HAS(note.text, bad[i].why);
        CHECK_HAS(note.text, path);
        CHECK_HAS(note.text, "--prepare");
    }
    end();
}

TEST(read__fewer_than_wanted__bad_input)
{
    begin();
    fill();
    CHECK_OK(kw_keep_write(path, &c, &note));
    CHECK_CODE(kw_keep_read(path, 4, &back, &note), KW_CODE_BAD_INPUT);
    CHECK_HAS(note.text, "it has 3 seeds, wanted are 4");
    kw_corpus_wipe(&c);
    end();
}

TEST(write__no_such_folder__named)
{
    begin();
    fill();
    CHECK_CODE(kw_keep_write("/nonexistent/corpus", &c, &note), KW_CODE_IO);
    CHECK_HAS(note.text, "/nonexistent/corpus");
    kw_corpus_wipe(&c);
    end();
}

TEST(write__then_read__the_same_and_private)
{
    struct stat st;
    begin();
    fill();
    CHECK_OK(kw_keep_write(path, &c, &note));
    CHECK(stat(path, &st) == 0 && (st.st_mode & 0777) == 0600);
    CHECK_OK(kw_keep_read(path, 0, &back, &note));
    CHECK(back.count == 3);
    for (size_t i = 0; i < 3; i++) {
        CHECK(kw_span_equal(kw_span_of(back.entry[i].seed, KW_SEED),
                            kw_span_of(c.entry[i].seed, KW_SEED)));
        CHECK(kw_span_equal(kw_corpus_decrypt(&back, i), kw_corpus_decrypt(&c, i)));
    }
    kw_corpus_wipe(&back);
    CHECK_OK(kw_keep_read(path, 2, &back, &note));
    CHECK(back.count == 2);
    kw_corpus_wipe(&back);
    kw_corpus_wipe(&c);
    end();
}

KW_CASES("bench/storm/keep", CASE(read__no_file__missing),
         CASE(read__other_files__said_what_is_wrong),
         CASE(read__fewer_than_wanted__bad_input), CASE(write__no_such_folder__named),
         CASE(write__then_read__the_same_and_private))
