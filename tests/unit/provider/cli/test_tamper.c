/* SPDX-License-Identifier: Apache-2.0 */
/* What can be done to a log of 200 records (tests/vectors/tamper-audit makes it, and what
 * somebody else made of it), before keyward audit verify and the second verifier. */
#include "check.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include <keyward/audit.h>
#include <keyward/file.h>

#include "cli.h"
#include "run.h"

enum { RECORDS = 200, SHIPPED = 157 /* the last that an anchor is of */ };

static const char tamper[] = KW_VECTORS "/tamper-audit";
static struct kw_run first, second;
static char dir[64], anchors[80];
static struct kw_blob text;
static kw_span lines[RECORDS]; /* with their line feeds */

static void begin(void)
{
    snprintf(dir, sizeof dir, "/tmp/keyward-tamper-XXXXXX");
    CHECK(mkdtemp(dir) != NULL);
    snprintf(anchors, sizeof anchors, "%s/anchors", dir);
    kw_run_line(&second, 0, tamper, "%s", dir);
}

static void end(void)
{
    kw_blob_wipe(&text);
    kw_run_line(&second, 0, "/bin/rm", "-r %s", dir);
}

static void read_lines(const char *name)
{
    char path[96];
    size_t count = 0;
    snprintf(path, sizeof path, "%s/%s", dir, name);
    kw_blob_wipe(&text);
    CHECK_OK(kw_file_read(path, 1 << 17, &text, NULL));
    for (size_t at = 0; at < text.len; at += lines[count++].len) {
        const uint8_t *feed = memchr(text.ptr + at, '\n', text.len - at);
        CHECK(feed != NULL && count < RECORDS);
        lines[count] = kw_span_of(text.ptr + at, (size_t)(feed - text.ptr) + 1 - at);
    }
    assert_int_equal(count, RECORDS);
}

/* ---- each byte and each line ------------------------------------------------------------ */

/* Where `chain` stands, with this bit of the line's byte changed: is what is a line then
 * refused?  Without its line feed it goes on to the end of the next one. */
static bool is_refused(struct kw_audit_chain chain, size_t line, size_t at, uint8_t bit)
{
    uint8_t changed[2 * KW_AUDIT_LINE_MAX];
    struct kw_audit_record r;
    struct kw_note note;
    const bool joins = at + 1 == lines[line].len;
    const size_t len = lines[line].len + (joins ? lines[line + 1].len : 0);
    kw_copy(changed, sizeof changed, kw_span_of(lines[line].ptr, len));
    changed[at] ^= bit;
    const uint8_t *feed = memchr(changed, '\n', len);
    return kw_failed(kw_audit_chain_take(
        &chain, kw_span_of(changed, (size_t)(feed - changed)), &r, &note));
}

static bool is_letter(uint8_t c)
{
    return (c | 0x20) >= 'a' && (c | 0x20) <= 'z';
}

/* One bit of each, and each letter in the other case; the last line feed is none of these. */
TEST(each_byte_changed__refused_at_its_line_by_both)
{
    struct kw_audit_chain chain = {0};
    struct kw_audit_record r;
    struct kw_note note;
    unsigned tried = 0;
    char said[64];
    read_lines("marked");
    for (size_t i = 0; i < RECORDS; i++) {
        for (size_t at = 0; at < lines[i].len - (i + 1 == RECORDS); at++) {
            const uint8_t bit = (uint8_t)(1u << at % 8);
            const bool has_case = is_letter(lines[i].ptr[at]) && bit != 0x20;
            if (!is_refused(chain, i, at, bit) ||
                (has_case && !is_refused(chain, i, at, 0x20)))
                fail_msg("line %zu, byte %zu: taken", i, at);
            tried += 1 + has_case;
        }
        CHECK_OK(kw_audit_chain_take(&chain, kw_span_of(lines[i].ptr, lines[i].len - 1),
                                     &r, &note));
    }
    kw_run_line(&second, 0, tamper, "--bytes %s", dir);
    snprintf(said, sizeof said, "%u bytes, 0 taken\n", tried);
    CHECK_STR(second.out, said);
}

/* The log with this done to it at line `at`. */
static kw_span changed_at(char what, size_t at)
{
    static uint8_t bytes[1 << 17];
    kw_dst dst = kw_dst_of(bytes, sizeof bytes);
    const bool ends = what == 'c' || what == 't';
    for (size_t i = 0; i < (ends ? at : RECORDS); i++) {
        const bool swaps = what == 's' && at + 1 < RECORDS && (i == at || i == at + 1);
        if (what != 'd' || i != at)
            CHECK(kw_dst_put(&dst, lines[swaps ? 2 * at + 1 - i : i]));
        if (what == 'r' && i == at)
            CHECK(kw_dst_put(&dst, lines[i]));
    }
    if (what == 't')
        CHECK(kw_dst_put(&dst, kw_span_of(lines[at].ptr, lines[at].len / 2)));
    return kw_dst_span(&dst);
}

/* What the verb ends with, here in this process, of each place. */
static void verdicts(const char *what, char dst[RECORDS + 1])
{
    char path[32], verb[] = "verify", option[] = "--anchors";
    const bool is_anchored = strstr(what, "anchored") != NULL;
    const int file = memfd_create("log", MFD_CLOEXEC), none = open("/dev/null", O_WRONLY);
    const int out = dup(STDOUT_FILENO);
    CHECK(file >= 0 && none >= 0 && out >= 0 && fflush(stdout) == 0);
    CHECK(dup2(none, STDOUT_FILENO) >= 0);
    snprintf(path, sizeof path, "/proc/self/fd/%d", file);
    for (size_t at = 0; at < RECORDS; at++) {
        const kw_span log = changed_at(*what, at);
        const bool is_put = ftruncate(file, 0) == 0 &&
                            pwrite(file, log.ptr, log.len, 0) == (ssize_t)log.len;
        int code =
            !is_put ? 9
            : is_anchored
                ? kw_verb_audit_verify(4, (char *[]){verb, option, anchors, path, NULL})
                : kw_verb_audit_verify(2, (char *[]){verb, path, NULL});
        dst[at] = (char)('0' + code);
    }
    dst[RECORDS] = '\0';
    CHECK(fflush(stdout) == 0 && dup2(out, STDOUT_FILENO) >= 0);
    CHECK(close(file) == 0 && close(none) == 0 && close(out) == 0);
}

/* Broken, but from this line on. */
static const struct {
    const char *what;
    size_t from;
    char then;
} each_line[] = {
    {"dropped", RECORDS - 1, '0'}, /* that is an end cut off */
    {"repeated", RECORDS, '0'},
    {"swapped", RECORDS - 1, '0'}, /* with none */
    {"cut", 1, '0'},               /* nothing is left of it before */
    {"cut anchored", SHIPPED + 1, '0'},
    {"torn", 1, '4'},
    {"torn anchored", SHIPPED + 1, '4'},
};

TEST(each_line_dropped_repeated_swapped_or_the_last__both_say_the_same)
{
    char is[RECORDS + 1], said[RECORDS + 32];
    read_lines("sound");
    kw_run_line(&second, 0, tamper, "--lines %s", dir);
    for (size_t i = 0; i < sizeof each_line / sizeof each_line[0]; i++) {
        verdicts(each_line[i].what, is);
        for (size_t at = 0; at < RECORDS; at++)
            if (is[at] != (at < each_line[i].from ? '1' : each_line[i].then))
                fail_msg("%s: line %zu: %c", each_line[i].what, at, is[at]);
        snprintf(said, sizeof said, "%s %s\n", each_line[i].what, is);
        CHECK_HAS(second.out, said);
    }
}

/* ---- whole files -------------------------------------------------------------------------- */

/* Exit status of both: of the files alone, with --key, with --anchors; and what both say with
 * the anchors.  docs/FORMATS.md, section 7, tells the same. */
static const struct {
    const char *files;
    int alone, key, anchored;
    const char *says;
    bool unnamed; /* the anchor, SEQ:HASH: of which log, it does not say */
} forgeries[] = {
    {"sound-0 sound-1 sound-2", 0, 0, 0, "anchored up to 157"},
    {"marked-0 marked-1 marked-2", 4, 4, 1, "record 37 has another hash than an anchor"},
    /* cut off: where no signature covers, where one does, and behind the last anchor */
    {"sound-0 sound-1", 0, 4, 1, "the end of the log is missing"},
    {"sound-0 sound-1 cut-150", 0, 4, 1, "the end of the log is missing"},
    {"sound-0 sound-1 cut-120", 0, 0, 1, "the end of the log is missing"},
    {"sound-0 sound-1 cut-190", 0, 4, 0, "anchored up to 157"},
    {"sound-0 sound-1 cut-160", 0, 0, 0, "anchored up to 157"},
    {"sound-0 sound-1 unended", 4, 4, 4, "unended"},
    /* other files are not there */
    {"sound-1 sound-2", 0, 0, 0, "64 to 199"},
    {"sound-0 sound-2", 1, 1, 1, "broken"},
    /* forked before and behind the last anchor, and both of a fork as one */
    {"forked-0 forked-1 forked-2", 0, 0, 1, "record 157 has another hash than an anchor"},
    {"late-0 late-1 late-2", 0, 0, 0, "anchored up to 157"},
    {"sound-0 sound-1 anew-2", 1, 1, 1, "broken"},
    /* a record left out, and all that follow written and signed anew under their numbers; a
     * signature too far behind its checkpoint, in a file whose beginning is not there */
    {"gap-0 gap-1 gap-2", 1, 1, 1, "broken"},
    {"far", 0, 1, 1, "the end of the log is missing"},
    {"wide", 1, 1, 1, "broken"}, /* a key_id of version 2^32 */
    /* written and signed anew in full; by another key; another log by the same one */
    {"anew-0 anew-1 anew-2", 0, 0, 1, "record 37 has another hash than an anchor"},
    {"stranger-0 stranger-1 stranger-2", 0, 4, 1, "record 77 has another hash"},
    {"other-0 other-1 other-2", 0, 0, 4, " anchors are of another log"},
    {"other-0 other-1 other-2", 0, 0, 1, "record 77 has another hash than an anchor",
     true},
    {"sound-0 sound-1 sound-2", 0, 0, 0, "anchored up to 77", true},
};

enum { FORGERIES = sizeof forgeries / sizeof forgeries[0], WAYS = 4 };

static void second_judges_all(void)
{
    const char *argv[FORGERIES + 4] = {tamper, "--files", dir};
    for (size_t i = 0; i < FORGERIES; i++)
        argv[3 + i] = forgeries[i].files;
    kw_run(&second, argv);
    assert_int_equal(second.status, 0);
}

/* One of the ways in which it judged one, in their order. */
static const char *second_said(size_t forgery, size_t way)
{
    const char *said = second.out;
    for (size_t i = 0; i < forgery * WAYS + way; i++)
        CHECK((said = strchr(said, '\n')) != NULL && *++said != '\0');
    static char line[512];
    snprintf(line, sizeof line, "%.*s", (int)strcspn(said, "\n"), said);
    return line;
}

static void both_say(size_t forgery, size_t way, int want, const char *what)
{
    static const char *const verdict[] = {"sound", "broken", "", "", "incomplete"};
    static const char *const other[] = {"0 whole: ", "1 broken: ", "", "", "4 whole: "};
    const char *files = forgeries[forgery].files;
    char words[512];
    int len = way == 0   ? 0
              : way == 1 ? snprintf(words, sizeof words, "--key " KW_VECTORS "/audit.pem")
                         : snprintf(words, sizeof words, "--anchors %s/%s", dir,
                                    way == 2 ? "anchors" : "unnamed");
    for (size_t n; *files != '\0'; files += n + (files[n] == ' ')) {
        n = strcspn(files, " ");
        len += snprintf(words + len, sizeof words - (size_t)len, " %s/%.*s", dir, (int)n,
                        files);
    }
    kw_run_line(&first, want, KEYWARD, "audit verify %s", words);
    const char *said = second_said(forgery, way);
    CHECK(strncmp(first.out, verdict[want], strlen(verdict[want])) == 0);
    CHECK_HAS(first.out, what);
    if (strncmp(said, other[want], strlen(other[want])) != 0)
        fail_msg("%s: %s", words, said);
    CHECK_HAS(said, what);
}

TEST(forged__both_say_the_same)
{
    second_judges_all();
    for (size_t i = 0; i < FORGERIES; i++) {
        both_say(i, 0, forgeries[i].alone,
                 forgeries[i].alone == 1 ? "broken" : "not anchored");
        both_say(i, 1, forgeries[i].key, "");
        both_say(i, 2 + forgeries[i].unnamed, forgeries[i].anchored, forgeries[i].says);
    }
}

KW_SUITE_AROUND("provider/cli/tamper", begin, end)
