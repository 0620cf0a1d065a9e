/* SPDX-License-Identifier: Apache-2.0 */
/* keyward-bench token on a token of the test's own, behind the fault module, which is honest
 * until told otherwise: what it does not do, every way out, what it counts, what it cleans. */
#include <unistd.h>

#include "token_fixture.h"
#include "document.h"
#include "run.h"

static struct fixture f;
static struct kw_run r;
static unsigned logins; /* before the first run */

/* f.token has a KEK; it is closed, so that the token is the program's alone.  Its folder is
 * that of this process. */
static void begin(void)
{
    fixture_begin(&f, "");
    CHECK(chdir(f.hsm.dir) == 0);
    kw_token_close(f.token);
    f.token = NULL;
    f.key = NULL;
    logins = kw_fault_count(&f.hsm, "C_Login");
}

/* Runs it with the token's own options and these words. */
static void bench(int want, const char *words)
{
    kw_run_line(&r, want, KEYWARD_BENCH, "token --module %s --uri %s --pin %s %s",
                f.hsm.module, f.hsm.uri, f.hsm.pin_source, words);
}

#define FIVE "--calls=5 --warmup=0s --json "
#define LONG "--seconds=1h --warmup=0s "

/* So many throw-away keys must be on the token at the end. */
static void check_leftovers(size_t wanted)
{
    static struct kw_listed_key all[16];
    size_t count = 0;
    kw_fault_set(&f.hsm, "");
    kw_token_close(f.token);
    f.token = kw_softhsm_open(&f.hsm, KW_SOFTHSM_READ_ONLY);
    CHECK_OK(kw_token_leftovers(f.token, all, 16, &count, &f.note));
    CHECK(count == wanted);
}

static void end(void)
{
    fixture_end(&f);
}

/* ---- a token that is another, or fails: `said` is a part of standard error, or claims about
 * the document that the words want ------------------------------------------------------ */

static void trouble(const char *control, int status, const char *words, const char *said,
                    size_t leftovers)
{
    kw_fault_set(&f.hsm, control);
    bench(status, words);
    if (strstr(words, "--json") != NULL)
        kw_says(r.out, said);
    else
        CHECK_HAS(r.err, said);
    check_leftovers(leftovers);
}
#define TROUBLE(name, ...)                                                               \
    TEST(name)                                                                           \
    {                                                                                    \
        trouble(__VA_ARGS__);                                                            \
    }

TEST(no_softhsm__three_and_no_login)
{
    kw_fault_set(&f.hsm, "othermaker\n");
    bench(3, LONG);
    CHECK_HAS(r.err, "is no SoftHSM");
    CHECK_HAS(r.err, "--yes");
    CHECK(kw_fault_count(&f.hsm, "C_Login") == logins);
    check_leftovers(0);
}

TROUBLE(iv_of_its_own__three, "ivmode=3\n", 3, LONG, "makes its own IV", 0)
TROUBLE(no_copies__three, "C_CopyObject rv=0x13\n", 3, LONG "--key=copy", "--key session",
        0)
TROUBLE(worker_crashes__three, "C_Decrypt crash skip=20\n", 3,
        "--seconds=1h --warmup=1m --max-rate=200 --processes=2", "died of signal 6", 0)
TROUBLE(fails_while_measured__one_and_what_was_measured, "C_Decrypt rv=0x30 skip=20\n", 1,
        LONG "--max-rate=200 --json",
        "fault ~ the token failed while it was measured, partial = true, good > 0", 0)
TROUBLE(over_the_limit__three_and_what_was_measured, "C_Decrypt delay=3 skip=20\n", 3,
        LONG "--stop-p99=1ms --json", "fault ~ stopped:, partial = true, good > 0", 0)
/* The self-test's twenty are honest, and so is its C_DestroyObject. */
TROUBLE(wrong_plaintexts__one_and_counted, "C_Decrypt flip skip=20\n", 1,
        "--calls=30 --warmup=0s --json", "wrong = 10", 0)
TROUBLE(key_not_destroyed__one_and_told, "C_DestroyObject rv=0x6 skip=1\n", 1, FIVE,
        "fault ~ could not be destroyed, fault ~ --clean", 1)
TROUBLE(owner_crashes__one_and_told, "C_DestroyObject crash skip=1\n", 1, FIVE,
        "fault ~ the process that keeps the key died, fault ~ --clean, good = 5", 1)

TEST(wrong_pin__one_login_and_no_more)
{
    kw_softhsm_write_pin(&f.hsm, "not the PIN of it");
    bench(3, LONG "--processes=4");
    CHECK_HAS(r.err, "CKR_PIN_INCORRECT");
    CHECK(kw_fault_count(&f.hsm, "C_Login") == logins + 1);
}

TEST(dry_run_or_keyring_not_understood__module_not_loaded)
{
    unsigned starts = kw_fault_count(&f.hsm, "C_Initialize");
    bench(3, "--keyring keyring.json");
    CHECK_HAS(r.err, "keyring.json");
    kw_softhsm_write_pin(&f.hsm, "{}");
    bench(3, "--keyring pin");
    bench(0, "--dry-run --json --curve 1,2,4");
    CHECK(kw_fault_count(&f.hsm, "C_Initialize") == starts);
}

/* ---- ended from outside --------------------------------------------------------------- */

/* $0 is the signal, $1 "-" for all that was started, as a terminal does it, or nothing for
 * the program alone; the rest is the program, which has a session of its own.  The output
 * ends when the last of its processes has. */
static const char when_it_tells_the_key[] =
    "{ to=$1; shift; setsid sh -c 'echo $$; exec \"$@\"' sh \"$@\" 2>&1;"
    "  echo \"status $?\"; } |"
    "{ read -r pid; while read -r line; do"
    "    case $line in 'measuring with the key'*) kill -s \"$0\" -- \"$1$pid\";; esac;"
    "    echo \"$line\"; done; }";

static void signalled(const char *number, const char *whom, const char *status, bool told)
{
    kw_run(&r, (const char *const[]){"/bin/sh", "-c", when_it_tells_the_key, number, whom,
                                     KEYWARD_BENCH, "token", "--module", f.hsm.module,
                                     "--uri", f.hsm.uri, "--pin", f.hsm.pin_source,
                                     "--max-rate=200", "--seconds=1h", NULL});
    CHECK_HAS(r.out, "measuring with the key");
    CHECK_HAS(r.out, status);
    CHECK((strstr(r.out, "unwrap") != NULL) == told); /* a table or a document */
    check_leftovers(0);
}

TEST(signalled__partial_or_nothing_and_key_destroyed)
{
    signalled("INT", "-", "status 3\n", true);
    signalled("TERM", "", "status 3\n", true);
    signalled("KILL", "", "status 137\n", false);
}

/* ---- what it does, counted at the module ---------------------------------------------- */

TEST(shape__processes_threads_sessions__the_sum_of_all)
{
    unsigned sessions = kw_fault_count(&f.hsm, "C_OpenSession");
    kw_fault_set(&f.hsm, "othermaker\n");
    bench(0,
          "--op random --processes 2 --threads 2 --sessions 3 --max-rate 400 --calls 61 "
          "--warmup 0s --json --yes");
    kw_says(r.out, "token/softhsm = false, good = 61, wrong = 0, partial = false, "
                   "figures/cpu_us > 0");
    CHECK(kw_fault_count(&f.hsm, "C_GenerateRandom") == 61);
    CHECK(kw_fault_count(&f.hsm, "C_Login") == logins + 2 + 1);
    CHECK(kw_fault_count(&f.hsm, "C_OpenSession") == sessions + 2 * 2 * 3 + 1);
    bench(
        0,
        "--op random --max-rate 100 --ramp 500ms --calls 5 --warmup 500ms --json --yes");
    kw_says(r.out, "good = 5"); /* the warm-up's are not counted */
    CHECK(kw_fault_count(&f.hsm, "C_GenerateRandom") > 61 + 5);
    check_leftovers(0);
}

TEST(curve__two_points__each_with_its_sessions)
{
    unsigned keys = kw_fault_count(&f.hsm, "C_GenerateKey");
    bench(0, "--curve 1,3 --max-rate 300 --calls 12 --warmup 0s --json");
    kw_says(r.out, "curve/# = 2, curve/0/sessions = 1, curve/1/sessions = 3, "
                   "curve/0/ops_per_s > 0");
    CHECK(kw_fault_count(&f.hsm, "C_Login") == logins + 1 + 1 + 3);
    /* The self-test's, and ours. */
    CHECK(kw_fault_count(&f.hsm, "C_GenerateKey") == keys + 2);
    check_leftovers(0);
}

TEST(fit__two_points_of_two_processes__which_fits)
{
    bench(0, "--fit 1,3 --max-rate 300 --calls 12 --warmup 0s --json");
    kw_says(r.out, "curve/# = 2, curve/0/sessions = 2, curve/1/sessions = 6, "
                   "fits/workers = 2, fits/in_flight > 0, fits/ops_per_s > 0, "
                   "fits/granted absent");
    CHECK(kw_fault_count(&f.hsm, "C_Login") == logins + 1 + 2 + 2);
    check_leftovers(0);
}

TEST(every_operation_and_place__no_key_left)
{
    static const char *const rows[] = {
        FIVE "--op=unwrap",
        FIVE "--op=wrap",
        FIVE "--op=find",
        FIVE "--op=session",
        FIVE "--op=random",
        FIVE "--key=session --threads=2",
        FIVE "--key=copy --threads=2",
        FIVE "--op=login",
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        logins = kw_fault_count(&f.hsm, "C_Login");
        bench(0, rows[i]);
        kw_says(r.out, "good = 5, wrong = 0, token/label = keyward-test");
    }
    /* Of a login each is one at the module, and a logout. */
    CHECK(kw_fault_count(&f.hsm, "C_Login") == logins + 2 + 5);
    CHECK(kw_fault_count(&f.hsm, "C_Logout") == 5);
    check_leftovers(0);
}

/* ---- --clean: what a crash left behind goes, and nothing else ------------------------- */

#define LEFT_A "kw-bench-00000000000000000000000a"
#define LEFT_B "kw-bench-00000000000000000000000b"
#define RELABELLED "kw-bench-00000000000000000000000c"

static struct kw_version version;

/* Two leftovers, a key that only looks like one, and one that bears such a label and is a
 * keyring's all the same. */
static void begin_with_leftovers(void)
{
    f.token = kw_softhsm_open(&f.hsm, KW_SOFTHSM_READ_WRITE);
    kw_softhsm_version(f.token, "test", 1, KW_KEY_ACTIVE, &version);
    (void)raw_key(f.token, LEFT_A, "1", false);
    (void)raw_key(f.token, LEFT_B, "", false);
    (void)raw_key(f.token, "kw-benchmark", "2", false);
    (void)raw_key(f.token, RELABELLED, LOCATOR, false);
    kw_token_close(f.token);
    f.token = NULL;
    version.objects[0].locator_len = sizeof LOCATOR - 1;
    kw_copy(version.objects[0].locator, sizeof version.objects[0].locator,
            kw_span_str(LOCATOR));
    kw_softhsm_keyring("keyring.json", "test", &version, 1);
}

TEST(clean__told_why_not_or_listed_then_destroyed_and_no_other)
{
    static const char *const others[] = {"kw-benchmark", KEK, RELABELLED, version.key_id};
    struct kw_token_key *key = NULL;
    begin_with_leftovers();
    kw_fault_set(&f.hsm, "othermaker\n");
    bench(3, "--clean --keyring keyring.json");
    CHECK_HAS(r.err, "--yes");
    bench(0, "--clean --dry-run --keyring keyring.json");
    CHECK_HAS(r.out, "this is a dry run");
    CHECK(strstr(r.out, "kw-benchmark") == NULL);
    kw_fault_set(&f.hsm, "C_DestroyObject rv=0x6\n");
    bench(3, "--clean --json --keyring keyring.json");
    CHECK_HAS(r.err, "could not be destroyed");
    kw_says(r.out,
            "leftovers/# = 3, leftovers/0/destroyed = false, leftovers/1/destroyed = "
            "false, leftovers/2/destroyed = false");
    kw_fault_set(&f.hsm, "");
    bench(0, FIVE "--keyring keyring.json"); /* measuring leaves them alone */
    kw_says(r.out, "keyring/keys = 1");
    bench(0, "--clean --keyring keyring.json");
    CHECK_HAS(r.out, "3 keys");         /* all are there still */
    CHECK_HAS(r.out, "  " LEFT_A "\n"); /* before any is destroyed */
    CHECK_HAS(r.out, "  " LEFT_B "\n");
    CHECK_HAS(r.out, LEFT_A ": destroyed\n");
    CHECK_HAS(r.out, RELABELLED " has the locator of version 1");
    f.token = kw_softhsm_open(&f.hsm, KW_SOFTHSM_READ_ONLY);
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++)
        CHECK_OK(kw_token_find(f.token, others[i], (kw_span){0}, &key, &f.note));
    check_leftovers(1);
}

KW_SUITE_AROUND("bench", begin, end)
