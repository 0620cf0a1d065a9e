/* SPDX-License-Identifier: Apache-2.0 */
/* 26: a bundle for auditors of three control planes, of a run with a new KEK in it.  What it
 * says is what happened, and an auditor who has openssl alone sees that nobody changed it. */
#include "document.h"
#include "etcd_sample.h"
#include "evidence_rows.h"
#include "planes.h"
#include "run.h"

#include <stdio.h>
#include <sys/timex.h>
#include <unistd.h>

#include <keyward/file.h>

enum { FILES_MAX = 128, ROUNDS = 15, CHECKS = 28 };

static struct planes p;
static struct kw_run run;
static bool clock_was_good;

/* ---- the run ---- */

static bool clock_is_good(void)
{
    struct timex t = {.modes = 0};
    const int state = adjtimex(&t);
    return state >= 0 && state != TIME_ERROR && (t.status & STA_UNSYNC) == 0;
}

/* Calls before, while, and after each of them changes its key; cp-3 is restarted. */
static void serve_and_rotate(void)
{
    planes_load(&p);
    planes_load_await(&p, ROUNDS);
    planes_rotate(&p);
    planes_load_await(&p, ROUNDS);
    planes_load_end(&p);
    planes_restart(&p, 2);
    planes_load(&p);
    planes_load_await(&p, ROUNDS);
    planes_load_end(&p);
}

/* A report on a file of etcd's whose one object is sealed under this key_id. */
static void report_on_etcd(const char *key_id)
{
    char script[256], value[256];
    snprintf(value, sizeof value,
             "k8s:enc:kms:v2:keyward-secrets:\x0a\x01x\x12%c%s\x1a\x02s1",
             (char)strlen(key_id), key_id);
    sample_begin();
    sample_secret("member.db", value);
    snprintf(script, sizeof script, "cd %s && exec \"$@\"", sample_at(""));
    AUDIT_BY(script, "member.db", "--json", "--out", planes_path(&p, "report.json"));
    if (audited.status != 0)
        fail_msg("%d\n%s%s", audited.status, audited.out, audited.err);
    sample_end();
}

static void put(const char *name, const char *text)
{
    CHECK_OK(kw_file_replace(planes_path(&p, "%s", name), kw_span_str(text), 0600, NULL));
}

/* The certificate of the HSM with this serial number. */
static void state_what_only_they_can(const char *serial)
{
    char text[1024];
    snprintf(text, sizeof text,
             "{\"tokens\": [{\"serial\": \"%s\", \"standard\": \"FIPS 140-3\", "
             "\"certificate\": \"4703\", \"level\": \"3\"}], "
             "\"files\": [{\"what\": \"custodians\", \"file\": \"custodians.txt\"}]}",
             serial);
    put("custodians.txt", "We know what a custodian has to do.\n");
    put("stated.json", text);
}

static void gather(void)
{
    planes_stop(&p);
    planes_collect(&p);
    json_t *token = evidence_load(planes_path(&p, "evidence-cp-1/token-keyward.json"));
    const json_t *newest = json_array_get(json_object_get(token, "versions"), 1);
    report_on_etcd(evidence_text(newest, "key_id"));
    state_what_only_they_can(evidence_text(json_object_get(token, "token"), "serial"));
    json_decref(token);
}

static void run_it(void)
{
    kw_test_arena(1 << 20);
    clock_was_good = clock_is_good();
    planes_build(&p);
    serve_and_rotate();
    gather();
}

/* ---- the bundle ---- */

/* Of this period, with the three, and one more that `more` names (NULL: none). */
static const char *bundle_with(int want, const char *name, const char *period,
                               const char *more)
{
    const char *out = planes_path(&p, "%s", name);
    char words[2048];
    size_t n = 0;
    for (unsigned i = 0; i < PLANES; i++)
        n += (size_t)snprintf(
            words + n, sizeof words - n, "--node %s=%s --anchors %s=%s ", planes_name(i),
            planes_path(&p, "evidence-%s", planes_name(i)), planes_name(i),
            planes_path(&p, "anchors-%s", planes_name(i)));
    snprintf(words + n, sizeof words - n, "%s%s", more != NULL ? "--node " : "",
             more != NULL ? more : "");
    kw_run_line(&run, want, KEYWARD,
                "evidence --out %s --period %s --key %s/audit.pem --etcd-report %s "
                "--stated %s --at %s %s",
                out, period, p.node[0].dir, planes_path(&p, "report.json"),
                planes_path(&p, "stated.json"), p.at, words);
    return out;
}

static const char *whole_run(void)
{
    static char period[80];
    snprintf(period, sizeof period, "%s..%s", p.from, p.to);
    return period;
}

static const char *bundle(const char *name)
{
    return bundle_with(4, name, whole_run(), NULL);
}

/* ---- rows ---- */

static json_t *doc;

static void read_evidence(const char *out)
{
    char path[300];
    snprintf(path, sizeof path, "%s/evidence.json", out);
    json_decref(doc);
    doc = evidence_load(path);
}

#define ROWS(table, ...) EVIDENCE_COUNT(doc, table, __VA_ARGS__)
#define ROW(table, ...) EVIDENCE_ONE(doc, table, __VA_ARGS__)

/* ---- outcomes ---- */

static const char *outcome_of(const char *check)
{
    if (ROWS("checks", "check", check, "outcome", "fail") > 0)
        return "fail";
    if (ROWS("checks", "check", check, "outcome", "not-answered") > 0)
        return "not-answered";
    CHECK(ROWS("checks", "check", check, "outcome", "pass") > 0);
    return "pass";
}

/* What SoftHSM, one token, and a report without --restorable come to; all else passes. */
static const char *due_of(const char *check)
{
    static const char *const other[][2] = {{"hardware-token", "fail"},
                                           {"iv-source", "fail"},
                                           {"second-copy", "fail"},
                                           {"backup-restorable", "not-answered"}};
    for (size_t i = 0; i < sizeof other / sizeof other[0]; i++)
        if (strcmp(other[i][0], check) == 0)
            return other[i][1];
    if (strcmp(check, "clock-synchronised") == 0 && !clock_was_good)
        return "fail";
    return "pass";
}

/* Whose outcome is another one than is due; each stands once, with a blank before it. */
static const char *surprises(void)
{
    static char names[1024];
    json_t *seen = json_object();
    const json_t *row;
    size_t i;
    names[0] = '\0';
    json_array_foreach(json_object_get(doc, "checks"), i, row)
    {
        const char *check = evidence_text(row, "check");
        if (json_object_get(seen, check) != NULL)
            continue;
        CHECK(json_object_set_new(seen, check, json_true()) == 0);
        if (strcmp(outcome_of(check), due_of(check)) != 0)
            snprintf(names + strlen(names), sizeof names - strlen(names), " %s", check);
    }
    assert_int_equal(json_object_size(seen), CHECKS);
    json_decref(seen);
    return names;
}

static const char *control(const char *number)
{
    return evidence_text(ROW("controls", "control", number), "outcome");
}

/* The clock of a machine may be found, or lost, while a case runs. */
static bool clock_is_as_it_was(void)
{
    return clock_is_good() == clock_was_good;
}

TEST(rotation_under_load__each_check_says_what_is_so)
{
    run_it();
    read_evidence(bundle("bundle"));
    if (clock_is_as_it_was())
        CHECK_STR(surprises(), "");
    CHECK_HAS(run.out, "fail         hardware-token         cp-1, token keyward: ");
    CHECK_HAS(run.out, "fail         iv-source              cp-3, token keyward: ");
    CHECK_HAS(run.out, "not-answered backup-restorable      ");
    CHECK_STR(evidence_text(doc, "outcome"), "fail");
    CHECK_STR(control("10.2.1"), "satisfied");
    CHECK_STR(control("3.7.7"), "satisfied");
    CHECK_STR(control("3.7.4"), "satisfied");
    CHECK_STR(control("3.6.1"), "not-satisfied"); /* no hardware */
    planes_destroy(&p);
}

/* ---- what was done ---- */

static uint64_t calls_on_record(unsigned plane, const char *class, const char *method)
{
    const char *const pairs[] = {"node", planes_name(plane), "class", class, "method",
                                 method, "reason",           "ok",    NULL};
    uint64_t n = 0;
    const json_t *row;
    size_t i;
    json_array_foreach(json_object_get(doc, "calls"), i, row)
    {
        if (evidence_has(row, pairs))
            n += (uint64_t)json_integer_value(json_object_get(row, "count"));
    }
    return n;
}

static void calls_are_those_of_the_clients(void)
{
    for (unsigned i = 0; i < PLANES; i++)
        for (unsigned c = 0; c < PLANES_CLASSES; c++) {
            const char *class = p.class[i][c].name;
            CHECK(p.class[i][c].encrypts > 3 * ROUNDS);
            assert_int_equal(calls_on_record(i, class, "encrypt"),
                             p.class[i][c].encrypts);
            assert_int_equal(calls_on_record(i, class, "decrypt"),
                             p.class[i][c].decrypts);
        }
    assert_int_equal(ROWS("calls", "reason", "ok"),
                     json_array_size(json_object_get(doc, "calls")));
}

/* The acts of this control plane in the period, which have the ticket, in their order. */
static void acts_are(const char *from, const char *want)
{
    char names[512] = "";
    const json_t *row;
    size_t i;
    json_array_foreach(json_object_get(doc, "acts"), i, row)
    {
        if (strcmp(evidence_text(row, "from"), from) != 0 ||
            !json_is_true(json_object_get(row, "in_period")))
            continue;
        CHECK_STR(evidence_text(row, "ticket"), PLANES_TICKET);
        CHECK_STR(evidence_text(row, "outcome"), "done");
        snprintf(names + strlen(names), sizeof names - strlen(names), " %s",
                 evidence_text(row, "act"));
    }
    CHECK_STR(names, want);
}

static void both_versions_are_told(void)
{
    const char *at = evidence_text(ROW("rotations", "state", "retired"), "retired");
    kw_holds(json_deep_copy(ROW("rotations", "state", "retired")),
             "n = 1, days_used = 1, days_left = null, destroyed = null");
    kw_holds(json_deep_copy(ROW("rotations", "state", "active")),
             "n = 2, days_used = 1, days_left = 89, retired = null");
    CHECK_STR(evidence_text(ROW("rotations", "state", "active"), "activated"), at);
    CHECK(strcmp(p.from, at) < 0 && strcmp(at, p.to) < 0);
    assert_int_equal(json_array_size(json_object_get(doc, "rotations")), 2);
    for (unsigned i = 0; i < PLANES; i++)
        assert_int_equal(ROWS("keys", "node", planes_name(i)), 2);
}

/* From the first moment to the last. */
static void period_is_covered(unsigned plane, size_t stops)
{
    const char *node = planes_name(plane);
    const size_t all = ROWS("coverage", "node", node);
    assert_int_equal(ROWS("coverage", "node", node, "kind", "stopped"), stops);
    assert_int_equal(ROWS("coverage", "node", node, "kind", "anchored"), all - stops);
    assert_int_equal(ROWS("coverage", "node", node, "from", p.from), 1);
    assert_int_equal(ROWS("coverage", "node", node, "to", p.to), 1);
    kw_holds(json_deep_copy(ROW("logs", "node", node, "log", "audit")),
             "verdict = sound, why = null, beginning_known = true, end_signed = true, "
             "unsigned_stretches = 0, marks = 0, covered = true, gaps = 0");
    kw_holds(json_deep_copy(ROW("logs", "node", node, "log", "operator")),
             "verdict = sound, why = null, marks = 0, anchored_to >= 0");
}

TEST(rotation_under_load__what_was_done_is_told)
{
    run_it();
    read_evidence(bundle("bundle"));
    calls_are_those_of_the_clients();
    acts_are("cp-1", " key-create key-accept key-activate key-activate");
    acts_are("cp-2", " key-activate");
    acts_are("cp-3", " key-activate");
    both_versions_are_told();
    period_is_covered(0, 1); /* since its end */
    period_is_covered(1, 1);
    period_is_covered(2, 2); /* and while it was restarted */
    assert_int_equal(ROWS("tokens", "standard", "FIPS 140-3", "certificate", "4703"),
                     PLANES);
    assert_int_equal(ROWS("objects", "resource", "secrets"), 1);
    planes_destroy(&p);
}

KW_SUITE("26-bundle")
