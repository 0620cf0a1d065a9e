/* SPDX-License-Identifier: Apache-2.0 */
/* What a crash left behind goes, and nothing else. */
#include <stdio.h>

#include "bench.h"

#define LEFT_A "kw-bench-00000000000000000000000a"
#define LEFT_B "kw-bench-00000000000000000000000b"
#define RELABELLED "kw-bench-00000000000000000000000c"

static struct fixture f;
static struct kw_run r;
static struct kw_version version;
static char keyring[160];

/* Two leftovers, a key that only looks like one, and one that bears such a label and is a
 * keyring's all the same. */
static void begin(void)
{
    char locator[KW_LOCATOR_MAX + 1] = "";
    bench_begin(&f);
    f.token = kw_softhsm_open(&f.hsm, KW_SOFTHSM_READ_WRITE);
    kw_softhsm_version(f.token, "test", 1, KW_KEY_ACTIVE, &version);
    (void)raw_key(f.token, LEFT_A, "1", false);
    (void)raw_key(f.token, LEFT_B, "", false);
    (void)raw_key(f.token, "kw-benchmark", "2", false);
    kw_copy(locator, sizeof locator - 1, kw_span_str(LOCATOR));
    (void)raw_key(f.token, RELABELLED, locator, false);
    kw_token_close(f.token);
    f.token = NULL;
    version.objects[0].locator_len = sizeof LOCATOR - 1;
    kw_copy(version.objects[0].locator, sizeof version.objects[0].locator,
            kw_span_str(LOCATOR));
    snprintf(keyring, sizeof keyring, "%s/keyring.json", f.hsm.dir);
    kw_softhsm_keyring(keyring, "test", &version, 1);
}

static void there(const char *label, enum kw_code want)
{
    struct kw_token_key *key = NULL;
    CHECK_CODE(kw_token_find(f.token, label, (kw_span){0}, &key, &f.note), want);
}

static void end(enum kw_code leftovers_are)
{
    f.token = kw_softhsm_open(&f.hsm, KW_SOFTHSM_READ_ONLY);
    there(LEFT_A, leftovers_are);
    there(LEFT_B, leftovers_are);
    there("kw-benchmark", KW_CODE_OK);
    there(RELABELLED, KW_CODE_OK);
    there(KEK, KW_CODE_OK);
    there(version.key_id, KW_CODE_OK);
    fixture_end(&f);
}

TEST(dry_run__listed_and_still_there)
{
    begin();
    BENCH_MUST(0, &f, &r, "--clean", "--dry-run", "--keyring", keyring);
    CHECK_HAS(r.out, LEFT_A);
    CHECK_HAS(r.out, LEFT_B);
    CHECK_HAS(r.out, "this is a dry run");
    CHECK(strstr(r.out, "kw-benchmark") == NULL);
    end(KW_CODE_OK);
}

TEST(other_token__listed_only_with_dry_run_or_yes)
{
    begin();
    kw_fault_set(&f.hsm, "othermaker\n");
    BENCH_MUST(3, &f, &r, "--clean", "--keyring", keyring);
    CHECK_HAS(r.err, "--yes");
    BENCH_MUST(0, &f, &r, "--clean", "--dry-run", "--keyring", keyring);
    CHECK_HAS(r.out, LEFT_A);
    kw_fault_set(&f.hsm, "");
    end(KW_CODE_OK);
}

TEST(token_refuses__told_which)
{
    begin();
    kw_fault_set(&f.hsm, "C_DestroyObject rv=0x6\n");
    BENCH_MUST(3, &f, &r, "--clean", "--keyring", keyring);
    CHECK_HAS(r.err, "could not be destroyed");
    BENCH_MUST(3, &f, &r, "--clean", "--keyring", keyring, "--json");
    CHECK_HAS(r.out, "\"destroyed\": false");
    CHECK(strstr(r.out, "\"destroyed\": true") == NULL);
    kw_fault_set(&f.hsm, "");
    end(KW_CODE_OK);
}

TEST(leftovers__listed_then_destroyed_and_no_other)
{
    begin();
    BENCH_MUST(0, &f, &r, "--clean", "--keyring", keyring);
    CHECK_HAS(r.out, "3 keys");
    CHECK_HAS(r.out, "  " LEFT_A "\n"); /* before anything is destroyed */
    CHECK_HAS(r.out, "  " LEFT_B "\n");
    CHECK_HAS(r.out, RELABELLED " has the locator of version 1");
    BENCH_MUST(0, &f, &r, "--clean", "--json", "--keyring", keyring);
    CHECK_HAS(r.out, "\"label\": \"" RELABELLED "\"");
    CHECK_HAS(r.out, "\"destroyed\": false");
    CHECK(strstr(r.out, LEFT_A) == NULL);
    end(KW_CODE_MISSING);
}

KW_CASES("bench/clean", CASE(dry_run__listed_and_still_there),
         CASE(other_token__listed_only_with_dry_run_or_yes),
         CASE(token_refuses__told_which),
         CASE(leftovers__listed_then_destroyed_and_no_other))
