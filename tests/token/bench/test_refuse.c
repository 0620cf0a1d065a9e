/* SPDX-License-Identifier: Apache-2.0 */
/* What it does not do. */
#include <stdio.h>

#include "bench.h"

static struct fixture f;
static struct kw_run r;

TEST(other_token__refused_before_any_login)
{
    bench_begin(&f);
    unsigned logins = kw_fault_count(&f.hsm, "C_Login");
    kw_fault_set(&f.hsm, "othermaker\n");
    BENCH_MUST(3, &f, &r, "--seconds", "1h");
    CHECK_HAS(r.err, "no SoftHSM");
    CHECK_HAS(r.err, "--yes");
    CHECK(kw_fault_count(&f.hsm, "C_Login") == logins);
    fixture_end(&f);
}

TEST(other_token__with_yes__measured)
{
    bench_begin(&f);
    kw_fault_set(&f.hsm, "othermaker\n");
    BENCH_MUST(0, &f, &r, "--yes", "--op", "random", "--calls", "5", "--warmup", "0s",
               "--json");
    CHECK_HAS(r.out, "\"softhsm\": false");
    fixture_end(&f);
}

TEST(wrong_pin__one_login_and_no_more)
{
    bench_begin(&f);
    unsigned logins = kw_fault_count(&f.hsm, "C_Login");
    kw_softhsm_write_pin(&f.hsm, "not the PIN of it");
    BENCH_MUST(3, &f, &r, "--processes", "4", "--seconds", "1h");
    CHECK_HAS(r.err, "CKR_PIN_INCORRECT");
    CHECK(kw_fault_count(&f.hsm, "C_Login") == logins + 1);
    fixture_end(&f);
}

TEST(keyring_not_understood__module_not_loaded)
{
    char path[160];
    bench_begin(&f);
    unsigned starts = kw_fault_count(&f.hsm, "C_Initialize");
    snprintf(path, sizeof path, "%s/keyring.json", f.hsm.dir);
    BENCH_MUST(3, &f, &r, "--keyring", path);
    CHECK_HAS(r.err, path);
    kw_softhsm_write_pin(&f.hsm, "{}");
    BENCH_MUST(3, &f, &r, "--keyring", f.hsm.pin_path);
    CHECK(kw_fault_count(&f.hsm, "C_Initialize") == starts);
    fixture_end(&f);
}

TEST(dry_run__module_not_loaded)
{
    bench_begin(&f);
    unsigned starts = kw_fault_count(&f.hsm, "C_Initialize");
    BENCH_MUST(0, &f, &r, "--dry-run", "--curve", "1,2,4", "--json");
    CHECK(number_of(r.out, "logins") == 8);
    BENCH_MUST(0, &f, &r, "--dry-run", "--json");
    CHECK(number_of(r.out, "logins") == 2);
    CHECK(kw_fault_count(&f.hsm, "C_Initialize") == starts);
    fixture_end(&f);
}

TEST(foreign_iv__refused_before_a_key_is_made)
{
    bench_begin(&f);
    kw_fault_set(&f.hsm, "ivmode=3\n");
    BENCH_MUST(3, &f, &r, "--seconds", "1h");
    CHECK_HAS(r.err, "makes its own IV");
    CHECK(leftovers(&f) == 0);
    fixture_end(&f);
}

TEST(keyring__its_keys__as_they_were)
{
    static struct kw_version v;
    char path[160];
    bench_begin(&f);
    snprintf(path, sizeof path, "%s/keyring.json", f.hsm.dir);
    f.token = kw_softhsm_open(&f.hsm, KW_SOFTHSM_READ_WRITE);
    kw_softhsm_version(f.token, "test", 1, KW_KEY_ACTIVE, &v);
    kw_token_close(f.token);
    kw_softhsm_keyring(path, "test", &v, 1);
    BENCH_MUST(0, &f, &r, "--keyring", path, "--calls", "5", "--warmup", "0s", "--json");
    CHECK(number_of(r.out, "keys") == 1);
    f.token = kw_softhsm_open(&f.hsm, KW_SOFTHSM_READ_ONLY);
    CHECK_OK(kw_token_find(f.token, v.key_id,
                           kw_span_of(v.objects[0].locator, v.objects[0].locator_len),
                           &f.key, &f.note));
    CHECK_OK(kw_token_canary(f.token, f.key, &v, "test", true));
    fixture_end(&f);
}

KW_CASES("bench/refuse", CASE(other_token__refused_before_any_login),
         CASE(other_token__with_yes__measured), CASE(wrong_pin__one_login_and_no_more),
         CASE(keyring_not_understood__module_not_loaded),
         CASE(dry_run__module_not_loaded), CASE(foreign_iv__refused_before_a_key_is_made),
         CASE(keyring__its_keys__as_they_were))
