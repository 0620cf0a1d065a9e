/* SPDX-License-Identifier: Apache-2.0 */
/* kw_gate_read: keyward's own report on a file of etcd's, with one thing changed. */
#include "gate_site.h"

#include <stdio.h>

#include "end_gate.h"

static struct kw_gate_report r;
static struct kw_note note;

/* Of the report in this file. */
static kw_err read_as(const char *name, const char *key_id, const char *baseline)
{
    char *text = gate_read(name);
    json_t *document = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
    free(text);
    CHECK(document != NULL);
    note.text[0] = '\0';
    const kw_err e = kw_gate_read(document, key_id, baseline, &r, &note);
    json_decref(document);
    return e;
}

struct change {
    const char *from, *to;
};

static void each_is_refused(const struct change *changes, size_t count, const char *why)
{
    for (size_t i = 0; i < count; i++) {
        r = (struct kw_gate_report){.current = 77};
        gate_change("member.report", changes[i].from, changes[i].to, "changed");
        const kw_err e = read_as("changed", KEY_1, KEY_4);
        if (e.code != KW_CODE_BAD_INPUT || strstr(note.text, why) == NULL)
            fail_msg("%s: %s, \"%s\"", changes[i].to, kw_code_name(e.code), note.text);
        CHECK(r.current == 77); /* untouched */
    }
}
#define EACH_IS_REFUSED(changes, why)                                                    \
    each_is_refused(changes, sizeof(changes) / sizeof(changes)[0], why)

TEST(another_format_or_another_report__refused)
{
    static const struct change changes[] = {
        {"\"format\": 1,", "\"format\": 2,"},
        {"\"format\": 1,", "\"format\": 1.0,"},
        {"\"format\": 1,", "\"format\": \"1\","},
        {"\"format\": 1,", ""},
        {"\"keyward-etcd-audit\"", "\"keyward-etcd-audits\""},
        {"\"keyward-etcd-audit\"", "1"},
        {"\"report\":", "\"reports\":"},
    };
    EACH_IS_REFUSED(changes, "it is no report of keyward etcd audit --json, format 1");
    CHECK_CODE(kw_gate_read(json_null(), KEY_1, KEY_4, &r, &note), KW_CODE_BAD_INPUT);
    json_t *list = json_array();
    CHECK_CODE(kw_gate_read(list, KEY_1, KEY_4, &r, &note), KW_CODE_BAD_INPUT);
    json_decref(list);
}

TEST(not_everything_was_read__refused)
{
    static const struct change changes[] = {
        {"\"unread\": []", "\"unread\": [{\"where\": \"log\"}]"},
        {"\"unread\": []", "\"unread\": {}"},
        {"\"unread\": []", "\"unreads\": []"},
        {"\"unread\": null", "\"unread\": \"it changed\""},
        {"\"unread\": null", "\"unreads\": null"},
        {"\"inputs\":", "\"input\":"},
        {"\"inputs\":", "\"inputs\": 1, \"input\":"},
        {"\"trailer\": \"good\"", "\"trailer\": \"wrong\""},
        {"\"trailer\": \"good\"", "\"trailer\": \"fine\""},
        {"\"trailer\": \"good\"", "\"trailer\": true"},
        {"\"trailer\":", "\"trailers\":"},
        {"\"database\":", "\"database\": null, \"databases\":"},
        {"\"log\": null", "\"log\": {\"gapless\": false}"},
        {"\"log\": null", "\"log\": {\"gapless\": \"true\"}"},
        {"\"log\": null", "\"log\": {}"},
        {"\"log\": null", "\"logs\": null"},
    };
    EACH_IS_REFUSED(changes, "it could not read everything");
}

TEST(no_rows__refused)
{
    static const struct change changes[] = {{"\"rows\":", "\"row\":"},
                                            {"\"rows\":", "\"rows\": {}, \"row\":"}};
    EACH_IS_REFUSED(changes, "it has no rows");
}

/* The first row is the one of KEY_1. */
TEST(damaged_row__refused)
{
    static const struct change changes[] = {
        {"\"rows\": [", "\"rows\": [1,"},
        {"\"rows\": [", "\"rows\": [null,"},
        {"\"rows\": [", "\"rows\": [{},"},
        {"\"key_id\": \"" KEY_1 "\"", "\"key_id\": 1"},
        {"\"key_id\": \"" KEY_1 "\"", "\"key\": 1"},
        {"\"stored_as\": \"kms-v2\"", "\"stored_as\": null"},
        {"\"stored_as\": \"kms-v2\"", "\"stored\": null"},
        {"\"current\": {\"objects\": 0", "\"current\": {\"objects\": -1"},
        {"\"current\": {\"objects\": 0", "\"current\": {\"objects\": 0.0"},
        {"\"current\": {\"objects\": 0", "\"current\": {\"objects\": \"0\""},
        {"\"current\": {\"objects\": 0", "\"current\": {\"object\": 0"},
        {"\"historic\": {", "\"history\": {"},
        {"\"unreachable\": {\"objects\": 0", "\"unreachable\": {\"objects\": null"},
        {"\"log\": {\"objects\": 0", "\"log\": {\"objects\": true"},
        {"\"newest\": 2", "\"newest\": -2"},
        {"\"newest\": 2", "\"newest\": null"},
    };
    EACH_IS_REFUSED(changes, "a row of it is damaged");
}

/* No row tells that the key is needed when its own numbers cannot be read. */
TEST(damaged_row_of_the_baseline__refused)
{
    static const struct change changes[] = {{"\"newest\": 4", "\"newest\": 4.5"},
                                            {"\"newest\": 4", "\"newest\": -4"}};
    EACH_IS_REFUSED(changes, "a row of it is damaged");
}

TEST(own_report__each_number_where_it_belongs)
{
    CHECK_OK(read_as("member.report", KEY_1, KEY_4));
    CHECK(r.current == 0 && r.elsewhere == 1);
    CHECK(r.newest == 2 && r.newest_of_baseline == 4);
    CHECK(r.unknown_current == 0 && r.unknown_elsewhere == 0);
    CHECK_OK(read_as("member.report", KEY_4, ""));
    CHECK(r.current == 2 && r.elsewhere == 0);
    CHECK(r.newest == 4 && r.newest_of_baseline == 0);
    CHECK_OK(read_as("member.report", "kw1-5", KEY_1)); /* no beginning of a name */
    CHECK(r.current == 0 && r.elsewhere == 0 && r.newest == 0);
    CHECK(r.newest_of_baseline == 2);
}

/* Whoever writes values can make the inside of one look like a page of etcd's. */
TEST(newest_in_unreachable_pages__counts_against_the_version_and_never_for_the_baseline)
{
    gate_change("member.report", "\"newest\": 4", "\"newest\": 999", "changed");
    CHECK_OK(read_as("changed", KEY_1, KEY_4));
    CHECK(r.newest == 2 && r.newest_of_baseline == 4);
    CHECK_OK(read_as("changed", KEY_4, KEY_1));
    CHECK(r.newest == 999 && r.newest_of_baseline == 2);
}

TEST(each_place_but_current__is_elsewhere)
{
    static const struct change changes[] = {
        {"\"historic\": {\"objects\": 1", "\"historic\": {\"objects\": 5"},
        {"\"unreachable\": {\"objects\": 0", "\"unreachable\": {\"objects\": 4"},
        {"\"log\": {\"objects\": 0", "\"log\": {\"objects\": 4"},
    };
    for (size_t i = 0; i < 3; i++) {
        gate_change("member.report", changes[i].from, changes[i].to, "changed");
        CHECK_OK(read_as("changed", KEY_1, KEY_4));
        CHECK(r.current == 0 && r.elsewhere == 5);
    }
    gate_change("member.report", "\"current\": {\"objects\": 0",
                "\"current\": {\"objects\": 3", "changed");
    CHECK_OK(read_as("changed", KEY_1, KEY_4));
    CHECK(r.current == 3 && r.elsewhere == 1);
}

/* What lies in the log alone has no revision. */
TEST(row_without_revisions__read)
{
    gate_change("member.report", ", \"oldest\": 2, \"newest\": 2", "", "changed");
    CHECK_OK(read_as("changed", KEY_1, KEY_4));
    CHECK(r.newest == 0 && r.elsewhere == 1);
}

TEST(huge_numbers__do_not_wrap_round)
{
    static const char row[] =
        "{\"stored_as\": \"kms-v2\", \"key_id\": \"" KEY_1 "\", "
        "\"current\": {\"objects\": 0}, "
        "\"historic\": {\"objects\": 9223372036854775807}, "
        "\"unreachable\": {\"objects\": 9223372036854775807}, "
        "\"log\": {\"objects\": 2}, \"newest\": 9223372036854775807},";
    char rows[2048];
    snprintf(rows, sizeof rows, "\"rows\": [%s%s", row, row);
    gate_change("member.report", "\"rows\": [", rows, "changed");
    CHECK_OK(read_as("changed", KEY_1, KEY_4));
    CHECK(r.current == 0 && r.elsewhere == UINT64_MAX);
    CHECK(r.newest == INT64_MAX);
}

TEST(not_known_how_it_is_encrypted__counted_apart)
{
    const struct gate_put puts[] = {
        {2, "/registry/secrets/ns/a", NULL, "k8s:enc:kms:v2:keyward:broken"},
        {3, "/registry/secrets/ns/a", NULL, "k8s:enc:kms:v3:keyward:new"},
        {4, "/registry/secrets/ns/b", KEY_4, NULL}};
    gate_db("odd.db", puts, 3);
    gate_audit("odd.db", "odd.report");
    CHECK_OK(read_as("odd.report", KEY_1, KEY_4));
    CHECK(r.unknown_current == 1 && r.unknown_elsewhere == 1);
    CHECK(r.current == 0 && r.elsewhere == 0 && r.newest_of_baseline == 4);
}

/* ---- was it ever accepted? ---- */

TEST(created_or_disabled_from_it__was_not_unless_this_node_wrapped_with_it)
{
    static struct kw_context context;
    struct kw_version v = {.n = 6, .key_id = "kw1-6-a", .state = KW_KEY_CREATED};
    CHECK(!kw_gate_was_accepted(&context, &v));
    v.state = KW_KEY_ACCEPTED;
    CHECK(kw_gate_was_accepted(&context, &v));
    v.state = KW_KEY_DISABLED;
    snprintf(v.disabled_from, sizeof v.disabled_from, "retired");
    CHECK(kw_gate_was_accepted(&context, &v));
    snprintf(v.disabled_from, sizeof v.disabled_from, "created");
    CHECK(!kw_gate_was_accepted(&context, &v));
    context.marks.count = 1;
    context.marks.versions[0] =
        (struct kw_mark){.id = {6, "kw1-6-a"}, .state = "created", .wrapped = true};
    CHECK(kw_gate_was_accepted(&context, &v));
    context.marks.versions[0].wrapped = false;
    CHECK(!kw_gate_was_accepted(&context, &v));
    context.marks.versions[0] =
        (struct kw_mark){.id = {6, "kw1-6-b"}, .state = "created", .wrapped = true};
    CHECK(!kw_gate_was_accepted(&context, &v)); /* another one's mark */
}

KW_SUITE_AROUND("provider/cli/end_gate_read", gate_begin, gate_end)
