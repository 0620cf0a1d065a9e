/* SPDX-License-Identifier: Apache-2.0 */
/* kw_etcd_run_snapshot: a report for another part of the tool, without a command line. */
#include "check.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/file.h>
#include <unistd.h>

#include <keyward/evidence.h>

#include "etcd_run.h"
#include "etcd_sample.h"

#define SECRET "/registry/secrets/default/one"

static char report[64 * 1024];
static int code;
static struct kw_note note;

/* What it writes to `to`; what it said on the standard streams must be nothing. */
static kw_err run_to(const char *to, const char *db, const char *config)
{
    FILE *out = fopen(to, "w");
    CHECK(out != NULL);
    const int said =
        open(sample_at("said"), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    CHECK(fflush(stdout) == 0);
    const int saved[] = {dup(1), dup(2)};
    CHECK(said >= 0 && dup2(said, 1) == 1 && dup2(said, 2) == 2);
    code = -1;
    note.text[0] = '\0';
    const kw_err e = kw_etcd_run_snapshot(db, config, out, &code, &note);
    (void)fflush(stdout);
    CHECK(dup2(saved[0], 1) == 1 && dup2(saved[1], 2) == 2);
    CHECK(close(saved[0]) == 0 && close(saved[1]) == 0);
    CHECK(lseek(said, 0, SEEK_END) == 0 && close(said) == 0);
    (void)fclose(out);
    return e;
}

static void run_ok(int want, const char *db, const char *config)
{
    CHECK_OK(run_to(sample_at("report"), db, config));
    CHECK(code == want);
    FILE *in = fopen(sample_at("report"), "r");
    CHECK(in != NULL);
    report[fread(report, 1, sizeof report - 1, in)] = '\0';
    CHECK(fclose(in) == 0);
}

static void two_secrets(void)
{
    const struct bolt_item items[] = {sample_put(SECRET, SAMPLE_SEALED),
                                      sample_put("/registry/secrets/a/b", SAMPLE_PLAIN)};
    sample_db("db", items, 2, NULL, 0);
}

TEST(report__is_the_verb_s__byte_for_byte)
{
    two_secrets();
    run_ok(1, sample_at("db"), NULL);
    AUDIT("--json", sample_at("db"));
    CHECK(audited.status == 1);
    CHECK_STR(report, audited.out);
}

/* Of the report in `report`: the row of the table, and the kinds of objects. */
static void check_evidence(json_int_t violations, json_int_t unread, size_t kinds)
{
    const struct kw_evidence_head head = {.at = "a", .from = "f", .to = "t"};
    struct kw_evidence *e = NULL;
    json_t *document = json_loads(report, JSON_REJECT_DUPLICATES, NULL);
    CHECK_OK(kw_evidence_new(&head, &e));
    CHECK_OK(kw_evidence_fill_etcd(e, "r.json", "ab", document, &note));
    CHECK_OK(kw_evidence_state(e));
    const json_t *row = json_array_get(kw_evidence_rows(e, KW_EVIDENCE_ETCD), 0);
    CHECK(json_integer_value(json_object_get(row, "violations")) == violations);
    CHECK(json_integer_value(json_object_get(row, "unread")) == unread);
    CHECK_STR(json_string_value(json_object_get(row, "inputs")), sample_at("db"));
    CHECK(json_array_size(kw_evidence_rows(e, KW_EVIDENCE_OBJECTS)) == kinds);
    kw_evidence_free(e);
    json_decref(document);
}

/* Whatever the verdict is, the bundle takes it as it was meant. */
TEST(report__of_each_verdict__becomes_evidence)
{
    two_secrets();
    run_ok(1, sample_at("db"), NULL);
    check_evidence(1, 0, 2);
    sample_secret("db", SAMPLE_SEALED);
    run_ok(0, sample_at("db"), NULL);
    check_evidence(0, 0, 1);
    const struct bolt_item items[] = {sample_put(SECRET, SAMPLE_PLAIN),
                                      sample_put(SECRET, SAMPLE_SEALED)};
    sample_db("db", items, 2, NULL, 0);
    run_ok(4, sample_at("db"), NULL);
    check_evidence(0, 0, 2);
    const struct bolt_item outside = sample_put("/elsewhere/x", "{}");
    sample_db("db", &outside, 1, NULL, 0);
    run_ok(3, sample_at("db"), NULL);
    check_evidence(0, 1, 1);
    sample_text("db", "none");
    run_ok(3, sample_at("db"), NULL);
    check_evidence(0, 1, 0);
}

TEST(encryption_config__is_the_policy)
{
    two_secrets();
    sample_text("config.yaml",
                "apiVersion: apiserver.config.k8s.io/v1\nkind: EncryptionConfiguration\n"
                "resources:\n- resources: [configmaps]\n  providers:\n  - aescbc:\n"
                "      keys:\n      - {name: 'a:b', secret: ''}\n  - identity: {}\n"
                "- resources: [secrets]\n  providers:\n  - identity: {}\n  - kms:\n"
                "      {apiVersion: v2, name: demo, endpoint: 'unix:///run/x.sock'}\n");
    run_ok(1, sample_at("db"), sample_at("config.yaml"));
    CHECK_HAS(report, "\"must_be_encrypted\": \"by the EncryptionConfiguration\"");
    AUDIT("--json", "--encryption-config", sample_at("config.yaml"), sample_at("db"));
    CHECK_STR(report, audited.out);
}

/* Of nothing but bytes, path and policy: another file of the same bytes, another time,
 * another folder to run in. */
TEST(report__again_elsewhere__the_same)
{
    static char first[sizeof report];
    two_secrets();
    run_ok(1, sample_at("db"), NULL);
    memcpy(first, report, sizeof first);
    CHECK(rename(sample_at("db"), sample_at("old")) == 0);
    CHECK(link(sample_at("old"), sample_at("db")) == 0);
    CHECK(setenv("TZ", "Asia/Tokyo", 1) == 0 && setenv("LC_ALL", "C.UTF-8", 1) == 0);
    run_ok(1, sample_at("db"), NULL);
    CHECK_STR(report, first);
}

TEST(input__missing_live_or_none__in_the_report__3)
{
    run_ok(3, sample_at("none"), NULL);
    CHECK_HAS(report, "\"unread\": \"cannot open: No such file or directory\"");
    sample_secret("db", SAMPLE_SEALED);
    const int live = open(sample_at("db"), O_RDWR | O_CLOEXEC);
    CHECK(live >= 0 && flock(live, LOCK_EX) == 0);
    run_ok(3, sample_at("db"), NULL);
    CHECK_HAS(report, "\"unread\": \"a running etcd has it open");
    CHECK(close(live) == 0);
    run_ok(0, sample_at("db"), NULL);
}

TEST(out__full__io_and_no_exit_status)
{
    two_secrets();
    const kw_err e = run_to("/dev/full", sample_at("db"), NULL);
    CHECK_CODE(e, KW_CODE_IO);
    CHECK(e.native == ENOSPC && code == -1);
    CHECK_STR(note.text, "the report could not be written");
}

TEST(config_or_path__wrong__nothing_is_written)
{
    static char path[PATH_MAX + 1];
    memset(path, 'x', sizeof path - 1);
    two_secrets();
    sample_text("bad.yaml", "kind: Nothing\n");
    CHECK_CODE(run_to(sample_at("r"), sample_at("db"), sample_at("bad.yaml")),
               KW_CODE_BAD_INPUT);
    CHECK_HAS(note.text, "bad.yaml");
    CHECK_CODE(run_to(sample_at("r"), sample_at("db"), sample_at("none.yaml")),
               KW_CODE_MISSING);
    CHECK_CODE(run_to(sample_at("r"), path, NULL), KW_CODE_BAD_INPUT);
    CHECK(code == -1);
    FILE *in = fopen(sample_at("r"), "r");
    CHECK(in != NULL && fgetc(in) == EOF && fclose(in) == 0);
}

KW_SUITE_AROUND("provider/cli/etcd_run", sample_begin, sample_end)
