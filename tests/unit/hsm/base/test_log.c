/* SPDX-License-Identifier: Apache-2.0 */
#include "logged.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>

static struct logged l;

TEST(log__below_the_level__nothing)
{
    logged_open(&l, KW_LOG_WARN, KW_LOG_LOGFMT);
    kw_log_bare(KW_LOG_DEBUG, "a");
    kw_log_bare(KW_LOG_INFO, "b");
    CHECK(!logged_take(&l));
    kw_log_bare(KW_LOG_WARN, "c");
    logged_check(&l, "level=warn event=c");
    kw_log_bare(KW_LOG_ERROR, "d");
    logged_check(&l, "level=error event=d");
    logged_close(&l);
}

TEST(log__reader_gone__goes_on)
{
    signal(SIGPIPE, SIG_IGN); /* as every program of ours does */
    logged_open(&l, KW_LOG_INFO, KW_LOG_LOGFMT);
    close(l.ends[0]);
    kw_log_bare(KW_LOG_INFO, "nobody-hears");
    l.ends[0] = -1;
    logged_close(&l);
}

TEST(log__reader_does_not_read__lines_lost_and_counted)
{
    char spill[65536];
    int ends[2];
    CHECK(pipe2(ends, O_CLOEXEC | O_NONBLOCK) == 0);
    while (write(ends[1], spill, sizeof spill) > 0)
        ;
    CHECK(fcntl(ends[1], F_SETFL, 0) == 0); /* now a write would wait for ever */
    kw_log_setup(ends[1], KW_LOG_INFO, KW_LOG_LOGFMT, NULL);
    CHECK(!kw_log_may("one"));
    kw_log_bare(KW_LOG_INFO, "one");
    kw_log_bare(KW_LOG_INFO, "two");
    while (read(ends[0], spill, sizeof spill) > 0)
        ;
    CHECK(kw_log_may("three"));
    kw_log_bare(KW_LOG_INFO, "three");
    ssize_t n = read(ends[0], spill, sizeof spill - 1);
    CHECK(n > 0);
    spill[n] = '\0';
    CHECK_HAS(spill, "event=three lost_before=2");
    kw_log_setup(STDERR_FILENO, KW_LOG_INFO, KW_LOG_LOGFMT, NULL);
    close(ends[0]);
    close(ends[1]);
}

TEST(logfmt__each_kind__as_documented)
{
    logged_open(&l, KW_LOG_INFO, KW_LOG_LOGFMT);
    kw_log(KW_LOG_WARN, "worker-stuck", KW_INT("pid", 412), KW_STR("token", "keyward"));
    logged_check(&l, "level=warn event=worker-stuck pid=412 token=keyward");
    kw_log(KW_LOG_INFO, "e", KW_INT("n", INT64_MIN), KW_STR("none", NULL),
           KW_STR("empty", ""));
    logged_check(&l, "level=info event=e n=-9223372036854775808 none=\"\" empty=\"\"");
    kw_log(KW_LOG_INFO, "f",
           KW_ERR("err", kw_err_native(KW_CODE_PIN_STOP, 0xa0, "C_Login")),
           KW_ERR("why", KW_OK));
    logged_check(&l, "level=info event=f err=pin-stop native=0xa0 at=C_Login why=ok");
    logged_close(&l);
}

TEST(logfmt__text_that_could_forge__escaped)
{
    logged_open(&l, KW_LOG_INFO, KW_LOG_LOGFMT);
    kw_log(KW_LOG_INFO, "e", KW_STR("s", "a b=c \"q\" \\ \n\t\x7f\x1b[0m"));
    logged_check(&l, "level=info event=e "
                     "s=\"a b=c \\\"q\\\" \\\\ \\x0a\\x09\\x7f\\x1b[0m\"");
    kw_log(KW_LOG_INFO, "f", KW_STR("s", "a=b"), KW_STR("t", "Zürich"));
    logged_check(&l, "level=info event=f s=\"a=b\" t=\"Zürich\"");
    logged_close(&l);
}

/* U+009B is a CSI to a terminal, U+200F turns what stands beside it around. */
TEST(text__c1_bidi_and_bytes_of_none__escaped)
{
    static const char text[] = "a\xc2\x9b"
                               "2J\xe2\x80\x8f\xf3\xa0\x81\x81\x9bü";
    logged_open(&l, KW_LOG_INFO, KW_LOG_LOGFMT);
    kw_log(KW_LOG_INFO, "e", KW_STR("s", text));
    logged_check(&l, "level=info event=e s=\"a\\xc2\\x9b2J\\xe2\\x80\\x8f"
                     "\\xf3\\xa0\\x81\\x81\\x9bü\"");
    logged_close(&l);
    logged_open(&l, KW_LOG_INFO, KW_LOG_JSON);
    kw_log(KW_LOG_INFO, "e", KW_STR("s", text));
    CHECK(logged_take(&l));
    CHECK_HAS(l.line, "\"s\":\"a\\u009b2J\\u200f\\udb40\\udc41\\u009bü\"}");
    logged_close(&l);
}

TEST(json__each_kind__one_object)
{
    logged_open(&l, KW_LOG_INFO, KW_LOG_JSON);
    kw_log(KW_LOG_WARN, "e", KW_INT("pid", -1), KW_STR("s", "a\"\\\n\x01"),
           KW_ERR("err", kw_err_native(KW_CODE_IO, 13, "open")),
           KW_PEER("peer", kw_span_of("x\xff", 2)));
    CHECK(logged_take(&l));
    CHECK_STR(l.line,
              "{\"time\":\"2026-01-01T00:00:00.000000Z\",\"level\":\"warn\","
              "\"event\":\"e\",\"pid\":-1,\"s\":\"a\\\"\\\\\\n\\u0001\",\"err\":\"io\","
              "\"native\":\"0xd\",\"at\":\"open\",\"peer\":\"x\\u00ff\"}");
    kw_log_bare(KW_LOG_INFO, "f");
    CHECK(logged_take(&l));
    CHECK_HAS(l.line, "\"event\":\"f\"}");
    logged_close(&l);
}

TEST(json__text_that_is_no_utf8__still_json)
{
    logged_open(&l, KW_LOG_INFO, KW_LOG_JSON);
    kw_log(KW_LOG_INFO, "e", KW_STR("s", "\xc3\xbc"), KW_STR("t", "\xc3("));
    CHECK(logged_take(&l));
    CHECK_HAS(l.line, "\"s\":\"\xc3\xbc\",\"t\":\"\\u00c3(\"}");
    logged_close(&l);
}

TEST(peer__everything_but_printable_ascii__escaped)
{
    logged_open(&l, KW_LOG_INFO, KW_LOG_LOGFMT);
    kw_log(KW_LOG_INFO, "e", KW_PEER("p", kw_span_of("a\0\n\"\xc3\xbc~", 7)));
    logged_check(&l, "level=info event=e p=\"a\\x00\\x0a\\\"\\xc3\\xbc~\"");
    kw_log(KW_LOG_INFO, "f", KW_PEER("p", kw_span_of("level=error", 11)));
    logged_check(&l, "level=info event=f p=\"level=error\"");
    kw_log(KW_LOG_INFO, "g", KW_PEER("p", kw_span_of(NULL, 0)));
    logged_check(&l, "level=info event=g p=\"\"");
    logged_close(&l);
}

TEST(peer__longer_than_64__cut)
{
    char text[100], want[128];
    memset(text, 'k', sizeof text);
    snprintf(want, sizeof want, "level=info event=e p=%.64s n=1", text);
    logged_open(&l, KW_LOG_INFO, KW_LOG_LOGFMT);
    kw_log(KW_LOG_INFO, "e", KW_PEER("p", kw_span_of(text, 100)), KW_INT("n", 1));
    logged_check(&l, want);
    logged_close(&l);
}

/* However much is said, it is one line, it ends well and it owns up. */
static void check_long(enum kw_log_format format, char fill, const char *end)
{
    static char text[20000];
    memset(text, fill, sizeof text - 1);
    logged_open(&l, KW_LOG_INFO, format);
    kw_log(KW_LOG_INFO, "e", KW_STR("a", text), KW_STR("b", text), KW_INT("c", 1));
    CHECK(logged_take(&l));
    size_t len = strlen(l.line);
    CHECK(len < 4096 && len > 3900);
    CHECK_STR(l.line + len - strlen(end), end);
    CHECK(!logged_take(&l));
    logged_close(&l);
}

TEST(line__too_long__cut_and_says_so)
{
    check_long(KW_LOG_LOGFMT, 'x', "x cut=1");
    check_long(KW_LOG_LOGFMT, '\n', "\\x0a\" cut=1");
    check_long(KW_LOG_JSON, 'x', "x\",\"cut\":1}");
    check_long(KW_LOG_JSON, '\x01', "\\u0001\",\"cut\":1}");
    check_long(KW_LOG_JSON, '\x80', "\\u0080\",\"cut\":1}");
}

TEST(line__too_long_in_a_character__not_torn)
{
    static char text[12001];
    for (unsigned i = 0; i < 4000; i++)
        kw_copy(text + 3 * i, 3, kw_span_of("\xe2\x82\xac", 3));
    logged_open(&l, KW_LOG_INFO, KW_LOG_JSON);
    kw_log(KW_LOG_INFO, "e", KW_STR("a", text));
    CHECK(logged_take(&l));
    CHECK(kw_is_text(kw_span_str(l.line)));
    CHECK_HAS(l.line, "\xe2\x82\xac\",\"cut\":1}");
    logged_close(&l);
}

KW_CASES("hsm/base/log", CASE(log__below_the_level__nothing),
         CASE(log__reader_gone__goes_on),
         CASE(log__reader_does_not_read__lines_lost_and_counted),
         CASE(logfmt__each_kind__as_documented),
         CASE(logfmt__text_that_could_forge__escaped),
         CASE(text__c1_bidi_and_bytes_of_none__escaped),
         CASE(json__each_kind__one_object), CASE(json__text_that_is_no_utf8__still_json),
         CASE(peer__everything_but_printable_ascii__escaped),
         CASE(peer__longer_than_64__cut), CASE(line__too_long__cut_and_says_so),
         CASE(line__too_long_in_a_character__not_torn))
