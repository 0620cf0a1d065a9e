/* SPDX-License-Identifier: Apache-2.0 */
#include "fixture.h"

#include <dirent.h>
#include <math.h>
#include <stdio.h>
#include <unistd.h>

#include <keyward/alloc.h>
#include <keyward/file.h>

#include "check.h"

enum { ROUNDS = 8, DISTURBED = 3 };

/* A round's mood, the same for all cells: 1 in the middle. */
static double wobble(size_t round)
{
    static const double of[ROUNDS] = {1.00, 0.99, 1.01, 1.31, 1.00, 1.02, 0.98, 1.00};
    return of[round];
}

static void set(struct kw_results *r, struct kw_results_cell *c, const char *figure,
                double value, bool slower_is_more)
{
    size_t at = kw_results_figure_add(r, figure);
    CHECK(at < KW_RESULTS_FIGURES);
    /* A little of its own beside the mood, so that intervals have a width. */
    double own = 0.004 * (double)((c - r->cell) % 6);
    for (size_t n = 0; n < ROUNDS; n++)
        c->figure[at][n] = value * (slower_is_more ? wobble(n) : 1 / wobble(n)) *
                           (1 + own * ((double)(n % 3) - 1));
}

/* A lump at half of p99 and a tail, thinning out: counts that look like a latency. */
static void histogram(struct kw_results_cell *c, double p50_us)
{
    enum { BUCKETS = 240 };
    c->histogram.bucket = kw_new(BUCKETS, sizeof *c->histogram.bucket);
    CHECK(c->histogram.bucket != NULL);
    c->histogram.count = BUCKETS;
    for (size_t i = 0; i < BUCKETS; i++) {
        double us = p50_us * 0.6 * exp((double)i * 0.02);
        double lump = log(us / p50_us), heavy = us / p50_us;
        c->histogram.bucket[i] = (struct kw_count){
            (uint64_t)(us * 1000),
            (uint64_t)(20000 * exp(-lump * lump * 30) + 300 / (heavy * heavy * heavy)) +
                1};
    }
}

struct kw_results_cell *kw_fixture_cell(struct kw_results *r, const char *name,
                                        double in_flight, double calls, double cpu_us)
{
    CHECK(r->cell_count < KW_RESULTS_CELLS);
    struct kw_results_cell *c = &r->cell[r->cell_count++];
    (void)kw_copy_str(c->name, sizeof c->name, kw_span_str(name));
    (void)kw_copy_str(c->tool, sizeof c->tool, kw_span_str("keyward-bench load"));
    const char *dash = strrchr(name, '-');
    (void)kw_copy_str(
        c->axes.subject, sizeof c->axes.subject,
        kw_span_of(name, dash != NULL ? (size_t)(dash - name) : strlen(name)));
    const char *method = strstr(name, "encrypt") != NULL  ? "encrypt"
                         : strstr(name, "status") != NULL ? "status"
                                                          : "decrypt";
    (void)kw_copy_str(c->axes.method, sizeof c->axes.method, kw_span_str(method));
    c->axes.in_flight = in_flight;
    c->command = kw_format("load /run/fixture/%s.sock --in-flight %.0f --mix %s", name,
                           in_flight, method);
    double p50_us = in_flight / calls * 1e6;
    set(r, c, "calls_per_s", calls, false);
    set(r, c, "goodput_per_s", calls, false);
    set(r, c, "p50_us", p50_us * 0.9, true);
    set(r, c, "p90_us", p50_us * 1.4, true);
    set(r, c, "p99_us", p50_us * 2.5, true);
    set(r, c, "p99.9_us", p50_us * 5, true);
    set(r, c, "cpu_us", cpu_us, true);
    set(r, c, "server_us", cpu_us * 0.7, true);
    set(r, c, "workers_us", cpu_us * 0.3, true);
    set(r, c, "client_us", 3.4, true);
    set(r, c, "switches", 0.11, true);
    histogram(c, p50_us * 0.9);
    return c;
}

static void machine(struct kw_environment *e)
{
    *e = (struct kw_environment){
        .cpu = "A fixture <not a machine>",
        .cpus = 2,
        .kernel = "6.1.0-fixture",
        .governor = "unknown",
        .virtualisation = "a fixture",
        .distribution = "Debian GNU/Linux 12 (bookworm)",
        .commit = "0123456789abcdef",
        .build = "RelWithDebInfo",
        .memory_kib = 8 << 20,
        .load_1m = 0.42,
        .library = {{"openssl", "3.0.0"}},
        .library_count = 1,
        .note = {{"token", "SoftHSM, not asked"}, {"configuration", "cache & \"wall\""}},
        .note_count = 2};
}

static void control_and_noise(struct kw_results *r)
{
    struct kw_results_cell *c = kw_fixture_cell(r, "control", 64, 60000, 10);
    c->control = true;
    (void)kw_copy_str(c->axes.subject, sizeof c->axes.subject, kw_span_str("echo"));
    for (size_t k = 0; k < r->figure_count; k++)
        r->noise[k] = kw_results_ratio(r, c, &r->cell[0], k);
    for (size_t n = 0; n < ROUNDS; n++)
        for (size_t i = 0; i < r->cell_count; i++)
            r->pulse_ns[n][i] = 10e6 * wobble(n) * (1 + 0.002 * (double)(i % 4));
}

static struct kw_results *bare(void)
{
    struct kw_results *r = kw_results_new();
    CHECK(r != NULL);
    snprintf(r->version, sizeof r->version, "0.1.0");
    snprintf(r->session, sizeof r->session, "00112233445566ff");
    snprintf(r->fingerprint, sizeof r->fingerprint, "8899aabbccddeeff");
    snprintf(r->began, sizeof r->began, "2026-01-01T00:00:00Z");
    snprintf(r->base, sizeof r->base, "echo-64");
    snprintf(r->control, sizeof r->control, "echo-64");
    snprintf(r->quiet, sizeof r->quiet, "quiet");
    snprintf(r->quiet_words, sizeof r->quiet_words,
             "The control is within 1 %% of the base, and 1 of 8 rounds was disturbed.");
    r->layout = (struct kw_results_layout){
        "split", "1", "0",
        "Servers and workers share CPU 0, the client has CPU 1: no scaling conclusion."};
    r->elapsed_s = 301.5;
    r->command = kw_format("keyward-bench rounds --rounds %d 'echo-64*=load …'", ROUNDS);
    r->rounds = ROUNDS;
    r->disturbed[DISTURBED] = true;
    snprintf(r->why[DISTURBED], sizeof r->why[0], "pulse 1.31 of the median");
    machine(&r->environment);
    return r;
}

static void primary(struct kw_results *r)
{
    kw_fixture_cell(r, "echo-64", 64, 60000, 10)->primary = true;
    kw_fixture_cell(r, "hit-64", 64, 48000, 13)->primary = true;
    kw_fixture_cell(r, "uncached-64", 64, 19000, 46)->primary = true;
    kw_fixture_cell(r, "inproc-64", 64, 24000, 38)->primary = true;
    kw_fixture_cell(r, "status-64", 64, 57000, 10.6)->primary = true;
    kw_fixture_cell(r, "encrypt-64", 64, 11000, 82)->primary = true;
    kw_fixture_cell(r, "uncached-1", 1, 6200, 95)->primary = true;
    kw_fixture_cell(r, "peer-64", 64, 15000, 60)->primary = true;
}

struct kw_results *kw_fixture_results(void)
{
    struct kw_results *r = bare();
    primary(r);
    control_and_noise(r);
    return r;
}

static void at_all_concurrencies(struct kw_results *r)
{
    static const struct {
        const char *subject;
        double calls, cpu_us;
    } more[] = {
        {"echo", 60000, 10},     {"software", 52000, 12}, {"inproc", 24000, 38},
        {"wall1", 17000, 49},    {"hit", 48000, 13},      {"repeat90", 41000, 17},
        {"uncached", 19000, 46}, {"copy", 26000, 35},     {"peer", 15000, 60},
        {"encrypt", 11000, 82},  {"status", 57000, 10.6}, {"peer-encrypt", 7000, 130}};
    static const double in_flight[] = {1, 8, 64}, share[] = {0.32, 0.8, 1};
    for (size_t i = 0; i < sizeof more / sizeof more[0]; i++)
        for (size_t k = 0; k < 3; k++) {
            char name[48];
            snprintf(name, sizeof name, "%s-%.0f", more[i].subject, in_flight[k]);
            if (kw_results_cell(r, name) == NULL)
                kw_fixture_cell(r, name, in_flight[k], more[i].calls * share[k],
                                more[i].cpu_us / share[k]);
        }
}

static void slowed(struct kw_results *r)
{
    static const double us[] = {500, 2000, 10000};
    for (size_t i = 0; i < 3; i++) {
        char name[48];
        snprintf(name, sizeof name, us[i] < 1000 ? "slow%.0fus-64" : "slow%.0fms-64",
                 us[i] < 1000 ? us[i] : us[i] / 1000);
        kw_fixture_cell(r, name, 64, 2e6 / (us[i] + 90), 47)->axes.token_delay_us = us[i];
        snprintf(name, sizeof name,
                 us[i] < 1000 ? "slow%.0fus-hit-64" : "slow%.0fms-hit-64",
                 us[i] < 1000 ? us[i] : us[i] / 1000);
        kw_fixture_cell(r, name, 64, 48000, 13)->axes.token_delay_us = us[i];
    }
}

static void offered(struct kw_results *r)
{
    static const double rates[] = {4000, 8000, 12000, 16000, 18000, 20000, 24000};
    for (size_t i = 0; i < sizeof rates / sizeof rates[0]; i++) {
        char name[48];
        double served = rates[i] < 18500 ? rates[i] : 18500 - (rates[i] - 18500) / 2;
        snprintf(name, sizeof name, "open-%.0f", rates[i]);
        struct kw_results_cell *c = kw_fixture_cell(r, name, 512, served, 46);
        c->axes.rate = rates[i];
        double room = rates[i] < 18400 ? 1 - rates[i] / 18500 : 0.0005;
        set(r, c, "p50_us", 110 / sqrt(room), true);
        set(r, c, "p90_us", 160 / room, true);
        set(r, c, "p99_us", 240 / room, true);
    }
}

static void put(const struct kw_fixture *f, const struct kw_results *r)
{
    struct kw_note note = {{0}};
    kw_err e = kw_results_write(r, f->folder, &note);
    if (kw_failed(e))
        fail_msg("%s", note.text);
}

static void open_folder(struct kw_fixture *f)
{
    snprintf(f->folder, sizeof f->folder, "/tmp/kw-fixture-XXXXXX");
    CHECK(mkdtemp(f->folder) != NULL);
    snprintf(f->page, sizeof f->page, "%s/report.html", f->folder);
}

void kw_fixture_quick(struct kw_fixture *ret)
{
    struct kw_results *r = kw_fixture_results();
    open_folder(ret);
    put(ret, r);
    kw_results_free(r);
}

void kw_fixture_file(const struct kw_fixture *f, const char *name, const char *bytes)
{
    char path[256];
    snprintf(path, sizeof path, "%s/%s", f->folder, name);
    CHECK_OK(kw_file_replace(path, kw_span_str(bytes), 0600, NULL));
}

static void put_json(const struct kw_fixture *f, const char *name, json_t *json)
{
    char *text = json_dumps(json, JSON_INDENT(1));
    CHECK(json != NULL && text != NULL);
    kw_fixture_file(f, name, text);
    free(text);
    json_decref(json);
}

static void put_storm(const struct kw_fixture *f, const char *name, double ready_ms,
                      double failed)
{
    enum { POINTS = 120 };
    json_t *timeline = json_array();
    for (int i = 0; i <= POINTS; i++) {
        double at = (double)i / POINTS;
        json_array_append_new(
            timeline, json_pack("{s:f, s:f, s:f, s:f}", "t_ms", at * ready_ms,
                                "unwrapped", floor(3000 * at * (2 - at)), "in_flight",
                                floor(at < 1 ? 6 + 5 * sin(at * 9) : 0), "failed",
                                floor(failed * (at > 0.3 ? 1 : at / 0.3))));
    }
    json_t *failures = json_object();
    if (failed > 0)
        json_object_set_new(failures, "DEADLINE_EXCEEDED",
                            json_pack("{s:f, s:s}", "count", failed, "message",
                                      "a fixture's <deadline>"));
    put_json(f, name,
             json_pack("{s:s, s:i, s:s, s:b, s:s, s:s, s:{s:i, s:i, s:i, s:i, s:I}, s:f, "
                       "s:i, s:i, s:i, s:i, s:o, s:o, s:{s:f}}",
                       "tool", "keyward-bench storm", "schema", 1, "version", "0.1.0",
                       "partial", 0, "fault", "", "cache", "cold", "options", "servers",
                       3, "seeds", 1000, "readers", 2, "parallel", 1, "timeout_ns",
                       (json_int_t)3000000000, "ready_ms", ready_ms, "requests", 4100,
                       "hsm_operations", 1003, "duplicates", 1100, "deadline_misses",
                       (int)failed, "failures", failures, "timeline", timeline, "figures",
                       "ready_ms", ready_ms));
}

static const char day_document[] =
    "{\"tool\":\"keyward-bench storm\",\"schema\":1,\"version\":\"0.1.0\",\"partial\":"
    "true,\"fault\":\"a fixture breaks off\",\"options\":{\"servers\":3,\"day_ns\":"
    "86400000000000},\"hours\":[{\"hour\":0,\"calls\":{\"status\":180,\"encrypt\":4,"
    "\"decrypt\":1234},\"failed\":{\"status\":0,\"encrypt\":0,\"decrypt\":5}}]}";
static const char plan_document[] =
    "{\"tool\":\"keyward-bench plan\",\"schema\":1,\"version\":\"0.1.0\",\"inputs\":"
    "{\"servers\":3,\"seeds\":1000},\"needs\":{\"steady_per_s\":0.4,\"sessions\":8},"
    "\"expected\":{\"ready_ms\":1900,\"p99_ms\":21},\"limits\":{\"seeds\":25000},"
    "\"carried\":false,\"findings\":[\"a fixture is too slow\"],"
    "\"assumptions\":[\"a fixture: nothing is assumed\",{\"text\":\"one wrap is two "
    "operations\",\"source\":\"the way of an Encrypt\"}],\"curves\":[{\"name\":"
    "\"ready_ms over seeds\",\"x\":\"seeds\",\"y\":\"ready_ms\",\"points\":[[100,200],"
    "[1000,1900],[5000,9400],[10000,18800]]}]}";
static const char token_document[] =
    "{\"tool\":\"keyward-bench token\",\"schema\":1,\"version\":\"0.1.0\",\"token\":"
    "{\"model\":\"a fixture\",\"firmware\":\"1.0\"},\"figures\":{\"ops_per_s\":1480,"
    "\"p50_us\":640},\"curve\":[{\"sessions\":1,\"ops_per_s\":410,\"p50_us\":2400,"
    "\"p99_us\":2900},{\"sessions\":2,\"ops_per_s\":800,\"p50_us\":2450,\"p99_us\":3100},"
    "{\"sessions\":4,\"ops_per_s\":1480,\"p50_us\":2650,\"p99_us\":4000},{\"sessions\":8,"
    "\"ops_per_s\":1610,\"p50_us\":4900,\"p99_us\":9100}]}";
static const char micro_document[] =
    "{\"context\":{\"executable\":\"fixture\"},\"benchmarks\":[{\"name\":"
    "\"cache_hit/64\",\"run_type\":\"iteration\",\"iterations\":2000000,\"real_time\":"
    "351.2,\"cpu_time\":350.1,\"time_unit\":\"ns\"},{\"name\":\"envelope_parse\","
    "\"run_type\":\"iteration\",\"iterations\":9000000,\"real_time\":78.4,\"cpu_time\":"
    "78.3,\"time_unit\":\"ns\"},{\"name\":\"wire_round_trip\",\"run_type\":\"iteration\","
    "\"iterations\":80000,\"real_time\":9.1,\"cpu_time\":4.2,\"time_unit\":\"us\"}]}";

void kw_fixture_full(struct kw_fixture *ret)
{
    struct kw_results *r = bare();
    open_folder(ret);
    primary(r);
    at_all_concurrencies(r);
    slowed(r);
    offered(r);
    control_and_noise(r);
    put(ret, r);
    kw_results_free(r);
    put_storm(ret, "storm-cold.json", 1840, 0);
    put_storm(ret, "storm-slow10ms.json", 14200, 37);
    kw_fixture_file(ret, "storm-day.json", day_document);
    kw_fixture_file(ret, "plan-three.json", plan_document);
    kw_fixture_file(ret, "token-wrap.json", token_document);
    kw_fixture_file(ret, "micro.json", micro_document);
}

void kw_fixture_remove(const struct kw_fixture *f)
{
    DIR *dir = opendir(f->folder);
    CHECK(dir != NULL);
    for (const struct dirent *entry = readdir(dir); entry != NULL; entry = readdir(dir)) {
        char path[400];
        snprintf(path, sizeof path, "%s/%s", f->folder, entry->d_name);
        if (entry->d_name[0] != '.')
            CHECK(unlink(path) == 0);
    }
    closedir(dir);
    CHECK(rmdir(f->folder) == 0);
}
