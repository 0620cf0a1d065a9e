/* SPDX-License-Identifier: Apache-2.0 */
/* What the audit log says of where operator.jsonl stands. */
#include "check.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <keyward/file.h>

#include "logs.h"
#include "writer_state.h"

static struct kw_audit_writer *w;
static struct kw_audit_record r;

static void begin(void)
{
    logs_begin();
    logs.name = "operator";
    w = calloc(1, sizeof *w);
    CHECK(w != NULL);
    w->o.operator_dir = logs.dir;
}

static void end(void)
{
    free(w);
    logs_end();
}

/* News, and on record from now on. */
static bool told(void)
{
    const bool is_news = kw_audit_operator_news(w, &r);
    w->told = w->found;
    CHECK(!is_news || kw_audit_is_writable(&r));
    return is_news;
}

static void unreadable_is_told_once(void)
{
    CHECK(told());
    CHECK(r.value[KW_AUDIT_OPERATOR_LOG_LOG].is_null);
    CHECK(r.value[KW_AUDIT_OPERATOR_LOG_LAST].is_null);
    CHECK(r.value[KW_AUDIT_OPERATOR_LOG_HEAD].is_null);
    CHECK(!told());
}

static void names_the_head(void)
{
    char log[65], hash[65];
    struct kw_audit_head head;
    kw_audit_log_head(logs.log, &head);
    kw_hex(log, sizeof log, kw_span_of(head.log, KW_SHA256));
    kw_hex(hash, sizeof hash, kw_span_of(head.hash, KW_SHA256));
    CHECK(r.kind == KW_AUDIT_OPERATOR_LOG);
    CHECK(kw_span_equal_str(r.value[KW_AUDIT_OPERATOR_LOG_LOG].text, log));
    CHECK(kw_span_equal_str(r.value[KW_AUDIT_OPERATOR_LOG_HEAD].text, hash));
    assert_int_equal(r.value[KW_AUDIT_OPERATOR_LOG_LAST].number, head.next_seq - 1);
}

TEST(no_act_yet__nothing_to_say)
{
    CHECK(!told());
    w->o.operator_dir = NULL;
    logs_reopen();
    CHECK(!told());
}

TEST(acts__their_head_each_time_it_is_another_one)
{
    logs_reopen();
    CHECK_OK(logs_commit(1));
    CHECK(told());
    names_the_head();
    CHECK(!told());
    for (unsigned i = 0; i < 40; i++) /* more than is read at once */
        CHECK_OK(logs_commit(3));
    CHECK(told());
    names_the_head();
}

TEST(not_on_record_yet__told_again)
{
    logs_reopen();
    CHECK(kw_audit_operator_news(w, &r) && kw_audit_operator_news(w, &r));
    names_the_head();
}

TEST(later_file_of_it__its_first_record_says_which_log)
{
    logs_reopen();
    CHECK_OK(logs_commit(1));
    kw_audit_log_rotate(logs.log);
    CHECK_OK(logs_commit(1));
    CHECK(told());
    names_the_head();
}

TEST(act_is_being_written__the_one_before)
{
    logs_reopen();
    CHECK_OK(logs_commit(1));
    logs_append("operator.jsonl", "{\"seq\":2,\"time\":\"20");
    CHECK(told());
    names_the_head();
}

TEST(no_log__said_once)
{
    static const char *const no_logs[] = {"", "\n", "no log at all\n",
                                          "\n\n\n{\"seq\":0}\n"};
    for (size_t i = 0; i < sizeof no_logs / sizeof no_logs[0]; i++) {
        w->told = (struct kw_audit_operator){.is_there = false};
        CHECK_OK(kw_file_replace(logs_path("operator.jsonl"), kw_span_str(no_logs[i]),
                                 0640, NULL));
        unreadable_is_told_once();
    }
}

TEST(no_file__a_link_or_a_pipe__said_once)
{
    CHECK(symlink("/etc/passwd", logs_path("operator.jsonl")) == 0);
    unreadable_is_told_once();
    CHECK(unlink(logs_path("operator.jsonl")) == 0);
    CHECK(!told()); /* still not there */
    w->told = (struct kw_audit_operator){.is_there = false};
    CHECK(mkfifo(logs_path("operator.jsonl"), 0640) == 0);
    unreadable_is_told_once();
}

TEST(gone__said_once)
{
    logs_reopen();
    CHECK(told());
    CHECK(unlink(logs_path("operator.jsonl")) == 0);
    unreadable_is_told_once();
}

KW_SUITE_AROUND("provider/audit/operator_head", begin, end)
