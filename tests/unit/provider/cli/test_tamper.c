/* SPDX-License-Identifier: Apache-2.0 */
/* What can be done to a log of 200 records (tests/vectors/tamper-audit makes it, and what
 * somebody else made of it), before keyward audit verify and the second verifier. */
#include "check.h"

#include <stdio.h>
#include <unistd.h>

#include <keyward/audit.h>
#include <keyward/file.h>

#include "run.h"

enum { RECORDS = 200 };

static const char tamper[] = KW_VECTORS "/tamper-audit";
static struct kw_run second;
static char dir[64];
static struct kw_blob text;
static kw_span lines[RECORDS]; /* with their line feeds */

static void begin(void)
{
    snprintf(dir, sizeof dir, "/tmp/keyward-tamper-XXXXXX");
    CHECK(mkdtemp(dir) != NULL);
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

/* ---- each byte ------------------------------------------------------------ */

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

KW_SUITE_AROUND("provider/cli/tamper", begin, end)
