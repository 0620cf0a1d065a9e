/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "given.h"

static struct kw_note note;

static kw_err read_text(const char *text, struct kw_curve *c)
{
    char path[] = "/tmp/kw-curve-XXXXXX";
    int fd = mkstemp(path);
    CHECK(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text));
    close(fd);
    note = (struct kw_note){{0}};
    kw_err e = kw_curve_read(path, c, &note);
    CHECK(unlink(path) == 0);
    return e;
}

static void refused(const char *text, const char *why)
{
    struct kw_curve c = {.count = 77};
    CHECK_CODE(read_text(text, &c), KW_CODE_BAD_INPUT);
    CHECK(c.count == 77);
    CHECK_HAS(note.text, "/tmp/kw-curve-");
    CHECK_HAS(note.text, why);
}

#define TOKEN "{\"tool\":\"keyward-bench token\",\"schema\":1,"
#define LOAD "{\"tool\":\"keyward-bench load\",\"schema\":1,"

static void no_file__missing(void **state)
{
    struct kw_curve c;
    (void)state;
    CHECK_CODE(kw_curve_read("/nonexistent/curve.json", &c, &note), KW_CODE_MISSING);
}

static void no_document_of_ours__refused(void **state)
{
    (void)state;
    refused("", "no JSON object");
    refused("[1]", "no JSON object");
    refused("{}", "it is no document of");
    refused("{\"tool\":\"keyward-bench storm\",\"schema\":1}", "it is no document of");
    refused("{\"tool\":7,\"schema\":1}", "it is no document of");
}

static void another_schema__refused(void **state)
{
    (void)state;
    refused("{\"tool\":\"keyward-bench token\",\"schema\":2,\"curve\":[]}", "\"schema\"");
    refused("{\"tool\":\"keyward-bench token\",\"curve\":[]}", "\"schema\"");
}

static void cut_short_or_wrong__refused(void **state)
{
    (void)state;
    refused(TOKEN "\"partial\":true,\"curve\":[{\"sessions\":1,\"ops_per_s\":9}]}",
            "cut short");
    refused(LOAD "\"options\":{\"mix\":\"decrypt\",\"in_flight\":1},\"failures\":{"
                 "\"INTERNAL\":{\"count\":1}},\"figures\":{\"calls_per_s\":9}}",
            "wrong or failed");
    refused(LOAD "\"options\":{\"mix\":\"decrypt\",\"in_flight\":1},\"by_method\":{"
                 "\"decrypt\":{\"wrong\":1}},\"figures\":{\"calls_per_s\":9}}",
            "wrong or failed");
    refused(TOKEN "\"wrong\":1,\"curve\":[{\"sessions\":1,\"ops_per_s\":9}]}", "wrong");
}

static void points_that_cannot_be__refused(void **state)
{
    (void)state;
    refused(TOKEN "\"figures\":{}}", "--curve 1,2,4,8");
    refused(TOKEN "\"curve\":[]}", "--curve 1,2,4,8");
    refused(TOKEN "\"curve\":[{\"sessions\":0,\"ops_per_s\":9}]}", "a point");
    refused(TOKEN "\"curve\":[{\"sessions\":1,\"ops_per_s\":0}]}", "a point");
    refused(TOKEN "\"curve\":[7]}", "a point");
    refused(TOKEN
            "\"curve\":[{\"sessions\":1,\"ops_per_s\":9,\"p50_us\":3,\"p99_us\":2}]}",
            "a point");
    refused(TOKEN
            "\"curve\":[{\"sessions\":1,\"ops_per_s\":9},{\"sessions\":1,\"ops_per_s\""
            ":8}]}",
            "twice");
}

static void held_down__refused(void **state)
{
    (void)state;
    refused(TOKEN "\"options\":{\"max_rate\":5},\"curve\":[]}", "--max-rate");
    refused(LOAD "\"options\":{\"mix\":\"decrypt\",\"in_flight\":1,\"rate\":5},"
                 "\"figures\":{\"calls_per_s\":9}}",
            "--rate");
}

static void token__another_operation__refused(void **state)
{
    (void)state;
    refused(TOKEN "\"options\":{\"operation\":\"find\"},\"curve\":[]}",
            "neither unwrap nor wrap");
}

static void load_of_no_token_work__refused(void **state)
{
    (void)state;
    refused(LOAD "\"options\":{\"mix\":\"status\",\"in_flight\":1},"
                 "\"figures\":{\"calls_per_s\":9}}",
            "not all Decrypts or all Encrypts");
    refused(LOAD "\"options\":{\"mix\":\"decrypt:90,encrypt:10\"}}",
            "not all Decrypts or all Encrypts");
    refused(LOAD "\"options\":{\"mix\":\"decrypt\",\"in_flight\":1}}", "calls_per_s");
}

static void token__any_order__ascending(void **state)
{
    (void)state;
    struct kw_curve c;
    CHECK_OK(read_text(TOKEN
                       "\"curve\":["
                       "{\"sessions\":4,\"ops_per_s\":300.5,\"p50_us\":5,\"p99_us\":9},"
                       "{\"sessions\":1,\"ops_per_s\":100,\"p50_us\":5}]}",
                       &c));
    CHECK(c.count == 2);
    CHECK(c.point[0].sessions == 1 && c.point[0].ops_per_s == 100);
    CHECK(c.point[0].p50_us == 0); /* of no use without the other */
    CHECK(c.point[1].sessions == 4 && c.point[1].ops_per_s == 300.5);
    CHECK(c.point[1].p50_us == 5 && c.point[1].p99_us == 9);
    CHECK_HAS(c.words, "without a server before them [measured: /tmp/kw-curve-");
}

static void load__encrypts__two_operations_each(void **state)
{
    (void)state;
    struct kw_curve c;
    CHECK_OK(read_text(LOAD
                       "\"options\":{\"mix\":\"encrypt\",\"in_flight\":8},"
                       "\"figures\":{\"calls_per_s\":50,\"p50_us\":40,\"p99_us\":60}}",
                       &c));
    CHECK(c.count == 1 && c.point[0].sessions == 8 && c.point[0].ops_per_s == 100);
    CHECK(c.point[0].p50_us == 20 && c.point[0].p99_us == 30);
    CHECK_HAS(c.words, "missed its cache");
}

KW_CASES("bench/plan/read", CASE(no_file__missing), CASE(no_document_of_ours__refused),
         CASE(another_schema__refused), CASE(cut_short_or_wrong__refused),
         CASE(points_that_cannot_be__refused), CASE(held_down__refused),
         CASE(token__another_operation__refused), CASE(load_of_no_token_work__refused),
         CASE(token__any_order__ascending), CASE(load__encrypts__two_operations_each))
