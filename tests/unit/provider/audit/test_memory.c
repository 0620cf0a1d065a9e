/* SPDX-License-Identifier: Apache-2.0 */
/* What is remembered of a log, as a text: one spelling, or refused. */
#include "memory_text.h"

#include <stdio.h>

#include <keyward/file.h>

#include "check.h"

static char golden[KW_AUDIT_MEMORY_MAX + 1];
static struct kw_audit_memory memory;
static size_t wrong_at;

static void begin(void)
{
    struct kw_blob text = {0};
    CHECK_OK(
        kw_file_read(KW_VECTORS "/audit-memory.json", KW_AUDIT_MEMORY_MAX, &text, NULL));
    CHECK(kw_copy_str(golden, sizeof golden, kw_blob_peek(&text)));
    kw_blob_wipe(&text);
    CHECK(kw_audit_memory_read(kw_span_str(golden), &memory, &wrong_at) == NULL);
}

static void writes_back(kw_span text)
{
    char again[KW_AUDIT_MEMORY_MAX];
    kw_dst dst = kw_dst_of(again, sizeof again);
    kw_audit_memory_write(&memory, &dst);
    CHECK(kw_span_equal(kw_dst_span(&dst), text));
}

TEST(golden__read_and_written_back_identically)
{
    for (size_t i = 0; i < KW_SHA256; i++)
        assert_int_equal(memory.log[i], i);
    assert_int_equal(memory.seq, 5);
    CHECK(memory.has_machine && memory.machine[15] == 0xaa);
    writes_back(kw_span_str(golden));
}

TEST(no_machine_and_the_greatest_number__written_and_read_back)
{
    char text[KW_AUDIT_MEMORY_MAX];
    kw_dst dst = kw_dst_of(text, sizeof text);
    memory.has_machine = false;
    memory.seq = INT64_MAX;
    kw_audit_memory_write(&memory, &dst);
    CHECK(kw_audit_memory_read(kw_dst_span(&dst), &memory, &wrong_at) == NULL);
    CHECK(!memory.has_machine && memory.seq == INT64_MAX);
    writes_back(kw_dst_span(&dst));
}

TEST(cut_anywhere_or_longer__refused_and_nothing_given)
{
    char longer[KW_AUDIT_MEMORY_MAX + 2];
    const struct kw_audit_memory before = memory;
    for (size_t len = 0; len < strlen(golden); len++)
        CHECK(kw_audit_memory_read(kw_span_of(golden, len), &memory, &wrong_at) != NULL);
    snprintf(longer, sizeof longer, "%s\n", golden);
    CHECK_STR(kw_audit_memory_read(kw_span_str(longer), &memory, &wrong_at), "its end");
    assert_int_equal(wrong_at, 240);
    assert_memory_equal(&before, &memory, sizeof before);
}

TEST(each_byte_another_one__refused_or_written_back_identically)
{
    for (size_t at = 0; golden[at] != '\0'; at++)
        for (unsigned byte = 0; byte < 256; byte++) {
            char wrong[sizeof golden];
            snprintf(wrong, sizeof wrong, "%s", golden);
            wrong[at] = (char)byte;
            const kw_span text = kw_span_of(wrong, strlen(golden));
            if (kw_audit_memory_read(text, &memory, &wrong_at) == NULL)
                writes_back(text);
        }
}

KW_SUITE_AROUND("provider/audit/memory", begin, NULL)
