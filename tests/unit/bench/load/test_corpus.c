/* SPDX-License-Identifier: Apache-2.0 */
/* The messages, what replies are worth, and the file of ciphertexts. */
#include "check.h"

#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include <keyward/file.h>

#include "corpus.h"

#define SPAN(bytes) kw_span_of((bytes), sizeof(bytes) - 1)
#define FIRST_LINE "keyward-bench storm --prepare, format 2\n"

static struct kw_corpus c, back;
static struct kw_note note;
static char folder[40], path[64];

/* ---- messages ------------------------------------------------------------------------ */

TEST(read__damaged_compressed_or_no_protobuf__refused)
{
    const kw_span bad[] = {SPAN(""),
                           SPAN("\0\0\0\0"),
                           SPAN("\0\0\0\0\1"),
                           SPAN("\0\0\0\0\3\x0a\x05x"),
                           SPAN("\0\0\0\0\0x"),
                           SPAN("\1\0\0\0\0"),
                           SPAN("\0\0\0\0\2\x08\x01"),
                           SPAN("\0\0\0\0\3\x0a\xff\xff")};
    struct kw_message r;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        CHECK(!kw_message_read(KW_DECRYPT, bad[i], &r));
    CHECK(kw_message_read(KW_DECRYPT, SPAN("\0\0\0\0\6\x4a\1x\x0a\1p"), &r));
    CHECK(kw_span_equal_str(r.text, "p")); /* and an unknown field left alone */
}

TEST(write__encrypt__as_written_or_no_room)
{
    const struct kw_message m = {.text = SPAN("seed")};
    uint8_t out[14];
    kw_dst dst = kw_dst_of(out, sizeof out);
    CHECK(kw_message_write(&dst, KW_ENCRYPT, &m, SPAN("u")));
    CHECK(kw_span_equal(kw_dst_span(&dst), SPAN("\0\0\0\0\x09\x0a\4seed\x12\1u")));
    dst = kw_dst_of(out, sizeof out - 1);
    CHECK(!kw_message_write(&dst, KW_ENCRYPT, &m, SPAN("u")));
}

/* What another plugin's Encrypt annotated comes back in Decrypt, under its other
 * field. */
TEST(write__decrypt__annotations_given_back)
{
    struct kw_message r;
    uint8_t out[64];
    kw_dst dst = kw_dst_of(out, sizeof out);
    CHECK(kw_message_read(
        KW_ENCRYPT, SPAN("\0\0\0\0\x13\x0a\1c\x1a\6\x0a\1a\x12\1b\x12\1k\x1a\3\x0a\1d"),
        &r));
    CHECK(kw_message_write(&dst, KW_DECRYPT, &r, SPAN("u")));
    CHECK(kw_span_equal(
        kw_dst_span(&dst),
        SPAN("\0\0\0\0\x16\x0a\1c\x12\1u\x1a\1k\x22\6\x0a\1a\x12\1b\x22\3\x0a\1d")));
}

/* ---- what replies are worth ---------------------------------------------------------- */

/* An EncryptRequest has the fields of an EncryptResponse: text, then a name. */
static bool judge(enum kw_bench_method m, size_t i, kw_span text)
{
    uint8_t body[128];
    kw_dst dst = kw_dst_of(body, sizeof body);
    CHECK(kw_message_write(&dst, KW_ENCRYPT, &(struct kw_message){.text = text},
                           kw_span_str(m == KW_DECRYPT ? "" : "key")));
    return kw_corpus_judge(&c, m, i, kw_dst_span(&dst));
}

/* Three seeds that a plugin has answered with themselves, and a path for a file. */
static void begin(void)
{
    CHECK(kw_copy_str(folder, sizeof folder, kw_span_str("/tmp/kw-corpus-XXXXXX")));
    CHECK(mkdtemp(folder) != NULL);
    snprintf(path, sizeof path, "%s/corpus", folder);
    CHECK_OK(kw_corpus_init(&c, 3));
    for (size_t i = 0; i < 3; i++)
        CHECK(judge(KW_ENCRYPT, i, kw_span_of(c.entry[i].seed, KW_SEED)));
}

static void end(void)
{
    unlink(path);
    CHECK(rmdir(folder) == 0);
    kw_corpus_wipe(&c);
}

TEST(judge__decrypt__only_the_seed_is_right)
{
    CHECK(judge(KW_DECRYPT, 0, kw_span_of(c.entry[0].seed, KW_SEED)));
    CHECK(!judge(KW_DECRYPT, 0, kw_span_of(c.entry[1].seed, KW_SEED)));
    CHECK(!judge(KW_DECRYPT, 0, kw_span_of(c.entry[0].seed, KW_SEED - 1)));
    CHECK(!judge(KW_DECRYPT, 0, (kw_span){0}));
    const size_t kept = c.entry[0].len;
    CHECK(!judge(KW_ENCRYPT, 0, (kw_span){0}) && c.entry[0].len == kept);
}

/* ---- the file ------------------------------------------------------------------------ */

TEST(file__missing_or_no_such_folder__named)
{
    CHECK_CODE(kw_corpus_read(path, 0, &back, &note), KW_CODE_MISSING);
    CHECK_HAS(note.text, path);
    CHECK_CODE(kw_corpus_write(&c, "/nonexistent/corpus", &note), KW_CODE_IO);
    CHECK_HAS(note.text, "/nonexistent/corpus");
}

TEST(file__of_another_kind_or_damaged__said_what_is_wrong)
{
    static const char *const bad[][2] = {
        {"", "line 1: it is no file of ciphertexts"},
        {"{\"tool\":\"keyward-bench storm --prepare\"}\n", "line 1: it is no file of"},
        {FIRST_LINE, "it has fewer seeds than are wanted"},
        {FIRST_LINE "\n", "line 2: this line is damaged"},
        {FIRST_LINE "00 00\n", "line 2: this line is damaged"},
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        CHECK_OK(kw_file_replace(path, kw_span_str(bad[i][0]), 0600, &note));
        CHECK_CODE(kw_corpus_read(path, 0, &back, &note), KW_CODE_BAD_INPUT);
        CHECK_HAS(note.text, bad[i][1]);
        CHECK_HAS(note.text, path);
        CHECK_HAS(note.text, "--prepare");
    }
}

TEST(file__written_and_read__the_same_and_private)
{
    struct stat st;
    struct kw_blob blob = {0};
    CHECK_OK(kw_corpus_write(&c, path, &note));
    CHECK(stat(path, &st) == 0 && (st.st_mode & 0777) == 0600);
    CHECK_CODE(kw_corpus_read(path, 4, &back, &note), KW_CODE_BAD_INPUT);
    CHECK_HAS(note.text, "fewer seeds");
    for (size_t count = 0; count < 4; count++) {
        CHECK_OK(kw_corpus_read(path, count, &back, &note));
        CHECK(back.count == (count > 0 ? count : 3));
        for (size_t i = 0; i < back.count; i++) {
            CHECK(memcmp(back.entry[i].seed, c.entry[i].seed, KW_SEED) == 0);
            CHECK(kw_span_equal(kw_corpus_request(&back, KW_DECRYPT, i, NULL),
                                kw_corpus_request(&c, KW_DECRYPT, i, NULL)));
        }
        kw_corpus_wipe(&back);
    }
    CHECK_OK(kw_file_read(path, 1 << 20, &blob, &note)); /* its last digit, changed */
    blob.ptr[blob.len - 2] = 'x';
    CHECK_OK(kw_file_replace(path, kw_blob_peek(&blob), 0600, &note));
    kw_blob_wipe(&blob);
    CHECK_CODE(kw_corpus_read(path, 0, &back, &note), KW_CODE_BAD_INPUT);
    CHECK_HAS(note.text, "line 4: this line is damaged");
}

KW_SUITE_AROUND("bench/load/corpus", begin, end)
