/* SPDX-License-Identifier: Apache-2.0 */
/* A document becomes text for Prometheus; a hostile one becomes less. */
#include "check.h"

#include <stdio.h>

#include <event2/buffer.h>

#include "metrics.h"

#define DAY_US (INT64_C(24) * 3600 * 1000000)
static const struct kw_metrics_options options = {.cryptoperiod_us = DAY_US};
static char text[1 << 20];

static const char *written(const char *json)
{
    json_error_t error;
    json_t *document = json == NULL ? NULL : json_loads(json, 0, &error);
    struct evbuffer *out = evbuffer_new();
    if (json != NULL && document == NULL)
        fail_msg("%s", error.text);
    CHECK(kw_metrics_write(out, document, &options));
    const size_t len = evbuffer_get_length(out);
    CHECK(len < sizeof text);
    CHECK(evbuffer_remove(out, text, len) == (int)len);
    text[len] = '\0';
    evbuffer_free(out);
    json_decref(document);
    return text;
}

static unsigned count_of(const char *all, const char *part)
{
    unsigned n = 0;
    for (const char *at = all; (at = strstr(at, part)) != NULL; at++)
        n++;
    return n;
}

TEST(write__silent_daemon__up_is_0_and_nothing_else)
{
    CHECK_STR(written(NULL),
              "# HELP keyward_up 1: the daemon answered; 0: it is silent, and nothing "
              "else is here.\n# TYPE keyward_up gauge\nkeyward_up 0\n");
}

TEST(write__help_and_type__once_for_each_and_before_its_samples)
{
    const char *all =
        written("{\"classes\":[{\"name\":\"a\",\"cache\":{\"evicted\":1,\"expired\":2,"
                "\"wiped\":3}},{\"name\":\"b\",\"cache\":{\"evicted\":4}}]}");
    for (size_t i = 0; i < kw_metrics_count; i++) {
        char head[128];
        snprintf(head, sizeof head, "# TYPE %s ", kw_metrics[i].name);
        assert_int_equal(count_of(all, head), 1);
        snprintf(head, sizeof head, "# HELP %s ", kw_metrics[i].name);
        assert_int_equal(count_of(all, head), 1);
    }
    CHECK_HAS(all, "# TYPE keyward_cache_evictions_total counter\n"
                   "keyward_cache_evictions_total{class=\"a\",reason=\"full\"} 1\n"
                   "keyward_cache_evictions_total{class=\"b\",reason=\"full\"} 4\n"
                   "keyward_cache_evictions_total{class=\"a\",reason=\"expired\"} 2\n"
                   "keyward_cache_evictions_total{class=\"a\",reason=\"wiped\"} 3\n#");
}

TEST(write__labels_with_quotes_and_controls__escaped_and_replaced)
{
    CHECK_HAS(written("{\"version\":\"a\\\"b\\\\c\\nd\\u001b[2J\"}"),
              "keyward_build_info{version=\"a\\\"b\\\\c?d?[2J\"} 1\n");
}

TEST(write__members_of_wrong_types__no_sample)
{
    const char *all = written(
        "{\"version\":[1],\"started\":\"yesterday\",\"health\":7,\"classes\":{\"name\":1}"
        ","
        "\"jobs\":{\"queued\":-1,\"sent\":\"2\",\"total\":1.5},\"tokens\":[null,3,"
        "{\"name\":\"t\",\"state\":\"up\",\"pin_latched\":1,"
        "\"since_start\":{\"ops\":[{\"op\":\"wrap\",\"counts\":[1,2],\"sum_us\":1}]}}],"
        "\"audit\":{\"ill\":null}}");
    CHECK(strstr(all, "keyward_up 1\n") != NULL);
    CHECK_HAS(all, "keyward_token_state{token=\"t\",state=\"up\"} 1\n");
    CHECK_HAS(all, "keyward_token_state{token=\"t\",state=\"lost\"} 0\n");
    static const char *const none[] = {
        "\nkeyward_build_info{",  "\nkeyward_start_time_seconds ",
        "\nkeyward_hsm_state{",   "\nkeyward_jobs_queued ",
        "\nkeyward_jobs_sent ",   "\nkeyward_jobs_total ",
        "\nkeyward_audit_ill ",   "\nkeyward_token_pin_latched{",
        "\nkeyward_class_ready{", "\nkeyward_hsm_operation_duration_seconds_"};
    for (size_t i = 0; i < sizeof none / sizeof none[0]; i++)
        if (strstr(all, none[i]) != NULL)
            fail_msg("there is %s", none[i]);
}

TEST(write__two_of_one_name__one_series)
{
    const char *all = written("{\"classes\":[{\"name\":\"a\",\"cache\":{\"hits\":1}},"
                              "{\"name\":\"a\",\"cache\":{\"hits\":2}}]}");
    assert_int_equal(count_of(all, "\nkeyward_cache_hits_total{"), 1);
    CHECK_HAS(all, "keyward_cache_hits_total{class=\"a\"} 1\n");
}

TEST(write__more_of_them_than_there_may_be__cut)
{
    json_t *document = json_object(), *list = json_array();
    struct evbuffer *out = evbuffer_new();
    for (unsigned i = 0; i < KW_METRIC_SAMPLES_MAX + 5; i++)
        json_array_append_new(list, json_pack("{s:o, s:i}", "name", json_sprintf("%u", i),
                                              "refused_unknown_key", 1));
    json_object_set_new(document, "classes", list);
    CHECK(kw_metrics_write(out, document, &options));
    const size_t len = evbuffer_get_length(out);
    CHECK(len < sizeof text && evbuffer_remove(out, text, len) == (int)len);
    text[len] = '\0';
    assert_int_equal(count_of(text, "\nkeyward_unknown_key_total{"),
                     KW_METRIC_SAMPLES_MAX);
    evbuffer_free(out);
    json_decref(document);
}

TEST(write__histogram__cumulated_with_bounds_sum_and_count)
{
    const char *all =
        written("{\"classes\":[{\"name\":\"a\",\"latency\":[{\"method\":\"encrypt\","
                "\"counts\":[1,2,3,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,4,5],"
                "\"sum_us\":1500001}]}]}");
    static const char *const lines[] = {
        "_bucket{class=\"a\",method=\"encrypt\",le=\"0.0001\"} 1\n",
        "_bucket{class=\"a\",method=\"encrypt\",le=\"0.0002\"} 3\n",
        "_bucket{class=\"a\",method=\"encrypt\",le=\"0.0004\"} 6\n",
        "_bucket{class=\"a\",method=\"encrypt\",le=\"26.2144\"} 6\n",
        "_bucket{class=\"a\",method=\"encrypt\",le=\"52.4288\"} 10\n",
        "_bucket{class=\"a\",method=\"encrypt\",le=\"+Inf\"} 15\n",
        "_sum{class=\"a\",method=\"encrypt\"} 1.500001\n",
        "_count{class=\"a\",method=\"encrypt\"} 15\n"};
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
        char line[160];
        snprintf(line, sizeof line, "\nkeyward_request_duration_seconds%s", lines[i]);
        CHECK_HAS(all, line);
    }
}

TEST(write__key__its_times_and_the_end_of_its_cryptoperiod)
{
    const char *all = written(
        "{\"versions\":[{\"n\":2,\"key_id\":\"kw1-2-a\",\"key_id_hash\":\"sha256:ab\","
        "\"state\":\"active\",\"verdict\":\"ok\",\"proven\":null,"
        "\"activated\":\"2026-01-31T12:00:00.5Z\",\"encrypts\":3}]}");
    CHECK_HAS(all, "keyward_key_info{version=\"2\",key_id=\"kw1-2-a\","
                   "key_id_hash=\"sha256:ab\"} 1\n");
    CHECK_HAS(all, "keyward_key_state{key_id_hash=\"sha256:ab\",state=\"active\"} 1\n");
    CHECK_HAS(all, "keyward_key_activation_timestamp_seconds{key_id_hash=\"sha256:ab\"} "
                   "1769860800.500000\n");
    CHECK_HAS(all, "keyward_key_cryptoperiod_end_timestamp_seconds{key_id_hash=\"sha256:"
                   "ab\"} 1769947200.500000\n");
    CHECK_HAS(all, "keyward_key_encrypts_total{key_id_hash=\"sha256:ab\"} 3\n");
    CHECK(strstr(all, "keyward_key_proven_timestamp_seconds{") == NULL);
}

TEST(write__reasons__1_when_there_is_one)
{
    const char *all =
        written("{\"keyring\":{\"rejected\":\"why\",\"unremembered\":null}}");
    CHECK_HAS(all, "keyward_keyring_rejected 1\n");
    CHECK_HAS(all, "keyward_state_unremembered 0\n");
}

TEST(table__names_types_and_labels__as_prometheus_wants_them)
{
    for (size_t i = 0; i < kw_metrics_count; i++) {
        const struct kw_metric *m = &kw_metrics[i];
        const size_t len = strlen(m->name);
        const bool total = len > 6 && strcmp(m->name + len - 6, "_total") == 0;
        CHECK(total == (m->type == KW_METRIC_COUNTER));
        CHECK((m->kind == KW_VALUE_LATENCY) == (m->type == KW_METRIC_HISTOGRAM));
        CHECK((m->kind == KW_VALUE_STATE) == (m->states != NULL));
        CHECK(m->help != NULL || strcmp(m->name, kw_metrics[i - 1].name) == 0);
        for (size_t k = 0; m->help != NULL && k < i; k++)
            CHECK(strcmp(m->name, kw_metrics[k].name) != 0);
    }
}

KW_SUITE("provider/exporter/metrics")
