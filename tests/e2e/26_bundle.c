/* SPDX-License-Identifier: Apache-2.0 */
/* 26: a bundle for auditors of three control planes, of a run with a new KEK in it.  What it
 * says is what happened, and an auditor who has openssl alone sees that nobody changed it. */
#include "document.h"
#include "etcd_sample.h"
#include "evidence_rows.h"
#include "folder.h"
#include "planes.h"
#include "printed.h"
#include "run.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>
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

/* ---- its files ---- */

static char files[FILES_MAX][FOLDER_PATH];
static size_t file_count;

static void list_files(const char *out)
{
    file_count = folder_files(out, files, FILES_MAX);
    CHECK(file_count > 20);
}

static bool file_has(const char *path, const char *text)
{
    struct kw_blob b = {0};
    CHECK_OK(kw_file_read(path, 64 << 20, &b, NULL));
    const bool has = memmem(b.ptr, b.len, text, strlen(text)) != NULL;
    kw_blob_wipe(&b);
    return has;
}

static void no_file_has(const char *text)
{
    CHECK(strlen(text) >= 6);
    for (size_t i = 0; i < file_count; i++)
        if (file_has(files[i], text))
            fail_msg("%s has what it must not have: %s", files[i], text);
}

/* A control plane's paths stand where its configuration does, and nowhere else. */
static bool may_have_paths(const char *path)
{
    static const char *const ends[] = {"/keyward.yaml",       "/node.json",
                                       "/token-keyward.json", "/configuration.csv",
                                       "/evidence.json",      "/index.html"};
    const char *end = strrchr(path, '/');
    for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++)
        if (strcmp(end, ends[i]) == 0)
            return true;
    return false;
}

static void paths_are_the_configuration_s(const char *dir)
{
    for (size_t i = 0; i < file_count; i++)
        if (!may_have_paths(files[i]) && file_has(files[i], dir))
            fail_msg("%s has the path %s", files[i], dir);
    CHECK(json_object_del(doc, "configuration") == 0);
    char *rest = json_dumps(doc, 0);
    CHECK(rest != NULL && strstr(rest, dir) == NULL);
    free(rest);
}

static void holds_no_secret(const char *out)
{
    list_files(out);
    for (unsigned i = 0; i < PLANES; i++) {
        char *pin = instance_read(p.node[i].pin);
        pin[strcspn(pin, "\n")] = '\0';
        no_file_has(pin);
        free(pin);
        read_evidence(out);
        paths_are_the_configuration_s(p.node[i].dir);
    }
    no_file_has(PLANES_SEED);
    no_file_has(p.dir);
}

TEST(same_inputs__same_bytes_that_programs_and_a_browser_read)
{
    char out[300];
    run_it();
    snprintf(out, sizeof out, "%s", bundle("bundle"));
    kw_run_line(&run, 0, "/usr/bin/diff", "-r %s %s", out, bundle("again"));
    kw_run_line(&run, 0, "/usr/bin/python3",
                "-B %s/json_schema.py %s/evidence.schema.json %s/evidence.json",
                KW_SUPPORT, out, out);
    kw_run_line(&run, 0, "/usr/bin/python3", "-B %s/evidence_csv.py %s", KW_SUPPORT, out);
    kw_run_line(&run, 0, KW_PAGES "/evidence_page", "%s/index.html", out);
    holds_no_secret(out);
    planes_destroy(&p);
}

/* ---- signed, and verified with openssl alone ---- */

enum { KEY, SIGNATURE, AS_LISTED, NONE_MORE, COMMANDS };
static char commands[COMMANDS][2048];

static void read_verify_txt(const char *out)
{
    char path[300];
    snprintf(path, sizeof path, "%s/VERIFY.txt", out);
    char *text = instance_read(path);
    for (size_t i = 0; i < COMMANDS; i++)
        printed_command(text, NULL, i, commands[i]);
    free(text);
}

/* In the bundle's folder, with nothing of this build. */
static int follow(const char *out, size_t n)
{
    char line[2400];
    snprintf(line, sizeof line, "cd %s && %s", out, commands[n]);
    kw_run(&run, (const char *const[]){"/usr/bin/env", "-i", "PATH=/usr/bin:/bin",
                                       "/bin/sh", "-c", line, NULL});
    return run.status;
}

static bool is_as_it_was(const char *out)
{
    if (follow(out, SIGNATURE) != 0 || strstr(run.out, "Verified OK") == NULL)
        return false;
    if (follow(out, AS_LISTED) != 0 || run.out[0] != '\0')
        return false;
    return follow(out, NONE_MORE) == 0 && run.out[0] == '\0';
}

static void flip(const char *path, uint64_t at)
{
    uint8_t byte;
    const int fd = open(path, O_RDWR | O_CLOEXEC);
    CHECK(fd >= 0 && pread(fd, &byte, 1, (off_t)at) == 1);
    byte ^= 1;
    CHECK(pwrite(fd, &byte, 1, (off_t)at) == 1 && close(fd) == 0);
}

/* Of each file one byte, another one each time this runs. */
static void each_change_is_found(const char *out)
{
    list_files(out);
    for (size_t i = 0; i < file_count; i++) {
        struct stat st;
        uint64_t at;
        CHECK(stat(files[i], &st) == 0 && st.st_size > 0);
        kw_random(&at, sizeof at);
        at %= (uint64_t)st.st_size;
        flip(files[i], at);
        if (is_as_it_was(out))
            fail_msg("nobody finds that byte %llu of %s is another one",
                     (unsigned long long)at, files[i]);
        flip(files[i], at);
    }
    CHECK(is_as_it_was(out));
}

static void sign(const char *out)
{
    static char said[1 << 16];
    const int status = instance_tool(&p.node[1], said, sizeof said, "evidence", "sign",
                                     out, "--ticket", PLANES_TICKET, NULL);
    if (status != 0)
        fail_msg("%d\n%s", status, said);
}

/* By the pair of another node's token. */
TEST(signed__one_byte_anywhere_is_found_with_openssl_alone)
{
    char out[300], pem[160];
    run_it();
    snprintf(out, sizeof out, "%s", bundle("bundle"));
    read_verify_txt(out);
    snprintf(pem, sizeof pem, "%s/audit.pem", p.node[0].dir);
    char *key = instance_read(pem);
    put("audit.pem", key);
    free(key);
    CHECK(!is_as_it_was(out)); /* nobody signed it */
    sign(out);
    CHECK(follow(out, KEY) == 0);
    read_evidence(out);
    CHECK_HAS(run.out,
              evidence_text(ROW("logs", "node", "cp-3", "log", "audit"), "key_sha256"));
    CHECK(is_as_it_was(out));
    each_change_is_found(out);
    put("bundle/nodes/cp-2/more", "");
    CHECK(!is_as_it_was(out));
    planes_destroy(&p);
}

/* ---- what is missing ---- */

static bool asks_control_planes(const char *check)
{
    static const char *const apart[] = {"etcd-encrypted", "etcd-no-leftovers",
                                        "backup-restorable", "custody-stated"};
    for (size_t i = 0; i < sizeof apart / sizeof apart[0]; i++)
        if (strcmp(check, apart[i]) == 0)
            return false;
    return true;
}

TEST(one_was_not_collected__no_check_of_control_planes_passes)
{
    const json_t *row;
    size_t i;
    run_it();
    read_evidence(bundle_with(4, "bundle", whole_run(), "cp-4"));
    json_array_foreach(json_object_get(doc, "checks"), i, row)
    {
        const char *check = evidence_text(row, "check");
        if (!asks_control_planes(check))
            CHECK_STR(outcome_of(check), due_of(check));
        else if (strcmp(outcome_of(check), "pass") == 0)
            fail_msg("%s passes", check);
    }
    assert_int_equal(ROWS("checks", "subject", "cp-4", "outcome", "not-answered"),
                     CHECKS - 4);
    CHECK_STR(control("10.2.1"), "not-satisfied");
    CHECK_STR(control("3.5.1.2"), "satisfied"); /* etcd's files were looked at */
    CHECK_STR(control("3.7.8"), "satisfied");   /* and what the custodians signed */
    planes_destroy(&p);
}

TEST(period_begins_before_the_logs__a_gap_of_each)
{
    char period[80];
    run_it();
    snprintf(period, sizeof period, "2026-01-01..%s", p.to);
    read_evidence(bundle_with(4, "bundle", period, NULL));
    if (clock_is_as_it_was())
        CHECK_STR(surprises(), " log-covers-period operator-tickets");
    assert_int_equal(ROWS("checks", "check", "log-covers-period", "outcome", "fail"),
                     PLANES);
    assert_int_equal(
        ROWS("coverage", "from", "2026-01-01T00:00:00.000000Z", "kind", "absent"),
        PLANES);
    CHECK_STR(control("10.2.1"), "not-satisfied");
    planes_destroy(&p);
}

/* What it did behind its last record nobody knows, and the others cannot say. */
TEST(one_was_killed__its_gap_and_no_other_is_told)
{
    kw_test_arena(1 << 20);
    clock_was_good = clock_is_good();
    planes_build(&p);
    planes_load(&p);
    planes_load_await(&p, ROUNDS);
    planes_load_end(&p);
    instance_signal(&p.node[1], SIGKILL);
    assert_int_equal(instance_wait_end(&p.node[1]), 128 + SIGKILL);
    instance_up(&p.node[1]);
    planes_rotate(&p);
    gather();
    read_evidence(bundle("bundle"));
    if (clock_is_as_it_was())
        CHECK_STR(surprises(), " log-covers-period");
    CHECK(ROW("coverage", "node", "cp-2", "kind", "absent") != NULL);
    CHECK(ROWS("coverage", "kind", "absent") == 1);
    CHECK_STR(
        evidence_text(ROW("checks", "check", "log-covers-period", "subject", "cp-2"),
                      "outcome"),
        "fail");
    CHECK_STR(
        evidence_text(ROW("checks", "check", "log-covers-period", "subject", "cp-1"),
                      "outcome"),
        "pass");
    CHECK_STR(control("10.2.1"), "not-satisfied");
    calls_are_those_of_the_clients();
    planes_destroy(&p);
}

KW_SUITE("26-bundle")
