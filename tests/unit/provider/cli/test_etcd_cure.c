/* SPDX-License-Identifier: Apache-2.0 */
/* What to do about what was found.  That the commands do it: the ring etcd. */
#include "check.h"

#include <string.h>

#include <keyward/etcd_policy.h>

#include "etcd_report.h"

static char cure[KW_ETCD_CURE_MAX];
static struct kw_redaction redaction;
static struct kw_etcd_report report;
static struct kw_etcd_row rows[3];
static struct kw_etcd_findings findings;
static struct kw_etcd_verdict verdict;

static void begin(void)
{
    static const char why[] = "it is not encrypted";
    redaction = (struct kw_redaction){.on = false};
    report = (struct kw_etcd_report){.redaction = &redaction, .prefix = KW_ETCD_PREFIX};
    memset(rows, 0, sizeof rows);
    rows[0] = (struct kw_etcd_row){.resource = kw_span_str("secrets"), .why = why};
    rows[0].at[KW_ETCD_CURRENT].objects = 1;
    rows[1] = (struct kw_etcd_row){.resource = kw_span_str("configmaps")};
    rows[1].at[KW_ETCD_CURRENT].objects = 1;
    rows[2] = (struct kw_etcd_row){
        .group = kw_span_str("example.com"), .resource = kw_span_str("it's"), .why = why};
    rows[2].at[KW_ETCD_CURRENT].objects = 1;
    findings = (struct kw_etcd_findings){.rows = rows, .row_count = 3};
    verdict = (struct kw_etcd_verdict){.code = 0};
}

static void end(void)
{
}

/* Whether the line is one of the cure's, and stands behind `last`; the line, or NULL. */
static const char *line(const char *last, const char *text)
{
    const char *at = strstr(last, text);
    const size_t len = strlen(text);
    while (at != NULL && ((at > cure && at[-1] != '\n') || at[len] != '\n'))
        at = strstr(at + 1, text);
    return at;
}

static void make(void)
{
    kw_etcd_cure(&report, &findings, &verdict, cure);
}

TEST(something_nothing_reads__its_provider_comes_back_first)
{
    const struct kw_etcd_policy policy = {NULL};
    const struct kw_etcd_key key = {.resource = kw_span_str("secrets")};
    const struct kw_stored stored = {.kind = KW_STORED_UNKNOWN};
    verdict.not_allowed[KW_ETCD_CURRENT] = 1;
    make();
    CHECK(strstr(cure, "put its provider") == NULL);
    rows[0].why = kw_etcd_policy_judge(&policy, &key, &stored);
    make();
    CHECK(strstr(cure, "put its provider") < strstr(cure, "kubectl get"));
    CHECK_HAS(cure,
              "# what nothing reads cannot be written again: first put its provider "
              "back into the\n");
}

TEST(nothing_found__nothing_to_do)
{
    make();
    CHECK_STR(cure, "");
}

TEST(current__rewritten_compacted_given_back_and_looked_at_in_this_order)
{
    verdict.not_allowed[KW_ETCD_CURRENT] = 2;
    make();
    const char *at = line(cure, "kubectl get secrets --all-namespaces -o json | kubectl "
                                "replace -f -");
    CHECK(at != NULL);
    CHECK(strstr(cure, "configmaps") == NULL);
    at = line(at, "kubectl get 'it'\\''s.example.com' --all-namespaces -o json | kubectl "
                  "replace -f -");
    CHECK(at != NULL);
    at = strstr(at, "\netcdctl compact ");
    CHECK(at != NULL);
    at = line(at, "etcdctl defrag");
    CHECK(at != NULL);
    at = line(at, "etcdctl snapshot save backup.db");
    CHECK(at != NULL);
    CHECK(line(at, "keyward etcd audit backup.db") != NULL);
    CHECK(strstr(cure, "fresh") == NULL);
}

/* A defrag that begins before the compaction is done copies what is left to be deleted. */
TEST(current__a_resource_that_would_be_an_option__left_out)
{
    rows[0].resource = kw_span_str("--kubeconfig=evil");
    rows[2].group = kw_span_str("");
    rows[2].resource = kw_span_str("-fevil");
    verdict.not_allowed[KW_ETCD_CURRENT] = 2;
    make();
    CHECK_HAS(cure, "# write again");
    CHECK(strstr(cure, "evil") == NULL);
}

/* Of resources there may be any number; the steps that follow are told all the same. */
TEST(current__more_resources_than_there_is_room_for__said_and_the_next_steps_too)
{
    enum { MANY = 400 };
    static struct kw_etcd_row many[MANY];
    static char names[MANY][64];
    for (size_t i = 0; i < MANY; i++) {
        (void)snprintf(names[i], sizeof names[i],
                       "resources-of-a-somewhat-longer-name-%zu", i);
        many[i] = (struct kw_etcd_row){.resource = kw_span_str(names[i]), .why = "plain"};
        many[i].at[KW_ETCD_CURRENT].objects = 1;
    }
    findings.rows = many;
    findings.row_count = MANY;
    verdict.not_allowed[KW_ETCD_CURRENT] = MANY;
    verdict.not_allowed[KW_ETCD_IN_LOG] = 1;
    make();
    const char *at = line(cure, "# and so on: there is no room for more resources here");
    CHECK(at != NULL);
    at = line(at, "etcdctl defrag");
    CHECK(at != NULL);
    at = line(at, "etcdctl snapshot save backup.db");
    CHECK(at != NULL && line(at, "keyward etcd audit backup.db") != NULL);
}

TEST(historic__defrag_begins_when_the_compaction_is_done)
{
    verdict.not_allowed[KW_ETCD_HISTORIC] = 1;
    make();
    CHECK(strstr(cure, "\netcdctl compact --physical \"$(etcdctl get / ") != NULL);
}

TEST(log__a_new_member_that_is_looked_at)
{
    verdict.not_allowed[KW_ETCD_IN_LOG] = 1;
    make();
    const char *at = line(cure, "etcdctl snapshot save fresh.db");
    CHECK(at != NULL);
    CHECK(line(at, "keyward etcd audit --member fresh.etcd") != NULL);
    CHECK(strstr(cure, "defrag\n") == NULL);
}

/* Without them the audit would find less, or nothing. */
TEST(options_of_the_audit__also_the_next_one_s)
{
    verdict.not_allowed[KW_ETCD_HISTORIC] = 1;
    report.config = "/etc/it's.yaml";
    make();
    CHECK(line(cure, "keyward etcd audit --encryption-config '/etc/it'\\''s.yaml' "
                     "backup.db") != NULL);
    report.prefix = "/k8s";
    make();
    CHECK(line(cure, "keyward etcd audit --encryption-config '/etc/it'\\''s.yaml' "
                     "--etcd-prefix /k8s backup.db") != NULL);
}

TEST(options_of_the_audit_redacted__said_and_not_told)
{
    verdict.not_allowed[KW_ETCD_HISTORIC] = 1;
    report.config = "/etc/secret-path.yaml";
    redaction.on = true;
    make();
    CHECK(line(cure, "# with the options of this audit:") != NULL);
    CHECK(line(cure, "keyward etcd audit backup.db") != NULL);
    CHECK(strstr(cure, "secret-path") == NULL);
}

KW_SUITE_AROUND("provider/cli/etcd_cure", begin, end)
