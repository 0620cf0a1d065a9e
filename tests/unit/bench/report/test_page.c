/* SPDX-License-Identifier: Apache-2.0 */
/* The whole page and its sections, against fixtures. */
#include "check.h"

#include <math.h>
#include <stdio.h>

#include <keyward/alloc.h>

#include "fixture.h"
#include "report.h"

/* A report of results made here, without a folder. */
static struct kw_report *of(struct kw_results *results)
{
    struct kw_report *r = kw_new(1, sizeof *r);
    CHECK(r != NULL);
    r->plot = kw_new(1, sizeof *r->plot);
    CHECK(r->plot != NULL);
    r->results = results;
    (void)kw_copy_str(r->name, sizeof r->name, kw_span_str("name"));
    return r;
}

static void write(struct kw_report *r)
{
    kw_err e = kw_report_write(r);
    if (kw_failed(e))
        fail_msg("%s: %s", kw_code_name(e.code), r->note.text);
    CHECK(r->page.len == strlen(r->page.text));
}

static bool has(const struct kw_report *r, const char *words)
{
    return strstr(r->page.text, words) != NULL;
}

/* How often it stands in the page. */
static size_t count(const struct kw_report *r, const char *words)
{
    size_t n = 0;
    for (const char *at = strstr(r->page.text, words); at != NULL;
         at = strstr(at + 1, words))
        n++;
    return n;
}

static void write__no_gnuplot__missing_and_no_page(void **state)
{
    (void)state;
    struct kw_report *r = of(kw_fixture_results());
    CHECK(setenv("PATH", "/nonexistent", 1) == 0);
    CHECK_CODE(kw_report_write(r), KW_CODE_MISSING);
    CHECK_HAS(r->note.text, "gnuplot-nox");
    kw_report_close(r);
}

static void write__no_round__says_partial_and_what_is_missing(void **state)
{
    (void)state;
    struct kw_report *r = of(kw_fixture_results());
    r->results->rounds = 0;
    r->results->partial = true;
    snprintf(r->results->fault, sizeof r->results->fault, "stopped <by> a signal");
    snprintf(r->results->quiet, sizeof r->results->quiet, "unusable");
    for (size_t i = 0; i < r->results->cell_count; i++)
        kw_counts_wipe(&r->results->cell[i].histogram);
    write(r);
    CHECK(has(r, "<b>The machine was unusable.</b>"));
    CHECK(has(r, "<b>Partial.</b> stopped &lt;by&gt; a signal"));
    CHECK(has(r, "<b>How quiet the machine was</b>: it wants a whole round"));
    CHECK(has(r, "<b>Medians</b>: it wants an undisturbed round"));
    CHECK(count(r, "<figure") == 0);
    kw_report_close(r);
}

static void write__all_rounds_disturbed__no_median_is_told(void **state)
{
    (void)state;
    struct kw_report *r = of(kw_fixture_results());
    for (size_t n = 0; n < r->results->rounds; n++)
        r->results->disturbed[n] = true;
    for (size_t k = 0; k < r->results->figure_count; k++)
        r->results->noise[k] = (struct kw_ratio){0};
    write(r);
    CHECK(has(r, "The noise floor is not known"));
    CHECK(has(r, "<b>Ratios to the base</b>: it wants"));
    CHECK(has(r, "Disturbed rounds: 8 of 8"));
    kw_report_close(r);
}

/* Whatever numbers stand in the file: a page, and no invariant of ours. */
static void write__absurd_figures__a_page_all_the_same(void **state)
{
    static const double absurd[] = {1e308, 1e-308, 5e-324, 1e16, 0, -1, -1e308, 1e-13};
    (void)state;
    struct kw_results *all = kw_fixture_results();
    for (size_t i = 0; i < all->cell_count; i++) {
        struct kw_results_cell *c = &all->cell[i];
        for (size_t k = 0; k < all->figure_count; k++)
            for (size_t n = 0; n < all->rounds; n++)
                c->figure[k][n] = absurd[(i + k + n) % 8];
        c->axes.in_flight = absurd[i % 8];
        c->axes.rate = absurd[(i + 3) % 8];
        c->axes.token_delay_us = absurd[(i + 5) % 8];
        for (size_t b = 0; b < c->histogram.count; b++)
            c->histogram.bucket[b].count = b % 2 == 0 ? UINT64_MAX : 1;
        for (size_t n = 0; n < all->rounds; n++)
            all->pulse_ns[n][i] = absurd[(i + n) % 8];
    }
    for (size_t k = 0; k < all->figure_count; k++)
        all->noise[k] = (struct kw_ratio){1e308, 1e-308, 1e308};
    all->elapsed_s = 1e308;
    struct kw_report *r = of(all);
    write(r);
    kw_report_close(r);
}

static void write__hostile_words__never_markup(void **state)
{
    static const char evil[] = "<script>alert('x')</script>&\"\x01\xff";
    (void)state;
    struct kw_report *r = of(kw_fixture_results());
    struct kw_results *all = r->results;
    struct kw_environment *e = &all->environment;
    char *const places[] = {e->cpu,       e->kernel,         e->governor,
                            e->commit,    e->note[0].key,    e->note[0].value,
                            all->version, all->quiet_words,  all->fault,
                            all->why[3],  all->layout.words, all->cell[1].failure,
                            all->session, all->layout.name,  all->quiet};
    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++)
        (void)kw_copy_str(places[i], i < 12 ? 32 : 16, kw_span_str(evil));
    all->cell[1].failures = 1;
    kw_free(all->cell[1].command);
    all->cell[1].command = kw_format("%s", evil);
    kw_free(all->command);
    all->command = kw_format("%s", evil);
    json_t *json = json_pack("{s:s, s:i, s:s, s:b, s:{s:f}, s:f}", "tool",
                             "keyward-bench storm", "schema", 1, "fault", "<script>b",
                             "partial", 1, "failures", "<script>c", 1.0, "ready_ms", 1.0);
    r->document[r->document_count++] = (struct kw_report_document){
        .name = "<script>d", .kind = KW_DOCUMENT_STORM, .json = json};
    r->document[r->document_count++] = (struct kw_report_document){
        .name = "<script>e", .kind = KW_DOCUMENT_UNKNOWN, .json = json_object()};
    write(r);
    CHECK(!has(r, "<script"));
    CHECK(!has(r, "\x01") && !has(r, "\xff"));
    CHECK(count(r, "&lt;script&gt;") > 15);
    kw_report_close(r);
}

static void write__quick__verdict_first_and_what_was_not_measured(void **state)
{
    static const char *const missing[] = {"Latency and goodput over offered rate",
                                          "What the cache buys",
                                          "Restarts of API servers",
                                          "What a token carries",
                                          "The token alone",
                                          "Single operations"};
    (void)state;
    struct kw_report *r = of(kw_fixture_results());
    write(r);
    const char *body = strstr(r->page.text, "<body>\n");
    static const char first[] =
        "<body>\n<p class=\"verdict quiet\"><b>The machine was quiet.";
    CHECK(body != NULL && strncmp(body, first, strlen(first)) == 0);
    for (size_t i = 0; i < sizeof missing / sizeof missing[0]; i++) {
        char item[128];
        snprintf(item, sizeof item, "<li><b>%s</b>: it wants ", missing[i]);
        CHECK_HAS(r->page.text, item);
    }
    CHECK(count(r, "it wants") == sizeof missing / sizeof missing[0]);
    CHECK(has(r, "pulse 1.31 of the median"));
    CHECK(has(r, "no scaling conclusion"));
    /* Medians of the fixture, as people read them. */
    CHECK(has(r, ">60,000<") && has(r, ">15,000<"));
    CHECK(count(r, "<details>") == r->results->cell_count);
    kw_report_close(r);
}

static void check_nothing_outside(const struct kw_report *r)
{
    static const char *const outside[] = {"http:", "https:",  "src=", "<link", "@import",
                                          "url(",  "<script", "<img", "xlink"};
    for (size_t i = 0; i < sizeof outside / sizeof outside[0]; i++)
        if (has(r, outside[i]))
            fail_msg("the page has %s", outside[i]);
    CHECK(has(r, "default-src 'none'"));
}

static void write__full__every_plot_and_no_reference_to_the_outside(void **state)
{
    static const char *const plots[] = {
        "pulse-0",   "concurrency-0", "concurrency-3",   "percentiles-0",
        "goodput-0", "offered-0",     "delay-latency-0", "delay-calls-0",
        "storm-0",   "storm-2",       "storm-calls-0",   "storm-calls-2",
        "plan-0",    "token-0",       "token-latency-0", "ratios-0"};
    struct kw_fixture f;
    struct kw_report *r = NULL;
    (void)state;
    kw_fixture_full(&f);
    CHECK_OK(kw_report_open(f.folder, &r, NULL));
    write(r);
    for (size_t i = 0; i < sizeof plots / sizeof plots[0]; i++) {
        char id[64];
        snprintf(id, sizeof id, "<figure id=\"plot-%s\">", plots[i]);
        CHECK_HAS(r->page.text, id);
    }
    CHECK(has(r, "<p>Nothing is missing.</p>"));
    CHECK(has(r, "one wrap is two operations · the way of an Encrypt"));
    CHECK(has(r, "DEADLINE_EXCEEDED</th><td class=\"words\">37: a fixture&#39;s "
                 "&lt;deadline&gt;"));
    CHECK(has(r, "<b>Partial.</b> a fixture breaks off"));
    CHECK(has(r, "<td>1,234</td><td>5</td>")); /* an hour of the day */
    CHECK(has(r, "does not carry") && has(r, "<li>a fixture is too slow</li>"));
    CHECK(has(r, ">350\u00a0ns<"));
    CHECK(has(r, "decrypt, further subjects"));
    check_nothing_outside(r);
    kw_report_close(r);
    kw_fixture_remove(&f);
}

static void peer__same_shape__ratio_of_each_figure(void **state)
{
    bool there = false;
    (void)state;
    struct kw_results *results = kw_fixture_results();
    kw_fixture_cell(results, "wall1-64", 64, 30000, 30);
    kw_fixture_cell(results, "encrypt-noverify-64", 64, 30000, 30);
    struct kw_report *r = of(results);
    CHECK_OK(kw_section_peer(r, &there));
    CHECK(there);
    CHECK(has(r, "wall1-64 <span>to</span> peer-64"));
    CHECK(has(r, "hit-64 <span>to</span> peer-64"));
    CHECK(!has(r, "echo-64 <span>") && !has(r, "inproc-64 <span>")); /* no plugins */
    CHECK(!has(r, "uncached-1 <span>")); /* another concurrency */
    CHECK(!has(r, "encrypt-64 <span>")); /* another method      */
    CHECK(!has(r, "noverify"));
    CHECK(has(r, "2.00×") && has(r, "0.50×")); /* 30000 to 15000, 30 µs to 60 */
    kw_report_close(r);
}

static void peer__none__left_out(void **state)
{
    bool there = false;
    (void)state;
    struct kw_report *r = of(kw_fixture_results());
    r->results->cell[7].control = true; /* peer-64 */
    CHECK_OK(kw_section_peer(r, &there));
    CHECK(!there && r->page.len == 0);
    kw_report_close(r);
}

static void client__idle_or_busy__said_so(void **state)
{
    bool there = false;
    (void)state;
    struct kw_report *r = of(kw_fixture_results());
    CHECK_OK(kw_section_client(r, &there));
    CHECK(there && has(r, "The client is not the bottleneck: in status-64"));
    CHECK(has(r, "In echo-64 the client uses 0.49 times the server’s CPU."));
    kw_html_wipe(&r->page);
    size_t at = kw_results_figure(r->results, "client_us");
    for (size_t n = 0; n < r->results->rounds; n++)
        r->results->cell[1].figure[at][n] = 19; /* hit-64: 48000 of them a second */
    CHECK_OK(kw_section_client(r, &there));
    CHECK(has(r, "In hit-64 the client uses 91.2\u00a0% of one CPU"));
    CHECK(!has(r, "not the bottleneck"));
    kw_report_close(r);
}

static void ratios__within_the_noise__in_grey(void **state)
{
    bool there = false;
    (void)state;
    struct kw_results *results = kw_fixture_results();
    kw_fixture_cell(results, "almost-64", 64, 60010, 10.01);
    struct kw_report *r = of(results);
    CHECK_OK(kw_section_ratios(r, &there));
    CHECK(there);
    const char *row = strstr(r->page.text, ">almost-64</th>");
    CHECK(row != NULL);
    CHECK(strncmp(row, ">almost-64</th><td class=\"noise\">",
                  strlen(">almost-64</th><td class=\"noise\">")) == 0);
    CHECK(has(r, ">hit-64</th><td>0.80×"));
    kw_report_close(r);
}

static void offered__fixture__knee_before_p99_runs_away(void **state)
{
    struct kw_fixture f;
    struct kw_report *r = NULL;
    bool there = false;
    (void)state;
    kw_fixture_full(&f);
    CHECK_OK(kw_report_open(f.folder, &r, NULL));
    CHECK_OK(kw_section_offered(r, &there));
    CHECK(there && count(r, ">knee: 16,000 a second") == 2);
    kw_report_close(r);
    kw_fixture_remove(&f);
}

static void cells__figure_unknown_in_a_round__dash(void **state)
{
    bool there = false;
    (void)state;
    struct kw_report *r = of(kw_fixture_results());
    for (size_t k = 0; k < r->results->figure_count; k++)
        r->results->cell[1].figure[k][5] = (double)NAN;
    r->results->cell[1].failures = 1;
    snprintf(r->results->cell[1].failure, sizeof r->results->cell[1].failure,
             "exit status 1");
    CHECK_OK(kw_section_cells(r, &there));
    CHECK(has(r, "<summary>hit-64: failed in 1 rounds</summary>"));
    CHECK(has(r, "<strong>Failed:</strong> exit status 1"));
    CHECK(has(r, "<td>–</td>"));
    kw_report_close(r);
}

KW_CASES("bench/report/page", CASE(write__no_gnuplot__missing_and_no_page),
         CASE(write__no_round__says_partial_and_what_is_missing),
         CASE(write__all_rounds_disturbed__no_median_is_told),
         CASE(write__absurd_figures__a_page_all_the_same),
         CASE(write__hostile_words__never_markup),
         CASE(write__quick__verdict_first_and_what_was_not_measured),
         CASE(write__full__every_plot_and_no_reference_to_the_outside),
         CASE(peer__none__left_out), CASE(peer__same_shape__ratio_of_each_figure),
         CASE(client__idle_or_busy__said_so), CASE(ratios__within_the_noise__in_grey),
         CASE(offered__fixture__knee_before_p99_runs_away),
         CASE(cells__figure_unknown_in_a_round__dash))
