/* SPDX-License-Identifier: Apache-2.0 */
/* keyward-bench storm, run as an operator would. */
#include "check.h"

#include <stdio.h>
#include <unistd.h>

#include <jansson.h>

#include "fake_plugin.h"
#include "run.h"

static struct fake_plugin f;
static struct kw_run r;
static char file[96];
#define RUN(...)                                                                         \
    kw_run(&r, (const char *const[]){KEYWARD_BENCH, "storm", __VA_ARGS__, NULL})

static void begin(void)
{
    fake_start(&f);
    snprintf(file, sizeof file, "%s/corpus.json", f.folder);
}

static void end(void)
{
    (void)unlink(file);
    fake_stop(&f);
}

TEST(words__wrong__two_and_named)
{
    kw_run(&r, (const char *const[]){KEYWARD_BENCH, "storm", NULL});
    CHECK(r.status == 2);
    RUN("a", "b", "--servers", "1");
    CHECK(r.status == 2);
    CHECK_HAS(r.err, "2 sockets for 1 servers");
    RUN("a", "--readers", "20", "--parallel", "20");
    CHECK(r.status == 2);
    CHECK_HAS(r.err, "400 lists of a server, at most 256");
    RUN("a", "--seeds", "0");
    CHECK(r.status == 2);
    CHECK_HAS(r.err, "--seeds 0");
    RUN("a", "--prepare", "x", "--corpus", "y");
    CHECK(r.status == 2);
    RUN("a", "--compress", "10");
    CHECK(r.status == 2);
    CHECK_HAS(r.err, "are for --day");
    RUN("a", "--day", "--limit", "1s");
    CHECK(r.status == 2);
}

TEST(corpus__of_another_schema__three)
{
    f = (struct fake_plugin){0};
    begin();
    FILE *out = fopen(file, "w");
    CHECK(out != NULL);
    fputs("{\"tool\":\"keyward-bench storm --prepare\",\"schema\":9,\"seeds\":[]}", out);
    CHECK(fclose(out) == 0);
    RUN(f.path, "--corpus", file);
    CHECK(r.status == 3);
    CHECK_HAS(r.err, "schema 9, this reads 1");
    end();
}

TEST(status__not_keywardd__three)
{
    f = (struct fake_plugin){0};
    begin();
    RUN(f.path, "--seeds", "3", "--status", "/nonexistent/status.sock");
    CHECK(r.status == 3);
    CHECK_HAS(r.err, "--status /nonexistent/status.sock");
    end();
}

TEST(plaintext__wrong__one)
{
    f = (struct fake_plugin){
        .script = FAKE_WRONG, .from = 5, .times = 1, .counts = KW_DECRYPT};
    begin();
    RUN(f.path, "--servers", "1", "--seeds", "20", "--json");
    CHECK(r.status == 1);
    CHECK_HAS(r.out, "\"wrong\": 1");
    CHECK_HAS(r.out, "null"); /* it is never ready */
    end();
}

TEST(dry_run__says_what_would_be__calls_nobody)
{
    f = (struct fake_plugin){0};
    begin();
    RUN(f.path, "--dry-run", "--json");
    CHECK(r.status == 0);
    CHECK_HAS(r.out, "\"dry_run\": true");
    CHECK(f.seen[KW_STATUS] + f.seen[KW_ENCRYPT] + f.seen[KW_DECRYPT] == 0);
    end();
}

static double figure(const json_t *d, const char *name)
{
    const json_t *n = json_object_get(json_object_get(d, "figures"), name);
    CHECK(json_is_number(n));
    return json_number_value(n);
}

TEST(storm__json__the_promised_fields)
{
    f = (struct fake_plugin){0};
    begin();
    RUN(f.path, "--servers", "2", "--seeds", "300", "--json");
    CHECK(r.status == 0);
    json_t *d = json_loads(r.out, 0, NULL);
    CHECK_STR(json_string_value(json_object_get(d, "tool")), "keyward-bench storm");
    CHECK(json_integer_value(json_object_get(d, "schema")) == 1);
    CHECK(json_is_false(json_object_get(d, "partial")));
    CHECK_STR(json_string_value(json_object_get(d, "cache")), "warm");
    CHECK(figure(d, "ready_ms") == json_real_value(json_object_get(d, "ready_ms")));
    CHECK(figure(d, "requests") == 600 && figure(d, "deadline_misses") == 0);
    CHECK(figure(d, "p50_us") > 0 && figure(d, "calls_per_s") > 0);
    CHECK(json_array_size(json_object_get(d, "ready_by_server_ms")) == 2);
    CHECK(json_array_size(json_object_get(d, "timeline")) >= 2);
    CHECK(json_array_size(json_object_get(d, "histogram")) >= 1);
    CHECK(json_object_get(d, "hsm_operations") == NULL); /* nobody can know */
    CHECK(json_object_size(json_object_get(d, "failures")) == 0);
    json_decref(d);
    end();
}

/* What a script does: prepare, restart the plugin, storm. */
TEST(prepare__then_corpus__no_encrypt_but_the_servers)
{
    f = (struct fake_plugin){0};
    begin();
    RUN(f.path, "--seeds", "30", "--prepare", file);
    CHECK(r.status == 0 && f.seen[KW_ENCRYPT] == 30 && f.seen[KW_DECRYPT] == 0);
    CHECK_HAS(r.out, "30 ciphertexts");
    RUN(f.path, "--servers", "2", "--corpus", file, "--json");
    CHECK(r.status == 0 && f.seen[KW_ENCRYPT] == 32 && f.seen[KW_DECRYPT] == 60);
    CHECK_HAS(r.out, "\"cache\": \"unknown\"");
    end();
}

TEST(day__compressed__calls_by_hour)
{
    f = (struct fake_plugin){0};
    begin();
    RUN(f.path, "--servers", "2", "--seeds", "5", "--day", "--compress", "86400",
        "--restarts", "3", "--json");
    CHECK(r.status == 0);
    json_t *d = json_loads(r.out, 0, NULL);
    CHECK(json_is_integer(json_object_get(d, "restarts")));
    CHECK(json_is_false(json_object_get(d, "partial")));
    CHECK(json_array_size(json_object_get(d, "hours")) == 24);
    json_decref(d);
    end();
}

KW_CASES("bench/storm/program", CASE(words__wrong__two_and_named),
         CASE(corpus__of_another_schema__three), CASE(status__not_keywardd__three),
         CASE(plaintext__wrong__one), CASE(dry_run__says_what_would_be__calls_nobody),
         CASE(storm__json__the_promised_fields),
         CASE(prepare__then_corpus__no_encrypt_but_the_servers),
         CASE(day__compressed__calls_by_hour))
